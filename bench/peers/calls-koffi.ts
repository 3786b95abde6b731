// The calls of bench/ours/calls-raw.ts, made through koffi. Usage: calls-koffi PORT
import { peerPackage } from '../harness/peers.js';
import { stopwatch } from '../harness/stopwatch.js';

interface Koffi {
  load(path: null): { func(prototype: string): (...args: unknown[]) => number };
}

const c = peerPackage<Koffi>('koffi').load(null);
const socket = c.func('int socket(int domain, int type, int protocol)');
const socketpair = c.func('int socketpair(int domain, int type, int protocol, _Out_ int *pair)');
const bind = c.func('int bind(int fd, const uint8_t *address, uint32_t length)');
const listen = c.func('int listen(int fd, int backlog)');
const accept4 = c.func('int accept4(int fd, void *address, void *length, int flags)');
const close = c.func('int close(int fd)');
const send = c.func('long send(int fd, const uint8_t *bytes, size_t length, int flags)');
const recv = c.func('long recv(int fd, uint8_t *bytes, size_t length, int flags)');
const fcntl = c.func('int fcntl(int fd, int command)');

const AF_UNIX = 1;
const AF_INET = 2;
const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const F_GETFD = 1;

function must(result: number): number {
  if (result < 0) throw new Error('a call failed');
  return result;
}

function sockaddrOf(port: number): Uint8Array {
  const bytes = new Uint8Array(16);
  new DataView(bytes.buffer).setUint16(0, AF_INET, true);
  new DataView(bytes.buffer).setUint16(2, port);
  bytes.set([127, 0, 0, 1], 4);
  return bytes;
}

const pair = [0, 0];
must(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair));
const [left, right] = pair as [number, number];
const listener = must(socket(AF_INET, SOCK_STREAM, 0));
must(bind(listener, sockaddrOf(Number(process.argv[2])), 16));
must(listen(listener, 4096));

await stopwatch({
  fcntl(count) {
    for (let i = 0; i < count; i++) must(fcntl(left, F_GETFD));
  },
  sendRecv(count, size) {
    const out = new Uint8Array(size).fill(120);
    const into = new Uint8Array(size);
    for (let i = 0; i < count; i++) {
      must(send(left, out, size, 0));
      must(recv(right, into, size, 0));
    }
  },
  acceptClose(count) {
    for (let i = 0; i < count; i++) must(close(must(accept4(listener, null, null, SOCK_CLOEXEC))));
  },
});
