import { openSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  AF_INET,
  AF_UNIX,
  accept,
  CLOCK_MONOTONIC,
  CLOCK_REALTIME,
  close,
  connect,
  dup,
  dup2,
  dup3,
  EAGAIN,
  EBADF,
  EFAULT,
  EFD_CLOEXEC,
  EFD_NONBLOCK,
  EFD_SEMAPHORE,
  EINVAL,
  ENODEV,
  eventfd,
  F_DUPFD,
  F_DUPFD_CLOEXEC,
  F_GETFD,
  F_GETFL,
  F_GETPIPE_SZ,
  F_OFD_GETLK,
  F_OFD_SETLK,
  F_OWNER_TID,
  F_SETFD,
  F_SETFL,
  F_SETLK,
  F_SETOWN_EX,
  F_SETPIPE_SZ,
  FD_CLOEXEC,
  FIOASYNC,
  FIONBIO,
  FIONREAD,
  fcntl,
  getsockname,
  getsockopt,
  IFNAMSIZ,
  ioctl,
  itimerspec,
  MSG_OOB,
  O_APPEND,
  O_ASYNC,
  O_CLOEXEC,
  O_DIRECT,
  O_NONBLOCK,
  pipe2,
  pthread_sigmask,
  raw,
  read,
  recv,
  SFD_CLOEXEC,
  SFD_NONBLOCK,
  SIG_BLOCK,
  SIG_SETMASK,
  SIGIO,
  SIGUSR2,
  SIOCATMARK,
  SIOCETHTOOL,
  SIOCGIFCONF,
  SIOCGIFFLAGS,
  SIOCGIFINDEX,
  SIOCGIFMTU,
  SIOCOUTQ,
  SigSet,
  SO_TYPE,
  SOCK_DGRAM,
  SOCK_STREAM,
  SOL_SOCKET,
  send,
  signalfd,
  sockaddr_in,
  sockatmark,
  socket,
  socketpair,
  TFD_CLOEXEC,
  TFD_NONBLOCK,
  TFD_TIMER_ABSTIME,
  timerfd_create,
  timerfd_gettime,
  timerfd_settime,
  timespec,
  write,
} from 'posix-sockets';
import { describe, expect, test } from 'vitest';
import {
  bytes,
  closedFd,
  connected,
  descriptors,
  errorOf,
  folder,
  type Kind,
  opened,
  openedFile,
  run,
  runNode,
  until,
} from './support.js';

const tcp: Kind = { domain: AF_INET, type: SOCK_STREAM, protocol: 0, address: () => sockaddr_in('127.0.0.1', 0) };
const pair = () => socketpair(AF_UNIX, SOCK_STREAM).map(opened) as [number, number];
const flagsOf = (fd: number) => ({
  nonBlocking: (fcntl(fd, F_GETFL) & O_NONBLOCK) !== 0,
  closeOnExec: fcntl(fd, F_GETFD) === FD_CLOEXEC,
});

describe('close', () => {
  test('gives the descriptor back', () => {
    const fd = opened(socket(AF_INET, SOCK_STREAM));
    close(fd);
    expect(descriptors().has(fd)).toBe(false);
    expect(errorOf(() => close(fd))).toMatchObject({ code: 'EBADF', syscall: 'close', errno: -EBADF });
    expect([raw.close(fd), raw.close(-1), raw.close(closedFd)]).toEqual([-EBADF, -EBADF, -EBADF]);
  });

  test('the socket lives on while another descriptor holds it', () => {
    const [one, other] = pair();
    const copy = opened(dup(other));
    close(other);
    write(one, bytes('alive'));
    expect(read(copy, new Uint8Array(8))).toBe(5);
    close(copy);
    expect(errorOf(() => write(one, bytes('x'))).code).toBe('EPIPE');
  });
});

