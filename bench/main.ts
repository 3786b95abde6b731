// npm run bench [-- [--quick] NAME...]: measures, prints a table for each question, writes bench/results.
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { calls } from './calls.js';
import { churn } from './churn.js';
import { echo } from './echo.js';
import type { Question } from './harness/findings.js';
import { buildFolder, resultsFolder } from './harness/paths.js';
import { installPeers } from './harness/peers.js';
import { draw, machine, write } from './harness/results.js';
import { tableOf } from './harness/table.js';
import { memory } from './memory.js';
import { teleport } from './teleport.js';
import { udp } from './udp.js';
import { waits } from './waits.js';

const questions: Question[] = [calls, echo, churn, memory, waits, udp, teleport];

const names = questions.map(({ name }) => name);

function refuse(why: string): never {
  console.error(why);
  process.exit(2);
}

function commandLine() {
  try {
    return parseArgs({ options: { quick: { type: 'boolean', default: false } }, allowPositionals: true });
  } catch {
    return refuse(`usage: npm run bench -- [--quick] [NAME...], where NAME is ${names.join(', ')}`);
  }
}

const { values, positionals } = commandLine();
const unknown = positionals.find((name) => !names.includes(name));
if (unknown !== undefined) refuse(`no bench ${unknown}: there are ${names.join(', ')}`);
if (cpus().length < 2) refuse('the bench needs two cores: one for what is measured, one for what drives it');

installPeers();
const here = await machine();
console.log(
  `${Object.entries(here)
    .map(([what, value]) => `${what} ${value}`)
    .join(', ')}\n`,
);
// Figures of a quick run are for a look, and are not kept.
const folder = values.quick ? join(buildFolder, 'results') : resultsFolder;
for (const question of questions) {
  if (positionals.length && !positionals.includes(question.name)) continue;
  const findings = await question.measure({ quick: values.quick });
  console.log(`${tableOf(findings)}\n`);
  await write(folder, question.name, here, findings);
}
await draw(folder, names);
