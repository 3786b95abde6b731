// Throws arbitrary values at a floor: node dist/test/bad-input/fuzz.js raw|traced|checked|structs SEED RUNS [NAME ...]
//
// `traced` is the raw floor with a tracer on, which decodes whatever it is told of and shall change nothing.
// It prints its seed first, and at its end what became of the calls. Before each call it writes the call to the file that
// FUZZ_LAST names, so that a call that ends the process is known.
import { once } from 'node:events';
import { openSync, readdirSync, readlinkSync, writeSync } from 'node:fs';
import { isIP } from 'node:net';
import { inspect } from 'node:util';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import * as sockets from 'posix-sockets';
import { trace } from 'posix-sockets/trace';
import { Descriptors } from './descriptors.js';
import { argumentsOf } from './shapes.js';
import { anything, anythingButIntegers, asked, FromGetter, Memory, type Recipe, valuesOf } from './values.js';

const { raw, SystemError, GaiError, Struct } = sockets;
const [floor = '', seedText, runsText, ...chosen] = process.argv.slice(2);
const [seed, runs] = [Number(seedText), Number(runsText)];
const isRaw = floor === 'raw' || floor === 'traced';
console.log(`seed ${seed}`);

type Function = (...args: unknown[]) => unknown;
type Class = (new (...args: unknown[]) => object) & Record<string, Function>;
const exported = sockets as unknown as Record<string, unknown>;
const isClass = (value: unknown) => typeof value === 'function' && /^class\b/.test(`${value}`);

/** Classes that are views over bytes. Those that own descriptors are another floor's. */
const views = ['ControlBuffer', 'EpollEvents', 'FdSet', 'MessageBatch', 'MsgHdr', 'PollFds', 'SigSet', 'SockAddr'];
const isStruct = (name: string) =>
  views.includes(name) || (isClass(exported[name]) && (exported[name] as Class).prototype instanceof Struct);

const last = process.env.FUZZ_LAST === undefined ? undefined : openSync(process.env.FUZZ_LAST, 'w');
const descriptors = new Descriptors();

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

/** The descriptors that the fuzz did not make, and what they are. */
function descriptorsOfOthers(): Map<number, string> {
  const found = new Map<number, string>();
  for (const fd of readdirSync('/proc/self/fd').map(Number)) {
    if (descriptors.isOurs(fd)) continue;
    try {
      found.set(fd, readlinkSync(`/proc/self/fd/${fd}`));
    } catch {} // the one by which the folder was read
  }
  return found;
}

/** Calls whose result is a descriptor, which is then closed. */
const makes = new Set([
  ...['socket', 'accept', 'accept4', 'dup', 'eventfd', 'timerfd_create', 'epoll_create', 'epoll_create1'],
  ...['memfd_create', 'pidfd_open', 'pidfd_getfd', 'io_uring_setup'],
]);

/** Calls that may find a descriptor in what they read. */
const receives = new Set(['recvmsg', 'recvmmsg', 'recvFds', 'tryRecvmsg', 'getsockopt', 'getOption', 'ioctl']);

/** What would signal this process or others: owners of signals, and leases and watches that raise them. */
const signals: Record<string, readonly unknown[]> = {
  fcntl: [8, 10, 15, 1024, 1026], // F_SETOWN, F_SETSIG, F_SETOWN_EX, F_SETLEASE, F_NOTIFY
  ioctl: [0x8901, 0x8902], // FIOSETOWN, SIOCSPGRP
};

/** Calls that would reach what is not the fuzz's own. */
function reachesOthers(name: string, args: readonly unknown[]): boolean {
  const asksNameServer = name.startsWith('getaddrinfo') && typeof args[0] === 'string' && isIP(args[0]) === 0;
  return asksNameServer || (signals[name]?.includes(args[1]) ?? false);
}

