// What a peer offers, as types: the bodies and results of calls follow from them, on both sides.
import type { Context } from './handling.js';
import { code, Status } from './status.js';

/** A method that can be called: takes a body and answers with a result, now or later. */
export type Call<Body, Result, Theirs = Methods> = (body: Body, context: Context<Theirs>) => Result | Promise<Result>;

/** A method that can be pushed to. */
export type Push<Body, Theirs = Methods> = (body: Body, context: Context<Theirs>) => unknown;

/**
 * The methods of a peer, by name. A program may write them down once for both sides, as `{ calls: { '/add':
 * Call<number[], number> }, pushes: {} }`, or take those of the peer that has them: `dial<typeof server>(where)`.
 */
export interface Methods {
  readonly calls: { readonly [method: string]: Call<unknown, unknown> };
  readonly pushes: { readonly [method: string]: Push<unknown> };
}

// biome-ignore lint/suspicious/noExplicitAny: any function at all
type Any = any;

/**
 * A map of handlers: what a `Peer` is given. A handler may know more of the other side's methods than the peer does:
 * parameters of methods, unlike those of functions, are compared both ways.
 */
export interface Handlers<Theirs> {
  readonly [method: string]: { handler(body: Any, context: Context<Theirs>): unknown }['handler'];
}

type CallsOf<Theirs> = Theirs extends { readonly calls: infer Calls } ? Calls : unknown;
type PushesOf<Theirs> = Theirs extends { readonly pushes: infer Pushes } ? Pushes : unknown;
type BodyOf<Handler> = Handler extends (body: infer Body, ...more: Any) => unknown ? Body : never;

/** The names of what can be called, or pushed to. */
export type CallName<Theirs> = keyof CallsOf<Theirs> & string;
export type PushName<Theirs> = keyof PushesOf<Theirs> & string;

/** What to hand to `call` after the method's name: a body, unless the handler takes none, and options. */
export type CallArguments<Theirs, Method extends CallName<Theirs>, Options> = Arguments<
  CallsOf<Theirs>[Method],
  Options
>;
export type PushArguments<Theirs, Method extends PushName<Theirs>, Options> = Arguments<
  PushesOf<Theirs>[Method],
  Options
>;
type Arguments<Handler, Options> =
  undefined extends BodyOf<Handler>
    ? [body?: BodyOf<Handler>, options?: Options]
    : [body: BodyOf<Handler>, options?: Options];

/** What a call resolves with. */
export type ResultOf<Theirs, Method extends CallName<Theirs>> = CallsOf<Theirs>[Method] extends (
  ...parameters: Any
) => infer Result
  ? Awaited<Result>
  : never;

/**
 * A handler that takes only what `is` says is a body of its type: types end where the wire begins. Other bodies are
 * answered with status 400.
 */
export function takes<Body, Result, Theirs = Methods>(
  is: (body: unknown) => body is Body,
  handler: (body: Body, context: Context<Theirs>) => Result,
): (body: Body, context: Context<Theirs>) => Result {
  return (body, context) => {
    if (!is(body)) throw new Status(code.badMessage, undefined, 'an argument of the wrong type');
    return handler(body, context);
  };
}
