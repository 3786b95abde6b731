// Exercise 13: let recv give up after a tenth of a second.
// 练习 13：让 recv 在十分之一秒后放弃。
import { AF_UNIX, close, recv, SOCK_STREAM, setOption, socketpair, timeval } from 'posix-sockets';
import { check, hint } from 'posix-sockets/practice';

const [one, other] = socketpair(AF_UNIX, SOCK_STREAM);
hint(
  "SO_RCVTIMEO bounds the wait of a receive: setOption(fd, 'SO_RCVTIMEO', timeval.fromMilliseconds(100)).",
  "SO_RCVTIMEO 限定接收的等待时间：setOption(fd, 'SO_RCVTIMEO', timeval.fromMilliseconds(100))。",
);
// HERE

const start = performance.now();
let code;
try {
  recv(other, Buffer.alloc(10)); // nobody ever sends
} catch (error) {
  code = error.code;
}
const waited = performance.now() - start;
check(code === 'EAGAIN', 'It gave up, with EAGAIN.', '它放弃了，返回 EAGAIN。');
check(waited > 80, `After ${waited.toFixed(0)} ms of standing there.`, `站了 ${waited.toFixed(0)} 毫秒之后。`);
for (const fd of [one, other]) close(fd);
