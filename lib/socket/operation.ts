// What a Socket is asked to do, and the line in which operations wait.
import type { ErrorContext } from '../errors.js';
import type { Waiter } from './waiter.js';

/**
 * What an operation waits for, and of a Waiter's state the bits that say that a call may be tried. The error queue is
 * apart from data: that it is empty says nothing of them.
 */
export const READING = 1;
export const WRITING = 2;
export const ERRORS = 4;
export type Direction = typeof READING | typeof WRITING | typeof ERRORS;

/**
 * One operation: a call that is made at once, or when its direction is ready. It is its own place in the line, so that
 * a wait allocates nothing besides it and its promise.
 */
export abstract class Operation<T> {
  /** Keeps the Socket from being collected while somebody waits. */
  readonly owner: object;
  /** The next in line. */
  next: Operation<unknown> | undefined = undefined;
  /** Settles the promise of an operation that waits: an error goes through it as a rejected promise. */
  settle: ((result: unknown) => void) | undefined = undefined;
  /** Takes back what limits the wait: a timer, a listener of a signal. */
  unlimit: (() => void) | undefined = undefined;

  constructor(owner: object) {
    this.owner = owner;
  }

  abstract get direction(): Direction;

  /** The system call, for errors. */
  abstract get syscall(): string;

  /** Makes the call. Answers as `raw` does: -EAGAIN goes on waiting. */
  abstract attempt(fd: number): number;

  /** Makes the result of the call's answer, at once. */
  abstract finish(answer: number, waiter: Waiter): T;

  /** Whether a stream that gave this answer has no more, so that the next call need not be tried before it waits. */
  drains(_answer: number, _waiter: Waiter): boolean {
    return false;
  }

  /** What an error is about. */
  get context(): ErrorContext | undefined {
    return undefined;
  }

  /** Tells more about the error that ends the operation. */
  explain(_error: unknown): void {}
}

// A line is a ring, known by its last operation, whose next is the first: one field for each direction of a socket,
// and no array.
export type Line = Operation<unknown> | undefined;

/** @returns the line with an operation at its end */
export function enter(line: Line, operation: Operation<unknown>): Line {
  operation.next = line === undefined ? operation : line.next;
  if (line !== undefined) line.next = operation;
  return operation;
}

/** @returns the line without an operation that is in it */
export function leave(line: Line, operation: Operation<unknown>): Line {
  let before = line as Operation<unknown>;
  while (before.next !== operation) before = before.next as Operation<unknown>;
  if (before === operation) return undefined;
  before.next = operation.next;
  return line === operation ? before : line;
}

/** How many operations are in a line. */
export function lengthOf(line: Line): number {
  let length = 0;
  for (let each = line?.next; each !== undefined; each = each === line ? undefined : each.next) length++;
  return length;
}
