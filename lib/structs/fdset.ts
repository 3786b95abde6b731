import { type Layout, layouts } from '../native.js';

const size = (layouts.fdset as Layout).size;
const capacity = size * 8;

/**
 * A set of descriptors for select: `fd_set`. It holds descriptors from 0 to FD_SETSIZE - 1 (1023), and refuses others:
 * in C, FD_SET writes past the end of the set. For larger descriptors use poll or epoll.
 * @see select(2)
 */
export class FdSet implements Iterable<number> {
  /** The set itself. */
  readonly bytes = new Uint8Array(size);
  readonly #words = new Uint32Array(this.bytes.buffer);

  constructor(fds: Iterable<number> = []) {
    for (const fd of fds) this.add(fd);
  }

  #check(fd: number): void {
    if (typeof fd !== 'number') throw new TypeError(`a descriptor is a number, not ${String(fd)}`);
    if (!Number.isInteger(fd) || fd < 0 || fd >= capacity) {
      throw new RangeError(`select takes descriptors from 0 to ${capacity - 1}, not ${fd}: use poll or epoll`);
    }
  }

  /** `FD_SET(fd, set)` @throws RangeError a descriptor of FD_SETSIZE (1024) or more */
  add(fd: number): this {
    this.#check(fd);
    this.#words[fd >> 5] = (this.#words[fd >> 5] as number) | (1 << (fd & 31));
    return this;
  }

  /** `FD_CLR(fd, set)` */
  delete(fd: number): this {
    this.#check(fd);
    this.#words[fd >> 5] = (this.#words[fd >> 5] as number) & ~(1 << (fd & 31));
    return this;
  }

  /** `FD_ISSET(fd, set)` */
  has(fd: number): boolean {
    this.#check(fd);
    return ((this.#words[fd >> 5] as number) & (1 << (fd & 31))) !== 0;
  }

  /** `FD_ZERO(set)` */
  clear(): this {
    this.bytes.fill(0);
    return this;
  }

  /** The descriptors in the set, in ascending order. */
  *[Symbol.iterator](): IterableIterator<number> {
    for (let i = 0; i < this.#words.length; i++) {
      let word = (this.#words[i] as number) >>> 0;
      while (word !== 0) {
        const bit = 31 - Math.clz32(word & -word);
        yield i * 32 + bit;
        word = (word & (word - 1)) >>> 0;
      }
    }
  }
}
