import {
  AF_UNIX,
  ControlBuffer,
  EBADF,
  EFAULT,
  EINVAL,
  ENOTSOCK,
  epoll_wait,
  ip_msfilter,
  MessageBatch,
  MSG_DONTWAIT,
  MsgHdr,
  poll,
  raw,
  readv,
  recv,
  recvmsg,
  SOCK_STREAM,
  SockAddr,
  select,
  send,
  sendFds,
  sendmsg,
  signalfd,
  socket,
  socketpair,
  timerfd_settime,
  writev,
} from 'posix-sockets';
import { trace } from 'posix-sockets/trace';
import { describe, expect, test } from 'vitest';
import { type Argument, argumentsOf, type Kind } from './bad-input/shapes.js';
import { bytes, closedFd, opened, openedFile } from './support.js';

const pair = () => socketpair(AF_UNIX, SOCK_STREAM).map(opened) as [number, number];
const call = (name: string, ...args: unknown[]) =>
  (raw as unknown as Record<string, (...args: unknown[]) => unknown>)[name]?.(...args);

/** Arguments that are right, and with which no call does anything. */
function harmless({ name, kind }: Argument): unknown {
  if (name === 'request') return 0x541b; // FIONREAD
  if (kind === 'fd') return closedFd;
  if (kind === 'buffers') return [];
  if (kind.startsWith('text')) return bytes('x');
  if (kind === 'lookup flags') return 4; // AI_NUMERICHOST: no name server is asked
  if (kind.includes('bytes') || kind.startsWith('address')) return new Uint8Array(128);
  return 0;
}

const noInteger: unknown[] = [
  undefined,
  '1',
  '',
  1n,
  true,
  {},
  [1],
  Symbol('1'),
  () => 1,
  { valueOf: () => 1 },
  new Number(1),
  new Date(0),
  bytes('1'),
];
const noBytes: unknown[] = [
  undefined,
  true,
  'text',
  12n,
  {},
  { length: 4, byteLength: 4, buffer: new ArrayBuffer(4) },
  [1, 2],
  Symbol('bytes'),
  () => {},
  new Proxy(new Uint8Array(128), {}),
  Object.create(Uint8Array.prototype),
  new SharedArrayBuffer(128), // its views are taken
];

/** Values that an argument of a kind must refuse: by their type, and because they are out of range. */
function refused(kind: Kind): { types: unknown[]; ranges: unknown[] } {
  const [, least] = /^at least (\d+) bytes/.exec(kind) ?? [];
  const [number, noNull] = [5, null];
  const fractions = [Number.NaN, 1.5, -0.5, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e300, 5e-324];
  switch (kind) {
    case 'fd':
    case 'int':
    case 'milliseconds':
      return { types: [...noInteger, noNull], ranges: [...fractions, 2 ** 31, 2 ** 32, -(2 ** 31) - 1] };
    case 'flags':
    case 'lookup flags':
    case 'protection':
    case 'namespaces':
      return { types: [...noInteger, noNull], ranges: [...fractions, 2 ** 32, -(2 ** 31) - 1] };
    case 'size':
    case 'size to map':
      return { types: [...noInteger, noNull], ranges: [...fractions, -1, 2 ** 53] };
    case 'wide':
    case 'offset':
      return {
        types: kind === 'wide' ? [...noInteger, noNull] : noInteger,
        ranges: [...fractions, 2 ** 53, -(2 ** 53)],
      };
    case 'mapping':
      return { types: [...noBytes, number, noNull, new Uint8Array(4096), detached()], ranges: [] };
    case 'value':
      return { types: [...noBytes, noNull], ranges: [...fractions, 2 ** 32] };
    case 'struct or null':
      return { types: noBytes, ranges: [...fractions, 2 ** 32] };
    case 'buffers':
      return {
        types: [
          ...noBytes.filter((value) => !Array.isArray(value)),
          number,
          noNull,
          [null],
          [1],
          ['x'],
          [new Proxy(new Uint8Array(1), {})],
          [[]],
          new Array(3),
          new Proxy([], {}),
        ],
        ranges: [],
      };
    case 'text':
    case 'text or null':
      return {
        types: [...noBytes, number, ...(kind === 'text' ? [noNull] : [])],
        ranges: [bytes('a\0b'), new Uint8Array(65536).fill(1)],
      };
    default:
      return {
        types: [...noBytes, number, ...(kind.endsWith('or null') ? [] : [noNull])],
        ranges: least === undefined ? [] : [new Uint8Array(Number(least) - 1), new Uint8Array(0), detached()],
      };
  }
}

