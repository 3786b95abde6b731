// The JavaScript half of a reactor: which handler is called for which descriptor. native/reactor.h is the other half.
import { AsyncResource } from 'node:async_hooks';
import {
  EBADF,
  EEXIST,
  EINTR,
  ENOENT,
  EPOLL_CLOEXEC,
  EPOLL_CTL_ADD,
  EPOLL_CTL_DEL,
  EPOLL_CTL_MOD,
  EPOLLERR,
  EPOLLHUP,
  EPOLLONESHOT,
} from './constants.js';
import { fail } from './errors.js';
import { type Layout, layouts, NativeReactor, raw } from './native.js';
import { littleEndian } from './structs/struct.js';
import './syscalls/descriptors.js';
import './syscalls/waiting.js';
import { integer, shown } from './values.js';

/**
 * What a reactor calls when a descriptor is ready.
 * @param events what happened: of what was asked for, EPOLLIN, EPOLLOUT, EPOLLPRI, EPOLLRDHUP, ...; EPOLLERR and
 * EPOLLHUP come unasked
 * @param fd the descriptor, as given to `add`
 */
export type ReadyHandler = (events: number, fd: number) => void;

// The int32s that both halves share begin with these, and the batch of events comes behind them: see native/reactor.h.
const Shared = { watched: 0, keepsAlive: 1, deadBatches: 2, closed: 3, ringing: 4, batch: 6 } as const;

// How many events one epoll_wait takes at most.
const batchLength = 256;

// A struct epoll_event in int32s. Its data is the descriptor in the low half and the registration's generation in the
// high half.
const { size, fields } = layouts.epoll_event as Layout;
const eventWords = size / 4;
const eventsWord = (fields.events?.[0] as number) / 4;
const lowWord = (fields.data?.[0] as number) / 4;
const fdWord = littleEndian ? lowWord : lowWord + 1;
const generationWord = littleEndian ? lowWord + 1 : lowWord;

// uv_poll serves in Node alone: Bun has the name, and ends the process when it is called.
const byThread =
  process.versions.bun !== undefined ||
  process.versions.deno !== undefined ||
  process.env.POSIX_SOCKETS_REACTOR === 'thread';

/** How a descriptor is watched. One without EPOLLONESHOT may stand for many descriptors. @internal */
export interface Registration {
  events: number;
  /** EPOLLONESHOT: the shot was fired, and no modify() has come since. */
  spent: boolean;
  /** Spent when the epoll instance was made anew, and therefore not in it. */
  absent: boolean;
  call(events: number, fd: number): void;
}

// A handler and, because it is an AsyncResource, the AsyncLocalStorage context of its add().
class HandlerRegistration extends AsyncResource implements Registration {
  readonly handler: ReadyHandler;
  events: number;
  spent = false;
  absent = false;

  constructor(handler: ReadyHandler, events: number) {
    super('Reactor', { requireManualDestroy: true });
    this.handler = handler;
    this.events = events;
  }

  call(events: number, fd: number): void {
    this.runInAsyncScope(this.handler, undefined, events, fd);
  }
}

// The one event that is handed to epoll_ctl.
const eventInts = new Int32Array(eventWords);
const eventBytes = new Uint8Array(eventInts.buffer);

function control(epfd: number, op: number, fd: number, events: number, generation: number): number {
  eventInts[eventsWord] = events;
  eventInts[fdWord] = fd;
  eventInts[generationWord] = generation;
  return raw.epoll_ctl(epfd, op, fd, eventBytes);
}

function checkEvents(events: number): void {
  integer('events', events, -(2 ** 31), 2 ** 32 - 1);
}

/** One epoll_wait that the native half of a reactor has made. */
export interface ReactorWait {
  readonly epfd: number;
  /** Room for as many events as it took at most. */
  readonly events: Uint8Array;
  readonly timeout: number;
  /** How many events there were, or -errno. */
  readonly answer: number;
  /** When it began, by performance.now(). Of a wait that was the event loop's, when it was over. */
  readonly start: number;
}

// A tracer sees what is called through `raw`. This it is told of, while there is one.
let told: ((wait: ReactorWait) => void) | undefined;

/** @internal Has a tracer told of each epoll_wait of this thread's reactors. */
export function tellOfWaits(listener: typeof told): void {
  told = listener;
}

// Rounded up, so that a wait of 0.4 ms does not become none.
function wholeMilliseconds(timeout: number): number {
  if (typeof timeout !== 'number' || Number.isNaN(timeout)) {
    throw new TypeError(`a timeout is a number of milliseconds, not ${shown(timeout)}`);
  }
  return timeout < 0 || timeout === Infinity ? -1 : Math.min(Math.ceil(timeout), 2 ** 31 - 1);
}

