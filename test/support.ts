// What many tests share. Importing this file makes every test of a file prove that it leaves no descriptor open.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, openSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { Worker } from 'node:worker_threads';
import {
  AF_INET,
  AF_INET6,
  AF_UNIX,
  accept,
  bind,
  connect,
  getsockname,
  IPPROTO_MPTCP,
  IPPROTO_UDPLITE,
  listen,
  raw,
  SOCK_DGRAM,
  SOCK_SEQPACKET,
  SOCK_STREAM,
  type SockAddr,
  SystemError,
  sockaddr_in,
  sockaddr_in6,
  sockaddr_un,
  socket,
  terminate,
} from 'posix-sockets';
import { afterEach, beforeEach, expect } from 'vitest';

const root = join(import.meta.dirname, '..');

const works = (command: string, ...args: string[]) => spawnSync(command, args, { timeout: 20_000 }).status === 0;
export const isRoot = process.getuid?.() === 0;
export const havePython = works('python3', '-c', '');
export const haveStrace = works('strace', '-qq', '-o', '/dev/null', 'true');
export const haveCompiler = works('g++', '--version');
/** Whether tests may have a network of their own. */
export const haveNamespaces = isRoot && works('unshare', '-n', 'ip', 'link', 'set', 'lo', 'up');

// ---- descriptors

/** Every open descriptor of this process, and what it is. */
export function descriptors(): Map<number, string> {
  const open = new Map<number, string>();
  for (const name of readdirSync('/proc/self/fd')) {
    const what = linkOf(Number(name));
    if (what !== undefined) open.set(Number(name), what); // the one that read the folder is gone by now
  }
  return open;
}

function linkOf(fd: number): string | undefined {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return undefined;
  }
}

const atEnd: (() => unknown)[] = [];

/** Has something done when the running test ends, well or not. What is named last comes first. */
export function whenDone(action: () => unknown): void {
  atEnd.push(action);
}

/** A descriptor that is closed when the test ends, if the test has not closed it. */
export function opened(fd: number): number {
  expect(fd).toBeGreaterThanOrEqual(0);
  const what = linkOf(fd);
  whenDone(() => linkOf(fd) === what && raw.close(fd));
  return fd;
}

let before = new Map<number, string>();
beforeEach(() => {
  before = descriptors();
});
afterEach(async () => {
  for (let action = atEnd.pop(); action; action = atEnd.pop()) await action();
  const left = () => Array.from(descriptors()).filter(([fd, what]) => before.get(fd) !== what);
  // What a child process or a worker had is closed a moment later.
  await until(() => left().length === 0, 'nothing is left open').catch(() => expect(left()).toEqual([]));
});

/** A descriptor of a new file, which is no socket. */
export function openedFile(content: string | Uint8Array = ''): number {
  const path = join(folder(), 'file');
  writeFileSync(path, content);
  return opened(openSync(path, 'r+'));
}

/** A descriptor that is certainly not open. */
export const closedFd = 1_000_000_000;

// ---- conditions and errors

/** Waits until a condition holds; fails if it does not within ten seconds. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  const end = Date.now() + 10_000;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** The SystemError that a call throws; fails if it throws none. */
export function errorOf(call: () => unknown): SystemError {
  try {
    call();
  } catch (error) {
    if (error instanceof SystemError) return error;
    throw error;
  }
  throw new Error('the call did not fail');
}

// ---- places and processes

