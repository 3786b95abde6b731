// What a timeline shows: lanes, the steps that were taken on them, and what passed between them.
import type { TraceRecord } from '../trace-event.js';

/** A thread, or an open file from the call that made it to the one that closed it. */
export interface Lane {
  readonly index: number;
  readonly kind: 'thread' | 'file';
  /** `main thread`, `thread 2`; the descriptors: `fd 20`, `fd 20, 23`. */
  readonly title: string;
  /** What it is: `TCP 127.0.0.1:40000 → 127.0.0.1:8080`; nothing for a thread. */
  readonly detail: string;
  /** When it began and ended, in milliseconds since 1970. */
  readonly from: number;
  readonly to: number;
  /** Whether its beginning and its end were seen: others were open before, or still are. */
  readonly made: boolean;
  readonly closed: boolean;
  /** The TCP states that it was in. */
  readonly states: readonly Stretch[];
}

/** A TCP state, and for how long. */
export interface Stretch {
  readonly state: string;
  readonly from: number;
  readonly to: number;
}

/** How a step ended: `would block` is EAGAIN and EINPROGRESS, which tell a non-blocking caller to come again. */
export type Outcome = 'done' | 'would block' | 'error';

/** A call; or the same call with the same arguments and the same answer, made again and again. */
export interface Step {
  readonly index: number;
  /** The call, of several the first. */
  readonly call: TraceRecord;
  /** How many they are. */
  readonly count: number;
  readonly from: number;
  readonly to: number;
  /** When each of them was made, if they are several. */
  readonly each: readonly { readonly from: number; readonly to: number }[];
  /** How long the thread slept in it, in milliseconds. */
  readonly slept: number;
  /** How long it waited for a processor. */
  readonly queued: number;
  readonly outcome: Outcome;
  readonly thread: Lane;
  /** The open files that it is about. */
  readonly files: readonly Lane[];
}

/** What an arrow stands for: `descriptors` came along with the bytes; `end` is the end of a stream that the receiver read, `reset` a connection cut off. */
export type ArrowKind = 'bytes' | 'descriptors' | 'connection' | 'end' | 'reset';

/** One end of an arrow. */
export interface Point {
  readonly lane: Lane;
  readonly step: Step;
}

/** Something that passed from one open file to another. */
export interface Arrow {
  readonly kind: ArrowKind;
  readonly from: Point;
  readonly to: Point;
  /** `5 B`, `1 B, fd 7 as fd 9`. */
  readonly label: string;
}

/** An operation of an io_uring: the kernel does it while the program goes on. */
export interface RingOperation {
  /** `SEND` */
  readonly name: string;
  /** The file that it is about. */
  readonly lane: Lane;
  /** The call that submitted it. */
  readonly begun: Step;
  /** What it answered: none if that was not seen, and several of one that goes on. */
  readonly answers: readonly RingAnswer[];
}

/** What an operation of an io_uring answered. */
export interface RingAnswer {
  /** The call that fetched it. */
  readonly step: Step;
  readonly outcome: Outcome;
  readonly error?: string;
  /** The file that it made: of an ACCEPT, the connection. */
  readonly made?: Lane;
}

/** Something else that a thread did. */
export interface Activity {
  readonly thread: number;
  readonly from: number;
  readonly to: number;
}

export interface Timeline {
  readonly from: number;
  readonly to: number;
  /** Threads first. */
  readonly lanes: readonly Lane[];
  /** In the order in which they began. */
  readonly steps: readonly Step[];
  readonly arrows: readonly Arrow[];
  readonly operations: readonly RingOperation[];
  readonly activities: readonly (Activity & { readonly lane: Lane })[];
}
