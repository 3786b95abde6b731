// Copies an exercise into the reader's folder, and runs it there.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Language } from '../frame/lesson.js';

// The exercises are JavaScript as they stand, beside the sources of the lessons.
const folder = fileURLToPath(new URL('../../../lessons/practice', import.meta.url));
const pattern = /^(\d\d)-[\w-]+\.mjs$/;
const patience = 10_000;

/** The numbers of the exercises, which are those of their lessons, and their files' names. */
export function exercises(): Map<number, string> {
  const names = readdirSync(folder).filter((name) => pattern.test(name));
  return new Map(names.sort().map((name) => [Number(pattern.exec(name)?.[1]), name]));
}

/** What an exercise asks for: its first line is in English, its second in Chinese. */
export function taskOf(number: number, language: Language): string {
  const lines = readFileSync(join(folder, exercises().get(number) as string), 'utf8').split('\n');
  return (lines[language === 'zh' ? 1 : 0] as string).replace(/^.*?[:：]\s*/, '');
}

/** Puts an exercise into a folder of the reader's, unless it is there. @returns the file */
export function begin(number: number, into: string): string {
  const name = exercises().get(number);
  if (name === undefined)
    throw new RangeError(`there is no exercise ${number}: they are ${[...exercises().keys()].join(', ')}`);
  mkdirSync(into, { recursive: true });
  const file = join(into, name);
  if (!existsSync(file)) copyFileSync(join(folder, name), file);
  return file;
}

/** Runs an exercise, for ten seconds at most. @returns whether it is solved */
export async function attempt(file: string, language: Language): Promise<boolean> {
  const register = `data:text/javascript,import { register } from 'node:module'; register('${new URL('hooks.js', import.meta.url)}');`;
  const child = fork(file, {
    execArgv: ['--import', register],
    env: { ...process.env, POSIX_SOCKETS_LANGUAGE: language },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  // What it said last of what it does, and of what to think of.
  const said = { waitingIn: '', hint: '' };
  child.on('message', (message: Partial<typeof said>) => Object.assign(said, message));
  const impatient = setTimeout(() => {
    const { waitingIn, hint } = said;
    const call = /^$|\)$/.test(waitingIn) ? waitingIn : `${waitingIn}...)`;
    const text = {
      en: `${call ? `It still waits, after ten seconds, in ${call}` : 'It still runs, after ten seconds.'}\n\nHint: ${hint}`,
      zh: `${call ? `十秒之后它仍在等待：${call}` : '十秒之后它仍在运行。'}\n\n提示：${hint}`,
    }[language];
    process.stdout.write(`  ✗ ${text}\n`);
    child.kill('SIGKILL');
  }, patience);
  const [code] = (await once(child, 'exit')) as [number | null];
  clearTimeout(impatient);
  return code === 0;
}
