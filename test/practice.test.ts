import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const hole = /\/\* HERE \*\/|[^\n]*\/\/ HERE/;
const solutions = fileURLToPath(new URL('../lessons/practice/solutions/', import.meta.url));
const run = new URL('../dist/lessons/practice/run.js', import.meta.url).href;
const { begin, exercises } = (await import(run)) as typeof import('../lessons/practice/run.js');

// A folder where the package is not installed, as a reader's may be.
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'posix-sockets-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function attempt(file: string, language: string) {
  const program = `
    import { attempt } from '${run}';
    process.exitCode = (await attempt(process.argv[1], '${language}')) ? 0 : 1;`;
  return spawnSync(process.execPath, ['--input-type=module', '-e', program, file], {
    cwd: folder,
    encoding: 'utf8',
    timeout: 30_000,
  });
}

describe.each([...exercises()])('exercise %i, %s', (number, name) => {
  test('unsolved it says what is missing, in both languages', { timeout: 60_000 }, () => {
    const file = begin(number, folder);
    const english = attempt(file, 'en');
    expect(english.status).toBe(1);
    expect(english.stdout).toMatch(/✗ /);
    expect(english.stdout).not.toMatch(/Well done/);
    expect(english.stdout).toMatch(/\n\nHint: \S.*\n$/); // also of one that waits for ever
    expect(english.stdout.match(/\n/g)?.length).toBeLessThan(40);
    const chinese = attempt(file, 'zh');
    expect(chinese.status).toBe(1);
    expect(chinese.stdout).toMatch(/\n\n提示：.*[\u4e00-\u9fff].*\n$/);
  });

  test('solved it is well done', { timeout: 60_000 }, () => {
    const exercise = readFileSync(begin(number, folder), 'utf8');
    expect(exercise).toMatch(hole);
    const solution = readFileSync(join(solutions, name), 'utf8').trimEnd();
    const file = join(folder, `solved-${name}`);
    writeFileSync(
      file,
      exercise.replace(hole, () => solution),
    );
    const { status, stdout, stderr } = attempt(file, 'en');
    expect(stderr).toBe('');
    expect(stdout).toMatch(/✓ .*\n\nWell done\.\n$/s);
    expect(status).toBe(0);
  });
});

describe('an exercise that is filled wrongly', () => {
  /** Fills the hole of an exercise, and runs it. */
  function fill(number: number, text: string, language = 'en'): string {
    const name = begin(number, folder);
    const file = join(folder, `filled-${number}.mjs`);
    writeFileSync(
      file,
      readFileSync(name, 'utf8').replace(hole, () => text),
    );
    const { status, stdout } = attempt(file, language);
    expect(status).toBe(1);
    return stdout;
  }
  const lineOfHole = (number: number) =>
    readFileSync(begin(number, folder), 'utf8')
      .split('\n')
      .findIndex((line) => hole.test(line)) + 1;

  test('is told in which line it fails', () => {
    const line = lineOfHole(2);
    expect(fill(2, 'port = getPeername(connection);')).toContain(`✗ Line ${line}: getPeername is not defined\n`);
    expect(fill(2, 'port = 1;')).toMatch(/✗ Line \d+: This is not so yet: The same port/);
    expect(fill(2, 'port = 1;', 'zh')).toMatch(/✗ 第 \d+ 行：还不是这样：从两端看到/);
  });

  test.each(['process.exit(0);', 'await new Promise(() => {});'])('is told that it ended too early: %s', (text) => {
    expect(fill(2, text)).toMatch(/✗ It ended before its last line\.\n\nHint: \S/);
  });

  test('is not told of a call that was over when it did not end', { timeout: 30_000 }, () => {
    expect(fill(2, 'await new Promise((resolve) => setTimeout(resolve, 60_000));')).toMatch(
      /✗ It still runs, after ten seconds\.\n\nHint: \S/,
    );
  });

  test('leaves nothing behind that a right answer would stumble over', () => {
    expect(fill(7, "'practice'")).toContain('There is no file.');
    expect(existsSync(join(folder, 'practice'))).toBe(false);
  });
});
