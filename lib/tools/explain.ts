import type { Explanation } from './calls/call.js';
import { commonErrors } from './calls/common-errors.js';
import { calls } from './calls/index.js';

/**
 * What an error means at the call that failed, what usually brings it about, and what to do: two or three sentences.
 * @param error a SystemError or a GaiError; Node's own system errors have the same `code` and `syscall`
 * @returns undefined for an error that no call in the table has
 */
export function explain(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const { code, syscall } = error as Readonly<Record<string, unknown>>;
  return typeof code === 'string' ? find(code, syscall)?.join(' ') : undefined;
}

function find(code: string, syscall: unknown): Explanation | undefined {
  type Errors = Readonly<Record<string, Explanation | undefined>>;
  const call = Object.entries(calls).find(([name]) => name === syscall)?.[1];
  return (call?.errors as Errors | undefined)?.[code] ?? (commonErrors as Errors)[code];
}
