// The descriptors that the fuzz may use: of every kind there is, each at a number of its own, far from the runtime's.
import { mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  AF_INET,
  AF_INET6,
  AF_NETLINK,
  AF_PACKET,
  AF_UNIX,
  AF_VSOCK,
  CLOCK_MONOTONIC,
  F_GETFL,
  F_SETFL,
  O_NONBLOCK,
  raw,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOCK_RAW,
  SOCK_SEQPACKET,
  SOCK_STREAM,
  sockaddr_in,
} from 'posix-sockets';

const socket = (domain: number, type: number) => raw.socket(domain, type | SOCK_NONBLOCK, 0);
const mask = new Uint8Array(128);

function pairOf(type: number): [number, number] {
  raw.socketpair(AF_UNIX, type | SOCK_NONBLOCK, 0);
  return [raw.out[0] as number, raw.out[1] as number];
}

function pipe(): [number, number] {
  raw.pipe2(O_NONBLOCK);
  return [raw.out[0] as number, raw.out[1] as number];
}

function listener(): number {
  const fd = socket(AF_INET, SOCK_STREAM);
  raw.bind(fd, sockaddr_in('127.0.0.1', 0).bytes);
  raw.listen(fd, 4);
  return fd;
}

function connection(): [number, number] {
  const listening = listener();
  const name = new Uint8Array(16);
  raw.getsockname(listening, name);
  const client = socket(AF_INET, SOCK_STREAM);
  raw.connect(client, name);
  raw.poll(new Int32Array([listening, 1]), 1000);
  const server = raw.accept4(listening, null, SOCK_NONBLOCK);
  raw.close(listening);
  return [client, server];
}

function file(): number {
  const folder = mkdtempSync(join(tmpdir(), 'posix-sockets-'));
  const fd = openSync(join(folder, 'file'), 'w+');
  rmSync(folder, { recursive: true });
  raw.write(fd, new Uint8Array(5000));
  return fd;
}

/** How to make them, one or two at a time; what this machine does not have answers a negative number. */
const makers: Record<string, () => number | [number, number]> = {
  'TCP listener': listener,
  'TCP connection': connection,
  'TCP socket': () => socket(AF_INET, SOCK_STREAM),
  'TCP over IPv6': () => socket(AF_INET6, SOCK_STREAM),
  UDP: () => socket(AF_INET, SOCK_DGRAM),
  'UDP over IPv6': () => socket(AF_INET6, SOCK_DGRAM),
  'raw IP': () => raw.socket(AF_INET, SOCK_RAW | SOCK_NONBLOCK, 255),
  'Unix stream': () => pairOf(SOCK_STREAM),
  'Unix datagram': () => pairOf(SOCK_DGRAM),
  'Unix seqpacket': () => pairOf(SOCK_SEQPACKET),
  'Unix socket': () => socket(AF_UNIX, SOCK_STREAM),
  netlink: () => socket(AF_NETLINK, SOCK_RAW),
  packet: () => socket(AF_PACKET, SOCK_RAW),
  vsock: () => socket(AF_VSOCK, SOCK_STREAM),
  pipe,
  eventfd: () => raw.eventfd(1, O_NONBLOCK),
  timerfd: () => raw.timerfd_create(CLOCK_MONOTONIC, O_NONBLOCK),
  signalfd: () => raw.signalfd(-1, mask, O_NONBLOCK),
  epoll: () => raw.epoll_create1(0),
  file,
  memory: () => raw.memfd_create(new TextEncoder().encode('fuzz'), 0),
};

const first = 400;

export class Descriptors {
  readonly #numbers = new Map<string, number>([
    ['closed', 900],
    ['never open', 1_000_000_000],
    ['-1', -1],
    ['-2', -2],
    ['the least', -(2 ** 31)],
  ]);
  readonly #places: { place: number; make: () => number | [number, number]; names: string[] }[] = [];

  constructor() {
    let next = first;
    for (const [name, make] of Object.entries(makers)) {
      const made = [make()].flat();
      for (const fd of made) if (fd >= 0) raw.close(fd);
      if (made.some((fd) => fd < 0)) continue;
      const names = made.length === 1 ? [name] : [`${name}, one end`, `${name}, other end`];
      this.#places.push({ place: next, make, names });
      for (const each of names) this.#numbers.set(each, next++);
    }
  }

  get names(): string[] {
    return [...this.#numbers.keys()];
  }

  get(name: string): number {
    return this.#numbers.get(name) as number;
  }

  /** Whether a number is one that the fuzz made, and may have closed. */
  isOurs(fd: number): boolean {
    return fd >= first;
  }

  /** Makes anew what was closed or turned into something that blocks. */
  renew(): void {
    raw.close(this.get('closed'));
    for (const { place, make, names } of this.#places) {
      const states = names.map((_, i) => raw.fcntl(place + i, F_GETFL, 0));
      if (states.every((state) => state >= 0)) {
        states.forEach((state, i) => {
          if ((state & O_NONBLOCK) === 0) raw.fcntl(place + i, F_SETFL, state | O_NONBLOCK);
        });
        continue;
      }
      [make()].flat().forEach((fd, i) => {
        if (fd < 0) return;
        raw.dup3(fd, place + i, 0);
        raw.close(fd);
      });
    }
  }
}
