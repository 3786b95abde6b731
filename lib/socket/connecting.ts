// How a connection is made when a name means several addresses: one after the other, without waiting long for any.
import { EAGAIN } from '../constants.js';
import type { SockAddr } from '../structs/sockaddr.js';
import { type Direction, Operation, WRITING } from './operation.js';
import type { WaitOptions } from './waiter.js';

/** How to connect. */
export interface ConnectOptions extends WaitOptions {
  /** SOCK_STREAM (by default), SOCK_DGRAM or SOCK_SEQPACKET. */
  readonly type?: number | undefined;
  readonly protocol?: number | undefined;
  /** The address to connect from. */
  readonly from?: SockAddr | undefined;
  /** Milliseconds until the next address is tried beside the one that does not answer: 250 by default, RFC 8305. */
  readonly attemptDelay?: number | undefined;
  /** Called with each socket's descriptor before it connects: the place to set options. */
  readonly beforeConnect?: ((fd: number) => void) | undefined;
}

/**
 * Tries addresses in turn, the next one when the one before has failed or has not answered for a while, and takes the
 * first that connects (RFC 8305, section 5).
 * @param attempt connects to one address, and cleans up after itself when its signal ends it
 * @throws the error, if there was one address; else an AggregateError with the `code` of the first
 */
export function connectFirst<S extends { close(): void }>(
  addresses: readonly SockAddr[],
  attempt: (address: SockAddr, signal: AbortSignal) => Promise<S>,
  { attemptDelay = 250, signal }: ConnectOptions,
): Promise<S> {
  const settled = new AbortController();
  const within = signal ? AbortSignal.any([signal, settled.signal]) : settled.signal;
  return new Promise<S>((resolve, reject) => {
    const errors: unknown[] = [];
    let started = 0;
    let timer: NodeJS.Timeout | undefined;

    const won = (socket: S) => {
      if (settled.signal.aborted) return socket.close();
      clearTimeout(timer);
      resolve(socket);
      settled.abort();
    };
    const lost = (error: unknown) => {
      errors.push(error);
      if (started < addresses.length && !within.aborted) return start();
      if (errors.length === started) reject(errors.length === 1 ? error : together(errors));
    };
    const start = () => {
      clearTimeout(timer);
      const address = addresses[started++] as SockAddr;
      if (started < addresses.length) timer = setTimeout(start, attemptDelay);
      attempt(address, within).then(won, lost);
    };
    signal?.addEventListener('abort', () => clearTimeout(timer), { once: true });
    start();
  });
}

function together(errors: unknown[]): AggregateError {
  const { code } = errors[0] as { code?: string };
  return Object.assign(new AggregateError(errors, `none of ${errors.length} addresses connected`), { code });
}

/** Waits for what connect(2) has begun. It makes no call: it is done when its turn comes for the second time. */
export class Connecting extends Operation<void> {
  #begun = false;

  get direction(): Direction {
    return WRITING;
  }

  get syscall(): string {
    return 'connect';
  }

  attempt(): number {
    if (this.#begun) return 0;
    this.#begun = true;
    return -EAGAIN;
  }

  finish(): void {}
}
