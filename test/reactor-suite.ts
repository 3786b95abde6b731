// What a reactor promises, whichever way it learns that something is ready: reactor.test.ts runs this by the event
// loop, reactor-thread.test.ts by a thread that waits.
import { AsyncLocalStorage, executionAsyncId } from 'node:async_hooks';
import { closeSync, readdirSync, readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import {
  AF_INET,
  AF_UNIX,
  close,
  dup,
  dup2,
  dup3,
  EFD_CLOEXEC,
  EFD_NONBLOCK,
  EPOLLERR,
  EPOLLET,
  EPOLLEXCLUSIVE,
  EPOLLHUP,
  EPOLLIN,
  EPOLLONESHOT,
  EPOLLOUT,
  EPOLLRDHUP,
  eventfd,
  eventfd_read,
  eventfd_write,
  F_DUPFD_CLOEXEC,
  fcntl,
  interrupt,
  linger,
  O_CLOEXEC,
  Reactor,
  raw,
  recv,
  SHUT_WR,
  SO_LINGER,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_SOCKET,
  send,
  setsockopt,
  shutdown,
  sockaddr_in,
  socketpair,
  write,
} from 'posix-sockets';
import { describe, expect, test } from 'vitest';
import {
  bytes,
  closedFd,
  connected,
  descriptors,
  errorOf,
  type Kind,
  opened,
  openedFile,
  run,
  runNode,
  startWorker,
  until,
  whenDone,
} from './support.js';

const byThread = process.env.POSIX_SOCKETS_REACTOR === 'thread';
const tcp: Kind = { domain: AF_INET, type: SOCK_STREAM, protocol: 0, address: () => sockaddr_in('127.0.0.1', 0) };
const pair = () => socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK).map(opened) as [number, number];
const counter = (value = 1) => opened(eventfd(value, EFD_CLOEXEC | EFD_NONBLOCK));
const unexpected = () => {
  throw new Error('this handler is not to be called');
};

/** A reactor that is closed when the test ends. */
function made(): Reactor {
  const reactor = new Reactor();
  whenDone(() => reactor.close());
  return reactor;
}

/** The threads of this process that wait for a reactor. */
const waitingThreads = () =>
  readdirSync('/proc/self/task').filter((tid) => {
    try {
      return readFileSync(`/proc/self/task/${tid}/comm`, 'utf8') === 'reactor\n';
    } catch {
      return false; // ended meanwhile
    }
  }).length;

test(`a reactor has ${byThread ? 'a thread of its own, which ends with it' : 'no thread of its own'}`, async () => {
  const before = waitingThreads();
  const reactor = made();
  await until(() => waitingThreads() === before + Number(byThread), 'the thread is there');
  reactor.close();
  expect(waitingThreads()).toBe(before);
});

