// posix-sockets trace: a whole script traced, without a change to it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { type Command, UsageError } from './command.js';

const options = {
  output: { type: 'string', short: 'o' },
  json: { type: 'boolean' },
  states: { type: 'boolean' },
  durations: { type: 'boolean', short: 'T' },
  limit: { type: 'string', short: 's' },
} as const;

export const trace: Command = {
  usage: '[OPTION...] FILE [ARGUMENT...]',
  summary: 'Runs a script and writes every socket call that it makes, workers included, as strace would.',
  options: {
    '-o, --output OUTPUT': 'write to this file, and not to the standard error',
    '--json': 'write one object a line: time, thread, call, decoded arguments, result, duration',
    '--states': 'add to the objects the TCP states of the descriptors before and after each call',
    '-T, --durations': 'add to the lines how long each call took, in seconds',
    '-s, --limit LIMIT': 'show so many bytes and elements of a buffer or an array, and not 32',
  },
  async run(args) {
    const { own, file, rest } = split(args);
    const { output, json = false, states = false, durations = false, limit } = parse(own);
    if (limit !== undefined && !/^\d+$/.test(limit)) throw new UsageError(`'${limit}' is no number of bytes`);
    if (output !== undefined) closeSync(openSync(output, 'w'));

    const preload = new URL('./preload.js', import.meta.url);
    preload.search = new URLSearchParams({
      tracer: tracerOf(file),
      ...(output !== undefined && { output: resolve(output) }),
      ...(limit !== undefined && { limit }),
      ...(json && { json: '' }),
      ...(states && { states: '' }),
      ...(durations && { durations: '' }),
    }).toString();
    return run([...process.execArgv, '--import', preload.href, file, ...rest]);
  },
};

/** Our own arguments, and the script with its own. */
function split(args: readonly string[]): { own: readonly string[]; file: string; rest: readonly string[] } {
  const { tokens } = parseArgs({ args: [...args], options, strict: false, allowPositionals: true, tokens: true });
  const first = tokens.find(({ kind }) => kind === 'positional');
  if (first === undefined) throw new UsageError('which script?');
  return { own: args.slice(0, first.index), file: args[first.index] as string, rest: args.slice(first.index + 1) };
}

function parse(own: readonly string[]) {
  try {
    return parseArgs({ args: own.filter((argument) => argument !== '--'), options }).values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

/** The tracer of the package that the script itself uses, which need not be the one that this command belongs to. */
function tracerOf(file: string): string {
  try {
    return pathToFileURL(createRequire(resolve(file)).resolve('posix-sockets/trace')).href;
  } catch {
    return new URL('../trace.js', import.meta.url).href;
  }
}

/** Runs node, with our own standard streams. @returns its exit code */
async function run(args: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, args, { stdio: 'inherit' });
  // A terminal sends its signals to both; others are for the script.
  process.on('SIGINT', () => {});
  for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));
  const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  return code ?? 128 + constants.signals[signal as NodeJS.Signals];
}
