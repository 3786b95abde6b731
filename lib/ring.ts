// An io_uring: what is to be done is written into a queue, and read from another when it is done.
import {
  EINTR,
  EINVAL,
  ETIME,
  IORING_ENTER_GETEVENTS,
  IORING_SETUP_COOP_TASKRUN,
  IORING_SETUP_SINGLE_ISSUER,
  IORING_SETUP_SUBMIT_ALL,
} from './constants.js';
import { fail } from './errors.js';
import { type Layout, layouts, raw } from './native.js';
import { io_uring_params } from './structs/io-uring.js';
import { littleEndian } from './structs/struct.js';
import { timespec } from './structs/time.js';
import './syscalls/rings.js';
import { integer, shown } from './values.js';

/**
 * A submission queue entry: `struct io_uring_sqe`, by the names of its fields in C. What is left out is 0.
 * @see io_uring_enter(2)
 */
export interface RingEntry {
  /** What to do: IORING_OP_RECV, IORING_OP_SEND, IORING_OP_ACCEPT, ... */
  opcode: number;
  /** The descriptor to do it with. */
  fd?: number;
  /** Where in `ring.memory`, in bytes from its beginning: where C has an address. Of some operations a number. */
  addr?: number;
  /** How many bytes there, or as the operation has it. */
  len?: number;
  /** An offset in a file, a length of an address, or as the operation has it (`addr2`); -1 where there is none. */
  off?: number;
  /** The union of C: msg_flags, accept_flags, poll32_events, timeout_flags, cancel_flags, splice_flags, ... */
  op_flags?: number;
  /** Flags of the operation itself: IORING_RECV_MULTISHOT, IORING_ACCEPT_MULTISHOT, IORING_RECVSEND_POLL_FIRST, ... */
  ioprio?: number;
  /** IOSQE_IO_LINK, IOSQE_IO_DRAIN, IOSQE_ASYNC, IOSQE_BUFFER_SELECT, IOSQE_CQE_SKIP_SUCCESS, ... */
  flags?: number;
  /** Comes back with the completion: an integer from 0 to 2^53 - 1. */
  user_data?: number;
  /** The group of provided buffers (`buf_group`, `buf_index`). */
  buf_group?: number;
  /** `file_index`, `splice_fd_in`; of a send the length of the address at `off` (`addr_len`). */
  file_index?: number;
}

const sqe = layouts.io_uring_sqe as Layout;
const cqe = layouts.io_uring_cqe as Layout;
const at = (struct: Layout, field: string) => struct.fields[field]?.[0] as number;

const opcodeAt = at(sqe, 'opcode');
const flagsAt = at(sqe, 'flags');
const ioprioAt = at(sqe, 'ioprio');
const fdAt = at(sqe, 'fd');
const offAt = at(sqe, 'off');
const addrAt = at(sqe, 'addr');
const lenAt = at(sqe, 'len');
const opFlagsAt = at(sqe, 'op_flags');
const userDataAt = at(sqe, 'user_data');
const bufGroupAt = at(sqe, 'buf_group');
const fileIndexAt = at(sqe, 'file_index');
const doneUserDataAt = at(cqe, 'user_data');
const doneResAt = at(cqe, 'res');
const doneFlagsAt = at(cqe, 'flags');

// One of 64 bits, as its low and its high half.
const [lowAt, highAt] = littleEndian ? [0, 4] : [4, 0];

// The rings of this thread by their descriptors.
const rings = new Map<number, WeakRef<Ring>>();

/** @internal The ring of a descriptor, for a tracer to look into. */
export const ringOf = (fd: number): Ring | undefined => rings.get(fd)?.deref();

// A ring that nobody has any more is closed: the kernel would keep it as long as its descriptor.
const forgotten = new FinalizationRegistry<number>((fd) => {
  rings.delete(fd);
  raw.io_uring_close(fd);
});

/**
 * An io_uring: the kernel does what it was told while the program goes on, and says when it is done. One system call
 * submits any number of operations and fetches any number of completions.
 *
 * ```ts
 * const ring = new Ring(64);
 * ring.prepare({ opcode: IORING_OP_RECV, fd, addr: 0, len: 512, user_data: 1 });
 * for (let i = 0, n = ring.submit(1); i < n; i++) console.log(ring.user_data(i), ring.res(i));
 * ```
 *
 * **Memory.** Operations read from and write to `memory` alone, and name it by offset. Each entry is checked before the
 * kernel sees it; one that reaches beyond is a RangeError, and nothing is submitted. Which part belongs to which
 * operation is the program's to say: until an operation completes, the kernel may write there.
 *
 * **Operations.** NOP, READ, WRITE, SEND, SEND_ZC, RECV, ACCEPT, CONNECT, BIND, LISTEN, SOCKET, SHUTDOWN, CLOSE,
 * POLL_ADD, POLL_REMOVE, TIMEOUT, TIMEOUT_REMOVE, LINK_TIMEOUT, ASYNC_CANCEL, SPLICE, TEE, PROVIDE_BUFFERS,
 * REMOVE_BUFFERS, MSG_RING; each of them if the kernel has it (EINVAL in its completion otherwise). SENDMSG and RECVMSG
 * are refused, because their struct holds addresses in turn; so are operations on files' names. ACCEPT tells no
 * address: ask getpeername.
 *
 * **In the event loop.** `submit(1)` waits, as any call. To be told instead, watch the ring's own descriptor:
 * `reactor.add(ring.fd, EPOLLIN, () => { for (let i = 0, n = ring.submit(); ...) })`.
 *
 * **Threads.** A ring is for the thread that made it.
 * @see io_uring(7)
 */