describe('events', () => {
  test('a handler is told what happened, and to which descriptor, when the event loop has its turn', async () => {
    const reactor = made();
    const [one, other] = pair();
    const calls: unknown[][] = [];
    reactor.add(other, EPOLLIN | EPOLLOUT, function (this: unknown, ...args) {
      calls.push([this, ...args, raw.recv(other, new Uint8Array(9), 0)]);
      if (calls.length === 2) reactor.remove(other);
      else send(one, bytes('more'));
    });
    send(one, bytes('first'));
    expect(calls).toEqual([]);
    await until(() => calls.length === 2, 'the handler is called twice');
    expect(calls).toEqual([
      [undefined, EPOLLIN | EPOLLOUT, other, 5],
      [undefined, EPOLLIN | EPOLLOUT, other, 4],
    ]);
    expect([reactor.size, reactor.batches >= 2]).toEqual([0, true]);
  });

  test('level-triggered: again and again; with EPOLLET once for each change', () => {
    const reactor = made();
    const [level, edge] = [counter(), counter()];
    const seen: number[] = [];
    reactor.add(level, EPOLLIN, (_events, fd) => seen.push(fd));
    reactor.add(edge, EPOLLIN | EPOLLET, (_events, fd) => seen.push(fd));
    for (let i = 0; i < 3; i++) reactor.turn(0);
    expect(seen).toEqual([level, edge, level, level]);
    eventfd_write(edge, 1n);
    reactor.turn(0);
    expect(seen.slice(4).sort()).toEqual([level, edge].sort());
  });

  test('EPOLLONESHOT: once, until modify', () => {
    const reactor = made();
    const fd = counter();
    let calls = 0;
    reactor.add(fd, EPOLLIN | EPOLLONESHOT, () => calls++);
    expect([reactor.turn(0), reactor.turn(0), calls, reactor.size]).toEqual([1, 0, 1, 1]);
    reactor.modify(fd, EPOLLIN | EPOLLONESHOT);
    expect([reactor.turn(0), reactor.turn(0), calls]).toEqual([1, 0, 2]);
    reactor.modify(fd, EPOLLIN);
    expect([reactor.turn(0), reactor.turn(0), calls]).toEqual([1, 1, 4]);
  });

  test('EPOLLEXCLUSIVE: only one reactor of several is told, and it cannot be modified', async () => {
    const fd = counter(0);
    let calls = 0;
    const reactors = [made(), made(), made()];
    for (const reactor of reactors) {
      reactor.add(fd, EPOLLIN | EPOLLET | EPOLLEXCLUSIVE, () => calls++);
      expect(errorOf(() => reactor.modify(fd, EPOLLIN)).code).toBe('EINVAL');
    }
    eventfd_write(fd, 1n);
    await until(() => calls > 0, 'one is told');
    expect(reactors.map((reactor) => reactor.turn(0)).reduce((sum, count) => sum + count) + calls).toBeLessThan(4);
  });

  test('EPOLLRDHUP, EPOLLHUP and EPOLLERR come as epoll has them', () => {
    const reactor = made();
    const [one, other] = pair();
    const [client, server] = connected(tcp);
    const seen: number[] = [];
    reactor.add(one, EPOLLRDHUP, (events) => seen.push(events));
    expect(reactor.turn(0)).toBe(0);
    shutdown(other, SHUT_WR);
    reactor.turn();
    close(other);
    reactor.turn();
    reactor.remove(one);
    reactor.add(client, 0, (events) => seen.push(events));
    setsockopt(server, SOL_SOCKET, SO_LINGER, new linger({ l_onoff: 1, l_linger: 0 }));
    close(server);
    reactor.turn();
    expect(seen).toEqual([EPOLLRDHUP, EPOLLRDHUP | EPOLLHUP, EPOLLERR | EPOLLHUP]);
  });

  test('modify changes what is reported; what an earlier handler of the batch took away is not', () => {
    const reactor = made();
    const [one, other] = pair();
    const [quiet] = pair();
    const seen: number[] = [];
    reactor.add(one, EPOLLOUT, (events) => seen.push(events));
    reactor.turn(0);
    reactor.modify(one, EPOLLIN);
    expect(reactor.turn(0)).toBe(0);
    send(other, bytes('x'));
    reactor.turn(0);
    expect(seen).toEqual([EPOLLOUT, EPOLLIN]);
    reactor.remove(one);

    const silence = (_events: number, fd: number) => {
      seen.push(fd);
      reactor.modify(fd === one ? quiet : one, 0);
    };
    reactor.add(one, EPOLLOUT, silence);
    reactor.add(quiet, EPOLLOUT, silence);
    expect([reactor.turn(0), seen.length]).toEqual([2, 3]);
  });

  test('a thousand ready descriptors are told in batches, each once a round', () => {
    const reactor = made();
    const calls = new Map<number, number>();
    const count = (_events: number, fd: number) => calls.set(fd, (calls.get(fd) ?? 0) + 1);
    const fds = Array.from({ length: 1000 }, () => counter());
    for (const fd of fds) reactor.add(fd, EPOLLIN | EPOLLET, count);
    const turns: number[] = [];
    for (let events = reactor.turn(0); events > 0; events = reactor.turn(0)) turns.push(events);
    expect(turns).toEqual([256, 256, 256, 232]);
    expect([calls.size, new Set(calls.values())]).toEqual([1000, new Set([1])]);
  });

  test('descriptors of any number', () => {
    const reactor = made();
    const high = [63, 64, 65, 5000].map((least) => opened(fcntl(counter(), F_DUPFD_CLOEXEC, least)));
    const seen: number[] = [];
    for (const fd of high) reactor.add(fd, EPOLLIN, (_events, fd) => seen.push(fd));
    reactor.turn(0);
    expect(seen).toEqual(high);
    for (const fd of high) expect(reactor.remove(fd)).toBe(true);
    expect(reactor.turn(0)).toBe(0);
  });
});

describe('what is refused', () => {
  test('add: EEXIST, EPERM for files and folders, EBADF, EINVAL', () => {
    const reactor = made();
    const fd = counter();
    reactor.add(fd, EPOLLIN, () => {});
    const code = (fd: number, events = EPOLLIN) => errorOf(() => reactor.add(fd, events, unexpected)).code;
    expect(code(fd)).toBe('EEXIST');
    expect(code(openedFile())).toBe('EPERM');
    expect(code(closedFd)).toBe('EBADF');
    expect(code(-1)).toBe('EBADF');
    expect(code(counter(), EPOLLIN | EPOLLEXCLUSIVE | EPOLLONESHOT)).toBe('EINVAL');
    expect(reactor.size).toBe(1);
    expect(reactor.turn(0)).toBe(1);
  });

  test('modify: ENOENT; remove of what is not watched is false', () => {
    const reactor = made();
    const fd = counter();
    expect(errorOf(() => reactor.modify(fd, EPOLLIN))).toMatchObject({ code: 'ENOENT', syscall: 'epoll_ctl' });
    expect([reactor.remove(fd), reactor.remove(-1), reactor.remove(closedFd)]).toEqual([false, false, false]);
    reactor.add(fd, EPOLLIN, unexpected);
    expect([reactor.remove(fd), reactor.remove(fd)]).toEqual([true, false]);
    expect(errorOf(() => reactor.modify(fd, EPOLLIN)).code).toBe('ENOENT');
  });

  test('arguments of another kind', () => {
    const reactor = made();
    const fd = counter();
    const any = (value: unknown) => value as never;
    for (const handler of [undefined, null, 'f', {}])
      expect(() => reactor.add(fd, EPOLLIN, any(handler))).toThrow(TypeError);
    for (const events of [undefined, '1', 0.5, Number.NaN]) {
      expect(() => reactor.add(fd, any(events), unexpected)).toThrow(/events must be an? /);
      expect(() => reactor.modify(fd, any(events))).toThrow(/events must be an? /);
    }
    for (const other of [undefined, '1', 0.5, 2 ** 31]) {
      expect(() => reactor.add(any(other), EPOLLIN, unexpected)).toThrow(/'fd' must be/);
      expect(reactor.remove(any(other))).toBe(false);
    }
    for (const timeout of ['1', null, Number.NaN]) expect(() => reactor.turn(any(timeout))).toThrow(TypeError);
    expect([reactor.size, reactor.turn(0)]).toEqual([0, 0]);
  });

  test('everything once it is closed, which may be said twice', () => {
    const reactor = made();
    const fd = counter();
    reactor.add(fd, EPOLLIN, unexpected);
    reactor.close();
    reactor.close();
    expect([reactor.closed, reactor.size, reactor.remove(fd)]).toEqual([true, 0, false]);
    expect(errorOf(() => reactor.add(fd, EPOLLIN, unexpected)).code).toBe('EBADF');
    expect(errorOf(() => reactor.modify(fd, EPOLLIN)).code).toBe('EBADF');
    expect(errorOf(() => reactor.turn(0))).toMatchObject({ code: 'EBADF', syscall: 'epoll_wait' });
    expect(reactor.ref().unref()).toBe(reactor);
    expect(eventfd_read(fd)).toBe(1n); // is still open
  });
});

