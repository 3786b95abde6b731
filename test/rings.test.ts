import { Worker } from 'node:worker_threads';
import {
  AF_INET,
  AF_UNIX,
  bind,
  close,
  EBADF,
  ECANCELED,
  ECONNREFUSED,
  EEXIST,
  EINVAL,
  ENOBUFS,
  EOPNOTSUPP,
  EPOLLIN,
  ETIME,
  getpeername,
  getsockname,
  IORING_ACCEPT_MULTISHOT,
  IORING_ASYNC_CANCEL_ALL,
  IORING_CQE_BUFFER_SHIFT,
  IORING_CQE_F_BUFFER,
  IORING_CQE_F_MORE,
  IORING_ENTER_EXT_ARG,
  IORING_OFF_SQES,
  IORING_OP_ACCEPT,
  IORING_OP_ASYNC_CANCEL,
  IORING_OP_BIND,
  IORING_OP_CLOSE,
  IORING_OP_CONNECT,
  IORING_OP_LINK_TIMEOUT,
  IORING_OP_LISTEN,
  IORING_OP_NOP,
  IORING_OP_OPENAT,
  IORING_OP_POLL_ADD,
  IORING_OP_PROVIDE_BUFFERS,
  IORING_OP_READV,
  IORING_OP_RECV,
  IORING_OP_RECVMSG,
  IORING_OP_SEND,
  IORING_OP_SENDMSG,
  IORING_OP_SHUTDOWN,
  IORING_OP_SOCKET,
  IORING_OP_TIMEOUT,
  IORING_RECV_MULTISHOT,
  IORING_SEND_VECTORIZED,
  IORING_SETUP_DEFER_TASKRUN,
  IORING_SETUP_NO_MMAP,
  IORING_SETUP_SINGLE_ISSUER,
  IORING_SETUP_SQPOLL,
  IOSQE_BUFFER_SELECT,
  IOSQE_CQE_SKIP_SUCCESS,
  IOSQE_IO_LINK,
  io_uring_enter,
  io_uring_params,
  io_uring_setup,
  listen,
  MAP_SHARED,
  mmap,
  PROT_READ,
  PROT_WRITE,
  Reactor,
  Ring,
  type RingEntry,
  raw,
  recv,
  SHUT_WR,
  SOCK_DGRAM,
  SOCK_STREAM,
  send,
  sockaddr_in,
  socket,
  socketpair,
  terminate,
  timespec,
} from 'posix-sockets';
import { describe, expect, test } from 'vitest';
import { abstractAddress, bytes, descriptors, errorOf, opened, runNode, whenDone } from './support.js';

// Where io_uring is forbidden, by kernel.io_uring_disabled or by a filter, there is nothing to test.
const tried = raw.io_uring_setup(1, new io_uring_params().bytes);
if (tried >= 0) raw.io_uring_close(tried);
const haveRings = tried >= 0;

function ringOf(entries = 8, length = 4096, params?: io_uring_params): Ring {
  const ring = new Ring(entries, length, params);
  whenDone(() => ring.close());
  return ring;
}

function pair(type = SOCK_STREAM): [number, number] {
  const made = socketpair(AF_UNIX, type);
  made.forEach(opened);
  return made;
}

/** What completed: user_data, res, flags. */
const completions = (ring: Ring, count: number) =>
  Array.from({ length: count }, (_, i) => [ring.user_data(i), ring.res(i), ring.flags(i)]);

/** Prepares the entries, submits them and waits until each is complete: their results by user_data. */
function results(ring: Ring, ...entries: RingEntry[]): Map<number, number> {
  for (const entry of entries) ring.prepare(entry);
  const found = new Map<number, number>();
  while (found.size < entries.length) {
    const count = ring.submit(1, 5000);
    if (count === 0) throw new Error('nothing completed within 5 s');
    for (const [data, res] of completions(ring, count)) found.set(data as number, res as number);
  }
  return found;
}

const resultOf = (ring: Ring, entry: RingEntry) => [...results(ring, entry).values()][0];

const textAt = (ring: Ring, addr: number, length: number) =>
  Buffer.from(ring.memory.subarray(addr, addr + length)).toString();

