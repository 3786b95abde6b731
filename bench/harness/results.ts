import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { chartOf } from './chart.js';
import type { Findings } from './findings.js';

/** What figures were measured on. */
export type Machine = Record<string, string | number>;

/** The share of the machine's time, in percent, that others take while the bench does nothing for a second. */
async function busy(): Promise<number> {
  const spent = () =>
    cpus().reduce((sum, { times }) => ({ idle: sum.idle + times.idle, all: sum.all + total(times) }), {
      idle: 0,
      all: 0,
    });
  const before = spent();
  await sleep(1000);
  const after = spent();
  return Math.round(100 * (1 - (after.idle - before.idle) / (after.all - before.all)));
}

const total = (times: Record<string, number>): number => Object.values(times).reduce((sum, time) => sum + time, 0);

/** This machine, now. */
export const machine = async (): Promise<Machine> => ({
  processor: cpus()[0]?.model.trim() ?? 'unknown',
  cores: cpus().length,
  memoryGiB: Math.round(totalmem() / 2 ** 30),
  linux: release(),
  node: process.versions.node,
  busyPercent: await busy(),
});

/** Writes a question's findings to FOLDER/NAME.json. */
export async function write(folder: string, name: string, machine: Machine, findings: Findings): Promise<void> {
  await mkdir(folder, { recursive: true });
  const figures = { when: new Date().toISOString(), machine, ...findings };
  await writeFile(join(folder, `${name}.json`), `${JSON.stringify(figures, null, 2)}\n`);
}

/** Draws what was measured of `names`, now or before, as FOLDER/chart.svg. */
export async function draw(folder: string, names: readonly string[]): Promise<void> {
  const found = await Promise.all(
    names.map(async (name): Promise<Findings | undefined> => {
      try {
        return JSON.parse(await readFile(join(folder, `${name}.json`), 'utf8'));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined; // not measured yet
        throw error;
      }
    }),
  );
  await writeFile(join(folder, 'chart.svg'), chartOf(found.flatMap((findings) => findings?.panels ?? [])));
}