describe('an event of the same batch reaches nobody', () => {
  // Two descriptors are ready. The one that is told first does something to the other one.
  function told(toTheOther: (reactor: Reactor, other: number) => void): { reactor: Reactor; seen: number[] } {
    const reactor = made();
    const both = [counter(), counter()] as const;
    const seen: number[] = [];
    for (const [i, fd] of both.entries()) {
      const other = both[1 - i] as number;
      reactor.add(fd, EPOLLIN, () => {
        seen.push(fd);
        if (seen.length === 1) toTheOther(reactor, other);
      });
    }
    expect(reactor.turn(0)).toBe(2);
    return { reactor, seen };
  }

  test('whose descriptor was removed', () => {
    const { reactor, seen } = told((reactor, other) => reactor.remove(other));
    expect([seen.length, reactor.size]).toEqual([1, 1]);
  });

  test('whose descriptor was closed: by close, dup2 or dup3', () => {
    const copied = counter(); // ready as well
    for (const end of [
      (other: number) => close(other),
      (other: number) => raw.close(other),
      (other: number) => dup2(copied, other),
      (other: number) => dup3(copied, other, O_CLOEXEC),
    ]) {
      const { reactor, seen } = told((_reactor, other) => end(other));
      expect([seen.length, reactor.size]).toEqual([1, 1]);
      expect([reactor.turn(0), seen.length]).toEqual([1, 2]);
      reactor.close();
    }
  });

  test('whose descriptor was closed, and its number watched again for another file', () => {
    const ready = counter();
    const again: number[] = [];
    const { reactor, seen } = told((reactor, other) => {
      dup2(ready, other);
      reactor.add(other, EPOLLIN, (_events, fd) => again.push(fd));
    });
    expect([seen.length, again.length, reactor.size]).toEqual([1, 0, 2]);
    reactor.turn(0);
    expect([seen.length, again.length]).toEqual([2, 1]);
  });

  test('whose descriptor was removed and added again', () => {
    const again: number[] = [];
    const { reactor, seen } = told((reactor, other) => {
      reactor.remove(other);
      reactor.add(other, EPOLLIN, (_events, fd) => again.push(fd));
    });
    expect([seen.length, again.length]).toEqual([1, 0]);
    reactor.turn(0);
    expect(again.length).toBe(1);
  });

  test('of a reactor that was closed', async () => {
    const { reactor, seen } = told((reactor) => reactor.close());
    expect([seen.length, reactor.closed]).toEqual([1, true]);

    // The same when the event loop delivers.
    const other = made();
    let calls = 0;
    for (const fd of [counter(), counter(), counter()]) {
      other.add(fd, EPOLLIN, () => {
        calls++;
        other.close();
      });
    }
    await until(() => other.closed, 'a handler closes the reactor');
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(calls).toBe(1);
  });

  test('handlers may do anything: a thousand random turns', () => {
    const reactor = made();
    let seed = 42;
    const random = (below: number) => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
      return (seed >>> 16) % below;
    };
    // What is to be told, as the test knows it: each registration is an object of its own.
    const watched = new Map<number, { fd: number; live: boolean }>();
    let calls = 0;
    const end = (fd: number) => {
      const registration = watched.get(fd);
      if (registration) registration.live = false;
      watched.delete(fd);
    };
    const begin = (fd: number) => {
      const registration = { fd, live: true };
      watched.set(fd, registration);
      reactor.add(fd, random(2) ? EPOLLIN : EPOLLIN | EPOLLONESHOT, (_events, told) => {
        calls++;
        expect(registration).toEqual({ fd: told, live: true });
        for (let i = random(3); i > 0; i--) act();
      });
    };
    const fds = Array.from({ length: 30 }, () => counter());
    const act = () => {
      const fd = fds[random(fds.length)] as number;
      const action = random(6);
      if (action === 0) {
        end(fd);
        reactor.remove(fd);
      } else if (action === 1 && !watched.has(fd)) begin(fd);
      else if (action === 2) {
        end(fd);
        close(fd);
        fds[fds.indexOf(fd)] = counter(); // often of the same number
      } else if (action === 3 && watched.has(fd)) reactor.modify(fd, EPOLLIN);
      else if (action === 4 && random(10) === 0) reactor.turn(0);
      else if (action === 5) {
        const other = fds[random(fds.length)] as number;
        if (other !== fd) end(dup2(fd, other));
      }
    };
    for (let turn = 0; turn < 1000; turn++) {
      for (let i = 0; i < 5; i++) act();
      reactor.turn(0);
      expect(reactor.size).toBe(watched.size);
    }
    expect(calls).toBeGreaterThan(1000);
    for (const fd of watched.keys()) expect(reactor.remove(fd)).toBe(true);
  });
});

