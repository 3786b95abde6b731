import { createInterface } from 'node:readline';

/** Work done `count` times. A promise is waited for. */
export type Job = (count: number, argument: number) => void | Promise<void>;

/** A job whose preparation is not timed. */
export interface PreparedJob {
  prepare(argument: number): void;
  run: Job;
}

/**
 * The protocol of every measured program, the C ones included: a line `JOB COUNT ARGUMENT` on standard input, and
 * a line `{"ns": …}` back, the nanoseconds that one of COUNT took. Ends with its input.
 */
export async function stopwatch(jobs: Record<string, Job | PreparedJob>): Promise<void> {
  for await (const line of createInterface(process.stdin)) {
    const [name = '', count, argument] = line.split(' ');
    const job = jobs[name];
    if (!job) throw new Error(`no job ${name}`);
    const run = typeof job === 'function' ? job : job.run;
    if (typeof job !== 'function') job.prepare(Number(argument));
    const began = process.hrtime.bigint();
    const pending = run(Number(count), Number(argument));
    if (pending) await pending;
    const took = process.hrtime.bigint() - began;
    console.log(JSON.stringify({ ns: Number(took) / Number(count) }));
  }
}
