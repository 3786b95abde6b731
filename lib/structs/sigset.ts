import { type Layout, layouts } from '../native.js';

const size = (layouts.sigset as Layout).size;
const maxSignal = 64;

/**
 * A set of signals: `sigset_t`. The one real-time signal by which this package ends blocked calls is left out by every
 * call that takes a set.
 * @see sigsetops(3)
 */
export class SigSet implements Iterable<number> {
  /** The set itself: signal n is bit n - 1. */
  readonly bytes = new Uint8Array(size);

  constructor(signals: Iterable<number> = []) {
    for (const signal of signals) this.add(signal);
  }

  #place(signal: number): [index: number, bit: number] {
    if (!Number.isInteger(signal)) throw new TypeError(`a signal is a number, not ${String(signal)}`);
    if (signal < 1 || signal > maxSignal) throw new RangeError(`signals are 1 to ${maxSignal}, not ${signal}`);
    return [(signal - 1) >> 3, 1 << ((signal - 1) & 7)];
  }

  add(signal: number): this {
    const [index, bit] = this.#place(signal);
    this.bytes[index] = (this.bytes[index] as number) | bit;
    return this;
  }

  delete(signal: number): this {
    const [index, bit] = this.#place(signal);
    this.bytes[index] = (this.bytes[index] as number) & ~bit;
    return this;
  }

  has(signal: number): boolean {
    const [index, bit] = this.#place(signal);
    return ((this.bytes[index] as number) & bit) !== 0;
  }

  *[Symbol.iterator](): IterableIterator<number> {
    for (let signal = 1; signal <= maxSignal; signal++) if (this.has(signal)) yield signal;
  }
}
