import { int, nested, struct } from './struct.js';

/** A span of time in seconds and microseconds, as select(2) and SO_RCVTIMEO take it. See timeval(3type). */
export class timeval extends struct('timeval', {
  /** Whole seconds. */
  tv_sec: int,
  /** Microseconds, 0 to 999,999. */
  tv_usec: int,
}) {
  /** The span of so many milliseconds; fractions count. */
  static fromMilliseconds(milliseconds: number): timeval {
    const [tv_sec, micros] = split(milliseconds, 1e6);
    return new timeval({ tv_sec, tv_usec: micros });
  }
}

/** A span or point of time in seconds and nanoseconds. See timespec(3type). */
export class timespec extends struct('timespec', {
  /** Whole seconds. */
  tv_sec: int,
  /** Nanoseconds, 0 to 999,999,999. */
  tv_nsec: int,
}) {
  /** The span of so many milliseconds; fractions count. */
  static fromMilliseconds(milliseconds: number): timespec {
    const [tv_sec, nanos] = split(milliseconds, 1e9);
    return new timespec({ tv_sec, tv_nsec: nanos });
  }
}

/** A timeval of 64-bit parts on every machine: SO_RCVTIMEO_NEW, SO_SNDTIMEO_NEW. See socket(7). */
export class __kernel_sock_timeval extends struct('__kernel_sock_timeval', {
  /** Whole seconds. */
  tv_sec: int,
  /** Microseconds, 0 to 999,999. */
  tv_usec: int,
}) {}

/** A timer's next expiration and its interval: timerfd_settime(2). */
export class itimerspec extends struct('itimerspec', {
  /** The time between expirations; zero for a timer that fires once. */
  it_interval: nested(timespec),
  /** The time until the first expiration; zero disarms. */
  it_value: nested(timespec),
}) {}

// Rounded up, as the kernel rounds a timeout: a wait is never shorter than asked for.
function split(milliseconds: number, perSecond: number): [number, number] {
  if (typeof milliseconds !== 'number' || Number.isNaN(milliseconds))
    throw new TypeError('milliseconds must be a number');
  const seconds = Math.floor(milliseconds / 1000);
  if (!Number.isSafeInteger(seconds) || seconds < 0) throw new RangeError(`${milliseconds} ms is no span of time`);
  const units = Math.ceil(((milliseconds - seconds * 1000) * perSecond) / 1000);
  return units < perSecond ? [seconds, units] : [seconds + 1, 0];
}
