#!/usr/bin/env node
// The command `posix-sockets`.
import { readFileSync } from 'node:fs';
import { type Command, UsageError } from './commands/command.js';
import { commands } from './commands/index.js';
import { wrap } from './wrap.js';

const program = 'posix-sockets';

async function help(): Promise<string> {
  const loaded = await Promise.all(Object.entries(commands).map(async ([name, load]) => describe(name, await load())));
  return `Usage: ${program} [COMMAND]\n\n${loaded.join('\n')}\nWithout a command it is the prompt. Also: --version, COMMAND --help.\n`;
}

function describe(name: string, { usage, summary }: Command): string {
  return `${program} ${name} ${usage}`.trimEnd().concat(`\n${wrap(summary, '  ')}\n`);
}

function options({ options = {} }: Command): string {
  return Object.entries(options)
    .map(([option, text]) => `  ${option.padEnd(22)}${text}\n`)
    .join('');
}

function version(): string {
  const description = new URL('../../../package.json', import.meta.url);
  return `${(JSON.parse(readFileSync(description, 'utf8')) as { version: string }).version}\n`;
}

async function main([name = 'prompt', ...args]: readonly string[]): Promise<number> {
  if (name === '--help' || name === '-h') return print(await help());
  if (name === '--version' || name === '-v') return print(version());
  const load = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (load === undefined) return refuse(`there is no command '${name}'; see ${program} --help`);
  const command = await load();
  if (args[0] === '--help' || args[0] === '-h') return print(`Usage: ${describe(name, command)}${options(command)}`);
  try {
    return await command.run(args);
  } catch (error) {
    if (error instanceof UsageError) return refuse(`${error.message}\nUsage: ${program} ${name} ${command.usage}`);
    if (isOfFile(error)) return refuse(error.message);
    throw error;
  }
}

/** Whether a file that the command line names could not be opened. */
const isOfFile = (error: unknown): error is NodeJS.ErrnoException =>
  error instanceof Error && 'syscall' in error && error.syscall === 'open' && 'path' in error;

function print(text: string): number {
  process.stdout.write(text);
  return 0;
}

function refuse(message: string): number {
  process.stderr.write(`${program}: ${message}\n`);
  return 2;
}

// Whoever reads may have seen enough: `posix-sockets lesson 5 | head`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});
process.exitCode = await main(process.argv.slice(2));
