import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readlinkSync } from 'node:fs';
import {
  AF_INET,
  CLONE_NEWNET,
  CLONE_NEWUSER,
  CLONE_NEWUTS,
  connect,
  getOption,
  getsockname,
  pidfd_open,
  raw,
  recv,
  SOCK_DGRAM,
  SOCK_STREAM,
  setns,
  socket,
  unshare,
} from 'posix-sockets';
import { describe, expect, test } from 'vitest';
import { bytes, closedFd, errorOf, haveNamespaces, isRoot, opened, startWorker, until, whenDone } from './support.js';

const network = () => readlinkSync('/proc/thread-self/ns/net');

// In a worker, so that the thread of the tests stays where it is.
const worker = async (code: string, data: unknown = null) => (await startWorker(code, data)).messages;

describe.skipIf(!haveNamespaces)('as root, with network namespaces', () => {
  test('unshare moves one thread, and the others stay', async () => {
    const before = network();
    const messages = await worker(`
      const { readlinkSync } = require('node:fs');
      sockets.unshare(sockets.CLONE_NEWNET);
      post(readlinkSync('/proc/thread-self/ns/net'));
      post(sockets.if_nameindex().map(({ name }) => name));
      setInterval(() => {}, 1000);`);
    await until(() => messages.length === 2, 'the worker has unshared');
    expect(messages[0]).toMatch(/^net:\[\d+\]$/);
    expect(messages[0]).not.toBe(before);
    expect(messages[1]).toContain('lo');
    expect(network()).toBe(before);
  });

  test('a worker makes a socket in another network and hands its number over', async () => {
    const messages = await worker(`
      const { unshare, socket, bind, listen, getsockname, getOption, ioctl, ifreq, sockaddr_in } = sockets;
      unshare(sockets.CLONE_NEWNET);
      const any = socket(sockets.AF_INET, sockets.SOCK_DGRAM);
      const lo = new ifreq({ ifr_name: 'lo' });
      ioctl(any, sockets.SIOCGIFFLAGS, lo);
      lo.ifr_flags |= sockets.IFF_UP;
      ioctl(any, sockets.SIOCSIFFLAGS, lo);
      sockets.close(any);
      const listener = socket(sockets.AF_INET, sockets.SOCK_STREAM);
      bind(listener, sockaddr_in('127.0.0.1', 0));
      listen(listener, 1);
      const client = socket(sockets.AF_INET, sockets.SOCK_STREAM);
      post({ listener, client, cookie: getOption(listener, 'SO_NETNS_COOKIE') });
      setInterval(() => {}, 1000);`);
    await until(() => messages.length === 1, 'the worker has made its sockets');
    const { listener, client, cookie } = messages[0] as { listener: number; client: number; cookie: bigint };
    opened(listener);
    opened(client);

    // Used from this thread, they are of that network all the same.
    const address = getsockname(listener);
    expect(getOption(client, 'SO_NETNS_COOKIE')).toBe(cookie);
    const mine = opened(socket(AF_INET, SOCK_STREAM));
    expect(getOption(mine, 'SO_NETNS_COOKIE')).not.toBe(cookie);
    expect(errorOf(() => connect(mine, address)).code).toBe('ECONNREFUSED');
    connect(client, address);
    const server = opened(raw.accept4(listener, null, 0));
    raw.send(server, bytes('across'), 0);
    const buffer = new Uint8Array(16);
    expect(new TextDecoder().decode(buffer.subarray(0, recv(client, buffer)))).toBe('across');
  });

  test.for(['/proc/PID/ns/net', 'a process descriptor'])('setns joins the network of a process: by %s', async (way) => {
    const child = spawn('unshare', ['-n', 'sleep', '60'], { stdio: 'ignore' });
    whenDone(() => child.kill('SIGKILL'));
    const its = () => readlinkSync(`/proc/${child.pid}/ns/net`);
    await until(() => its() !== network(), 'the process has a network of its own');
    const pid = child.pid as number;
    const fd = opened(way === 'a process descriptor' ? pidfd_open(pid) : openSync(`/proc/${pid}/ns/net`, 'r'));
    const messages = await worker(
      `sockets.setns(workerData, sockets.CLONE_NEWNET);
       post(require('node:fs').readlinkSync('/proc/thread-self/ns/net'));`,
      fd,
    );
    await until(() => messages.length === 1, 'the worker has joined');
    expect(messages[0]).toBe(its());
    child.kill('SIGKILL');
    await once(child, 'exit');
  });

  test('a thread that left its network finds its way back', async () => {
    const messages = await worker(`
      const { openSync, readlinkSync } = require('node:fs');
      const where = () => readlinkSync('/proc/thread-self/ns/net');
      const home = openSync('/proc/thread-self/ns/net', 'r');
      const before = where();
      sockets.unshare(sockets.CLONE_NEWNET);
      const away = where();
      sockets.setns(home);
      sockets.close(home);
      post([before === where(), before === away]);`);
    await until(() => messages.length === 1, 'the worker is back');
    expect(messages[0]).toEqual([true, false]);
  });
});

describe('is refused', () => {
  test('with a flag that there is not, or that many threads forbid', () => {
    expect(errorOf(() => unshare(1)).code).toBe('EINVAL');
    expect(errorOf(() => unshare(CLONE_NEWUSER)).code).toBe('EINVAL');
    expect(() => unshare(2 ** 33)).toThrow(RangeError);
  });

  test('with a descriptor that is no namespace', () => {
    expect(errorOf(() => setns(closedFd)).code).toBe('EBADF');
    expect(errorOf(() => setns(opened(socket(AF_INET, SOCK_DGRAM)))).code).toBe('EINVAL');
  });

  test.skipIf(!isRoot)('with a namespace of another kind (needs root)', () => {
    const fd = opened(openSync('/proc/self/ns/net', 'r'));
    expect(errorOf(() => setns(fd, CLONE_NEWUTS)).code).toBe('EINVAL');
  });

  test.skipIf(isRoot)('without privilege (as an ordinary user)', () => {
    expect(errorOf(() => unshare(CLONE_NEWNET)).code).toBe('EPERM');
    expect(errorOf(() => setns(opened(openSync('/proc/self/ns/net', 'r')))).code).toBe('EPERM');
  });
});
