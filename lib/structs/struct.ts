// A C struct as a view over its bytes. The compiler says where each field lies; here it gets its type.
import { endianness } from 'node:os';
import { type InspectOptions, inspect } from 'node:util';
import { type Bytes, type Layout, layouts, type Place } from '../native.js';
import { arrayIn, asUint8Array, integer, shown, textIn } from '../values.js';

/** Whether this machine's integers begin with their low byte. */
export const littleEndian = endianness() === 'LE';

const decoder = new TextDecoder();

/** How a field's bytes become a JavaScript value and back. */
export interface Kind<T> {
  read(view: DataView, place: Place): T;
  /** @param name what the errors call the value */
  write(view: DataView, place: Place, value: T, name: string): void;
}

/** A signed integer of the field's size. One of 64 bits is read as a number, exact to 2^53. */
export const int: Kind<number> = {
  read(view, [offset, size]) {
    if (size === 4) return view.getInt32(offset, littleEndian);
    if (size === 2) return view.getInt16(offset, littleEndian);
    if (size === 1) return view.getInt8(offset);
    return Number(view.getBigInt64(offset, littleEndian));
  },
  write(view, [offset, size], value, name) {
    const bound = 2 ** (Math.min(size * 8, 54) - 1);
    integer(name, value, -bound, bound - 1);
    if (size === 4) view.setInt32(offset, value, littleEndian);
    else if (size === 2) view.setInt16(offset, value, littleEndian);
    else if (size === 1) view.setInt8(offset, value);
    else view.setBigInt64(offset, BigInt(value), littleEndian);
  },
};

/** An unsigned integer of the field's size, or a bit-field. One of 64 bits is read as a number, exact to 2^53. */
export const uint: Kind<number> = {
  read(view, [offset, size, firstBit, bits]) {
    if (firstBit !== undefined && bits !== undefined) return (view.getUint8(offset) >> firstBit) & (2 ** bits - 1);
    if (size === 4) return view.getUint32(offset, littleEndian);
    if (size === 2) return view.getUint16(offset, littleEndian);
    if (size === 1) return view.getUint8(offset);
    return Number(view.getBigUint64(offset, littleEndian));
  },
  write(view, [offset, size, firstBit, bits], value, name) {
    integer(name, value, 0, 2 ** Math.min(bits ?? size * 8, 53) - 1);
    if (firstBit !== undefined && bits !== undefined) {
      const others = view.getUint8(offset) & ~((2 ** bits - 1) << firstBit);
      view.setUint8(offset, others | (value << firstBit));
    } else if (size === 4) view.setUint32(offset, value, littleEndian);
    else if (size === 2) view.setUint16(offset, value, littleEndian);
    else if (size === 1) view.setUint8(offset, value);
    else view.setBigUint64(offset, BigInt(value), littleEndian);
  },
};

/** 32 bits: an unsigned integer that is combined of flags, and so negative after `|` if it has the highest. */
export const bits32: Kind<number> = {
  read: uint.read,
  write(view, place, value, name) {
    uint.write(view, place, integer(name, value, -(2 ** 31), 2 ** 32 - 1) >>> 0, name);
  },
};

/** An unsigned integer of 64 bits, as a BigInt: a counter or an identifier that may use all of them. */
export const uint64: Kind<bigint> = {
  read: (view, [offset]) => view.getBigUint64(offset, littleEndian),
  write(view, [offset], value, name) {
    if (typeof value !== 'bigint') throw new TypeError(`${name} must be a bigint, not ${shown(value)}`);
    if (BigInt.asUintN(64, value) !== value) throw new RangeError(`${name} must fit into 64 bits, not ${value}`);
    view.setBigUint64(offset, value, littleEndian);
  },
};

/** An unsigned integer in network byte order, of 16 or 32 bits. */
export const networkUint: Kind<number> = {
  read: (view, [offset, size]) => (size === 2 ? view.getUint16(offset) : view.getUint32(offset)),
  write(view, [offset, size], value, name) {
    integer(name, value, 0, 2 ** (size * 8) - 1);
    if (size === 2) view.setUint16(offset, value);
    else view.setUint32(offset, value);
  },
};

// A struct over fewer bytes than it has fields for must not reach those that follow.
function within(view: DataView, offset: number, size: number): Uint8Array {
  if (offset + size > view.byteLength) throw new RangeError('the field lies beyond the bytes of its struct');
  return new Uint8Array(view.buffer, view.byteOffset + offset, size);
}

/** The field's bytes themselves: a view when read, copied (and padded with zeros) when written. */
export const bytes: Kind<Uint8Array> = {
  read: (view, [offset, size]) => within(view, offset, size),
  write(view, [offset, size], value, name) {
    if (!(value instanceof Uint8Array)) throw new TypeError(`${name} must be a Uint8Array, not ${shown(value)}`);
    if (value.length > size) throw new RangeError(`${name} has room for ${size} bytes, not for ${value.length}`);
    const field = within(view, offset, size);
    field.fill(0);
    field.set(value);
  },
};

/** Text up to its NUL. */
export function cString(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return decoder.decode(end < 0 ? bytes : bytes.subarray(0, end));
}

