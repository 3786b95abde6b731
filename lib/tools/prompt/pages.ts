// What `.man` and `.errno` print.
import { constants, errnoName, strerror } from '../../index.js';
import type { Call, Explanation } from '../calls/call.js';
import { commonErrors } from '../calls/common-errors.js';
import { calls } from '../calls/index.js';
import { wrap } from '../wrap.js';

type Errors = Readonly<Record<string, Explanation | undefined>>;
const rows = Object.entries(calls) as [string, Call][];

/** A call as the table has it: what it takes, what it does, what its errors mean. */
export function manual(name: string): string | undefined {
  const call = rows.find(([each]) => each === name)?.[1];
  if (call === undefined) return undefined;
  const parameters = call.parameters.flatMap(({ names }) => names).join(', ');
  const errors = Object.entries((call.errors ?? {}) as Errors) as [string, Explanation][];
  return [
    `${name}(${parameters})    ${call.page}`,
    '',
    wrap(call.summary),
    ...errors.flatMap(([code, explanation]) => ['', code, wrap(explanation.join(' '), '    ')]),
    '',
  ].join('\n');
}

/** An error, by its name or its number: what it means everywhere, and what it means at each call. */
export function errorPage(asked: string): string | undefined {
  const code = /^\d+$/.test(asked) ? errnoName(Number(asked)) : asked.toUpperCase();
  const number = constants[code];
  const isKnown = number !== undefined && (errnoName(number) === code || code.startsWith('EAI_'));
  if (!isKnown) return undefined;
  const heading = code.startsWith('EAI_') ? `${code} (${number})` : `${code} (${number}): ${strerror(number)}`;
  const meanings = new Map<string, string[]>();
  const common = (commonErrors as Errors)[code];
  if (common) meanings.set(common.join(' '), ['in general']);
  for (const [name, { errors }] of rows) {
    const meaning = (errors as Errors | undefined)?.[code]?.join(' ');
    if (meaning !== undefined) meanings.set(meaning, [...(meanings.get(meaning) ?? []), name]);
  }
  const parts = Array.from(meanings, ([meaning, names]) => `\n${wrap(names.join(', '))}\n${wrap(meaning, '    ')}\n`);
  return `${heading}\n${parts.join('')}`;
}