describe('turn', () => {
  test('waits as long as it is told, and answers how many events there were', () => {
    const reactor = made();
    const fd = counter(0);
    reactor.add(fd, EPOLLIN, () => eventfd_read(fd));
    expect([reactor.turn(0), reactor.turn(0.1), reactor.turn(2)]).toEqual([0, 0, 0]);
    eventfd_write(fd, 1n);
    expect([reactor.turn(), reactor.turn(0)]).toEqual([1, 0]);
    eventfd_write(fd, 1n);
    expect(reactor.turn(Infinity)).toBe(1);
    eventfd_write(fd, 1n);
    expect(reactor.turn(1e12)).toBe(1);
  });

  test('a wait of less than a millisecond is one', () => {
    const reactor = made();
    const start = process.hrtime.bigint();
    reactor.turn(0.01);
    expect(process.hrtime.bigint() - start).toBeGreaterThan(500_000n);
  });

  test('throws what a handler threw, when the others have been called', () => {
    const reactor = made();
    let calls = 0;
    const fds = [counter(), counter(), counter()];
    for (const fd of fds) {
      reactor.add(fd, EPOLLIN, () => {
        calls++;
        if (fd === fds[0] || calls > 3) throw new Error(`${fds.indexOf(fd)}`);
      });
    }
    expect(() => reactor.turn(0)).toThrow(new Error('0'));
    expect(calls).toBe(3);
    let several: unknown;
    try {
      reactor.turn(0);
    } catch (error) {
      several = error;
    }
    expect(calls).toBe(6);
    expect(several).toBeInstanceOf(AggregateError);
    const { message, errors } = several as AggregateError;
    expect([message, errors.map(String).sort()]).toEqual(['3 handlers threw', ['Error: 0', 'Error: 1', 'Error: 2']]);
  });

  test('in a handler it delivers the rest of the batch, and then takes the next', () => {
    const reactor = made();
    const log: string[] = [];
    const fds = ['a', 'b', 'c'].map((name): [string, number] => [name, counter()]);
    for (const [name, fd] of fds) {
      reactor.add(fd, EPOLLIN | EPOLLET, () => {
        log.push(name);
        if (name === 'a') log.push(`${reactor.turn()} more`, `${reactor.turn(0)} next`);
      });
    }
    expect(reactor.turn()).toBe(3);
    expect(log).toEqual(['a', 'b', 'c', '2 more', '0 next']);
  });

  test('a signal ends the wait (EINTR): 0', async () => {
    const { worker, messages } = await startWorker(
      'const reactor = new sockets.Reactor(); post(reactor.turn(-1)); reactor.close();',
    );
    await until(() => {
      interrupt(worker);
      return messages.length > 0;
    }, 'turn answers');
    expect(messages).toEqual([0]);
  });
});

