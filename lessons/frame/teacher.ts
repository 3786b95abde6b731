// Speaks for a lesson: narration, the calls as they go by, and what is checked.
import { writeFileSync } from 'node:fs';
import type { WriteStream } from 'node:tty';
import { trace } from 'posix-sockets/trace';
import type { Language, Lesson, Text } from './lesson.js';

/** A check that did not hold: the lesson is wrong about this kernel. */
export class WrongLesson extends Error {
  override readonly name = 'WrongLesson';
}

const words = {
  lesson: { en: 'Lesson', zh: '第' },
  right: { en: 'The notes are right', zh: '笔记说对了' },
  folklore: { en: 'Folklore', zh: '以讹传讹' },
  changed: { en: 'What changed since', zh: '后来的变化' },
  checks: { en: 'checks held', zh: '项检查通过' },
} satisfies Record<string, Text>;

/** What a lesson talks with. */
export interface Teacher {
  readonly language: Language;
  /** Begins a part. */
  part(en: string, zh: string): void;
  /** Says something. */
  say(en: string, zh: string): void;
  /** Prints something as it is: a table, bytes, a chart. */
  print(text: string): void;
  /** Makes calls and prints each, as strace would. Calls outside of it are made silently. */
  show<T>(work: () => T): T;
  /** Draws a page of what happened, into the file that was asked for, or says how to ask for it. */
  picture(draw: () => string): void;
  /** Says what must be so, and that it is. @throws WrongLesson it is not */
  check(holds: boolean, en: string, zh: string): void;
}

/**
 * Gives a lesson, from its title to its verdict.
 * @param picture where to write the picture that it draws, if it draws one
 * @returns how many checks held
 */
export async function give(
  lesson: Lesson,
  language: Language,
  out: NodeJS.WritableStream,
  picture?: string,
): Promise<number> {
  const colours = (out as Partial<WriteStream>).hasColors?.() ?? false;
  const styled = (code: number, text: string) => (colours ? `\x1b[${code}m${text}\x1b[0m` : text);
  const bold = (text: string) => styled(1, text);
  const dim = (text: string) => styled(2, text);
  const green = (text: string) => styled(32, text);
  const line = (text = '') => out.write(`${text}\n`);
  const pick = (en: string, zh: string) => (language === 'zh' ? zh : en);
  let held = 0;

  const teacher: Teacher = {
    language,
    part(en, zh) {
      line();
      line(bold(pick(en, zh)));
    },
    say(en, zh) {
      line(wrap(pick(en, zh)));
    },
    print: line,
    show(work) {
      using _ = trace((event) => line(dim(`    ${event}`)));
      const result = work();
      if (!(result instanceof Promise)) return result;
      // Calls that are made later go by, too: the trace goes on until the promise is settled.
      const going = trace((event) => line(dim(`    ${event}`)));
      return result.finally(() => going.stop()) as typeof result;
    },
    picture(draw) {
      if (picture === undefined) {
        const command = `npx posix-sockets lesson ${lesson.number}${pick('', ' --lang zh')} --picture out.html`;
        return void line(dim(pick(`The same as a page: ${command}`, `把它画成网页：${command}`)));
      }
      writeFileSync(picture, draw());
      line(pick(`The same as a page: ${picture}`, `画成的网页：${picture}`));
    },
    check(holds, en, zh) {
      if (!holds) throw new WrongLesson(pick(en, zh));
      held++;
      line(`  ${green('✓')} ${wrap(pick(en, zh)).replaceAll('\n', '\n    ')}`);
    },
  };

  line(
    bold(
      language === 'zh'
        ? `第 ${lesson.number} 课：${lesson.title.zh}`
        : `${words.lesson.en} ${lesson.number}: ${lesson.title.en}`,
    ),
  );
  await lesson.teach(teacher);
  line();
  for (const part of ['right', 'folklore', 'changed'] as const) {
    const text = lesson.verdict[part];
    if (text) line(wrap(`${words[part][language]}${pick(': ', '：')}${text[language]}`));
  }
  line(dim(`${held} ${words.checks[language]}`));
  return held;
}

const width = 96;

/** Breaks text into lines: between words, and between any two characters of Chinese. */
function wrap(text: string): string {
  const lines: string[] = [];
  let current = '';
  let columns = 0;
  for (const piece of text.match(/[\u2e80-\uffef]|[^\s\u2e80-\uffef]+\s*|\s+/gu) ?? []) {
    const wide = /^[\u2e80-\uffef]$/u.test(piece) ? 2 : piece.trimEnd().length;
    // No line begins with a mark that closes what the one before said.
    if (columns + wide > width && !/^[，。；：！？、）」》”]/u.test(piece)) {
      lines.push(current.trimEnd());
      current = '';
      columns = 0;
    }
    current += piece;
    columns += wide === 2 ? 2 : piece.length;
  }
  return [...lines, current.trimEnd()].join('\n');
}
