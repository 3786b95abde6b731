/** What a raw call takes as bytes, as bytes; null for a null pointer. */
export function asBytes(value: unknown): Uint8Array | null {
  if (value instanceof Uint8Array) return value;
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  if (value === null || value === undefined) return null;
  throw new TypeError('these are no bytes');
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
