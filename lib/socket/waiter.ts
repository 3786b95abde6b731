// One non-blocking descriptor, and the operations that wait for it.
//
// A call is tried first and waits only on EAGAIN. The descriptor is registered with the reactor once, at its first
// wait, for edges in both directions: after that a wait costs no system call.
import {
  EAGAIN,
  ECANCELED,
  EINTR,
  EPOLLERR,
  EPOLLET,
  EPOLLHUP,
  EPOLLIN,
  EPOLLOUT,
  EPOLLPRI,
  EPOLLRDHUP,
  ETIMEDOUT,
} from '../constants.js';
import { type ErrorContext, SystemError } from '../errors.js';
import { hold, letGo, socketReactor } from './reactor.js';

/** How long an operation may wait. */
export interface WaitOptions {
  /** Ends the wait: the operation rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds until the operation rejects with ETIMEDOUT; none by default. */
  readonly timeout?: number | undefined;
}

/** What an operation does when its direction may be ready. */
export interface Operation<T> {
  /** The system call, for errors. */
  readonly syscall: string;
  /** Makes the call. Answers as `raw` does: -EAGAIN goes on waiting. */
  readonly attempt: () => number;
  /** Makes the result of the call's answer, at once. */
  readonly finish: (answer: number) => T;
  /**
   * How many bytes the call asked for, where fewer mean that a stream has no more and the next call need not be tried
   * before waiting. 0 where they mean nothing.
   */
  readonly wanted?: number;
  /** What an error is about. */
  readonly context?: ErrorContext | undefined;
  /** Tells more about the error that ends the operation. */
  readonly explain?: (error: unknown) => void;
}

interface Pending {
  readonly operation: Operation<unknown>;
  // Keeps the Socket from being collected while somebody waits.
  readonly owner: object;
  readonly resolve: (value: never) => void;
  readonly reject: (reason: unknown) => void;
  release?: () => void;
}

/** The operations of one direction, in the order in which they were asked for. */
export class Direction {
  /** False once a call said that it would block, until the kernel reports an edge. */
  ready = true;
  readonly queue: Pending[] = [];
}

const readable = EPOLLIN | EPOLLPRI | EPOLLRDHUP | EPOLLHUP | EPOLLERR;
const writable = EPOLLOUT | EPOLLHUP | EPOLLERR;
const ended = EPOLLRDHUP | EPOLLHUP | EPOLLERR | EPOLLPRI;
const everything = (EPOLLIN | EPOLLOUT | EPOLLPRI | EPOLLRDHUP | EPOLLET) >>> 0;

/** Why an operation ended when its socket was closed under it: `code` is 'ECANCELED'. */
function closedError(syscall: string): SystemError {
  return new SystemError(syscall, ECANCELED, undefined, 'the socket was closed');
}

function refuse<T>(operation: Operation<T>, error: unknown): Promise<T> {
  operation.explain?.(error);
  return Promise.reject(error);
}

function fail({ operation, reject }: Pending, error: unknown): void {
  operation.explain?.(error);
  reject(error);
}

export class Waiter {
  fd: number;
  readonly reading = new Direction();
  readonly writing = new Direction();
  // The error queue is apart: that it is empty says nothing of data. Few sockets are ever asked for it.
  #errors: Direction | undefined;
  /** How many operations had to wait, and how many calls were made. */
  waits = 0;
  calls = 0;
  #registered = false;
  #keepsAlive = true;
  // The peer is done, or urgent data is about: then fewer bytes than asked for do not mean that there are no more.
  #ended = false;
  readonly #onEvents = (events: number) => {
    if ((events & ended) !== 0) this.#ended = true;
    if ((events & readable) !== 0) this.#run(this.reading);
    if ((events & writable) !== 0) this.#run(this.writing);
    if ((events & EPOLLERR) !== 0 && this.#errors) this.#run(this.#errors);
  };

  constructor(fd: number) {
    this.fd = fd;
  }

  /** What waits for the error queue (MSG_ERRQUEUE). */
  get errors(): Direction {
    this.#errors ??= new Direction();
    return this.#errors;
  }