/**
 * Tells the program which of its descriptors are ready: an epoll instance that is part of the event loop, and a handler
 * for each descriptor.
 *
 * ```ts
 * reactor.add(listener, EPOLLIN, () => {
 *   const client = accept4(listener, null, SOCK_NONBLOCK | SOCK_CLOEXEC);
 *   reactor.add(client, EPOLLIN, (events, fd) => { ... });
 * });
 * ```
 *
 * **What handlers may do.** Anything: add, modify, remove and close descriptors, their own and others, also the
 * reactor. An event of a descriptor that was removed or closed since it was reported reaches nobody, also if the number
 * is in use again. A handler that throws raises 'uncaughtException', as any callback in Node; the other events of the
 * batch are delivered all the same.
 *
 * **When they run.** Each batch of up to 256 events is one call into JavaScript, inside a Node-API callback scope, so
 * nextTicks and promises run when it ends, before the next batch. (A native callback without such a scope leaves them
 * to whatever JavaScript runs next. Since Node 26.4 that may be never.) Each handler runs in the AsyncLocalStorage
 * context of its `add`.
 *
 * **How long.** Batch follows batch until at most one event came or 1 ms has passed; then the event loop has its turn. So
 * a flood makes a timer late by 1 ms and what the handlers of one batch take.
 *
 * **What it watches.** As epoll, open file descriptions and not descriptors: when a descriptor is closed while a copy
 * of it (`dup`, a child process) is open, the kernel goes on reporting it, and nobody can remove it any more. So call
 * `remove` before `close`, as `Socket` does. A reactor that gets events of such a dead registration again and again
 * makes its epoll instance anew, without it, and counts that in `rebuilds`. It learns of descriptors that are closed by
 * this package's `close`, `dup2` and `dup3` in the same thread; not of those closed by `fs.close` or by another thread.
 *
 * **Which events.** EPOLLIN, EPOLLOUT, EPOLLPRI, EPOLLRDHUP; level-triggered, or with EPOLLET edges, with EPOLLONESHOT
 * one event until the next `modify`, with EPOLLEXCLUSIVE only one of several epoll instances that wait for the same.
 * EPOLLERR (getsockopt(SO_ERROR) says which error) and EPOLLHUP (both directions are shut) are always reported, and
 * stay until the descriptor is removed. A listener whose `accept` says EMFILE stays ready, too: `modify(listener, 0)`
 * until a descriptor is free.
 *
 * In Node it is a uv_poll_t in the event loop; in Bun and Deno, and wherever the environment variable
 * POSIX_SOCKETS_REACTOR is `thread`, a thread waits and wakes the event loop, and each waking brings one batch.
 * @see epoll(7)
 */
export class Reactor {
  static #default: Reactor | undefined;

