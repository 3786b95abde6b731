// Exercise 6: choose the type of socket that keeps messages apart and knows when its peer has gone.
// 练习 6：选择一种既保持消息边界、又知道对方已离开的套接字类型。
import { AF_UNIX, close, recv, SOCK_DGRAM, SOCK_SEQPACKET, SOCK_STREAM, send, socketpair } from 'posix-sockets';
import { check, hint } from 'posix-sockets/practice';

let type = SOCK_STREAM;
hint(
  `A stream (${SOCK_STREAM}) has no messages, a datagram socket (${SOCK_DGRAM}) no connection. There is a third type (${SOCK_SEQPACKET}).`,
  `流（${SOCK_STREAM}）没有消息，数据报套接字（${SOCK_DGRAM}）没有连接。还有第三种类型（${SOCK_SEQPACKET}）。`,
);
// HERE

const [one, other] = socketpair(AF_UNIX, type);
send(one, Buffer.from('first'));
send(one, Buffer.from('second'));
close(one);
const bytes = Buffer.alloc(100);
check(recv(other, bytes) === 5, 'The first message, alone.', '只有第一条消息。');
check(recv(other, bytes) === 6, 'The second one.', '第二条。');
check(recv(other, bytes) === 0, 'And the end, for the peer has gone.', '然后是结尾，因为对方已离开。');
close(other);
