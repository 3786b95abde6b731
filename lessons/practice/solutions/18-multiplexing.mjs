for (const [fd] of pairs) epoll_ctl(epfd, EPOLL_CTL_ADD, fd, EPOLLIN);
