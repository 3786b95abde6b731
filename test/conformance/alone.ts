// Plays scenarios each alone: its own process, its own network, its own empty folder, and a few seconds at most.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Verdict } from './play.js';

const packageFolder = dirname(createRequire(import.meta.url).resolve('posix-sockets/package.json'));
const player = join(packageFolder, 'dist/test/conformance/play.js');

/** The scenarios that the project has. */
export const ownScenarios = join(packageFolder, 'test/conformance/scenarios.json');

// Milliseconds: five seconds for the scenario, and as much for Node to start on a machine that is busy.
const usualLimit = 10_000;

/** The floors of the package that a scenario is played on. */
export const floorNames = ['checked', 'raw'] as const;

async function playOn(floor: string, file: string, index: number, timeout: number): Promise<Verdict> {
  const cwd = await mkdtemp(join(tmpdir(), 'conformance.'));
  await chmod(cwd, 0o755);
  try {
    const child = spawn('unshare', ['--net', process.execPath, player, file, String(index), floor], {
      cwd,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout,
      killSignal: 'SIGKILL',
    });
    const ended = once(child, 'close');
    const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
    const [status, signal] = await ended;
    if (status === 0) return JSON.parse(stdout) as Verdict;
    if (child.killed) return { differs: `took more than ${timeout / 1000} s` };
    return { differs: `ended by ${signal ?? `status ${status}`}: ${stderr}` };
  } finally {
    await rm(cwd, { recursive: true });
  }
}

/** Plays the scenario of that number in a file on every floor that can say it. */
export async function playAlone(file: string, index: number, limit = usualLimit): Promise<Verdict> {
  const verdicts: Verdict[] = [];
  for (const floor of floorNames) {
    const verdict = await playOn(floor, file, index, limit);
    if (verdict.differs) return { differs: `${floor}: ${verdict.differs}` };
    verdicts.push(verdict);
  }
  return verdicts.find(({ skipped }) => !skipped) ?? (verdicts[0] as Verdict);
}
