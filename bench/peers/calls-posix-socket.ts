// The calls of bench/ours/calls-raw.ts, as far as the npm package posix-socket has them. Usage: calls-posix-socket PORT
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { peerPackage } from '../harness/peers.js';
import { stopwatch } from '../harness/stopwatch.js';

interface PosixSocket {
  socket(domain: number, type: number, protocol: number): number;
  bind(fd: number, address: object): void;
  listen(fd: number, backlog: number): void;
  accept(fd: number, address: object): number;
  connect(fd: number, address: object): void;
  send(fd: number, buffer: ArrayBuffer, length: number, flags: number): number;
  recv(fd: number, buffer: ArrayBuffer, length: number, flags: number): number;
  close(fd: number): void;
  readonly AF_UNIX: number;
  readonly AF_INET: number;
  readonly SOCK_STREAM: number;
  readonly SOCK_DGRAM: number;
}

const posix = peerPackage<PosixSocket>('posix-socket');
const { accept, close, recv, send } = posix;

/** It has no socketpair: two datagram sockets, one named and the other connected to it. */
function datagramPair(): [number, number] {
  const address = { sun_family: posix.AF_UNIX, sun_path: join(tmpdir(), `posix-socket-${process.pid}`) };
  const left = posix.socket(posix.AF_UNIX, posix.SOCK_DGRAM, 0);
  const right = posix.socket(posix.AF_UNIX, posix.SOCK_DGRAM, 0);
  posix.bind(right, address);
  posix.connect(left, address);
  rmSync(address.sun_path);
  return [left, right];
}

const [left, right] = datagramPair();
const listener = posix.socket(posix.AF_INET, posix.SOCK_STREAM, 0);
posix.bind(listener, { sin_family: posix.AF_INET, sin_port: Number(process.argv[2]), sin_addr: '127.0.0.1' });
posix.listen(listener, 4096);

await stopwatch({
  sendRecv(count, size) {
    const out = new Uint8Array(size).fill(120).buffer;
    const into = new ArrayBuffer(size);
    for (let i = 0; i < count; i++) {
      send(left, out, size, 0);
      recv(right, into, size, 0);
    }
  },
  acceptClose(count) {
    const peer = {};
    for (let i = 0; i < count; i++) close(accept(listener, peer));
  },
});
