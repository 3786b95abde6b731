// The two ends of a queue of bytes: what waits to be sent, and what came and is not yet a whole frame.

/** A buffer that grew larger is not kept when it is empty. */
const keptCapacity = 1 << 20;

/** Bytes that grow at their end. */
export class GrowingBytes {
  buffer: Buffer;
  length = 0;
  readonly #capacity: number;

  /** @param capacity room to begin with */
  constructor(capacity: number) {
    this.#capacity = capacity;
    this.buffer = Buffer.allocUnsafeSlow(capacity);
  }

  /** Makes room for so many more. */
  reserve(more: number): void {
    if (this.length + more <= this.buffer.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.buffer.length * 2, this.length + more));
    this.buffer.copy(larger, 0, 0, this.length);
    this.buffer = larger;
  }

  /** Appends a byte; its room is reserved. */
  byte(value: number): void {
    this.buffer[this.length++] = value;
  }

  /** Appends text as UTF-8; three bytes for each UTF-16 unit are reserved. */
  text(text: string): void {
    if (text !== '') this.length += this.buffer.write(text, this.length);
  }

  /** Appends bytes; their room is reserved. */
  append(bytes: Uint8Array): void {
    this.buffer.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** The bytes in use, a view. */
  get bytes(): Buffer {
    return this.buffer.subarray(0, this.length);
  }

  /** Forgets the bytes, and gives the memory back if they were many. */
  clear(): void {
    this.length = 0;
    if (this.buffer.length > keptCapacity) this.buffer = Buffer.allocUnsafeSlow(this.#capacity);
  }
}

/** Bytes that come at one end and are taken at the other. */
export class ShiftingBytes {
  buffer: Buffer;
  /** Where the bytes lie that are not taken yet. */
  start = 0;
  end = 0;
  readonly #capacity: number;

  /** @param capacity room to begin with */
  constructor(capacity: number) {
    this.#capacity = capacity;
    this.buffer = Buffer.allocUnsafeSlow(capacity);
  }

  /**
   * Room for so many bytes, after those that are there. What was given out before may move.
   *
   * Memory follows what came, not what was announced: the room doubles as it fills.
   */
  room(size: number): Buffer {
    if (this.start === this.end) {
      this.start = this.end = 0;
      if (this.buffer.length > keptCapacity) this.buffer = Buffer.allocUnsafeSlow(this.#capacity);
    }
    if (this.buffer.length - this.end < size) {
      const kept = this.end - this.start;
      const target = kept + size > this.buffer.length ? Buffer.allocUnsafeSlow((kept + size) * 2) : this.buffer;
      this.buffer.copy(target, 0, this.start, this.end);
      this.buffer = target;
      this.start = 0;
      this.end = kept;
    }
    return this.buffer.subarray(this.end, this.end + size);
  }
}
