// Sending without a copy: the kernel reads a buffer after the call has returned, so the buffer is taken away from the
// program until the kernel says that it is done.
import {
  EAGAIN,
  MSG_DONTWAIT,
  MSG_ERRQUEUE,
  MSG_ZEROCOPY,
  SO_EE_CODE_ZEROCOPY_COPIED,
  SO_EE_ORIGIN_ZEROCOPY,
  SO_ZEROCOPY,
  SOL_SOCKET,
} from './constants.js';
import { fail } from './errors.js';
import { raw } from './native.js';
import { ControlBuffer } from './structs/control.js';
import type { SockAddr } from './structs/sockaddr.js';
import { setsockopt } from './syscalls/options.js';
import { sendto } from './syscalls/transfer.js';

// What a sender may do with a buffer, and nobody else.
let takeAway: (buffer: ZeroCopyBuffer) => ArrayBuffer;
let hold: (buffer: ZeroCopyBuffer) => void;
let release: (buffer: ZeroCopyBuffer) => boolean;

/**
 * Memory to send from with a {@link ZeroCopySender}. It belongs to the program or to the kernel: while the kernel may
 * still read it, `bytes` throws, and a view taken earlier is empty (its ArrayBuffer is detached). So a write that comes
 * too early reaches nobody, and the memory is neither collected nor moved.
 */
export class ZeroCopyBuffer {
  /** How many bytes it has. */
  readonly size: number;
  #memory: ArrayBuffer;
  #view: Uint8Array | undefined;
  #sends = 0;

  static {
    takeAway = (buffer) => {
      buffer.#view = undefined;
      buffer.#memory = structuredClone(buffer.#memory, { transfer: [buffer.#memory] });
      return buffer.#memory;
    };
    hold = (buffer) => {
      buffer.#sends++;
    };
    release = (buffer) => --buffer.#sends === 0;
  }

  /** @param size how many bytes; below some 10,000 a copy is cheaper than what it takes to avoid it */
  constructor(size: number) {
    this.#memory = new ArrayBuffer(size);
    this.size = size;
  }

  /** Whether the kernel may still read it. */
  get inFlight(): boolean {
    return this.#sends > 0;
  }

  /**
   * The bytes, to be filled and read until the next send. Each send ends all views: take `bytes` anew after it.
   * @throws Error the kernel may still read them
   */
  get bytes(): Uint8Array {
    if (this.inFlight) throw new Error('the kernel may still read this buffer: reap its completion first');
    this.#view ??= new Uint8Array(this.#memory);
    return this.#view;
  }
}

// While anything is in flight its sender is held here, and with it the memory: the kernel holds the pages, but not
// what the allocator would put into them next.
const sendersInFlight = new Set<ZeroCopySender>();

/**
 * Sends on one TCP, UDP or vsock socket without copying (MSG_ZEROCOPY), and knows which buffers the kernel is done with.
 * ```ts
 * const sender = new ZeroCopySender(fd);
 * const buffer = new ZeroCopyBuffer(1 << 20);
 * buffer.bytes.set(data);
 * sender.send(buffer);
 * // Completions wait in the error queue: poll and epoll report POLLERR.
 * for (const free of sender.reap()) free.bytes.fill(0);
 * ```
 * Before the socket is closed, reap until `inFlight` is 0. When it is closed earlier nobody can learn any more whether
 * the kernel has read the buffers, so they stay in memory as long as the thread. `connect(fd, sockaddr_unspec())` makes
 * a TCP socket drop what it has not sent: then the completions come.
 *
 * One sender a socket, from its first MSG_ZEROCOPY on: the kernel numbers these sends, and the sender counts along.
 * When a worker ends, so does its memory: reap before.
 * @see https://docs.kernel.org/networking/msg_zerocopy.html
 */
export class ZeroCopySender {
  /** The socket. It stays the caller's to close. */
  readonly fd: number;
  readonly #inFlight = new Map<number, ZeroCopyBuffer>();
  readonly #control = new ControlBuffer(1024); // a completion comes last, behind whatever options have asked for
  #next = 0;
  #copied = 0;

  /**
   * Turns SO_ZEROCOPY on.
   * @throws EOPNOTSUPP a socket of another kind
   */
  constructor(fd: number) {
    setsockopt(fd, SOL_SOCKET, SO_ZEROCOPY, 1);
    this.fd = fd;
  }

  /** How many sends are not yet complete. */
  get inFlight(): number {
    return this.#inFlight.size;
  }

  /**
   * How many sends the kernel copied after all, as it does over loopback and on devices that cannot gather. Where all
   * are, plain `send` is cheaper.
   */
  get copied(): number {
    return this.#copied;
  }

  /**
   * Sends a stretch of a buffer, which then is the kernel's until `reap` gives it back. The same buffer may be sent
   * again before that, by this sender (the rest after a short send) and by others.
   * @param flags as for {@link sendto}, beside MSG_ZEROCOPY
   * @param address null for the peer that the socket is connected to
   * @returns how many bytes the kernel took, possibly fewer than given on a stream
   * @throws ENOBUFS too much is in flight (the limits are optmem_max and RLIMIT_MEMLOCK): reap, or send with a copy ·
   * the rest as {@link sendto}. The buffer is then the caller's as before.
   */
  send(
    buffer: ZeroCopyBuffer,
    offset = 0,
    length = buffer.size - offset,
    flags = 0,
    address: SockAddr | null = null,
  ): number {
    const bytes = new Uint8Array(takeAway(buffer), offset, length);
    // Of nothing the kernel says no completion on one protocol, and says one on another.
    if (length === 0) return sendto(this.fd, bytes, flags, address);
    const sent = sendto(this.fd, bytes, flags | MSG_ZEROCOPY, address);
    hold(buffer);
    this.#inFlight.set(this.#next, buffer);
    this.#next = (this.#next + 1) >>> 0;
    sendersInFlight.add(this);
    return sent;
  }

  /**
   * Reads the completions that are there. What else waits in the error queue is read away with them: a program that
   * wants that too reads the queue itself and shows each message to `complete`.
   * @returns the buffers that are the program's again
   */
  reap(): ZeroCopyBuffer[] {
    const free: ZeroCopyBuffer[] = [];
    const { storage } = this.#control;
    for (;;) {
      const answer = raw.recvmsg(this.fd, [], null, storage, MSG_ERRQUEUE | MSG_DONTWAIT);
      if (answer === -EAGAIN) return free;
      if (answer < 0) fail('recvmsg', answer);
      this.#control.length = raw.out[1] as number;
      free.push(...this.complete(this.#control));
    }
  }

  /**
   * Takes note of a message that the program read from the error queue.
   * @returns the buffers that are the program's again: none, if the message is no completion
   */
  complete(control: ControlBuffer): ZeroCopyBuffer[] {
    const free: ZeroCopyBuffer[] = [];
    const error = control.get('IP_RECVERR') ?? control.get('IPV6_RECVERR') ?? control.get('VSOCK_RECVERR');
    if (error?.ee_origin !== SO_EE_ORIGIN_ZEROCOPY || error.ee_errno !== 0) return free;
    // From the first to the last number, which go round after 2^32 sends.
    const span = (error.ee_data - error.ee_info) >>> 0;
    for (const [number, buffer] of this.#inFlight) {
      if ((number - error.ee_info) >>> 0 > span) continue;
      this.#inFlight.delete(number);
      if (error.ee_code === SO_EE_CODE_ZEROCOPY_COPIED) this.#copied++;
      if (release(buffer)) free.push(buffer);
    }
    if (this.#inFlight.size === 0) sendersInFlight.delete(this);
    return free;
  }
}
