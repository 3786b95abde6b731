import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ownScenarios, playAlone } from './conformance/alone.js';
import { readScenarios } from './conformance/language.js';

const runner = fileURLToPath(new URL('../dist/test/conformance/run.js', import.meta.url));
const isRoot = process.getuid?.() === 0;

describe.skipIf(!isRoot)('what is known of the kernel (needs root: each scenario has a network of its own)', () => {
  test.concurrent.for(readScenarios(ownScenarios).map(({ id, why }, index) => ({ id, why, index })))(
    '$id: $why',
    { timeout: 60_000 },
    async ({ index }, { skip, expect }) => {
      const { differs, skipped } = await playAlone(ownScenarios, index);
      if (skipped) skip(skipped);
      expect(differs).toBeUndefined();
    },
  );
});

describe.skipIf(!isRoot)('npm run conformance (needs root: each scenario has a network of its own)', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'conformance-test.'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  // A file of scenarios of one step each.
  function write(steps: Record<string, unknown>): string {
    const file = join(folder, 'scenarios.json');
    const scenarios = Object.entries(steps).map(([id, step]) => ({ id, source: 'here', why: 'a test', steps: [step] }));
    writeFileSync(file, JSON.stringify(scenarios));
    return file;
  }

  function run(steps: Record<string, unknown>) {
    const file = write(steps);
    const { stdout, status } = spawnSync(process.execPath, [runner, file], {
      encoding: 'utf8',
    });
    return { lines: stdout.trimEnd().split('\n').sort(), status };
  }

  test('prints those that differ, those that it skipped, and the count', () => {
    expect(
      run({
        right: { op: 'socket', args: [2, 1, 0], expect: { value: { min: 3 } } },
        wrong: { op: 'socket', args: [250, 1, 0], expect: { errno: 'EINVAL' } },
        unsayable: { op: 'getsockname', args: [0, -1], expect: { errno: 'EINVAL' } },
        unknown: { op: 'bpf', args: [] },
      }),
    ).toEqual({
      lines: [
        '1 as expected, 1 not, 2 skipped',
        'skipped unknown: the package has no bpf',
        'skipped unsayable: a negative length',
        'wrong: checked: step 0 socket[250,1,0]: expected {"errno":"EINVAL"}, got {"value":-1,"errno":"EAFNOSUPPORT"}',
      ],
      status: 1,
    });
  });

  test.each([
    ['a value', { value: 1 }],
    ['the bytes', { bytes: '78' }],
    ['a field', { fields: { addr: { port: 1 } } }],
    ['a field that is not there', { fields: { port: 0 } }],
    ['bits', { fields: { addr: { port: { bits: 1 } } } }],
    ['the error of a call that succeeds', { errno: 'EINVAL' }],
  ])('tells when %s is otherwise', (_, expected) => {
    const step = { op: 'set', args: [0], expect: expected };
    expect(run({ step }).lines.at(0)).toBe('0 as expected, 1 not, 0 skipped');
  });

  test('refuses what it does not know in one sentence', () => {
    const { status, stderr } = spawnSync(process.execPath, [runner, '--help'], { encoding: 'utf8', timeout: 20_000 });
    expect({ status, stderr }).toEqual({
      status: 2,
      stderr: expect.stringMatching(/^usage: npm run conformance .*\n$/),
    });
  });

  test('ends a scenario that blocks', async () => {
    const file = write({ blocks: { op: 'poll', args: [[], -1] } });
    expect(await playAlone(file, 0, 2000)).toEqual({ differs: 'checked: took more than 2 s' });
  });
});
