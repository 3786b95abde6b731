import { fail } from '../errors.js';
import { type Bytes, raw } from '../native.js';

declare module '../native.js' {
  interface Raw {
    pidfd_open(pid: number, flags: number): number;
    pidfd_getfd(pidfd: number, targetfd: number, flags: number): number;
    pidfd_send_signal(pidfd: number, sig: number, info: Bytes | null, flags: number): number;
  }
}

/**
 * `pidfd_open(pid, flags)`: a descriptor that refers to a process: to wait for its end (it is readable then), to signal
 * it, to take a descriptor out of it. It is close-on-exec. Unlike its pid it never comes to mean another process.
 * @param pid of the process, positive
 * @param flags PIDFD_NONBLOCK, PIDFD_THREAD
 * @returns the descriptor
 * @throws ESRCH there is no such process · EINVAL an unknown flag, or a pid that is not positive · EMFILE too many
 * descriptors
 * @see pidfd_open(2)
 */
export function pidfd_open(pid: number, flags = 0): number {
  const pidfd = raw.pidfd_open(pid, flags);
  return pidfd < 0 ? fail('pidfd_open', pidfd) : pidfd;
}

/**
 * `pidfd_getfd(pidfd, targetfd, flags)`: a copy of another process's descriptor, as dup makes one, close-on-exec. Both
 * processes share the socket or file behind it.
 * @param pidfd of the other process: see pidfd_open and SO_PEERPIDFD
 * @param targetfd the number that the descriptor has there
 * @param flags none so far
 * @returns the descriptor, here
 * @throws EPERM not permitted to trace that process: ptrace(2) · EBADF no such descriptor, here or there · ESRCH the
 * process has ended · EMFILE too many descriptors
 * @see pidfd_getfd(2)
 */
export function pidfd_getfd(pidfd: number, targetfd: number, flags = 0): number {
  const fd = raw.pidfd_getfd(pidfd, targetfd, flags);
  return fd < 0 ? fail('pidfd_getfd', fd) : fd;
}

/**
 * `pidfd_send_signal(pidfd, sig, info, flags)`: sends a signal to the very process that a descriptor refers to.
 * @param pidfd of the process
 * @param sig SIGTERM, ...; 0 only asks whether it may be sent
 * @param info the bytes of a siginfo_t to send along, whose si_signo is `sig`; null for what kill(2) sends
 * @param flags PIDFD_SIGNAL_THREAD, PIDFD_SIGNAL_THREAD_GROUP, PIDFD_SIGNAL_PROCESS_GROUP (Linux 6.9), or 0
 * @throws ESRCH the process has ended · EPERM not permitted · EINVAL no such signal · EBADF not a process descriptor
 * @see pidfd_send_signal(2)
 */
export function pidfd_send_signal(pidfd: number, sig: number, info: Bytes | null = null, flags = 0): void {
  const answer = raw.pidfd_send_signal(pidfd, sig, info, flags);
  if (answer < 0) fail('pidfd_send_signal', answer);
}
