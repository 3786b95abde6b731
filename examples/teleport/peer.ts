// A peer: server and client in one. It listens, it dials, and both make sessions that are alike.
import { setTimeout as sleep } from 'node:timers/promises';
import { AF_INET, AF_INET6, type ConnectOptions, type ListenOptions, Socket, type Where } from 'posix-sockets';
import { type Codec, form, json, plain } from './codecs.js';
import type { Filter } from './filters.js';
import { noCodec } from './frame.js';
import { type Context, type Handler, heartbeatKey, heartbeatMethod, type Service } from './handling.js';
import type { Handlers, Methods } from './methods.js';
import { type CloseOptions, Session } from './session.js';
import { code, Status } from './status.js';

/** How to dial again when a connection is lost. */
export interface Redial {
  /** How often to try before giving up; for ever by default. */
  readonly times?: number | undefined;
  /** Milliseconds between two tries, give or take half; 1000 by default. */
  readonly interval?: number | undefined;
}

/** What a peer is made of. */
export interface PeerOptions<Calls, Pushes, Theirs> {
  /** The methods that can be called, by name: `'/math/add': (numbers: number[]) => ...`. */
  readonly calls?: Calls | undefined;
  /** The methods that can be pushed to. */
  readonly pushes?: Pushes | undefined;
  /** Body codecs besides JSON, plain text and form. */
  readonly codecs?: readonly Codec[] | undefined;
  /** The codec of calls and pushes that name none; JSON by default. */
  readonly codec?: Codec | undefined;
  /** The filters that frames may go through. */
  readonly filters?: readonly Filter[] | undefined;
  /**
   * Bytes, 4 MiB by default: the longest frame, as it is sent and as it is unpacked. A session also reads no more while
   * it handles as much, or as much waits to be sent.
   */
  readonly limit?: number | undefined;
  /** Milliseconds that a peer has for the rest of a frame, and to take some of what is sent; 30,000 by default. */
  readonly patience?: number | undefined;
  /** Seconds, whole: a session that is quiet for so long sends a heartbeat, and ends when it hears nothing for twice. */
  readonly heartbeat?: number | undefined;
  /** Milliseconds that a handler has before its call is answered with status 408; any time by default. */
  readonly handlerTimeout?: number | undefined;
  /** Dials a lost connection again, on the sessions that were dialled. Calls under way fail with status 102. */
  readonly redial?: Redial | undefined;
  /** Called with every session, those dialled and those accepted, before anything comes on it. */
  readonly onSession?: ((session: Session<Theirs>) => void) | undefined;
  /** Called when a handler fails with anything but a Status. By default the process warns. */
  readonly onError?: ((error: unknown, context: Context) => void) | undefined;
}

/** What `listen` and `dial` take: `type: SOCK_SEQPACKET` for a Unix socket that keeps the bounds of messages. */
export type PeerListenOptions = ListenOptions;
export type PeerDialOptions = ConnectOptions;

export class Peer<
  Calls extends Handlers<Theirs> = Handlers<Methods>,
  Pushes extends Handlers<Theirs> = Handlers<Methods>,
  Theirs = Methods,
