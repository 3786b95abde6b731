// The tracer's own promises. That its lines are strace's is for strace.test.ts to show.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import {
  AF_INET,
  AF_UNIX,
  accept,
  bind,
  close,
  connect,
  constants,
  EBADF,
  EPOLLIN,
  getsockname,
  listen,
  MSG_DONTWAIT,
  MSG_PEEK,
  pipe2,
  Reactor,
  raw,
  recv,
  recvFds,
  SHUT_WR,
  SOCK_STREAM,
  SystemError,
  send,
  sendFds,
  setOption,
  shutdown,
  sockaddr_in,
  socket,
  socketpair,
} from 'posix-sockets';
import { calls, explain, type TraceBegin, type TraceEvent, trace } from 'posix-sockets/trace';
import { afterEach, describe, expect, test } from 'vitest';
import { traced } from './trace-support.js';

const open: number[] = [];
afterEach(() => {
  for (const fd of open.splice(0)) raw.close(fd);
});

function pair(): [number, number] {
  const fds = socketpair(AF_UNIX, SOCK_STREAM);
  open.push(...fds);
  return fds;
}

describe('trace', () => {
  test('a checked call and a raw call are both seen, decoded, with their results', () => {
    const [a, b] = pair();
    const events = traced(() => {
      send(a, Buffer.from('hi\n'));
      raw.recv(b, new Uint8Array(10), MSG_PEEK | MSG_DONTWAIT);
    });
    expect(events.map(String)).toEqual([
      `send(${a}, "hi\\n", 3, 0) = 3`,
      `recv(${b}, "hi\\n", 10, MSG_PEEK|MSG_DONTWAIT) = 3`,
    ]);
  });

  test('an error is in the line, and thrown as without a tracer', () => {
    const [a] = pair();
    let thrown: unknown;
    const [event] = traced(() => {
      try {
        recv(a, new Uint8Array(4), MSG_DONTWAIT);
      } catch (error) {
        thrown = error;
      }
    });
    expect(thrown).toBeInstanceOf(SystemError);
    expect(event?.text).toBe(`recv(${a}, buf, 4, MSG_DONTWAIT) = -1 EAGAIN (Resource temporarily unavailable)`);
    expect(event).toMatchObject({ call: 'recv', result: -11, error: 'EAGAIN' });
  });

  test("raw's functions stay the same ones, also those that were taken out of it", () => {
    const before = { ...raw };
    const { send } = raw;
    const [a] = pair();
    const lines: string[] = [];
    const one = trace(({ text }) => lines.push(text));
    const two = trace(({ text }) => lines.push(text));
    for (const name of Object.keys(calls) as (keyof typeof calls)[]) expect(raw[name], name).toBe(before[name]);
    send(a, new Uint8Array(1), 0);
    one.stop();
    send(a, new Uint8Array(2), 0);
    two.stop();
    two.stop();
    send(a, new Uint8Array(3), 0);
    expect(lines).toEqual([1, 1, 2].map((length) => expect.stringContaining(`, ${length}, 0) = ${length}`)));
  });

  test('a call that a call makes is traced, too: an array of buffers may run a getter', () => {
    const [a] = pair();
    const buffers = Object.defineProperty([] as Uint8Array[], 0, {
      get() {
        send(a, Buffer.from('x'));
        return Buffer.from('yz');
      },
    });
    const told = traced(() => raw.writev(a, buffers)).map(({ call }) => call);
    expect(told).toEqual(['send', 'writev']);
  });

  test('arguments too many are passed over, as without a tracer', () => {
    const superfluous = Array.from({ length: 100 }, () => ({}));
    const call = (name: 'close' | 'send' | 'sockatmark') =>
      (raw[name] as (...given: unknown[]) => number)(-1, new Uint8Array(0), 0, ...superfluous);
    const names = ['close', 'send', 'sockatmark'] as const;
    const before = names.map(call);
    const events = traced(() => expect(names.map(call)).toEqual(before));
    expect(events.map(String)).toEqual([
      'close(-1) = -1 EBADF (Bad file descriptor)',
      'send(-1, NULL, 0, 0) = -1 EBADF (Bad file descriptor)',
      'sockatmark(-1) = -1 EBADF (Bad file descriptor)',
    ]);
  });

  test('what is said to be long takes no longer: a batch from slot -2^31, an array of 2^32 - 1 holes', () => {
    const few = new Uint8Array(20);
    const events = traced(() => {
      expect(() => raw.sendmmsg(-1, few, null, null, few, -(2 ** 31), 2 ** 53 - 1, 0)).toThrow(RangeError);
      expect(() => raw.writev(-1, new Array(2 ** 32 - 1))).toThrow(TypeError);
      expect(raw.sendmmsg(-1, few, null, null, few, 0, 1, 0)).toBe(-EBADF);
    });
    expect(events.map(({ call }) => call)).toEqual(['sendmmsg']);
  });

  test('a batch whose table is a stretch of a longer memory, and no multiple of an int32', () => {
    const [a] = pair();
    const [length, name, control, flags, sent] = [2, 0, 0, 0, 0];
    const memory = Buffer.from(Int32Array.of(7, 7, length, name, control, flags, sent, 7).buffer);
    const table = Buffer.concat([Buffer.alloc(1), memory]).subarray(1 + 8, 1 + 8 + 23);
    const [event] = traced(() => expect(raw.sendmmsg(a, Buffer.from('abc'), null, null, table, 0, 1, 0)).toBe(1));
    expect(String(event)).toContain('msg_iov=[{iov_base="ab", iov_len=2}]');
    expect(String(event)).toMatch(/msg_len=2}\], 1, 0\) = 1$/);
  });

  test('a sink may begin and end traces', () => {
    const [a] = pair();
    const told: string[] = [];
    const outer = trace(() => {
      told.push('outer');
      const inner = trace(() => told.push('inner'));
      raw.close(-1);
      setImmediate(() => inner.stop());
      outer.stop();
    });
    send(a, Buffer.from('x'));
    expect(told).toEqual(['outer']);
    send(a, Buffer.from('x'));
    expect(told).toEqual(['outer', 'inner']);
    return new Promise<void>((resolve) =>
      setImmediate(() => {
        send(a, Buffer.from('x'));
        expect(told).toEqual(['outer', 'inner']);
        resolve();
      }),
    );
  });

  test('raw.out is what the call left in it, though the tracer and the sink make calls', () => {
    const [, b] = pair();
    const tracing = trace(() => void raw.getsockname(b, new Uint8Array(2)), { states: true });
    try {
      expect(raw.socketpair(AF_UNIX, SOCK_STREAM, 0)).toBe(0);
      const fds = [raw.out[0] as number, raw.out[1] as number];
      open.push(...fds);
      expect(fds[0]).toBeGreaterThan(b);
      expect(fds[1]).toBeGreaterThan(fds[0] as number);
    } finally {
      tracing.stop();
    }
  });

  test("a sink's own calls are not traced", () => {
    const [a] = pair();
    const seen: string[] = [];
    const tracing = trace((event) => {
      seen.push(event.call);
      raw.send(a, new Uint8Array(1), 0);
    });
    raw.fcntl(a, 1, 0);
    tracing.stop();
    expect(seen).toEqual(['fcntl']);
  });

  test('what a sink throws does not reach the program', async () => {
    const [a] = pair();
    const uncaught = new Promise((resolve) => process.once('uncaughtException', resolve));
    const others = process.listeners('uncaughtException').slice(0, -1);
    for (const listener of others) process.off('uncaughtException', listener as () => void);
    const tracing = trace(() => {
      throw new Error('the sink is full');
    });
    expect(raw.send(a, new Uint8Array(3), 0)).toBe(3);
    tracing.stop();
    expect(await uncaught).toMatchObject({ message: 'the sink is full' });
    for (const listener of others) process.on('uncaughtException', listener as () => void);
  });

  test('what a call refuses is refused with the tracer on, and is no event', () => {
    const events = traced(() => {
      expect(() => (raw.send as (...given: unknown[]) => void)('x', 3)).toThrow("send: 'fd' must be an integer");
    });
    expect(events).toEqual([]);
  });

  test('values of the wrong kind show as unknown where the call takes them', () => {
    const [event] = traced(() => void (raw.poll as (...given: unknown[]) => void)(new Float64Array(0), 0));
    expect(event?.text).toBe('poll(NULL, 0, 0) = 0 (Timeout)');
  });

  test('onBegin tells of a call before it is made, as far as it is known', () => {
    const [a, b] = pair();
    const begun: TraceBegin[] = [];
    const events = traced(
      () => {
        raw.send(a, Buffer.from('x'), 0);
        raw.recv(b, new Uint8Array(1), 0);
      },
      { onBegin: (call) => begun.push(call) },
    );
    expect(begun.map(({ text }) => text)).toEqual([`send(${a}, "x", 1, 0)`, `recv(${b}, `]);
    expect(events).toHaveLength(2);
    expect(begun[1]?.time).toBeLessThanOrEqual(events[1]?.time as number);
  });

  test('functions that only compute are shown when asked for', () => {
    const work = () => void raw.htons(80);
    expect(traced(work)).toEqual([]);
    expect(traced(work, { all: true }).map(String)).toEqual([`htons(80) = ${raw.htons(80)}`]);
  });

  test('as JSON an event has its decoded arguments and its line', () => {
    const fd = socket(AF_INET, SOCK_STREAM);
    open.push(fd);
    const [event] = traced(() => bind(fd, sockaddr_in('127.0.0.1', 0)), { states: true });
    const record = JSON.parse(JSON.stringify(event));
    expect(record).toMatchObject({
      thread: 0,
      call: 'bind',
      arguments: {
        sockfd: fd,
        addr: { sa_family: 'AF_INET', sin_port: 0, sin_addr: '127.0.0.1' },
        addrlen: 16,
      },
      result: 0,
      states: [{ fd, before: 'TCP_CLOSE', after: 'TCP_CLOSE' }],
      text: `${event}`,
    });
    expect(Math.abs(record.time - Date.now())).toBeLessThan(60_000);
  });

  test('states are those before and after the call, of new descriptors, too', () => {
    let fd = -1;
    const events = traced(
      () => {
        fd = socket(AF_INET, SOCK_STREAM);
        listen(fd, 1);
        getsockname(fd);
        close(fd);
      },
      { states: true },
    );
    expect(events.map(({ states }) => states)).toEqual([
      [{ fd, before: null, after: 'TCP_CLOSE' }],
      [{ fd, before: 'TCP_CLOSE', after: 'TCP_LISTEN' }],
      [{ fd, before: 'TCP_LISTEN', after: 'TCP_LISTEN' }],
      [{ fd, before: 'TCP_LISTEN', after: null }],
    ]);
  });

  test('limit says how many bytes and elements are shown', () => {
    const [a] = pair();
    const work = () => void raw.send(a, Buffer.from('abcdef'), 0);
    expect(traced(work, { limit: 3 })[0]?.text).toBe(`send(${a}, "abc"..., 6, 0) = 6`);
    expect(traced(work)[0]?.text).toBe(`send(${a}, "abcdef", 6, 0) = 6`);
  });

  test('lines go to a stream', () => {
    const [a] = pair();
    let written = '';
    const tracing = trace({ write: (line: string) => (written += line) });
    raw.send(a, Buffer.from('x'), 0);
    tracing.stop();
    expect(written).toBe(`send(${a}, "x", 1, 0) = 1\n`);
  });
});

