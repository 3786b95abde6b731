// Exercise 19: have the kernel send SIGIO when the socket becomes ready.
// 练习 19：让内核在套接字就绪时发送 SIGIO。
import { setTimeout } from 'node:timers/promises';
import {
  AF_UNIX,
  close,
  F_GETFL,
  F_SETFL,
  F_SETOWN,
  fcntl,
  O_ASYNC,
  SOCK_STREAM,
  send,
  socketpair,
} from 'posix-sockets';
import { check, hint } from 'posix-sockets/practice';

const [one, other] = socketpair(AF_UNIX, SOCK_STREAM);
let signals = 0;
process.on('SIGIO', () => signals++);
hint(
  'Two things: who is to be told, fcntl(fd, F_SETOWN, process.pid), and that somebody is, O_ASYNC among the flags of F_SETFL.',
  '两件事：通知谁，fcntl(fd, F_SETOWN, process.pid)；以及要通知，在 F_SETFL 的标志中加上 O_ASYNC。',
);
// HERE

send(one, Buffer.from('x'));
// Two seconds at most.
// 最多等两秒。
for (let tries = 0; signals === 0 && tries < 100; tries++) await setTimeout(20);
check(signals > 0, 'The signal came.', '信号来了。');
check((fcntl(other, F_GETFL) & O_ASYNC) !== 0, 'O_ASYNC is on.', 'O_ASYNC 已打开。');
for (const fd of [one, other]) close(fd);
