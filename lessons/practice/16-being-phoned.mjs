// Exercise 16: ask the reactor to be phoned.
// 练习 16：请反应器打电话通知。
import { setTimeout } from 'node:timers/promises';
import { AF_UNIX, close, EPOLLIN, Reactor, recv, SOCK_NONBLOCK, SOCK_STREAM, send, socketpair } from 'posix-sockets';
import { check, hint } from 'posix-sockets/practice';

const [one, other] = socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK);
let heard = '';
function onReady(events, fd) {
  const bytes = Buffer.alloc(10);
  heard = bytes.toString('utf8', 0, recv(fd, bytes));
  Reactor.default.remove(fd);
}

hint(
  'Reactor.default.add(descriptor, EPOLLIN, handler) calls the handler when there is something to read.',
  'Reactor.default.add(描述符, EPOLLIN, 处理函数) 会在有数据可读时调用处理函数。',
);
// HERE

send(one, Buffer.from('ring'));
// Two seconds at most.
// 最多等两秒。
for (let tries = 0; heard === '' && tries < 100; tries++) await setTimeout(20);
check(heard === 'ring', 'The phone rang, and somebody answered.', '电话响了，并且有人接听。');
for (const fd of [one, other]) close(fd);
