// Which lessons there are, found by their files' names: NN-name.ts.
import { readdirSync } from 'node:fs';
import type { Lesson } from './lesson.js';

const folder = new URL('..', import.meta.url);
const pattern = /^(\d\d)-[\w-]+\.js$/;

/** The numbers of all lessons and their files, in reading order. */
export function lessonFiles(): Map<number, URL> {
  const files = readdirSync(folder).filter((name) => pattern.test(name));
  return new Map(files.sort().map((name) => [Number(pattern.exec(name)?.[1]), new URL(name, folder)]));
}

/** Loads a lesson. @throws RangeError there is none of that number */
export async function loadLesson(number: number): Promise<Lesson> {
  const file = lessonFiles().get(number);
  if (file === undefined)
    throw new RangeError(`there is no lesson ${number}: they are ${[...lessonFiles().keys()].join(', ')}`);
  return ((await import(file.href)) as { default: Lesson }).default;
}
