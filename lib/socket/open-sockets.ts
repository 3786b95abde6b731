// Which sockets are open, and what becomes of one that its program forgot.
import { raw } from '../native.js';
import type { SockAddr } from '../structs/sockaddr.js';
import type { Waiter } from './waiter.js';

/** What a socket is. Those that one listener accepted, or one call made, are of one kind. */
export class Kind {
  readonly domain: number;
  readonly type: number;
  readonly protocol: number;
  /** Where it was made: lines of a stack, or the kind of the listener that accepted it. */
  readonly origin: string | Kind;
  /** A listener's: what close is to undo besides, a path; and what it does without a descriptor left. */
  onClose?: () => void;
  shedWhenFull = true;
  connectionsShed = 0;
  #accepted: Kind | undefined;

  constructor(domain: number, type: number, protocol: number, origin: string | Kind) {
    this.domain = domain;
    this.type = type;
    this.protocol = protocol;
    this.origin = origin;
  }

  /** The kind of those that a listener of this kind accepts. */
  get accepted(): Kind {
    this.#accepted ??= new Kind(this.domain, this.type, this.protocol, this);
    return this.#accepted;
  }
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

// By descriptor.
let open: (Waiter | undefined)[] = [];

/** The Waiter of an open socket. */
export function waiterOf(fd: number): Waiter | undefined {
  return open[fd];
}

/** Those of all open sockets of this thread. */
export function openWaiters(): Waiter[] {
  return open.filter((waiter) => waiter !== undefined);
}

// Sockets made in one place share its text.
let lastPlace = '';

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
  const place = (trace.stack ?? '').split('\n').slice(1).join('\n');
  if (place !== lastPlace) lastPlace = place;
  return lastPlace;
}

/** The lines of the program that made a socket. */
export function madeAt({ origin }: Kind): string {
  return typeof origin === 'string' ? origin : `accepted by the listener made\n${madeAt(origin)}`;
}

/** Closes a socket's descriptor, once. */
export function closeWaiter(waiter: Waiter): number {
  const fd = release(waiter);
  if (fd < 0) return 0;
  waiter.kind.onClose?.();
  return raw.close(fd);
}

/** Gives a socket's descriptor up without closing it. */
export function release(waiter: Waiter): number {
  if (open[waiter.fd] === waiter) open[waiter.fd] = undefined;
  return waiter.release();
}

let warned = false;

const collected = new FinalizationRegistry((waiter: Waiter) => {
  const { fd } = waiter;
  if (fd < 0) return;
  closeWaiter(waiter);
  if (warned) return;
  warned = true;
  process.emitWarning(
    `A Socket was collected while its descriptor ${fd} was open, which is closed now. It was made\n${madeAt(waiter.kind)}`,
    {
      type: 'SocketLeakWarning',
      detail:
        'Close a Socket when done with it, or declare it with `using`. Further leaks are closed without a warning.',
    },
  );
});

/** Keeps a Waiter for as long as its socket is open. */
export function remember(socket: object, waiter: Waiter): void {
  if (waiter.fd >= open.length) {
    // Filled, because an array with holes becomes a dictionary.
    open = [...open, ...new Array(waiter.fd + 1).fill(undefined)];
  }
  open[waiter.fd] = waiter;
  collected.register(socket, waiter);
}
