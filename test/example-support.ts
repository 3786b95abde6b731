// What the tests of examples/ share.
import { join } from 'node:path';
import { expect } from 'vitest';
import { type Outcome, run, type Started, start } from './support.js';

const program = (name: string) => join(import.meta.dirname, `../dist/examples/${name}.js`);

/** The command that runs an example. */
export const exampleCommand = (name: string, ...args: (string | number)[]): string[] => [
  process.execPath,
  program(name),
  ...args.map(String),
];

/** Runs an example to its end. */
export function runExample(name: string, ...args: (string | number)[]): Promise<Outcome> {
  const [command, ...rest] = exampleCommand(name, ...args) as [string, ...string[]];
  return run(command, rest);
}

/** Begins an example, which is killed when the test ends. */
export function startExample(name: string, ...args: (string | number)[]): Started {
  const [command, ...rest] = exampleCommand(name, ...args) as [string, ...string[]];
  return start(command, rest);
}

/** Runs an example, or anything else, that has to succeed. @returns the lines that it prints */
export async function linesOf(outcome: Promise<Outcome>): Promise<string[]> {
  const { code, signal, stdout, stderr } = await outcome;
  expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: '' });
  return stdout.trimEnd().split('\n');
}
