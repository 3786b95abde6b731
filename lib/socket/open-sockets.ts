// Which sockets are open, and what becomes of one that its program forgot.
import { raw } from '../native.js';
import type { SockAddr } from '../structs/sockaddr.js';
import type { Waiter } from './waiter.js';

/** A socket's own bookkeeping. It outlives the Socket by a moment if that is collected while open. */
export interface Record {
  readonly waiter: Waiter;
  readonly domain: number;
  readonly type: number;
  readonly protocol: number;
  /** Where it was made: lines of a stack, or the record of the listener that accepted it. */
  readonly origin: string | Record;
  bytesReceived: number;
  bytesSent: number;
  /** A listener's: what close is to undo besides, a path; and what it does without a descriptor left. */
  onClose?: () => void;
  shedWhenFull?: boolean;
  connectionsShed?: number;
}

/** One line of `Socket.list()`. */
export interface OpenSocket {
  readonly fd: number;
  readonly domain: number;
  readonly type: number;
  readonly protocol: number;
  readonly localAddress: SockAddr | undefined;
  readonly remoteAddress: SockAddr | undefined;
  /** Where it was made: a stack, without the lines of this package. */
  readonly madeAt: string;
  readonly bytesReceived: number;
  readonly bytesSent: number;
  /** System calls made on it. */
  readonly calls: number;
  /** How many operations had to wait. */
  readonly waits: number;
}

const open = new Set<Record>();

/** The records of all open sockets of this thread. */
export function openRecords(): Iterable<Record> {
  return open;
}

/**
 * The lines of the program from which a function of this package was called. As text, and at once: an Error whose
 * stack nobody has read yet keeps every object on that stack, and so the socket, from being collected.
 */
export function callersOf(ours: { readonly prototype?: unknown; readonly name: string }): string {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 4;
  const trace: { stack?: string } = {};
  Error.captureStackTrace(trace, ours as () => void);
  Error.stackTraceLimit = stackTraceLimit;
  return (trace.stack ?? '').split('\n').slice(1).join('\n');
}

/** The lines of the program that made a socket. */
export function madeAt({ origin }: Record): string {
  return typeof origin === 'string' ? origin : `accepted by the listener made\n${madeAt(origin)}`;
}

/** Closes a record's descriptor, once. */
export function closeRecord(record: Record): number {
  const fd = release(record);
  if (fd < 0) return 0;
  record.onClose?.();
  return raw.close(fd);
}

/** Gives a record's descriptor up without closing it. */
export function release(record: Record): number {
  open.delete(record);
  return record.waiter.release();
}

let warned = false;

const collected = new FinalizationRegistry((record: Record) => {
  if (record.waiter.fd < 0) return;
  const { fd } = record.waiter;
  closeRecord(record);
  if (warned) return;
  warned = true;
  process.emitWarning(
    `A Socket was collected while its descriptor ${fd} was open, which is closed now. It was made\n${madeAt(record)}`,
    {
      type: 'SocketLeakWarning',
      detail:
        'Close a Socket when done with it, or declare it with `using`. Further leaks are closed without a warning.',
    },
  );
});

/** Keeps a record for as long as its socket is open. */
export function remember(socket: object, record: Record): void {
  open.add(record);
  collected.register(socket, record);
}