/** A field of characters (`char name[16]`): text up to its NUL, which must fit. */
export const text: Kind<string> = {
  read(view, place) {
    return cString(bytes.read(view, place));
  },
  write(view, place, value, name) {
    const encoded = textIn(name, value);
    if (encoded.length >= place[1]) {
      throw new RangeError(`${name} has room for ${place[1] - 1} bytes, and '${value}' has ${encoded.length}`);
    }
    bytes.write(view, place, encoded, name);
  },
};

/** A struct inside a struct: a view when read, copied when written. */
export function nested<S extends Struct>(type: new (bytes: Uint8Array) => S): Kind<S> {
  return {
    read: (view, place) => new type(bytes.read(view, place)),
    write(view, place, value, name) {
      if (!(value instanceof type)) throw new TypeError(`${name} must be a ${type.name}, not ${shown(value)}`);
      bytes.write(view, place, value.bytes, name);
    },
  };
}

/** An array of structs inside a struct, as many as its bytes hold: views when read, copied when written. */
export function list<S extends Struct>(type: (new (bytes: Uint8Array) => S) & { size: number }): Kind<readonly S[]> {
  const at = ([offset]: Place, i: number): Place => [offset + i * type.size, type.size];
  return {
    read: (view, place) =>
      Array.from({ length: place[1] / type.size }, (_, i) => new type(bytes.read(view, at(place, i)))),
    write(view, place, values, name) {
      const room = place[1] / type.size;
      if (arrayIn(name, values).length > room)
        throw new RangeError(`${name} has room for ${room} structs, not for ${values.length}`);
      const one = nested(type);
      for (const [i, value] of values.entries()) one.write(view, at(place, i), value, `${name}[${i}]`);
    },
  };
}

/** A C struct's bytes. */
export class Struct {
  /** The struct itself: what is read and written is these bytes. */
  readonly bytes: Uint8Array;
  /** How many of them are in use: after `getsockopt`, how many the kernel wrote. Fields beyond read as undefined. */
  length: number;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.length = bytes.length;
  }

  /** The fields' values by name. */
  toJSON(): Record<string, unknown> {
    return {};
  }

  [inspect.custom](depth: number, options: InspectOptions, show: typeof inspect): string {
    return `${this.constructor.name} ${show(this.toJSON(), { ...options, depth })}`;
  }
}

/** What has the bytes of a struct, or of an array of them. */
interface WithBytes {
  readonly bytes: Uint8Array;
}

/**
 * The bytes of a struct that a call takes.
 * @param name the argument, for the error
 * @param type the class that it must be of, for the error
 * @param others what the argument may be instead, for the error
 */
export function bytesOf(name: string, struct: WithBytes, type: { readonly name: string }, others = ''): Uint8Array {
  const bytes = struct?.bytes;
  if (bytes === undefined) throw new TypeError(`${name} must be of class ${type.name}${others}, not ${shown(struct)}`);
  return bytes;
}

/** The same, of a struct that may be null. */
export function bytesOrNull(
  name: string,
  struct: WithBytes | null,
  type: { readonly name: string },
  others = ' or null',
): Uint8Array | null {
  return struct === null ? null : bytesOf(name, struct, type, others);
}

type Fields = Record<string, Kind<unknown>>;
type Values<F> = { -readonly [K in keyof F]: F[K] extends Kind<infer T> ? T : never };

/** A struct's class: make one from values (the rest is zero), or over bytes that exist. */
export interface StructType<F> {
  new (content?: Partial<Values<F>> | Bytes): Struct & Values<F>;
  /** sizeof the struct, in bytes. */
  readonly size: number;
}

/**
 * Makes the class of a C struct.
 * @param name its C name, as in native/layouts.def
 * @param fields each field's name in C and how it is read
 */
export function struct<F extends Fields>(name: string, fields: F): StructType<F> {
  const layout = layouts[name] as Layout;
  const entries = Object.entries(fields);

  class View extends Struct {
    static readonly size = layout.size;
    readonly #view: DataView;

    static {
      for (const [field, kind] of entries) {
        const place = layout.fields[field] as Place;
        const fullName = `${name}.${field}`;
        Object.defineProperty(View.prototype, field, {
          enumerable: true,
          get(this: View) {
            return place[0] + place[1] > this.length ? undefined : kind.read(this.#view, place);
          },
          set(this: View, value: unknown) {
            kind.write(this.#view, place, value, fullName);
          },
        });
      }
    }

    constructor(content: Record<string, unknown> | Bytes = {}) {
      const given = asUint8Array(content);
      super(given ?? new Uint8Array(layout.size));
      this.#view = new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.byteLength);
      if (given) return;
      if (typeof content !== 'object' || content === null) {
        throw new TypeError(`a struct ${name} is made of its fields or of bytes, not of ${shown(content)}`);
      }
      for (const [field, value] of Object.entries(content)) {
        if (!(field in fields)) throw new TypeError(`struct ${name} has no field '${field}'`);
        (this as Record<string, unknown>)[field] = value;
      }
    }

    override toJSON(): Record<string, unknown> {
      return Object.fromEntries(entries.map(([field]) => [field, (this as Record<string, unknown>)[field]]));
    }
  }

  return View as unknown as StructType<F>;
}
