// What a lesson knows of threads: how long this one has run, and a second one to play the peer.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { gettid } from 'posix-sockets';

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

/** A peer that waits to send: for its time to come, and to be allowed to. */
export interface Sender {
  readonly worker: Worker;
  /** Lets it send. However busy the machine is, nothing comes before this is called. */
  allow(): void;
  /** Lets it send once this thread is asleep: to be called just before a call that blocks. */
  allowAsleep(): void;
}

/**
 * A peer that sends on a descriptor from another thread, when it is allowed to and its time has come.
 * @param before a program that it runs before it says that it is ready, and `after` one that it runs in the end
 */
export async function sender(
  fd: number,
  text: string,
  delay: number,
  { before = '', after = '' } = {},
): Promise<Sender> {
  const allowed = new Int32Array(new SharedArrayBuffer(4));
  const worker = thread(
    `${before}
     parentPort.postMessage('ready');
     pause(workerData.delay);
     Atomics.wait(workerData.allowed, 0, 0);
     const isAsleep = () => / S /.test(readFileSync('/proc/self/task/' + workerData.caller + '/stat', 'latin1'));
     while (workerData.allowed[0] === 2 && !isAsleep()) pause(1);
     posix.send(workerData.fd, Buffer.from(workerData.text));
     ${after}`,
    { fd, text, delay, allowed, caller: gettid() },
  );
  await once(worker, 'message');
  const allow = (how: number) => {
    Atomics.store(allowed, 0, how);
    Atomics.notify(allowed, 0);
  };
  return { worker, allow: () => allow(1), allowAsleep: () => allow(2) };
}

/** Waits until a thread has ended, which may be before it is asked for. */
export async function ended(worker: Worker): Promise<void> {
  if (worker.threadId !== -1) await once(worker, 'exit');
}
