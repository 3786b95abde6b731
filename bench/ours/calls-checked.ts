// What a call costs on the checked floor: the same work as calls-raw.ts, and an error throws. With the word `traced`,
// the tracer was on before and is off again. Usage: calls-checked [traced] PORT
import {
  AF_INET,
  AF_UNIX,
  accept4,
  bind,
  close,
  F_GETFD,
  fcntl,
  listen,
  recv,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_STREAM,
  SOMAXCONN,
  send,
  sockaddr_in,
  socket,
  socketpair,
} from 'posix-sockets';
import { stopwatch } from '../harness/stopwatch.js';

const [left, right] = socketpair(AF_UNIX, SOCK_DGRAM);
const listener = socket(AF_INET, SOCK_STREAM);
bind(listener, sockaddr_in('127.0.0.1', Number(process.argv.at(-1))));
listen(listener, SOMAXCONN);

if (process.argv[2] === 'traced') {
  const { trace } = await import('posix-sockets/trace');
  using _traced = trace(() => {});
  sendRecv(1000, 64);
}

function sendRecv(count: number, size: number): void {
  const out = new Uint8Array(size).fill(120);
  const into = new Uint8Array(size);
  for (let i = 0; i < count; i++) {
    send(left, out);
    recv(right, into);
  }
}

await stopwatch({
  fcntl(count) {
    for (let i = 0; i < count; i++) fcntl(left, F_GETFD);
  },
  sendRecv,
  acceptClose(count) {
    for (let i = 0; i < count; i++) close(accept4(listener, null, SOCK_CLOEXEC));
  },
});
