// Exercise 2: find out, at the server's end, which port the client has.
// 练习 2：在服务器一端找出客户端的端口。
import {
  AF_INET,
  accept,
  bind,
  close,
  connect,
  getpeername,
  getsockname,
  listen,
  SOCK_STREAM,
  sockaddr_in,
  socket,
} from 'posix-sockets';
import { check, hint } from 'posix-sockets/practice';

const server = socket(AF_INET, SOCK_STREAM);
bind(server, sockaddr_in('127.0.0.1', 0));
listen(server, 1);
const client = socket(AF_INET, SOCK_STREAM);
connect(client, getsockname(server));
const connection = accept(server);

let port = 0;
hint(
  'The client is the peer of the connection: getpeername says who is at the other end.',
  '客户端是这个连接的对端：getpeername 说明另一端是谁。',
);
// HERE

check(port === getsockname(client).port, 'The same port, seen from both ends.', '从两端看到的是同一个端口。');
check(getpeername(client).equals(getsockname(connection)), 'And the other way round.', '反过来也一样。');
for (const fd of [connection, client, server]) close(fd);
