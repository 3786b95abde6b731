import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { folder, haveNamespaces, run } from './support.js';

// FUZZ_RUNS and FUZZ_SEED make it longer, or the same again.
const program = join(import.meta.dirname, '../dist/test/bad-input/fuzz.js');
const runs = Number(process.env.FUZZ_RUNS ?? 100);
const bound = 120_000 + runs * 1000;

/**
 * Runs the program in a folder of its own, and in a network of its own where that may be. Its seed is printed: the same
 * arguments do the same again.
 */
async function fuzz(floor: 'raw' | 'traced' | 'checked' | 'structs'): Promise<void> {
  const seed = Number(process.env.FUZZ_SEED ?? Math.floor(Math.random() * 2 ** 31));
  const command = `${process.execPath} ${program} ${floor} ${seed} ${runs}`;
  console.log(command);
  const last = join(folder(), 'last');
  const network = haveNamespaces ? 'exec unshare -n sh -c "ip link set lo up && exec $0"' : 'exec $0';
  const outcome = await run('sh', ['-c', `cd "$1" && FUZZ_LAST="$2" ${network}`, command, folder(), last], bound);
  expect({ ...outcome, last: outcome.code === 0 ? '' : readFileSync(last, 'utf8').trim() }).toEqual({
    code: 0,
    signal: null,
    stderr: '',
    stdout: expect.stringMatching(new RegExp(`^seed ${seed}\n\\d+ calls refused, \\d+ failed, \\d+ succeeded\n$`)),
    last: '',
  });
}

describe('arbitrary values, in a process of their own, which ends as it should', () => {
  test('at every raw call', () => fuzz('raw'), bound);
  test('at every raw call while it is traced', () => fuzz('traced'), bound);
  test('at every checked call', () => fuzz('checked'), bound);
  test('at every struct', () => fuzz('structs'), bound);
});
