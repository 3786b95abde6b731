// What a lesson knows of threads: how long this one has run, and a second one to play the peer.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';

/** Milliseconds that this thread has spent on a processor. */
export function cpuTime(): number {
  return Number(readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ')[0]) / 1e6;
}

/** Runs a program in a thread of its own; `data` is there as workerData, `posix` is this package. */
export function thread(program: string, data: unknown): Worker {
  const source = `
    const { parentPort, workerData } = require('node:worker_threads');
    const { readFileSync } = require('node:fs');
    const cpuTime = () => Number(readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ')[0]) / 1e6;
    const pause = (milliseconds) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
    import(${JSON.stringify(import.meta.resolve('posix-sockets'))}).then(async (posix) => { ${program} });`;
  return new Worker(source, { eval: true, execArgv: [], workerData: data });
}

/** A peer that sends on a descriptor when its time has come, from another thread. */
export function sender(fd: number, text: string, afterMilliseconds: number): Worker {
  return thread(
    `parentPort.postMessage('ready');
     pause(workerData.after);
     posix.send(workerData.fd, Buffer.from(workerData.text));`,
    { fd, text, after: afterMilliseconds },
  );
}

/** Waits until a thread has ended, which may be before it is asked for. */
export async function ended(worker: Worker): Promise<void> {
  if (worker.threadId !== -1) await once(worker, 'exit');
}
