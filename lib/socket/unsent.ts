import { IOV_MAX } from '../constants.js';
import { type Bytes, raw } from '../native.js';
import { bytesIn } from '../values.js';

/** What of one buffer, or of several, is still to be sent. */
export class Unsent {
  /** How many bytes the kernel has taken. */
  sent = 0;
  #first: Uint8Array | undefined;
  // Those behind the first.
  #others: Uint8Array[] | undefined = undefined;

  constructor(bytes: Bytes | readonly Bytes[]) {
    if (Array.isArray(bytes)) {
      [this.#first, ...this.#others] = Array.from(bytes, (each, i) => bytesIn(`bytes[${i}]`, each));
    } else {
      this.#first = bytesIn('bytes', bytes);
    }
  }

  get isEmpty(): boolean {
    return this.#first === undefined;
  }

  /** One call. @returns what it answered */
  send(fd: number, flags: number): number {
    const first = this.#first as Uint8Array;
    const taken = this.#others?.length
      ? raw.sendmsg(fd, [first, ...this.#others.slice(0, IOV_MAX - 1)], null, null, flags)
      : raw.send(fd, first, flags);
    if (taken >= 0) this.#drop(taken);
    return taken;
  }

  #drop(taken: number): void {
    this.sent += taken;
    let first = this.#first;
    let left = taken;
    let whole = 0;
    while (first !== undefined && first.length <= left) {
      left -= first.length;
      first = this.#others?.[whole++];
    }
    if (whole > 0) this.#others = this.#others?.slice(whole);
    this.#first = left > 0 ? first?.subarray(left) : first;
  }
}
