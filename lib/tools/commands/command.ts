import { type ParseArgsConfig, parseArgs } from 'node:util';

/** A command of the command line: `posix-sockets NAME ...`. */
export interface Command {
  /** What stands behind the name. */
  readonly usage: string;
  /** What it does. */
  readonly summary: string;
  /** Its options, and what each does. */
  readonly options?: Readonly<Record<string, string>>;
  /** Does it. @returns the exit code */
  run(args: readonly string[]): number | Promise<number>;
}

/** A command line that does not read: the message is shown with the usage, and the exit code is 2. */
export class UsageError extends Error {}

/** `parseArgs`. @throws UsageError there is an option that there is not, or one without its value */
export function parse<const C extends ParseArgsConfig>(config: C): ReturnType<typeof parseArgs<C>> {
  try {
    return parseArgs(config);
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}
