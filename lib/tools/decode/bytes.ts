import { bytesIn } from '../../values.js';

/** What a raw call takes as bytes, as bytes; null for a null pointer. */
export function asBytes(value: unknown): Uint8Array | null {
  return value === null || value === undefined ? null : bytesIn('what is decoded', value);
}

const littleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** A C int, at `offset`. */
export function intAt(bytes: Uint8Array, offset = 0): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getInt32(offset, littleEndian);
}

/** A C unsigned int, at `offset`. */
export function uintAt(bytes: Uint8Array, offset = 0): number {
  return intAt(bytes, offset) >>> 0;
}
