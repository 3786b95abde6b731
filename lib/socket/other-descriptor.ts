// Waiting for a descriptor that no Socket owns: the pipe of a splice.
import { EPOLLONESHOT } from '../constants.js';
import { raw } from '../native.js';
import { PollFds } from '../structs/pollfds.js';
import { dup } from '../syscalls/descriptors.js';
import { hold, letGo, socketReactor } from './reactor.js';
import type { WaitOptions } from './waiter.js';

const one = new PollFds(1);

/** Whether a descriptor is ready now. */
export function isReady(fd: number, events: number): boolean {
  one.set(0, fd, events);
  return raw.poll(one.bytes, 0) !== 0;
}

/** Waits until a descriptor is ready. It may be watched elsewhere, so it is a copy of it that is watched here. */
export function untilReady(fd: number, events: number, { signal }: WaitOptions = {}): Promise<void> {
  signal?.throwIfAborted();
  const copy = dup(fd);
  return new Promise<void>((resolve, reject) => {
    const end = (settle: () => void) => {
      signal?.removeEventListener('abort', onAbort);
      socketReactor().remove(copy);
      raw.close(copy);
      letGo();
      settle();
    };
    const onAbort = () => end(() => reject(signal?.reason));
    signal?.addEventListener('abort', onAbort, { once: true });
    hold();
    socketReactor().add(copy, (events | EPOLLONESHOT) >>> 0, () => end(resolve));
  });
}
