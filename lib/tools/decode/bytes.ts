import { littleEndian } from '../../structs/struct.js';
import { bytesIn } from '../../values.js';

/** What a raw call takes as bytes, as bytes; null for a null pointer. */
export function asBytes(value: unknown): Uint8Array | null {
  return value === null || value === undefined ? null : bytesIn('what is decoded', value);
}

/** A C int, at `offset`. */
export function intAt(bytes: Uint8Array, offset = 0): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getInt32(offset, littleEndian);
}
