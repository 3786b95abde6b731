// What the fuzz throws at a call: values as recipes, which print, repeat and shrink, and what is made of them. A value
// that can be used once, such as a buffer to be detached, is made anew for each call.
import fc from 'fast-check';
import {
  AI_NUMERICHOST,
  ControlBuffer,
  EpollEvents,
  FdSet,
  itimerspec,
  linger,
  MessageBatch,
  MsgHdr,
  PollFds,
  raw,
  SigSet,
  SockAddr,
  sockaddr_in,
  sockaddr_in6,
  sockaddr_nl,
  sockaddr_un,
  sockaddr_unspec,
  timespec,
  timeval,
} from 'posix-sockets';
import type { Descriptors } from './descriptors.js';
import type { Kind } from './shapes.js';

/** A recipe: what is printed, and what is made. */
export interface Recipe {
  readonly text: string;
  make(memory: Memory): unknown;
}

const recipe = (text: string, make: Recipe['make']): Recipe => ({ text, make, toString: () => text }) as Recipe;

/** The buffers of one call. Each lies amid bytes that nobody may write. */
export class Memory {
  static readonly #margin = 64;
  static readonly #mark = 0xa5;
  readonly #whole: { all: Uint8Array; end: number }[] = [];

  /** A buffer of `content`, with a margin before and behind. */
  take(content: Uint8Array, shared = false): { buffer: ArrayBufferLike; offset: number; length: number } {
    const margin = Memory.#margin;
    const size = margin + content.length + margin;
    const all = new Uint8Array(shared ? new SharedArrayBuffer(size) : new ArrayBuffer(size)).fill(Memory.#mark);
    all.set(content, margin);
    this.#whole.push({ all, end: margin + content.length });
    return { buffer: all.buffer, offset: margin, length: content.length };
  }

  /** Whether every margin is as it was, but of a buffer that was detached. */
  intact(): boolean {
    return this.#whole.every(({ all, end }) => {
      if (all.length === 0) return true;
      return [all.subarray(0, Memory.#margin), all.subarray(end)].every((margin) =>
        margin.every((byte) => byte === Memory.#mark),
      );
    });
  }
}

// ---- values that no argument takes, or that are odd

/** What the code of arguments was asked for during a call. Nothing, where nothing is converted. */
export const asked: string[] = [];

/** An object that could become a number, a bigint or text, and tells when that is tried. */
const convertible = (to: unknown) => ({
  [Symbol.toPrimitive](hint: string) {
    asked.push(`${hint} from an object`);
    return to;
  },
});

/** A proxy that does as its target does, and tells of everything it is asked. */
function telling(target: object): object {
  const handler = new Proxy(
    {},
    {
      get(_, trap) {
        asked.push(`${String(trap)} of a proxy`);
        return undefined;
      },
    },
  );
  return new Proxy(target, handler);
}

const garbage: fc.Arbitrary<Recipe> = fc.constantFrom(
  ...(
    [
      ['undefined', () => undefined],
      ['null', () => null],
      ['true', () => true],
      ["'3'", () => '3'],
      ["''", () => ''],
      ['3n', () => 3n],
      ['NaN', () => Number.NaN],
      ['1.5', () => 1.5],
      ['-0.5', () => -0.5],
      ['Infinity', () => Number.POSITIVE_INFINITY],
      ['1e300', () => 1e300],
      ['2 ** 53', () => 2 ** 53],
      ['2 ** 31', () => 2 ** 31],
      ['2 ** 32', () => 2 ** 32],
      ['-(2 ** 31) - 1', () => -(2 ** 31) - 1],
      ['{}', () => ({})],
      ['[]', () => []],
      ['[1, 2]', () => [1, 2]],
      ['() => 3', () => () => 3],
      ["Symbol('s')", () => Symbol('s')],
      ['an object that becomes 3', () => convertible(3)],
      ['an object that becomes 3n', () => convertible(3n)],
      ["an object that becomes 'lo'", () => convertible('lo')],
      ['new Number(3)', () => new Number(3)],
      ['new Date(3)', () => new Date(3)],
      ['new Map()', () => new Map()],
      ['Object.create(null)', () => Object.create(null)],
      ['a revoked Proxy', revoked],
      ['a Proxy of bytes', () => telling(new Uint8Array(16))],
      ['a Proxy of an array of bytes', () => telling([new Uint8Array(16)])],
      ['a Proxy of a function', () => telling(() => 3)],
      ['Object.create(Uint8Array.prototype)', () => Object.create(Uint8Array.prototype)],
      ['{ length: 8, buffer }', () => ({ length: 8, byteLength: 8, byteOffset: 0, buffer: new ArrayBuffer(8) })],
      ['a SharedArrayBuffer', () => new SharedArrayBuffer(16)],
    ] as const
  ).map(([text, make]) => recipe(text, make)),
);

function revoked(): unknown {
  const { proxy, revoke } = Proxy.revocable([], {});
  revoke();
  return proxy;
}

// ---- integers

const integer = (value: number) => recipe(String(value), () => value);
const int = fc
  .oneof(
    fc.integer({ min: -2, max: 64 }),
    fc.constantFrom(
      0,
      1,
      -1,
      2,
      4,
      6,
      17,
      41,
      128,
      255,
      256,
      270,
      1024,
      4096,
      65535,
      0x541b,
      0x5421,
      0x8905,
      2 ** 31 - 1,
      -(2 ** 31),
    ),
    fc.integer(),
  )
  .map(integer);
const flags = fc
  .oneof(
    fc.constantFrom(0, 1, 2, 0x40, 0x80, 0x800, 0x80000, 0x2000, 0x4000000, 2 ** 31, 2 ** 32 - 1),
    fc.nat({ max: 2 ** 32 - 1 }),
    int.map((made) => Number(made.text)),
  )
  .map(integer);
const size = fc
  .oneof(fc.nat({ max: 70 }), fc.constantFrom(0, 1, 4096, 65536, 2 ** 31, 2 ** 32, 2 ** 40, Number.MAX_SAFE_INTEGER))
  .map(integer);
const wide = fc
  .oneof(
    size.map((made) => Number(made.text)),
    fc.constantFrom(-1, Number.MIN_SAFE_INTEGER),
    fc.maxSafeInteger(),
  )
  .map(integer);

// ---- bytes

const lengths = fc.oneof(
  { weight: 5, arbitrary: fc.nat({ max: 300 }) },
  { weight: 2, arbitrary: fc.constantFrom(0, 1, 2, 3, 4, 7, 8, 12, 16, 28, 32, 110, 128, 136) },
  { weight: 1, arbitrary: fc.constantFrom(4096, 65535, 200_000) },
);

/** Bytes: all the same, or small numbers as structs hold them, or any. */
const content = fc.oneof(
  fc.tuple(lengths, fc.constantFrom(0, 1, 0x41, 0xff)).map(([length, byte]) => new Uint8Array(length).fill(byte)),
  fc
    .tuple(lengths, fc.array(fc.integer({ min: -2, max: 300 }), { minLength: 1, maxLength: 12 }))
    .map(([length, words]) => {
      const bytes = new Uint8Array(
        Int32Array.from({ length: Math.ceil(length / 4) }, (_, i) => words[i % words.length] as number).buffer,
      );
      return bytes.slice(0, length);
    }),
  fc.uint8Array({ maxLength: 300 }),
);

const describe = (bytes: Uint8Array) => `${bytes.length} bytes ${Buffer.from(bytes.subarray(0, 24)).toString('hex')}`;

function detach(view: ArrayBufferView): unknown {
  structuredClone(view.buffer, { transfer: [view.buffer as ArrayBuffer] });
  return view;
}

/** A buffer that can change its length, which is then changed. */
function resized(bytes: Uint8Array, length: number, of: (buffer: ArrayBuffer) => unknown): unknown {
  const buffer = Reflect.construct(ArrayBuffer, [bytes.length, { maxByteLength: bytes.length + 64 }]) as ArrayBuffer & {
    resize(length: number): void;
  };
  new Uint8Array(buffer).set(bytes);
  const made = of(buffer);
  buffer.resize(length);
  return made;
}

const views: Record<string, (bytes: Uint8Array, memory: Memory) => unknown> = {
  Uint8Array: (bytes, memory) => {
    const { buffer, offset, length } = memory.take(bytes);
    return new Uint8Array(buffer, offset, length);
  },
  'Uint8Array, unaligned': (bytes, memory) => {
    const { buffer, offset, length } = memory.take(bytes);
    return new Uint8Array(buffer, offset + Math.min(1, length), Math.max(0, length - 1));
  },
  DataView: (bytes, memory) => {
    const { buffer, offset, length } = memory.take(bytes);
    return new DataView(buffer, offset, length);
  },
  Float64Array: (bytes, memory) => {
    const { buffer, offset, length } = memory.take(bytes);
    return new Float64Array(buffer, offset, length >> 3);
  },
  BigInt64Array: (bytes, memory) => {
    const { buffer, offset, length } = memory.take(bytes);
    return new BigInt64Array(buffer, offset, length >> 3);
  },
  Uint16Array: (bytes, memory) => {
    const { buffer, offset, length } = memory.take(bytes);
    return new Uint16Array(buffer, offset, length >> 1);
  },
  'Uint8Array over shared memory': (bytes, memory) => {
    const { buffer, offset, length } = memory.take(bytes, true);
    return new Uint8Array(buffer, offset, length);
  },
  ArrayBuffer: (bytes) => bytes.slice().buffer,
  'detached Uint8Array': (bytes) => detach(bytes.slice()),
  'detached DataView': (bytes) => detach(new DataView(bytes.slice().buffer)),
  'resizable ArrayBuffer that grew': (bytes) => resized(bytes, bytes.length + 9, (buffer) => buffer),
  'length-tracking Uint8Array that shrank': (bytes) =>
    resized(bytes, bytes.length >> 1, (buffer) => new Uint8Array(buffer)),
  'length-tracking DataView out of bounds': (bytes) =>
    resized(bytes, 0, (buffer) => new DataView(buffer, bytes.length >> 1)),
  'Uint8Array out of bounds': (bytes) =>
    resized(bytes, bytes.length >> 1, (buffer) => new Uint8Array(buffer, 0, bytes.length)),
  'Int32Array out of bounds': (bytes) => resized(bytes, 0, (buffer) => new Int32Array(buffer, 0, bytes.length >> 2)),
};

const bytesOf = (contents: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Recipe> =>
  fc
    .tuple(
      fc.oneof(
        { weight: 3, arbitrary: fc.constant('Uint8Array') },
        { weight: 2, arbitrary: fc.constantFrom(...Object.keys(views)) },
      ),
      contents,
    )
    .map(([kind, bytes]) => recipe(`${kind} of ${describe(bytes)}`, (memory) => views[kind]?.(bytes, memory)));

const bytes = bytesOf(content);
const nothing = fc.constant(recipe('null', () => null));
const orNull = (arbitrary: fc.Arbitrary<Recipe>) =>
  fc.oneof({ weight: 3, arbitrary }, { weight: 1, arbitrary: nothing });

/** An address that leads nowhere but to this machine. */
const address = bytesOf(
  fc.oneof(
    fc.nat({ max: 65535 }).map((port) => sockaddr_in('127.0.0.1', port).bytes),
    fc.nat({ max: 65535 }).map((port) => sockaddr_in6('::1', port).bytes),
    fc.uint8Array({ maxLength: 107 }).map((name) => sockaddr_un(Uint8Array.of(0, ...name)).bytes),
    fc.constant(sockaddr_un('here').bytes),
    fc.constantFrom(sockaddr_nl().bytes, sockaddr_unspec().bytes),
    // Any other family, of any length.
    fc.tuple(fc.nat({ max: 50 }), fc.uint8Array({ maxLength: 200 })).map(([family, rest]) => {
      return Uint8Array.of(family === 2 || family === 10 ? 1 : family, 0, ...rest.map((byte) => byte & 0x1f));
    }),
    fc.uint8Array({ maxLength: 1 }),
  ),
);

/** What is thrown by getters, and so may come out of a call. */
export class FromGetter extends Error {}

const withGetter = (name: string, get: (element: Uint8Array) => unknown) => {
  return bytes.map(({ text, make }) =>
    recipe(`[${text}, a getter that ${name}]`, (memory) => {
      const element = make(memory) as Uint8Array;
      return Object.defineProperty([element], 1, { enumerable: true, get: () => get(element) });
    }),
  );
};

const buffers = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.array(bytes, { maxLength: 5 }).map((recipes) => {
      return recipe(`[${recipes.map(({ text }) => text).join(', ')}]`, (memory) =>
        recipes.map(({ make }) => make(memory)),
      );
    }),
  },
  { weight: 1, arbitrary: bytes },
  {
    weight: 1,
    arbitrary: fc.tuple(bytes, fc.constantFrom(2, 100, 1023, 1024, 1025, 5000)).map(([{ text, make }, times]) => {
      return recipe(`${times} times ${text}`, (memory) => new Array(times).fill(make(memory)));
    }),
  },
  {
    weight: 1,
    arbitrary: fc.oneof(
      withGetter('detaches the first', (element) => {
        if (element.buffer instanceof ArrayBuffer && element.buffer.byteLength > 0) detach(element);
        return new Uint8Array(8);
      }),
      withGetter('throws', () => {
        throw new FromGetter('of a getter');
      }),
      withGetter('makes another call', () => {
        raw.getsockname(-1, new Uint8Array(16));
        return new Uint8Array(1);
      }),
      withGetter('answers no bytes', () => 'text'),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(...[3, 2 ** 32 - 1].map((n) => recipe(`new Array(${n})`, () => new Array(n)))),
  },
);

/** Text that no name server is ever asked about. */
const text = bytesOf(
  fc.oneof(
    fc
      .constantFrom(
        '127.0.0.1',
        '::1',
        'fe80::1%lo',
        '1',
        '',
        'lo',
        'tcp',
        'http',
        '65536',
        '-1',
        '\u{1f4a9}',
        '256.1.1.1',
      )
      .map((name) => Buffer.from(name)),
    fc.uint8Array({ maxLength: 40 }),
    fc.constant(new Uint8Array(70_000).fill(0x61)),
  ),
);

const struct = (size: number) =>
  fc.oneof(
    {
      weight: 6,
      arbitrary: bytesOf(
        fc.oneof(fc.constant(new Uint8Array(size)), fc.uint8Array({ minLength: size, maxLength: size })),
      ),
    },
    { weight: 1, arbitrary: bytes },
  );

/** Values of a kind, most of them right, with the descriptors that the fuzz made. */
export function valuesOf(kind: Kind, descriptors: Descriptors): fc.Arbitrary<Recipe> {
  return fc.oneof(
    { weight: 9, arbitrary: right(kind, descriptors) },
    { weight: 1, arbitrary: kind === 'fd' ? garbage : fc.oneof(garbage, int) },
  );
}

function right(kind: Kind, descriptors: Descriptors): fc.Arbitrary<Recipe> {
  const [, least, orNothing] = /^at least (\d+) bytes( or null)?/.exec(kind) ?? [];
  if (least !== undefined) return orNothing ? orNull(struct(Number(least))) : struct(Number(least));
  switch (kind) {
    case 'fd':
      return fc.constantFrom(...descriptors.names).map((name) => recipe(name, () => descriptors.get(name)));
    case 'int':
      return int;
    case 'flags':
      return flags;
    case 'milliseconds':
      return fc
        .oneof(
          fc.constantFrom(0, 1),
          int.map((made) => Number(made.text)),
        )
        .map(integer);
    case 'lookup flags':
      return flags.map((made) => integer((Number(made.text) | AI_NUMERICHOST) >>> 0));
    case 'namespaces':
      return fc.constantFrom(0, 1, 2 ** 31, 0x1000, 0x10000100).map(integer); // one that does nothing, and bad ones
    case 'protection':
      return fc
        .oneof(
          fc.constantFrom(1, 3),
          flags.map((made) => Number(made.text)),
        )
        .map(integer);
    case 'size':
      return size;
    case 'size to map':
      return fc.constantFrom(0, 1, 4096, 65536, 2 ** 20, 2 ** 50, Number.MAX_SAFE_INTEGER).map(integer);
    case 'wide':
      return wide;
    case 'offset':
      return orNull(wide);
    case 'bytes':
      return bytes;
    case 'bytes or null':
      return orNull(bytes);
    case 'address':
      return address;
    case 'address or null':
      return orNull(address);
    case 'value':
      return fc.oneof(flags, bytes);
    case 'struct or null':
      return fc.oneof(flags, orNull(bytes));
    case 'buffers':
      return buffers;
    case 'mapping':
      return fc.oneof(fc.constant(recipe('a mapping', () => raw.mmap(4096, 3, 0x22, -1, 0))), bytes);
    case 'text':
      return text;
    default:
      return orNull(text); // text or null
  }
}

/** What the checked floor takes beside numbers and bytes. */
const objects: Record<string, () => unknown> = {
  'a SockAddr': () => sockaddr_in('127.0.0.1', 9),
  'an empty SockAddr': () => new SockAddr(),
  'a MsgHdr': () => new MsgHdr({ iov: new Uint8Array(8), name: new SockAddr(), control: 64 }),
  'a ControlBuffer': () => new ControlBuffer(64),
  'a MessageBatch': () => new MessageBatch(2, { payload: 16, control: 32 }),
  PollFds: () => new PollFds(2),
  EpollEvents: () => new EpollEvents(2),
  'an FdSet': () => new FdSet(),
  'a SigSet': () => new SigSet(),
  'a timespec': () => new timespec({ tv_nsec: 1000 }),
  'a timeval': () => new timeval({ tv_usec: 1 }),
  'an itimerspec': () => new itimerspec(),
  'a linger': () => new linger({ l_onoff: 1 }),
  'a Uint8Array': () => new Uint8Array(64),
  "'127.0.0.1'": () => '127.0.0.1',
  "'SO_RCVBUF'": () => 'SO_RCVBUF',
  '2n ** 64n': () => 2n ** 64n,
  '{ payload: 8 }': () => ({ payload: 8 }),
  '{ flags: 4 }': () => ({ flags: 4 }), // AI_NUMERICHOST
};

/** Values of every kind that the checked floor and the structs know. None is a descriptor that the fuzz did not make. */
export const anythingButIntegers = (descriptors: Descriptors): fc.Arbitrary<Recipe> =>
  fc.oneof(
    garbage,
    right('fd', descriptors),
    bytes,
    buffers,
    fc.constantFrom(...Object.entries(objects).map(([text, make]) => recipe(text, make))),
  );

/** The same, and integers. */
export const anything = (descriptors: Descriptors): fc.Arbitrary<Recipe> =>
  fc.oneof({ weight: 3, arbitrary: anythingButIntegers(descriptors) }, { weight: 2, arbitrary: fc.oneof(int, flags) });
