// Exercise 15: instead of asking again and again, wait for the answer with one poll.
// 练习 15：不要一次次地询问，用一次 poll 等待答案。
import { Worker } from 'node:worker_threads';
import {
  AF_UNIX,
  close,
  EAGAIN,
  MSG_DONTWAIT,
  POLLIN,
  PollFds,
  poll,
  raw,
  SOCK_STREAM,
  socketpair,
} from 'posix-sockets';
import { check, hint } from 'posix-sockets/practice';

const [one, other] = socketpair(AF_UNIX, SOCK_STREAM);
new Worker(
  `setTimeout(() => import(${JSON.stringify(import.meta.resolve('posix-sockets'))}).then(({ send }) => send(${one}, Buffer.from('here'))), 100)`,
  { eval: true, execArgv: [] },
);

const bytes = Buffer.alloc(10);
let asked = 0;
let answer = -EAGAIN;
while (answer === -EAGAIN && asked < 3) {
  hint(
    'poll(new PollFds(1).set(0, other, POLLIN), 5000) sleeps until something can be read, for five seconds at most.',
    'poll(new PollFds(1).set(0, other, POLLIN), 5000) 会睡眠到有数据可读，最多五秒。',
  );
  // HERE
  asked++;
  answer = raw.recv(other, bytes, MSG_DONTWAIT);
}
check(answer === 4, `Asked ${asked} times, and it was there.`, `问了 ${asked} 次，它就在那里。`);
for (const fd of [one, other]) close(fd);