describe('dup, dup2, dup3', () => {
  test('a second descriptor of the same socket: flags of the socket are shared, those of the descriptor are not', () => {
    const [fd] = pair();
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    const copy = opened(dup(fd));
    fcntl(fd, F_SETFL, O_NONBLOCK);
    expect(flagsOf(fd)).toEqual({ nonBlocking: true, closeOnExec: true });
    expect(flagsOf(copy)).toEqual({ nonBlocking: true, closeOnExec: false });
  });

  test('dup2 and dup3 take the place of another descriptor', () => {
    const [one, other] = pair();
    const place = opened(socket(AF_INET, SOCK_DGRAM));
    expect(dup2(one, place)).toBe(place);
    write(place, bytes('x'));
    expect(read(other, new Uint8Array(4))).toBe(1);
    expect(dup3(other, place, O_CLOEXEC)).toBe(place);
    expect(flagsOf(place).closeOnExec).toBe(true);
    expect(raw.dup2(one, one)).toBe(one);
    close(place);
  });

  test('EBADF: not open, or out of range; EINVAL: dup3 of one to itself, or an unknown flag', () => {
    const [one] = pair();
    expect(errorOf(() => dup(closedFd))).toMatchObject({ code: 'EBADF', syscall: 'dup' });
    expect(errorOf(() => dup2(closedFd, one))).toMatchObject({ code: 'EBADF', syscall: 'dup2' });
    expect(errorOf(() => dup2(one, 2 ** 31 - 1)).code).toBe('EBADF');
    expect(errorOf(() => dup2(one, -1)).code).toBe('EBADF');
    expect(errorOf(() => dup3(one, one, 0))).toMatchObject({ code: 'EINVAL', syscall: 'dup3' });
    expect(errorOf(() => dup3(one, closedFd, 1)).code).toBe('EINVAL');
    expect([raw.dup(-1), raw.dup2(-1, one), raw.dup3(one, one, 0)]).toEqual([-EBADF, -EBADF, -EINVAL]);
  });
});

describe('pipe2', () => {
  test('two ends; raw: in out', () => {
    const [reading, writing] = pipe2().map(opened) as [number, number];
    expect(flagsOf(reading)).toEqual({ nonBlocking: false, closeOnExec: false });
    expect(write(writing, bytes('through'))).toBe(7);
    expect(read(reading, new Uint8Array(8))).toBe(7);

    expect(raw.pipe2(O_NONBLOCK | O_CLOEXEC)).toBe(0);
    const ends = Array.from(raw.out.subarray(0, 2), opened);
    expect(ends.map(flagsOf)).toEqual(Array(2).fill({ nonBlocking: true, closeOnExec: true }));
  });

  test('O_DIRECT keeps packets apart', () => {
    const [reading, writing] = pipe2(O_DIRECT).map(opened) as [number, number];
    write(writing, bytes('one'));
    write(writing, bytes('two'));
    expect(read(reading, new Uint8Array(8))).toBe(3);
  });

  test('EINVAL: an unknown flag', () => {
    expect(errorOf(() => pipe2(1))).toMatchObject({ code: 'EINVAL', syscall: 'pipe2' });
    expect(raw.pipe2(O_APPEND)).toBe(-EINVAL);
  });
});

