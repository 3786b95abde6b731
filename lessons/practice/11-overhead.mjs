// Exercise 11: replace the TCP connection by something that uses up no port.
// 练习 11：用不消耗端口的方式替换 TCP 连接。
import {
  AF_INET,
  AF_UNIX,
  accept,
  bind,
  close,
  connect,
  getsockname,
  listen,
  recv,
  SOCK_STREAM,
  send,
  sockaddr_in,
  socket,
  socketpair,
} from 'posix-sockets';
import { check, hint } from 'posix-sockets/practice';

function pair() {
  hint(
    'socketpair(AF_UNIX, SOCK_STREAM) makes two connected ends in one call.',
    'socketpair(AF_UNIX, SOCK_STREAM) 一次调用就得到相连的两端。',
  );
  // HERE
  const server = socket(AF_INET, SOCK_STREAM);
  bind(server, sockaddr_in('127.0.0.1', 0));
  listen(server, 1);
  const client = socket(AF_INET, SOCK_STREAM);
  connect(client, getsockname(server));
  const connection = accept(server);
  close(server);
  return [client, connection];
}

const [one, other] = pair();
send(one, Buffer.from('both ways'));
check(recv(other, Buffer.alloc(100)) === 9, 'It carries bytes.', '它传送字节。');
check(
  getsockname(one).family === AF_UNIX && getsockname(one).port === undefined,
  'And uses no port.',
  '而且不使用端口。',
);
for (const fd of [one, other]) close(fd);
