// Values that a caller gave: looked at and never converted, because a conversion runs code of the value.
import { isAnyArrayBuffer } from 'node:util/types';

// Longer text is not shown in the text of an error.
const longestShown = 60;

/** A value in the text of an error; of what could run code, or be of any length, only what it is. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return value.length > longestShown ? 'a long text' : `'${value}'`;
  if (typeof value === 'function') return 'a function';
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}

/** A number that must be an integer within a range. The errors name it. */
export function integer(name: string, value: number, least: number, most: number): number {
  if (typeof value !== 'number' || Number.isNaN(value)) {
    throw new TypeError(`${name} must be a number, not ${shown(value)}`);
  }
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new RangeError(`${name} must be an integer from ${least} to ${most}, not ${value}`);
  }
  return value;
}

/** Bytes of any kind as a Uint8Array over the same memory, empty if that was detached; undefined for what is no bytes. */
export function asUint8Array(value: unknown): Uint8Array | undefined {
  if (value instanceof Uint8Array) return value;
  if (!ArrayBuffer.isView(value) && !isAnyArrayBuffer(value)) return undefined;
  try {
    return ArrayBuffer.isView(value)
      ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
      : new Uint8Array(value);
  } catch {
    return new Uint8Array(0); // of a DataView over what is gone even the length cannot be read
  }
}

/** The same, for what must be bytes. The error names it. */
export function bytesIn(name: string, value: unknown): Uint8Array {
  const bytes = asUint8Array(value);
  if (!bytes) throw new TypeError(`${name} must be a Uint8Array, another view or an ArrayBuffer, not ${shown(value)}`);
  return bytes;
}

const encoder = new TextEncoder();

/** Text for C, where a NUL would end it, as UTF-8. The errors name it. */
export function textIn(name: string, value: string): Uint8Array {
  if (typeof value !== 'string') throw new TypeError(`${name} must be text, not ${shown(value)}`);
  if (value.includes('\0')) throw new TypeError(`${name} cannot have a NUL byte inside`);
  return encoder.encode(value);
}

// More than any call of the kernel takes.
const longest = 2 ** 20;

/** An array, of no more than 2^20 elements. The error names it. */
export function arrayIn<T>(name: string, value: readonly T[]): readonly T[] {
  if (!Array.isArray(value)) throw new TypeError(`${name} must be an array, not ${shown(value)}`);
  if (value.length > longest) throw new RangeError(`${name} must have at most ${longest} elements`);
  return value;
}

/** An object whose members are about to be read. The error names it. */
export function objectIn<T extends object>(name: string, value: T): T {
  if (typeof value !== 'object' || value === null) {
    throw new TypeError(`${name} must be an object, not ${shown(value)}`);
  }
  return value;
}
