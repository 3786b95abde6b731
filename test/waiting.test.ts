import {
  AF_INET,
  AF_UNIX,
  CLOCK_MONOTONIC,
  close,
  dup,
  EBADF,
  EEXIST,
  EFD_CLOEXEC,
  EFD_NONBLOCK,
  EFD_SEMAPHORE,
  EINTR,
  EINVAL,
  ENOENT,
  EPERM,
  EPOLL_CLOEXEC,
  EPOLL_CTL_ADD,
  EPOLL_CTL_DEL,
  EPOLL_CTL_MOD,
  EPOLLERR,
  EPOLLET,
  EPOLLEXCLUSIVE,
  EPOLLHUP,
  EPOLLIN,
  EPOLLONESHOT,
  EPOLLOUT,
  EPOLLRDHUP,
  EpollEvents,
  epoll_create1,
  epoll_ctl,
  epoll_pwait,
  epoll_pwait2,
  epoll_wait,
  eventfd,
  eventfd_read,
  eventfd_write,
  F_DUPFD,
  FdSet,
  fcntl,
  interrupt,
  itimerspec,
  linger,
  MSG_OOB,
  POLL_IN,
  POLLERR,
  POLLHUP,
  POLLIN,
  POLLNVAL,
  POLLOUT,
  POLLPRI,
  POLLRDHUP,
  PollFds,
  poll,
  ppoll,
  pselect,
  raw,
  read,
  SHUT_WR,
  SIGUSR2,
  SO_LINGER,
  SOCK_STREAM,
  SOL_SOCKET,
  select,
  send,
  setsockopt,
  shutdown,
  sockaddr_in,
  socketpair,
  supports,
  timerfd_create,
  timerfd_settime,
  timespec,
  timeval,
  write,
} from 'posix-sockets';
import { describe, expect, test } from 'vitest';
import {
  bytes,
  closedFd,
  connected,
  errorOf,
  haveStrace,
  type Kind,
  opened,
  openedFile,
  run,
  runNode,
  startWorker,
  until,
} from './support.js';

const tcp: Kind = { domain: AF_INET, type: SOCK_STREAM, protocol: 0, address: () => sockaddr_in('127.0.0.1', 0) };
const pair = () => socketpair(AF_UNIX, SOCK_STREAM).map(opened) as [number, number];
const counter = (value = 0) => opened(eventfd(value, EFD_CLOEXEC | EFD_NONBLOCK));
const epoll = () => opened(epoll_create1(EPOLL_CLOEXEC));

/** A descriptor that becomes readable after so many milliseconds. */
function readableAfter(milliseconds: number): number {
  const timer = opened(timerfd_create(CLOCK_MONOTONIC));
  timerfd_settime(timer, 0, new itimerspec({ it_value: timespec.fromMilliseconds(milliseconds) }));
  return timer;
}

/** A connection of which the peer is gone by a reset. */
function reset(): number {
  const [client, server] = connected(tcp);
  setsockopt(server, SOL_SOCKET, SO_LINGER, new linger({ l_onoff: 1, l_linger: 0 }));
  close(server);
  return client;
}

const milliseconds = (time: timeval) => time.tv_sec * 1000 + time.tv_usec / 1000;

describe('FdSet', () => {
  test('holds 0 to 1023 and refuses what C would write past its end', () => {
    const set = new FdSet([5, 0, 1023, 64, 63]);
    expect([...set]).toEqual([0, 5, 63, 64, 1023]);
    expect(set.delete(63).has(63)).toBe(false);
    expect([...set]).toEqual([0, 5, 64, 1023]);
    expect([set.has(64), set.has(65)]).toEqual([true, false]);
    expect([...set.clear()]).toEqual([]);
    expect(set.bytes.length).toBe(128);
    for (const fd of [1024, -1, 2 ** 31, 1.5, Number.NaN]) {
      expect(() => set.add(fd)).toThrow(RangeError);
      expect(() => set.delete(fd)).toThrow(RangeError);
      expect(() => set.has(fd)).toThrow(RangeError);
    }
    expect(() => new FdSet([1024])).toThrow(/0 to 1023, not 1024: use poll or epoll/);
    for (const fd of ['5', undefined, null, 5n]) expect(() => set.add(fd as unknown as number)).toThrow(TypeError);
    expect([...set]).toEqual([]);
  });

  test('a descriptor of 1024 and more is not for select, but for poll', () => {
    const [one, other] = pair();
    const high = opened(fcntl(other, F_DUPFD, 1024));
    expect(high).toBeGreaterThanOrEqual(1024);
    write(one, bytes('x'));
    expect(() => new FdSet().add(high)).toThrow(RangeError);
    expect(poll(new PollFds(1).set(0, high, POLLIN), 0)).toBe(1);
  });
});

