import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { buildFolder, cSources } from './paths.js';

const done = new Set<string>();

/** Compiles bench/c/NAME.c, once in a run, and gives the path of the program. */
export function compiled(name: string): string {
  const program = join(buildFolder, name);
  if (done.has(name)) return program;
  mkdirSync(buildFolder, { recursive: true });
  execFileSync(
    'cc',
    ['-O2', '-Wall', '-Wextra', '-D_GNU_SOURCE', '-pthread', '-o', program, join(cSources, `${name}.c`)],
    {
      stdio: 'inherit',
    },
  );
  done.add(name);
  return program;
}
