// One conversation with another peer: calls and pushes out, replies in. It lives on through a redial.
import type { SockAddr, Socket } from 'posix-sockets';
import { type Codec, json } from './codecs.js';
import { Connection } from './connection.js';
import type { Filter } from './filters.js';
import { CALL, type Frame, PUSH, REPLY } from './frame.js';
import { Handling, heartbeatKey, heartbeatMethod, type Service } from './handling.js';
import type { CallArguments, CallName, Methods, PushArguments, PushName, ResultOf } from './methods.js';
import { decodeQuery, encodeMeta, type Meta } from './query.js';
import { code, decodeStatus, Status, statusOf, success } from './status.js';

/** What a push takes besides its body. */
export interface PushOptions {
  /** Metadata that travels with it. */
  readonly meta?: Meta | undefined;
  /** How its body is encoded; the peer's own codec by default. */
  readonly codec?: Codec | undefined;
  /** What it goes through, outermost first: `[md5, gzip]` compresses, then signs. The peer must have them too. */
  readonly filters?: readonly Filter[] | undefined;
}

/** What a call takes besides its body. */
export interface CallOptions extends PushOptions {
  /** Ends the call: it rejects with the signal's reason, and a reply that comes later is dropped. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds until it rejects with status 408. */
  readonly timeout?: number | undefined;
}

/** How long `close` waits for what is under way. */
export interface CloseOptions {
  /** Milliseconds until the session is ended all the same. */
  readonly timeout?: number | undefined;
}

/** A reply with all that it carries. */
export interface Reply<Result> {
  readonly body: Result;
  readonly meta: URLSearchParams;
  /** The codec's id. */
  readonly codec: string;
}

interface Pending {
  readonly resolve: (result: never) => void;
  readonly reject: (reason: unknown) => void;
  /** Whether the caller wants the whole reply. */
  readonly whole: boolean;
  release?: () => void;
}

const noOptions: CallOptions = {};
const lastSequence = 2 ** 31 - 1;
const longestPeriod = 86_400;

/** A session with a peer that offers the methods `Theirs`. A `Peer` makes them. */
export class Session<Theirs = Methods> {
  /** Resolves, never rejects, when the session is over: with the status that says why. */
  readonly closed: Promise<Status>;
  readonly #service: Service;
  readonly #handling: Handling;
  readonly #redial: ((signal: AbortSignal) => Promise<Socket>) | undefined;
  readonly #pending = new Map<number, Pending>();
  readonly #over = new AbortController();
  #connection: Connection | undefined;
  #sequence = 0;
  #remoteAddress: SockAddr | undefined;
  #localAddress: SockAddr | undefined;
  #closing = false;
  #changed: (() => void)[] = [];
  #resolveClosed: (status: Status) => void = () => {};

  /** @internal */
  constructor(service: Service, redial?: (signal: AbortSignal) => Promise<Socket>) {
    this.#service = service;
    this.#redial = redial;
    this.#handling = new Handling(this as never, service);
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
  }

  /** This end's address, and the other's; undefined before the first connection. */
  get localAddress(): SockAddr | undefined {
    return this.#localAddress;
  }
  get remoteAddress(): SockAddr | undefined {
    return this.#remoteAddress;
  }

  /** Whether calls go out at once: not while it redials, is closing or is over. */
  get isOpen(): boolean {
    return this.#connection !== undefined && !this.#closing;
  }

  /**
   * Calls a method. Any number of calls may be under way; the replies come in the peer's order. A call waits while the
   * session redials, or while as much as `limit` waits to be sent.
   * @throws Status what the handler said: above 1000 the application's own, 404 there is no such method, 400 the body
   * is of the wrong type, 500 the handler failed; 102 the session ended before the reply; 104 the call could not be
   * encoded; 408 there was no reply in time
   */
  call<Method extends CallName<Theirs>>(
    method: Method,
    ...[body, options]: CallArguments<Theirs, Method, CallOptions>
  ): Promise<ResultOf<Theirs, Method>> {
    return this.#request(method, body, options, false);
  }

  /** The same, for the whole reply: with its metadata and codec. */
  callForReply<Method extends CallName<Theirs>>(
    method: Method,
    ...[body, options]: CallArguments<Theirs, Method, CallOptions>
  ): Promise<Reply<ResultOf<Theirs, Method>>> {
    return this.#request(method, body, options, true);
  }

