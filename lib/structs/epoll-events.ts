import { type Layout, layouts } from '../native.js';
import { integer, shown } from '../values.js';
import { littleEndian, uint64 } from './struct.js';

const { size, fields } = layouts.epoll_event as Layout;
const eventsOffset = fields.events?.[0] as number;
const dataOffset = fields.data?.[0] as number;

/**
 * Room for what epoll_wait reports: an array of `struct epoll_event`, made once and used again and again.
 * @see epoll_event(3type)
 */
export class EpollEvents {
  /** The array itself. The struct is packed on x86-64 and is not elsewhere. */
  readonly bytes: Uint8Array;
  /** How many events one wait can report. */
  readonly length: number;
  readonly #view: DataView;

  constructor(length: number) {
    this.length = integer('length', length, 1, 2 ** 20);
    this.bytes = new Uint8Array(length * size);
    this.#view = new DataView(this.bytes.buffer);
  }

  #offset(i: number): number {
    if (!Number.isInteger(i) || i < 0 || i >= this.length) {
      throw new RangeError(`event ${shown(i)} of room for ${this.length}`);
    }
    return i * size;
  }

  /** What happened, in event i: EPOLLIN, EPOLLOUT, EPOLLRDHUP, EPOLLERR, EPOLLHUP, ... */
  events(i: number): number {
    return this.#view.getUint32(this.#offset(i) + eventsOffset, littleEndian);
  }

  /** The low half of event i's data: the descriptor, unless epoll_ctl was given data of another meaning. */
  fd(i: number): number {
    return this.#view.getInt32(this.#offset(i) + dataOffset + (littleEndian ? 0 : 4), littleEndian);
  }

  /** The high half of event i's data, 32 bits that are the program's own. */
  tag(i: number): number {
    return this.#view.getUint32(this.#offset(i) + dataOffset + (littleEndian ? 4 : 0), littleEndian);
  }

  /** All 64 bits of event i's data, as given to epoll_ctl. */
  data(i: number): bigint {
    return this.#view.getBigUint64(this.#offset(i) + dataOffset, littleEndian);
  }

  /** Writes event i: for epoll_ctl, which takes one event. Without `data` its low half is `fd`. */
  set(i: number, events: number, fd: number, data?: bigint): this {
    integer('events', events, -(2 ** 31), 2 ** 32 - 1);
    integer('fd', fd, -(2 ** 31), 2 ** 31 - 1);
    this.#view.setUint32(this.#offset(i) + eventsOffset, events, littleEndian);
    uint64.write(this.#view, [this.#offset(i) + dataOffset, 8], data ?? BigInt(fd >>> 0), 'data');
    return this;
  }
}
