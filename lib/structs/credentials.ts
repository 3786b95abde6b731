import { int, struct, uint } from './struct.js';

/** Who is at the other end of a Unix socket: SO_PEERCRED, SCM_CREDENTIALS. See unix(7). */
export class ucred extends struct('ucred', {
  /** Process id. */
  pid: int,
  /** User id. */
  uid: uint,
  /** Group id. */
  gid: uint,
}) {}