describe('select', () => {
  test('leaves in each set those that are ready, and counts over all three', () => {
    const [client, server] = connected(tcp);
    const [quiet] = pair();
    send(client, bytes('!'), MSG_OOB);
    send(client, bytes('x'));
    const [reading, writing, except] = [new FdSet([server, quiet]), new FdSet([client]), new FdSet([server, quiet])];
    const highest = Math.max(client, server, quiet);
    expect(select(highest + 1, reading, writing, except, 1000)).toBe(3);
    expect([[...reading], [...writing], [...except]]).toEqual([[server], [client], [server]]);
  });

  test('looks at no descriptor of nfds or more', () => {
    const ready = counter(1);
    const set = new FdSet([ready]);
    expect(select(ready, set, null, null, 0)).toBe(0);
    expect(select(0, null, null, null, 1)).toBe(0);
    expect(select(ready + 1, new FdSet([ready]), null, null, 0)).toBe(1);
  });

  test('a number is milliseconds, null is no bound', () => {
    const [quiet, timer] = [counter(), readableAfter(10)];
    expect(select(quiet + 1, new FdSet([quiet]), null, null, 0.5)).toBe(0);
    expect(select(timer + 1, new FdSet([timer]), null, null, null)).toBe(1);
    expect(() => select(0, null, null, null, -1)).toThrow(RangeError);
    expect(() => select(0, null, null, null, Number.NaN)).toThrow(TypeError);
  });

  test('into a timeval goes the time that was left', () => {
    const timer = readableAfter(20);
    const time = timeval.fromMilliseconds(5000);
    expect(select(timer + 1, new FdSet([timer]), null, null, time)).toBe(1);
    expect(milliseconds(time)).toBeGreaterThan(0);
    expect(milliseconds(time)).toBeLessThan(5000);
    const short = timeval.fromMilliseconds(2);
    expect(select(0, null, null, null, short)).toBe(0);
    expect(milliseconds(short)).toBe(0);
  });

  test('EBADF: a descriptor that is not open; EINVAL: a negative nfds, or a time that is none', () => {
    const gone = counter();
    close(gone);
    expect(errorOf(() => select(gone + 1, new FdSet([gone]), null, null, 0))).toMatchObject({
      code: 'EBADF',
      syscall: 'select',
      errno: -EBADF,
    });
    expect(errorOf(() => select(-1, null, null, null, 0)).code).toBe('EINVAL');
    expect(errorOf(() => select(0, null, null, null, new timeval({ tv_sec: -1 }))).code).toBe('EINVAL');
    expect(errorOf(() => pselect(0, null, null, null, new timespec({ tv_nsec: 1e9 })))).toMatchObject({
      code: 'EINVAL',
      syscall: 'pselect',
    });
  });

  test('raw: sets shorter than nfds needs are refused, longer ones go beyond 1024', () => {
    expect(() => raw.select(1025, new Uint8Array(128), null, null, null)).toThrow(/'readfds' must be as long as nfds/);
    expect(() => raw.select(65, null, new Uint8Array(8), null, null)).toThrow(/'writefds'/);
    expect(() => raw.pselect(1, null, null, new Uint8Array(7), null, null)).toThrow(/'exceptfds'/);
    expect(() => raw.select(0, null, null, null, new Uint8Array(15))).toThrow(/'timeout' must be at least 16 bytes/);
    const high = opened(fcntl(counter(1), F_DUPFD, 1100));
    const set = new Uint8Array(256);
    set[high >> 3] = 1 << (high & 7);
    expect(raw.select(high + 1, set, null, null, new timeval().bytes)).toBe(1);
  });

  test('pselect takes a timespec, and leaves it as it is', () => {
    const timer = readableAfter(10);
    const time = new timespec({ tv_sec: 5 });
    expect(pselect(timer + 1, new FdSet([timer]), null, null, time)).toBe(1);
    expect(time.toJSON()).toEqual({ tv_sec: 5, tv_nsec: 0 });
    expect(pselect(0, null, null, null, 1.5)).toBe(0);
  });
});

