// The operations that send.
import type { ErrorContext } from '../errors.js';
import { type Bytes, raw } from '../native.js';
import { type Direction, Operation, WRITING } from './operation.js';
import { Unsent } from './unsent.js';
import type { Waiter } from './waiter.js';

abstract class Sending<T> extends Operation<T> {
  get direction(): Direction {
    return WRITING;
  }
}

/** send(2): what fits. */
export class Send extends Sending<number> {
  readonly flags: number;
  readonly bytes: Bytes;

  constructor(owner: object, flags: number, bytes: Bytes) {
    super(owner);
    this.flags = flags;
    this.bytes = bytes;
  }

  get syscall(): string {
    return 'send';
  }

  attempt(fd: number): number {
    return raw.send(fd, this.bytes, this.flags);
  }

  finish(sent: number, waiter: Waiter): number {
    waiter.bytesSent += sent;
    return sent;
  }
}

/** send(2), or sendmsg(2) for several buffers, until all is sent. */
export class SendAll extends Sending<void> {
  readonly flags: number;
  readonly rest: Unsent;

  constructor(owner: object, flags: number, bytes: Bytes | readonly Bytes[]) {
    super(owner);
    this.flags = flags;
    this.rest = new Unsent(bytes);
  }

  get syscall(): string {
    return 'send';
  }

  attempt(fd: number): number {
    const { rest, flags } = this;
    while (!rest.isEmpty) {
      const taken = rest.send(fd, flags);
      if (taken < 0) return taken;
    }
    return rest.sent;
  }

  finish(sent: number, waiter: Waiter): void {
    waiter.bytesSent += sent;
  }

  override explain(error: unknown): void {
    if (error instanceof Error) Object.assign(error, { sent: this.rest.sent });
  }
}

/** Any other call that sends. */
export class SendBy extends Sending<number> {
  override readonly syscall: string;
  override readonly attempt: (fd: number) => number;
  readonly #context: ErrorContext | undefined;

  constructor(owner: object, syscall: string, attempt: (fd: number) => number, context?: ErrorContext) {
    super(owner);
    this.syscall = syscall;
    this.attempt = attempt;
    this.#context = context;
  }

  override get context(): ErrorContext | undefined {
    return this.#context;
  }

  finish(sent: number, waiter: Waiter): number {
    waiter.bytesSent += sent;
    return sent;
  }
}