function detached(): Uint8Array {
  const view = new Uint8Array(256);
  structuredClone(view.buffer, { transfer: [view.buffer] });
  expect(view.length).toBe(0);
  return view;
}

const errorOfCall = (action: () => unknown): unknown => {
  try {
    return action();
  } catch (error) {
    return error;
  }
};

test('every raw call is listed with its arguments', () => {
  expect(Object.keys(argumentsOf).sort()).toEqual(
    Object.keys(raw)
      .filter((name) => name !== 'out')
      .sort(),
  );
});

describe('wrong types and numbers out of range are refused by name', () => {
  test.each(Object.entries(argumentsOf))('%s', refusesByName);
});

describe('and so they are by the long way that calls of hot loops take while they are watched', () => {
  test.each('accept4 close epoll_wait fcntl read recv recvfrom send sendto write'.split(' '))('%s', (name) => {
    using _ = trace(() => {});
    refusesByName(name, argumentsOf[name] as Argument[]);
  });
});

function refusesByName(name: string, args: readonly Argument[]): void {
  const right = args.map(harmless);
  args.forEach((argument, position) => {
    const { types, ranges } = refused(argument.kind);
    for (const [values, type, code] of [
      [types, TypeError, 'ERR_INVALID_ARG_TYPE'],
      [ranges, RangeError, 'ERR_OUT_OF_RANGE'],
    ] as const) {
      for (const value of values) {
        const error = errorOfCall(() => call(name, ...right.with(position, value)));
        expect(error, `${name}: '${argument.name}' as ${typeof value}`).toBeInstanceOf(type);
        expect(error).toMatchObject({
          code,
          message: expect.stringMatching(`^${name}: '${argument.name}' must be `),
        });
      }
    }
    // What is missing is undefined, and that is never right.
    expect(errorOfCall(() => call(name, ...right.slice(0, position)))).toBeInstanceOf(TypeError);
  });
}

test('an array of 2^32 - 1 holes is refused at once', () => {
  const holes = new Array(2 ** 32 - 1);
  expect(() => sendFds(closedFd, holes)).toThrow(new RangeError('SCM_RIGHTS must have at most 1048576 elements'));
  expect(() => ip_msfilter.of('239.1.2.3', '127.0.0.1', 0, holes)).toThrow(
    'senders must have at most 1048576 elements',
  );
  expect(() => raw.writev(closedFd, holes)).toThrow("writev: 'buffers' must be an array of buffers");
  const batch = new MessageBatch(1, { payload: 8 });
  for (const slot of ['storage', 'bytes', 'name', 'control'] as const) {
    expect(() => batch[slot](holes as never)).toThrow('there is no slot an object in a batch of 1');
  }
  expect(() => new ControlBuffer(holes)).toThrow('there is no kind of control message undefined');
});

test('where bytes are not all that may stand, the error says so', () => {
  const values = 'an integer, a Uint8Array, another view of bytes or an ArrayBuffer';
  expect(() => raw.setsockopt(closedFd, 1, 2, true as never)).toThrow(`setsockopt: 'value' must be ${values}`);
  expect(() => raw.fcntl(closedFd, 0, {} as never)).toThrow(`fcntl: 'arg' must be ${values}`);
  const orNull = 'a Uint8Array, another view of bytes, an ArrayBuffer or null';
  expect(() => raw.ioctl(closedFd, 0x541b, true as never)).toThrow(`ioctl: 'arg' must be an integer, ${orNull}`);
  expect(() => raw.accept(closedFd, {} as never)).toThrow(`accept: 'peer' must be ${orNull}`);
  expect(() => raw.ppoll(new Uint8Array(0), 5 as never, null)).toThrow(`ppoll: 'timeout' must be ${orNull}`);
});