describe('poll', () => {
  test('says for each entry what it is ready for', () => {
    const [client, server] = connected(tcp);
    const [quiet] = pair();
    send(client, bytes('!'), MSG_OOB);
    send(client, bytes('x'));
    const fds = new PollFds(4)
      .set(0, server, POLLIN | POLLPRI | POLLOUT)
      .set(1, client, POLLIN | POLLOUT)
      .set(2, quiet, POLLIN);
    expect(poll(fds, 1000)).toBe(2);
    expect([0, 1, 2, 3].map((i) => fds.revents(i))).toEqual([POLLIN | POLLPRI | POLLOUT, POLLOUT, 0, 0]);
    expect([fds.fd(0), fds.events(1), fds.fd(3)]).toEqual([server, POLLIN | POLLOUT, -1]);
  });

  test('POLLNVAL: not open; a negative descriptor is passed over', () => {
    const gone = counter();
    close(gone);
    const fds = new PollFds(3).set(0, gone, POLLIN).set(1, -5, POLLIN).set(2, closedFd, 0);
    expect(poll(fds, 0)).toBe(2);
    expect([0, 1, 2].map((i) => fds.revents(i))).toEqual([POLLNVAL, 0, POLLNVAL]);
  });

  test('POLLRDHUP, POLLHUP and POLLERR: half closed, closed, reset', () => {
    const fds = new PollFds(1);
    const [one, other] = pair();
    shutdown(other, SHUT_WR);
    expect(poll(fds.set(0, one, POLLRDHUP), 1000)).toBe(1);
    expect(fds.revents(0)).toBe(POLLRDHUP);
    close(other);
    expect(poll(fds.set(0, one, 0), 1000)).toBe(1);
    expect(fds.revents(0)).toBe(POLLHUP);
    expect(poll(fds.set(0, reset(), 0), 1000)).toBe(1);
    expect(fds.revents(0)).toBe(POLLERR | POLLHUP);
  });

  test('waits as long as it is told', () => {
    const quiet = new PollFds(1).set(0, counter(), POLLIN);
    expect(poll(quiet, 1)).toBe(0);
    expect(ppoll(quiet, 0.1)).toBe(0);
    expect(ppoll(quiet, new timespec({ tv_nsec: 1000 }))).toBe(0);
    const fds = new PollFds(1);
    expect(poll(fds.set(0, readableAfter(10), POLLIN), -1)).toBe(1);
    expect(ppoll(fds.set(0, readableAfter(10), POLLIN), null)).toBe(1);
    expect(poll(new PollFds(0), 1)).toBe(0);
    expect(() => poll(undefined as never, 0)).toThrow('fds must be of class PollFds, not undefined');
    expect(() => poll(fds, 0.5)).toThrow(/'timeout' must be an integer/);
    expect(errorOf(() => ppoll(fds, new timespec({ tv_sec: -1 })))).toMatchObject({ code: 'EINVAL', syscall: 'ppoll' });
  });

  test('EINVAL: more entries than the process may have descriptors', async () => {
    const code = `import { PollFds, poll } from 'posix-sockets';
      try { poll(new PollFds(101), 0) } catch (error) { console.log(error.message, poll(new PollFds(100), 0)) }`;
    const node = ['--input-type=module', '--eval', code];
    const limited = await run('sh', ['-c', 'ulimit -n 100 && exec "$@"', '-', process.execPath, ...node]);
    expect(limited).toMatchObject({ stdout: 'poll EINVAL 0\n', stderr: '' });
  });

  test('PollFds refuses what is no entry, descriptor or length', () => {
    const fds = new PollFds(2);
    for (const i of [2, -1, 0.5, Number.NaN]) {
      expect(() => fds.set(i, 1, POLLIN)).toThrow(/entry .* of a poll set of 2/);
      expect(() => fds.revents(i)).toThrow(RangeError);
    }
    for (const fd of [0.5, 2 ** 31]) expect(() => fds.set(0, fd, POLLIN)).toThrow(RangeError);
    for (const [fd, events] of [
      [Number.NaN, POLLIN],
      [1, Number.NaN],
    ] as const)
      expect(() => fds.set(0, fd, events)).toThrow(TypeError);
    for (const events of [2 ** 16, -(2 ** 15) - 1]) expect(() => fds.set(0, 0, events)).toThrow(RangeError);
    expect(fds.set(0, 0, 0xffff).events(0)).toBe(-1);
    for (const length of [-1, 1.5, 2 ** 21]) expect(() => new PollFds(length)).toThrow(RangeError);
    expect(fds.set(0, 1, POLLIN).fd(0)).toBe(1);
  });
});

