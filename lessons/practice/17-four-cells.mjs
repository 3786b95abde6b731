// Exercise 17: move this socket from the blocking half of the table to the other.
// 练习 17：把这个套接字从表中的阻塞一半移到另一半。
import { AF_UNIX, close, F_GETFL, F_SETFL, fcntl, O_NONBLOCK, recv, SOCK_STREAM, socketpair } from 'posix-sockets';
import { check, hint } from 'posix-sockets/practice';

const [one, other] = socketpair(AF_UNIX, SOCK_STREAM);
hint(
  'O_NONBLOCK is one of the flags that F_GETFL reads and F_SETFL sets: fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK).',
  'O_NONBLOCK 是 F_GETFL 读取、F_SETFL 设置的标志之一：fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK)。',
);
// HERE

check((fcntl(other, F_GETFL) & O_NONBLOCK) !== 0, 'The socket does not block.', '套接字不再阻塞。');
let code;
try {
  recv(other, Buffer.alloc(10));
} catch (error) {
  code = error.code;
}
check(code === 'EAGAIN', 'And says "not yet" instead of waiting.', '它说“还没有”而不是等待。');
for (const fd of [one, other]) close(fd);
