import { fail } from '../errors.js';
import { raw } from '../native.js';
import { EpollEvents } from '../structs/epoll-events.js';
import { FdSet } from '../structs/fdset.js';
import { PollFds } from '../structs/pollfds.js';
import { SigSet } from '../structs/sigset.js';
import { bytesOf, bytesOrNull } from '../structs/struct.js';
import { timespec, timeval } from '../structs/time.js';

declare module '../native.js' {
  interface Raw {
    /** The kernel writes the time that was left into `timeout`. */
    select(
      nfds: number,
      readfds: Bytes | null,
      writefds: Bytes | null,
      exceptfds: Bytes | null,
      timeout: Bytes | null,
    ): number;
    pselect(
      nfds: number,
      readfds: Bytes | null,
      writefds: Bytes | null,
      exceptfds: Bytes | null,
      timeout: Bytes | null,
      sigmask: Bytes | null,
    ): number;
    poll(fds: Bytes, timeout: number): number;
    ppoll(fds: Bytes, timeout: Bytes | null, sigmask: Bytes | null): number;
    epoll_create(size: number): number;
    epoll_create1(flags: number): number;
    epoll_ctl(epfd: number, op: number, fd: number, event: Bytes | null): number;
    epoll_wait(epfd: number, events: Bytes, timeout: number): number;
    epoll_pwait(epfd: number, events: Bytes, timeout: number, sigmask: Bytes | null): number;
    epoll_pwait2(epfd: number, events: Bytes, timeout: Bytes | null, sigmask: Bytes | null): number;
  }
}

/** How long to wait: milliseconds (fractions count), or a timespec; null for as long as it takes. */
export type Timeout = number | timespec | null;

const orNumber = ', a number or null';

function timespecBytes(timeout: Timeout): Uint8Array | null {
  const time = typeof timeout === 'number' ? timespec.fromMilliseconds(timeout) : timeout;
  return bytesOrNull('timeout', time, timespec, orNumber);
}

/**
 * `select(nfds, readfds, writefds, exceptfds, timeout)`: waits until a descriptor of a set is ready, and leaves in the
 * sets only those that are. What it costs grows with `nfds`, and no descriptor may be 1024 or more.
 * @param nfds the highest descriptor in the sets, plus one
 * @param readfds those that are to have something to read; null for none
 * @param writefds those that are to have room to write; null for none
 * @param exceptfds those that are to have something exceptional, such as out-of-band data; null for none
 * @param timeout milliseconds, or a timeval, into which Linux writes the time that was left; null waits for ever
 * @returns how many are ready, over all three sets; 0 when the time is up
 * @throws EBADF a descriptor is not open · EINTR a signal came first · EINVAL nfds is negative, or the timeout is
 * no span of time
 * @see select(2)
 */
export function select(
  nfds: number,
  readfds: FdSet | null,
  writefds: FdSet | null,
  exceptfds: FdSet | null,
  timeout: number | timeval | null,
): number {
  const time = typeof timeout === 'number' ? timeval.fromMilliseconds(timeout) : timeout;
  const ready = raw.select(
    nfds,
    bytesOrNull('readfds', readfds, FdSet),
    bytesOrNull('writefds', writefds, FdSet),
    bytesOrNull('exceptfds', exceptfds, FdSet),
    bytesOrNull('timeout', time, timeval, orNumber),
  );
  return ready < 0 ? fail('select', ready) : ready;
}

/**
 * `pselect(nfds, readfds, writefds, exceptfds, timeout, sigmask)`: {@link select} with a signal mask for as long as it
 * waits.
 * @param nfds the highest descriptor in the sets, plus one
 * @param readfds as for {@link select}
 * @param writefds as for {@link select}
 * @param exceptfds as for {@link select}
 * @param timeout milliseconds (fractions count), or a timespec; null waits for ever
 * @param sigmask the signals that are blocked meanwhile; null for those that are blocked anyway
 * @returns how many are ready, over all three sets; 0 when the time is up
 * @throws as {@link select}
 * @see select(2)
 */
export function pselect(
  nfds: number,
  readfds: FdSet | null,
  writefds: FdSet | null,
  exceptfds: FdSet | null,
  timeout: Timeout,
  sigmask: SigSet | null = null,
): number {
  const ready = raw.pselect(
    nfds,
    bytesOrNull('readfds', readfds, FdSet),
    bytesOrNull('writefds', writefds, FdSet),
    bytesOrNull('exceptfds', exceptfds, FdSet),
    timespecBytes(timeout),
    bytesOrNull('sigmask', sigmask, SigSet),
  );
  return ready < 0 ? fail('pselect', ready) : ready;
}

/**
 * `poll(fds, nfds, timeout)`: waits until a descriptor is ready. What it costs grows with the number of entries.
 * @param fds the descriptors, and what each is watched for
 * @param timeout milliseconds, whole; -1 waits for ever
 * @returns how many entries have `revents`; 0 when the time is up
 * @throws EINTR a signal came first · EINVAL more entries than descriptors are allowed. A descriptor that is not open
 * is no error: its revents has POLLNVAL.
 * @see poll(2)
 */
export function poll(fds: PollFds, timeout: number): number {
  const ready = raw.poll(bytesOf('fds', fds, PollFds), timeout);
  return ready < 0 ? fail('poll', ready) : ready;
}