describe('epoll', () => {
  test('level-triggered: reported for as long as it is ready', () => {
    const epfd = epoll();
    const ready = counter(1);
    epoll_ctl(epfd, EPOLL_CTL_ADD, ready, EPOLLIN);
    const events = new EpollEvents(4);
    for (let i = 0; i < 3; i++) {
      expect(epoll_wait(epfd, events, 0)).toBe(1);
      expect([events.fd(0), events.events(0), events.tag(0), events.data(0)]).toEqual([
        ready,
        EPOLLIN,
        0,
        BigInt(ready),
      ]);
    }
    eventfd_read(ready);
    expect(epoll_wait(epfd, events, 0)).toBe(0);
  });

  test('EPOLLET: reported once for each change', () => {
    const epfd = epoll();
    const [one, other] = pair();
    const events = new EpollEvents(4);
    epoll_ctl(epfd, EPOLL_CTL_ADD, other, EPOLLIN | EPOLLET);
    write(one, bytes('x'));
    expect([epoll_wait(epfd, events, 0), epoll_wait(epfd, events, 0)]).toEqual([1, 0]);
    write(one, bytes('y'));
    expect([epoll_wait(epfd, events, 0), epoll_wait(epfd, events, 0)]).toEqual([1, 0]);
    epoll_ctl(epfd, EPOLL_CTL_MOD, other, EPOLLIN | EPOLLET); // looks again
    expect(epoll_wait(epfd, events, 0)).toBe(1);
  });

  test('EPOLLONESHOT: reported once, and then not until EPOLL_CTL_MOD, not even a hang-up', () => {
    const epfd = epoll();
    const [one, other] = pair();
    const events = new EpollEvents(4);
    epoll_ctl(epfd, EPOLL_CTL_ADD, other, EPOLLIN | EPOLLONESHOT);
    write(one, bytes('x'));
    expect([epoll_wait(epfd, events, 0), epoll_wait(epfd, events, 0)]).toEqual([1, 0]);
    close(one);
    expect(epoll_wait(epfd, events, 0)).toBe(0);
    epoll_ctl(epfd, EPOLL_CTL_MOD, other, EPOLLOUT | EPOLLONESHOT);
    expect(epoll_wait(epfd, events, 0)).toBe(1);
    expect(events.events(0)).toBe(EPOLLOUT | EPOLLHUP);
  });

  test('EPOLLRDHUP, EPOLLHUP and EPOLLERR', () => {
    const epfd = epoll();
    const events = new EpollEvents(1);
    const [one, other] = pair();
    epoll_ctl(epfd, EPOLL_CTL_ADD, one, EPOLLRDHUP);
    expect(epoll_wait(epfd, events, 0)).toBe(0);
    shutdown(other, SHUT_WR);
    expect([epoll_wait(epfd, events, 0), events.events(0)]).toEqual([1, EPOLLRDHUP]);
    close(other);
    expect([epoll_wait(epfd, events, 0), events.events(0)]).toEqual([1, EPOLLRDHUP | EPOLLHUP]);
    epoll_ctl(epfd, EPOLL_CTL_DEL, one);
    epoll_ctl(epfd, EPOLL_CTL_ADD, reset(), 0);
    expect([epoll_wait(epfd, events, 1000), events.events(0)]).toEqual([1, EPOLLERR | EPOLLHUP]);
  });

  // How many of two threads wake, each with an epoll instance of its own that watches the same.
  async function wakers(flags: number): Promise<number> {
    const ready = counter();
    const epfds = [epoll(), epoll()];
    for (const epfd of epfds) epoll_ctl(epfd, EPOLL_CTL_ADD, ready, EPOLLIN | flags);
    const workers = await Promise.all(
      epfds.map((epfd) => startWorker('post(sockets.epoll_wait(workerData, new sockets.EpollEvents(1), -1));', epfd)),
    );
    await Promise.all(workers.map((worker, i) => worker.untilBlockedOn(epfds[i] as number)));
    eventfd_write(ready, 1n);
    const messages = () => workers.flatMap((worker) => worker.messages);
    await until(() => messages().includes(1), 'a worker wakes');
    if (flags === 0) await until(() => messages().length === 2, 'both workers wake');
    const woken = messages().length;
    await until(() => {
      for (const { worker, messages } of workers) if (messages.length === 0) interrupt(worker);
      return messages().length === 2;
    }, 'nobody waits');
    expect(messages().filter((message) => message === 'EINTR').length).toBe(2 - woken);
    return woken;
  }

  test('EPOLLEXCLUSIVE wakes one thread of two, where without it both wake', async () => {
    expect(await wakers(0)).toBe(2);
    expect(await wakers(EPOLLEXCLUSIVE)).toBe(1);
  });

  test('EPOLLEXCLUSIVE cannot be modified or combined with EPOLLONESHOT', () => {
    const epfd = epoll();
    const ready = counter();
    epoll_ctl(epfd, EPOLL_CTL_ADD, ready, EPOLLIN | EPOLLEXCLUSIVE);
    expect(errorOf(() => epoll_ctl(epfd, EPOLL_CTL_MOD, ready, EPOLLIN)).code).toBe('EINVAL');
    const flags = EPOLLIN | EPOLLEXCLUSIVE | EPOLLONESHOT;
    expect(errorOf(() => epoll_ctl(epfd, EPOLL_CTL_ADD, counter(), flags)).code).toBe('EINVAL');
  });

  test('64 bits of data come back as given', () => {
    const epfd = epoll();
    const events = new EpollEvents(1);
    const ready = counter(1);
    epoll_ctl(epfd, EPOLL_CTL_ADD, ready, EPOLLIN, 0xfedc_ba98_7654_3210n);
    expect(epoll_wait(epfd, events, 0)).toBe(1);
    expect([events.data(0), events.fd(0), events.tag(0)]).toEqual([0xfedc_ba98_7654_3210n, 0x7654_3210, 0xfedc_ba98]);
    epoll_ctl(epfd, EPOLL_CTL_MOD, ready, EPOLLIN, (7n << 32n) | BigInt(ready));
    expect(epoll_wait(epfd, events, 0)).toBe(1);
    expect([events.fd(0), events.tag(0)]).toEqual([ready, 7]);
    expect(() => epoll_ctl(epfd, EPOLL_CTL_MOD, ready, EPOLLIN, 7 as unknown as bigint)).toThrow(TypeError);
    expect(() => epoll_ctl(epfd, EPOLL_CTL_MOD, ready, Number.NaN)).toThrow(/events must be a number/);
    expect(() => epoll_ctl(epfd, EPOLL_CTL_MOD, ready, 2 ** 32)).toThrow(/events must be an integer from/);
  });

  test('with less room than events, each has its turn', () => {
    const epfd = epoll();
    const ready = [counter(1), counter(1), counter(1)];
    for (const fd of ready) epoll_ctl(epfd, EPOLL_CTL_ADD, fd, EPOLLIN);
    const events = new EpollEvents(1);
    const seen = ready.map(() => [epoll_wait(epfd, events, 0), events.fd(0)]);
    expect(new Set(seen.map(([, fd]) => fd))).toEqual(new Set(ready));
    expect(epoll_wait(epfd, new EpollEvents(16), 0)).toBe(3);
    for (const length of [0, -1, 1.5, 2 ** 21]) expect(() => new EpollEvents(length)).toThrow(RangeError);
    expect(() => events.events(1)).toThrow(RangeError);
  });

  test('it watches what is behind a descriptor: a copy keeps a closed one reported', () => {
    const epfd = epoll();
    const ready = counter(1);
    const copy = opened(dup(ready));
    epoll_ctl(epfd, EPOLL_CTL_ADD, ready, EPOLLIN);
    close(ready);
    expect(epoll_wait(epfd, new EpollEvents(1), 0)).toBe(1);
    expect(errorOf(() => epoll_ctl(epfd, EPOLL_CTL_DEL, ready)).code).toBe('EBADF');
    close(copy);
    expect(epoll_wait(epfd, new EpollEvents(1), 0)).toBe(0);
  });

  test('every error of epoll_ctl and epoll_create1', () => {
    const epfd = epoll();
    const ready = counter();
    epoll_ctl(epfd, EPOLL_CTL_ADD, ready, EPOLLIN);
    const code = (...call: Parameters<typeof epoll_ctl>) => errorOf(() => epoll_ctl(...call)).code;
    expect(errorOf(() => epoll_ctl(epfd, EPOLL_CTL_ADD, ready, EPOLLIN))).toMatchObject({
      code: 'EEXIST',
      errno: -EEXIST,
      syscall: 'epoll_ctl',
    });
    const other = counter();
    expect(code(epfd, EPOLL_CTL_MOD, other, EPOLLIN)).toBe('ENOENT');
    expect(code(epfd, EPOLL_CTL_DEL, other)).toBe('ENOENT');
    expect(code(epfd, EPOLL_CTL_ADD, openedFile(), EPOLLIN)).toBe('EPERM');
    expect(code(epfd, EPOLL_CTL_ADD, closedFd, EPOLLIN)).toBe('EBADF');
    expect(code(closedFd, EPOLL_CTL_ADD, ready, EPOLLIN)).toBe('EBADF');
    expect(code(ready, EPOLL_CTL_ADD, other, EPOLLIN)).toBe('EINVAL');
    expect(code(epfd, 99, other, EPOLLIN)).toBe('EINVAL');
    expect(code(epfd, EPOLL_CTL_ADD, epfd, EPOLLIN)).toBe('EINVAL');
    const outer = epoll();
    epoll_ctl(outer, EPOLL_CTL_ADD, epfd, EPOLLIN);
    expect(code(epfd, EPOLL_CTL_ADD, outer, EPOLLIN)).toBe('ELOOP');
    expect(errorOf(() => epoll_create1(1))).toMatchObject({ code: 'EINVAL', syscall: 'epoll_create1' });
    expect(raw.epoll_ctl(epfd, EPOLL_CTL_DEL, ready, null)).toBe(0);
    expect(raw.epoll_ctl(epfd, EPOLL_CTL_DEL, ready, null)).toBe(-ENOENT);
    expect(raw.epoll_ctl(epfd, EPOLL_CTL_ADD, openedFile(), new EpollEvents(1).bytes)).toBe(-EPERM);
    expect(() => raw.epoll_ctl(epfd, EPOLL_CTL_ADD, ready, new Uint8Array(3))).toThrow(/'event' must be at least/);
  });

  test('an epoll instance is ready when something in it is', () => {
    const [inner, outer] = [epoll(), epoll()];
    const ready = counter();
    epoll_ctl(inner, EPOLL_CTL_ADD, ready, EPOLLIN);
    epoll_ctl(outer, EPOLL_CTL_ADD, inner, EPOLLIN);
    const events = new EpollEvents(1);
    expect(epoll_wait(outer, events, 0)).toBe(0);
    eventfd_write(ready, 1n);
    expect([epoll_wait(outer, events, 0), events.fd(0)]).toEqual([1, inner]);
  });

  test('waits as long as it is told', () => {
    const epfd = epoll();
    const events = new EpollEvents(1);
    expect(epoll_wait(epfd, events, 1)).toBe(0);
    expect(epoll_pwait(epfd, events, 1)).toBe(0);
    epoll_ctl(epfd, EPOLL_CTL_ADD, readableAfter(10), EPOLLIN);
    expect(epoll_wait(epfd, events, -1)).toBe(1);
    expect(epoll_pwait(epfd, events, -1)).toBe(1);
    expect(() => epoll_wait(epfd, undefined as never, 0)).toThrow('events must be of class EpollEvents, not undefined');
    expect(() => epoll_wait(epfd, events, 0.5)).toThrow(/'timeout' must be an integer/);
    for (const wait of [epoll_wait, epoll_pwait]) {
      expect(errorOf(() => wait(closedFd, events, 0)).code).toBe('EBADF');
      expect(errorOf(() => wait(counter(), events, 0))).toMatchObject({ code: 'EINVAL', syscall: wait.name });
    }
    expect(raw.epoll_wait(epfd, new Uint8Array(0), 0)).toBe(-EINVAL);
  });

  test.skipIf(supports('epoll_pwait2') !== 'yes')('epoll_pwait2 counts in nanoseconds (needs Linux 5.11)', () => {
    const epfd = epoll();
    const events = new EpollEvents(1);
    expect(epoll_pwait2(epfd, events, new timespec({ tv_nsec: 1 }))).toBe(0);
    expect(epoll_pwait2(epfd, events, 0.25)).toBe(0);
    epoll_ctl(epfd, EPOLL_CTL_ADD, readableAfter(10), EPOLLIN);
    expect(epoll_pwait2(epfd, events, null)).toBe(1);
    expect(errorOf(() => epoll_pwait2(epfd, events, new timespec({ tv_nsec: 1e9 })))).toMatchObject({
      code: 'EINVAL',
      syscall: 'epoll_pwait2',
    });
    expect(errorOf(() => epoll_pwait2(closedFd, events, 0)).code).toBe('EBADF');
  });
});

