// Exercise 5: make the server ready before the client comes: two calls are missing.
// 练习 5：在客户端到来之前让服务器就绪：缺少两个调用。
import {
  AF_INET,
  accept,
  bind,
  close,
  connect,
  getsockname,
  listen,
  SOCK_STREAM,
  sockaddr_in,
  socket,
} from 'posix-sockets';
import { check, hint } from 'posix-sockets/practice';

const server = socket(AF_INET, SOCK_STREAM);
hint(
  "A server needs a name (bind, to sockaddr_in('127.0.0.1', 0)) and must listen before anybody can connect.",
  "服务器需要一个名字（bind 到 sockaddr_in('127.0.0.1', 0)），并且必须先 listen，别人才能连接。",
);
// HERE

const client = socket(AF_INET, SOCK_STREAM);
connect(client, getsockname(server));
const connection = accept(server);
check(
  getsockname(connection).port === getsockname(server).port,
  "Connected, on the listener's own port.",
  '已连接，使用监听套接字自己的端口。',
);
for (const fd of [connection, client, server]) close(fd);
