// What a socket option or a control message holds: its value in JavaScript, and its bytes.

import type { Bytes } from '../native.js';
import { arrayIn, shown, textIn } from '../values.js';
import { formatInet, formatInet6, parseInet, parseInet6 } from './inet.js';
import { SockAddr } from './sockaddr.js';
import {
  cString,
  int as intKind,
  type Kind,
  networkUint,
  Struct,
  uint64 as uint64Kind,
  uint as uintKind,
} from './struct.js';

/** What an option or a control message holds. `Out` is what reading it gives, `In` what may be written. */
export interface Content<Out, In = Out> {
  /** How C names it: 'int', 'struct linger', 'char[]'. */
  readonly type: string;
  /** How many bytes to give getsockopt room for. */
  readonly room: number;
  /** What those bytes must say before the kernel fills them in, for the few options that read them first. */
  readonly question?: Uint8Array;
  /** The value of the bytes that the kernel wrote. */
  decode(bytes: Uint8Array): Out;
  /**
   * The bytes of a value for the kernel.
   * @param name what the errors call the value
   */
  encode(value: In, name: string): Uint8Array;
}

/** The class of a struct, which stands for what holds one. */
export interface StructClass<S extends Struct = Struct, Init = never> {
  new (content?: Init): S;
  readonly size: number;
}

/** What a row of a table of options or control messages says that it holds. */
// biome-ignore lint/suspicious/noExplicitAny: the types are inferred from each row
export type Holding = Content<any, any> | StructClass<any, any>;

/** What reading one gives that holds `H`. */
export type Out<H> = H extends Content<infer T, infer _> ? T : H extends new (content?: infer _) => infer S ? S : never;

/** What may be written to one that holds `H`: for a struct, also an object of its fields. */
export type In<H> =
  H extends Content<infer _, infer T>
    ? T
    : H extends new (
          content?: infer Init,
        ) => infer S
      ? S | Exclude<Init, Bytes | undefined>
      : never;

/** The content that a row names. */
export function contentOf<H extends Holding>(holding: H): Content<Out<H>, In<H>> {
  return typeof holding === 'function' ? structure(holding) : (holding as Content<Out<H>, In<H>>);
}

function structure<S extends Struct, Init>(type: StructClass<S, Init>): Content<S, S | Init> {
  return {
    type: `struct ${type.name}`,
    room: type.size,
    decode: (bytes) => new type(bytes as Init),
    encode(value, name) {
      if (value instanceof type) return value.bytes;
      if (value instanceof Struct || typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) {
        throw new TypeError(`${name} must be a ${type.name}, or its fields, not ${shown(value)}`);
      }
      return new type(value).bytes;
    },
  };
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

// A value of one size. The kernel may write fewer bytes of it: IP_TOS is one byte long to a buffer of three.
function fixed<T>(type: string, kind: Kind<T>, size: number): Content<T> {
  return {
    type,
    room: size,
    decode(bytes) {
      const whole = bytes.length < size ? new Uint8Array(size) : bytes;
      if (whole !== bytes) whole.set(bytes);
      return kind.read(view(whole), [0, size]);
    },
    encode(value, name) {
      const bytes = new Uint8Array(size);
      kind.write(view(bytes), [0, size], value, name);
      return bytes;
    },
  };
}

export const int = fixed('int', intKind, 4);
export const uint = fixed('unsigned int', uintKind, 4);
export const uint8 = fixed('uint8_t', uintKind, 1);
export const uint16 = fixed('uint16_t', uintKind, 2);
/** An unsigned int in network byte order. */
export const networkInt = fixed('unsigned int, network byte order', networkUint, 4);
/** 64 bits, as a BigInt. */
export const uint64 = fixed('uint64_t', uint64Kind, 8);

/** A switch: an int that is 0 or not. */
export const flag: Content<boolean> = {
  ...int,
  decode: (bytes) => int.decode(bytes) !== 0,
  encode(value, name) {
    if (typeof value !== 'boolean') throw new TypeError(`${name} must be true or false, not ${shown(value)}`);
    return int.encode(value ? 1 : 0, name);
  },
};

/** Text, which the kernel ends with a NUL when it writes it. */
export const text: Content<string> = {
  type: 'char[]',
  room: 4096,
  decode: cString,
  encode: (value, name) => textIn(name, value),
};

/** Bytes as they are, at most so many when read. */
export function bytes(room: number): Content<Uint8Array> {
  return {
    type: 'bytes',
    room,
    decode: (bytes) => bytes,
    encode(value, name) {
      if (!(value instanceof Uint8Array)) throw new TypeError(`${name} must be a Uint8Array, not ${shown(value)}`);
      return value;
    },
  };
}

/** An IPv4 address as text. */
export const in_addr: Content<string> = {
  type: 'struct in_addr',
  room: 4,
  decode: (bytes) => formatInet(bytes),
  encode: (value) => parseInet(value),
};

/** An IPv6 address as text. */
export const in6_addr: Content<string> = {
  type: 'struct in6_addr',
  room: 16,
  decode: (bytes) => formatInet6(bytes),
  encode: (value) => parseInet6(value).bytes,
};

/** A socket address of any family. */
export const sockaddr: Content<SockAddr> = {
  type: 'struct sockaddr',
  room: 128,
  decode: (bytes) => SockAddr.from(bytes),
  encode(value, name) {
    if (!(value instanceof SockAddr)) throw new TypeError(`${name} must be a SockAddr, not ${shown(value)}`);
    return value.bytes;
  },
};

/** An array, of at most so many elements when read. */
export function list<H extends Holding>(element: H, most: number): Content<Out<H>[], readonly In<H>[]> {
  const { type, room: size, decode, encode } = contentOf(element);
  return {
    type: `${type}[]`,
    room: size * most,
    decode: (bytes) =>
      Array.from({ length: Math.floor(bytes.length / size) }, (_, i) =>
        decode(bytes.subarray(i * size, (i + 1) * size)),
      ),
    encode(values, name) {
      const bytes = new Uint8Array(size * arrayIn(name, values).length);
      for (const [i, value] of values.entries()) bytes.set(encode(value, `${name}[${i}]`), i * size);
      return bytes;
    },
  };
}

/** What has elements, behind an unsigned int that says how many. */
export function counted<Out extends { length: number; slice(from: number, to: number): Out }, In>(
  type: string,
  elements: Content<Out, In & { length: number }>,
): Content<Out, In & { length: number }> {
  return {
    type,
    room: uint.room + elements.room,
    decode: (bytes) => elements.decode(bytes.subarray(uint.room)).slice(0, uint.decode(bytes)),
    encode(values, name) {
      const content = elements.encode(values, name);
      return Buffer.concat([uint.encode(values.length, name), content]);
    },
  };
}

/** The same with another room: for a struct that a list follows, or an address of one family. */
export function sized<H extends Holding>(holding: H, room: number): Content<Out<H>, In<H>> {
  return { ...contentOf(holding), room };
}

/** What gives `holding` when read, and takes also other structs when set. */
export function or<H extends Holding, Others extends readonly StructClass[]>(
  holding: H,
  ...others: Others
): Content<Out<H>, In<H> | InstanceType<Others[number]>> {
  const content = contentOf(holding);
  return {
    ...content,
    type: [content.type, ...others.map((type) => `struct ${type.name}`)].join(' or '),
    encode: (value, name) =>
      others.some((type) => value instanceof type) ? (value as Struct).bytes : content.encode(value as In<H>, name),
  };
}
