// The receiving half of a session: a handler for every call and push, and a reply for every call.
import type { Codec } from './codecs.js';
import type { Connection } from './connection.js';
import type { Filter } from './filters.js';
import { CALL, type Frame, noCodec, REPLY } from './frame.js';
import type { Methods } from './methods.js';
import { decodeQuery, encodeMeta } from './query.js';
import type { Session } from './session.js';
import { code, Status, statusOf, success } from './status.js';

/** A handler, whatever its body. */
export type Handler = (body: never, context: Context<never>) => unknown;

/** What the sessions of a peer share. */
export interface Service {
  readonly calls: ReadonlyMap<string, Handler>;
  readonly pushes: ReadonlyMap<string, Handler>;
  readonly codecs: ReadonlyMap<string, Codec>;
  readonly filters: ReadonlyMap<string, Filter>;
  readonly codec: Codec;
  readonly limit: number;
  readonly patience: number;
  readonly heartbeat: number | undefined;
  readonly handlerTimeout: number | undefined;
  readonly onError: (error: unknown, context: Context) => void;
}

export const heartbeatMethod = '/heartbeat';
export const heartbeatKey = 'hb_';
const acceptKey = 'X-Accept-Body-Codec';
const realAddressKey = 'X-Real-IP';

/** What a handler is told besides the body, and what it says of the reply. */
export class Context<Theirs = Methods> {
  /** The session that the message came on: a handler calls and pushes back through it. */
  readonly session: Session<Theirs>;
  /** How the reply's body is encoded: by default as the caller asked for, or as the call's body was. */
  replyCodec: Codec | undefined;
  /** @internal */
  readonly frame: Frame;
  #meta: URLSearchParams | undefined;
  #replyMeta: URLSearchParams | undefined;
  #controller: AbortController | undefined;
  #abandoned: Status | undefined;

  constructor(session: Session<Theirs>, frame: Frame) {
    this.session = session;
    this.frame = frame;
  }

  get method(): string {
    return this.frame.method;
  }

  /** The message's metadata. */
  get meta(): URLSearchParams {
    this.#meta ??= decodeQuery(this.frame.meta);
    return this.#meta;
  }

  /** The reply's metadata, to be filled in. */
  get replyMeta(): URLSearchParams {
    this.#replyMeta ??= new URLSearchParams();
    return this.#replyMeta;
  }

  /** Whether there is any metadata for the reply. */
  get hasReplyMeta(): boolean {
    return this.#replyMeta !== undefined;
  }

  /** Who began this, where a proxy says so in the metadata; otherwise the other end's address. */
  get realAddress(): string {
    return this.meta.get(realAddressKey) ?? String(this.session.remoteAddress);
  }

  /** Aborted, with a Status, when nobody waits for the answer any more: the session ended, or the handler's time. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#abandoned !== undefined) this.#controller.abort(this.#abandoned);
    return this.#controller.signal;
  }

  /** @internal */
  abandon(status: Status): void {
    this.#abandoned ??= status;
    this.#controller?.abort(this.#abandoned);
  }
}

const refusals = {
  closed: new Status(code.closed).encode(),
  notFound: new Status(code.notFound).encode(),
};

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | null | undefined)?.then === 'function';
}

export class Handling {
  /** Once true, calls are answered with status 102. */
  refuses = false;
  readonly #session: Session;
  readonly #service: Service;
  readonly #running = new Set<Context>();
  #whenIdle: (() => void)[] = [];

  constructor(session: Session, service: Service) {
    this.#session = session;
    this.#service = service;
  }