test('text, a bigint or nothing at all is told what it is', () => {
  const bytesOnly = 'a Uint8Array, another view of bytes or an ArrayBuffer';
  const any = (value: unknown) => value as never;
  for (const [call, message] of [
    [() => send(closedFd, any('hello')), `send: 'bytes' must be ${bytesOnly}, not text`],
    [() => socket(any('AF_INET'), 1), "socket: 'domain' must be an integer, not text"],
    [() => raw.listen(closedFd, any(undefined)), "listen: 'backlog' must be an integer, not undefined"],
    [() => raw.close(any(1n)), "close: 'fd' must be an integer, not a bigint"],
    [() => raw.writev(closedFd, any('x')), "writev: 'buffers' must be an array of buffers, not text"],
    [() => raw.recv(closedFd, any({}), 0), `recv: 'bytes' must be ${bytesOnly}`],
  ] as const) {
    expect(call).toThrow(expect.objectContaining({ name: 'TypeError', message }));
  }
});

test('what is out of range is told the range that it is out of', () => {
  for (const value of [-1, 1.5, 65_536]) {
    expect(() => raw.htons(value)).toThrow("htons: 'value' must be an integer from 0 to 65535");
    expect(() => raw.ntohs(value)).toThrow("ntohs: 'value' must be an integer from 0 to 65535");
  }
  expect(() => raw.if_indextoname(-1, bytes('x'))).toThrow("'index' must be an integer from 0 to 4294967295");
});

test('flags may have the sign bit either way, and a shorter or longer call says the same', () => {
  for (const flags of [-(2 ** 31), 2 ** 31, 2 ** 32 - 1, -1, 0, -0]) {
    const short = raw.recv(closedFd, bytes('x'), flags);
    using _ = trace(() => {});
    expect([short, raw.recv(closedFd, bytes('x'), flags)]).toEqual([-EBADF, -EBADF]);
  }
});

test('numbers that look odd and are integers are taken as they are', () => {
  expect([raw.htons(-0), raw.htons(1.0)]).toEqual([0, 256]);
  expect([raw.close(-1), raw.close(-(2 ** 31)), raw.close(2 ** 31 - 1)]).toEqual([-EBADF, -EBADF, -EBADF]);
  expect(raw.htonl(-1)).toBe(2 ** 32 - 1);
});

// ---- buffers

/** A buffer that can change its length, which TypeScript's library does not know yet. */
function resizable(length: number, maxByteLength: number): ArrayBuffer & { resize(length: number): void } {
  return Reflect.construct(ArrayBuffer, [length, { maxByteLength }]);
}

function webAssemblyMemory(): { buffer: ArrayBuffer; grow(pages: number): void } {
  const { WebAssembly } = globalThis as unknown as {
    WebAssembly: { Memory: new (size: { initial: number }) => never };
  };
  return new WebAssembly.Memory({ initial: 1 });
}

describe('buffers of every kind are read and filled where they lie', () => {
  const views: Record<string, (memory: ArrayBufferLike) => ArrayBufferView> = {
    Uint8Array: (memory) => new Uint8Array(memory, 8, 8),
    Buffer: (memory) => Buffer.from(memory as ArrayBuffer, 8, 8),
    Int8Array: (memory) => new Int8Array(memory, 8, 8),
    Uint8ClampedArray: (memory) => new Uint8ClampedArray(memory, 8, 8),
    Uint16Array: (memory) => new Uint16Array(memory, 8, 4),
    Int32Array: (memory) => new Int32Array(memory, 8, 2),
    Float32Array: (memory) => new Float32Array(memory, 8, 2),
    Float64Array: (memory) => new Float64Array(memory, 8, 1),
    BigInt64Array: (memory) => new BigInt64Array(memory, 8, 1),
    BigUint64Array: (memory) => new BigUint64Array(memory, 8, 1),
    DataView: (memory) => new DataView(memory, 8, 8),
  };
  const memories: Record<string, () => ArrayBufferLike> = {
    ArrayBuffer: () => new ArrayBuffer(24),
    SharedArrayBuffer: () => new SharedArrayBuffer(24),
    'resizable ArrayBuffer': () => resizable(24, 64),
    'growable SharedArrayBuffer': () => Reflect.construct(SharedArrayBuffer, [24, { maxByteLength: 64 }]),
    'WebAssembly memory': () => webAssemblyMemory().buffer,
  };

  test.each(Object.keys(memories).flatMap((memory) => Object.keys(views).map((view) => [view, memory])))(
    'a %s over a %s',
    (view, memory) => {
      const [one, other] = pair();
      const source = memories[memory]?.() as ArrayBufferLike;
      const target = memories[memory]?.() as ArrayBufferLike;
      new Uint8Array(source).set(Array.from({ length: 24 }, (_, i) => i + 1));
      expect(send(one, views[view]?.(source) as ArrayBufferView)).toBe(8);
      expect(recv(other, views[view]?.(target) as ArrayBufferView)).toBe(8);
      const expected = new Uint8Array(target.byteLength);
      expected.set([9, 10, 11, 12, 13, 14, 15, 16], 8);
      expect(new Uint8Array(target)).toEqual(expected);
    },
  );

  test('a whole ArrayBuffer', () => {
    const [one, other] = pair();
    const target = new ArrayBuffer(8);
    send(one, Uint8Array.of(1, 2, 3).buffer);
    expect(recv(other, target)).toBe(3);
    expect(new Uint8Array(target)).toEqual(Uint8Array.of(1, 2, 3, 0, 0, 0, 0, 0));
  });
});

