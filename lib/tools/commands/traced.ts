// Running a script with each of its calls seen, without a change to it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { parse } from './command.js';

type Options = Record<string, { type: 'string' | 'boolean'; short?: string }>;
type Values<O extends Options> = ReturnType<typeof parseArgs<{ args: string[]; options: O }>>['values'];

/** What a command line is made of: our own options, then a script, then the arguments that are the script's. */
export interface Arguments<O extends Options> {
  readonly values: Values<O>;
  readonly file: string | undefined;
  readonly rest: readonly string[];
}

/** @throws UsageError there are options that are not ours */
export function readArguments<const O extends Options>(args: readonly string[], options: O): Arguments<O> {
  const { tokens } = parseArgs({ args: [...args], options, strict: false, allowPositionals: true, tokens: true });
  const first = tokens.find(({ kind }) => kind === 'positional')?.index ?? args.length;
  const own = args.slice(0, first).filter((argument) => argument !== '--');
  return { values: parse({ args: own, options }).values, file: args[first], rest: args.slice(first + 1) };
}

/** What is to be written of the calls, and where: the options of `posix-sockets trace`. */
export interface Tracing {
  readonly output?: string | undefined;
  readonly limit?: string | undefined;
  readonly json?: boolean | undefined;
  readonly states?: boolean | undefined;
  readonly files?: boolean | undefined;
  readonly durations?: boolean | undefined;
}

/** Runs a script with our own standard streams. @returns its exit code */
export async function runTraced(file: string, args: readonly string[], tracing: Tracing): Promise<number> {
  const { output, ...rest } = tracing;
  const preload = new URL('./preload.js', import.meta.url);
  preload.searchParams.set('tracer', tracerOf(file));
  if (output !== undefined) preload.searchParams.set('output', resolve(output));
  for (const [name, value] of Object.entries(rest)) if (value) preload.searchParams.set(name, String(value));

  const child = spawn(process.execPath, [...process.execArgv, '--import', preload.href, file, ...args], {
    stdio: 'inherit',
  });
  // A terminal sends Ctrl-C to both; other signals are for the script.
  process.on('SIGINT', () => isInForeground() || child.kill('SIGINT'));
  for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));
  const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  return code ?? 128 + constants.signals[signal as NodeJS.Signals];
}

/** Whether this process, and with it the script, is in the group that its terminal sends Ctrl-C to; see proc_pid_stat(5). */
function isInForeground(): boolean {
  const stat = readFileSync('/proc/self/stat', 'utf8');
  const [, , group, , , foreground] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return group === foreground;
}

/** The tracer of the package that the script itself uses, which need not be the one that this command belongs to. */
function tracerOf(file: string): string {
  try {
    return pathToFileURL(createRequire(resolve(file)).resolve('posix-sockets/trace')).href;
  } catch {
    return new URL('../trace.js', import.meta.url).href;
  }
}
