import { int, struct } from './struct.js';

/** Who gets the signals of a descriptor with O_ASYNC: F_SETOWN_EX, F_GETOWN_EX. See fcntl(2). */
export class f_owner_ex extends struct('f_owner_ex', {
  /** F_OWNER_TID (a thread), F_OWNER_PID (a process) or F_OWNER_PGRP (a process group). */
  type: int,
  /** Its id; 0 for nobody. */
  pid: int,
}) {}

/** A lock on a stretch of a file: F_SETLK, F_SETLKW, F_GETLK, and F_OFD_SETLK and its kin. See fcntl(2). */
export class flock extends struct('flock', {
  /** F_RDLCK, F_WRLCK or F_UNLCK. */
  l_type: int,
  /** What `l_start` counts from: 0 the file's beginning (SEEK_SET), 1 its position, 2 its end. */
  l_whence: int,
  /** Where the stretch begins, in bytes. */
  l_start: int,
  /** How long it is, in bytes; 0 for all that follows. */
  l_len: int,
  /** F_GETLK: the process that holds the lock; -1 for an F_OFD lock. For F_OFD_* commands it must be 0. */
  l_pid: int,
}) {}