describe('handlers are Node callbacks', () => {
  test('nextTicks and promises run when a batch ends, before the next', async () => {
    const reactor = made();
    const fd = counter(3);
    const log: string[] = [];
    reactor.add(fd, EPOLLIN, () => {
      log.push('handler');
      process.nextTick(() => log.push('tick'));
      Promise.resolve().then(() => log.push('promise'));
      if (log.length > 4) reactor.remove(fd);
    });
    await until(() => reactor.size === 0, 'it was called three times');
    await Promise.resolve();
    const once = ['handler', 'tick', 'promise'];
    expect(log).toEqual([...once, ...once, ...once]);
  });

  test('each runs in the AsyncLocalStorage context of its add', async () => {
    const reactor = made();
    const storage = new AsyncLocalStorage<string>();
    const seen: unknown[] = [];
    for (const context of ['one', undefined, 'two']) {
      const fd = counter();
      const look = () => seen.push(storage.getStore());
      const handler = () => {
        look();
        reactor.remove(fd);
        process.nextTick(look);
        setTimeout(look);
        Promise.resolve().then(look);
        expect(executionAsyncId()).toBeGreaterThan(0);
      };
      if (context === undefined) storage.exit(() => reactor.add(fd, EPOLLIN, handler));
      else storage.run(context, () => reactor.add(fd, EPOLLIN, handler));
    }
    await until(() => seen.length === 12, 'all is seen');
    expect(seen.map(String).sort()).toEqual([
      ...Array(4).fill('one'),
      ...Array(4).fill('two'),
      ...Array(4).fill('undefined'),
    ]);

    const fd = counter();
    storage.run('add', () => reactor.add(fd, EPOLLIN, () => seen.push(storage.getStore())));
    storage.run('turn', () => {
      reactor.turn(0);
      seen.push(storage.getStore());
    });
    expect(seen.slice(12)).toEqual(['add', 'turn']);
  });

  const throwing = (onUncaught: string) => `
    import { EFD_CLOEXEC, EFD_NONBLOCK, EPOLLET, EPOLLIN, Reactor, eventfd } from 'posix-sockets';
    const reactor = new Reactor();
    ${onUncaught}
    for (const name of ['a', 'b', 'c', 'd']) {
      reactor.add(eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK), EPOLLIN | EPOLLET, (_events, fd) => {
        console.log(name);
        process.nextTick(() => console.log('tick ' + name));
        reactor.remove(fd);
        if (name !== 'b') throw new Error('thrown by ' + name);
      });
    }`;

  test('an error reaches uncaughtException, and the rest of the batch is delivered', async () => {
    const outcome = await runNode(
      throwing(`process.on('uncaughtException', (error, origin) => console.log(error.message, origin));`),
    );
    const lines = outcome.stdout.trim().split('\n');
    expect(lines.filter((line) => line.length === 1).join('')).toBe('abcd');
    expect(lines.filter((line) => line.startsWith('thrown'))).toEqual(
      ['a', 'c', 'd'].map((name) => `thrown by ${name} uncaughtException`),
    );
    expect(lines.filter((line) => line.startsWith('tick')).length).toBe(4);
    expect(outcome).toMatchObject({ code: 0, stderr: '' });
  });

  test('an error that nobody catches ends the process, as anywhere in Node', async () => {
    const { code, stdout, stderr } = await runNode(throwing(''));
    expect({ code, stdout }).toEqual({ code: 1, stdout: 'a\n' });
    expect(stderr).toMatch(/Error: thrown by a\n +at /);
  });

  test('a handler of uncaughtException may close the reactor', async () => {
    const { code, stdout } = await runNode(
      throwing(`process.on('uncaughtException', (error) => { console.log(error.message); reactor.close(); });`),
    );
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'a\nthrown by a\ntick a\n' });
  });

  // Its thread gets a turn after 1 ms, and a timer is not exact by 1 ms. Of many, some are not held up by the machine.
  test('a flood on one descriptor holds up a 10 ms timer by 1 ms and a handler', async () => {
    const reactor = made();
    let calls = 0;
    reactor.add(counter(), EPOLLIN, () => calls++); // never read: it stays ready
    const late: number[] = [];
    for (let i = 0; i < 20; i++) {
      const due = performance.now() + 10;
      await new Promise((resolve) => setTimeout(resolve, 10));
      late.push(performance.now() - due);
    }
    expect(calls).toBeGreaterThan(1000);
    expect(Math.min(...late)).toBeLessThan(2.5);
  });

  test('setImmediate and other descriptors have their turn in a flood', async () => {
    const reactor = made();
    const other = made();
    let flood = 0;
    let others = 0;
    reactor.add(counter(), EPOLLIN, () => flood++);
    other.add(counter(), EPOLLIN, () => others++);
    for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
    await until(() => flood > 10 && others > 10, 'both are told');
  });
});

describe('what keeps the process alive', () => {
  const begin = `
    import { EFD_CLOEXEC, EFD_NONBLOCK, EPOLLIN, Reactor, close, eventfd } from 'posix-sockets';
    const reactor = Reactor.default, fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    process.on('exit', () => console.log('exit'));`;
  const ends = async (code: string) => {
    const { stdout, stderr, code: status, signal } = await runNode(begin + code, 10_000);
    expect({ stdout, stderr, status, signal }).toEqual({ stdout: 'exit\n', stderr: '', status: 0, signal: null });
  };

  test('not an empty reactor', () => ends(''));
  test('not one that watches, when unref was called', () =>
    ends('reactor.unref(); reactor.add(fd, EPOLLIN, () => {});'));
  test('not one whose last descriptor was removed', () =>
    ends('reactor.add(fd, EPOLLIN, () => {}); reactor.remove(fd);'));
  test('not one whose last descriptor was closed', () => ends('reactor.add(fd, EPOLLIN, () => {}); close(fd);'));
  test('not one that was closed', () => ends('reactor.add(fd, EPOLLIN, () => {}); reactor.close();'));

  test('one that watches does', async () => {
    const { stdout, signal } = await runNode(`${begin} reactor.unref().ref().add(fd, EPOLLIN, () => {});`, 1500);
    expect({ stdout, signal }).toEqual({ stdout: '', signal: 'SIGKILL' });
  });
});

