import { type Layout, layouts } from '../native.js';
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
    if (!Number.isInteger(length) || length < 1 || length > 2 ** 20) {
      throw new RangeError(`there is room for 1 to ${2 ** 20} events, not ${String(length)}`);
    }
    this.length = length;
    this.bytes = new Uint8Array(length * size);
    this.#view = new DataView(this.bytes.buffer);
  }

  /** What happened, in event i: EPOLLIN, EPOLLOUT, EPOLLRDHUP, EPOLLERR, EPOLLHUP, ... */
  events(i: number): number {
    return this.#view.getUint32(i * size + eventsOffset, littleEndian);
  }

  /** The low half of event i's data: the descriptor, unless epoll_ctl was given data of another meaning. */
  fd(i: number): number {
    return this.#view.getInt32(i * size + dataOffset + (littleEndian ? 0 : 4), littleEndian);
  }

  /** The high half of event i's data, 32 bits that are the program's own. */
  tag(i: number): number {
    return this.#view.getUint32(i * size + dataOffset + (littleEndian ? 4 : 0), littleEndian);
  }

  /** All 64 bits of event i's data, as given to epoll_ctl. */
  data(i: number): bigint {
    return this.#view.getBigUint64(i * size + dataOffset, littleEndian);
  }

  /** Writes event i: for epoll_ctl, which takes one event. Without `data` its low half is `fd`. */
  set(i: number, events: number, fd: number, data?: bigint): this {
    if (!Number.isInteger(events)) throw new TypeError(`events are bits, not ${String(events)}`);
    if (fd !== (fd | 0)) throw new TypeError(`a descriptor is an int, not ${String(fd)}`);
    this.#view.setUint32(i * size + eventsOffset, events, littleEndian);
    uint64.write(this.#view, [i * size + dataOffset, 8], data ?? BigInt(fd >>> 0));
    return this;
  }
}
