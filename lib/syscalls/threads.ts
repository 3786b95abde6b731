import { Worker } from 'node:worker_threads';
import { fail } from '../errors.js';
import { raw } from '../native.js';
import { SigSet } from '../structs/sigset.js';
import { bytesOrNull } from '../structs/struct.js';
import { shown } from '../values.js';

declare module '../native.js' {
  interface Raw {
    /** Sends the thread one signal. @returns 1, or 0 if no thread of that number uses this package */
    interrupt(threadId: number): number;
    /** Sends the thread signals until it has ended. @returns as interrupt */
    interruptUntilGone(threadId: number): number;
    /** The same for all workers, and for those that begin from now on. @returns how many there are */
    interruptWorkersUntilGone(): number;
    gettid(): number;
    pthread_sigmask(how: number, set: Bytes | null, oldset: Bytes | null): number;
  }
}

function checkWorker(worker: Worker): void {
  if (!(worker instanceof Worker)) throw new TypeError(`worker must be a Worker, not ${shown(worker)}`);
}

/**
 * Ends the system call that a worker is blocked in: there it throws EINTR (`raw` answers -EINTR), and the worker goes
 * on. A worker that is not inside a call notices nothing; a call that it begins a moment later is not ended.
 * @param worker one of this thread's own
 * @returns whether the worker uses this package, and so could be reached
 * @throws TypeError it is no Worker
 * @see pthread_kill(3), signal(7)
 */
export function interrupt(worker: Worker): boolean {
  checkWorker(worker);
  return raw.interrupt(worker.threadId) === 1;
}

/**
 * Ends a worker even if it is blocked in a system call, where `worker.terminate()` alone would wait for ever.
 * @param worker one of this thread's own
 * @returns the worker's exit code, as `worker.terminate()` does
 * @throws TypeError it is no Worker
 * @see pthread_kill(3), signal(7)
 */
export function terminate(worker: Worker): Promise<number> {
  checkWorker(worker);
  const { threadId } = worker;
  const ended = worker.terminate();
  if (threadId >= 0) raw.interruptUntilGone(threadId);
  return ended;
}

/**
 * `gettid()`: this thread's number in the kernel: what F_OWNER_TID and /proc/self/task name it by.
 * @returns the number, which is the pid for the main thread
 * @see gettid(2)
 */
export function gettid(): number {
  return raw.gettid();
}

/**
 * `pthread_sigmask(how, set, oldset)`: changes which signals this thread blocks.
 *
 * Signals meant for the whole process go to any thread that does not block them, and Node has several.
 * @param how SIG_BLOCK, SIG_UNBLOCK or SIG_SETMASK
 * @param set null only to ask
 * @returns the mask as it was
 * @throws EINVAL an unknown `how`
 * @see pthread_sigmask(3), sigprocmask(2)
 */
export function pthread_sigmask(how: number, set: SigSet | null): SigSet {
  const old = new SigSet();
  const answer = raw.pthread_sigmask(how, bytesOrNull('set', set, SigSet), old.bytes);
  return answer < 0 ? fail('pthread_sigmask', answer) : old;
}
