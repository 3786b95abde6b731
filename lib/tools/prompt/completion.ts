// Completes constants where a call takes them: `socket(AF_`, `send(fd, bytes, MSG_`, `getsockopt(fd, IPPROTO_TCP, `.
import { optionTable } from '../../index.js';
import type { Call } from '../calls/call.js';
import { calls } from '../calls/index.js';

/** What may stand where the cursor is. */
export interface Completion {
  /** The names that begin as what is typed. */
  readonly names: readonly string[];
  /** What is typed of the name. */
  readonly typed: string;
}

/** The call that the cursor is in. */
interface OpenCall {
  /** Its name, as typed: `send`, `raw.send`. */
  readonly name: string;
  /** The arguments before the cursor's. */
  readonly earlier: readonly string[];
  /** The argument that the cursor is in, as far as it is typed. */
  readonly typed: string;
}

/** Completes the line up to the cursor; undefined where no constant is expected. */
export function completeConstant(line: string): Completion | undefined {
  const open = openCall(line);
  if (open === undefined) return undefined;
  const typed = /[\w$]*$/.exec(open.typed)?.[0] as string;
  // A name may follow nothing, a flag, or the quote of an option's name.
  if (!/^(['"]|.*\|)?\s*$/.test(open.typed.slice(0, open.typed.length - typed.length))) return undefined;
  const names = choices(open).filter((name) => name.startsWith(typed));
  return names.length === 0 ? undefined : { names, typed };
}

function choices({ name, earlier, typed }: OpenCall): readonly string[] {
  if (/^['"]/.test(typed)) {
    return /^[gs]etOption$/.test(name) && earlier.length === 1 ? Object.keys(optionTable) : [];
  }
  const bare = name.replace(/^raw\./, '');
  const call = Object.hasOwn(calls, bare) ? calls[bare as keyof typeof calls] : undefined;
  if (call === undefined) return [];
  return parameterAt(call, earlier.length, bare !== name)?.choices?.(earlier) ?? [];
}

/** The parameter that an argument is for. What C takes as several, a checked call takes as one object. */
function parameterAt({ parameters }: Call, argument: number, isRaw: boolean) {
  let next = 0;
  for (const parameter of parameters) {
    if (parameter.takes === 0) continue;
    if (argument === next) return parameter;
    next += isRaw ? parameter.takes : 1;
  }
  return undefined;
}

const closing: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}' };

/** The innermost call whose brackets are open at the end of the line. */
function openCall(line: string): OpenCall | undefined {
  const open: { bracket: string; at: number; commas: number[] }[] = [];
  for (let i = 0; i < line.length; i++) {
    const character = line[i] as string;
    if (`'"\``.includes(character)) {
      const end = endOfString(line, i);
      if (end < 0) break; // the cursor is inside of it
      i = end;
    } else if (character in closing) open.push({ bracket: character, at: i, commas: [] });
    else if (character === closing[open.at(-1)?.bracket ?? '']) open.pop();
    else if (character === ',') open.at(-1)?.commas.push(i);
  }
  const innermost = open.at(-1);
  const name = innermost?.bracket === '(' ? /((?:raw\.)?[\w$]+)\s*$/.exec(line.slice(0, innermost.at))?.[1] : undefined;
  if (innermost === undefined || name === undefined) return undefined;
  const starts = [innermost.at, ...innermost.commas];
  const texts = starts.map((start, i) => line.slice(start + 1, starts[i + 1]).trim());
  return { name, earlier: texts.slice(0, -1), typed: texts.at(-1) as string };
}

function endOfString(line: string, start: number): number {
  for (let i = start + 1; i < line.length; i++) {
    if (line[i] === '\\') i++;
    else if (line[i] === line[start]) return i;
  }
  return -1;
}
