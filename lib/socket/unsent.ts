import { IOV_MAX } from '../constants.js';
import { type Bytes, raw } from '../native.js';

function asUint8Array(bytes: Bytes): Uint8Array {
  if (bytes instanceof Uint8Array) return bytes;
  return ArrayBuffer.isView(bytes)
    ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    : new Uint8Array(bytes);
}

const nothing: Uint8Array[] = [];

/** What of one buffer, or of several, is still to be sent. */
export class Unsent {
  /** How many bytes the kernel has taken. */
  sent = 0;
  #buffers: Uint8Array[];

  constructor(bytes: Bytes | readonly Bytes[]) {
    this.#buffers = Array.isArray(bytes) ? bytes.map(asUint8Array) : [asUint8Array(bytes as Bytes)];
  }

  get isEmpty(): boolean {
    return this.#buffers.length === 0;
  }

  /** One call. @returns what it answered */
  send(fd: number, flags: number): number {
    const [first] = this.#buffers;
    const taken =
      this.#buffers.length === 1
        ? raw.send(fd, first as Uint8Array, flags)
        : raw.sendmsg(fd, this.#buffers.slice(0, IOV_MAX), null, null, flags);
    if (taken >= 0) this.#drop(taken);
    return taken;
  }

  #drop(taken: number): void {
    this.sent += taken;
    if (this.#buffers.length === 1 && taken === this.#buffers[0]?.length) {
      this.#buffers = nothing;
      return;
    }
    let left = taken;
    let whole = 0;
    for (const { length } of this.#buffers) {
      if (length > left) break;
      left -= length;
      whole++;
    }
    this.#buffers = this.#buffers.slice(whole);
    if (left > 0) this.#buffers[0] = (this.#buffers[0] as Uint8Array).subarray(left);
  }
}
