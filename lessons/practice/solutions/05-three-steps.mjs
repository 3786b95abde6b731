bind(server, sockaddr_in('127.0.0.1', 0));
listen(server, 1);