function closeWhatWasMade(name: string, args: readonly unknown[], answer: unknown): void {
  const isSignalfd = name === 'signalfd' && args[0] === -1;
  const isCopy = name === 'fcntl' && (args[1] === 0 || args[1] === 1030); // F_DUPFD, F_DUPFD_CLOEXEC
  if (typeof answer === 'number' && answer >= 0 && (makes.has(name) || isSignalfd || isCopy)) raw.close(answer);
  if (name === 'socketpair' || name === 'pipe2') {
    const pair = answer === 0 ? Array.from(raw.out.subarray(0, 2)) : answer;
    if (Array.isArray(pair)) for (const fd of pair) raw.close(fd);
  }
  if (answer instanceof Uint8Array && name === 'mmap') raw.munmap(answer);
}

/** What is wrong with the descriptors after a call, if anything is. */
function wrongDescriptors(name: string): string | undefined {
  const now = descriptorsOfOthers();
  for (const [fd, what] of atFirst) {
    if (now.get(fd) !== what) return `the runtime's descriptor ${fd} is no longer ${what}`;
  }
  for (const [fd, what] of now) {
    if (atFirst.has(fd)) continue;
    raw.close(fd);
    if (!receives.has(name)) return `left descriptor ${fd} open: ${what}`;
  }
  return undefined;
}

