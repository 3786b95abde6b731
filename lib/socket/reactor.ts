// The reactor of a thread's sockets. It is their own, because an idle socket shall not keep the process running, as a
// descriptor in Reactor.default does: only an operation that waits does.
import { EPOLLET, EPOLLIN, EPOLLOUT, EPOLLPRI, EPOLLRDHUP } from '../constants.js';
import { Reactor, type Registration } from '../reactor.js';
import { waiterOf } from './open-sockets.js';

let reactor: Reactor | undefined;
let waiting = 0;

export function socketReactor(): Reactor {
  reactor ??= new Reactor().unref();
  return reactor;
}

// One for all: a socket's handler settles promises, and their context is that of whoever awaits them.
const call = (events: number, fd: number): void => waiterOf(fd)?.happen(events);
const readable = (EPOLLIN | EPOLLPRI | EPOLLRDHUP | EPOLLET) >>> 0;
const forReading: Registration = { events: readable, spent: false, absent: false, call };
const forBoth: Registration = { events: (readable | EPOLLOUT) >>> 0, spent: false, absent: false, call };

/** Lets the Waiter of a descriptor know of edges: that there is more to read, and with `writing` also of room. */
export function watch(fd: number, writing: boolean): void {
  socketReactor().register(fd, writing ? forBoth : forReading);
}

/** Lets a Waiter that knows when there is more to read know of room, too. */
export function watchForRoom(fd: number): void {
  socketReactor().replace(fd, forBoth);
}

export function unwatch(fd: number): void {
  socketReactor().remove(fd);
}

/** An operation begins to wait. */
export function hold(): void {
  if (waiting++ === 0) socketReactor().ref();
}

/** An operation no longer waits. */
export function letGo(): void {
  if (--waiting === 0) socketReactor().unref();
}
