// The sockets of this process as the kernel knows them, asked of each descriptor.
import { readdirSync, readlinkSync } from 'node:fs';
import {
  AF_UNIX,
  FIONREAD,
  getOption,
  getpeername,
  getsockname,
  IPPROTO_UDP,
  IPPROTO_UDPLITE,
  ioctl,
  SystemError,
  TIOCOUTQ,
} from '../../index.js';
import { addressFamilies, ipProtocols, socketTypes } from '../decode/families.js';
import { tcpState } from '../tcp-states.js';

/** A socket: its five-tuple, its state, and how much waits in its queues. */
export interface SocketRow {
  readonly fd: number;
  /** The domain, the type and the protocol that it was made with. */
  readonly family: string;
  readonly type: string;
  readonly protocol: string;
  /** TCP_*; for other protocols 'listening', 'connected' or 'unconnected'. */
  readonly state: string;
  /** Bytes that are there to be read; of a TCP listener, connections that wait for accept. */
  readonly received: number;
  /** Bytes that were sent and are not acknowledged or read yet; of a TCP listener, its backlog. */
  readonly sent: number;
  readonly local: string;
  readonly peer: string;
}

/** What a call answers; undefined where the socket has no such thing. */
function attempt<T>(call: () => T): T | undefined {
  try {
    return call();
  } catch (error) {
    if (error instanceof SystemError) return undefined;
    throw error;
  }
}

/** Every socket of this process, in the order of their descriptors. */
export function sockets(): SocketRow[] {
  const fds = readdirSync('/proc/self/fd').map(Number);
  return fds.sort((a, b) => a - b).flatMap((fd) => (isSocket(fd) ? [describe(fd)] : []));
}

function isSocket(fd: number): boolean {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`).startsWith('socket:');
  } catch {
    return false; // the one that read the folder
  }
}

function describe(fd: number): SocketRow {
  const [domain, protocol] = [getOption(fd, 'SO_DOMAIN'), getOption(fd, 'SO_PROTOCOL')];
  const peer = attempt(() => getpeername(fd));
  const listening = attempt(() => getOption(fd, 'SO_ACCEPTCONN')) ?? false;
  const { received, sent } = queues(fd, protocol, listening);
  return {
    fd,
    family: addressFamilies.choice(domain).text,
    type: socketTypes.choice(getOption(fd, 'SO_TYPE')).text,
    protocol: domain === AF_UNIX ? '' : ipProtocols.choice(protocol).text,
    state: tcpState(fd) ?? (listening ? 'listening' : peer ? 'connected' : 'unconnected'),
    received,
    sent,
    local: `${attempt(() => getsockname(fd)) ?? ''}`,
    peer: `${peer ?? ''}`,
  };
}

function queues(fd: number, protocol: number, listening: boolean): { received: number; sent: number } {
  const tcp = listening ? attempt(() => getOption(fd, 'TCP_INFO')) : undefined;
  if (tcp) return { received: tcp.tcpi_unacked, sent: tcp.tcpi_sacked };
  const sent = attempt(() => ioctl(fd, TIOCOUTQ)) ?? 0;
  // FIONREAD would tell of the first datagram only.
  const isUdp = protocol === IPPROTO_UDP || protocol === IPPROTO_UDPLITE;
  if (isUdp) return { received: getOption(fd, 'SO_MEMINFO')[0] as number, sent };
  return { received: attempt(() => ioctl(fd, FIONREAD)) ?? 0, sent };
}

/** The sockets as a table. */
export function socketTable(): string {
  const headings = ['fd', 'family', 'type', 'protocol', 'state', 'recv-q', 'send-q', 'local', 'peer'];
  const rows = sockets().map((row) => Object.values(row).map(String));
  const widths = headings.map((heading, i) =>
    Math.max(heading.length, ...rows.map((row) => (row[i] as string).length)),
  );
  return [headings, ...rows]
    .map(
      (row) =>
        `${row
          .map((cell, i) => cell.padEnd(widths[i] as number))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}
