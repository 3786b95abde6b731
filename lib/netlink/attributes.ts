// Netlink attributes: type, length and value, each aligned to four bytes, and nested in one another.
import { NLA_F_NESTED, NLA_TYPE_MASK } from '../constants.js';
import { type Layout, layouts } from '../native.js';
import { formatInet, formatInet6 } from '../structs/inet.js';
import { cString, littleEndian, Struct } from '../structs/struct.js';

const headerSize = (layouts.nlattr as Layout).size;
const encoder = new TextEncoder();

/**
 * `NLMSG_ALIGN(length)` and `NLA_ALIGN(length)`: rounded up to a multiple of four.
 * @param length bytes
 * @returns bytes
 * @see netlink(3)
 */
export function netlinkAlign(length: number): number {
  return (length + 3) & ~3;
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** An IPv4 or IPv6 address, which its length tells apart. */
export function addressText(data: Uint8Array | undefined): string | undefined {
  if (data?.length === 4) return formatInet(data);
  return data?.length === 16 ? formatInet6(data) : undefined;
}

/** Attributes as they lie in a message (`struct nlattr`, `struct rtattr`): a view, decoded when somebody looks. */
export class NetlinkAttributes implements Iterable<readonly [type: number, data: Uint8Array]> {
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  /** Each attribute, in order; one that claims to be longer than what is there ends it. */
  *[Symbol.iterator](): IterableIterator<readonly [type: number, data: Uint8Array]> {
    const all = view(this.bytes);
    for (let start = 0; start + headerSize <= this.bytes.length; ) {
      const length = all.getUint16(start, littleEndian);
      if (length < headerSize || start + length > this.bytes.length) return;
      const type = all.getUint16(start + 2, littleEndian) & NLA_TYPE_MASK;
      yield [type, this.bytes.subarray(start + headerSize, start + length)];
      start += netlinkAlign(length);
    }
  }

  /** The bytes of the first attribute of a type, if there is one. */
  get(type: number): Uint8Array | undefined {
    for (const [its, data] of this) if (its === type) return data;
    return undefined;
  }

  /** Its value as an unsigned number of 1, 2, 4 or 8 bytes; of 8, exact to 2^53. */
  number(type: number): number | undefined {
    const data = this.get(type);
    if (data?.length === 4) return view(data).getUint32(0, littleEndian);
    if (data?.length === 1) return data[0];
    if (data?.length === 2) return view(data).getUint16(0, littleEndian);
    return data?.length === 8 ? Number(view(data).getBigUint64(0, littleEndian)) : undefined;
  }

  /** Its value as an array of unsigned numbers of 4 bytes each. */
  numbers(type: number): number[] | undefined {
    const data = this.get(type);
    return data && Array.from({ length: data.length >> 2 }, (_, i) => view(data).getUint32(4 * i, littleEndian));
  }

  /** Its value as text, up to its NUL. */
  text(type: number): string | undefined {
    const data = this.get(type);
    return data && cString(data);
  }

  /** Its value as an IPv4 or IPv6 address, by its length. */
  address(type: number): string | undefined {
    return addressText(this.get(type));
  }

  /** Its value as a hardware address: `'02:00:00:00:00:01'`. */
  hardwareAddress(type: number): string | undefined {
    const data = this.get(type);
    return data && Array.from(data, (byte) => byte.toString(16).padStart(2, '0')).join(':');
  }

  /** The attributes inside it. */
  nested(type: number): NetlinkAttributes | undefined {
    const data = this.get(type);
    return data && new NetlinkAttributes(data);
  }
}

/**
 * What an attribute may hold when it is made: a number is 32 bits; text gets its NUL; attributes are nested; the rest are
 * bytes as they are (`Uint8Array.of(1)` for 8 bits).
 */
export type AttributeValue = number | string | Uint8Array | Struct | readonly Attribute[];
/** An attribute to be made. */
export type Attribute = readonly [type: number, value: AttributeValue];

/**
 * The bytes of attributes.
 * @param attributes types and values, in order
 * @returns the bytes, of each attribute a multiple of four
 * @throws RangeError a value is longer than an attribute can be: 65,531 bytes
 * @see netlink(7)
 */
export function attributeBytes(attributes: readonly Attribute[]): Uint8Array {
  return Buffer.concat(
    attributes.map(([type, value]) => {
      const data = valueBytes(value);
      const length = headerSize + data.length;
      if (length > 0xffff) throw new RangeError(`an attribute of ${data.length} bytes is too long`);
      const bytes = new Uint8Array(netlinkAlign(length));
      const isNested = Array.isArray(value);
      view(bytes).setUint16(0, length, littleEndian);
      view(bytes).setUint16(2, isNested ? type | NLA_F_NESTED : type, littleEndian);
      bytes.set(data, headerSize);
      return bytes;
    }),
  );
}

function valueBytes(value: AttributeValue): Uint8Array {
  if (value instanceof Uint8Array) return value;
  if (value instanceof Struct) return value.bytes;
  if (typeof value === 'string') return encoder.encode(`${value}\0`);
  if (typeof value !== 'number') return attributeBytes(value);
  if (!Number.isInteger(value) || value < 0 || value > 0xffffffff) {
    throw new RangeError(`an attribute of 32 bits cannot hold ${value}`);
  }
  const bytes = new Uint8Array(4);
  view(bytes).setUint32(0, value, littleEndian);
  return bytes;
}
