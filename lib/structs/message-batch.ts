import { type Bytes, type Layout, layouts } from '../native.js';
import { bytesIn, integer, objectIn, shown } from '../values.js';
import { ControlBuffer } from './control.js';
import { addressBytes, SockAddr } from './sockaddr.js';

const addressSize = (layouts.sockaddr_storage as Layout).size;
const columns = 5; // as native/messages.cc has them

/** How many bytes each slot of a MessageBatch has room for. */
export interface MessageBatchRoom {
  /** For the payload. */
  readonly payload: number;
  /** For the address: 128 if not said, which holds every family's; 0 on a connected socket that needs none. */
  readonly name?: number | undefined;
  /** For control messages (see CMSG_SPACE): 0 if not said. */
  readonly control?: number | undefined;
}

/**
 * Many messages for one call of `sendmmsg` or `recvmmsg`: slots that are made once and used again and again. A call
 * reads and writes only this class's typed arrays, and allocates nothing.
 *
 * To send, fill `storage(i)` and say how much of it with `lengths[i]` (or let `set` do both); write the address into
 * `name(i)` and control messages into `control(i)`. After `recvmmsg`, the same places hold what came.
 * ```ts
 * const batch = new MessageBatch(64, { payload: 2048 });
 * const count = recvmmsg(fd, batch);
 * for (let i = 0; i < count; i++) console.log(batch.bytes(i), `${batch.name(i)}`);
 * ```
 * Descriptors that came with a message are the caller's, as {@link ControlBuffer} has it: close them, or keep their
 * numbers, before the next `recvmmsg` overwrites the slot.
 * @see sendmmsg(2), recvmmsg(2)
 */
export class MessageBatch {
  /** How many slots there are. */
  readonly size: number;
  /** How many bytes of each slot's payload are in use. `sendmmsg` reads it, `recvmmsg` sets it. */
  readonly lengths: Int32Array;
  /**
   * How long each slot's address is, 0 for none. `sendmmsg` reads it, `recvmmsg` sets it. `name(i).length` is the same
   * number.
   */
  readonly nameLengths: Int32Array;
  /** How long each slot's control messages are. `control(i).length` is the same number. */
  readonly controlLengths: Int32Array;
  /** What the kernel says of each message received: MSG_TRUNC, MSG_CTRUNC, MSG_EOR, MSG_OOB, MSG_ERRQUEUE. */
  readonly flags: Int32Array;
  /** How many bytes of each message `sendmmsg` took, which on a stream may be fewer than there were. */
  readonly sent: Int32Array;

  /** All payloads, one slot's behind the other's. */
  readonly payloads: Uint8Array;
  /** All addresses, or null when there is no room for any. */
  readonly names: Uint8Array | null;
  /** All control messages, or null when there is no room for any. */
  readonly controls: Uint8Array | null;
  /** The typed arrays above, one behind the other. */
  readonly table: Int32Array;

  readonly #storage: Uint8Array[];
  readonly #bytes: Uint8Array[];
  readonly #names: SockAddr[];
  readonly #controls: ControlBuffer[];

  /**
   * @param size how many slots; the kernel takes 1024 in one call
   * @param room how many bytes each slot has; for UDP_SEGMENT and UDP_GRO up to 65,535 of payload
   */
  constructor(size: number, room: MessageBatchRoom) {
    const { payload, name = addressSize, control = 0 } = objectIn('room', room);
    this.size = integer('size', size, 1, 2 ** 20);
    this.payloads = new Uint8Array(size * integer('room.payload', payload, 0, Math.floor(2 ** 30 / size)));
    const names = new Uint8Array(size * integer('room.name', name, 0, 2 ** 16));
    const controls = new Uint8Array(size * integer('room.control', control, 0, Math.floor(2 ** 30 / size)));
    this.names = name > 0 ? names : null;
    this.controls = control > 0 ? controls : null;
    this.table = new Int32Array(columns * size);
    const column = (i: number) => this.table.subarray(i * size, (i + 1) * size);
    this.lengths = column(0);
    this.nameLengths = column(1);
    this.controlLengths = column(2);
    this.flags = column(3);
    this.sent = column(4);

    const cell = (array: Int32Array, i: number) => array.subarray(i, i + 1);
    const slots = <T>(make: (i: number) => T) => Array.from({ length: size }, (_, i) => make(i));
    this.#storage = slots((i) => this.payloads.subarray(i * payload, (i + 1) * payload));
    this.#bytes = [...this.#storage];
    this.#names = slots((i) => new SockAddr(names.subarray(i * name, (i + 1) * name), cell(this.nameLengths, i)));
    this.#controls = slots(
      (i) =>
        new ControlBuffer(
          controls.subarray(i * control, (i + 1) * control),
          cell(this.controlLengths, i),
          cell(this.flags, i),
        ),
    );
  }

  /** All the room that slot i has for its payload: always the same view. */
  storage(i: number): Uint8Array {
    return this.#slot(this.#storage, i);
  }

  /** The payload of slot i: the first `lengths[i]` bytes. The view is made anew when its length is not the last one. */
  bytes(i: number): Uint8Array {
    const storage = this.storage(i);
    // With MSG_TRUNC among recvmmsg's flags, a length may be more than there is room for.
    const used = Math.max(0, Math.min(this.lengths[i] as number, storage.length));
    const bytes = this.#bytes[i] as Uint8Array;
    if (bytes.length === used) return bytes;
    const view = storage.subarray(0, used);
    this.#bytes[i] = view;
    return view;
  }

  /** The address of slot i: always the same object, whose length is `nameLengths[i]`. */
  name(i: number): SockAddr {
    return this.#slot(this.#names, i);
  }

  /** The control messages of slot i: always the same object, whose length is `controlLengths[i]`. */
  control(i: number): ControlBuffer {
    return this.#slot(this.#controls, i);
  }

  /**
   * Fills slot i to send it. Its control messages stay as they are.
   * @param bytes the payload, which is copied
   * @param name where it goes; null for the socket's peer
   * @throws RangeError the slot has not so much room, or there is no such slot
   */
  set(i: number, bytes: Bytes, name: SockAddr | null = null): this {
    const storage = this.storage(i);
    const payload = bytesIn('bytes', bytes);
    if (payload.length > storage.length) {
      throw new RangeError(`${payload.length} bytes do not fit: a slot has room for ${storage.length}`);
    }
    const room = this.name(i).storage;
    const address = name === null ? undefined : addressBytes(name);
    if (address && address.length > room.length) {
      throw new RangeError(`an address of ${address.length} bytes does not fit: a slot has room for ${room.length}`);
    }
    storage.set(payload);
    this.lengths[i] = payload.length;
    if (address) room.set(address);
    this.nameLengths[i] = address?.length ?? 0;
    return this;
  }

  // What is no number is not made a key: that would run its code, or write out an array of 2^32 - 1 elements.
  #slot<T>(slots: readonly T[], i: number): T {
    const slot = typeof i === 'number' ? slots[i] : undefined;
    if (slot === undefined) throw new RangeError(`there is no slot ${shown(i)} in a batch of ${this.size}`);
    return slot;
  }
}
