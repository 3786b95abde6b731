import { int, nested, struct, uint } from './struct.js';

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

/**
 * An entry of the submission queue. Where C has a union, the name is that of its commonest member: `off` is `addr2` too,
 * `op_flags` msg_flags, accept_flags, ..., `file_index` splice_fd_in and addr_len, `buf_group` buf_index.
 * @see io_uring_enter(2)
 */
export class io_uring_sqe extends struct('io_uring_sqe', {
  opcode: uint,
  flags: uint,
  ioprio: uint,
  fd: int,
  off: int,
  addr: int,
  len: uint,
  op_flags: uint,
  user_data: uint,
  buf_group: uint,
  personality: uint,
  file_index: uint,
}) {}

/** An entry of the completion queue: which operation is done, and what it answered. @see io_uring_enter(2) */
export class io_uring_cqe extends struct('io_uring_cqe', { user_data: uint, res: int, flags: uint }) {}