describe("a reactor's own epoll_wait", () => {
  test('is shown when it has brought events, and not when nobody listens', async () => {
    const [a, b] = pair();
    const reactor = new Reactor();
    const lines: string[] = [];
    const tracing = trace((event) => lines.push(String(event)));
    const ready = () => new Promise((resolve) => reactor.add(b, EPOLLIN, resolve));
    setImmediate(() => send(a, Buffer.from('x')));
    await ready();
    const waits = lines.filter((line) => line.startsWith('epoll_wait('));
    const added = /^epoll_ctl\((\d+), EPOLL_CTL_ADD, \d+, \{events=EPOLLIN, data=(\{.*?\})\}\) = 0$/m.exec(
      lines.join('\n'),
    );
    expect(waits).toEqual([`epoll_wait(${added?.[1]}, [{events=EPOLLIN, data=${added?.[2]}}], 256, 0) = 1`]);
    tracing.stop();
    reactor.remove(b);
    await ready();
    expect(lines.filter((line) => line.startsWith('epoll_wait('))).toHaveLength(1);
    reactor.close();
  });

  test('that turn makes, with how long it took', () => {
    const [, b] = pair();
    const reactor = new Reactor();
    reactor.add(b, EPOLLIN, () => {});
    const [waited] = traced(() => void reactor.turn(20));
    expect(waited?.text).toMatch(/^epoll_wait\(\d+, \[\], 256, 20\) = 0$/);
    expect(waited?.duration).toBeGreaterThanOrEqual(19);
    reactor.close();
  });
});

