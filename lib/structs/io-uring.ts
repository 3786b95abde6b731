import { nested, struct, uint } from './struct.js';

const offsets = { head: uint, tail: uint, ring_mask: uint, ring_entries: uint };

/** Where the fields of the submission queue lie in a ring's memory. @see io_uring_setup(2) */
export class io_sqring_offsets extends struct('io_sqring_offsets', {
  ...offsets,
  flags: uint,
  dropped: uint,
  array: uint,
}) {}

/** Where the fields of the completion queue lie in a ring's memory. @see io_uring_setup(2) */
export class io_cqring_offsets extends struct('io_cqring_offsets', {
  ...offsets,
  overflow: uint,
  cqes: uint,
  flags: uint,
}) {}

/**
 * What a ring is to be like (`flags`, and what they ask for), and what the kernel made of it.
 * @see io_uring_setup(2)
 */
export class io_uring_params extends struct('io_uring_params', {
  sq_entries: uint,
  cq_entries: uint,
  flags: uint,
  sq_thread_cpu: uint,
  sq_thread_idle: uint,
  features: uint,
  wq_fd: uint,
  sq_off: nested(io_sqring_offsets),
  cq_off: nested(io_cqring_offsets),
}) {}