test('EINTR: a signal ends every kind of wait', async () => {
  const epfd = epoll();
  const quiet = counter();
  epoll_ctl(epfd, EPOLL_CTL_ADD, quiet, EPOLLIN);
  const { worker, messages } = await startWorker(
    `const { FdSet, PollFds, EpollEvents } = sockets;
     const set = () => new FdSet([workerData.quiet]), nfds = workerData.quiet + 1;
     const fds = new PollFds(1).set(0, workerData.quiet, 1), events = new EpollEvents(1);
     for (const wait of [
       () => sockets.select(nfds, set(), null, null, null),
       () => sockets.pselect(nfds, set(), null, null, null),
       () => sockets.poll(fds, -1),
       () => sockets.ppoll(fds, null),
       () => sockets.epoll_wait(workerData.epfd, events, -1),
       () => sockets.epoll_pwait(workerData.epfd, events, -1),
     ]) try { wait(); } catch (error) { post(error.syscall + ' ' + error.errno); }
     post('done');`,
    { epfd, quiet },
  );
  await until(() => {
    interrupt(worker);
    return messages.includes('done');
  }, 'all waits have ended');
  const waits = ['select', 'pselect', 'poll', 'ppoll', 'epoll_wait', 'epoll_pwait'];
  expect(messages).toEqual([...waits.map((name) => `${name} ${-EINTR}`), 'done']);
});