describe('dead registrations', () => {
  // Closed, but a copy lives: the kernel goes on reporting it.
  function dead(reactor: Reactor, events = EPOLLIN): { copy: number; closed: number } {
    const fd = counter(0);
    reactor.add(fd, events, unexpected);
    const copy = opened(dup(fd));
    close(fd);
    return { copy, closed: fd };
  }

  test('events that go on for ever make it build its epoll instance anew, once, and cost nothing then', async () => {
    const reactor = made();
    let calls = 0;
    const live = counter(0);
    reactor.add(live, EPOLLIN, () => {
      calls++;
      eventfd_read(live);
    });
    const { copy, closed } = dead(reactor);
    expect(reactor.remove(closed)).toBe(false);
    eventfd_write(copy, 1n);
    await until(() => reactor.rebuilds === 1, 'it is built anew');
    const before = process.cpuUsage();
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const { user, system } = process.cpuUsage(before);
    expect(user + system).toBeLessThan(50_000); // microseconds, over one second
    eventfd_write(live, 1n);
    await until(() => calls === 1, 'what lives is told');
    expect([reactor.rebuilds, reactor.size, reactor.turn(0)]).toEqual([1, 1, 0]);
  });

  test('all that lives is watched as before: level, edge, one-shot, and one-shot that was fired', () => {
    const reactor = made();
    const log: string[] = [];
    const watch = (name: string, flags: number, fd = counter()) => {
      reactor.add(fd, EPOLLIN | flags, () => log.push(name));
      return fd;
    };
    watch('level', 0);
    const edge = watch('edge', EPOLLET);
    const fired = watch('fired', EPOLLONESHOT);
    reactor.turn(0);
    expect(log.splice(0).sort()).toEqual(['edge', 'fired', 'level']);
    const armed = watch('armed', EPOLLONESHOT, counter(0));
    for (const { copy } of [dead(reactor), dead(reactor)]) eventfd_write(copy, 1n);
    reactor.turn(0);
    reactor.turn(0);
    expect([reactor.rebuilds, reactor.size]).toEqual([1, 4]);
    log.splice(0);
    expect(reactor.turn(0)).toBe(2); // a new epoll instance reports an edge that it has not seen
    expect(log.splice(0).sort()).toEqual(['edge', 'level']);
    eventfd_write(edge, 1n);
    eventfd_write(fired, 1n);
    eventfd_write(armed, 1n);
    reactor.turn(0);
    expect(log.splice(0).sort()).toEqual(['armed', 'edge', 'level']);
    reactor.modify(fired, EPOLLIN | EPOLLONESHOT);
    reactor.turn(0);
    reactor.turn(0);
    expect(log.splice(0).sort()).toEqual(['fired', 'level', 'level']);
    expect(reactor.rebuilds).toBe(1);
    for (const fd of [edge, fired, armed]) expect(reactor.remove(fd)).toBe(true);
  });

  test('the same file under the same number again', () => {
    const reactor = made();
    const { copy, closed } = dead(reactor);
    dup2(copy, opened(closed));
    let calls = 0;
    reactor.add(closed, EPOLLIN, () => calls++);
    eventfd_write(copy, 1n);
    expect([reactor.turn(0), calls, reactor.rebuilds, reactor.size]).toEqual([1, 1, 0, 1]);
    close(closed);
  });

  test('a descriptor closed where this package does not see it', () => {
    const reactor = made();
    const fd = counter(0);
    const copy = opened(dup(fd));
    reactor.add(fd, EPOLLIN, (_events, fd) => reactor.remove(fd));
    closeSync(fd);
    eventfd_write(copy, 1n);
    expect(reactor.turn(0)).toBe(1);
    expect(reactor.size).toBe(0);
    reactor.turn(0);
    reactor.turn(0);
    expect([reactor.rebuilds, reactor.turn(0)]).toEqual([1, 0]);

    // And its number given to another file.
    const [unseen, other] = [counter(0), counter()];
    reactor.add(unseen, EPOLLIN, unexpected);
    closeSync(unseen);
    const again = opened(fcntl(other, F_DUPFD_CLOEXEC, unseen));
    expect(again).toBe(unseen);
    let calls = 0;
    reactor.add(again, EPOLLIN, () => calls++);
    expect([reactor.turn(0), calls, reactor.size]).toEqual([1, 1, 1]);
  });

  test('a rebuild drops what was closed unseen, also if the number is in use again', () => {
    const reactor = made();
    const [unseen, other] = [counter(0), counter()];
    reactor.add(unseen, EPOLLIN, unexpected);
    closeSync(unseen);
    expect(opened(fcntl(other, F_DUPFD_CLOEXEC, unseen))).toBe(unseen);
    const { copy } = dead(reactor);
    eventfd_write(copy, 1n);
    reactor.turn(0);
    reactor.turn(0);
    expect([reactor.rebuilds, reactor.size, reactor.turn(0)]).toEqual([1, 0, 0]);
  });
});

