import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface, type Interface } from 'node:readline';

/** The core that runs what is measured, and the one that runs whatever drives it. */
export const MEASURED = 0;
export const DRIVING = 1;

/** What a program says in one line of JSON. */
export type Answer = Record<string, number>;

/** No answer takes this long. */
const PATIENCE = 120_000;

/** A child process that is pinned to one core and answers in lines of JSON. Taken down with `await using`. */
export class Program {
  readonly #child: ChildProcess;
  readonly #answers: AsyncIterator<string>;
  readonly #command: string;
  #complaint = '';

  constructor(command: readonly string[], core: number) {
    this.#command = command.join(' ');
    this.#child = spawn('taskset', ['-c', String(core), ...command], { stdio: 'pipe' });
    this.#child.stderr?.on('data', (text) => {
      this.#complaint += text;
    });
    this.#child.stdin?.on('error', () => {}); // a program that is gone says so below
    const lines: Interface = createInterface(this.#child.stdout as NodeJS.ReadableStream);
    this.#answers = lines[Symbol.asyncIterator]();
  }

  /** The process that was asked for: taskset becomes it. */
  get pid(): number {
    return this.#child.pid as number;
  }

  /** The next line the program prints. */
  async answer(): Promise<Answer> {
    const late = new AbortController();
    const timer = setTimeout(() => {
      late.abort();
      this.#child.kill('SIGKILL');
    }, PATIENCE);
    const line = await this.#answers.next();
    clearTimeout(timer);
    if (!line.done) return JSON.parse(line.value);
    const why = late.signal.aborted ? `no answer within ${PATIENCE / 1000} s` : 'ended early';
    throw new Error(`${this.#command}: ${why}\n${this.#complaint}`);
  }

  /** Says `line` and gives the answer to it. */
  async ask(line: string): Promise<Answer> {
    this.#child.stdin?.write(`${line}\n`);
    return this.answer();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await gone;
  }
}

/** Runs a program to its one answer. */
export async function answerOf(command: readonly string[], core: number): Promise<Answer> {
  await using program = new Program(command, core);
  return await program.answer();
}
