import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

// The lessons as they are compiled: they are found by their files' names.
const { lessonFiles, loadLesson } = (await import(
  new URL('../dist/lessons/frame/index.js', import.meta.url).href
)) as typeof import('../lessons/frame/index.js');

const numbers = [...lessonFiles().keys()];

function give(number: number, language: string) {
  const program = `
    import { give } from './dist/lessons/frame/teacher.js';
    import { loadLesson } from './dist/lessons/frame/index.js';
    import { readdirSync } from 'node:fs';
    const before = readdirSync('/proc/self/fd').length;
    const held = await give(await loadLesson(${number}), '${language}', process.stdout);
    console.error(JSON.stringify({ held }));`;
  return spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    cwd: new URL('..', import.meta.url),
    encoding: 'utf8',
    timeout: 60_000,
  });
}

test('every statement of the notes has its lesson', async () => {
  const lessons = await Promise.all(numbers.map(loadLesson));
  const rows = new Set(lessons.flatMap((lesson) => lesson.rows));
  for (let row = 1; row <= 19; row++) expect(rows).toContain(row);
  expect(lessons.map(({ number }) => number)).toEqual(numbers);
});

describe.each(numbers)('lesson %i', (number) => {
  test.each(['en', 'zh'])('holds what it claims, in %s', { timeout: 90_000 }, (language) => {
    const { status, stdout, stderr } = give(number, language);
    expect(stderr).toMatch(/^\{"held":[1-9]/m);
    expect(status).toBe(0);
    expect(/[\u4e00-\u9fff]/.test(stdout)).toBe(language === 'zh');
  });
});

test('no lesson leaves a process or a file behind', () => {
  expect(readdirSync('/tmp').filter((name) => name.startsWith('posix-sockets-lesson-'))).toEqual([]);
});
