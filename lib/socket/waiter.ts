// One non-blocking descriptor, and the operations that wait for it.
//
// A call is tried first and waits only on EAGAIN. The descriptor is registered with the reactor once, at its first
// wait, for edges: after that a wait costs no system call. Edges of room begin with the first wait for room, because a
// Unix socket has one whenever its peer receives.
import {
  EAGAIN,
  ECANCELED,
  EINTR,
  EPOLLERR,
  EPOLLHUP,
  EPOLLIN,
  EPOLLOUT,
  EPOLLPRI,
  EPOLLRDHUP,
  ETIMEDOUT,
} from '../constants.js';
import { SystemError } from '../errors.js';
import type { Kind } from './open-sockets.js';
import {
  type Direction,
  ERRORS,
  enter,
  type Line,
  leave,
  lengthOf,
  type Operation,
  READING,
  WRITING,
} from './operation.js';
import { hold, letGo, unwatch, watch, watchForRoom } from './reactor.js';

/** How long an operation may wait. */
export interface WaitOptions {
  /** Ends the wait: the operation rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds until the operation rejects with ETIMEDOUT; none by default. */
  readonly timeout?: number | undefined;
}

const readable = EPOLLIN | EPOLLPRI | EPOLLRDHUP | EPOLLHUP | EPOLLERR;
const writable = EPOLLOUT | EPOLLHUP | EPOLLERR;
const ended = EPOLLRDHUP | EPOLLHUP | EPOLLERR | EPOLLPRI;

const directions = [READING, WRITING, ERRORS] as const;

// A Waiter's state: its directions, each set until a call said that it would block, and again when the kernel reports an
// edge; and these.
const WATCHED = 8;
const WATCHED_FOR_ROOM = 16;
const KEEPS_ALIVE = 32;
// The peer is done, or urgent data is about: then fewer bytes than asked for do not mean that there are no more.
const ENDED = 64;

/** Why an operation ended when its socket was closed under it: `code` is 'ECANCELED'. */
export function closedError(syscall: string): SystemError {
  return new SystemError(syscall, ECANCELED, undefined, 'the socket was closed');
}

function refuse<T>(operation: Operation<T>, error: unknown): Promise<T> {
  operation.explain(error);
  return Promise.reject(error);
}

function fail(operation: Operation<unknown>, error: unknown): void {
  operation.settle?.(refuse(operation, error));
}

// Makes promises that keep one function and not two, and no closure of ours.
let settle: (result: unknown) => void;
const executor = (resolve: (result: never) => void): void => {
  settle = resolve as typeof settle;
};

/**
 * A socket's own bookkeeping: its descriptor, what it is, what it did, and who waits. It outlives the Socket by a moment
 * if that is collected while open. There may be many thousands of them, so it is one object of few fields.
 */
export class Waiter {
  /** -1 once released. */
  fd: number;
  readonly kind: Kind;
  bytesReceived = 0;
  bytesSent = 0;
  /** How many calls were made, and how many operations had to wait. */
  calls = 0;
  waits = 0;
  #state = READING | WRITING | ERRORS | KEEPS_ALIVE;
  #reading: Line = undefined;
  #writing: Line = undefined;
  #errors: Line = undefined;

  constructor(fd: number, kind: Kind) {
    this.fd = fd;
    this.kind = kind;
  }

