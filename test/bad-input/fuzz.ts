// Throws arbitrary values at every call of a floor: node dist/test/bad-input/fuzz.js raw|checked SEED RUNS [CALL ...]
//
// It prints its seed first, and at its end what became of the calls. Before each call it writes the call to the file that
// FUZZ_LAST names, so that a call that ends the process is known.
import { once } from 'node:events';
import { openSync, readdirSync, readlinkSync, writeSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import * as sockets from 'posix-sockets';
import { Descriptors } from './descriptors.js';
import { argumentsOf } from './shapes.js';
import { anything, FromGetter, Memory, type Recipe, valuesOf } from './values.js';

const { raw, SystemError, GaiError } = sockets;
const [floor, seedText, runsText, ...chosen] = process.argv.slice(2);
const [seed, runs] = [Number(seedText), Number(runsText)];
console.log(`seed ${seed}`);

const last = process.env.FUZZ_LAST === undefined ? undefined : openSync(process.env.FUZZ_LAST, 'w');
const descriptors = new Descriptors();
const calls = (floor === 'raw' ? raw : sockets) as unknown as Record<string, (...args: unknown[]) => unknown>;
const names = Object.keys(raw).filter((name) => typeof calls[name] === 'function');

// Whatever blocks is ended by a signal.
const alarm = new Worker(
  `const { parentPort, workerData } = require('node:worker_threads');
   import(workerData).then(({ raw }) => {
     setInterval(() => raw.interrupt(0), 10);
     parentPort.postMessage('ready');
   });`,
  { eval: true, workerData: import.meta.resolve('posix-sockets') },
);
await once(alarm, 'message');

/** The descriptors of the runtime, and what they are. */
function descriptorsOfOthers(): string[] {
  return readdirSync('/proc/self/fd')
    .filter((name) => !descriptors.isOurs(Number(name)))
    .map((name) => {
      try {
        return `${name}: ${readlinkSync(`/proc/self/fd/${name}`)}`;
      } catch {
        return ''; // the one by which the folder is read
      }
    });
}

/** Calls whose result is a descriptor, which is then closed. */
const makes = new Set([
  ...['socket', 'accept', 'accept4', 'dup', 'eventfd', 'timerfd_create', 'epoll_create', 'epoll_create1'],
  ...['memfd_create', 'pidfd_open', 'pidfd_getfd'],
]);

/** What would signal this process or others: owners of signals, and leases and watches that raise them. */
const signals: Record<string, readonly unknown[]> = {
  fcntl: [8, 10, 15, 1024, 1026], // F_SETOWN, F_SETSIG, F_SETOWN_EX, F_SETLEASE, F_NOTIFY
  ioctl: [0x8901, 0x8902], // FIOSETOWN, SIOCSPGRP
};

function closeWhatWasMade(name: string, args: readonly unknown[], answer: unknown): void {
  const isSignalfd = name === 'signalfd' && args[0] === -1;
  const isCopy = name === 'fcntl' && (args[1] === 0 || args[1] === 1030); // F_DUPFD, F_DUPFD_CLOEXEC
  if (typeof answer === 'number' && answer >= 0 && (makes.has(name) || isSignalfd || isCopy)) raw.close(answer);
  if (Array.isArray(answer) && (name === 'socketpair' || name === 'pipe2')) for (const fd of answer) raw.close(fd);
  if (answer instanceof Uint8Array && name === 'mmap') raw.munmap(answer);
}

/** What is wrong with an error, if anything is. */
function wrongError(error: unknown): string | undefined {
  if (error instanceof FromGetter) return undefined;
  if (floor === 'checked' && (error instanceof SystemError || error instanceof GaiError)) return undefined;
  if (!(error instanceof TypeError || error instanceof RangeError)) return `threw ${String(error)}`;
  if (floor === 'raw' && !/^\w+: '\w+' must be /.test(error.message))
    return `threw, and named nothing: ${error.message}`;
  return undefined;
}

/** What is wrong with an answer of the raw floor, if anything is. */
function wrongAnswer(name: string, answer: unknown): string | undefined {
  const isRight =
    name === 'mmap' ? answer instanceof Uint8Array || typeof answer === 'number' : Number.isSafeInteger(answer);
  return isRight ? undefined : `answered ${String(answer)}`;
}

const count = { refused: 0, failed: 0, succeeded: 0 };

/** Makes one call. Returns what is wrong, if anything is. */
function call(name: string, recipes: readonly Recipe[]): string | undefined {
  const memory = new Memory();
  const args = recipes.map(({ make }) => make(memory));
  if (signals[name]?.includes(args[1])) return undefined;
  descriptors.renew();
  if (last !== undefined) {
    const line = `${name}(${recipes.map(({ text }) => text).join(', ')})`;
    writeSync(last, `${line.slice(0, 4000).padEnd(4000)}\n`, 0);
  }
  let answer: unknown;
  try {
    answer = calls[name]?.(...args);
  } catch (error) {
    count[error instanceof SystemError || error instanceof GaiError ? 'failed' : 'refused']++;
    return wrongError(error);
  }
  count[typeof answer === 'number' && answer < 0 ? 'failed' : 'succeeded']++;
  if (answer instanceof Promise) {
    answer.catch((error) => {
      const wrong = floor === 'raw' ? `rejected with ${error}` : wrongError(error);
      if (wrong === undefined) return;
      console.error(`${name}: ${wrong}`);
      process.exitCode = 1;
    });
    return undefined;
  }
  const pair = floor === 'raw' && answer === 0 ? Array.from(raw.out.subarray(0, 2)) : answer;
  closeWhatWasMade(name, args, name === 'socketpair' || name === 'pipe2' ? pair : answer);
  if (!memory.intact()) return 'wrote outside a buffer';
  return floor === 'raw' ? wrongAnswer(name, answer) : undefined;
}

/** Argument lists for a call: on the checked floor of any values, on the raw floor mostly of the right kinds. */
function argumentLists(name: string): fc.Arbitrary<Recipe[]> {
  if (floor === 'checked') return fc.array(anything(descriptors), { maxLength: 6 });
  const all = fc.tuple(...(argumentsOf[name] ?? []).map(({ kind }) => valuesOf(kind, descriptors)));
  // Now and then arguments are missing.
  return fc.tuple(all, fc.nat({ max: 60 })).map(([args, given]) => (given < args.length ? args.slice(0, given) : args));
}

const atFirst = descriptorsOfOthers();
for (const name of chosen.length > 0 ? chosen : names) {
  fc.assert(
    fc.property(argumentLists(name), (recipes) => {
      const wrong = call(name, recipes);
      if (wrong !== undefined) throw new Error(`${name}: ${wrong}`);
    }),
    { seed, numRuns: runs },
  );
}
const left = descriptorsOfOthers();
const gone = atFirst.filter((descriptor) => !left.includes(descriptor));
if (gone.length > 0) throw new Error(`descriptors of the runtime are gone: ${gone.join(', ')}`);
await alarm.terminate();
console.log(`${count.refused} calls refused, ${count.failed} failed, ${count.succeeded} succeeded`);
