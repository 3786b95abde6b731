import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { folder, run } from './support.js';

const sources = join(import.meta.dirname, 'fuzz');
const compiler = ['clang++', '-std=c++17', '-g', '-O1', '-fsanitize=fuzzer,address,undefined', '-fno-sanitize-recover'];
const [command, ...options] = compiler as [string, ...string[]];

// Whether there is a clang, and its libraries with it.
const nothing = 'extern "C" int LLVMFuzzerTestOneInput(const unsigned char*, unsigned long) { return 0; }';
const haveLibFuzzer =
  spawnSync(command, [...options, '-xc++', '-', '-o', '/dev/null'], { input: nothing, timeout: 20_000 }).status === 0;

// Each file of test/fuzz is a program for libFuzzer, which tries inputs after inputs that reach further than the last.
test.skipIf(!haveLibFuzzer).for(readdirSync(sources))(
  'libFuzzer finds nothing in %s (needs clang, libclang-rt)',
  { timeout: 60_000 },
  async (name) => {
    const program = join(folder(), 'fuzz');
    expect(await run(command, [...options, '-o', program, join(sources, name)])).toMatchObject({ code: 0, stderr: '' });
    const runs = ['-runs=300000', '-max_len=256', '-use_value_profile=1', '-seed=1', `-artifact_prefix=${program}.`];
    const { code, stderr } = await run(program, runs, 50_000);
    expect(code, stderr).toBe(0);
    expect(stderr).toMatch(/Done 300000 runs/);
  },
);