describe('reactors and threads', () => {
  test('Reactor.default is one for each thread, and a new one after it was closed', async () => {
    const mine = Reactor.default;
    whenDone(() => Reactor.default.close());
    expect(Reactor.default).toBe(mine);
    mine.close();
    expect(Reactor.default).not.toBe(mine);
    expect(Reactor.default.closed).toBe(false);
  });

  test('it works in workers, each with its own', async () => {
    const fds = [counter(0), counter(0), counter(0)];
    const workers = await Promise.all(
      fds.map((fd) =>
        startWorker(
          `const reactor = sockets.Reactor.default;
           reactor.add(workerData, sockets.EPOLLIN, (events, fd) => {
             post([events, fd === workerData, Number(sockets.eventfd_read(fd)), sockets.Reactor.default === reactor]);
             reactor.remove(fd);
           });
           post('ready');`,
          fd,
        ),
      ),
    );
    await until(() => workers.every(({ messages }) => messages.length === 1), 'they are ready');
    for (const [i, fd] of fds.entries()) eventfd_write(fd, BigInt(i + 1));
    await until(() => workers.every(({ messages }) => messages.length === 2), 'they were told');
    expect(workers.map(({ messages }) => messages[1])).toEqual([1, 2, 3].map((n) => [EPOLLIN, true, n, true]));
  });

  const flood = `
    const { parentPort } = require('node:worker_threads');
    import('posix-sockets').then(({ EFD_CLOEXEC, EPOLLIN, Reactor, eventfd }) => {
      const fds = Array.from({ length: 10 }, () => eventfd(1, EFD_CLOEXEC));
      for (const reactor of [Reactor.default, new Reactor(), new Reactor().unref()])
        for (const fd of fds) reactor.add(fd, EPOLLIN, () => HANDLER);
      parentPort.postMessage(fds);
    });`;

  // Starts the worker above, ends it, and finds nothing left of it.
  async function ended(handler: string, end: (worker: Worker) => unknown): Promise<{ code: number; error?: Error }> {
    const worker = new Worker(flood.replace('HANDLER', handler), { eval: true });
    const outcome: { code: number; error?: Error } = { code: -1 };
    worker.on('error', (error) => {
      outcome.error = error as Error;
    });
    // A worker that ends at once may end in the same turn in which its message is read.
    const exit = new Promise<number>((resolve) => worker.once('exit', resolve));
    const fds = await new Promise<number[]>((resolve) => worker.once('message', resolve));
    end(worker);
    outcome.code = await exit;
    for (const fd of fds) close(fd); // a worker's descriptors are the process's
    return outcome;
  }

  test('nothing is left behind when a worker is terminated, also in the middle of a batch', async () => {
    const [threads, before] = [waitingThreads(), descriptors().size];
    for (const handler of [
      '{}',
      '{ for (;;); }',
      'queueMicrotask(() => { for (;;); })',
      '{ Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1) }',
    ]) {
      for (let i = 0; i < 4; i++) await ended(handler, (worker) => worker.terminate());
    }
    await until(() => descriptors().size === before && waitingThreads() === threads, 'nothing is left');
  });

  test('a worker may end in a handler: by process.exit, or by an error', async () => {
    const [threads, before] = [waitingThreads(), descriptors().size];
    expect(await ended('process.exit(7)', () => {})).toEqual({ code: 7 });
    expect(await ended(`{ throw new Error('in a worker') }`, () => {})).toMatchObject({
      code: 1,
      error: { message: 'in a worker' },
    });
    expect((await ended('{ process.nextTick(() => process.exit(8)) }', () => {})).code).toBe(8);
    await until(() => descriptors().size === before && waitingThreads() === threads, 'nothing is left');
  });

  test('process.exit in a handler ends the process', async () => {
    const { code, stderr } = await runNode(
      `import { EPOLLIN, Reactor, eventfd } from 'posix-sockets';
       Reactor.default.add(eventfd(1), EPOLLIN, () => process.exit(9));`,
    );
    expect({ code, stderr }).toEqual({ code: 9, stderr: '' });
  });

  test('a hundred reactors leave nothing behind', () => {
    const before = descriptors().size;
    const fd = counter();
    let calls = 0;
    for (let i = 0; i < 100; i++) {
      using reactor = new Reactor();
      reactor.add(fd, EPOLLIN, () => calls++);
      reactor.turn(0);
    }
    expect([calls, descriptors().size]).toEqual([100, before + 1]);
  });
});

