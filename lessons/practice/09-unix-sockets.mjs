// Exercise 9: pass the writing end of the pipe to the other side.
// 练习 9：把管道的写端传给另一边。
import { AF_UNIX, close, pipe2, read, recvFds, SOCK_STREAM, sendFds, socketpair, write } from 'posix-sockets';
import { check, hint } from 'posix-sockets/practice';

const [one, other] = socketpair(AF_UNIX, SOCK_STREAM);
const [reader, writer] = pipe2();
hint(
  'sendFds(socket, [descriptor, ...]) sends descriptors. The number alone would mean nothing to another process.',
  'sendFds(套接字, [描述符, ...]) 用来发送描述符。单独的数字对另一个进程毫无意义。',
);
// HERE

const { fds } = recvFds(other, 1);
check(fds.length === 1, 'A descriptor came.', '收到了一个描述符。');
write(fds[0], Buffer.from('through the other number'));
const bytes = Buffer.alloc(100);
check(bytes.toString('utf8', 0, read(reader, bytes)).startsWith('through'), 'It is the same pipe.', '是同一个管道。');
for (const fd of [one, other, reader, writer, ...fds]) close(fd);
