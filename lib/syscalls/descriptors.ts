import { F_GETOWN, SIOCGIFCONF } from '../constants.js';
import { fail } from '../errors.js';
import { type Bytes, raw } from '../native.js';
import type { signalfd_siginfo } from '../structs/signalfd.js';
import { SigSet } from '../structs/sigset.js';
import { bytesOf, Struct, uint64 } from '../structs/struct.js';
import { itimerspec } from '../structs/time.js';

declare module '../native.js' {
  interface Raw {
    close(fd: number): number;
    dup(fd: number): number;
    dup2(oldfd: number, newfd: number): number;
    dup3(oldfd: number, newfd: number, flags: number): number;
    /** `out[0]` and `out[1]`: the ends to read from and to write to. */
    pipe2(flags: number): number;
    /** A command that takes no argument gets 0. F_GETOWN: `out[0]` is the owner, or 0 after an error. */
    fcntl(fd: number, cmd: number, arg: number | Bytes): number;
    /**
     * A number is passed as C passes an int, by pointer, and is in `out[0]` afterwards; null is the null pointer. For
     * SIOCGIFCONF the bytes are the ifreqs to fill, and `out[0]` their length. `data` is what ifr_data points at, for
     * requests that use it.
     */
    ioctl(fd: number, request: number, arg: number | Bytes | null, data?: Bytes): number;
    sockatmark(fd: number): number;
    eventfd(initval: number, flags: number): number;
    timerfd_create(clockid: number, flags: number): number;
    timerfd_settime(fd: number, flags: number, newValue: Bytes, oldValue: Bytes | null): number;
    timerfd_gettime(fd: number, value: Bytes): number;
    signalfd(fd: number, mask: Bytes, flags: number): number;
  }
}

/**
 * `close(fd)`: gives a descriptor back. The socket behind it lives on while another descriptor holds it.
 *
 * Descriptors belong to the whole process: closing one that the runtime itself uses ends the process.
 * @param fd the descriptor
 * @throws EBADF it is not open. After any other error it is closed all the same: never close again.
 * @see close(2)
 */
export function close(fd: number): void {
  const answer = raw.close(fd);
  if (answer < 0) fail('close', answer);
}

/**
 * `dup(oldfd)`: a second descriptor for the same open file or socket: the lowest number that is free.
 * @param fd the descriptor
 * @returns the new descriptor, which is not close-on-exec
 * @throws EBADF not open · EMFILE too many descriptors
 * @see dup(2)
 */
export function dup(fd: number): number {
  const copy = raw.dup(fd);
  return copy < 0 ? fail('dup', copy) : copy;
}

/**
 * `dup2(oldfd, newfd)`: makes `newfd` a second descriptor for the same, closing what it was before.
 * @param oldfd the descriptor to copy
 * @param newfd the number that the copy gets
 * @returns `newfd`
 * @throws EBADF not open, or a number out of range
 * @see dup(2)
 */
export function dup2(oldfd: number, newfd: number): number {
  const copy = raw.dup2(oldfd, newfd);
  return copy < 0 ? fail('dup2', copy) : copy;
}

/**
 * `dup3(oldfd, newfd, flags)`: {@link dup2}, with O_CLOEXEC if wanted.
 * @param oldfd the descriptor to copy
 * @param newfd the number that the copy gets
 * @param flags O_CLOEXEC, or 0
 * @returns `newfd`
 * @throws EINVAL both are the same, or an unknown flag · EBADF not open, or a number out of range
 * @see dup(2)
 */
export function dup3(oldfd: number, newfd: number, flags: number): number {
  const copy = raw.dup3(oldfd, newfd, flags);
  return copy < 0 ? fail('dup3', copy) : copy;
}

/**
 * `pipe2(pipefd, flags)`: makes a pipe.
 * @param flags O_NONBLOCK, O_CLOEXEC, O_DIRECT (packets)
 * @returns the end to read from and the end to write to
 * @throws EMFILE too many descriptors · EINVAL an unknown flag
 * @see pipe(2)
 */
