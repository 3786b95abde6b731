import { type Layout, layouts } from '../native.js';
import { shown } from '../values.js';
import { bitsOf, hasBit, putBit } from './bits.js';

const size = (layouts.fdset as Layout).size;
const capacity = size * 8;

function checked(fd: number): number {
  if (typeof fd !== 'number') throw new TypeError(`a descriptor is a number, not ${shown(fd)}`);
  if (!Number.isInteger(fd) || fd < 0 || fd >= capacity) {
    throw new RangeError(`select takes descriptors from 0 to ${capacity - 1}, not ${fd}: use poll or epoll`);
  }
  return fd;
}

/**
 * A set of descriptors for select: `fd_set`. It holds descriptors from 0 to FD_SETSIZE - 1 (1023), and refuses others:
 * in C, FD_SET writes past the end of the set. For larger descriptors use poll or epoll.
 * @see select(2)
 */
export class FdSet implements Iterable<number> {
  /** The set itself: descriptor n is bit n of an array of C's unsigned longs. */
  readonly bytes = new Uint8Array(size);

  constructor(fds: Iterable<number> = []) {
    for (const fd of fds) this.add(fd);
  }

  /** `FD_SET(fd, set)` @throws RangeError a descriptor of FD_SETSIZE (1024) or more */
  add(fd: number): this {
    putBit(this.bytes, checked(fd), true);
    return this;
  }

  /** `FD_CLR(fd, set)` @throws RangeError as add */
  delete(fd: number): this {
    putBit(this.bytes, checked(fd), false);
    return this;
  }

  /** `FD_ISSET(fd, set)` @throws RangeError as add */
  has(fd: number): boolean {
    return hasBit(this.bytes, checked(fd));
  }

  /** `FD_ZERO(set)` */
  clear(): this {
    this.bytes.fill(0);
    return this;
  }

  /** The descriptors in the set, in ascending order. */
  [Symbol.iterator](): IterableIterator<number> {
    return bitsOf(this.bytes);
  }
}