// In a process of its own: a signal that is blocked and pending comes in the moment that a wait unblocks it.
test('a signal mask holds for as long as the call waits, and no longer', async () => {
  const { stdout, stderr } = await runNode(`
    import * as s from 'posix-sockets';
    process.once('SIGIO', () => { console.log('handled'); process.exit(); }); // when all waits are over
    const blocked = new s.SigSet([s.SIGIO]);
    s.pthread_sigmask(s.SIG_BLOCK, blocked);
    const [one, other] = s.socketpair(s.AF_UNIX, s.SOCK_STREAM);
    s.fcntl(other, s.F_SETOWN_EX, new s.f_owner_ex({ type: s.F_OWNER_TID, pid: s.gettid() }));
    s.fcntl(other, s.F_SETFL, s.O_ASYNC);
    const epfd = s.epoll_create1(), none = new s.SigSet(), events = new s.EpollEvents(1);
    const waits = {
      pselect: (mask) => s.pselect(0, null, null, null, 20, mask),
      ppoll: (mask) => s.ppoll(new s.PollFds(0), 20, mask),
      epoll_pwait: (mask) => s.epoll_pwait(epfd, events, 20, mask),
      ...(s.supports('epoll_pwait2') === 'yes' && { epoll_pwait2: (mask) => s.epoll_pwait2(epfd, events, 20, mask) }),
    };
    for (const [name, wait] of Object.entries(waits)) {
      s.write(one, new Uint8Array(1)); // makes the signal pending
      const same = [wait(null), wait(blocked)];
      let code;
      try { wait(none) } catch (error) { code = error.code }
      const after = s.pthread_sigmask(s.SIG_BLOCK, null).has(s.SIGIO);
      if (same.join() !== '0,0' || code !== 'EINTR' || !after) console.log(name, same, code, after);
    }
    setTimeout(() => console.log('not handled'), 10_000);`);
  expect({ stdout, stderr }).toEqual({ stdout: 'handled\n', stderr: '' });
});