describe.skipIf(!haveRings)('a ring (skipped where io_uring is forbidden)', () => {
  test('is made of parameters that need not be aligned', () => {
    const room = new Uint8Array(io_uring_params.size + 1);
    const fd = raw.io_uring_setup(3, room.subarray(1));
    expect(fd).toBeGreaterThan(0);
    expect(raw.io_uring_close(fd)).toBe(0);
    expect(new io_uring_params(room.slice(1)).sq_entries).toBe(4); // rounded up to a power of two
  });

  test('receives into its memory while the program goes on', () => {
    const ring = ringOf();
    const [one, other] = pair();
    ring.prepare({ opcode: IORING_OP_RECV, fd: other, addr: 100, len: 50, user_data: 2 ** 53 - 1 });
    expect(ring.prepared).toBe(1);
    expect(ring.submit()).toBe(0);
    expect(ring.prepared).toBe(0);
    send(one, bytes('hello'));
    expect(ring.submit(1)).toBe(1);
    expect(completions(ring, 1)).toEqual([[2 ** 53 - 1, 5, 0]]);
    expect(textAt(ring, 99, 7)).toBe('\0hello\0');
  });

  test('sends from its memory, many operations in one call', () => {
    const ring = ringOf();
    const [one, other] = pair(SOCK_DGRAM);
    ring.memory.set(bytes('firstsecond'));
    ring.prepare({ opcode: IORING_OP_SEND, fd: one, addr: 0, len: 5, user_data: 1 });
    ring.prepare({ opcode: IORING_OP_SEND, fd: one, addr: 5, len: 6, user_data: 2 });
    expect(ring.submit(2)).toBe(2);
    const room = Buffer.alloc(16);
    expect(room.toString('utf8', 0, recv(other, room))).toBe('first');
    expect(room.toString('utf8', 0, recv(other, room))).toBe('second');
  });

  test('answers errors as the calls would, by -errno', () => {
    const ring = ringOf();
    const nobody = socket(AF_INET, SOCK_STREAM);
    bind(nobody, sockaddr_in('127.0.0.1', 0));
    const gone = getsockname(nobody);
    close(nobody);
    const client = opened(socket(AF_INET, SOCK_STREAM));
    ring.memory.set(gone.bytes);
    const entries: RingEntry[] = [
      { opcode: IORING_OP_RECV, fd: -1, len: 1, user_data: 1 },
      { opcode: IORING_OP_CONNECT, fd: client, addr: 0, off: gone.bytes.length, user_data: 2 },
      { opcode: IORING_OP_CLOSE, fd: 1_000_000, user_data: 3 },
      { opcode: IORING_OP_SHUTDOWN, fd: client, len: 99, user_data: 4 },
    ];
    expect(Object.fromEntries(results(ring, ...entries))).toEqual({
      1: -EBADF,
      2: -ECONNREFUSED,
      3: -EBADF,
      4: -EINVAL,
    });
  });

  test('makes a connection from socket to close', () => {
    const ring = ringOf();
    const listener = opened(socket(AF_INET, SOCK_STREAM));
    bind(listener, sockaddr_in('127.0.0.1', 0));
    listen(listener, 5);
    const where = getsockname(listener);
    ring.memory.set(where.bytes);
    const client = resultOf(ring, { opcode: IORING_OP_SOCKET, fd: AF_INET, off: SOCK_STREAM }) as number;
    const made = results(
      ring,
      { opcode: IORING_OP_ACCEPT, fd: listener, user_data: 1 },
      { opcode: IORING_OP_CONNECT, fd: client, addr: 0, off: where.bytes.length, user_data: 2 },
    );
    const server = made.get(1) as number;
    expect(made.get(2)).toBe(0);
    expect(`${getpeername(client)}`).toBe(`${getsockname(server)}`);
    expect(resultOf(ring, { opcode: IORING_OP_SHUTDOWN, fd: client, len: SHUT_WR })).toBe(0);
    expect(resultOf(ring, { opcode: IORING_OP_RECV, fd: server, addr: 64, len: 10 })).toBe(0);
    for (const fd of [client, server]) {
      expect(resultOf(ring, { opcode: IORING_OP_CLOSE, fd })).toBe(0);
      expect(raw.getsockname(fd, new Uint8Array(16))).toBe(-EBADF);
    }
  });

  test('binds and listens, where the kernel has it', ({ skip }) => {
    const ring = ringOf();
    const fd = opened(socket(AF_INET, SOCK_STREAM));
    const { bytes: wanted } = sockaddr_in('127.0.0.1', 0);
    ring.memory.set(wanted);
    const bound = resultOf(ring, { opcode: IORING_OP_BIND, fd, addr: 0, off: wanted.length });
    if (bound === -EINVAL) skip('older than Linux 6.11');
    expect(bound).toBe(0);
    expect(getsockname(fd).port).toBeGreaterThan(0);
    expect(resultOf(ring, { opcode: IORING_OP_LISTEN, fd, len: 5 })).toBe(0);
  });

  test('sends a datagram to an address in its memory', () => {
    const ring = ringOf();
    const receiver = opened(socket(AF_INET, SOCK_DGRAM));
    bind(receiver, sockaddr_in('127.0.0.1', 0));
    const sender = opened(socket(AF_INET, SOCK_DGRAM));
    const { bytes: to } = getsockname(receiver);
    ring.memory.set(bytes('to you'), 0);
    ring.memory.set(to, 64);
    const entry = { opcode: IORING_OP_SEND, fd: sender, addr: 0, len: 6, off: 64, file_index: to.length };
    const sent = resultOf(ring, entry);
    expect(sent).toBe(6);
    const room = Buffer.alloc(16);
    expect(room.toString('utf8', 0, recv(receiver, room))).toBe('to you');
  });

  test('accepts and receives again and again, into buffers that it was given', () => {
    const ring = ringOf();
    const [one, other] = pair();
    const provided = { opcode: IORING_OP_PROVIDE_BUFFERS, fd: 4, addr: 1024, len: 100, off: 0, buf_group: 7 };
    expect(resultOf(ring, provided)).toBe(0);
    ring.prepare({
      opcode: IORING_OP_RECV,
      fd: other,
      flags: IOSQE_BUFFER_SELECT,
      buf_group: 7,
      ioprio: IORING_RECV_MULTISHOT,
      user_data: 5,
    });
    ring.submit();
    for (const text of ['one', 'two']) {
      send(one, bytes(text));
      expect(ring.submit(1)).toBe(1);
      expect([ring.user_data(0), ring.res(0)]).toEqual([5, 3]);
      const flags = ring.flags(0);
      expect(flags & IORING_CQE_F_MORE).toBe(IORING_CQE_F_MORE);
      expect(flags & IORING_CQE_F_BUFFER).toBe(IORING_CQE_F_BUFFER);
      expect(textAt(ring, 1024 + 100 * (flags >>> IORING_CQE_BUFFER_SHIFT), 3)).toBe(text);
    }
    for (let i = 0; i < 2; i++) {
      send(one, bytes('x'));
      ring.submit(1);
    }
    send(one, bytes('no room is left'));
    ring.submit(1);
    expect([ring.res(0), ring.flags(0) & IORING_CQE_F_MORE]).toEqual([-ENOBUFS, 0]);

    const listener = opened(socket(AF_UNIX, SOCK_STREAM));
    bind(listener, abstractAddress());
    listen(listener, 5);
    ring.prepare({ opcode: IORING_OP_ACCEPT, fd: listener, ioprio: IORING_ACCEPT_MULTISHOT, user_data: 6 });
    ring.submit();
    const name = getsockname(listener).bytes;
    for (let i = 0; i < 2; i++) {
      const client = opened(socket(AF_UNIX, SOCK_STREAM));
      expect(raw.connect(client, name)).toBe(0);
      expect(ring.submit(1)).toBe(1);
      expect(ring.flags(0)).toBe(IORING_CQE_F_MORE);
      opened(ring.res(0));
    }
  });

  test('does what is linked in turn, and cancels it with the first that fails', () => {
    const ring = ringOf();
    const [one, other] = pair();
    ring.memory.set(bytes('ping'));
    ring.prepare({ opcode: IORING_OP_SEND, fd: one, len: 4, flags: IOSQE_IO_LINK | IOSQE_CQE_SKIP_SUCCESS });
    ring.prepare({ opcode: IORING_OP_RECV, fd: other, addr: 10, len: 10, user_data: 1 });
    expect(ring.submit(1)).toBe(1);
    expect(completions(ring, 1)).toEqual([[1, 4, 0]]);
    const entries = [
      { opcode: IORING_OP_SEND, fd: -1, len: 4, flags: IOSQE_IO_LINK, user_data: 1 },
      { opcode: IORING_OP_NOP, user_data: 2 },
    ];
    expect(Object.fromEntries(results(ring, ...entries))).toEqual({ 1: -EBADF, 2: -ECANCELED });
  });

  test('times out: a wait, an operation, a timer', () => {
    const ring = ringOf();
    const [, other] = pair();
    const soon = new timespec({ tv_nsec: 20_000_000 });
    ring.memory.set(soon.bytes, 64);
    const entries = [
      { opcode: IORING_OP_RECV, fd: other, len: 1, flags: IOSQE_IO_LINK, user_data: 1 },
      { opcode: IORING_OP_LINK_TIMEOUT, addr: 64, len: 1, user_data: 2 },
      { opcode: IORING_OP_TIMEOUT, addr: 64, len: 1, user_data: 3 },
    ];
    expect(Object.fromEntries(results(ring, ...entries))).toEqual({ 1: -ECANCELED, 2: -ETIME, 3: -ETIME });
    const began = performance.now();
    expect(ring.submit(1, 20)).toBe(0);
    expect(performance.now() - began).toBeGreaterThanOrEqual(19);
    expect(ring.submit(1, 0)).toBe(0);
  });

  test('cancels, and tells of descriptors that are ready', () => {
    const ring = ringOf();
    const [one, other] = pair();
    ring.prepare({ opcode: IORING_OP_RECV, fd: other, len: 1, user_data: 1 });
    ring.prepare({ opcode: IORING_OP_RECV, fd: other, len: 1, user_data: 1 });
    ring.submit();
    const cancel = { opcode: IORING_OP_ASYNC_CANCEL, addr: 1, op_flags: IORING_ASYNC_CANCEL_ALL, user_data: 2 };
    ring.prepare(cancel);
    expect(completions(ring, ring.submit(3)).sort()).toEqual([
      [1, -ECANCELED, 0],
      [1, -ECANCELED, 0],
      [2, 2, 0],
    ]);
    ring.prepare({ opcode: IORING_OP_POLL_ADD, fd: other, op_flags: EPOLLIN, user_data: 3 });
    expect(ring.submit()).toBe(0);
    send(one, bytes('x'));
    expect(completions(ring, ring.submit(1))).toEqual([[3, EPOLLIN, 0]]);
  });

  test('is watched by a reactor, which phones', async () => {
    const ring = ringOf();
    const [one, other] = pair();
    const reactor = new Reactor();
    whenDone(() => reactor.close());
    const heard = new Promise<string>((resolve) => {
      reactor.add(ring.fd, EPOLLIN, (_, fd) => {
        if (ring.submit() === 0) return;
        reactor.remove(fd);
        resolve(textAt(ring, 0, ring.res(0)));
      });
    });
    ring.prepare({ opcode: IORING_OP_RECV, fd: other, len: 20 });
    ring.submit();
    setTimeout(() => send(one, bytes('ring')), 10);
    expect(await heard).toBe('ring');
  });

  test('keeps what the kernel did not take', () => {
    // Without IORING_SETUP_SUBMIT_ALL an entry that is wrong ends the submission.
    const ring = ringOf(8, 4096, new io_uring_params());
    ring.prepare({ opcode: IORING_OP_NOP, ioprio: 0xffff, op_flags: 1 << 20, user_data: 1 });
    ring.prepare({ opcode: IORING_OP_NOP, user_data: 2 });
    expect(completions(ring, ring.submit())).toEqual([[1, -EINVAL, 0]]);
    expect(ring.prepared).toBe(1);
    expect(completions(ring, ring.submit())).toEqual([[2, 0, 0]]);
    expect(ring.prepared).toBe(0);
  });

  test('fetches more completions than its queue keeps', () => {
    const ring = ringOf(4); // keeps 8 completions
    const [one, other] = pair(SOCK_DGRAM);
    for (let i = 0; i < 24; i++) {
      ring.prepare({ opcode: IORING_OP_RECV, fd: other, addr: i, len: 1, user_data: i });
      ring.submit();
    }
    for (let i = 0; i < 24; i++) send(one, Uint8Array.of(i));
    const seen = new Set<number>();
    while (seen.size < 24) {
      const count = ring.submit(1, 5000);
      expect(count).toBeGreaterThan(0);
      for (const [data] of completions(ring, count)) seen.add(data as number);
    }
    expect([...ring.memory.subarray(0, 24)].sort((a, b) => a - b)).toEqual(Array.from({ length: 24 }, (_, i) => i));
  });

  test('works where completions are made by the one who waits (IORING_SETUP_DEFER_TASKRUN)', ({ skip }) => {
    const flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN;
    const tried = raw.io_uring_setup(1, new io_uring_params({ flags }).bytes);
    if (tried === -EINVAL) skip('older than Linux 6.1');
    raw.io_uring_close(tried);
    const ring = ringOf(8, 64, new io_uring_params({ flags }));
    const [one, other] = pair();
    ring.prepare({ opcode: IORING_OP_RECV, fd: other, len: 20 });
    ring.submit();
    send(one, bytes('deferred'));
    expect(ring.submit(1)).toBe(1);
    expect(textAt(ring, 0, ring.res(0))).toBe('deferred');
  });
});

