// Whether this thread slept during a call: what the scheduler counts for it, in /proc/PID/task/TID/schedstat.
import { closeSync, openSync, readSync } from 'node:fs';

/** What the scheduler has counted for a thread. */
export interface Scheduling {
  /** Milliseconds that it waited for a processor. */
  readonly queued: number;
  /** How often it was given one. */
  readonly turns: number;
}

/** Reads this thread's counters. Its file stays open until `close`: opening it anew takes longer than most calls. */
export class Scheduler {
  readonly #fd = openSync('/proc/thread-self/schedstat', 'r');
  readonly #room = new Uint8Array(80);

  get now(): Scheduling {
    const text = String.fromCharCode(...this.#room.subarray(0, readSync(this.#fd, this.#room, 0, 80, 0)));
    const [, queued, turns] = text.split(' ').map(Number) as [number, number, number];
    return { queued: queued / 1e6, turns };
  }

  close(): void {
    closeSync(this.#fd);
  }
}

/** What a thread did in a call while it did not run, in milliseconds. */
export interface Waiting {
  /** How long it slept. */
  readonly slept: number;
  /** How long it could have run, and another had the processor. */
  readonly queued: number;
}

const none: Waiting = { slept: 0, queued: 0 };

/**
 * How long a thread slept in a call, and how long it was kept waiting: not at all if it had its processor throughout, or
 * lost it before or after the call, between these looks. What is left of a call that slept is the kernel's own work, which
 * is microseconds, and counts as sleep.
 */
export function waitingIn(duration: number, before: Scheduling, after: Scheduling): Waiting {
  const queued = after.queued - before.queued;
  if (after.turns === before.turns || queued > duration) return none;
  return { slept: duration - queued, queued };
}