export class Ring {
  /** Its descriptor, which is readable when there are completions. Do not close it: {@link close} does. */
  readonly fd: number;
  /** The bytes that operations may name. */
  readonly memory: Uint8Array;
  /** How many entries can be prepared before they must be submitted. */
  readonly entries: number;
  /** What the kernel made: its `features`, how many completions it keeps. */
  readonly params: io_uring_params;
  readonly #all: Uint8Array;
  readonly #view: DataView;
  readonly #done: number;
  readonly #timeout = new timespec();
  #prepared = 0;
  #completed = 0;
  #closed = false;

  /**
   * @param entries how many submissions can wait, rounded up to a power of two
   * @param length of its memory, in bytes
   * @param params for other flags than IORING_SETUP_SUBMIT_ALL with, on Linux 6.0 and newer, IORING_SETUP_SINGLE_ISSUER
   * and IORING_SETUP_COOP_TASKRUN. With IORING_SETUP_DEFER_TASKRUN the ring is faster and its descriptor tells nothing:
   * only `submit` does
   * @throws as io_uring_setup · RangeError a length that is no length · Error `ERR_NO_EXTERNAL_BUFFERS`: the runtime
   * makes no arrays over memory that is not its own, as Electron does
   */
  constructor(entries: number, length = 65_536, params?: io_uring_params) {
    integer('length', length, 0, Number.MAX_SAFE_INTEGER);
    this.params = params ?? new io_uring_params({ flags: suitableFlags() });
    this.fd = raw.io_uring_setup(entries, this.params.bytes);
    if (this.fd < 0) fail('io_uring_setup', this.fd);
    const all = raw.io_uring_memory(this.fd, length);
    if (typeof all === 'number') {
      raw.io_uring_close(this.fd);
      fail('io_uring_memory', all);
    }
    this.#all = all;
    this.#view = new DataView(all.buffer);
    this.entries = this.params.sq_entries;
    this.#done = this.entries * sqe.size;
    this.memory = all.subarray(this.#done + this.params.cq_entries * cqe.size);
    rings.set(this.fd, new WeakRef(this));
    forgotten.register(this, this.fd, this);
  }

  /** How many entries are prepared and not yet submitted. */
  get prepared(): number {
    return this.#prepared;
  }

  /**
   * Prepares an operation, for the next {@link submit}.
   * @throws RangeError no entry is free, or a value that does not fit its field · TypeError one that is no integer
   */
  prepare(entry: RingEntry): void {
    const {
      opcode,
      fd = 0,
      addr = 0,
      len = 0,
      off = 0,
      op_flags = 0,
      ioprio = 0,
      flags = 0,
      user_data = 0,
      buf_group = 0,
      file_index = 0,
    } = entry;
    if (this.#prepared === this.entries) throw new RangeError(`all ${this.entries} entries are prepared: submit them`);
    integer('opcode', opcode, 0, 255);
    integer('fd', fd, -(2 ** 31), 2 ** 31 - 1);
    integer('addr', addr, -1, Number.MAX_SAFE_INTEGER);
    integer('len', len, 0, 2 ** 32 - 1);
    integer('off', off, -1, Number.MAX_SAFE_INTEGER);
    integer('op_flags', op_flags, -(2 ** 31), 2 ** 32 - 1);
    integer('ioprio', ioprio, 0, 65_535);
    integer('flags', flags, 0, 255);
    integer('user_data', user_data, 0, Number.MAX_SAFE_INTEGER);
    integer('buf_group', buf_group, 0, 65_535);
    integer('file_index', file_index, -(2 ** 31), 2 ** 32 - 1);
    const view = this.#view;
    const start = this.#prepared++ * sqe.size;
    this.#all.fill(0, start, start + sqe.size);
    view.setUint8(start + opcodeAt, opcode);
    view.setUint8(start + flagsAt, flags);
    view.setUint16(start + ioprioAt, ioprio, littleEndian);
    view.setInt32(start + fdAt, fd, littleEndian);
    this.#setWide(start + offAt, off);
    this.#setWide(start + addrAt, addr);
    view.setUint32(start + lenAt, len, littleEndian);
    view.setUint32(start + opFlagsAt, op_flags, littleEndian);
    this.#setWide(start + userDataAt, user_data);
    view.setUint16(start + bufGroupAt, buf_group, littleEndian);
    view.setUint32(start + fileIndexAt, file_index, littleEndian);
  }

  /**
   * Submits what is prepared, and fetches what is complete: one io_uring_enter.
   * @param waitFor how many completions to wait for
   * @param timeout how long to wait at most, in milliseconds; without, for ever
   * @returns how many completions came. They can be read until the next submit. What the kernel did not take is still
   * prepared
   * @throws EBUSY, EAGAIN as io_uring_enter · RangeError an entry that reaches beyond the memory or that is not allowed:
   * nothing was submitted, and nothing is prepared any more. The end of the time (ETIME) and a signal (EINTR) throw
   * nothing: fewer completions came than were waited for
   */
  submit(waitFor = 0, timeout?: number): number {
    integer('waitFor', waitFor, 0, 2 ** 32 - 1);
    const count = this.#prepared;
    let within: Uint8Array | null = null;
    if (timeout !== undefined && timeout !== Number.POSITIVE_INFINITY) {
      if (typeof timeout !== 'number' || !(timeout >= 0)) {
        throw new RangeError(`a timeout is a number of milliseconds, not ${shown(timeout)}`);
      }
      this.#timeout.tv_sec = Math.floor(timeout / 1000);
      this.#timeout.tv_nsec = Math.floor((timeout % 1000) * 1e6);
      within = this.#timeout.bytes;
    }
    this.#completed = 0;
    this.#prepared = 0;
    const taken = raw.io_uring_enter(this.#open(), count, waitFor, IORING_ENTER_GETEVENTS, within, null);
    this.#completed = raw.out[0] as number;
    if (taken === count) return this.#completed;
    if (taken >= 0 || taken === -ETIME || taken === -EINTR) {
      this.#keep(Math.max(taken, 0), count);
      return this.#completed;
    }
    this.#keep(0, count);
    return fail('io_uring_enter', taken);
  }

  /** The `user_data` of the entry that completion i belongs to. */
  user_data(i: number): number {
    const start = this.#completion(i) + doneUserDataAt;
    const view = this.#view;
    return view.getUint32(start + highAt, littleEndian) * 2 ** 32 + view.getUint32(start + lowAt, littleEndian);
  }

  /** What the operation of completion i answered, as the system call would: its number, or -errno. */
  res(i: number): number {
    return this.#view.getInt32(this.#completion(i) + doneResAt, littleEndian);
  }

  /** Flags of completion i: IORING_CQE_F_MORE, IORING_CQE_F_BUFFER, IORING_CQE_F_NOTIF, ... */
  flags(i: number): number {
    return this.#view.getUint32(this.#completion(i) + doneFlagsAt, littleEndian);
  }

  /** Cancels what is under way, waits until that is so, and closes. What was prepared and not submitted is dropped. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#completed = 0;
    this.#prepared = 0;
    rings.delete(this.fd);
    forgotten.unregister(this);
    const answer = raw.io_uring_close(this.fd);
    if (answer < 0) fail('io_uring_close', answer);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #open(): number {
    if (this.#closed) throw new Error('the ring is closed');
    return this.fd;
  }

  // What the kernel did not take becomes the beginning of what is prepared.
  #keep(taken: number, count: number): void {
    this.#all.copyWithin(0, taken * sqe.size, count * sqe.size);
    this.#prepared = count - taken;
  }

  #completion(i: number): number {
    if (!Number.isInteger(i) || i < 0 || i >= this.#completed) {
      throw new RangeError(`there are ${this.#completed} completions, and none ${shown(i)}`);
    }
    return this.#done + i * cqe.size;
  }

  #setWide(start: number, value: number): void {
    this.#view.setUint32(start + lowAt, value, littleEndian);
    this.#view.setInt32(start + highAt, Math.floor(value / 2 ** 32), littleEndian);
  }
}

let chosenFlags: number | undefined;

// The flags that suit a ring of one thread, as far as this kernel knows them.
function suitableFlags(): number {
  const common = IORING_SETUP_SUBMIT_ALL;
  chosenFlags ??= [common | IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_COOP_TASKRUN, common, 0].find((flags) => {
    const fd = raw.io_uring_setup(1, new io_uring_params({ flags }).bytes);
    if (fd >= 0) raw.io_uring_close(fd);
    return fd !== -EINVAL;
  });
  return chosenFlags ?? 0;
}
