// What a call costs on the raw floor: the kernel's number, -errno on failure, nothing allocated. Usage: calls-raw PORT
import {
  AF_INET,
  AF_UNIX,
  bind,
  F_GETFD,
  listen,
  raw,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_STREAM,
  SOMAXCONN,
  sockaddr_in,
  socket,
  socketpair,
} from 'posix-sockets';
import { stopwatch } from '../harness/stopwatch.js';

const { accept4, close, fcntl, recv, send } = raw;

const [left, right] = socketpair(AF_UNIX, SOCK_DGRAM);
const listener = socket(AF_INET, SOCK_STREAM);
bind(listener, sockaddr_in('127.0.0.1', Number(process.argv[2])));
listen(listener, SOMAXCONN);

function must(result: number): number {
  if (result < 0) throw new Error(`errno ${-result}`);
  return result;
}

await stopwatch({
  fcntl(count) {
    for (let i = 0; i < count; i++) must(fcntl(left, F_GETFD, 0));
  },
  sendRecv(count, size) {
    const out = new Uint8Array(size).fill(120);
    const into = new Uint8Array(size);
    for (let i = 0; i < count; i++) {
      must(send(left, out, 0));
      must(recv(right, into, 0));
    }
  },
  acceptClose(count) {
    for (let i = 0; i < count; i++) must(close(must(accept4(listener, null, SOCK_CLOEXEC))));
  },
});