describe('fcntl', () => {
  test('F_DUPFD gives the lowest number from one on', () => {
    const [fd] = pair();
    const copy = opened(fcntl(fd, F_DUPFD_CLOEXEC, 500));
    expect(copy).toBeGreaterThanOrEqual(500);
    expect(flagsOf(copy).closeOnExec).toBe(true);
    expect(errorOf(() => fcntl(fd, F_DUPFD, -1))).toMatchObject({ code: 'EINVAL', syscall: 'fcntl' });
  });

  test('F_SETOWN and F_SETSIG: the signal of O_ASYNC comes to this process', async () => {
    // In a process of its own, for signals belong to the whole process.
    const { stdout, stderr } = await runNode(`
      import { F_GETOWN, F_GETSIG, F_SETFL, F_SETOWN, F_SETSIG, O_ASYNC, SIGUSR2, fcntl, socketpair, write } from 'posix-sockets';
      const [one, other] = socketpair(1, 1);
      fcntl(other, F_SETOWN, process.pid);
      fcntl(other, F_SETSIG, SIGUSR2);
      fcntl(other, F_SETFL, O_ASYNC);
      console.log(fcntl(other, F_GETOWN) === process.pid, fcntl(other, F_GETSIG));
      process.once('SIGUSR2', () => process.exit());
      setTimeout(() => console.log('no signal came'), 10_000);
      write(one, new Uint8Array(1));`);
    expect({ stdout, stderr }).toEqual({ stdout: `true ${SIGUSR2}\n`, stderr: '' });
  });

  test('a process group as owner is negative, and no error', async () => {
    // In a process that leads a group of its own.
    const { stdout, stderr } = await run('setsid', [
      process.execPath,
      '--input-type=module',
      '--eval',
      `import { F_GETOWN, F_SETOWN, fcntl, raw, socket } from 'posix-sockets';
       const fd = socket(1, 1);
       fcntl(fd, F_SETOWN, -process.pid);
       console.log([fcntl(fd, F_GETOWN), raw.fcntl(fd, F_GETOWN, 0)].every((owner) => owner === -process.pid));
       console.log(raw.fcntl(-1, F_GETOWN, 0));
       try { fcntl(-1, F_GETOWN) } catch (error) { console.log(error.code) }`,
    ]);
    expect({ stdout, stderr }).toEqual({ stdout: 'true\n-9\nEBADF\n', stderr: '' });
  });

  test('a pipe can be made larger', () => {
    const [reading] = pipe2().map(opened) as [number, number];
    expect(fcntl(reading, F_SETPIPE_SZ, 131072)).toBe(131072);
    expect(fcntl(reading, F_GETPIPE_SZ)).toBe(131072);
    expect(errorOf(() => fcntl(pair()[0], F_GETPIPE_SZ)).code).toBe('EBADF');
  });

  test('a struct goes in and comes out: locks', () => {
    const path = join(folder(), 'locked');
    writeFileSync(path, 'content');
    const [one, other] = [opened(openSync(path, 'r+')), opened(openSync(path, 'r+'))];
    // struct flock on 64-bit machines: l_type and l_whence (16 bits), l_start and l_len (64), l_pid (32).
    const lock = (type: number, start: number, length: number) => {
      const flock = new DataView(new ArrayBuffer(32));
      flock.setInt16(0, type, true);
      flock.setBigInt64(8, BigInt(start), true);
      flock.setBigInt64(16, BigInt(length), true);
      return flock;
    };
    const [F_RDLCK, F_WRLCK] = [0, 1];
    expect(fcntl(one, F_OFD_SETLK, lock(F_WRLCK, 2, 3))).toBe(0);
    expect(errorOf(() => fcntl(other, F_OFD_SETLK, lock(F_RDLCK, 4, 1))).code).toBe('EAGAIN');
    const asked = lock(F_RDLCK, 0, 0);
    expect(fcntl(other, F_OFD_GETLK, asked)).toBe(0);
    expect([asked.getInt16(0, true), asked.getBigInt64(8, true), asked.getBigInt64(16, true)]).toEqual([
      F_WRLCK,
      2n,
      3n,
    ]);
  });

  test('no number is ever a pointer: EFAULT, as for a null pointer', () => {
    const file = openedFile('content');
    for (const number of [0, 1, 4096, -1, 2 ** 31]) {
      expect(raw.fcntl(file, F_SETLK, number)).toBe(-EFAULT);
    }
    expect(() => raw.fcntl(file, F_GETFL, new Uint8Array(8))).toThrow(/'arg' must be a number for this command/);
  });

  test('EBADF: not open; EINVAL: an unknown command', () => {
    expect(errorOf(() => fcntl(closedFd, F_GETFL)).code).toBe('EBADF');
    expect(errorOf(() => fcntl(pair()[0], 9999)).code).toBe('EINVAL');
    expect([raw.fcntl(-1, F_GETFD, 0), raw.fcntl(pair()[0], 9999, new Uint8Array(8))]).toEqual([-EBADF, -EINVAL]);
  });
});

/** A struct ifreq with a name. */
function ifreq(name: string): Uint8Array {
  const request = new Uint8Array(40);
  request.set(bytes(name));
  return request;
}

const int32 = (struct: Uint8Array, at: number) => new DataView(struct.buffer).getInt32(at, true);

