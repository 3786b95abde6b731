import { int, struct, uint, uint64 } from './struct.js';

/**
 * A signal as a signalfd gives it to `read`: 128 bytes each, as many as there are and fit.
 * @see signalfd(2), sigaction(2)
 */
export class signalfd_siginfo extends struct('signalfd_siginfo', {
  /** Which signal. */
  ssi_signo: uint,
  /** An error number; Linux leaves it 0. */
  ssi_errno: int,
  /** Why: SI_USER for kill, SI_QUEUE for sigqueue, POLL_IN and others for an O_ASYNC descriptor with F_SETSIG. */
  ssi_code: int,
  /** The sender's process. */
  ssi_pid: uint,
  /** The sender's user. */
  ssi_uid: uint,
  /** The descriptor that is ready, for a signal that F_SETSIG chose. */
  ssi_fd: int,
  /** Which timer, for a POSIX timer. */
  ssi_tid: uint,
  /** What the descriptor is ready for: POLLIN, POLLOUT, ... */
  ssi_band: uint,
  /** How often a POSIX timer fired unnoticed. */
  ssi_overrun: uint,
  ssi_trapno: uint,
  /** A child's exit status, or the signal that ended it. */
  ssi_status: int,
  /** The int that sigqueue sent along. */
  ssi_int: int,
  /** The same as a pointer. */
  ssi_ptr: uint64,
  /** The user time that a child used, in clock ticks. */
  ssi_utime: uint64,
  /** The system time that a child used. */
  ssi_stime: uint64,
  /** The address of a fault. */
  ssi_addr: uint64,
}) {}
