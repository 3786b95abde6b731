// What listen does besides bind and listen: address reuse, and a path's stale socket file.
import { statSync, unlinkSync } from 'node:fs';
import {
  AF_INET,
  AF_INET6,
  EADDRINUSE,
  ECONNREFUSED,
  IPPROTO_IPV6,
  IPV6_V6ONLY,
  SO_REUSEADDR,
  SO_REUSEPORT,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOL_SOCKET,
} from '../constants.js';
import { fail } from '../errors.js';
import { raw } from '../native.js';
import type { SockAddr } from '../structs/sockaddr.js';
import { setsockopt } from '../syscalls/options.js';
import type { WaitOptions } from './waiter.js';

/** How to listen. */
export interface ListenOptions extends Pick<WaitOptions, 'signal'> {
  /** SOCK_STREAM (by default) or SOCK_SEQPACKET. */
  readonly type?: number | undefined;
  readonly protocol?: number | undefined;
  /** How many connections may wait to be accepted; 511 by default, and the kernel's somaxconn at most. */
  readonly backlog?: number | undefined;
  /** SO_REUSEPORT: several sockets share the port, and the kernel spreads connections over them. */
  readonly reusePort?: boolean | undefined;
  /** IPV6_V6ONLY: an IPv6 wildcard takes no IPv4 connections. False by default. */
  readonly ipv6Only?: boolean | undefined;
  /**
   * What to do with a connection when the process has no descriptor left: true, by default, accepts it with a spare
   * one and closes it, so that it does not stay in the backlog and wake the listener for ever; false lets `accept`
   * reject with EMFILE.
   */
  readonly shedWhenFull?: boolean | undefined;
}

/** Sets the options of a listener that is to be bound to an Internet address. */
export function prepareListener(fd: number, { family }: SockAddr, options: ListenOptions): void {
  if (family !== AF_INET && family !== AF_INET6) return;
  // Without it, connections of an earlier process that are in TIME_WAIT keep the port.
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  if (options.reusePort) setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, 1);
  if (family === AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, options.ipv6Only ? 1 : 0);
}

/**
 * Binds to a path. A socket file whose listener is gone is replaced, but only after a connect to it was refused.
 * @returns what removes the file, if it is still the same one
 */
export function bindPath(fd: number, address: SockAddr, type: number): () => void {
  const path = Buffer.from(address.pathBytes as Uint8Array);
  let answer = raw.bind(fd, address.bytes);
  if (answer === -EADDRINUSE && isStale(path, address, type)) {
    unlinkSync(path);
    answer = raw.bind(fd, address.bytes);
  }
  if (answer < 0) fail('bind', answer, address);
  const made = statSync(path);
  return () => {
    const now = statSync(path, { throwIfNoEntry: false });
    if (now?.ino === made.ino && now.dev === made.dev) unlinkSync(path);
  };
}

function isStale(path: Buffer, address: SockAddr, type: number): boolean {
  // To connect to a file that is no socket is refused as well.
  if (!statSync(path, { throwIfNoEntry: false })?.isSocket()) return false;
  const probe = raw.socket(address.family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (probe < 0) return false;
  const answer = raw.connect(probe, address.bytes);
  raw.close(probe);
  return answer === -ECONNREFUSED;
}