describe.skipIf(!haveRings)('nothing that a program writes makes the kernel touch other memory', () => {
  const outside: [string, RingEntry][] = [
    ['bytes', { opcode: IORING_OP_RECV, addr: 4000, len: 97 }],
    ['bytes far away', { opcode: IORING_OP_SEND, addr: 2 ** 53 - 1, len: 1 }],
    ['bytes before', { opcode: IORING_OP_RECV, addr: -1, len: 1 }],
    ['a length of 4 GiB', { opcode: IORING_OP_RECV, addr: 0, len: 2 ** 32 - 1 }],
    ['an address', { opcode: IORING_OP_CONNECT, addr: 4090, off: 16 }],
    ['an address of any length', { opcode: IORING_OP_CONNECT, addr: 0, off: -1 }],
    ['a destination', { opcode: IORING_OP_SEND, addr: 0, len: 1, off: 4090, file_index: 16 }],
    ['a destination without a length', { opcode: IORING_OP_SEND, addr: 0, len: 1, off: 64 }],
    ['a time', { opcode: IORING_OP_TIMEOUT, addr: 4090, len: 1 }],
    ['buffers', { opcode: IORING_OP_PROVIDE_BUFFERS, addr: 0, len: 1025, fd: 4 }],
    ['fewer than no buffers', { opcode: IORING_OP_PROVIDE_BUFFERS, addr: 0, len: 1, fd: -1 }],
    ["a peer's address", { opcode: IORING_OP_ACCEPT, addr: 8, off: 8 }],
    ['an array of iovec', { opcode: IORING_OP_READV, addr: 0, len: 1 }],
    ['an array of iovec, by a flag', { opcode: IORING_OP_SEND, addr: 0, len: 1, ioprio: IORING_SEND_VECTORIZED }],
    ['a msghdr to send', { opcode: IORING_OP_SENDMSG, addr: 0 }],
    ['a msghdr to receive', { opcode: IORING_OP_RECVMSG, addr: 0 }],
    ["a file's name", { opcode: IORING_OP_OPENAT, addr: 0 }],
    ['an operation of tomorrow', { opcode: 255 }],
  ];

  test.each(outside)('%s', (_, entry) => {
    const ring = ringOf();
    ring.prepare({ opcode: IORING_OP_NOP, user_data: 9 });
    ring.prepare(entry);
    expect(() => ring.submit()).toThrow(RangeError);
    expect(ring.prepared).toBe(0);
    // Nothing was submitted, not even what stood before it.
    expect(ring.submit()).toBe(0);
    expect(resultOf(ring, { opcode: IORING_OP_NOP, user_data: 1 })).toBe(0);
  });

  test('every operation is either refused or answered', () => {
    const ring = ringOf();
    for (let opcode = 0; opcode < 256; opcode++) {
      for (const field of ['addr', 'off', 'len', 'op_flags', 'ioprio', 'file_index'] as const) {
        const limit = { ioprio: 65_535, file_index: 2 ** 32 - 1, len: 2 ** 32 - 1, op_flags: 2 ** 32 - 1 } as const;
        ring.prepare({ opcode, fd: -1, [field]: field === 'addr' || field === 'off' ? 2 ** 47 : limit[field] });
        try {
          ring.submit(0);
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
        }
      }
    }
  });

  test('the queues cannot be mapped', () => {
    const ring = ringOf();
    expect(() => mmap(4096, PROT_READ | PROT_WRITE, MAP_SHARED, ring.fd, IORING_OFF_SQES)).toThrow(
      /'fd' must be a file, a socket or a device/,
    );
  });

  test('a ring of other kinds is refused', () => {
    for (const flags of [IORING_SETUP_NO_MMAP, IORING_SETUP_SQPOLL, 2 ** 31]) {
      expect(() => io_uring_setup(1, new io_uring_params({ flags }))).toThrow(/'flags' must be of IORING_SETUP_CQSIZE/);
    }
    const ring = ringOf();
    expect(() => raw.io_uring_enter(ring.fd, 9, 0, 0, null, null)).toThrow(/'to_submit' must be no more than/);
    expect(() => raw.io_uring_enter(ring.fd, 0, 0, IORING_ENTER_EXT_ARG, null, null)).toThrow(
      /'flags' must be of IORING_ENTER_GETEVENTS/,
    );
  });

  test('the memory stays as long as the kernel may write there, whatever becomes of the array', async () => {
    const { code, stdout } = await runNode(
      `
      import { readFileSync } from 'node:fs';
      import * as c from 'posix-sockets';
      const mapped = () => Number(/VmSize:\\s+(\\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]);
      const [one, other] = c.socketpair(c.AF_UNIX, c.SOCK_STREAM);
      const params = new c.io_uring_params();
      const ring = c.io_uring_setup(1, params);
      (() => {
        const entry = new DataView(c.raw.io_uring_memory(ring, 64 << 20).buffer);
        entry.setUint8(0, c.IORING_OP_RECV);
        entry.setInt32(4, other, true);
        entry.setUint32(24, 4096, true);
      })();
      c.io_uring_enter(ring, 1, 0, 0);
      for (let i = 0; i < 10; i++) {
        globalThis.gc();
        await new Promise(setImmediate);
      }
      c.send(one, new Uint8Array(4096));
      console.log(c.io_uring_enter(ring, 0, 1, c.IORING_ENTER_GETEVENTS), c.raw.out[0]);
      const before = mapped();
      c.raw.io_uring_close(ring);
      console.log(before - mapped() > 60_000);`,
      undefined,
      '--expose-gc',
    );
    expect({ code, stdout }).toEqual({ code: 0, stdout: '0 1\ntrue\n' });
  });
});