describe('buffers that are not what they were', () => {
  const detachedBuffer = () => {
    const buffer = new ArrayBuffer(16);
    structuredClone(buffer, { transfer: [buffer] });
    return buffer;
  };

  test('a detached one has no bytes: nothing is sent, nothing is taken', () => {
    const [one, other] = pair();
    const view = detached();
    const dataView = new DataView(new ArrayBuffer(16));
    structuredClone(dataView.buffer, { transfer: [dataView.buffer] });
    send(one, bytes('kept'));
    for (const gone of [view, dataView, detachedBuffer()]) {
      expect(raw.send(one, gone, 0)).toBe(0);
      expect(raw.recv(other, gone, 0)).toBe(0);
      expect(raw.read(other, gone)).toBe(0);
      expect(raw.readv(other, [gone, gone])).toBe(0);
      expect(raw.bind(one, gone)).toBe(-EINVAL);
      expect(raw.setsockopt(one, 1, 2, gone)).toBe(-EINVAL);
    }
    expect(recv(other, new Uint8Array(8))).toBe(4);
  });

  test('one that shrank has as many bytes as are left of it; one out of bounds has none', () => {
    const [one, other] = pair();
    const buffer = resizable(64, 128);
    const tracking = new Uint8Array(buffer);
    const trackingFrom = new Uint8Array(buffer, 32);
    const trackingData = new DataView(buffer, 32);
    const fixed = new Uint8Array(buffer, 0, 48);
    const fixedData = new DataView(buffer, 0, 48);
    const sizes = () =>
      [tracking, trackingFrom, trackingData, fixed, fixedData, buffer].map((view) => raw.send(one, view, 0));
    expect(sizes()).toEqual([64, 32, 32, 48, 48, 64]);
    buffer.resize(128);
    expect(sizes()).toEqual([128, 96, 96, 48, 48, 128]);
    buffer.resize(40);
    expect(sizes()).toEqual([40, 8, 8, 0, 0, 40]);
    buffer.resize(0);
    expect(sizes()).toEqual([0, 0, 0, 0, 0, 0]);

    while (raw.recv(other, new Uint8Array(4096), MSG_DONTWAIT) > 0);
    send(one, new Uint8Array(100).fill(1));
    buffer.resize(16);
    expect(raw.recv(other, tracking, 0)).toBe(16);
    buffer.resize(64);
    expect(new Uint8Array(buffer)).toEqual(Uint8Array.from({ length: 64 }, (_, i) => (i < 16 ? 1 : 0)));
  });

  test('WebAssembly memory that grew leaves its old views without bytes', () => {
    const [one] = pair();
    const memory = webAssemblyMemory();
    const view = new Uint8Array(memory.buffer);
    memory.grow(1);
    expect(raw.send(one, view, 0)).toBe(0);
    expect(raw.send(one, new Uint8Array(memory.buffer, 65536, 10), 0)).toBe(10);
  });

  test('an empty one is no null pointer to trip over', () => {
    const [one, other] = pair();
    const empty = new Uint8Array(0);
    send(one, bytes('x'));
    expect([raw.send(one, empty, 0), raw.recv(other, empty, 0), raw.write(one, empty), raw.read(other, empty)]).toEqual(
      [0, 0, 0, 0],
    );
    expect([raw.writev(one, [empty]), raw.readv(other, [empty, empty])]).toEqual([0, 0]);
    expect([raw.bind(one, empty), raw.connect(one, empty)]).toEqual([-EINVAL, -EINVAL]);
    expect([raw.getsockname(one, empty), raw.out[0]]).toEqual([0, 2]);
    expect(raw.accept(one, empty)).toBe(-EINVAL);
    expect(raw.poll(empty, 0)).toBe(0);
    expect(raw.getsockopt(one, 1, 3, empty)).toBe(0);
    expect(() => raw.epoll_wait(one, empty, 0)).not.toThrow();
    expect(raw.recvmsg(other, [], empty, empty, MSG_DONTWAIT)).toBe(0);
    expect(raw.getnameinfo(empty, empty, empty, 0)).toBe(-6); // EAI_FAMILY
    expect(raw.inet_pton(0, empty, empty)).toBeLessThan(0);
    expect(raw.if_nametoindex(empty)).toBeLessThan(0);
    expect(raw.strerror(1, empty)).toBe(23); // how long it is
  });

  test('buffers beyond 4 GiB', () => {
    let huge: Uint8Array;
    try {
      huge = new Uint8Array(2 ** 32 + 16);
    } catch {
      return; // this machine does not have so much to give
    }
    const [one, other] = pair();
    expect(raw.recv(other, huge, MSG_DONTWAIT)).toBe(-11);
    expect(raw.send(one, huge, MSG_DONTWAIT)).toBeGreaterThan(0);
    expect(raw.bind(one, huge)).toBe(-EINVAL);
    expect(raw.sendmsg(one, [huge.subarray(0, 1)], null, huge, 0)).toBeLessThan(0);
    expect(raw.poll(huge, 0)).toBe(-EINVAL);
    expect(() => raw.inet_pton(2, huge, huge)).toThrow(/'text' must be at most/);
    expect(raw.ioctl(one, 0x541b, huge)).toBe(0);
  });
});

