import { fail } from '../errors.js';
import { raw } from '../native.js';
import { io_uring_params } from '../structs/io-uring.js';
import { SigSet } from '../structs/sigset.js';
import { bytesOf, bytesOrNull } from '../structs/struct.js';
import { timespec } from '../structs/time.js';

declare module '../native.js' {
  interface Raw {
    io_uring_setup(entries: number, params: Bytes): number;
    /**
     * Makes the memory that a ring and the program share, once: room for `sq_entries` of struct io_uring_sqe, then for
     * `cq_entries` of struct io_uring_cqe, then `length` bytes. @returns the memory, or -errno
     */
    io_uring_memory(fd: number, length: number): Uint8Array | number;
    /** `out[0]`: how many completions were put into the memory. */
    io_uring_enter(
      fd: number,
      to_submit: number,
      min_complete: number,
      flags: number,
      timeout: Bytes | null,
      sigmask: Bytes | null,
    ): number;
    /** Cancels what is under way, and closes the ring. */
    io_uring_close(fd: number): number;
  }
}

/**
 * `io_uring_setup(entries, params)`: makes a ring. {@link Ring} does this and gives it the memory that it needs.
 * @param entries how many submissions can wait, rounded up to a power of two: 1 to 32,768
 * @param params `flags`: of IORING_SETUP_CQSIZE, IORING_SETUP_CLAMP, IORING_SETUP_ATTACH_WQ, IORING_SETUP_SUBMIT_ALL,
 * IORING_SETUP_COOP_TASKRUN, IORING_SETUP_TASKRUN_FLAG, IORING_SETUP_SINGLE_ISSUER, IORING_SETUP_DEFER_TASKRUN; the
 * kernel fills in the rest
 * @returns its descriptor, close-on-exec; to be closed by `Ring.close`, not by `close`
 * @throws EINVAL flags that this kernel does not know, or too many entries · ENOMEM no room · EPERM the system forbids
 * it (kernel.io_uring_disabled, a container's filter) · ENOSYS older than Linux 5.4 · RangeError another flag
 * @see io_uring_setup(2)
 */
export function io_uring_setup(entries: number, params: io_uring_params): number {
  const fd = raw.io_uring_setup(entries, bytesOf('params', params, io_uring_params));
  return fd < 0 ? fail('io_uring_setup', fd) : fd;
}

/**
 * `io_uring_enter(fd, to_submit, min_complete, flags, timeout?, sigmask?)`: hands the kernel what was prepared, and
 * waits for completions. {@link Ring.submit} is this call.
 * @param fd of the ring
 * @param to_submit how many entries of the ring's memory to submit, from its beginning
 * @param min_complete how many completions to wait for, with IORING_ENTER_GETEVENTS
 * @param flags of IORING_ENTER_GETEVENTS, IORING_ENTER_ABS_TIMER, IORING_ENTER_NO_IOWAIT
 * @param timeout how long to wait at most; null waits for ever
 * @param sigmask which signals the thread blocks meanwhile
 * @returns how many the kernel took; `raw.out[0]` is how many completions came
 * @throws ETIME the time is over · EINTR a signal came · EBUSY completions must be fetched first · EAGAIN no memory ·
 * EOPNOTSUPP no ring of this thread · RangeError an entry that reaches beyond the ring's memory, or of an operation that
 * {@link Ring} does not do: then nothing was submitted
 * @see io_uring_enter(2)
 */
export function io_uring_enter(
  fd: number,
  to_submit: number,
  min_complete: number,
  flags: number,
  timeout: timespec | null = null,
  sigmask: SigSet | null = null,
): number {
  const taken = raw.io_uring_enter(
    fd,
    to_submit,
    min_complete,
    flags,
    bytesOrNull('timeout', timeout, timespec),
    bytesOrNull('sigmask', sigmask, SigSet),
  );
  return taken < 0 ? fail('io_uring_enter', taken) : taken;
}
