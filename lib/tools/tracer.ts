// Sees every call of this thread go by. While the tracer itself decodes, and while a sink runs, calls are not traced.
import { threadId } from 'node:worker_threads';
import { raw } from '../index.js';
import { isWatched, makeWatched, unwatched, type Watcher, watchCalls } from '../native.js';
import { type ReactorWait, tellOfWaits } from '../reactor.js';
import type { Answer, Before, Call, Parameter, RawCall } from './calls/call.js';
import { calls } from './calls/index.js';
import { defaultLimit, type Shown, unknown } from './decode/notation.js';
import { changedSockets, type OpenFile, openFile, passedDescriptors } from './open-file.js';
import { Scheduler, type Scheduling, waitingIn } from './scheduling.js';
import { tcpState } from './tcp-states.js';
import { type Occasion, type TcpStates, type TraceBegin, TraceEvent } from './trace-event.js';

/** Where traced calls go: a function that is given each, or something to write their lines to. */
export type TraceSink = ((event: TraceEvent) => void) | { write(line: string): unknown };

export interface TraceOptions {
  /** How many bytes of a buffer and how many elements of an array are shown, as strace's -s: 32 if not said. */
  readonly limit?: number | undefined;
  /** Whether to look at the TCP states of a call's descriptors before and after it: two further calls for each. */
  readonly states?: boolean | undefined;
  /**
   * Whether to look at the open files behind a call's descriptors before and after it, and at how long the thread slept:
   * what a timeline is drawn from. It takes some dozens of further calls for each.
   */
  readonly files?: boolean | undefined;
  /** Whether functions are shown, too, that ask the kernel for nothing: htons, inet_pton, ... */
  readonly all?: boolean | undefined;
  /** Called just before a call is made: what blocks is seen while it blocks. */
  readonly onBegin?: ((call: TraceBegin) => void) | undefined;
}

/** A trace that is on, until it is stopped. */
export interface Trace extends Disposable {
  stop(): void;
}

interface Listener {
  readonly sink: (event: TraceEvent) => void;
  readonly limit: number;
  readonly states: boolean;
  readonly scheduler: Scheduler | undefined;
  readonly all: boolean;
  readonly onBegin: ((call: TraceBegin) => void) | undefined;
}

const listeners = new Set<Listener>();

/**
 * Traces the calls of this thread, checked and raw, from now on.
 *
 * Each is decoded as strace(1) decodes it, under the name that the program called: `send(7, "hi", 2, 0) = 2`, which for
 * the kernel is a sendto. Where strace writes the address of a buffer that was not filled, the name of the parameter
 * stands. What a call does is not changed, and a trace that is stopped leaves no cost behind.
 *
 * A reactor's epoll_wait is made by its native half, and shown when it has brought events; the wait itself is the event
 * loop's, unless it is `turn` that waits.
 *
 * A sink may make calls; they are not traced. What it throws is thrown outside of the call, as an uncaught error.
 * @param sink a function, or a stream
 * @returns the trace, which `stop` or `using` ends
 * @see strace(1)
 */
export function trace(sink: TraceSink, options: TraceOptions = {}): Trace {
  const listener: Listener = {
    sink: typeof sink === 'function' ? sink : (event) => void sink.write(`${event}\n`),
    limit: options.limit ?? defaultLimit,
    states: options.states ?? false,
    scheduler: options.files ? new Scheduler() : undefined,
    all: options.all ?? false,
    onBegin: options.onBegin,
  };
  if (listeners.size === 0) listen();
  listeners.add(listener);
  const stop = () => {
    if (!listeners.delete(listener)) return;
    listener.scheduler?.close();
    if (listeners.size === 0) stopListening();
  };
  return { stop, [Symbol.dispose]: stop };
}

function listen(): void {
  watchCalls(watcher);
  tellOfWaits(reportWait);
}

function stopListening(): void {
  watchCalls(undefined);
  tellOfWaits(undefined);
}

const watcher: Watcher = (name, given) => {
  const call = calls[name as RawCall];
  const recordings = unwatched(() =>
    [...listeners].filter(hears(call)).map((to) => new Recording(name as RawCall, call, given, to)),
  );
  if (recordings.length === 0) return makeWatched(name, given);
  const start = performance.now();
  const value = makeWatched(name, given);
  const duration = performance.now() - start;
  const finish = (settled: unknown, elapsed: number) =>
    unwatched(() => {
      for (const recording of recordings) recording.finish(settled, start, elapsed);
    });
  if (value instanceof Promise) {
    for (const recording of recordings) recording.goOn();
    return value.then((settled: unknown) => {
      finish(settled, performance.now() - start);
      return settled;
    });
  }
  finish(value, duration);
  return value;
};

/** Shows an epoll_wait that a reactor's native half has made, once it has. */
function reportWait({ epfd, events, timeout, answer, start }: ReactorWait): void {
  if (!isWatched()) return;
  const duration = performance.now() - start;
  unwatched(() => {
    for (const listener of [...listeners].filter(hears(calls.epoll_wait))) {
      const late = { ...listener, onBegin: undefined };
      new Recording('epoll_wait', calls.epoll_wait, [epfd, events, timeout], late).finish(answer, start, duration);
    }
  });
}

const hears = (call: Call) => (listener: Listener) => call.minor === undefined || listener.all;