describe('arrays of buffers', () => {
  test('a getter that detaches a buffer is run before any pointer is taken', () => {
    const [one, other] = pair();
    send(one, bytes('abcdefgh'));
    const victim = new Uint8Array(8);
    const iov: Uint8Array[] = [victim];
    Object.defineProperty(iov, 1, {
      get() {
        structuredClone(victim.buffer, { transfer: [victim.buffer] });
        return new Uint8Array(4);
      },
    });
    expect(raw.readv(other, iov)).toBe(4);
    expect(victim.length).toBe(0);
  });

  test('a getter that shrinks the buffer, or the array, or calls again', () => {
    const [one, other] = pair();
    const buffer = resizable(64, 64);
    const shrinking: Uint8Array[] = [new Uint8Array(buffer)];
    Object.defineProperty(shrinking, 1, {
      get() {
        buffer.resize(2);
        return new Uint8Array(0);
      },
    });
    expect(raw.writev(one, shrinking)).toBe(2);

    const cutting: Uint8Array[] = [new Uint8Array(1), new Uint8Array(1), new Uint8Array(1)];
    Object.defineProperty(cutting, 0, {
      get() {
        cutting.length = 1;
        return new Uint8Array(1);
      },
    });
    expect(() => raw.writev(one, cutting)).toThrow(/'buffers' must be an array of buffers/);

    const nesting: Uint8Array[] = [];
    Object.defineProperty(nesting, 0, { get: () => new Uint8Array(raw.recv(other, new Uint8Array(2), 0) + 1) });
    nesting.length = 1;
    expect(raw.writev(one, nesting)).toBe(3);
  });

  test('an error that a getter throws comes through as it is', () => {
    const [one] = pair();
    const own = new Error('of the getter');
    const iov: Uint8Array[] = [];
    Object.defineProperty(iov, 0, {
      get() {
        throw own;
      },
    });
    iov.length = 1;
    expect(errorOfCall(() => raw.writev(one, iov))).toBe(own);
    expect(errorOfCall(() => raw.sendmsg(one, iov, null, null, 0))).toBe(own);
    expect(errorOfCall(() => writev(one, iov))).toBe(own);
    expect(errorOfCall(() => readv(one, iov))).toBe(own);
    expect(errorOfCall(() => sendmsg(one, new MsgHdr({ iov })))).toBe(own);
  });

  test('holes are filled from nowhere, not even from the prototype', () => {
    const [one] = pair();
    const holes = new Array<Uint8Array>(3);
    expect(() => raw.writev(one, holes)).toThrow(TypeError);
    const inherited = Object.setPrototypeOf(new Array(1), [bytes('x')]);
    expect(raw.writev(one, inherited)).toBe(1); // as JavaScript reads it
  });
});

