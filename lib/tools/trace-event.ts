// One call that went by.
import { errnoName, strerror } from '../index.js';
import type { Answer, Before, Call, RawCall } from './calls/call.js';
import { type Json, number, type Shown } from './decode/notation.js';
import type { OpenFileChange } from './open-file.js';

/** The TCP state of a descriptor before and after a call: null where it is not open, or not of TCP. */
export interface TcpStates {
  readonly fd: number;
  readonly before: string | null;
  readonly after: string | null;
}

/** A call that is about to be made. */
export interface TraceBegin {
  /** When: milliseconds since 1970, with fractions. */
  readonly time: number;
  /** The thread that makes it: 0 for the main thread, else the worker's `threadId`. */
  readonly thread: number;
  /** The call, by its name in C. */
  readonly call: RawCall;
  /** The beginning of the line, as far as it is known: `recv(7, `. */
  readonly text: string;
}

/** What JSON has of a call: one line of `posix-sockets trace --json`. */
export interface TraceRecord extends TraceBegin {
  /** How long it took, in milliseconds. */
  readonly duration: number;
  /** The arguments by their names in C, decoded. A buffer that was not filled is null. */
  readonly arguments: Readonly<Record<string, Json>>;
  /** The kernel's answer; below zero it is -errno. */
  readonly result: number;
  /** The error's name, where there is one: `'EAGAIN'`. */
  readonly error?: string;
  /** What the result says besides its number: which descriptors are ready, which flags are set. */
  readonly answer?: Json;
  /** The TCP states of the descriptors that the call was about, if they were asked for. */
  readonly states?: readonly TcpStates[];
  /** How long the thread slept in it, in milliseconds, if open files were asked for; the thread does not wait for one that answers later. */
  readonly slept?: number;
  /** And how long it waited for a processor. */
  readonly queued?: number;
  /** The open files behind the descriptors that the call was about, made, or passed in a message, if they were asked for. */
  readonly files?: readonly OpenFileChange[];
  /** Other TCP sockets of this process that were seen to have changed their state since the call before. */
  readonly others?: readonly OpenFileChange[];
  /** The whole line, as strace writes it. */
  readonly text: string;
}

/** Where and when a call was made, and how long it took. */
export interface Occasion {
  readonly time: number;
  readonly thread: number;
  readonly duration: number;
  readonly states?: readonly TcpStates[];
  readonly slept?: number;
  readonly queued?: number;
  readonly files?: readonly OpenFileChange[];
  readonly others?: readonly OpenFileChange[];
}

/** One call: its decoded arguments and its result, and the line that strace would write of it. */
export class TraceEvent implements TraceRecord {
  readonly time: number;
  readonly thread: number;
  readonly duration: number;
  readonly call: RawCall;
  readonly result: number;
  declare readonly error?: string;
  declare readonly answer?: Json;
  declare readonly states?: readonly TcpStates[];
  declare readonly slept?: number;
  declare readonly queued?: number;
  declare readonly files?: readonly OpenFileChange[];
  declare readonly others?: readonly OpenFileChange[];
  readonly #arguments: readonly (readonly [name: string, shown: Shown])[];
  readonly #result: string;

  constructor(
    name: RawCall,
    call: Call,
    before: Before,
    answer: Answer,
    shown: readonly (readonly [name: string, shown: Shown])[],
    { time, thread, duration, states, slept, queued, files, others }: Occasion,
  ) {
    this.time = time;
    this.thread = thread;
    this.duration = duration;
    this.call = name;
    this.result = answer.result;
    this.#arguments = shown;
    const special = call.showResult?.(before, answer);
    if (answer.result < 0) {
      this.error = special === undefined ? errnoName(answer.result) : String(special.json);
      this.#result = special?.text ?? `-1 ${this.error} (${strerror(answer.result)})`;
    } else {
      if (special !== undefined) this.answer = special.json;
      this.#result = (special ?? number(answer.result)).text;
    }
    if (states !== undefined) this.states = states;
    if (slept !== undefined) this.slept = slept;
    if (queued !== undefined) this.queued = queued;
    if (files !== undefined) this.files = files;
    if (others !== undefined) this.others = others;
  }

  get arguments(): Readonly<Record<string, Json>> {
    return Object.fromEntries(this.#arguments.map(([name, { json }]) => [name, json]));
  }

  get text(): string {
    return `${this.call}(${this.#arguments.map(([, { text }]) => text).join(', ')}) = ${this.#result}`;
  }

  toString(): string {
    return this.text;
  }

  toJSON(): TraceRecord {
    const { time, thread, call, result, error, answer, duration, states, slept, queued, files, others, text } = this;
    return {
      time,
      thread,
      call,
      arguments: this.arguments,
      result,
      ...(error !== undefined && { error }),
      ...(answer !== undefined && { answer }),
      duration,
      ...(states !== undefined && { states }),
      ...(slept !== undefined && { slept }),
      ...(queued !== undefined && { queued }),
      ...(files !== undefined && { files }),
      ...(others !== undefined && { others }),
      text,
    };
  }
}