describe('the open files of calls', () => {
  const linkOf = (fd: number) => readlinkSync(`/proc/self/fd/${fd}`);
  const filesOf = (work: () => void) => traced(work, { files: true }).map(({ files }) => files);

  test('what a descriptor is before a call and after it, by the names and addresses that the kernel gives', () => {
    let fd = -1;
    const [made, named, closed] = filesOf(() => {
      fd = socket(AF_INET, SOCK_STREAM);
      open.push(fd);
      bind(fd, sockaddr_in('127.0.0.1', 0));
    }).concat(
      filesOf(() => {
        close(fd);
      }),
    );
    const kind = { name: made?.[0]?.after?.name, family: 'AF_INET', type: 'SOCK_STREAM', protocol: 'IPPROTO_TCP' };
    const fresh = { ...kind, local: '0.0.0.0:0', state: 'TCP_CLOSE' };
    expect(kind.name).toMatch(/^socket:\[\d+\]$/);
    expect(made).toEqual([{ fd, before: null, after: fresh }]);
    const bound = { ...fresh, local: expect.stringMatching(/^127\.0\.0\.1:[1-9]\d*$/) };
    expect(named).toEqual([{ fd, before: fresh, after: bound }]);
    expect(closed).toEqual([{ fd, before: bound, after: null }]);
  });

  test('both ends of a pair, and of a pipe', () => {
    const [pairFiles, pipeFiles] = filesOf(() => {
      open.push(...socketpair(AF_UNIX, SOCK_STREAM), ...pipe2());
    });
    const [one, other, reader, writer] = open.slice(-4) as [number, number, number, number];
    expect(pairFiles).toMatchObject([
      { fd: one, after: { name: linkOf(one), family: 'AF_UNIX', other: linkOf(other) } },
      { fd: other, after: { name: linkOf(other), family: 'AF_UNIX', other: linkOf(one) } },
    ]);
    expect(pipeFiles).toMatchObject([
      { fd: reader, after: { name: linkOf(reader), end: 'read' } },
      { fd: writer, after: { name: linkOf(writer), end: 'write' } },
    ]);
  });

  test('descriptors that are passed in a message', () => {
    const [a, b] = pair();
    const [reader, writer] = pipe2();
    open.push(reader, writer);
    const [sent, received] = filesOf(() => {
      sendFds(a, [writer]);
      open.push(...recvFds(b, 1).fds);
    });
    const arrived = open.at(-1) as number;
    expect(sent).toMatchObject([{ fd: a }, { fd: writer, after: { name: linkOf(writer), end: 'write' } }]);
    expect(received).toMatchObject([{ fd: b }, { fd: arrived, before: null, after: { name: linkOf(writer) } }]);
  });

  test('other TCP sockets whose state a call changes', () => {
    const listener = socket(AF_INET, SOCK_STREAM);
    open.push(listener);
    bind(listener, sockaddr_in('127.0.0.1', 0));
    listen(listener, 1);
    const client = socket(AF_INET, SOCK_STREAM);
    open.push(client);
    const events = traced(
      () => {
        connect(client, getsockname(listener));
        open.push(accept(listener));
        shutdown(client, SHUT_WR);
      },
      { files: true },
    );
    const server = open.at(-1) as number;
    const last = events.at(-1)?.others;
    expect(last).toMatchObject([
      { fd: server, before: { state: 'TCP_ESTABLISHED' }, after: { name: linkOf(server), state: 'TCP_CLOSE_WAIT' } },
    ]);
  });

  test('how long the thread slept, and that it did not', () => {
    const [a, b] = pair();
    setOption(b, 'SO_RCVTIMEO', { tv_sec: 0, tv_usec: 50_000 });
    const [waited, asked] = traced(
      () => {
        raw.recv(b, new Uint8Array(1), 0);
        raw.recv(a, new Uint8Array(1), MSG_DONTWAIT);
      },
      { files: true },
    ) as [TraceEvent, TraceEvent];
    expect(waited).toMatchObject({ error: 'EAGAIN' });
    expect((waited.slept as number) + (waited.queued as number)).toBeCloseTo(waited.duration, 6);
    expect(waited.slept).toBeGreaterThan(0);
    expect(waited.duration).toBeGreaterThanOrEqual(49);
    // Somebody else may have had the processor, but not for as long as the call before was asleep.
    expect(asked.slept).toBeLessThan(waited.slept as number);
  });

  test('a trace that is stopped has closed what it read them from', () => {
    const before = readdirSync('/proc/self/fd').length;
    for (let i = 0; i < 3; i++) {
      const tracing = trace(() => {}, { files: true });
      tracing.stop();
      tracing.stop();
    }
    expect(readdirSync('/proc/self/fd').length).toBe(before);
  });
});

