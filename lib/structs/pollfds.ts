import { type Layout, layouts } from '../native.js';
import { integer, shown } from '../values.js';

const { size, fields } = layouts.pollfd as Layout;
const fdOffset = (fields.fd?.[0] as number) / 4;
const eventsOffset = (fields.events?.[0] as number) / 2;
const reventsOffset = (fields.revents?.[0] as number) / 2;

/**
 * What poll waits for: an array of `struct pollfd`, made once and used again and again.
 * @see poll(2)
 */
export class PollFds {
  /** The array itself. */
  readonly bytes: Uint8Array;
  /** How many entries there are. */
  readonly length: number;
  readonly #ints: Int32Array;
  readonly #shorts: Int16Array;

  /** @param length how many entries; those not yet set have descriptor -1, which poll passes over */
  constructor(length: number) {
    this.length = integer('length', length, 0, 2 ** 20);
    this.bytes = new Uint8Array(length * size);
    this.#ints = new Int32Array(this.bytes.buffer);
    this.#shorts = new Int16Array(this.bytes.buffer);
    for (let i = 0; i < length; i++) this.#ints[i * (size / 4) + fdOffset] = -1;
  }

  #check(i: number): void {
    if (!Number.isInteger(i) || i < 0 || i >= this.length) {
      throw new RangeError(`entry ${shown(i)} of a poll set of ${this.length}`);
    }
  }

  /**
   * Sets entry i; its `revents` becomes 0.
   * @param fd the descriptor; a negative one is passed over
   * @param events POLLIN, POLLOUT, POLLPRI, POLLRDHUP; errors and hang-ups are always reported
   */
  set(i: number, fd: number, events: number): this {
    this.#check(i);
    integer('fd', fd, -(2 ** 31), 2 ** 31 - 1);
    integer('events', events, -(2 ** 15), 2 ** 16 - 1);
    this.#ints[i * (size / 4) + fdOffset] = fd;
    this.#shorts[i * (size / 2) + eventsOffset] = events;
    this.#shorts[i * (size / 2) + reventsOffset] = 0;
    return this;
  }

  /** The descriptor of entry i. */
  fd(i: number): number {
    this.#check(i);
    return this.#ints[i * (size / 4) + fdOffset] as number;
  }

  /** What entry i waits for. */
  events(i: number): number {
    this.#check(i);
    return this.#shorts[i * (size / 2) + eventsOffset] as number;
  }

  /** What poll found for entry i: POLLIN, POLLOUT, POLLERR, POLLHUP, POLLNVAL (not open), ...; 0 for nothing. */
  revents(i: number): number {
    this.#check(i);
    return this.#shorts[i * (size / 2) + reventsOffset] as number;
  }
}
