// The bits of an array of C's unsigned longs, which is what fd_set and sigset_t are.
import { littleEndian } from './struct.js';

function byteOf(bit: number): number {
  return littleEndian ? bit >> 3 : (bit >> 3) ^ 7;
}

export function hasBit(bytes: Uint8Array, bit: number): boolean {
  return ((bytes[byteOf(bit)] as number) & (1 << (bit & 7))) !== 0;
}

export function putBit(bytes: Uint8Array, bit: number, on: boolean): void {
  const index = byteOf(bit);
  const others = (bytes[index] as number) & ~(1 << (bit & 7));
  bytes[index] = others | (Number(on) << (bit & 7));
}

/** The bits that are on, in ascending order. */
export function* bitsOf(bytes: Uint8Array): Generator<number, void, undefined> {
  for (let first = 0; first < bytes.length * 8; first += 8) {
    if (bytes[byteOf(first)] === 0) continue;
    for (let bit = first; bit < first + 8; bit++) if (hasBit(bytes, bit)) yield bit;
  }
}