describe('signal-driven I/O', () => {
  test('F_SETOWN: SIGIO reaches process.on', async () => {
    const { stdout, stderr } = await runNode(`
      import { AF_UNIX, F_GETOWN, F_GETOWN_EX, F_OWNER_PID, F_SETFL, F_SETOWN, O_ASYNC, SOCK_STREAM, f_owner_ex, fcntl, socketpair, write } from 'posix-sockets';
      const [one, other] = socketpair(AF_UNIX, SOCK_STREAM);
      process.on('SIGIO', (name) => { console.log(name); process.exit(); });
      fcntl(other, F_SETOWN, process.pid);
      const owner = new f_owner_ex();
      fcntl(other, F_GETOWN_EX, owner);
      console.log(fcntl(other, F_GETOWN) === process.pid, owner.type === F_OWNER_PID, owner.pid === process.pid);
      fcntl(other, F_SETFL, O_ASYNC);
      setTimeout(() => console.log('no signal came'), 10_000);
      write(one, new Uint8Array(1));`);
    expect({ stdout, stderr }).toEqual({ stdout: 'true true true\nSIGIO\n', stderr: '' });
  });

  test('F_SETSIG and a thread as owner: a signalfd tells which descriptor, and what for', async () => {
    // In a worker's thread, which blocks the signal: it is for that thread alone, and no other could take it.
    const { messages } = await startWorker(`
      const s = sockets, signal = s.SIGUSR2;
      s.pthread_sigmask(s.SIG_BLOCK, new s.SigSet([signal]));
      const [one, other] = s.socketpair(s.AF_UNIX, s.SOCK_STREAM);
      const fd = s.signalfd(-1, new s.SigSet([signal]), s.SFD_CLOEXEC);
      s.fcntl(other, s.F_SETOWN_EX, new s.f_owner_ex({ type: s.F_OWNER_TID, pid: s.gettid() }));
      s.fcntl(other, s.F_SETSIG, signal);
      s.fcntl(other, s.F_SETFL, s.O_ASYNC | s.O_NONBLOCK);
      s.write(one, new Uint8Array(3));
      const ready = s.poll(new s.PollFds(1).set(0, fd, s.POLLIN), 10_000);
      const info = new s.signalfd_siginfo();
      const length = s.read(fd, info.bytes);
      for (const open of [fd, one, other]) s.close(open);
      post([ready, length, info.ssi_signo, info.ssi_fd - other, info.ssi_code, info.ssi_band & s.POLLIN]);`);
    await until(() => messages.length > 0, 'the signal is read');
    expect(messages).toEqual([[1, 128, SIGUSR2, 0, POLL_IN, POLLIN]]);
  });
});