  /** This thread's own reactor, made when it is first asked for, and again after it was closed. */
  static get default(): Reactor {
    if (Reactor.#default === undefined || Reactor.#default.closed) Reactor.#default = new Reactor();
    return Reactor.#default;
  }

  readonly #shared = new Int32Array(new SharedArrayBuffer(4 * (Shared.batch + batchLength * eventWords)));
  readonly #native: NativeReactor;
  #epfd: number;

  // By descriptor. A generation of 0 is none: then the registration is no more, also if it is still there.
  #registrations: (Registration | undefined)[] = [];
  #generations: Int32Array = new Int32Array(0);
  #lastGeneration = 0;

  // The batch that is being delivered: which of its events is next, and how many it has.
  #next = 0;
  #count = 0;

  #batches = 0;
  #rebuilds = 0;

  /** @throws EMFILE too many descriptors */
  constructor() {
    const epfd = raw.epoll_create1(EPOLL_CLOEXEC);
    if (epfd < 0) fail('epoll_create1', epfd);
    this.#epfd = epfd;
    this.#shared[Shared.keepsAlive] = 1;
    this.#native = new NativeReactor(epfd, this.#shared, this.#deliver);
    this.#grow(64);
    const answer = this.#native.begin(byThread);
    if (answer < 0) {
      raw.close(epfd);
      fail('epoll_create1', answer);
    }
  }

  /** How many descriptors are watched. */
  get size(): number {
    return this.#shared[Shared.watched] as number;
  }

  /** How many batches of events there have been. */
  get batches(): number {
    return this.#batches;
  }

  /** How often the epoll instance was made anew, to be rid of dead registrations. */
  get rebuilds(): number {
    return this.#rebuilds;
  }

  /** Whether the reactor is closed. Then `add`, `modify` and `turn` throw EBADF. */
  get closed(): boolean {
    return this.#epfd < 0;
  }

  /**
   * Watches a descriptor.
   * @param events EPOLLIN, EPOLLOUT, EPOLLPRI, EPOLLRDHUP, with EPOLLET, EPOLLONESHOT or EPOLLEXCLUSIVE
   * @param handler is called in the AsyncLocalStorage context of this call, never from within it
   * @throws EEXIST already watched by this reactor · EPERM a regular file or a folder, which is always ready · EBADF not
   * open, or the reactor is closed · EINVAL, ELOOP an epoll instance in a circle · ENOSPC the user's limit of watched
   * descriptors: epoll(7)
   */
  add(fd: number, events: number, handler: ReadyHandler): void {
    checkEvents(events);
    if (typeof handler !== 'function') throw new TypeError(`a handler is a function, not ${shown(handler)}`);
    this.register(fd, new HandlerRegistration(handler, events));
  }

  /** `add` without a handler's own context. @internal */
  register(fd: number, registration: Registration): void {
    const { events } = registration;
    const generation = (this.#lastGeneration + 1) | 0 || 1;
    let answer = control(this.#epfd, EPOLL_CTL_ADD, fd, events, generation);
    if (answer === -EEXIST && !this.#generations[fd]) {
      // A dead registration of the same file under the same number, after close(fd) and dup2(copy, fd).
      control(this.#epfd, EPOLL_CTL_DEL, fd, 0, 0);
      answer = control(this.#epfd, EPOLL_CTL_ADD, fd, events, generation);
    }
    if (answer < 0) fail('epoll_ctl', answer);
    this.#lastGeneration = generation;
    if (fd >= this.#generations.length) this.#grow(fd + 1);
    // One that is there belongs to a descriptor that was closed unseen.
    const replaces = this.#generations[fd] !== 0;
    this.#registrations[fd] = registration;
    this.#generations[fd] = generation;
    if (!replaces && (this.#shared[Shared.watched] as number)++ === 0) this.#hold();
    this.#sweep();
  }

  /**
   * Changes what a descriptor is watched for; its handler stays. After EPOLLONESHOT it is how to get the next event.
   * @throws ENOENT not watched · EINVAL watched with EPOLLEXCLUSIVE, which cannot be changed · EBADF not open
   */
  modify(fd: number, events: number): void {
    checkEvents(events);
    const registration = this.#find(fd);
    if (registration === undefined) fail('epoll_ctl', this.closed ? -EBADF : -ENOENT);
    const op = registration.absent ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
    const answer = control(this.#epfd, op, fd, events, this.#generations[fd] as number);
    if (answer < 0) fail('epoll_ctl', answer);
    registration.events = events;
    registration.spent = false;
    registration.absent = false;
  }

  /** `modify` for one that was registered. @internal */
  replace(fd: number, registration: Registration): void {
    const answer = control(this.#epfd, EPOLL_CTL_MOD, fd, registration.events, this.#generations[fd] as number);
    if (answer < 0) fail('epoll_ctl', answer);
    this.#registrations[fd] = registration;
  }

  /**
   * Watches a descriptor no longer. To be called before it is closed.
   * @returns false if it was not watched
   */
  remove(fd: number): boolean {
    if (this.#find(fd) === undefined) return false;
    // It fails when the descriptor was closed unseen, and then there is nothing to be done.
    control(this.#epfd, EPOLL_CTL_DEL, fd, 0, 0);
    this.#forget(fd);
    return true;
  }

  /**
   * Waits for one batch of events and delivers it, for a program that owns its thread: handlers run inside this call,
   * nextTicks and promises when the caller is done. Called by a handler, it first delivers the rest of the batch that
   * the handler's event was in, without waiting.
   * @param timeout milliseconds, fractions rounded up; below 0 (or Infinity) it waits as long as it takes
   * @returns how many events there were; 0 when the time is up, or when a signal ended the wait (EINTR)
   * @throws EBADF the reactor is closed · what a handler has thrown, when the batch is delivered; if there were several
   * errors, an AggregateError
   */
  turn(timeout = -1): number {
    const milliseconds = wholeMilliseconds(timeout);
    if (this.#next >= this.#count) {
      const start = told && performance.now();
      const count = this.#native.take(milliseconds);
      if (start !== undefined) this.#tell(count, milliseconds, start);
      if (count === -EINTR) return 0;
      if (count < 0) fail('epoll_wait', count);
      this.#begin(count);
    }
    const events = this.#count - this.#next;
    const errors: unknown[] = [];
    while (this.#next < this.#count) {
      try {
        this.#deliver(0);
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 1) throw new AggregateError(errors, `${errors.length} handlers threw`);
    if (errors.length === 1) throw errors[0];
    return events;
  }

  /** Keeps the process alive while anything is watched. So it is from the start. */
  ref(): this {
    return this.#keepAlive(1);
  }

  /** Lets the process end, whatever is watched. */
  unref(): this {
    return this.#keepAlive(0);
  }

  /** Ends it: nothing is watched any more, and no handler is called. Descriptors that were watched stay open. */
  close(): void {
    if (this.closed) return;
    this.#native.close();
    this.#epfd = -1;
    this.#registrations = [];
    this.#generations = new Int32Array(0);
    this.#shared[Shared.watched] = 0;
    this.#shared[Shared.deadBatches] = 0;
    this.#begin(0);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #keepAlive(keepsAlive: 0 | 1): this {
    this.#shared[Shared.keepsAlive] = keepsAlive;
    this.#hold();
    return this;
  }

  // What is watched last, or whether that counts, has changed. Of what changes to and fro while handlers run, only the
  // outcome matters, and the native half looks at it then.
  #hold(): void {
    if (this.#shared[Shared.ringing] === 0) this.#native.hold();
  }

  #find(fd: number): Registration | undefined {
    return this.#generations[fd] ? this.#registrations[fd] : undefined;
  }

  #forget(fd: number): void {
    this.#registrations[fd] = undefined;
    this.#generations[fd] = 0;
    if (--(this.#shared[Shared.watched] as number) === 0) this.#hold();
  }

  #grow(least: number): void {
    const length = Math.max(least, 2 * this.#generations.length);
    const larger = new Int32Array(new SharedArrayBuffer(4 * length));
    larger.set(this.#generations);
    this.#generations = larger;
    this.#native.table(larger);
  }

  // Lets go of the handlers of descriptors that were closed and not removed, once they are as many as the others.
  #sweep(): void {
    if ((this.#shared[Shared.closed] as number) < 64 + this.size) return;
    this.#shared[Shared.closed] = 0;
    for (let fd = 0; fd < this.#registrations.length; fd++) {
      if (!this.#generations[fd]) this.#registrations[fd] = undefined;
    }
  }

  #begin(count: number): void {
    this.#next = 0;
    this.#count = count;
    if (count > 0) this.#batches++;
  }

  #tell(answer: number, timeout: number, start: number): void {
    const events = new Uint8Array(this.#shared.buffer, 4 * Shared.batch, batchLength * size);
    told?.({ epfd: this.#epfd, events, timeout, answer, start });
  }

  // Delivers a new batch of `count` events, or with 0 goes on where a handler has thrown. Handlers may do anything, even
  // take the next batch by turn(), so nothing is remembered across a handler but in fields.
  readonly #deliver = (count: number): void => {
    if (count > 0) {
      if (told) this.#tell(count, 0, performance.now());
      this.#begin(count);
    }
    while (this.#next < this.#count) {
      const event = Shared.batch + this.#next++ * eventWords;
      const fd = this.#shared[event + fdWord] as number;
      if (this.#generations[fd] !== this.#shared[event + generationWord]) continue;
      const registration = this.#registrations[fd] as Registration;
      const wanted = registration.events | EPOLLERR | EPOLLHUP; // an earlier handler may have modified it
      const events = (this.#shared[event + eventsWord] as number) & wanted;
      if (events === 0) continue;
      if (wanted & EPOLLONESHOT) registration.spent = true;
      registration.call(events, fd);
    }
    if ((this.#shared[Shared.deadBatches] as number) > 1) this.#rebuild();
  };

  // Moves what is watched to a new epoll instance, which then takes the place of the old one.
  #rebuild(): void {
    const fresh = raw.epoll_create1(EPOLL_CLOEXEC);
    if (fresh < 0) return; // tried again after the next batch
    this.#shared[Shared.deadBatches] = 0;
    this.#rebuilds++;
    let lost = 0;
    for (let fd = 0; fd < this.#registrations.length; fd++) {
      const registration = this.#find(fd);
      if (registration === undefined) continue;
      if (!registration.absent && control(this.#epfd, EPOLL_CTL_DEL, fd, 0, 0) < 0) {
        this.#forget(fd); // closed unseen: the number is nobody's, or somebody else's
        continue;
      }
      registration.absent = registration.spent;
      if (registration.absent) continue;
      const answer = control(fresh, EPOLL_CTL_ADD, fd, registration.events, this.#generations[fd] as number);
      if (answer < 0) {
        this.#forget(fd);
        lost = answer;
      }
    }
    this.#native.replace(fresh);
    raw.close(fresh);
    if (lost < 0) fail('epoll_ctl', lost);
  }
}