  get #directions(): Direction[] {
    return this.#errors ? [this.reading, this.writing, this.#errors] : [this.reading, this.writing];
  }

  /** Makes a call, as soon as its direction allows. */
  perform<T>(direction: Direction, operation: Operation<T>, owner: object, options?: WaitOptions): Promise<T> {
    if (this.fd < 0) return refuse(operation, closedError(operation.syscall));
    if (direction.ready && direction.queue.length === 0) {
      try {
        const answer = this.#attempt(direction, operation);
        if (answer >= 0) return Promise.resolve(operation.finish(answer));
        if (answer !== -EAGAIN) return refuse(operation, new SystemError(operation.syscall, answer, operation.context));
      } catch (error) {
        return refuse(operation, error);
      }
    }
    return this.#wait(direction, operation, owner, options);
  }

  /** Lets the next call of a direction wait for an edge before it is tried: for connect, which asks once. */
  async untilWritable(syscall: string, owner: object, options?: WaitOptions): Promise<void> {
    let first = true;
    const attempt = () => {
      if (!first) return 0;
      first = false;
      return -EAGAIN;
    };
    await this.perform(this.writing, { syscall, attempt, finish: () => undefined }, owner, options);
  }

  /** Ends what waits, and gives the descriptor back to the caller, unregistered. */
  release(): number {
    const { fd } = this;
    if (fd < 0) return fd;
    if (this.#registered) socketReactor().remove(fd);
    this.#registered = false;
    this.fd = -1;
    for (const { queue } of this.#directions) {
      while (queue.length > 0) {
        const pending = queue.shift() as Pending;
        this.#settled(pending);
        fail(pending, closedError(pending.operation.syscall));
      }
    }
    return fd;
  }

  #attempt(direction: Direction, operation: Operation<unknown>): number {
    let answer: number;
    do {
      this.calls++;
      answer = operation.attempt();
    } while (answer === -EINTR);
    if (
      answer === -EAGAIN ||
      (operation.wanted !== undefined && answer > 0 && answer < operation.wanted && !this.#ended)
    ) {
      direction.ready = false;
    }
    return answer;
  }

  #wait<T>(direction: Direction, operation: Operation<T>, owner: object, options?: WaitOptions): Promise<T> {
    if (options?.signal?.aborted) return refuse(operation, options.signal.reason);
    this.waits++;
    return new Promise<T>((resolve, reject) => {
      const pending: Pending = { operation, owner, resolve, reject };
      if (!this.#registered) {
        socketReactor().add(this.fd, everything, this.#onEvents);
        this.#registered = true;
      }
      if (options !== undefined) this.#limit(direction, pending, options);
      if (this.#keepsAlive) hold();
      direction.queue.push(pending);
    });
  }

  /** Whether the operations that wait keep the process running. */
  set keepsAlive(keepsAlive: boolean) {
    if (keepsAlive === this.#keepsAlive) return;
    this.#keepsAlive = keepsAlive;
    for (const { queue } of this.#directions) queue.forEach(keepsAlive ? hold : letGo);
  }

  // Ends a wait by a signal or a timeout.
  #limit(direction: Direction, pending: Pending, { signal, timeout }: WaitOptions): void {
    const end = (reason: unknown) => {
      const index = direction.queue.indexOf(pending);
      if (index < 0) return;
      direction.queue.splice(index, 1);
      this.#settled(pending);
      fail(pending, reason);
    };
    const onAbort = () => end(signal?.reason);
    signal?.addEventListener('abort', onAbort, { once: true });
    const { syscall, context } = pending.operation;
    const timer =
      timeout === undefined ? undefined : setTimeout(() => end(new SystemError(syscall, ETIMEDOUT, context)), timeout);
    pending.release = () => {
      signal?.removeEventListener('abort', onAbort);
      clearTimeout(timer);
    };
  }

  #settled(pending: Pending): void {
    pending.release?.();
    if (this.#keepsAlive) letGo();
  }

  // An edge: makes the calls that waited, until one would block.
  #run(direction: Direction): void {
    direction.ready = true;
    const { queue } = direction;
    while (queue.length > 0 && direction.ready) {
      const pending = queue[0] as Pending;
      const { operation } = pending;
      let answer: number;
      let value: unknown;
      let failure: unknown;
      try {
        answer = this.#attempt(direction, operation);
        if (answer === -EAGAIN) return;
        if (answer < 0) failure = new SystemError(operation.syscall, answer, operation.context);
        else value = operation.finish(answer);
      } catch (error) {
        failure = error;
      }
      queue.shift();
      this.#settled(pending);
      if (failure === undefined) pending.resolve(value as never);
      else fail(pending, failure);
    }
  }
}