describe('eventfd_read and eventfd_write', () => {
  test('64 bits go in, and come out at once', () => {
    const fd = counter();
    eventfd_write(fd, 2n ** 63n);
    eventfd_write(fd, 5n);
    expect(eventfd_read(fd)).toBe(2n ** 63n + 5n);
    expect(errorOf(() => eventfd_read(fd))).toMatchObject({ code: 'EAGAIN', syscall: 'read' });
  });

  test('EFD_SEMAPHORE: one by one', () => {
    const fd = opened(eventfd(0, EFD_SEMAPHORE | EFD_NONBLOCK));
    eventfd_write(fd, 2n);
    expect([eventfd_read(fd), eventfd_read(fd)]).toEqual([1n, 1n]);
    expect(errorOf(() => eventfd_read(fd)).code).toBe('EAGAIN');
  });

  test('errors of write: full, a value that there is not, not open', () => {
    const fd = counter();
    eventfd_write(fd, 2n ** 64n - 2n);
    expect(errorOf(() => eventfd_write(fd, 1n))).toMatchObject({ code: 'EAGAIN', syscall: 'write' });
    expect(errorOf(() => eventfd_write(fd, 2n ** 64n - 1n)).code).toBe('EINVAL');
    expect(errorOf(() => eventfd_write(closedFd, 1n)).code).toBe('EBADF');
    expect(errorOf(() => eventfd_read(closedFd)).code).toBe('EBADF');
    expect(() => eventfd_write(fd, 1 as unknown as bigint)).toThrow(TypeError);
    expect(read(fd, new Uint8Array(8))).toBe(8);
  });
});

test.skipIf(!haveStrace)('strace sees the calls as they were written (needs strace)', async () => {
  const code = `
    import * as s from 'posix-sockets';
    const fd = s.eventfd(1, s.EFD_CLOEXEC), epfd = s.epoll_create1(s.EPOLL_CLOEXEC);
    s.select(fd + 1, new s.FdSet([fd]), null, null, s.timeval.fromMilliseconds(2.5));
    s.pselect(fd + 1, null, new s.FdSet([fd]), null, 3.25);
    s.poll(new s.PollFds(1).set(0, fd, s.POLLIN), 4);
    s.ppoll(new s.PollFds(1).set(0, fd, s.POLLOUT), 5.5);
    s.epoll_ctl(epfd, s.EPOLL_CTL_ADD, fd, s.EPOLLIN | s.EPOLLET | s.EPOLLONESHOT, 0x12345678abcdn);
    s.epoll_wait(epfd, new s.EpollEvents(3), 6);
    s.epoll_pwait(epfd, new s.EpollEvents(2), 7, new s.SigSet([s.SIGUSR1]));`;
  const names = 'select,pselect6,poll,ppoll,epoll_ctl,epoll_wait,epoll_pwait';
  const { stderr } = await run('strace', ['-e', `trace=${names}`, process.execPath, '--input-type=module', '-e', code]);
  const lines = stderr.replaceAll(/\) += /g, ') = ').split('\n');
  // Which variant of a call libc makes depends on the machine.
  for (const line of [
    /^p?select6?\(\d+, \[\d+\], NULL, NULL, \{tv_sec=0, tv_n?u?sec=2500(000)?\}.*\) = 1 /,
    /^pselect6\(\d+, NULL, \[\d+\], NULL, \{tv_sec=0, tv_nsec=3250000\}, .*\) = 1 /,
    /^p?poll\(\[\{fd=\d+, events=POLLIN\}\], 1, .*4.*\) = 1 \(\[\{fd=\d+, revents=POLLIN\}\]/,
    /^ppoll\(\[\{fd=\d+, events=POLLOUT\}\], 1, \{tv_sec=0, tv_nsec=5500000\}, NULL, \d+\) = 1 /,
    /^epoll_ctl\(\d+, EPOLL_CTL_ADD, \d+, \{events=EPOLLIN\|EPOLLONESHOT\|EPOLLET, data=\{.*u64=20015998348237\}\}\) = 0/,
    /^epoll_p?wait\(\d+, \[\{events=EPOLLIN, data=\{.*\}\}\], 3, 6.*\) = 1/,
    /^epoll_pwait\(\d+, \[\], 2, 7, \[USR1\], \d+\) = 0/,
  ]) {
    expect(lines).toContainEqual(expect.stringMatching(line));
  }
});