describe('descriptors that cannot do it', () => {
  test('closed, negative, of a file: the kernel says so', () => {
    const file = openedFile('content');
    const room = new Uint8Array(8);
    expect([raw.recv(closedFd, room, 0), raw.recv(-1, room, 0), raw.recv(file, room, 0)]).toEqual([
      -EBADF,
      -EBADF,
      -ENOTSOCK,
    ]);
    expect([raw.listen(file, 1), raw.shutdown(file, 0), raw.getsockopt(file, 1, 3, room)]).toEqual(
      Array(3).fill(-ENOTSOCK),
    );
    expect([raw.epoll_wait(file, new Uint8Array(12), 0), raw.timerfd_gettime(file, new Uint8Array(32))]).toEqual([
      -EINVAL,
      -EINVAL,
    ]);
  });
});

describe('options and structs that hold pointers', () => {
  test('no bytes of a caller are used as a pointer', () => {
    const [one] = pair();
    const evil = new Uint8Array(256).fill(0x41);
    for (const [level, name] of [
      [0, 64], // IPT_SO_SET_REPLACE
      [0, 96], // ARPT_SO_SET_REPLACE
      [0, 128], // EBT_SO_SET_ENTRIES
      [41, 64], // IP6T_SO_SET_REPLACE
      [6, 35], // TCP_ZEROCOPY_RECEIVE
      [132, 111], // SCTP_SOCKOPT_CONNECTX3
      [276, 2], // RDS_GET_MR
      [276, 7], // RDS_GET_MR_FOR_DEST
      [283, 4], // XDP_UMEM_REG
      [284, 4], // MPTCP_FULL_INFO
    ] as const) {
      expect(() => raw.setsockopt(one, level, name, evil)).toThrow(
        /'optname' must be an option whose struct holds no pointer/,
      );
      expect(() => raw.setsockopt(one, level, name, 1)).toThrow(/'optname'/);
      expect(() => raw.getsockopt(one, level, name, evil)).toThrow(/'optname'/);
    }
  });

  test('a filter is given as its instructions', () => {
    const [one] = pair();
    const program = new Uint8Array([0x06, 0, 0, 0, 0xff, 0xff, 0, 0]); // ret 0xffff
    expect(raw.setsockopt(one, 1, 26, program)).toBe(0); // SO_ATTACH_FILTER
    const read = new Uint8Array(64);
    expect(raw.getsockopt(one, 1, 26, read)).toBe(0);
    expect([raw.out[0], read.subarray(0, 8)]).toEqual([8, program]);
    expect(raw.setsockopt(one, 1, 26, new Uint8Array(7))).toBe(-EINVAL);
    expect(raw.setsockopt(one, 1, 26, new Uint8Array(1_000_000))).toBe(-EINVAL);
    expect(raw.setsockopt(one, 1, 26, 0x41414141)).toBe(-EINVAL);
  });

  test('where the kernel counts entries itself, it cannot write past the end', () => {
    const fd = opened(raw.socket(2, 2, 0));
    const group = (bytes: number[]) => Uint8Array.of(2, 0, 0, 0, ...bytes, ...new Array(120).fill(0));
    const IP = 0;
    const MCAST_JOIN_SOURCE_GROUP = 46;
    const MCAST_MSFILTER = 48;
    // struct group_source_req: interface, padding, group, source.
    for (let source = 1; source <= 5; source++) {
      const request = new Uint8Array(8 + 128 + 128);
      new DataView(request.buffer).setUint32(0, 1, true);
      request.set(group([239, 1, 2, 3]), 8);
      request.set(group([127, 0, 0, source]), 136);
      expect(raw.setsockopt(fd, IP, MCAST_JOIN_SOURCE_GROUP, request)).toBe(0);
    }
    // struct group_filter: interface, padding, group, mode, count, and 128 bytes for each source.
    const memory = new Uint8Array(144 + 5 * 128).fill(0xee);
    const ask = (room: number, count: number) => {
      const filter = memory.subarray(0, room);
      filter.fill(0);
      new DataView(memory.buffer).setUint32(0, 1, true);
      filter.set(group([239, 1, 2, 3]), 8);
      new DataView(memory.buffer).setUint32(140, count, true);
      return raw.getsockopt(fd, IP, MCAST_MSFILTER, filter);
    };
    expect(ask(144 + 128, 5)).toBe(-EFAULT);
    expect(memory.subarray(144 + 128)).toEqual(new Uint8Array(4 * 128).fill(0xee));
    expect(ask(144 + 5 * 128, 5)).toBe(0);
    expect(raw.out[0]).toBe(144 + 5 * 128);
  });
});

