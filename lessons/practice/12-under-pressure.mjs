// Exercise 12: send as much as fits, and no more, and know how much that was.
// 练习 12：能发多少发多少，并知道发了多少。
import { AF_UNIX, close, EAGAIN, MSG_DONTWAIT, raw, recv, SOCK_STREAM, socketpair } from 'posix-sockets';
import { check, hint } from 'posix-sockets/practice';

const [one, other] = socketpair(AF_UNIX, SOCK_STREAM);
const block = Buffer.alloc(20_000);
let sent = 0;
let answer = 0;
hint(
  `raw.send(one, block, MSG_DONTWAIT) answers how many bytes it took, or -EAGAIN (-${EAGAIN}, flag ${MSG_DONTWAIT}) when the buffer is full. Repeat until then, and count.`,
  `raw.send(one, block, MSG_DONTWAIT) 返回接收的字节数，缓冲区满时返回 -EAGAIN（-${EAGAIN}，标志 ${MSG_DONTWAIT}）。重复直到那时，并计数。`,
);
// HERE

check(answer === -EAGAIN, 'It is full.', '满了。');
let received = 0;
const bytes = Buffer.alloc(65_536);
while (received < sent) received += recv(other, bytes, MSG_DONTWAIT);
check(received === sent && sent > block.length, 'And everything that was counted has come.', '所有计数的字节都到了。');
for (const fd of [one, other]) close(fd);
