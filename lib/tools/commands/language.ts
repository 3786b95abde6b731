import type { Language } from '../../../lessons/frame/lesson.js';
import { UsageError } from './command.js';

/** The language that was asked for, or the reader's own by the environment, or English. */
export function languageOf(asked: string | undefined): Language {
  const wanted =
    asked ?? (/^zh/.test(process.env.LC_ALL || process.env.LC_MESSAGES || process.env.LANG || '') ? 'zh' : 'en');
  if (wanted === 'en' || wanted === 'zh') return wanted;
  throw new UsageError(`the lessons speak en and zh, and not '${wanted}'`);
}

/** The number of a lesson or an exercise. */
export function numberOf(text: string | undefined, among: Iterable<number>): number {
  const numbers = [...among];
  const number = Number(text);
  if (text === undefined || !numbers.includes(number))
    throw new UsageError(`which one? There are ${numbers.join(', ')}`);
  return number;
}
