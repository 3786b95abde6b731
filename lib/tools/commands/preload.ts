// What `posix-sockets trace` has node load before the script, in the main thread and in each worker. Its URL says how.
import { openSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import workerThreads, { type WorkerOptions } from 'node:worker_threads';
import type * as tracer from '../trace.js';
import { writeAll } from '../write-all.js';

const { searchParams: wanted } = new URL(import.meta.url);
const { trace } = (await import(wanted.get('tracer') as string)) as typeof tracer;

const path = wanted.get('output');
const output = path === null ? 2 : openSync(path, 'a');

function line(event: tracer.TraceEvent): string {
  if (wanted.has('json')) return JSON.stringify(event);
  const thread = event.thread === 0 ? '' : `[thread ${event.thread}] `;
  const duration = wanted.has('durations') ? ` <${(event.duration / 1000).toFixed(6)}>` : '';
  return `${thread}${event}${duration}`;
}

const tracing = trace(
  (event) => {
    try {
      writeAll(output, `${line(event)}\n`);
    } catch {
      tracing.stop(); // nobody reads any more, and that is no reason for the script to fail
    }
  },
  {
    states: wanted.has('states'),
    files: wanted.has('files'),
    ...(wanted.has('limit') && { limit: Number(wanted.get('limit')) }),
  },
);

// A worker takes the options of this process, and loads this, unless it is given options of its own.
const { Worker } = workerThreads;
workerThreads.Worker = class extends Worker {
  constructor(file: string | URL, options: WorkerOptions = {}) {
    const { execArgv } = options;
    super(file, execArgv ? { ...options, execArgv: [...execArgv, '--import', import.meta.url] } : options);
  }
};
syncBuiltinESMExports();