/** What V8 says of values that nobody looked at. (A revoked proxy or a detached buffer is what V8 says it is.) */
const ofTheEngine =
  /^(?!.*(proxy that has been revoked|on a detached ArrayBuffer))(Cannot |Invalid |.*\(reading '|.*is not (a function|a constructor|an object)|.*out of bounds)/;

/** What is wrong with an error, if anything is. */
function wrongError(error: unknown): string | undefined {
  if (error instanceof FromGetter) return undefined;
  if (floor === 'checked' && (error instanceof SystemError || error instanceof GaiError)) return undefined;
  if (!(error instanceof TypeError || error instanceof RangeError)) return `threw ${String(error)}`;
  const isOfOurs = isRaw ? /^\w+: '\w+' must be /.test(error.message) : !ofTheEngine.test(error.message);
  return isOfOurs ? undefined : `threw, and named nothing: ${error.message}`;
}

/** What is wrong with an answer of the raw floor, if anything is. */
function wrongAnswer(name: string, answer: unknown): string | undefined {
  const isRight = name === 'mmap' && answer instanceof Uint8Array ? true : Number.isSafeInteger(answer);
  return isRight ? undefined : `answered ${String(answer)}`;
}

/** Nothing runs the code of an argument; but above the raw floor proxies are asked for their properties. */
function wrongQuestion(): string | undefined {
  if (floor === 'traced') return undefined; // a tracer shows what is in an argument
  const questions = floor === 'raw' ? asked : asked.filter((question) => question.endsWith('an object'));
  return questions.length > 0 ? `asked for ${questions.join(', ')}` : undefined;
}

const count = { refused: 0, failed: 0, succeeded: 0 };

/** Makes one call. Returns what is wrong, if anything is. */
async function attempt(name: string, action: Function, recipes: readonly Recipe[]): Promise<string | undefined> {
  const memory = new Memory();
  const args = recipes.map(({ make }) => make(memory));
  if (reachesOthers(name, args)) return undefined;
  descriptors.renew();
  if (last !== undefined) {
    const line = `${name}(${recipes.map(({ text }) => text).join(', ')})`;
    writeSync(last, `${line.slice(0, 4000).padEnd(4000)}\n`, 0);
  }
  asked.length = 0;
  let wrong: string | undefined;
  try {
    const answer = action(...args);
    wrong = wrongQuestion();
    if (answer instanceof Promise) {
      await answer;
      return wrong ?? wrongDescriptors(name);
    }
    count[typeof answer === 'number' && answer < 0 ? 'failed' : 'succeeded']++;
    closeWhatWasMade(name, args, answer);
    if (isRaw) wrong ??= wrongAnswer(name, answer);
  } catch (error) {
    count[error instanceof SystemError || error instanceof GaiError ? 'failed' : 'refused']++;
    wrong = wrongQuestion() ?? wrongError(error);
  }
  return wrong ?? (memory.intact() ? wrongDescriptors(name) : 'wrote outside a buffer');
}

async function check(name: string, action: Function, lists: fc.Arbitrary<Recipe[]>): Promise<void> {
  const property = fc.asyncProperty(lists, async (recipes) => {
    const wrong = await attempt(name, action, recipes);
    if (wrong !== undefined) throw new Error(`${name}: ${wrong}`);
  });
  await fc.assert(property, { seed, numRuns: runs });
}

/** Arguments of the kinds that a raw call takes, mostly. Now and then some are missing, or there are more. */
function rawArguments(name: string): fc.Arbitrary<Recipe[]> {
  const all = fc.tuple(...(argumentsOf[name] ?? []).map(({ kind }) => valuesOf(kind, descriptors)));
  const more = fc.array(anything(descriptors), { maxLength: 16 });
  return fc.tuple(all, more, fc.nat({ max: 60 })).map(([args, more, given]) => {
    if (given < args.length) return args.slice(0, given);
    return given > 57 ? [...args, ...more] : args;
  });
}

/** Any values for a checked call, but where a descriptor stands no number that is somebody else's. */
function checkedArguments(name: string): fc.Arbitrary<Recipe[]> {
  const shape = argumentsOf[name];
  const takesDescriptor = (i: number) => (shape === undefined ? i === 0 : shape[i]?.kind === 'fd');
  const isSafe = (i: number) => !takesDescriptor(i) && name !== 'unshare';
  const values = (i: number) => {
    if (isSafe(i)) return anything(descriptors);
    const odd = anythingButIntegers(descriptors);
    return fc.oneof({ weight: 2, arbitrary: valuesOf('fd', descriptors) }, { weight: 1, arbitrary: odd });
  };
  const all = fc.tuple(...Array.from({ length: 6 }, (_, i) => values(i)));
  return fc.tuple(all, fc.nat({ max: 6 })).map(([args, given]) => args.slice(0, given));
}

/** Makes a struct of any values, reads all of it, writes its fields, and calls its methods and its class's. */
function useStruct(type: Class, ...[first, second, ...args]: unknown[]): void {
  for (const method of Object.getOwnPropertyNames(type)) {
    if (typeof type[method] === 'function' && method !== 'prototype') tolerating(() => type[method]?.(first, second));
  }
  const made = new type(first, second) as Record<string | symbol, unknown>;
  const all = Object.entries(Object.getOwnPropertyDescriptors(type.prototype));
  for (const [i, [name, { get, set, value }]] of all.entries()) {
    if (set) tolerating(() => set.call(made, args[i % args.length]));
    if (get) tolerating(() => get.call(made));
    if (typeof value === 'function' && name !== 'constructor') tolerating(() => value.apply(made, args));
  }
  tolerating(() => inspect(made));
  if (Symbol.iterator in made) tolerating(() => Array.from(made as unknown as Iterable<unknown>));
}

/** Each step may be refused, and the next is taken all the same. */
function tolerating(step: () => unknown): void {
  try {
    step();
  } catch (error) {
    const wrong = wrongError(error);
    if (wrong !== undefined) throw new Error(`${wrong} in ${step}`);
  }
}

const atFirst = descriptorsOfOthers();
const has = (name: string) => chosen.length === 0 || chosen.includes(name);
if (floor === 'structs') {
  const values = fc.array(anything(descriptors), { minLength: 3, maxLength: 8 });
  for (const name of Object.keys(exported).filter((each) => isStruct(each) && has(each))) {
    await check(name, (...args) => useStruct(exported[name] as Class, ...args), values);
  }
} else {
  if (floor === 'traced') trace(() => {});
  const calls = (isRaw ? raw : exported) as Record<string, unknown>;
  for (const [name, call] of Object.entries(calls)) {
    if (typeof call !== 'function' || isClass(call) || !has(name)) continue;
    await check(name, call as Function, isRaw ? rawArguments(name) : checkedArguments(name));
  }
}
await alarm.terminate();
console.log(`${count.refused} calls refused, ${count.failed} failed, ${count.succeeded} succeeded`);