/** A new folder, which goes away with all that is in it when the test ends. */
export function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'posix-sockets-'));
  whenDone(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

export interface Outcome {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/** Runs a program to its end, or kills it after a bound of time, which then shows as its signal. */
export async function run(command: string, args: string[], bound = 15_000): Promise<Outcome> {
  const child = spawn(command, args, {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: bound,
    killSignal: 'SIGKILL',
  });
  const [stdout, stderr, [code, signal]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  return { code, signal, stdout, stderr };
}

const nodeArguments = (code: string) => ['--input-type=module', '--eval', code];

/** Runs JavaScript in a process of its own. */
export function runNode(code: string, bound?: number, ...options: string[]): Promise<Outcome> {
  return run(process.execPath, [...options, ...nodeArguments(code)], bound);
}

/** The same in a network of its own, where only loopback is there, and up. */
export function runInNamespace(code: string, bound?: number): Promise<Outcome> {
  return run(
    'unshare',
    ['-n', 'sh', '-c', 'ip link set lo up && exec "$@"', '-', process.execPath, ...nodeArguments(code)],
    bound,
  );
}

export interface Started {
  child: ChildProcess;
  /** The next line that it prints; fails if none comes. */
  line(): Promise<string>;
  /** Waits until it has ended. @returns its exit status, or the signal's name */
  ended(): Promise<number | string>;
}

/** Begins a program, the other side of an exchange; it is killed when the test ends. */
export function start(command: string, args: readonly string[], env?: NodeJS.ProcessEnv): Started {
  const child = spawn(command, args, {
    cwd: root,
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  const end = once(child, 'close');
  let hasEnded = false;
  const settled = end.then(
    () => (hasEnded = true),
    () => (hasEnded = true), // there is no such command: who calls `ended` learns it
  );
  whenDone(async () => {
    child.kill('SIGKILL');
    await settled;
  });
  let [pending, complaints] = ['', ''];
  child.stdout.on('data', (chunk) => {
    pending += chunk;
  });
  child.stderr.on('data', (chunk) => {
    complaints += chunk;
  });
  return {
    child,
    async line() {
      await until(() => pending.includes('\n') || hasEnded, `${command} says something`);
      const length = pending.indexOf('\n');
      if (length < 0) throw new Error(`${command} ended, and said no more than '${pending}': ${complaints}`);
      const line = pending.slice(0, length);
      pending = pending.slice(length + 1);
      return line;
    },
    async ended() {
      const [code, signal] = await end;
      return code ?? signal;
    },
  };
}

/** Begins a Python program. */
export const python = (code: string, ...args: string[]): Started => start('python3', ['-u', '-c', code, ...args]);

// ---- workers that wait in a system call

export interface Blocked {
  worker: Worker;
  /** What the worker posts, in order. */
  messages: unknown[];
  /** Waits until the worker's thread sleeps inside a system call whose first argument is `fd`. */
  untilBlockedOn(fd: number): Promise<void>;
}

/**
 * Starts a worker with the package as `sockets` and a function `post`. It is terminated when the test ends.
 * @param code what it does; an error that it throws is posted as its code
 */
export async function startWorker(code: string, workerData: unknown = null): Promise<Blocked> {
  const worker = new Worker(
    `const { parentPort, workerData } = require('node:worker_threads');
     const post = (message) => parentPort.postMessage(message);
     import('posix-sockets').then((sockets) => {
       post(require('node:fs').readlinkSync('/proc/thread-self'));
       ${code}
     }).catch((error) => post(error.code ?? String(error)));`,
    { eval: true, workerData },
  );
  whenDone(() => terminate(worker));
  const messages: unknown[] = [];
  worker.on('message', (message) => messages.push(message));
  await until(() => messages.length > 0, 'the worker runs');
  const thread = messages.shift();
  return {
    worker,
    messages,
    untilBlockedOn: (fd) => {
      const inCall = new RegExp(`^\\d+ 0x${fd.toString(16)} `);
      return until(() => inCall.test(readFileSync(`/proc/${thread}/syscall`, 'utf8')), `a thread waits on ${fd}`);
    },
  };
}

// ---- sockets of every family

export interface Kind {
  readonly domain: number;
  readonly type: number;
  readonly protocol: number;
  /** An address to bind to. */
  address(): SockAddr;
}

let names = 0;
/** An abstract Unix address that nobody else has. */
export const abstractAddress = () => sockaddr_un(`\0posix-sockets/${process.pid}/${names++}`);

const inet = () => sockaddr_in('127.0.0.1', 0);
const inet6 = () => sockaddr_in6('::1', 0);

function offered(kinds: Record<string, Kind>): [string, Kind][] {
  return Object.entries(kinds).filter(([, { domain, type, protocol, address }]) => {
    const fd = raw.socket(domain, type, protocol);
    const bound = fd >= 0 && raw.bind(fd, address().bytes) === 0;
    if (fd >= 0) raw.close(fd);
    return bound;
  });
}

/** The kinds of connected sockets that this kernel offers. */
export const connectedKinds = offered({
  'TCP over IPv4': { domain: AF_INET, type: SOCK_STREAM, protocol: 0, address: inet },
  'TCP over IPv6': { domain: AF_INET6, type: SOCK_STREAM, protocol: 0, address: inet6 },
  'Multipath TCP': { domain: AF_INET, type: SOCK_STREAM, protocol: IPPROTO_MPTCP, address: inet },
  'Unix stream': { domain: AF_UNIX, type: SOCK_STREAM, protocol: 0, address: abstractAddress },
  'Unix seqpacket': { domain: AF_UNIX, type: SOCK_SEQPACKET, protocol: 0, address: abstractAddress },
});

/** The kinds of datagram sockets that this kernel offers. */
export const datagramKinds = offered({
  'UDP over IPv4': { domain: AF_INET, type: SOCK_DGRAM, protocol: 0, address: inet },
  'UDP over IPv6': { domain: AF_INET6, type: SOCK_DGRAM, protocol: 0, address: inet6 },
  'UDP-Lite': { domain: AF_INET, type: SOCK_DGRAM, protocol: IPPROTO_UDPLITE, address: inet },
  'Unix datagram': { domain: AF_UNIX, type: SOCK_DGRAM, protocol: 0, address: abstractAddress },
});

/** A socket with an address of its own. */
export function bound(kind: Kind): { fd: number; address: SockAddr } {
  const fd = opened(socket(kind.domain, kind.type, kind.protocol));
  bind(fd, kind.address());
  return { fd, address: getsockname(fd) };
}

/** A socket that listens. */
export function listening(kind: Kind, backlog = 8): { fd: number; address: SockAddr } {
  const listener = bound(kind);
  listen(listener.fd, backlog);
  return listener;
}

/** Both ends of a connection: the one that connected, and the one that accept gave. */
export function connected(kind: Kind): [client: number, server: number] {
  const listener = listening(kind);
  const client = opened(socket(kind.domain, kind.type, kind.protocol));
  connect(client, listener.address);
  return [client, opened(accept(listener.fd))];
}

/** Two datagram sockets, connected to each other. */
export function datagramPair(kind: Kind): [number, number] {
  const [one, other] = [bound(kind), bound(kind)];
  connect(one.fd, other.address);
  connect(other.fd, one.address);
  return [one.fd, other.fd];
}

export const bytes = (text: string) => new TextEncoder().encode(text);
