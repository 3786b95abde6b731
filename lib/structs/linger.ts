import { int, struct } from './struct.js';

/**
 * What close does with data not yet sent: SO_LINGER. On with 0 seconds, closing a TCP connection resets it (RST).
 * @see socket(7)
 */
export class linger extends struct('linger', {
  /** 1 to linger, 0 not to. */
  l_onoff: int,
  /** For how many seconds. */
  l_linger: int,
}) {}
