return socketpair(AF_UNIX, SOCK_STREAM);