export function pipe2(flags = 0): [number, number] {
  const answer = raw.pipe2(flags);
  if (answer < 0) fail('pipe2', answer);
  return [raw.out[0] as number, raw.out[1] as number];
}

/**
 * `fcntl(fd, op, arg)`: asks or changes what a descriptor is.
 * @param fd the descriptor
 * @param cmd F_GETFL, F_SETFL, F_GETFD, F_SETFD, F_DUPFD_CLOEXEC, F_SETOWN, F_SETSIG, F_GETLK, ...
 * @param arg an int, or the struct that the command takes (f_owner_ex, flock)
 * @returns what the command answers: flags, a descriptor, 0; for F_GETOWN, a process group is negative
 * @throws EBADF not open · EINVAL an unknown command, or one that this kind of file does not have
 * @see fcntl(2)
 */
export function fcntl(fd: number, cmd: number, arg: number | Struct | Bytes = 0): number {
  const answer = raw.fcntl(fd, cmd, arg instanceof Struct ? arg.bytes : arg);
  const isProcessGroup = cmd === F_GETOWN && raw.out[0] === answer;
  return answer < 0 && !isProcessGroup ? fail('fcntl', answer) : answer;
}

/**
 * `ioctl(fd, op, arg)`: a request to the device or socket.
 * @param fd the descriptor
 * @param request FIONREAD, FIONBIO, SIOCATMARK, SIOCOUTQ, SIOCGIFMTU, ...
 * @param arg nothing for a request that writes an int, which is then returned; an int for one that takes it; otherwise
 * the struct's bytes, which the request may change. A request whose struct holds a pointer is refused, except
 * SIOCGIFCONF (give the room for ifreqs; the length filled is returned) and those that use ifr_data.
 * @param data what ifr_data points at, for SIOCETHTOOL, SIOCSHWTSTAMP and SIOCGHWTSTAMP
 * @returns the int that was written, if `arg` was left out; the length for SIOCGIFCONF; else what the request answers
 * @throws ENOTTY, EOPNOTSUPP not a request of this kind of descriptor · EINVAL a request at the wrong time · ENODEV no
 * such interface · EPERM not permitted
 * @see ioctl(2), netdevice(7), tcp(7), udp(7), socket(7)
 */
export function ioctl(fd: number, request: number, arg?: number | Struct | Bytes, data?: Struct | Bytes): number {
  const given = arg === undefined ? 0 : arg instanceof Struct ? arg.bytes : arg;
  const answer =
    data === undefined
      ? raw.ioctl(fd, request, given)
      : raw.ioctl(fd, request, given, data instanceof Struct ? data.bytes : data);
  if (answer < 0) fail('ioctl', answer);
  return arg === undefined || request === SIOCGIFCONF ? (raw.out[0] as number) : answer;
}

/**
 * `sockatmark(sockfd)`: whether the next byte to read is the one that out-of-band data marked.
 * @param fd a TCP socket
 * @returns true if it is
 * @throws ENOTTY, EINVAL not a socket that has such a mark
 * @see sockatmark(3)
 */
export function sockatmark(fd: number): boolean {
  const answer = raw.sockatmark(fd);
  return answer < 0 ? fail('sockatmark', answer) : answer === 1;
}

/**
 * `eventfd(initval, flags)`: a counter to wait for. {@link eventfd_write} adds to it, {@link eventfd_read} takes it.
 * @param initval 32 bits
 * @param flags EFD_NONBLOCK, EFD_CLOEXEC, EFD_SEMAPHORE
 * @returns the descriptor
 * @throws EINVAL an unknown flag · EMFILE too many descriptors
 * @see eventfd(2)
 */
export function eventfd(initval: number, flags = 0): number {
  const fd = raw.eventfd(initval, flags);
  return fd < 0 ? fail('eventfd', fd) : fd;
}

const counter = new BigUint64Array(1);
const counterView = new DataView(counter.buffer);
const counterBytes = new Uint8Array(counter.buffer);