describe('ioctl', () => {
  test('FIONREAD and SIOCOUTQ: how much is there to read, and to send', () => {
    const [client, server] = connected(tcp);
    send(client, bytes('twelve bytes'));
    expect(ioctl(server, FIONREAD)).toBe(12);
    expect(raw.ioctl(server, FIONREAD, 0)).toBe(0);
    expect(raw.out[0]).toBe(12);
    const [one] = pair();
    send(one, bytes('abc'));
    expect(ioctl(one, SIOCOUTQ)).toBeGreaterThan(0);
  });

  test('FIONBIO and FIOASYNC: an int goes in', () => {
    const [fd] = pair();
    expect(ioctl(fd, FIONBIO, 1)).toBe(0);
    expect(flagsOf(fd).nonBlocking).toBe(true);
    expect(raw.ioctl(fd, FIONBIO, 0)).toBe(0);
    expect(flagsOf(fd).nonBlocking).toBe(false);
    ioctl(fd, FIOASYNC, 1);
    expect(fcntl(fd, F_GETFL) & O_ASYNC).toBe(O_ASYNC);
  });

  test('SIOCGIF*: a struct goes in and comes out', () => {
    const fd = opened(socket(AF_INET, SOCK_DGRAM));
    const request = ifreq('lo');
    expect(ioctl(fd, SIOCGIFINDEX, request)).toBe(0);
    expect(int32(request, IFNAMSIZ)).toBe(1);
    expect(raw.ioctl(fd, SIOCGIFMTU, request)).toBe(0);
    expect(int32(request, IFNAMSIZ)).toBeGreaterThan(1000);
    expect(errorOf(() => ioctl(fd, SIOCGIFFLAGS, ifreq('nobody')))).toMatchObject({ code: 'ENODEV', syscall: 'ioctl' });
    expect(raw.ioctl(fd, SIOCGIFFLAGS, ifreq('nobody'))).toBe(-ENODEV);
  });

  test('a struct that is too short is neither read nor written beyond its end', () => {
    const fd = opened(socket(AF_INET, SOCK_DGRAM));
    const whole = new Uint8Array(64).fill(0xee);
    whole.set([0x6c, 0x6f, 0, 0]); // lo
    expect(raw.ioctl(fd, SIOCGIFMTU, whole.subarray(0, 4))).toBe(0);
    expect(whole.subarray(4)).toEqual(new Uint8Array(60).fill(0xee));
    expect(raw.ioctl(fd, SIOCGIFMTU, new Uint8Array(0))).toBe(-ENODEV);
  });

  test('SIOCGIFCONF: the length asked for, and as many interfaces as there is room for', () => {
    const fd = opened(socket(AF_INET, SOCK_DGRAM));
    const room = new Uint8Array(40 * 64);
    const length = ioctl(fd, SIOCGIFCONF, room);
    expect(length % 40).toBe(0);
    expect(length).toBeGreaterThan(0);
    const named = Array.from({ length: length / 40 }, (_, i) =>
      Buffer.from(room.subarray(i * 40, i * 40 + 3)).toString(),
    );
    expect(named).toContain('lo\0');
    expect(ioctl(fd, SIOCGIFCONF, new Uint8Array(39))).toBe(0);
    expect(ioctl(fd, SIOCGIFCONF, new Uint8Array(0))).toBe(length); // no buffer: how much it would be
    expect(() => raw.ioctl(fd, SIOCGIFCONF, 40)).toThrow(/'arg' must be a struct's bytes/);
  });

  test('SIOCETHTOOL: what the pointer in the struct points at is an argument of its own', () => {
    const fd = opened(socket(AF_INET, SOCK_DGRAM));
    const ETHTOOL_GLINK = 0x0a;
    const data = new Uint32Array([ETHTOOL_GLINK, 99]);
    expect(ioctl(fd, SIOCETHTOOL, ifreq('lo'), data)).toBe(0);
    expect(data).toEqual(new Uint32Array([ETHTOOL_GLINK, 1]));
    // What the kernel writes beyond it goes nowhere.
    const whole = new Uint32Array([ETHTOOL_GLINK, 99]);
    expect(raw.ioctl(fd, SIOCETHTOOL, ifreq('lo'), whole.subarray(0, 1))).toBe(-EFAULT);
    expect(whole[1]).toBe(99);
    expect(() => raw.ioctl(fd, SIOCETHTOOL, ifreq('lo'))).toThrow(/'data' must be a Uint8Array/);
    expect(() => raw.ioctl(fd, SIOCETHTOOL, new Uint8Array(39), data)).toThrow(/'arg' must be a whole struct ifreq/);
    expect(() => raw.ioctl(fd, SIOCETHTOOL, 1)).toThrow(/'arg' must be a struct's bytes/);
    expect(() => raw.ioctl(fd, SIOCETHTOOL, ifreq('lo'), new Uint8Array(2 ** 20 + 1))).toThrow(
      /'data' must be at most/,
    );
  });

  test('a request whose struct holds a pointer is refused', () => {
    const fd = opened(socket(AF_INET, SOCK_DGRAM));
    // SIOCADDRT, SIOCSIFBR, SIOCWANDEV, SIOCBONDENSLAVE, SIOCDEVPRIVATE, SIOCGIWSCAN, TUNATTACHFILTER, FS_IOC_FIEMAP
    for (const request of [0x890b, 0x8941, 0x894a, 0x8990, 0x89f0, 0x8b19, 0x401054d5, 0xc020660b]) {
      expect(() => raw.ioctl(fd, request, new Uint8Array(64))).toThrow(/'request' must be one whose struct is known/);
      expect(() => raw.ioctl(fd, request, 0)).toThrow(RangeError);
    }
  });

  test('ENOTTY: not a request of this kind of descriptor; EBADF', () => {
    expect(errorOf(() => ioctl(openedFile(), SIOCATMARK)).code).toBe('ENOTTY');
    expect(errorOf(() => ioctl(closedFd, FIONREAD)).code).toBe('EBADF');
    expect(raw.ioctl(-1, FIONREAD, 0)).toBe(-EBADF);
  });
});

test('sockatmark: whether the urgent byte is next', () => {
  const [client, server] = connected(tcp);
  expect(sockatmark(server)).toBe(false);
  send(client, bytes('ab'));
  send(client, bytes('!'), MSG_OOB);
  expect(sockatmark(server)).toBe(false);
  recv(server, new Uint8Array(8)); // stops before the mark
  expect(sockatmark(server)).toBe(true);
  expect(raw.sockatmark(server)).toBe(1);
  expect(errorOf(() => sockatmark(openedFile()))).toMatchObject({ code: 'ENOTTY', syscall: 'sockatmark' });
  expect(raw.sockatmark(closedFd)).toBe(-EBADF);
});

describe('eventfd', () => {
  const counter = (value: bigint) => new BigUint64Array([value]);

  test('adds what is written, and gives it all at once', () => {
    const fd = opened(eventfd(5, EFD_NONBLOCK | EFD_CLOEXEC));
    expect(flagsOf(fd)).toEqual({ nonBlocking: true, closeOnExec: true });
    expect(write(fd, counter(37n))).toBe(8);
    const value = counter(0n);
    expect(read(fd, value)).toBe(8);
    expect(value[0]).toBe(42n);
    expect(raw.read(fd, value)).toBe(-EAGAIN);
    expect(errorOf(() => write(fd, counter(2n ** 64n - 1n))).code).toBe('EINVAL');
    expect(errorOf(() => read(fd, new Uint8Array(7))).code).toBe('EINVAL');
  });

  test('EFD_SEMAPHORE gives one at a time; all 32 bits of the start value count', () => {
    const fd = opened(eventfd(2 ** 32 - 1, EFD_SEMAPHORE));
    const value = counter(0n);
    read(fd, value);
    expect(value[0]).toBe(1n);
    const whole = opened(raw.eventfd(2 ** 32 - 1, 0));
    read(whole, value);
    expect(value[0]).toBe(2n ** 32n - 1n);
    expect(errorOf(() => eventfd(0, 4))).toMatchObject({ code: 'EINVAL', syscall: 'eventfd' });
    expect(raw.eventfd(0, 4)).toBe(-EINVAL);
  });
});

describe('timerfd', () => {
  const span = (first: number, interval = 0) =>
    new itimerspec({
      it_value: timespec.fromMilliseconds(first),
      it_interval: timespec.fromMilliseconds(interval),
    });

  test('expires, again and again, and tells how often', () => {
    const fd = opened(timerfd_create(CLOCK_MONOTONIC));
    expect(timerfd_settime(fd, 0, span(1, 2)).toJSON()).toEqual(span(0).toJSON());
    const count = new BigUint64Array(1);
    expect(read(fd, count)).toBe(8); // waits
    expect(count[0]).toBeGreaterThan(0n);
    expect(timerfd_gettime(fd).it_interval.tv_nsec).toBe(2e6);
    expect(timerfd_settime(fd, 0, span(0)).it_interval.tv_nsec).toBe(2e6);
    expect(timerfd_gettime(fd).toJSON()).toEqual(span(0).toJSON());
  });

  test('raw; at a point of time; EAGAIN', () => {
    const fd = opened(raw.timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC));
    expect(flagsOf(fd)).toEqual({ nonBlocking: true, closeOnExec: true });
    expect(raw.timerfd_settime(fd, TFD_TIMER_ABSTIME, span(Date.now() + 3_600_000).bytes, null)).toBe(0);
    const left = new itimerspec();
    expect(raw.timerfd_gettime(fd, left.bytes)).toBe(0);
    expect(left.it_value.tv_sec).toBeGreaterThan(3500);
    expect(left.it_value.tv_sec).toBeLessThanOrEqual(3600);
    expect(raw.read(fd, new Uint8Array(8))).toBe(-EAGAIN);
  });

  test('EINVAL: an unknown clock or flag, no timer, nanoseconds out of range', () => {
    const fd = opened(timerfd_create(CLOCK_MONOTONIC));
    expect(errorOf(() => timerfd_create(99))).toMatchObject({ code: 'EINVAL', syscall: 'timerfd_create' });
    expect(errorOf(() => timerfd_create(CLOCK_MONOTONIC, 1)).code).toBe('EINVAL');
    const [other] = pair();
    expect(errorOf(() => timerfd_settime(other, 0, span(1)))).toMatchObject({
      code: 'EINVAL',
      syscall: 'timerfd_settime',
    });
    expect(errorOf(() => timerfd_gettime(other))).toMatchObject({ code: 'EINVAL', syscall: 'timerfd_gettime' });
    const wrong = new itimerspec({ it_value: new timespec({ tv_nsec: 1e9 }) });
    expect(errorOf(() => timerfd_settime(fd, 0, wrong)).code).toBe('EINVAL');
    expect(() => raw.timerfd_settime(fd, 0, new Uint8Array(31), null)).toThrow(/'newValue' must be at least 32 bytes/);
    expect(() => raw.timerfd_settime(fd, 0, span(1).bytes, new Uint8Array(31))).toThrow(/'oldValue' must be at least/);
    expect(() => raw.timerfd_gettime(fd, new Uint8Array(31))).toThrow(/'value' must be at least 32 bytes/);
  });
});

describe('signalfd', () => {
  test('a signal that is blocked is read', async () => {
    const old = pthread_sigmask(SIG_BLOCK, new SigSet([SIGIO]));
    try {
      const fd = opened(signalfd(-1, new SigSet([SIGIO]), SFD_NONBLOCK | SFD_CLOEXEC));
      expect(flagsOf(fd)).toEqual({ nonBlocking: true, closeOnExec: true });
      const info = new Uint8Array(128);
      expect(raw.read(fd, info)).toBe(-EAGAIN);
      // For this thread alone: a descriptor of which this thread is the owner becomes readable.
      const [one, other] = pair();
      const owner = new Int32Array([F_OWNER_TID, 0]);
      owner[1] = Number(readlinkSync('/proc/thread-self').split('/').at(-1));
      fcntl(other, F_SETOWN_EX, owner);
      fcntl(other, F_SETFL, O_ASYNC);
      write(one, bytes('x'));
      await until(() => raw.read(fd, info) === 128, 'the signal is there');
      expect(int32(info, 0)).toBe(SIGIO);
      expect(signalfd(fd, new SigSet([SIGUSR2]))).toBe(fd); // another mask for the same
    } finally {
      pthread_sigmask(SIG_SETMASK, old);
    }
  });

  test('EINVAL: not a signalfd, or an unknown flag; EBADF', () => {
    expect(errorOf(() => signalfd(pair()[0], new SigSet()))).toMatchObject({ code: 'EINVAL', syscall: 'signalfd' });
    expect(errorOf(() => signalfd(-1, new SigSet(), 1)).code).toBe('EINVAL');
    expect(errorOf(() => signalfd(closedFd, new SigSet())).code).toBe('EBADF');
    expect(() => raw.signalfd(-1, new Uint8Array(127), 0)).toThrow(/'mask' must be at least 128 bytes long/);
    expect(raw.signalfd(closedFd, new SigSet().bytes, 0)).toBe(-EBADF);
  });
});

test('a thousand connections leave no descriptor behind', () => {
  const before = descriptors().size;
  const listener = opened(socket(AF_INET, SOCK_STREAM));
  raw.bind(listener, sockaddr_in('127.0.0.1', 0).bytes);
  raw.listen(listener, 8);
  const address = getsockname(listener);
  for (let i = 0; i < 1000; i++) {
    const client = socket(AF_INET, SOCK_STREAM);
    connect(client, address);
    const server = accept(listener);
    expect(errorOf(() => connect(client, address)).code).toBe('EISCONN');
    close(client);
    close(server);
  }
  expect(getsockopt(listener, SOL_SOCKET, SO_TYPE)).toBe(SOCK_STREAM);
  expect(descriptors().size).toBe(before + 1);
});