describe('the checked floor', () => {
  const [text, number, object] = ['text', 5, {}] as [never, never, never];

  test('wrong objects are TypeErrors', async () => {
    const sockets = await import('posix-sockets');
    const [one] = pair();
    for (const wrong of [text, number, object]) {
      for (const action of [
        () => sockets.bind(one, wrong),
        () => sockets.connect(one, wrong),
        () => sockets.sendto(one, bytes('x'), 0, wrong),
        () => sockets.accept(one, wrong),
        () => sockets.recvfrom(one, bytes('x'), MSG_DONTWAIT, wrong),
        () => sockets.sendmsg(one, wrong),
        () => sockets.recvmsg(one, wrong, MSG_DONTWAIT),
        () => sockets.sendmmsg(one, wrong),
        () => sockets.recvmmsg(one, wrong),
        () => sockets.getsockopt(one, 1, 3, wrong),
        () => sockets.setsockopt(one, 1, 2, wrong === number ? object : wrong),
        () => sockets.poll(wrong, 0),
        () => sockets.ppoll(wrong, 0),
        () => sockets.select(0, wrong, null, null, 0),
        () => sockets.select(0, null, null, null, wrong === number ? object : wrong),
        () => sockets.pselect(0, null, null, null, 0, wrong),
        () => sockets.epoll_wait(one, wrong, 0),
        () => sockets.signalfd(-1, wrong),
        () => sockets.pthread_sigmask(0, wrong),
        () => sockets.timerfd_settime(one, 0, wrong),
        () => sockets.getnameinfo(wrong),
        () => sockets.inet_ntop(2, wrong),
        () => sockets.interrupt(wrong),
      ]) {
        expect(errorOfCall(action), `${action} with ${typeof wrong}`).toBeInstanceOf(TypeError);
      }
    }
  });

  // Not even its bytes, which are what `raw` takes.
  test.each([
    ['fds must be of class PollFds, not an object', () => poll(new Uint8Array(8) as never, 0)],
    ['events must be of class EpollEvents, not an object', () => epoll_wait(closedFd, new Uint8Array(12) as never, 0)],
    ['readfds must be of class FdSet or null, not an object', () => select(4, [3] as never, null, null, 0)],
    ["timeout must be of class timeval, a number or null, not '5'", () => select(0, null, null, null, '5' as never)],
    ['mask must be of class SigSet, not an object', () => signalfd(-1, [10] as never)],
    ['value must be of class itimerspec, not an object', () => timerfd_settime(closedFd, 0, {} as never)],
  ])('what is no such struct is told its class: %s', (message, action) => {
    expect(action).toThrow(new TypeError(message));
  });

  test('a message whose fields were changed to what they cannot be', () => {
    const [one] = pair();
    const message = new MsgHdr({ iov: bytes('x') });
    message.name = number;
    expect(() => sendmsg(one, message)).toThrow(TypeError);
    expect(() => recvmsg(one, message, MSG_DONTWAIT)).toThrow(TypeError);
    message.name = null;
    message.control = number;
    expect(() => sendmsg(one, message)).toThrow(TypeError);
    expect(() => recvmsg(one, message, MSG_DONTWAIT)).toThrow(TypeError);
    message.control = null;
    message.iov = number;
    expect(() => sendmsg(one, message)).toThrow(/'iov' must be an array of buffers/);
  });

  test('the place for an address whose memory was taken away', () => {
    const [one] = pair();
    const place = new SockAddr();
    const { buffer } = place.storage as Uint8Array<ArrayBuffer>;
    structuredClone(buffer, { transfer: [buffer] });
    expect(raw.getsockname(one, place.storage)).toBe(0);
    expect(raw.out[0]).toBe(2);
  });
});
