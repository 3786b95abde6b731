// The reactor of a thread's sockets. It is their own, because an idle socket shall not keep the process running, as a
// descriptor in Reactor.default does: only an operation that waits does.
import { Reactor } from '../reactor.js';

let reactor: Reactor | undefined;
let waiting = 0;

export function socketReactor(): Reactor {
  reactor ??= new Reactor().unref();
  return reactor;
}

/** An operation begins to wait. */
export function hold(): void {
  if (waiting++ === 0) socketReactor().ref();
}

/** An operation no longer waits. */
export function letGo(): void {
  if (--waiting === 0) socketReactor().unref();
}