describe('memory', () => {
  const collecting = (code: string) =>
    run(process.execPath, [
      '--expose-gc',
      '--input-type=module',
      '--eval',
      `import { setTimeout as sleep } from 'node:timers/promises';
       import { EFD_CLOEXEC, EPOLLET, EPOLLIN, Reactor, close, eventfd, eventfd_write } from 'posix-sockets';
       import { readdirSync } from 'node:fs';
       const until = async (holds) => { for (let i = 0; i < 200 && !holds(); i++) { globalThis.gc(); await sleep(5); } return holds(); };
       const open = () => readdirSync('/proc/self/fd').length;
       ${code}`,
    ]);

  test('a reactor that nobody holds and that watches nothing is collected, with its descriptors', async () => {
    const { stdout, stderr } = await collecting(`
      const fd = eventfd(0, EFD_CLOEXEC), before = open();
      (() => { for (let i = 0; i < 20; i++) { const r = new Reactor(); r.add(fd, EPOLLIN, () => {}); r.remove(fd); } })();
      console.log(open() > before, await until(() => open() === before));`);
    expect({ stdout, stderr }).toEqual({ stdout: 'true true\n', stderr: '' });
  });

  test('one that watches lives on, whoever holds it, unref or not', async () => {
    const { stdout, stderr } = await collecting(`
      const fds = [eventfd(0, EFD_CLOEXEC), eventfd(0, EFD_CLOEXEC)], calls = [];
      (() => {
        new Reactor().add(fds[0], EPOLLIN | EPOLLET, () => calls.push(0));
        const late = new Reactor().unref();
        gc();
        late.add(fds[1], EPOLLIN | EPOLLET, () => calls.push(1));
      })();
      for (let i = 0; i < 10; i++) { gc(); await sleep(1); }
      for (const fd of fds) eventfd_write(fd, 1n);
      console.log(await until(() => calls.length === 2));
      process.exit();`);
    expect({ stdout, stderr }).toEqual({ stdout: 'true\n', stderr: '' });
  });

  test('handlers of descriptors that were closed and not removed are let go', async () => {
    const { stdout, stderr } = await collecting(`
      const reactor = new Reactor(), handlers = [], fds = Array.from({ length: 200 }, () => eventfd(0, EFD_CLOEXEC));
      const add = (fd, handler) => {
        handlers.push(new WeakRef(handler));
        reactor.add(fd, EPOLLIN, handler);
      };
      for (const fd of fds) add(fd, () => {});
      for (const fd of fds) close(fd);
      reactor.add(eventfd(0, EFD_CLOEXEC), EPOLLIN, () => {});
      for (let i = 0; i < 20; i++) { gc(); await sleep(1); }
      // V8 itself may remember the last one.
      console.log(handlers.filter((handler) => handler.deref()).length <= 1, reactor.size);
      process.exit();`);
    expect({ stdout, stderr }).toEqual({ stdout: 'true 1\n', stderr: '' });
  });
});

describe('no descriptors left', () => {
  const limited = (limit: number, code: string) =>
    run('sh', [
      '-c',
      `ulimit -n ${limit} && exec "$@"`,
      '-',
      process.execPath,
      '--input-type=module',
      '--eval',
      `import { readdirSync } from 'node:fs'; import * as s from 'posix-sockets'; ${code}`,
    ]);

  test('EMFILE: there is no reactor, and nothing of it', async () => {
    const { stdout, stderr } = await limited(
      200,
      `const reactors = [], open = () => readdirSync('/proc/self/fd').length;
       let code; try { for (;;) reactors.push(new s.Reactor()) } catch (error) { code = error.code }
       for (const reactor of reactors) reactor.close();
       const before = open(); new s.Reactor().close();
       console.log(code, reactors.length > 10, open() === before);`,
    );
    expect({ stdout, stderr }).toEqual({ stdout: 'EMFILE true true\n', stderr: '' });
  });

  test('EMFILE on accept: the listener stays ready, until modify says not to ask', async () => {
    const { stdout, stderr } = await limited(
      200,
      `const reactor = new s.Reactor();
       const listener = s.socket(s.AF_INET, s.SOCK_STREAM | s.SOCK_NONBLOCK);
       s.bind(listener, s.sockaddr_in('127.0.0.1', 0)); s.listen(listener, 8);
       const client = s.socket(s.AF_INET, s.SOCK_STREAM); s.connect(client, s.getsockname(listener));
       const full = []; let fd; while ((fd = s.raw.dup(listener)) >= 0) full.push(fd);
       const seen = [];
       reactor.add(listener, s.EPOLLIN, () => {
         const fd = s.raw.accept4(listener, null, s.SOCK_NONBLOCK);
         seen.push(fd < 0 ? s.errnoName(fd) : 'accepted');
         if (seen.length === 3) reactor.modify(listener, 0);
         if (fd >= 0) reactor.close();
       });
       setTimeout(() => { seen.push('later'); s.close(full.pop()); reactor.modify(listener, s.EPOLLIN); }, 50);
       process.on('exit', () => console.log(seen.join(' ')));`,
    );
    expect({ stdout, stderr }).toEqual({ stdout: 'EMFILE EMFILE EMFILE later accepted\n', stderr: '' });
  });
});

test('an echo between two reactors: every byte arrives', async () => {
  const [near, far] = [made(), made()];
  const total = 300_000;
  const [one, other] = pair();
  const buffer = new Uint8Array(10_000);
  far.add(other, EPOLLIN, () => {
    for (let length = raw.recv(other, buffer, 0); length > 0; length = raw.recv(other, buffer, 0)) {
      expect(send(other, buffer.subarray(0, length))).toBe(length);
    }
  });
  let [sent, received, wrong] = [0, 0, 0];
  near.add(one, EPOLLIN | EPOLLOUT, (events) => {
    if (events & EPOLLIN) {
      const length = recv(one, buffer);
      for (let i = 0; i < length; i++) if (buffer[i] !== (received + i) % 251) wrong++;
      received += length;
    }
    if (sent < total && sent - received < 50_000) {
      const chunk = Uint8Array.from({ length: 5000 }, (_, i) => (sent + i) % 251);
      sent += write(one, chunk);
    } else {
      near.modify(one, sent < total ? EPOLLIN | EPOLLOUT : EPOLLIN);
    }
  });
  await until(() => received === total, 'all has come back');
  expect(wrong).toBe(0);
});
