// What a row of the call table says.
import type { Raw } from '../../index.js';
import type { Shown } from '../decode/notation.js';

/** A call of the raw floor. */
export type RawCall = Exclude<keyof Raw, 'out'>;

/** What is known before a call is made. */
export interface Before {
  /** All its raw arguments. */
  readonly raw: readonly unknown[];
  /** How many bytes and elements to show. */
  readonly limit: number;
}

/** What is known when it has answered. */
export interface Answer {
  /** What the raw call returned, as a number. */
  readonly result: number;
  /** The same as it is: a call that goes on off the main thread may answer bytes. */
  readonly value: unknown;
  /** `raw.out`: what it returned through pointers. */
  readonly out: Int32Array;
}

/** The C arguments that a parameter stands for: known before the call, or when it has filled them. */
export type Arguments = readonly Shown[] | ((answer: Answer) => readonly Shown[]);

/** What a parameter is. */
export type ParameterKind =
  | 'descriptor'
  | 'number'
  | 'flags'
  | 'choice'
  | 'bytes in'
  | 'bytes out'
  | 'address in'
  | 'address out'
  | 'message in'
  | 'message out'
  | 'struct in'
  | 'struct out'
  | 'text'
  | 'descriptors out';

/** One parameter of a call: `Taken` are the raw arguments that it stands for. */
export interface Parameter<Taken extends readonly unknown[] = readonly unknown[]> {
  readonly kind: ParameterKind;
  /** The names of its C arguments, as the man page has them: `buf` and `len` for a buffer. */
  readonly names: readonly string[];
  /** How many raw arguments it stands for. */
  readonly takes: number;
  /** Decodes it. */
  show(taken: Taken, before: Before): Arguments;
  /** The constants that may stand here, which may depend on the arguments that stand before it. */
  choices?(earlier: readonly string[]): readonly string[];
}

/** What a call's result is: a new descriptor, a number of bytes, of ready descriptors, of messages, ... */
export type ResultKind = 'descriptor' | 'bytes' | 'count' | 'nothing' | 'number';

/** What an error means at a call: what it says there, what usually brings it about, and what to do. */
export type Explanation = readonly [meaning: string, cause: string, remedy: string];

/** The name of an error: of errno(3), or of getaddrinfo(3). */
export type ErrorName = Extract<keyof typeof import('../../index.js'), `E${string}`>;

/** A row of the table. */
export interface Call<Parameters extends readonly Parameter[] = readonly Parameter[]> {
  /** The man page that describes it. */
  readonly page: string;
  /** What it does, in one to three sentences. */
  readonly summary: string;
  readonly parameters: Parameters;
  readonly result: ResultKind;
  /** How a result is shown that has more to say than its number: strace puts it in brackets. */
  showResult?(before: Before, answer: Answer): Shown | undefined;
  /** The descriptors that it was about besides those that its arguments name. */
  furtherDescriptors?(before: Before, answer: Answer): readonly number[];
  /** Shown by a tracer only when it is to show all: it asks the kernel for nothing, or no program calls it itself. */
  readonly minor?: true;
  /** What errors mean here. Errors that mean the same everywhere are in common-errors.ts. */
  readonly errors?: Readonly<Partial<Record<ErrorName, Explanation>>>;
}

type TakenBy<Parameters> = Parameters extends readonly [Parameter<infer First>, ...infer Rest]
  ? [...First, ...TakenBy<Rest>]
  : [];

type Fitting<Rows> = {
  [Name in keyof Rows]: Name extends RawCall
    ? Rows[Name] extends Call<infer Parameters>
      ? Required<globalThis.Parameters<Raw[Name]>> extends TakenBy<Parameters>
        ? unknown
        : { parameters: 'these parameters do not stand for the raw arguments' }
      : Call
    : 'there is no such raw call';
};

/** The rows of a family of calls. TypeScript checks each row's parameters against the raw call's arguments. */
export function family<const Rows extends Readonly<Record<string, Call>>>(rows: Rows & Fitting<Rows>): Rows {
  return rows;
}