/** Whoever throws here, the traced program goes on as if nobody had listened. */
function guarded(work: () => void): void {
  try {
    work();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}

type Named = readonly [name: string, shown: Shown];

/** One call on its way to one listener. */
class Recording {
  readonly #name: RawCall;
  readonly #call: Call;
  readonly #before: Before;
  readonly #listener: Listener;
  readonly #arguments: readonly (readonly Named[] | ((answer: Answer) => readonly Named[]))[];
  readonly #states: ReadonlyMap<number, string | null>;
  readonly #files: ReadonlyMap<number, OpenFile | null>;
  #scheduling: Scheduling | undefined;

  constructor(name: RawCall, call: Call, given: readonly unknown[], listener: Listener) {
    this.#name = name;
    this.#call = call;
    this.#before = { raw: given, limit: listener.limit };
    this.#listener = listener;
    let next = 0;
    this.#arguments = call.parameters.map((parameter) => {
      const taken = given.slice(next, next + parameter.takes);
      next += parameter.takes;
      return this.#show(parameter, taken);
    });
    this.#states = new Map(listener.states ? this.#descriptors().map((fd) => [fd, tcpState(fd)]) : []);
    const { onBegin, scheduler } = listener;
    this.#files = new Map(scheduler ? this.#descriptors().map((fd) => [fd, openFile(fd)]) : []);
    if (onBegin)
      guarded(() => onBegin({ time: now(performance.now()), thread: threadId, call: name, text: this.#begun() }));
    this.#scheduling = scheduler?.now;
  }

  /** The thread does not wait for the answer: what it does meanwhile is not this call's. */
  goOn(): void {
    this.#scheduling = undefined;
  }

  finish(value: unknown, start: number, duration: number): void {
    const after = this.#listener.scheduler?.now;
    const answer: Answer = { value, result: typeof value === 'number' ? value : 0, out: raw.out.slice() };
    const shown = this.#arguments.flatMap((argument) => (typeof argument === 'function' ? argument(answer) : argument));
    const occasion: Occasion = {
      time: now(start),
      thread: threadId,
      duration,
      ...(this.#scheduling && after && waitingIn(duration, this.#scheduling, after)),
      ...(this.#listener.states && { states: this.#statesAfter(answer) }),
      ...(after && this.#filesAfter(answer, shown)),
    };
    const event = new TraceEvent(this.#name, this.#call, this.#before, answer, shown, occasion);
    guarded(() => this.#listener.sink(event));
  }

  // Raw calls take any value: what does not read as its parameter is shown as unknown.
  #show(parameter: Parameter, taken: readonly unknown[]): readonly Named[] | ((answer: Answer) => readonly Named[]) {
    const { names } = parameter;
    const withNames = (shown: readonly Shown[]) => shown.map((one, i): Named => [names[i] as string, one]);
    const attempt = (work: () => readonly Named[]) => {
      try {
        return work();
      } catch {
        return withNames(names.map(() => unknown));
      }
    };
    let shown: ReturnType<Parameter['show']>;
    try {
      shown = parameter.show(taken, this.#before);
    } catch {
      return withNames(names.map(() => unknown));
    }
    if (typeof shown !== 'function') return withNames(shown);
    const later = shown;
    return (answer) => attempt(() => withNames(later(answer)));
  }

  /** The line as far as it is known before the call. */
  #begun(): string {
    const unknownFrom = this.#arguments.findIndex((argument) => typeof argument === 'function');
    const known = unknownFrom < 0 ? this.#arguments : this.#arguments.slice(0, unknownFrom);
    const texts = known.flatMap((argument) => (argument as readonly Named[]).map(([, { text }]) => text));
    return `${this.#name}(${texts.join(', ')}${unknownFrom < 0 ? ')' : texts.length > 0 ? ', ' : ''}`;
  }

  #descriptors(): number[] {
    let next = 0;
    const found: number[] = [];
    for (const { kind, takes } of this.#call.parameters) {
      const value = this.#before.raw[next];
      if (kind === 'descriptor' && typeof value === 'number') found.push(value);
      next += takes;
    }
    return found;
  }

  /** The descriptors that the call was about, and those that it made. */
  #descriptorsAfter({ result, out }: Answer): Set<number> {
    const fds = new Set(this.#descriptors());
    if (result >= 0 && this.#call.result === 'descriptor') fds.add(result);
    if (result >= 0 && this.#call.parameters.some(({ kind }) => kind === 'descriptors out')) {
      fds.add(out[0] as number).add(out[1] as number);
    }
    return fds;
  }

  #statesAfter(answer: Answer): TcpStates[] {
    return Array.from(this.#descriptorsAfter(answer), (fd) => ({
      fd,
      before: this.#states.get(fd) ?? null,
      after: tcpState(fd),
    }));
  }

  #filesAfter(answer: Answer, shown: readonly Named[]): Pick<Occasion, 'files' | 'others'> {
    const fds = this.#descriptorsAfter(answer);
    for (const fd of this.#call.furtherDescriptors?.(this.#before, answer) ?? []) fds.add(fd);
    if (answer.result >= 0) for (const [, { json }] of shown) for (const fd of passedDescriptors(json)) fds.add(fd);
    const files = Array.from(fds, (fd) => ({ fd, before: this.#files.get(fd) ?? null, after: openFile(fd) }));
    return { files, others: changedSockets(fds) };
  }
}

function now(time: number): number {
  return performance.timeOrigin + time;
}
