// Exercise 18: have epoll find the one connection of a hundred that is ready.
// 练习 18：让 epoll 在一百个连接中找出就绪的那一个。
import {
  AF_UNIX,
  close,
  EPOLL_CTL_ADD,
  EPOLLIN,
  EpollEvents,
  epoll_create1,
  epoll_ctl,
  epoll_wait,
  SOCK_STREAM,
  send,
  socketpair,
} from 'posix-sockets';
import { check, hint } from 'posix-sockets/practice';

const pairs = Array.from({ length: 100 }, () => socketpair(AF_UNIX, SOCK_STREAM));
const epfd = epoll_create1();
hint(
  'Each near end is to be watched once: epoll_ctl(epfd, EPOLL_CTL_ADD, fd, EPOLLIN), for the first descriptor of each pair.',
  '每个近端都要登记一次：对每一对的第一个描述符调用 epoll_ctl(epfd, EPOLL_CTL_ADD, fd, EPOLLIN)。',
);
// HERE

const [near, far] = pairs[42];
send(far, Buffer.from('me'));
const events = new EpollEvents(8);
check(epoll_wait(epfd, events, 1000) === 1, 'One is ready.', '有一个就绪。');
check(events.fd(0) === near, `And it is descriptor ${near}.`, `就是描述符 ${near}。`);
for (const fd of [epfd, ...pairs.flat()]) close(fd);
