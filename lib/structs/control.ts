import { type Layout, layouts } from '../native.js';
import { littleEndian, Struct } from './struct.js';

const header = layouts.cmsghdr as Layout;
const [lengthOffset, lengthSize] = header.fields.cmsg_len as readonly [number, number];
const levelOffset = header.fields.cmsg_level?.[0] as number;
const typeOffset = header.fields.cmsg_type?.[0] as number;

/**
 * `CMSG_ALIGN(length)`: rounded up to where the next control message may begin.
 * @see cmsg(3)
 */
export function CMSG_ALIGN(length: number): number {
  return Math.ceil(length / lengthSize) * lengthSize;
}

/** `CMSG_LEN(length)`: what cmsg_len says of a control message with `length` bytes of data. See cmsg(3). */
export function CMSG_LEN(length: number): number {
  return CMSG_ALIGN(header.size) + length;
}

/** `CMSG_SPACE(length)`: how many bytes a control message with `length` bytes of data takes. See cmsg(3). */
export function CMSG_SPACE(length: number): number {
  return CMSG_ALIGN(header.size) + CMSG_ALIGN(length);
}

/** One control message (`struct cmsghdr` and what follows it). */
export interface ControlMessage {
  /** Who it belongs to: SOL_SOCKET, IPPROTO_IP, ... */
  readonly level: number;
  /** What it is, among those of its level: SCM_RIGHTS, IP_PKTINFO, ... */
  readonly type: number;
  /** Its data: a view into the buffer. */
  readonly data: Uint8Array;
}

/**
 * The control messages (ancillary data) of a message: a view over msg_control.
 *
 * To send, `push` them; to receive, give the room that they may take and iterate afterwards.
 * @see cmsg(3), recvmsg(2)
 */
export class ControlBuffer implements Iterable<ControlMessage> {
  /** All the room there is; `bytes` is the part in use. */
  readonly storage: Uint8Array;
  readonly #view: DataView;
  #length = 0;
  #bytes: Uint8Array;

  /** @param room how many bytes of messages there is room for (see CMSG_SPACE), or the bytes of messages themselves */
  constructor(room: number | Uint8Array) {
    if (typeof room === 'number') {
      if (!Number.isInteger(room) || room < 0 || room > 2 ** 30) throw new RangeError(`room cannot be ${room} bytes`);
      this.storage = new Uint8Array(room);
    } else if (room instanceof Uint8Array) {
      this.storage = room;
      this.#length = room.length;
    } else {
      throw new TypeError('a ControlBuffer takes its size or its bytes');
    }
    this.#view = new DataView(this.storage.buffer, this.storage.byteOffset, this.storage.byteLength);
    this.#bytes = this.storage.subarray(0, this.#length);
  }

  /** How many bytes are in use. `recvmsg` sets it. */
  get length(): number {
    return this.#length;
  }
  set length(length: number) {
    if (!Number.isInteger(length) || length < 0 || length > this.storage.length) {
      throw new RangeError(`length must be 0 to ${this.storage.length}, not ${length}`);
    }
    if (length === this.#length) return;
    this.#length = length;
    this.#bytes = this.storage.subarray(0, length);
  }

  /** The bytes in use. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  /** Takes all messages out. */
  clear(): this {
    this.length = 0;
    return this;
  }

  /**
   * Adds a message.
   * @throws RangeError there is no room for it
   */
  push(level: number, type: number, content: Uint8Array | Struct): this {
    const data = content instanceof Struct ? content.bytes : content;
    const start = CMSG_ALIGN(this.#length);
    const space = CMSG_SPACE(data.length);
    if (start + space > this.storage.length) {
      throw new RangeError(`no room for a control message of ${space} bytes: ${this.storage.length - start} are left`);
    }
    this.storage.fill(0, this.#length, start + space);
    this.#setLength(start + lengthOffset, CMSG_LEN(data.length));
    this.#view.setInt32(start + levelOffset, level, littleEndian);
    this.#view.setInt32(start + typeOffset, type, littleEndian);
    this.storage.set(data, start + CMSG_LEN(0));
    this.length = start + space;
    return this;
  }

  /** The messages, as CMSG_FIRSTHDR and CMSG_NXTHDR find them. One that says it is longer than what is there ends it. */
  *[Symbol.iterator](): IterableIterator<ControlMessage> {
    let start = 0;
    while (start + header.size <= this.#length) {
      const length = this.#getLength(start + lengthOffset);
      if (length < CMSG_LEN(0) || length > this.#length - start) return;
      yield {
        level: this.#view.getInt32(start + levelOffset, littleEndian),
        type: this.#view.getInt32(start + typeOffset, littleEndian),
        data: this.storage.subarray(start + CMSG_LEN(0), start + length),
      };
      start += CMSG_ALIGN(length);
    }
  }

  // cmsg_len is a size_t.
  #getLength(at: number): number {
    return lengthSize === 8
      ? Number(this.#view.getBigUint64(at, littleEndian))
      : this.#view.getUint32(at, littleEndian);
  }
  #setLength(at: number, length: number): void {
    if (lengthSize === 8) this.#view.setBigUint64(at, BigInt(length), littleEndian);
    else this.#view.setUint32(at, length, littleEndian);
  }
}