/**
 * `eventfd_read(fd, value)`: takes an eventfd's counter, by an 8-byte read: all of it, or 1 with EFD_SEMAPHORE. As long
 * as it is 0, this waits.
 * @param fd the eventfd
 * @returns what was taken, 1 or more
 * @throws EAGAIN it is 0, and the descriptor is non-blocking · EINTR a signal came first · EBADF not open
 * @see eventfd_read(3)
 */
export function eventfd_read(fd: number): bigint {
  const answer = raw.read(fd, counterBytes);
  return answer < 0 ? fail('read', answer) : (counter[0] as bigint);
}

/**
 * `eventfd_write(fd, value)`: adds to an eventfd's counter, by an 8-byte write. As long as the sum would be more than
 * 2^64 - 2, this waits.
 * @param fd the eventfd
 * @param value 0 to 2^64 - 2
 * @throws EAGAIN the sum would be too much, and the descriptor is non-blocking · EINTR a signal came first · EINVAL the
 * value is 2^64 - 1 · EBADF not open
 * @see eventfd_write(3)
 */
export function eventfd_write(fd: number, value: bigint): void {
  uint64.write(counterView, [0, 8], value, 'value');
  const answer = raw.write(fd, counterBytes);
  if (answer < 0) fail('write', answer);
}

/**
 * `timerfd_create(clockid, flags)`: a timer to wait for: reading gives, in 8 bytes, how often it has expired.
 * @param clockid CLOCK_MONOTONIC, CLOCK_REALTIME, CLOCK_BOOTTIME, ...
 * @param flags TFD_NONBLOCK, TFD_CLOEXEC
 * @returns the descriptor
 * @throws EINVAL an unknown clock or flag · EPERM an alarm clock needs CAP_WAKE_ALARM
 * @see timerfd_create(2)
 */
export function timerfd_create(clockid: number, flags = 0): number {
  const fd = raw.timerfd_create(clockid, flags);
  return fd < 0 ? fail('timerfd_create', fd) : fd;
}

/**
 * `timerfd_settime(fd, flags, new_value, old_value)`: starts or stops a timer.
 * @param fd the timer
 * @param flags TFD_TIMER_ABSTIME, TFD_TIMER_CANCEL_ON_SET
 * @param value the first expiration, all zero to stop, and the time between those that follow
 * @returns what was set before
 * @throws EINVAL not a timer, or nanoseconds out of range · ECANCELED the clock was set
 * @see timerfd_settime(2)
 */
export function timerfd_settime(fd: number, flags: number, value: itimerspec): itimerspec {
  const old = new itimerspec();
  const answer = raw.timerfd_settime(fd, flags, bytesOf('value', value, itimerspec), old.bytes);
  return answer < 0 ? fail('timerfd_settime', answer) : old;
}

/**
 * `timerfd_gettime(fd, curr_value)`: how long a timer still has, and its interval.
 * @param fd the timer
 * @returns the time that is left, all zero if it is stopped, and the interval
 * @throws EINVAL not a timer
 * @see timerfd_gettime(2)
 */
export function timerfd_gettime(fd: number): itimerspec {
  const value = new itimerspec();
  const answer = raw.timerfd_gettime(fd, value.bytes);
  return answer < 0 ? fail('timerfd_gettime', answer) : value;
}

/**
 * `signalfd(fd, mask, flags)`: signals to wait for and read, each as a {@link signalfd_siginfo}. The signals must be
 * blocked in the threads that would get them: see pthread_sigmask. Node has several threads, and a signal that is meant
 * for the process goes to any that does not block it; one that is meant for a thread (F_SETOWN_EX) goes to no other.
 * @param fd -1 for a new descriptor, or one whose mask is to change
 * @param mask the signals
 * @param flags SFD_NONBLOCK, SFD_CLOEXEC
 * @returns the descriptor
 * @throws EINVAL not a signalfd, or an unknown flag
 * @see signalfd(2)
 */
export function signalfd(fd: number, mask: SigSet, flags = 0): number {
  const answer = raw.signalfd(fd, bytesOf('mask', mask, SigSet), flags);
  return answer < 0 ? fail('signalfd', answer) : answer;
}
