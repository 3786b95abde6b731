// The operations that receive.
import { MSG_ERRQUEUE, SOCK_DGRAM, SOCK_STREAM } from '../constants.js';
import { type Bytes, raw } from '../native.js';
import { type Direction, ERRORS, Operation, READING } from './operation.js';
import { sharedBuffer, takeFromShared } from './shared-buffer.js';
import type { Waiter } from './waiter.js';

abstract class Receiving<T> extends Operation<T> {
  readonly flags: number;

  constructor(owner: object, flags: number) {
    super(owner);
    this.flags = flags;
  }

  get direction(): Direction {
    return (this.flags & MSG_ERRQUEUE) === 0 ? READING : ERRORS;
  }

  get syscall(): string {
    return 'recv';
  }
}

// Whether a call received less than it asked for, which in a stream means that there is no more. A peek leaves what it
// read, and a datagram says nothing of the next.
function fellShort(received: number, wanted: number, flags: number, { kind }: Waiter): boolean {
  return received > 0 && received < wanted && flags === 0 && kind.type === SOCK_STREAM;
}

/** recv(2) into a caller's bytes. */
export class Receive extends Receiving<number> {
  readonly bytes: Bytes;

  constructor(owner: object, flags: number, bytes: Bytes) {
    super(owner, flags);
    this.bytes = bytes;
  }

  attempt(fd: number): number {
    return raw.recv(fd, this.bytes, this.flags);
  }

  override drains(received: number, waiter: Waiter): boolean {
    return fellShort(received, this.bytes.byteLength, this.flags, waiter);
  }

  finish(received: number, waiter: Waiter): number {
    waiter.bytesReceived += received;
    return received;
  }
}

/** recv(2) into the buffer that all share, of which the caller gets what came. */
export class ReceiveBuffer extends Receiving<Buffer | null> {
  attempt(fd: number): number {
    return raw.recv(fd, sharedBuffer, this.flags);
  }

  override drains(received: number, waiter: Waiter): boolean {
    return fellShort(received, sharedBuffer.length, this.flags, waiter);
  }

  finish(received: number, waiter: Waiter): Buffer | null {
    waiter.bytesReceived += received;
    return received === 0 && waiter.kind.type !== SOCK_DGRAM ? null : takeFromShared(received);
  }
}

/** Any other call that receives. */
export class ReceiveBy extends Receiving<number> {
  readonly #syscall: string;
  override readonly attempt: (fd: number) => number;

  constructor(owner: object, syscall: string, flags: number, attempt: (fd: number) => number) {
    super(owner, flags);
    this.#syscall = syscall;
    this.attempt = attempt;
  }

  override get syscall(): string {
    return this.#syscall;
  }

  finish(received: number, waiter: Waiter): number {
    waiter.bytesReceived += received;
    return received;
  }
}