/**
 * `ppoll(fds, nfds, tmo_p, sigmask)`: {@link poll} with a finer timeout and a signal mask for as long as it waits.
 * @param fds the descriptors, and what each is watched for
 * @param timeout milliseconds (fractions count), or a timespec; null waits for ever
 * @param sigmask the signals that are blocked meanwhile; null for those that are blocked anyway
 * @returns how many entries have `revents`; 0 when the time is up
 * @throws as {@link poll}; EINVAL also a timeout that is no span of time
 * @see poll(2)
 */
export function ppoll(fds: PollFds, timeout: Timeout, sigmask: SigSet | null = null): number {
  const ready = raw.ppoll(
    bytesOf('fds', fds, PollFds),
    timespecBytes(timeout),
    bytesOrNull('sigmask', sigmask, SigSet),
  );
  return ready < 0 ? fail('ppoll', ready) : ready;
}

/**
 * `epoll_create(size)`: the older {@link epoll_create1}, whose `size` has meant nothing since Linux 2.6.8.
 * @param size 1 or more
 * @returns the descriptor
 * @throws EINVAL size is less · EMFILE too many descriptors
 * @see epoll_create(2)
 */
export function epoll_create(size: number): number {
  const fd = raw.epoll_create(size);
  return fd < 0 ? fail('epoll_create', fd) : fd;
}

/**
 * `epoll_create1(flags)`: makes an epoll instance, a set of descriptors to watch that the kernel keeps.
 * @param flags EPOLL_CLOEXEC
 * @returns the descriptor
 * @throws EMFILE too many descriptors · EINVAL an unknown flag
 * @see epoll_create(2)
 */
export function epoll_create1(flags = 0): number {
  const fd = raw.epoll_create1(flags);
  return fd < 0 ? fail('epoll_create1', fd) : fd;
}

const oneEvent = new EpollEvents(1);

/**
 * `epoll_ctl(epfd, op, fd, event)`: changes what an epoll instance watches.
 *
 * It watches what is behind the descriptor: while a dup of a closed descriptor lives, its events go on.
 * @param epfd the epoll instance
 * @param op EPOLL_CTL_ADD, EPOLL_CTL_MOD or EPOLL_CTL_DEL
 * @param fd the descriptor to watch
 * @param events EPOLLIN, EPOLLOUT, EPOLLRDHUP, EPOLLPRI, with EPOLLET (edges), EPOLLONESHOT, EPOLLEXCLUSIVE
 * @param data 64 bits that come back with each event; without it, the descriptor in the low half
 * @throws EEXIST already watched · ENOENT not watched · EPERM a regular file or folder, which is always ready · EBADF
 * not open · EINVAL not an epoll instance, one that is to watch itself, or EPOLLEXCLUSIVE where it cannot be · ELOOP
 * epoll instances in a circle, or too deep in each other · ENOSPC more than /proc/sys/fs/epoll/max_user_watches
 * @see epoll_ctl(2)
 */
export function epoll_ctl(epfd: number, op: number, fd: number, events = 0, data?: bigint): void {
  const answer = raw.epoll_ctl(epfd, op, fd, oneEvent.set(0, events, fd, data).bytes);
  if (answer < 0) fail('epoll_ctl', answer);
}

/**
 * `epoll_wait(epfd, events, maxevents, timeout)`: waits until something that is watched is ready.
 * @param epfd the epoll instance
 * @param events filled with what happened
 * @param timeout milliseconds, whole; -1 waits for ever
 * @returns how many events there are; 0 when the time is up
 * @throws EINTR a signal came first · EBADF, EINVAL not an epoll instance
 * @see epoll_wait(2)
 */
export function epoll_wait(epfd: number, events: EpollEvents, timeout: number): number {
  const ready = raw.epoll_wait(epfd, bytesOf('events', events, EpollEvents), timeout);
  return ready < 0 ? fail('epoll_wait', ready) : ready;
}

/**
 * `epoll_pwait(epfd, events, maxevents, timeout, sigmask)`: {@link epoll_wait} with a signal mask for as long as it
 * waits.
 * @param epfd the epoll instance
 * @param events filled with what happened
 * @param timeout milliseconds, whole; -1 waits for ever
 * @param sigmask the signals that are blocked meanwhile; null for those that are blocked anyway
 * @returns how many events there are; 0 when the time is up
 * @throws as {@link epoll_wait}
 * @see epoll_wait(2)
 */
export function epoll_pwait(epfd: number, events: EpollEvents, timeout: number, sigmask: SigSet | null = null): number {
  const ready = raw.epoll_pwait(
    epfd,
    bytesOf('events', events, EpollEvents),
    timeout,
    bytesOrNull('sigmask', sigmask, SigSet),
  );
  return ready < 0 ? fail('epoll_pwait', ready) : ready;
}

/**
 * `epoll_pwait2(epfd, events, maxevents, timeout, sigmask)`: {@link epoll_pwait} with a timeout in nanoseconds.
 * @param epfd the epoll instance
 * @param events filled with what happened
 * @param timeout milliseconds (fractions count), or a timespec; null waits for ever
 * @param sigmask the signals that are blocked meanwhile; null for those that are blocked anyway
 * @returns how many events there are; 0 when the time is up
 * @throws as {@link epoll_wait}; ENOSYS a kernel before 5.11
 * @see epoll_wait(2)
 */
export function epoll_pwait2(
  epfd: number,
  events: EpollEvents,
  timeout: Timeout,
  sigmask: SigSet | null = null,
): number {
  const ready = raw.epoll_pwait2(
    epfd,
    bytesOf('events', events, EpollEvents),
    timespecBytes(timeout),
    bytesOrNull('sigmask', sigmask, SigSet),
  );
  return ready < 0 ? fail('epoll_pwait2', ready) : ready;
}
