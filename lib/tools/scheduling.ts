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

/**
 * How long a thread slept in a call, and how long it was kept waiting: not at all if it had its processor throughout.
 * What is left of the call is the kernel's own work, which is microseconds, and is counted as sleep where there was any.
 */
export function waitingIn(duration: number, before: Scheduling, after: Scheduling): Waiting {
  if (after.turns === before.turns) return { slept: 0, queued: 0 };
  const queued = Math.min(duration, after.queued - before.queued);
  return { slept: duration - queued, queued };
}
