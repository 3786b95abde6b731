// The little language of the scenarios: steps, variables, and what a step's result must be like.
import { readFileSync } from 'node:fs';

/** A value of JSON; integers beyond 2^53 are bigints. */
export type Value = null | boolean | number | bigint | string | Value[] | { [key: string]: Value | undefined };

/** What a step does, and what must come of it. */
export interface Step {
  readonly op: string;
  readonly args?: Value[];
  /** A variable for the value; two for a pair; or by variable, the path of a field. */
  readonly save?: string | string[] | Record<string, string>;
  readonly expect?: Record<string, Value>;
  /** Whether to try again until it is as expected. */
  readonly retry?: boolean;
}

/** A fact about the kernel. */
export interface Scenario {
  readonly id: string;
  readonly source: string;
  readonly why: string;
  readonly steps: readonly Step[];
  readonly needs?: readonly string[];
}

/** What a step's call did. */
export interface Result {
  /** What the C function returns. */
  readonly value: number | bigint;
  /** The error's name, when it failed. */
  readonly errno?: string;
  /** What it read, in hexadecimal. */
  readonly bytes?: string;
  readonly fields?: { [key: string]: Value | undefined };
  readonly pair?: readonly [number, number];
}

/** A step that no argument of the floor under test can express. */
export class Unsayable extends Error {}

const stringOrLargeInteger = /"(?:[^"\\]|\\.)*"|-?\d{16,}/g;
const largeMark = '\0integer:';

/** Reads scenarios. JSON.parse alone would round a 64-bit integer. */
export function readScenarios(file: string): Scenario[] {
  const text = readFileSync(file, 'utf8').replace(stringOrLargeInteger, (found) =>
    found.startsWith('"') ? found : JSON.stringify(largeMark + found),
  );
  return JSON.parse(text, (_, value) =>
    typeof value === 'string' && value.startsWith(largeMark) ? integer(BigInt(value.slice(largeMark.length))) : value,
  );
}

/** An integer as results have it: a number where that is exact. */
export function integer(value: bigint): number | bigint {
  return BigInt.asIntN(54, value) === value ? Number(value) : value;
}

const isObject = (value: unknown): value is Record<string, Value> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isInteger = (value: unknown): value is number | bigint => typeof value === 'number' || typeof value === 'bigint';

/** The variables of a scenario. */
export class Variables {
  readonly #values: Map<string, Value>;

  constructor(given: Record<string, Value>) {
    this.#values = new Map(Object.entries(given));
  }

  /** `value` with every "$x" in it replaced. */
  replaceIn(value: Value): Value {
    if (typeof value === 'string' && value.startsWith('$')) return this.#get(value.slice(1));
    if (Array.isArray(value)) return value.map((element) => this.replaceIn(element));
    if (isObject(value)) return Object.fromEntries(Object.entries(value).map(([key, v]) => [key, this.replaceIn(v)]));
    return value;
  }

  #get(name: string): Value {
    const value = this.#values.get(name);
    if (value === undefined) throw new Error(`no variable $${name}`);
    return value;
  }

  save(what: NonNullable<Step['save']>, result: Result): void {
    if (typeof what === 'string') this.#values.set(what, result.value);
    else if (Array.isArray(what)) {
      for (const [i, name] of what.entries()) this.#values.set(name, result.pair?.[i] as number);
    } else {
      for (const [name, path] of Object.entries(what)) this.#values.set(name, at(result.fields, path.split('.')));
    }
  }
}

function at(value: unknown, path: string[]): Value {
  const found = path.reduce((inside, key) => (inside as Record<string, unknown> | undefined)?.[key], value);
  if (found === undefined) throw new Error(`the result has no ${path.join('.')}`);
  return found as Value;
}

const comparisons: Record<string, (found: bigint, wanted: bigint) => boolean> = {
  bits: (found, wanted) => (found & wanted) === wanted,
  clear: (found, wanted) => (found & wanted) === 0n,
  min: (found, wanted) => found >= wanted,
  max: (found, wanted) => found <= wanted,
  not: (found, wanted) => found !== wanted,
};

function matches(wanted: Value, found: unknown): boolean {
  if (Array.isArray(wanted)) {
    return (
      Array.isArray(found) && wanted.length === found.length && wanted.every((value, i) => matches(value, found[i]))
    );
  }
  if (!isObject(wanted)) return wanted === found;
  const entries = Object.entries(wanted);
  if (entries.length > 0 && entries.every(([key]) => key in comparisons)) {
    return (
      isInteger(found) && entries.every(([key, value]) => comparisons[key]?.(BigInt(found), BigInt(value as number)))
    );
  }
  return isObject(found) && entries.every(([key, value]) => key in found && matches(value, found[key]));
}

/** Whether a result is what the step expects; without a word, that it did not fail. */
export function isAsExpected(wanted: Record<string, Value> | undefined, result: Result): boolean {
  if (wanted?.errno !== undefined) return matches(wanted.errno, result.errno);
  if (result.errno !== undefined) return false;
  return Object.entries(wanted ?? {}).every(
    ([key, value]) => key === 'ok' || matches(value, result[key as keyof Result]),
  );
}