describe.skipIf(!haveRings)('errors and ends', () => {
  test('values that fit no field', () => {
    const ring = ringOf(2);
    const nop = IORING_OP_NOP;
    expect(() => ring.prepare({ opcode: 256 })).toThrow('opcode must be an integer from 0 to 255, not 256');
    expect(() => ring.prepare({ opcode: nop, fd: Number.NaN })).toThrow('fd must be a number, not NaN');
    expect(() => ring.prepare({ opcode: nop, fd: '3' as never })).toThrow(TypeError);
    expect(() => ring.prepare({ opcode: nop, user_data: 2 ** 53 })).toThrow(RangeError);
    expect(() => ring.prepare({ opcode: nop, len: -1 })).toThrow(RangeError);
    expect(ring.prepared).toBe(0);
    ring.prepare({ opcode: nop });
    ring.prepare({ opcode: nop });
    expect(() => ring.prepare({ opcode: nop })).toThrow('all 2 entries are prepared: submit them');
    expect(ring.submit(2)).toBe(2);
    expect(() => ring.res(2)).toThrow('there are 2 completions, and none 2');
    expect(() => ring.submit(0, Number.NaN)).toThrow(RangeError);
    // Nothing is converted, and what is prepared stays.
    const asking = { [Symbol.toPrimitive]: () => expect.unreachable('a value was converted') } as never;
    ring.prepare({ opcode: nop });
    expect(() => ring.prepare({ opcode: nop, len: asking })).toThrow('len must be a number, not an object');
    expect(() => ring.submit(asking)).toThrow('waitFor must be a number, not an object');
    expect(() => ring.submit(0, asking)).toThrow('a timeout is a number of milliseconds, not an object');
    expect(ring.prepared).toBe(1);
    expect(() => ring.res(asking)).toThrow('and none an object');
    expect(() => ring.res(0.5)).toThrow(RangeError);
    expect(() => new Ring(1, -1)).toThrow(RangeError);
  });

  test('what the kernel refuses', () => {
    expect(errorOf(() => new Ring(0))).toMatchObject({ code: 'EINVAL', syscall: 'io_uring_setup' });
    expect(errorOf(() => new Ring(2 ** 20))).toMatchObject({ code: 'EINVAL', syscall: 'io_uring_setup' });
    const before = descriptors().size;
    expect(errorOf(() => new Ring(1, 2 ** 46))).toMatchObject({ code: 'ENOMEM', syscall: 'io_uring_memory' });
    expect(descriptors().size).toBe(before);
    const [one] = pair();
    expect(errorOf(() => io_uring_enter(one, 0, 0, 0))).toMatchObject({
      code: 'EOPNOTSUPP',
      syscall: 'io_uring_enter',
    });
    expect(raw.io_uring_close(one)).toBe(-EOPNOTSUPP);
    expect(raw.io_uring_memory(one, 1)).toBe(-EOPNOTSUPP);
    expect(raw.io_uring_memory(ringOf().fd, 1)).toBe(-EEXIST);
  });

  test('closing cancels what is under way, and gives the descriptors back', () => {
    const before = descriptors().size;
    const [one, other] = socketpair(AF_UNIX, SOCK_STREAM);
    {
      using ring = new Ring(4);
      ring.prepare({ opcode: IORING_OP_RECV, fd: other, len: 20 });
      ring.submit();
      ring.close();
      expect(() => ring.submit()).toThrow('the ring is closed');
    }
    // It did not go on receiving.
    send(one, bytes('for recv'));
    expect(recv(other, new Uint8Array(20))).toBe(8);
    close(one);
    close(other);
    expect(descriptors().size).toBe(before);
  });

  test('a ring whose descriptor was closed by hand does no harm to the next that gets it', () => {
    const lost = io_uring_setup(2, new io_uring_params());
    raw.io_uring_memory(lost, 64);
    close(lost);
    const ring = ringOf();
    expect(ring.fd).toBe(lost);
    expect(resultOf(ring, { opcode: IORING_OP_NOP, user_data: 3 })).toBe(0);
  });

  test('a ring that nobody has any more is closed', async () => {
    const program = `
      import { readdirSync } from 'node:fs';
      import { Ring } from 'posix-sockets';
      const count = () => readdirSync('/proc/self/fd').length;
      new Ring(1).close();
      const before = count();
      for (let i = 0; i < 20; i++) new Ring(1, 4096);
      const made = count() - before;
      for (let i = 0; i < 100 && count() > before; i++) {
        globalThis.gc();
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      console.log(made, count() - before);`;
    expect((await runNode(program, undefined, '--expose-gc')).stdout).toBe('20 0\n');
  });

  test('a worker that waits for a completion ends, and takes its ring along', async () => {
    const before = descriptors().size;
    const worker = new Worker(
      `import('posix-sockets').then(({ Ring, IORING_OP_RECV, AF_UNIX, SOCK_STREAM, socketpair, close }) => {
        const ring = new Ring(4);
        const pair = socketpair(AF_UNIX, SOCK_STREAM);
        ring.prepare({ opcode: IORING_OP_RECV, fd: pair[0], len: 1 });
        ring.submit();
        pair.forEach((fd) => close(fd));
        require('node:worker_threads').parentPort.postMessage(ring.fd);
        for (;;) ring.submit(2);
      })`,
      { eval: true },
    );
    const fd = await new Promise((resolve) => worker.once('message', resolve));
    // A ring is for the thread that made it.
    expect(raw.io_uring_memory(fd as number, 1)).toBe(-EOPNOTSUPP);
    await terminate(worker);
    expect(descriptors().size).toBe(before);
  });
});
