import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const bench = join(import.meta.dirname, '../dist/bench/main.js');

test.each([
  ['--help', /^usage: npm run bench -- \[--quick\] \[NAME\.\.\.\], where NAME is calls, echo, .*\n$/],
  ['--quick=1', /^usage: npm run bench .*\n$/],
  ['nothing', /^no bench nothing: there are calls, echo, .*\n$/],
])('the bench refuses %s in one sentence', (argument, sentence) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [bench, argument], {
    encoding: 'utf8',
    timeout: 20_000,
  });
  expect({ status, stdout, stderr }).toEqual({ status: 2, stdout: '', stderr: expect.stringMatching(sentence) });
});