  /**
   * Sends a body that nobody answers. Resolves as soon as there is room for another; who does not wait for that loses
   * what is pushed while as much as `limit` waits to be sent, and need not handle the promise.
   * @throws Status 102 there is no connection; 104 the peer takes too little, or the body could not be encoded
   */
  push<Method extends PushName<Theirs>>(
    method: Method,
    ...[body, options]: PushArguments<Theirs, Method, PushOptions>
  ): Promise<void> {
    const pushed = this.#push(method, body, options ?? noOptions);
    pushed.catch(() => {});
    return pushed;
  }

  /**
   * Ends the session when what is under way is done: calls of both sides get their replies, and new ones are refused
   * with status 102.
   */
  async close({ timeout }: CloseOptions = {}): Promise<void> {
    const timer = timeout === undefined ? undefined : setTimeout(() => this.end(), timeout);
    if (!this.#closing) this.#finish(new Status(code.closed, undefined, 'by this side'));
    await this.closed;
    clearTimeout(timer);
  }

  /** Ends the session now. Calls under way reject with status 102. */
  end(status: Status = new Status(code.closed, undefined, 'by this side')): void {
    this.#closing = true;
    if (this.#connection === undefined) this.#finalize(status);
    else this.#connection.end(status);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** @internal Goes on over a new connection. */
  open(socket: Socket): void {
    const receiver = {
      frame: (frame: Frame, size: number) => this.#take(frame, size, connection),
      finished: () => this.#abandon(new Status(code.closed, undefined, 'by the peer')),
    };
    const connection = new Connection(socket, receiver, this.#service);
    this.#localAddress = socket.localAddress;
    this.#remoteAddress = socket.remoteAddress;
    this.#connection = connection;
    const stopBeating = this.#beat(connection);
    connection.ended.then((status) => {
      stopBeating();
      this.#lost(status);
    });
    connection.run();
    this.#tellChange();
  }

  /** @internal The peer promised to be heard so often: twice that long without a sign of it ends the connection. */
  expectEvery(seconds: number): void {
    const period = Math.min(seconds, this.#service.heartbeat ?? longestPeriod);
    if (this.#connection !== undefined) this.#connection.silence = 2000 * period;
  }

  #request<Result>(method: string, body: unknown, options: CallOptions = noOptions, whole: boolean): Promise<Result> {
    const { signal, timeout } = options;
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (this.#closing) return Promise.reject(new Status(code.closed));
    return new Promise((resolve, reject) => {
      const sequence = this.#nextSequence();
      const pending: Pending = { resolve, reject, whole };
      this.#pending.set(sequence, pending);
      if (signal !== undefined || timeout !== undefined) this.#limit(sequence, pending, signal, timeout);
      const failed = (error: unknown) => this.#forget(sequence)?.reject(statusOf(error, code.writeFailed));
      try {
        const frame = this.#frame(CALL, sequence, method, body, options);
        const connection = this.#connection;
        if (connection === undefined || connection.isFull) this.#sendLater(frame).catch(failed);
        else connection.send(frame)?.catch(failed);
      } catch (error) {
        failed(error);
      }
    });
  }

  async #push(method: string, body: unknown, options: PushOptions): Promise<void> {
    const connection = this.#connection;
    if (connection === undefined || this.#closing) throw new Status(code.closed);
    if (connection.isFull) throw new Status(code.writeFailed, undefined, `${connection.waiting} bytes wait to be sent`);
    try {
      await connection.send(this.#frame(PUSH, this.#nextSequence(), method, body, options));
    } catch (error) {
      throw statusOf(error, code.writeFailed);
    }
    await connection.drained(this.#service.limit / 2);
    if (connection.isOver) throw new Status(code.closed);
  }

  #frame(type: number, sequence: number, method: string, body: unknown, options: PushOptions): Frame {
    const { codecs, filters: known, codec: usual } = this.#service;
    const { meta, codec = usual, filters } = options;
    if (codecs.get(codec.id) !== codec) throw new TypeError(`the peer was not given the codec '${codec.id}'`);
    let ids = '';
    for (const filter of filters ?? []) {
      if (known.get(filter.id) !== filter) throw new TypeError(`the peer was not given the filter '${filter.id}'`);
      ids += filter.id;
    }
    return {
      filters: ids,
      sequence,
      type,
      method,
      status: success,
      meta: meta === undefined ? '' : encodeMeta(meta),
      codec: codec.id,
      body: codec.encode(body),
    };
  }

  /** Sends a call's frame when there is a connection with room for it, if the call is still wanted then. */
  async #sendLater(frame: Frame): Promise<void> {
    while (this.#pending.has(frame.sequence)) {
      const connection = this.#connection;
      if (connection === undefined) await new Promise<void>((resolve) => this.#changed.push(resolve));
      else if (connection.isFull) await connection.drained(this.#service.limit / 2);
      else return connection.send(frame);
    }
  }

  #limit(sequence: number, pending: Pending, signal?: AbortSignal, timeout?: number): void {
    const onAbort = () => this.#forget(sequence)?.reject(signal?.reason);
    const onTimeout = () =>
      this.#forget(sequence)?.reject(new Status(code.handleTimeout, undefined, `no reply within ${timeout} ms`));
    signal?.addEventListener('abort', onAbort, { once: true });
    const timer = timeout === undefined ? undefined : setTimeout(onTimeout, timeout);
    pending.release = () => {
      signal?.removeEventListener('abort', onAbort);
      clearTimeout(timer);
    };
  }

  #nextSequence(): number {
    do this.#sequence = this.#sequence === lastSequence ? 1 : this.#sequence + 1;
    while (this.#pending.has(this.#sequence));
    return this.#sequence;
  }

  /** Takes a call off the list of those that wait for a reply. */
  #forget(sequence: number): Pending | undefined {
    const pending = this.#pending.get(sequence);
    if (pending === undefined) return undefined;
    this.#pending.delete(sequence);
    pending.release?.();
    if (this.#changed.length > 0) this.#tellChange();
    return pending;
  }

  #take(frame: Frame, size: number, connection: Connection): void {
    if (frame.type === REPLY) this.#settle(frame);
    else if (frame.type === CALL || frame.type === PUSH) this.#handling.handle(frame, size, connection);
    else throw new Status(code.typeNotAllowed, undefined, `type ${frame.type}`);
  }

  /** Gives a reply to the call that waits for it; one that nobody waits for is dropped. */
  #settle(frame: Frame): void {
    const pending = this.#forget(frame.sequence);
    if (pending === undefined) return;
    try {
      const status = decodeStatus(frame.status);
      if (status !== undefined) throw status;
      const body = this.#handling.bodyOf(frame);
      const result = pending.whole ? { body, meta: decodeQuery(frame.meta), codec: frame.codec } : body;
      pending.resolve(result as never);
    } catch (error) {
      pending.reject(error);
    }
  }

  /** The connection brings no more: no reply will come, and nobody waits for one. */
  #abandon(status: Status): void {
    this.#handling.abandon(status);
    this.#failCalls(status);
  }

  #failCalls(status: Status): void {
    for (const sequence of [...this.#pending.keys()]) this.#forget(sequence)?.reject(status);
  }

  async #finish(reason: Status): Promise<void> {
    this.#closing = true;
    this.#handling.refuses = true;
    const connection = this.#connection;
    if (connection === undefined) return this.#finalize(reason);
    while (this.#pending.size > 0) await new Promise<void>((resolve) => this.#changed.push(resolve));
    await this.#handling.idle();
    await connection.finish(reason);
  }

  async #lost(status: Status): Promise<void> {
    this.#connection = undefined;
    this.#abandon(new Status(code.closed, undefined, status));
    const isWorthRedialing = status.code === code.closed || status.code === code.writeFailed;
    if (this.#closing || this.#redial === undefined || !isWorthRedialing) return this.#finalize(status);
    try {
      const socket = await this.#redial(this.#over.signal);
      if (this.#over.signal.aborted) socket.close();
      else this.open(socket);
    } catch (error) {
      this.#finalize(statusOf(error, code.dialFailed));
    }
  }

  #finalize(status: Status): void {
    if (this.#over.signal.aborted) return;
    this.#closing = true;
    this.#over.abort(status);
    this.#failCalls(status);
    this.#resolveClosed(status);
  }

  /** Sends heartbeats over a connection, unless it was busy anyway. Answers how to stop. */
  #beat(connection: Connection): () => void {
    const { heartbeat } = this.#service;
    if (heartbeat === undefined) return () => {};
    connection.silence = 2000 * heartbeat;
    const options = { meta: { [heartbeatKey]: String(heartbeat) }, codec: json };
    const beat = () => {
      const quietSince = Math.min(connection.heardAt, connection.sentAt);
      if (performance.now() - quietSince < 500 * heartbeat) return;
      this.#request(heartbeatMethod, undefined, options, false).catch(() => {});
    };
    const timer = setInterval(beat, 1000 * heartbeat).unref();
    return () => clearInterval(timer);
  }

  #tellChange(): void {
    for (const resolve of this.#changed.splice(0)) resolve();
  }
}