> {
  /** What this peer offers. `typeof peer` is what the other side dials with: `dial<typeof peer>(where)`. */
  readonly calls: Calls;
  readonly pushes: Pushes;
  readonly #options: PeerOptions<Calls, Pushes, Theirs>;
  readonly #service: Service;
  readonly #sessions = new Set<Session<Theirs>>();
  readonly #listeners = new Set<Socket>();

  constructor(options: PeerOptions<Calls, Pushes, Theirs> = {}) {
    this.calls = options.calls ?? ({} as Calls);
    this.pushes = options.pushes ?? ({} as Pushes);
    this.#options = options;
    this.#service = serviceOf(options);
  }

  /** The sessions that are open: `for (const session of peer.sessions) session.push(...)` tells them all. */
  get sessions(): ReadonlySet<Session<Theirs>> {
    return this.#sessions;
  }

  /**
   * Listens, and makes a session of every connection.
   * @returns the listening socket: its `localAddress` tells the port; closing it ends the listening, and no session
   * @throws SystemError as bind(2) and listen(2)
   */
  async listen(where: Where, options?: PeerListenOptions): Promise<Socket> {
    const listener = await Socket.listen(where, options);
    this.#listeners.add(listener);
    this.#accept(listener);
    return listener;
  }

  /**
   * Connects to another peer.
   * @throws Status 105: it could not be reached
   */
  async dial<Dialled = Theirs>(where: Where, options: PeerDialOptions = {}): Promise<Session<Dialled>> {
    const socket = await connect(where, options);
    const { redial } = this.#options;
    const again = redial && ((signal: AbortSignal) => redialled(where, { ...options, signal }, redial));
    return this.#add(socket, again) as unknown as Session<Dialled>;
  }

  /**
   * Makes a session of a socket that is connected already: one of a `Socket.pair()`, or one that another process handed
   * over. It belongs to the session from now on.
   */
  adopt<Adopted = Theirs>(socket: Socket): Session<Adopted> {
    return this.#add(socket) as unknown as Session<Adopted>;
  }

  /** Listens no more, and closes all sessions as `Session.close` does. */
  async close(options?: CloseOptions): Promise<void> {
    for (const listener of this.#listeners) listener.close();
    this.#listeners.clear();
    await Promise.all(Array.from(this.#sessions, (session) => session.close(options)));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #accept(listener: Socket): Promise<void> {
    while (listener.fd >= 0) {
      let socket: Socket;
      try {
        socket = await listener.accept();
      } catch {
        // Closed; or out of descriptors or memory, and what waits to be accepted can wait a little longer.
        if (listener.fd >= 0) await sleep(100);
        continue;
      }
      this.#add(socket);
    }
    this.#listeners.delete(listener);
  }

  #add(socket: Socket, redial?: (signal: AbortSignal) => Promise<Socket>): Session<Theirs> {
    const session = new Session<Theirs>(this.#service, redial);
    this.#sessions.add(session);
    session.closed.then(() => this.#sessions.delete(session));
    session.open(promptly(socket));
    this.#options.onSession?.(session);
    return session;
  }
}

// Frames are gathered here; the kernel should not wait to gather more.
function promptly(socket: Socket): Socket {
  if (socket.domain === AF_INET || socket.domain === AF_INET6) socket.option('TCP_NODELAY', true);
  return socket;
}

async function connect(where: Where, options: PeerDialOptions): Promise<Socket> {
  try {
    return await Socket.connect(where, options);
  } catch (error) {
    options.signal?.throwIfAborted();
    throw new Status(code.dialFailed, undefined, error);
  }
}

async function redialled(
  where: Where,
  options: PeerDialOptions & { readonly signal: AbortSignal },
  { times = Number.POSITIVE_INFINITY, interval = 1000 }: Redial,
): Promise<Socket> {
  for (let attempt = 1; ; attempt++) {
    // Spread, so that the clients of a server that comes back do not all dial at once.
    await sleep(interval * (0.5 + Math.random()), undefined, { signal: options.signal });
    try {
      return promptly(await connect(where, options));
    } catch (error) {
      if (attempt >= times || options.signal.aborted) throw error;
    }
  }
}

function byId<Named extends { readonly id: string }>(what: string, entries: readonly Named[]): Map<string, Named> {
  const map = new Map<string, Named>();
  for (const entry of entries) {
    if (entry.id.length !== 1 || entry.id === noCodec || entry.id > '\xff')
      throw new TypeError(`a ${what}'s id is one byte, not '${entry.id}'`);
    if (map.has(entry.id)) throw new TypeError(`two ${what}s are called '${entry.id}'`);
    map.set(entry.id, entry);
  }
  return map;
}

function integer(name: string, value: number, least: number, most: number): number {
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new RangeError(`${name} must be an integer from ${least} to ${most}, not ${value}`);
  }
  return value;
}

/** Answers a heartbeat, and remembers how often the peer will send one. */
function answerHeartbeat(_body: never, context: Context<never>): null {
  const seconds = Number(context.meta.get(heartbeatKey) ?? 0);
  if (!Number.isInteger(seconds) || seconds < 0) {
    throw new Status(code.badMessage, 'invalid heartbeat rate', context.meta.get(heartbeatKey));
  }
  if (seconds > 0) context.session.expectEvery(seconds);
  return null;
}

function serviceOf<Calls, Pushes, Theirs>(options: PeerOptions<Calls, Pushes, Theirs>): Service {
  const { codec = json, heartbeat, handlerTimeout } = options;
  const handlers = (map: unknown) =>
    new Map<string, Handler>([...Object.entries(map ?? {}), [heartbeatMethod, answerHeartbeat]]);
  const codecs = byId('codec', [...new Set([json, plain, form, codec, ...(options.codecs ?? [])])]);
  return {
    calls: handlers(options.calls),
    pushes: handlers(options.pushes),
    codecs,
    codec,
    filters: byId('filter', options.filters ?? []),
    limit: integer('limit', options.limit ?? 4 << 20, 1024, 2 ** 31 - 1),
    patience: integer('patience', options.patience ?? 30_000, 1, 2 ** 31 - 1),
    heartbeat: heartbeat === undefined ? undefined : integer('heartbeat', heartbeat, 1, 86_400),
    handlerTimeout,
    onError: options.onError ?? ((error) => process.emitWarning(error instanceof Error ? error : String(error))),
  };
}
