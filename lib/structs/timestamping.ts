import { int, struct, uint, uint64 } from './struct.js';

/** Which packets to stamp and how: SO_TIMESTAMPING with a clock of one's own. Since Linux 5.13. */
export class so_timestamping extends struct('so_timestamping', {
  /** SOF_TIMESTAMPING_* bits. */
  flags: int,
  /** The PTP hardware clock to use, with SOF_TIMESTAMPING_BIND_PHC. */
  bind_phc: int,
}) {}

/** Device memory to give back: SO_DEVMEM_DONTNEED takes an array. Since Linux 6.12. */
export class dmabuf_token extends struct('dmabuf_token', {
  /** The first token. */
  token_start: uint,
  /** How many. */
  token_count: uint,
}) {}

/** Where a part of a stream lies: the control messages SCM_DEVMEM_DMABUF and SCM_DEVMEM_LINEAR. Since Linux 6.12. */
export class dmabuf_cmsg extends struct('dmabuf_cmsg', {
  /** Where it begins in the device's memory. */
  frag_offset: uint64,
  /** Its length in bytes. */
  frag_size: uint,
  /** What to give it back by: see dmabuf_token. */
  frag_token: uint,
  /** The device memory's id. */
  dmabuf_id: uint,
  /** None is defined. */
  flags: uint,
}) {}

/** When packets are sent: SO_TXTIME, which allows SCM_TXTIME. See tc-etf(8). */
export class sock_txtime extends struct('sock_txtime', {
  /** The clock that the times are of: CLOCK_TAI, CLOCK_MONOTONIC. */
  clockid: int,
  /** SOF_TXTIME_DEADLINE_MODE, SOF_TXTIME_REPORT_ERRORS. */
  flags: uint,
}) {}
