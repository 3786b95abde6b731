import { AsyncResource } from 'node:async_hooks';
import {
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
import { EpollEvents } from './structs/epoll-events.js';
import { littleEndian } from './structs/struct.js';
import './syscalls/descriptors.js';
import './syscalls/waiting.js';

/**
 * Is called when a descriptor is ready.
 * @param events what happened, of what was asked for: EPOLLIN, EPOLLOUT, EPOLLRDHUP, EPOLLPRI, and always EPOLLERR and
 * EPOLLHUP
 */
export type ReadyHandler = (events: number, fd: number) => void;

// The Int32Array that both halves share begins with these, and then comes the batch: see native/reactor.h.
const Shared = { watched: 0, keepsAlive: 1, deadBatches: 2, closed: 3, batch: 4 } as const;

// How many events one epoll_wait takes at most.
const batchSize = 256;

// Where the parts of a struct epoll_event lie, in int32s.
const { size, fields } = layouts.epoll_event as Layout;
const eventWords = size / 4;
const eventsWord = (fields.events?.[0] as number) / 4;
const dataWord = (fields.data?.[0] as number) / 4;
const fdWord = dataWord + (littleEndian ? 0 : 1);
const generationWord = dataWord + (littleEndian ? 1 : 0);

// uv_poll works in Node only: elsewhere its name may be there, and end the process.
const byThread =
  process.versions.bun !== undefined ||
  process.versions.deno !== undefined ||
  process.env.POSIX_SOCKETS_REACTOR === 'thread';

// A descriptor that is watched. As an AsyncResource it brings the AsyncLocalStorage context of its add().
class Registration extends AsyncResource {
  handler: ReadyHandler;
  events: number;
  /** An EPOLLONESHOT event was delivered, and no modify() has come since. */
  spent = false;
  /** Not in the epoll instance, because it was spent when that was rebuilt. */
  absent = false;

  constructor(handler: ReadyHandler, events: number) {
    super('Reactor', { requireManualDestroy: true });
    this.handler = handler;
    this.events = events;
  }
}

const oneEvent = new EpollEvents(1);

export class Reactor {
  static #default: Reactor | undefined;

  /** This thread's own reactor, made when it is first asked for. `Socket` uses it. */
  static get default(): Reactor {
    if (Reactor.#default === undefined || Reactor.#default.closed) Reactor.#default = new Reactor();
    return Reactor.#default;
  }

  readonly #native: NativeReactor;
  readonly #shared: Int32Array;
  #epfd: number;
  #registrations: (Registration | undefined)[] = [];
  #generations: Int32Array = new Int32Array(0);
  #generation = 0;
  // The batch that is being delivered: its next event, and how many it has.
  #next = 0;
  #count = 0;
  #batches = 0;
  #rebuilds = 0;

  /** @throws EMFILE too many descriptors */
  constructor() {
    const epfd = raw.epoll_create1(EPOLL_CLOEXEC);
    if (epfd < 0) fail('epoll_create1', epfd);
    const words = Shared.batch + batchSize * eventWords;
    this.#epfd = epfd;
    this.#shared = new Int32Array(new SharedArrayBuffer(words * 4));
    this.#shared[Shared.keepsAlive] = 1;
    this.#native = new NativeReactor(epfd, this.#shared, (count) => this.#deliver(count));
    this.#grow(64);
    const answer = this.#native.begin(byThread);
    if (answer < 0) {
      raw.close(epfd);
      fail('epoll_ctl', answer);
    }
  }

  /** How many descriptors are watched. */
  get size(): number {
    return this.#shared[Shared.watched] as number;
  }

  /** How many batches of events there were. */
  get batches(): number {
    return this.#batches;
  }

  /** How often the epoll instance was made anew to get rid of registrations that nobody could remove. */
  get rebuilds(): number {
    return this.#rebuilds;
  }

  /** Whether close() was called. */
  get closed(): boolean {
    return this.#epfd < 0;
  }

  add(fd: number, events: number, handler: ReadyHandler): void {
    if (typeof handler !== 'function') throw new TypeError(`a handler is a function, not ${String(handler)}`);
    this.#generation = (this.#generation + 1) | 0 || 1;
    let answer = this.#control(EPOLL_CTL_ADD, fd, events);
    if (answer === -EEXIST && this.#generations[fd] === 0) {
      // A dead registration of the same file under the same number: close(fd), then dup2(copy, fd).
      this.#control(EPOLL_CTL_DEL, fd, 0);
      answer = this.#control(EPOLL_CTL_ADD, fd, events);
    }
    if (answer < 0) fail('epoll_ctl', answer);
    if (fd >= this.#generations.length) this.#grow(fd + 1);
    // There may be one of a descriptor that was closed in a way that this package does not see.
    const before = this.#generations[fd];
    this.#registrations[fd] = new Registration(handler, events);
    this.#generations[fd] = this.#generation;
    if (before === 0 && (this.#shared[Shared.watched] as number)++ === 0) this.#native.hold();
    this.#sweep();
  }

  modify(fd: number, events: number): void {
    const registration = this.#find(fd);
    if (registration === undefined) fail('epoll_ctl', -ENOENT);
    const answer = this.#control(
      registration.absent ? EPOLL_CTL_ADD : EPOLL_CTL_MOD,
      fd,
      events,
      this.#generations[fd],
    );
    if (answer < 0) fail('epoll_ctl', answer);
    registration.events = events;
    registration.spent = false;
    registration.absent = false;
  }

  remove(fd: number): boolean {
    if (this.#find(fd) === undefined) return false;
    this.#control(EPOLL_CTL_DEL, fd, 0);
    this.#forget(fd);
    return true;
  }

  turn(timeout = -1): number {
    if (this.#next >= this.#count) {
      const count = this.#native.take(Math.ceil(timeout));
      if (count === -EINTR) return 0;
      if (count < 0) fail('epoll_wait', count);
      this.#begin(count);
    }
    const delivered = this.#count - this.#next;
    const errors: unknown[] = [];
    do {
      try {
        this.#deliver(0);
      } catch (error) {
        errors.push(error);
      }
    } while (this.#next < this.#count);
    if (errors.length > 1) throw new AggregateError(errors, `${errors.length} handlers have thrown`);
    if (errors.length === 1) throw errors[0];
    return delivered;
  }

  ref(): this {
    return this.#keepAlive(1);
  }

  unref(): this {
    return this.#keepAlive(0);
  }

  close(): void {
    if (this.closed) return;
    this.#native.close();
    this.#epfd = -1;
    this.#registrations = [];
    this.#generations.fill(0);
    this.#shared[Shared.watched] = 0;
    this.#begin(0);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #keepAlive(value: 0 | 1): this {
    this.#shared[Shared.keepsAlive] = value;
    this.#native.hold();
    return this;
  }

  #find(fd: number): Registration | undefined {
    return this.#generations[fd] ? this.#registrations[fd] : undefined;
  }

  #control(op: number, fd: number, events: number, generation = this.#generation): number {
    const data = (BigInt(generation >>> 0) << 32n) | BigInt(fd >>> 0);
    return raw.epoll_ctl(this.#epfd, op, fd, oneEvent.set(0, events, fd, data).bytes);
  }

  #forget(fd: number): void {
    this.#registrations[fd] = undefined;
    this.#generations[fd] = 0;
    if (--(this.#shared[Shared.watched] as number) === 0) this.#native.hold();
  }

  #grow(length: number): void {
    const larger = new Int32Array(new SharedArrayBuffer(4 * Math.max(length, 2 * this.#generations.length)));
    larger.set(this.#generations);
    this.#generations = larger;
    this.#native.table(larger);
  }

  // Lets go of the handlers of descriptors that were closed without remove(), now and then.
  #sweep(): void {
    if ((this.#shared[Shared.closed] as number) < 64 + this.size) return;
    this.#shared[Shared.closed] = 0;
    for (let fd = 0; fd < this.#registrations.length; fd++) {
      if (this.#generations[fd] === 0) this.#registrations[fd] = undefined;
    }
  }

  #begin(count: number): void {
    this.#next = 0;
    this.#count = count;
  }

  // Goes on with the batch. Whatever a handler does, also a turn() of its own, the next event is found here.
  #deliver(count: number): void {
    if (count > 0) this.#begin(count);
    const shared = this.#shared;
    while (this.#next < this.#count) {
      const at = Shared.batch + this.#next++ * eventWords;
      const fd = shared[at + fdWord] as number;
      if (this.#generations[fd] !== shared[at + generationWord]) continue;
      const registration = this.#registrations[fd] as Registration;
      const events = (shared[at + eventsWord] as number) & (registration.events | EPOLLERR | EPOLLHUP);
      if (events === 0) continue;
      if (registration.events & EPOLLONESHOT) registration.spent = true;
      registration.runInAsyncScope(registration.handler, undefined, events, fd);
    }
    this.#batches++;
    if ((this.#shared[Shared.deadBatches] as number) > 1) this.#rebuild();
  }

  #rebuild(): void {
    const fresh = raw.epoll_create1(EPOLL_CLOEXEC);
    if (fresh < 0) return; // tried again after the next batch
    const epfd = this.#epfd;
    this.#shared[Shared.deadBatches] = 0;
    this.#rebuilds++;
    for (let fd = 0; fd < this.#registrations.length; fd++) {
      const registration = this.#find(fd);
      if (registration === undefined) continue;
      if (!registration.absent && this.#control(EPOLL_CTL_DEL, fd, 0) < 0) {
        this.#forget(fd);
        continue;
      }
      registration.absent = registration.spent;
      if (registration.absent) continue;
      this.#epfd = fresh;
      this.#control(EPOLL_CTL_ADD, fd, registration.events, this.#generations[fd]);
      this.#epfd = epfd;
    }
    this.#native.replace(fresh);
    raw.close(fresh);
  }
}