  /** Makes an operation's call, as soon as its direction allows. */
  perform<T>(operation: Operation<T>, options?: WaitOptions): Promise<T> {
    if (this.fd < 0) return refuse(operation, closedError(operation.syscall));
    const { direction } = operation;
    if ((this.#state & direction) !== 0 && this.#line(direction) === undefined) {
      try {
        const answer = this.#attempt(operation);
        if (answer >= 0) return Promise.resolve(operation.finish(answer, this));
        if (answer !== -EAGAIN) return refuse(operation, new SystemError(operation.syscall, answer, operation.context));
      } catch (error) {
        return refuse(operation, error);
      }
    }
    return this.#wait(operation, options);
  }

  /** Ends what waits, and gives the descriptor back to the caller, unregistered. */
  release(): number {
    const { fd } = this;
    if (fd < 0) return fd;
    if (this.#state & WATCHED) unwatch(fd);
    this.fd = -1;
    for (const direction of directions) {
      for (let line = this.#line(direction); line !== undefined; line = this.#line(direction)) {
        const first = line.next as Operation<unknown>;
        this.#leave(first);
        fail(first, closedError(first.syscall));
      }
    }
    return fd;
  }

  /** What the kernel reports. */
  happen(events: number): void {
    if ((events & ended) !== 0) this.#state |= ENDED;
    if ((events & readable) !== 0) this.#run(READING);
    if ((events & writable) !== 0) this.#run(WRITING);
    if ((events & EPOLLERR) !== 0) this.#run(ERRORS);
  }

  /** Whether the operations that wait keep the process running. */
  set keepsAlive(keepsAlive: boolean) {
    if (keepsAlive === ((this.#state & KEEPS_ALIVE) !== 0)) return;
    this.#state ^= KEEPS_ALIVE;
    for (const direction of directions) {
      for (let i = lengthOf(this.#line(direction)); i > 0; i--) {
        if (keepsAlive) hold();
        else letGo();
      }
    }
  }

  #line(direction: Direction): Line {
    if (direction === READING) return this.#reading;
    return direction === WRITING ? this.#writing : this.#errors;
  }

  #change(direction: Direction, line: Line): void {
    if (direction === READING) this.#reading = line;
    else if (direction === WRITING) this.#writing = line;
    else this.#errors = line;
  }

  #attempt(operation: Operation<unknown>): number {
    let answer: number;
    do {
      this.calls++;
      answer = operation.attempt(this.fd);
    } while (answer === -EINTR);
    if (answer === -EAGAIN || ((this.#state & ENDED) === 0 && operation.drains(answer, this))) {
      this.#state &= ~operation.direction;
    }
    return answer;
  }

  #wait<T>(operation: Operation<T>, options?: WaitOptions): Promise<T> {
    if (options?.signal?.aborted) return refuse(operation, options.signal.reason);
    try {
      this.#watch(operation.direction === WRITING);
    } catch (error) {
      return refuse(operation, error);
    }
    this.waits++;
    const promise = new Promise<T>(executor);
    operation.settle = settle;
    this.#change(operation.direction, enter(this.#line(operation.direction), operation));
    if (this.#state & KEEPS_ALIVE) hold();
    if (options !== undefined) this.#limit(operation, options);
    return promise;
  }

  #watch(writing: boolean): void {
    const wanted = writing ? WATCHED | WATCHED_FOR_ROOM : WATCHED;
    if ((this.#state & wanted) === wanted) return;
    if (this.#state & WATCHED) watchForRoom(this.fd);
    else watch(this.fd, writing);
    this.#state |= wanted;
  }

  // Ends a wait by a signal or a timeout.
  #limit(operation: Operation<unknown>, { signal, timeout }: WaitOptions): void {
    const end = (reason: unknown) => {
      this.#leave(operation);
      fail(operation, reason);
    };
    const onAbort = () => end(signal?.reason);
    const onTimeout = () => end(new SystemError(operation.syscall, ETIMEDOUT, operation.context));
    try {
      signal?.addEventListener('abort', onAbort, { once: true });
    } catch (error) {
      end(error); // it is no AbortSignal
      return;
    }
    const timer = timeout === undefined ? undefined : setTimeout(onTimeout, timeout);
    operation.unlimit = () => {
      signal?.removeEventListener('abort', onAbort);
      clearTimeout(timer);
    };
  }

  #leave(operation: Operation<unknown>): void {
    const { direction } = operation;
    this.#change(direction, leave(this.#line(direction), operation));
    operation.unlimit?.();
    if (this.#state & KEEPS_ALIVE) letGo();
  }

  // An edge: makes the calls that waited, until one would block.
  #run(direction: Direction): void {
    this.#state |= direction;
    for (let line = this.#line(direction); line !== undefined; line = this.#line(direction)) {
      if (!(this.#state & direction)) return;
      const operation = line.next as Operation<unknown>;
      let result: unknown;
      let error: unknown;
      try {
        const answer = this.#attempt(operation);
        if (answer === -EAGAIN) return;
        if (answer < 0) error = new SystemError(operation.syscall, answer, operation.context);
        else result = operation.finish(answer, this);
      } catch (thrown) {
        error = thrown;
      }
      this.#leave(operation);
      if (error === undefined) operation.settle?.(result);
      else fail(operation, error);
    }
  }
}
