// What a call costs on the checked floor: the same work as calls-raw.ts, and an error throws. Usage: calls-checked PORT
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
bind(listener, sockaddr_in('127.0.0.1', Number(process.argv[2])));
listen(listener, SOMAXCONN);

await stopwatch({
  fcntl(count) {
    for (let i = 0; i < count; i++) fcntl(left, F_GETFD);
  },
  sendRecv(count, size) {
    const out = new Uint8Array(size).fill(120);
    const into = new Uint8Array(size);
    for (let i = 0; i < count; i++) {
      send(left, out);
      recv(right, into);
    }
  },
  acceptClose(count) {
    for (let i = 0; i < count; i++) close(accept4(listener, null, SOCK_CLOEXEC));
  },
});
