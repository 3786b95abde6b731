// What is behind a descriptor: which open file, and of a socket its addresses, its state and the socket at its other end.
import { readlinkSync } from 'node:fs';
import {
  AF_UNIX,
  F_GETFL,
  O_ACCMODE,
  O_WRONLY,
  raw,
  SO_DOMAIN,
  SO_PROTOCOL,
  SO_TYPE,
  SOL_SOCKET,
  SockAddr,
  SystemError,
} from '../index.js';
import { findUnixSocket } from '../netlink/index.js';
import { addressFamilies, ipProtocols, socketTypes } from './decode/families.js';
import type { Json } from './decode/notation.js';
import { tcpState } from './tcp-states.js';

/** An open file, as the kernel knows it at one moment. */
export interface OpenFile {
  /** Its name in /proc/PID/fd: `socket:[4711]`, `pipe:[4712]`, `anon_inode:[eventpoll]`. */
  readonly name: string;
  /** Which end of a pipe it is. */
  readonly end?: 'read' | 'write';
  /** Of a socket: the domain, type and protocol that it was made with. */
  readonly family?: string;
  readonly type?: string;
  readonly protocol?: string;
  /** Its own address, and its peer's, as `127.0.0.1:80` or a path. */
  readonly local?: string;
  readonly peer?: string;
  /** Of a Unix socket: the name of the socket at the other end. */
  readonly other?: string;
  /** Of a TCP socket: the state that it is in. */
  readonly state?: string;
}

/** What a descriptor was before a call and after it: null where it was not open. */
export interface OpenFileChange {
  readonly fd: number;
  readonly before: OpenFile | null;
  readonly after: OpenFile | null;
}

/** What is behind a descriptor; null if it is not open. */
export function openFile(fd: number): OpenFile | null {
  const name = nameOf(fd);
  if (name === undefined) return null;
  if (name.startsWith('pipe:')) return { name, end: isForWriting(fd) ? 'write' : 'read' };
  const inode = /^socket:\[(\d+)\]$/.exec(name)?.[1];
  return inode === undefined ? { name } : { name, ...socketFacts(fd, Number(inode)) };
}

// The highest descriptor that is looked at when others are searched; the kernel gives the lowest numbers that are free.
const searched = 128;
const lastSeen = new Map<number, OpenFile>();

/**
 * The TCP sockets of this process whose state is another than when this was last called. A call changes the state of
 * the socket that it is about, and often that of the one at the other end.
 * @param except descriptors that are looked at anyway
 */
export function changedSockets(except: Iterable<number>): OpenFileChange[] {
  const changes: OpenFileChange[] = [];
  const known = new Set(except);
  for (let fd = 0; fd < searched; fd++) {
    const state = tcpState(fd);
    const before = lastSeen.get(fd) ?? null;
    if (state === (before?.state ?? null)) continue;
    const after = state === null ? null : openFile(fd);
    if (after === null) lastSeen.delete(fd);
    else lastSeen.set(fd, after);
    const isSame = before === null || before.name === after?.name;
    if (after !== null && !known.has(fd)) changes.push({ fd, before: isSame ? before : null, after });
  }
  return changes;
}

function nameOf(fd: number): string | undefined {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return undefined;
  }
}

function isForWriting(fd: number): boolean {
  return (raw.fcntl(fd, F_GETFL, 0) & O_ACCMODE) === O_WRONLY;
}

const room = new Int32Array(1);

function option(fd: number, name: number): number {
  return raw.getsockopt(fd, SOL_SOCKET, name, room) < 0 ? 0 : (room[0] as number);
}

function socketFacts(fd: number, inode: number): Partial<OpenFile> {
  const domain = option(fd, SO_DOMAIN);
  const other = domain === AF_UNIX ? otherEnd(inode) : undefined;
  const [local, peer] = [addressOf('getsockname', fd), addressOf('getpeername', fd)];
  const state = tcpState(fd);
  return {
    family: addressFamilies.choice(domain).text,
    type: socketTypes.choice(option(fd, SO_TYPE)).text,
    ...(domain !== AF_UNIX && { protocol: ipProtocols.choice(option(fd, SO_PROTOCOL)).text }),
    ...(local && { local }),
    ...(peer && { peer }),
    ...(other && { other: `socket:[${other}]` }),
    ...(state && { state }),
  };
}

function addressOf(call: 'getsockname' | 'getpeername', fd: number): string | undefined {
  const address = new SockAddr();
  if (raw[call](fd, address.storage) < 0) return undefined;
  address.length = raw.out[0] as number;
  return String(address);
}

/** The inode of the socket that a Unix socket is connected to, where this kernel tells it (unix_diag). */
function otherEnd(inode: number): number | undefined {
  try {
    return findUnixSocket(inode).peer;
  } catch (error) {
    if (error instanceof SystemError) return undefined;
    throw error;
  }
}

/** The descriptors in a decoded message, or in a batch of them: those in control messages of the kind SCM_RIGHTS. */
export function passedDescriptors(json: Json): readonly number[] {
  if (typeof json !== 'object' || json === null) return [];
  if ('cmsg_type' in json) return json.cmsg_type === 'SCM_RIGHTS' ? (json.cmsg_data as readonly number[]) : [];
  return Object.values(json).flatMap(passedDescriptors);
}
