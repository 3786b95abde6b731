// The sockets of this process as the kernel knows them: what sock_diag(7) tells of each, and of those that it does not know
// what their descriptors tell.
import { readdirSync, readlinkSync } from 'node:fs';
import {
  AF_INET,
  AF_INET6,
  AF_UNIX,
  FIONREAD,
  getOption,
  getpeername,
  getsockname,
  IPPROTO_MPTCP,
  IPPROTO_TCP,
  ioctl,
  type SockAddr,
  SystemError,
  TCP_ESTABLISHED,
  TCP_LISTEN,
  TIOCOUTQ,
} from '../../index.js';
import { listInetSockets, listUnixSockets } from '../../netlink/index.js';
import { addressFamilies, ipProtocols, socketTypes, tcpStates } from '../decode/families.js';
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
  /** Bytes that are there to be read, a FIN counting as one; of a listener, connections that wait for accept. */
  readonly received: number;
  /** Bytes that were sent and are not acknowledged or read yet; of a listener, its backlog. */
  readonly sent: number;
  readonly local: string;
  /** Of a Unix socket whose peer has no name, the peer's descriptor here, or its inode. */
  readonly peer: string;
}

/** What a call answers; undefined where the socket, or this kernel, has no such thing. */
function attempt<T>(call: () => T): T | undefined {
  try {
    return call();
  } catch (error) {
    if (error instanceof SystemError) return undefined;
    throw error;
  }
}

/** A socket's descriptor, and what it was made with. */
interface Made {
  readonly fd: number;
  readonly inode: number;
  readonly domain: number;
  readonly protocol: number;
}

/** What sock_diag tells. */
interface Told {
  readonly state: number;
  readonly receiveQueue?: number | undefined;
  readonly sendQueue?: number | undefined;
  /** Of a Unix socket: the inode at the other end. */
  readonly peer?: number | undefined;
}

/** Every socket of this process, in the order of their descriptors. */
export function sockets(): SocketRow[] {
  const fds = readdirSync('/proc/self/fd').map(Number);
  const made = fds.sort((a, b) => a - b).flatMap((fd) => whatIsMade(fd) ?? []);
  const told = diagnose(made);
  const fdOf = new Map(made.map(({ fd, inode }) => [inode, fd]));
  return made.map((socket) => describe(socket, told.get(socket.inode), fdOf));
}

function whatIsMade(fd: number): Made | undefined {
  let link: string;
  try {
    link = readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return undefined; // the one that read the folder
  }
  const inode = /^socket:\[(\d+)\]$/.exec(link)?.[1];
  if (inode === undefined) return undefined;
  return {
    fd,
    inode: Number(inode),
    domain: getOption(fd, 'SO_DOMAIN'),
    protocol: getOption(fd, 'SO_PROTOCOL'),
  };
}

const isInet = ({ domain }: Made) => domain === AF_INET || domain === AF_INET6;

/** What the kernel tells of the sockets of each kind, by their inodes. */
function diagnose(made: readonly Made[]): ReadonlyMap<number, Told> {
  const protocols = new Set(made.filter(isInet).map(({ protocol }) => protocol));
  const lists: (readonly (Told & { readonly inode: number })[])[] = [];
  for (const protocol of protocols) lists.push(attempt(() => listInetSockets({ protocol })) ?? []);
  if (made.some(({ domain }) => domain === AF_UNIX)) lists.push(attempt(() => listUnixSockets()) ?? []);
  return new Map(lists.flat().map((socket) => [socket.inode, socket]));
}

function describe(made: Made, told: Told | undefined, fdOf: ReadonlyMap<number, number>): SocketRow {
  const { fd, domain, protocol } = made;
  const peer = attempt(() => getpeername(fd));
  const peerInode = told?.peer;
  const unnamed = peerInode === undefined ? undefined : (fdOf.get(peerInode) ?? `socket:[${peerInode}]`);
  const state = stateOf(made, told, peer !== undefined);
  const unsent = state === 'TCP_CLOSE' ? 0 : attempt(() => ioctl(fd, TIOCOUTQ)); // it counts between old numbers there
  return {
    fd,
    family: addressFamilies.choice(domain).text,
    type: socketTypes.choice(getOption(fd, 'SO_TYPE')).text,
    protocol: domain === AF_UNIX ? '' : ipProtocols.choice(protocol).text,
    state,
    received: told?.receiveQueue ?? attempt(() => ioctl(fd, FIONREAD)) ?? 0,
    sent: told?.sendQueue ?? unsent ?? 0,
    local: nameOf(attempt(() => getsockname(fd))),
    peer: nameOf(peer) || (typeof unnamed === 'number' ? `fd ${unnamed}` : (unnamed ?? '')),
  };
}

/** An address as text; nothing for a Unix socket that has no name. */
function nameOf(address: SockAddr | undefined): string {
  return address === undefined || (address.family === AF_UNIX && address.path === '') ? '' : String(address);
}

function stateOf({ fd, protocol }: Made, told: Told | undefined, hasPeer: boolean): string {
  if (protocol === IPPROTO_TCP || protocol === IPPROTO_MPTCP)
    return (told && tcpStates.nameOf(told.state)) ?? tcpState(fd) ?? '';
  if (told?.state === TCP_LISTEN) return 'listening';
  return told?.state === TCP_ESTABLISHED || hasPeer ? 'connected' : 'unconnected';
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
