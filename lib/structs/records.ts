// Reads the lists that native/names.cc packs: int32s and stretches of bytes, each padded to four.
import { littleEndian } from './struct.js';

const decoder = new TextDecoder();

export class RecordReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length;
  }

  /** The next `count` int32s. */
  integers(count: number): number[] {
    return Array.from({ length: count }, () => {
      this.#at += 4;
      return this.#view.getInt32(this.#at - 4, littleEndian);
    });
  }

  /** The next stretch of bytes, a view. */
  bytes(length: number): Uint8Array {
    const start = this.#at;
    this.#at += Math.ceil(length / 4) * 4;
    return this.#bytes.subarray(start, start + length);
  }

  text(length: number): string {
    return decoder.decode(this.bytes(length));
  }
}
