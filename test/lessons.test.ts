import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
    const narrated = stdout.split('\n').filter((line) => /[\u4e00-\u9fff]/.test(line));
    expect(narrated.filter((line) => /\b[a-z]{2,} [a-z]{2,} [a-z]{2,}/.test(line))).toEqual([]);
  });
});

describe('the picture of a lesson', () => {
  const lesson = (...args: string[]) =>
    spawnSync(process.execPath, ['dist/lib/tools/cli.js', 'lesson', ...args], {
      cwd: new URL('..', import.meta.url),
      encoding: 'utf8',
      timeout: 60_000,
    });

  test.each([
    ['en', 'non-blocking, asynchronous', 'asleep'],
    ['zh', '非阻塞、异步', '睡眠'],
  ])('the four cells on one page, in %s', { timeout: 90_000 }, (language, cell, asleep) => {
    const folder = mkdtempSync(join(tmpdir(), 'posix-sockets-'));
    try {
      const file = join(folder, 'cells.html');
      const { status, stdout } = lesson('17', '--lang', language, '--picture', file);
      expect(status).toBe(0);
      expect(stdout).toContain(file);
      const page = readFileSync(file, 'utf8');
      expect(page).toContain(`<html lang="${language}">`);
      expect(page.match(/<figure /g)).toHaveLength(4);
      expect(page).toContain(`<h2>${cell}</h2>`);
      // Two of the cells slept the 200 ms, one asked in vain, and in all of them the message came from the other thread.
      expect(page.match(new RegExp(`class="sleep[^>]*>${asleep} \\d+ ms<`, 'g'))?.length).toBeGreaterThanOrEqual(2);
      expect(page).toMatch(/>recv EAGAIN × \d+</);
      expect(page.match(/class="arrow bytes"/g)).toHaveLength(4);
      expect(page).toContain('class="activity"');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('is only offered where there is one', () => {
    expect(lesson('16', '--picture', 'out.html')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('lesson 16 draws no picture'),
    });
  });
});

test('no lesson leaves a process or a file behind', () => {
  expect(readdirSync('/tmp').filter((name) => name.startsWith('posix-sockets-lesson-'))).toEqual([]);
});
