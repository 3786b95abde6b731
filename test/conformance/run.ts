// npm run conformance -- [FILE] [--only TEXT]: plays a file of scenarios, by default the project's own, and prints those
// that came out otherwise, those that were skipped, and the count. Needs root, for networks of their own.
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { ownScenarios, playAlone } from './alone.js';
import { readScenarios } from './language.js';

function commandLine() {
  try {
    return parseArgs({ options: { only: { type: 'string', default: '' } }, allowPositionals: true });
  } catch {
    console.error('usage: npm run conformance -- [FILE] [--only TEXT], where TEXT is part of a name');
    return process.exit(2);
  }
}

const { values, positionals } = commandLine();
const file = resolve(positionals[0] ?? ownScenarios);

if (process.getuid?.() !== 0) {
  console.error('The scenarios need root: each gets a network of its own.');
  process.exit(2);
}

const chosen = [...readScenarios(file).entries()].filter(([, { id }]) => id.includes(values.only));
const queue = chosen.values();
const counts = { expected: 0, not: 0, skipped: 0 };

async function player(): Promise<void> {
  for (const [index, { id }] of queue) {
    const { differs, skipped } = await playAlone(file, index);
    if (differs) console.log(`${id}: ${differs}`);
    if (skipped) console.log(`skipped ${id}: ${skipped}`);
    counts[differs ? 'not' : skipped ? 'skipped' : 'expected']++;
  }
}

await Promise.all(Array.from({ length: availableParallelism() }, player));
console.log(`${counts.expected} as expected, ${counts.not} not, ${counts.skipped} skipped`);
process.exitCode = counts.not > 0 ? 1 : 0;
