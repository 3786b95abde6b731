import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import {
  AF_INET,
  AF_UNIX,
  accept,
  connect,
  F_GETFD,
  FD_CLOEXEC,
  fcntl,
  getOption,
  getsockname,
  PIDFD_NONBLOCK,
  POLLIN,
  PollFds,
  pidfd_getfd,
  pidfd_open,
  pidfd_send_signal,
  poll,
  raw,
  recv,
  SIGTERM,
  SIGUSR1,
  SOCK_STREAM,
  send,
  socket,
} from 'posix-sockets';
import { describe, expect, test } from 'vitest';
import {
  bytes,
  closedFd,
  connected,
  connectedKinds,
  errorOf,
  havePython,
  type Kind,
  opened,
  python,
  whenDone,
} from './support.js';

/** A process that waits to be killed. */
function sleeper(): ChildProcess & { pid: number } {
  const child = spawn('sleep', ['60'], { stdio: 'ignore' });
  whenDone(async () => {
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  });
  return child as ChildProcess & { pid: number };
}

describe('pidfd_open', () => {
  test('gives a close-on-exec descriptor, readable once the process has ended', async () => {
    const child = sleeper();
    const pidfd = opened(pidfd_open(child.pid, PIDFD_NONBLOCK));
    expect(fcntl(pidfd, F_GETFD)).toBe(FD_CLOEXEC);
    const fds = new PollFds(1).set(0, pidfd, POLLIN);
    expect(poll(fds, 0)).toBe(0);
    child.kill('SIGKILL');
    expect(poll(fds, 10_000)).toBe(1);
    expect(fds.revents(0) & POLLIN).toBe(POLLIN);
  });

  test('refuses what is no process', async () => {
    const child = sleeper();
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(errorOf(() => pidfd_open(child.pid)).code).toBe('ESRCH');
    expect(errorOf(() => pidfd_open(0)).code).toBe('EINVAL');
    expect(errorOf(() => pidfd_open(-1)).code).toBe('EINVAL');
    expect(errorOf(() => pidfd_open(process.pid, 1)).code).toBe('EINVAL');
    expect(() => pidfd_open(1.5)).toThrow(RangeError);
  });
});

describe('pidfd_send_signal', () => {
  test('ends the process that it was opened for', async () => {
    const child = sleeper();
    const pidfd = opened(pidfd_open(child.pid));
    pidfd_send_signal(pidfd, 0);
    pidfd_send_signal(pidfd, SIGTERM);
    const [code, signal] = await once(child, 'exit');
    expect([code, signal]).toEqual([null, 'SIGTERM']);
    // Its pid may be another's by now; the descriptor never means another process.
    expect(errorOf(() => pidfd_send_signal(pidfd, 0)).code).toBe('ESRCH');
  });

  test.skipIf(!havePython)('sends a siginfo along (needs python3)', async () => {
    const receiver = python(`
import signal
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
print('ready')
info = signal.sigwaitinfo([signal.SIGUSR1])
print(info.si_signo, info.si_code, info.si_pid)`);
    expect(await receiver.line()).toBe('ready');
    const pidfd = opened(pidfd_open(receiver.child.pid as number));
    const info = new Int32Array(32); // si_signo, si_errno, si_code, ... si_pid
    info[0] = SIGUSR1;
    info[2] = -1; // SI_QUEUE
    info[4] = 4321;
    pidfd_send_signal(pidfd, SIGUSR1, info);
    expect(await receiver.line()).toBe(`${SIGUSR1} -1 4321`);
  });

  test('refuses a signal that there is not, and what is no process descriptor', () => {
    const pidfd = opened(pidfd_open(process.pid));
    expect(errorOf(() => pidfd_send_signal(pidfd, 1000)).code).toBe('EINVAL');
    expect(errorOf(() => pidfd_send_signal(closedFd, 0)).code).toBe('EBADF');
    expect(errorOf(() => pidfd_send_signal(opened(socket(AF_UNIX, SOCK_STREAM)), 0)).code).toBe('EBADF');
    expect(errorOf(() => pidfd_send_signal(pidfd, SIGUSR1, new Uint8Array(128))).code).toBe('EINVAL');
    expect(() => pidfd_send_signal(pidfd, 0, new Uint8Array(127))).toThrow(RangeError);
    expect(() => raw.pidfd_send_signal(pidfd, 0, 'x' as never, 0)).toThrow(TypeError);
  });
});

describe('pidfd_getfd', () => {
  test('takes a listening socket out of another process', async () => {
    const other = spawn(
      process.execPath,
      [
        '-e',
        "const s = require('net').createServer().listen(0, '127.0.0.1', () => console.log(s._handle.fd)); s.maxConnections = 0;",
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    whenDone(() => other.kill('SIGKILL'));
    const [line] = await once(other.stdout, 'data');
    const pidfd = opened(pidfd_open(other.pid as number));
    const listener = opened(pidfd_getfd(pidfd, Number(line)));
    expect(fcntl(listener, F_GETFD)).toBe(FD_CLOEXEC);
    expect(getOption(listener, 'SO_ACCEPTCONN')).toBe(true);

    // The other process goes, and its socket goes on.
    other.kill('SIGKILL');
    await once(other, 'exit');
    const client = opened(socket(AF_INET, SOCK_STREAM));
    connect(client, getsockname(listener));
    const server = opened(accept(listener));
    send(server, bytes('from the heir'));
    const buffer = new Uint8Array(64);
    expect(new TextDecoder().decode(buffer.subarray(0, recv(client, buffer)))).toBe('from the heir');
  });

  test('refuses a descriptor that is not open there, and an unknown flag', () => {
    const pidfd = opened(pidfd_open(sleeper().pid));
    expect(errorOf(() => pidfd_getfd(pidfd, 999)).code).toBe('EBADF');
    expect(errorOf(() => pidfd_getfd(closedFd, 0)).code).toBe('EBADF');
    expect(errorOf(() => pidfd_getfd(pidfd, 0, 1)).code).toBe('EINVAL');
  });

  test.skipIf(process.getuid?.() === 0)('is not permitted on a process of somebody else (as an ordinary user)', () => {
    const pidfd = opened(pidfd_open(1));
    expect(errorOf(() => pidfd_getfd(pidfd, 0)).code).toBe('EPERM');
  });
});

test('SO_PEERPIDFD tells who is at the other end of a Unix socket, for good', ({ skip }) => {
  const [client] = connected(connectedKinds.find(([name]) => name === 'Unix stream')?.[1] as Kind);
  let pidfd: number;
  try {
    pidfd = opened(getOption(client, 'SO_PEERPIDFD'));
  } catch {
    skip('this kernel has no SO_PEERPIDFD');
    return;
  }
  expect(readFileSync(`/proc/self/fdinfo/${pidfd}`, 'utf8')).toMatch(new RegExp(`^Pid:\\t${process.pid}$`, 'm'));
});