  /** Resolves when no handler is running. */
  async idle(): Promise<void> {
    if (this.#running.size > 0) await new Promise<void>((resolve) => this.#whenIdle.push(resolve));
  }

  /** Tells the handlers that are running that nobody waits for them. */
  abandon(status: Status): void {
    for (const context of this.#running) context.abandon(status);
  }

  /** Hands a CALL or a PUSH to its handler. A push that nobody takes is dropped. */
  handle(frame: Frame, size: number, connection: Connection): void {
    const { calls, pushes } = this.#service;
    const handler = (frame.type === CALL ? calls : pushes).get(frame.method);
    if (frame.type === CALL && this.refuses) this.#reply(frame, refusals.closed, connection);
    else if (handler === undefined) this.#reply(frame, refusals.notFound, connection);
    else {
      const context: Context = new Context(this.#session, frame);
      try {
        const result = handler(this.bodyOf(frame) as never, context as never);
        if (isPromise(result)) this.#later(result, context, size, connection);
        else this.#succeed(result, context, connection);
      } catch (error) {
        this.#fail(error, context, connection);
      }
    }
  }

  /** A frame's body, decoded. @throws Status 400: it does not decode, or there is no such codec */
  bodyOf({ codec: id, body }: Frame): unknown {
    if (id === noCodec && body.length === 0) return undefined;
    const codec = this.#service.codecs.get(id);
    if (codec === undefined) throw new Status(code.badMessage, undefined, `there is no codec '${id}'`);
    try {
      return codec.decode(body as Buffer);
    } catch (error) {
      throw new Status(code.badMessage, undefined, error);
    }
  }

  async #later(result: PromiseLike<unknown>, context: Context, size: number, connection: Connection): Promise<void> {
    this.#running.add(context);
    connection.hold(size);
    try {
      this.#succeed(await this.#inTime(result, context), context, connection);
    } catch (error) {
      this.#fail(error, context, connection);
    }
    this.#running.delete(context);
    connection.release(size);
    if (this.#running.size === 0) for (const resolve of this.#whenIdle.splice(0)) resolve();
  }

  /** The result, or status 408 when the handler's time is over. */
  async #inTime(result: PromiseLike<unknown>, context: Context): Promise<unknown> {
    const { handlerTimeout } = this.#service;
    if (handlerTimeout === undefined) return result;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        context.abandon(new Status(code.handleTimeout, undefined, `after ${handlerTimeout} ms`));
        reject(context.signal.reason);
      }, handlerTimeout);
    });
    try {
      return await Promise.race([result, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  #succeed(result: unknown, context: Context, connection: Connection): void {
    const { frame } = context;
    if (frame.type !== CALL) return;
    const codec = context.replyCodec ?? this.#codecAskedFor(context);
    const meta = context.hasReplyMeta ? encodeMeta(context.replyMeta) : '';
    this.#reply(frame, success, connection, meta, codec.id, codec.encode(result));
  }

  #codecAskedFor({ frame, meta }: Context): Codec {
    const { codecs, codec } = this.#service;
    const accepted = frame.meta.includes(acceptKey) && codecs.get(String.fromCharCode(Number(meta.get(acceptKey))));
    return accepted || (codecs.get(frame.codec) ?? codec);
  }

  #fail(error: unknown, context: Context, connection: Connection): void {
    if (!(error instanceof Status)) this.#service.onError(error, context);
    const meta = context.hasReplyMeta ? encodeMeta(context.replyMeta) : '';
    this.#reply(context.frame, statusOf(error, code.internal).encode(), connection, meta);
  }

  // The reply goes through the filters of the call.
  #reply(
    call: Frame,
    status: string,
    connection: Connection,
    meta = '',
    codec = noCodec,
    body: string | Uint8Array = '',
  ): void {
    if (call.type !== CALL || connection.isOver) return;
    const { filters, sequence } = call;
    const failed = (error: unknown) => {
      const status = new Status(code.internal, undefined, error);
      if (body === '' && meta === '') connection.end(status);
      else this.#reply(call, status.encode(), connection);
    };
    try {
      connection.send({ filters, sequence, type: REPLY, method: '', status, meta, codec, body })?.catch(failed);
    } catch (error) {
      failed(error);
    }
  }
}