describe('explain', () => {
  test('an error at a call is explained from that call', () => {
    const connect = explain(new SystemError('connect', -111));
    const sendto = explain(new SystemError('sendto', -111));
    expect(connect).toMatch(/nobody listens/);
    expect(sendto).toMatch(/ICMP/);
    expect(connect).not.toBe(sendto);
  });

  test('an error that means the same everywhere is explained for every call', () => {
    expect(explain(new SystemError('getsockname', -9))).toMatch(/no open descriptor/);
    expect(explain({ code: 'ENOTSOCK', syscall: 'nosuchcall' })).toMatch(/not a socket/);
  });

  test('what is no error of any call is not explained', () => {
    expect(explain(new Error('x'))).toBeUndefined();
    expect(explain({ code: 'ENOSUCHTHING', syscall: 'send' })).toBeUndefined();
  });

  test('every error is explained that the documentation of a checked call promises', () => {
    const folder = join(import.meta.dirname, '../lib/syscalls');
    const sources = readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8'));
    const documented = /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\nexport (?:async )?function (\w+)/g;
    const promised = sources.flatMap((source) =>
      Array.from(source.matchAll(documented), ([, comment, syscall]) => {
        const [, thrown = ''] = /@throws([\s\S]*?)(?:@|$)/.exec(comment as string) ?? [];
        const codes = Array.from(thrown.matchAll(/(?<!ERR_)\bE(?!POLL)[A-Z0-9]+(?:_[A-Z]+)?\b/g), ([code]) => code);
        const known = codes.filter((code) => code in constants && (syscall as string) in calls);
        return known.map((code) => ({ syscall, code }));
      }).flat(),
    );
    expect(promised.length).toBeGreaterThan(100);
    expect(promised.filter((error) => explain(error) === undefined)).toEqual([]);
  });

  test('every explanation is three sentences that end, and every summary, too', () => {
    for (const [name, { errors = {}, summary }] of Object.entries(calls)) {
      expect(summary, name).toMatch(/[.)]$/);
      for (const [code, parts] of Object.entries(errors)) {
        expect(parts, `${name} ${code}`).toHaveLength(3);
        for (const part of parts) expect(part, `${name} ${code}`).toMatch(/[.)]$/);
      }
    }
  });
});
