import { type Layout, layouts } from '../native.js';
import { shown } from '../values.js';
import { bitsOf, hasBit, putBit } from './bits.js';

const size = (layouts.sigset as Layout).size;
const maxSignal = 64;

function bitOf(signal: number): number {
  if (!Number.isInteger(signal)) throw new TypeError(`a signal is a number, not ${shown(signal)}`);
  if (signal < 1 || signal > maxSignal) throw new RangeError(`signals are 1 to ${maxSignal}, not ${signal}`);
  return signal - 1;
}

/**
 * A set of signals: `sigset_t`. The one real-time signal by which this package ends blocked calls is left out by every
 * call that takes a set.
 * @see sigsetops(3)
 */
export class SigSet implements Iterable<number> {
  /** The set itself: signal n is bit n - 1 of an array of C's unsigned longs. */
  readonly bytes = new Uint8Array(size);

  constructor(signals: Iterable<number> = []) {
    for (const signal of signals) this.add(signal);
  }

  /** `sigaddset(set, signum)` @throws RangeError not a signal */
  add(signal: number): this {
    putBit(this.bytes, bitOf(signal), true);
    return this;
  }

  /** `sigdelset(set, signum)` @throws RangeError not a signal */
  delete(signal: number): this {
    putBit(this.bytes, bitOf(signal), false);
    return this;
  }

  /** `sigismember(set, signum)` @throws RangeError not a signal */
  has(signal: number): boolean {
    return hasBit(this.bytes, bitOf(signal));
  }

  /** The signals in the set, in ascending order. */
  *[Symbol.iterator](): IterableIterator<number> {
    // The kernel has 64 signals, and sigset_t room for more.
    for (const bit of bitsOf(this.bytes.subarray(0, maxSignal / 8))) yield bit + 1;
  }
}
