// What a frame's payload goes through on its way: compression, a checksum, or a filter of one's own.
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import * as zlib from 'node:zlib';

/** A filter. Both ways may answer later, so that long work can be done off the thread. */
export interface Filter {
  /** The byte that names it, as a character; both peers must mean the same. */
  readonly id: string;
  pack(bytes: Uint8Array): Uint8Array | Promise<Uint8Array>;
  /**
   * @param bytes valid until the answer; not to be changed
   * @param most how many bytes may come of it
   * @throws if they do not unpack, or to more than that
   */
  unpack(bytes: Uint8Array, most: number): Uint8Array | Promise<Uint8Array>;
}

const gzipLater = promisify<zlib.InputType, zlib.ZlibOptions, Buffer>(zlib.gzip);
const gunzipLater = promisify<zlib.InputType, zlib.ZlibOptions, Buffer>(zlib.gunzip);

// Below this, handing the work to another thread costs more than doing it; a packed byte may become a thousand.
const longWork = 65536;
const longPacked = 4096;

/**
 * The gzip format.
 * @param level 0 (store) to 9 (smallest); speed and size are in between by default
 */
export function gzip(id = 'g', level: number = zlib.constants.Z_DEFAULT_COMPRESSION): Filter {
  return {
    id,
    pack: (bytes) => (bytes.length < longWork ? zlib.gzipSync(bytes, { level }) : gzipLater(bytes, { level })),
    unpack: (bytes, most) => {
      if (most < 1) throw new RangeError('nothing more may be unpacked');
      const options = { maxOutputLength: most };
      return bytes.length < longPacked ? zlib.gunzipSync(bytes, options) : gunzipLater(bytes, options);
    },
  };
}

const md5Length = 16;

function md5Of(bytes: Uint8Array): Buffer {
  return createHash('md5').update(bytes).digest();
}

/** Appends the MD5 of the bytes, and checks it: against accidents, not against enemies. */
export function md5(id = 'm'): Filter {
  return {
    id,
    pack: (bytes) => Buffer.concat([bytes, md5Of(bytes)]),
    unpack: (bytes) => {
      const content = bytes.subarray(0, -md5Length);
      if (bytes.length < md5Length || !md5Of(content).equals(bytes.subarray(-md5Length))) {
        throw new Error('the MD5 does not match');
      }
      return content;
    },
  };
}

/** Sends a payload through filters, the innermost first; `filters` has the outermost first, as frames do. */
export function packThrough(filters: readonly Filter[], payload: Uint8Array): Uint8Array | Promise<Uint8Array> {
  let packed: Uint8Array | Promise<Uint8Array> = payload;
  for (const filter of filters.toReversed()) {
    packed = packed instanceof Promise ? packed.then((bytes) => filter.pack(bytes)) : filter.pack(packed);
  }
  return packed;
}

/**
 * The way back.
 * @param most how many bytes may be unpacked, all filters together
 */
export function unpackThrough(
  filters: readonly Filter[],
  packed: Uint8Array,
  most: number,
): Uint8Array | Promise<Uint8Array> {
  let left = most;
  const unpack = (filter: Filter, bytes: Uint8Array) => filter.unpack(bytes, left);
  const counted = (bytes: Uint8Array) => {
    left -= bytes.length;
    if (left < 0) throw new RangeError(`it unpacks to more than ${most} bytes`);
    return bytes;
  };
  let bytes: Uint8Array | Promise<Uint8Array> = packed;
  for (const filter of filters) {
    bytes = bytes instanceof Promise ? bytes.then((outer) => unpack(filter, outer)) : unpack(filter, bytes);
    bytes = bytes instanceof Promise ? bytes.then(counted) : counted(bytes);
  }
  return bytes;
}
