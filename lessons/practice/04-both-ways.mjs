// Exercise 4: tell the server that there is nothing more to come, and still hear its answer.
// 练习 4：告诉服务器不会再有数据，同时仍能听到它的回答。
import {
  AF_UNIX,
  close,
  recv,
  SHUT_RD,
  SHUT_RDWR,
  SHUT_WR,
  SOCK_STREAM,
  send,
  shutdown,
  socketpair,
} from 'posix-sockets';
import { check, hint } from 'posix-sockets/practice';

const [client, server] = socketpair(AF_UNIX, SOCK_STREAM);
send(client, Buffer.from('the question'));
hint(
  `shutdown ends one direction: SHUT_RD (${SHUT_RD}), SHUT_WR (${SHUT_WR}) or both, SHUT_RDWR (${SHUT_RDWR}). Which one must stay open?`,
  `shutdown 结束一个方向：SHUT_RD（${SHUT_RD}）、SHUT_WR（${SHUT_WR}），或两个方向 SHUT_RDWR（${SHUT_RDWR}）。哪一个必须保持打开？`,
);
// HERE

const bytes = Buffer.alloc(100);
let heard = '';
for (let n = recv(server, bytes); n > 0; n = recv(server, bytes)) heard += bytes.toString('utf8', 0, n);
check(heard === 'the question', 'The server has read to the end.', '服务器读到了流的末尾。');
send(server, Buffer.from('the answer'));
check(bytes.toString('utf8', 0, recv(client, bytes)) === 'the answer', 'And its answer came.', '它的回答也到了。');
for (const fd of [client, server]) close(fd);
