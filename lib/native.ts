// The one place that loads the addon.
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isMainThread, threadId } from 'node:worker_threads';
import { type HotCalls, hotCalls } from './hot-calls.js';

/** Bytes for a call to read or fill: a Uint8Array (Buffer included), any other view, or an ArrayBuffer. Of shared memory a view. */
export type Bytes = ArrayBufferView | ArrayBuffer;

/**
 * The raw floor: one function per system call, taking integers and bytes and answering the kernel's number, which is
 * `-errno` when it is negative. A call allocates nothing.
 *
 * Each family in `lib/syscalls` adds its calls to this interface. What C returns through a pointer lands in `out`.
 */
export interface Raw {
  /**
   * Where values land that C returns through pointers, until the next call: each raw function says which. It lies over
   * a SharedArrayBuffer, the one kind of buffer that cannot be detached.
   */
  readonly out: Int32Array;
}

/** Where a field of a C struct lies: offset, size, and for a bit-field its first bit and its width. */
export type Place = readonly [offset: number, size: number, firstBit?: number, bits?: number];

/** A C struct as the compiler laid it out. */
export interface Layout {
  readonly size: number;
  readonly fields: Readonly<Record<string, Place>>;
}

/** The native half of a reactor: an epoll instance that the event loop listens to. */
export interface NativeReactor {
  /** Joins the event loop. @returns 0, or -errno: then the epoll descriptor is still the caller's to close */
  begin(byThread: boolean): number;
  /** The generation of each descriptor's registration, by descriptor; 0 for none. */
  table(generations: Int32Array): void;
  /** To be called when `watched` has become 0 or 1, or `keepsAlive` has changed. */
  hold(): void;
  /** One epoll_wait into the batch. @returns how many events, or -errno */
  take(timeout: number): number;
  /** Puts another epoll instance behind the descriptor, by dup3(2). @returns 0, or -errno */
  replace(epfd: number): number;
  /** Leaves the event loop and closes the epoll descriptor. */
  close(): void;
}

/** Is told of a call instead of its being made, and answers for it. */
export type Watcher = (name: string, given: readonly unknown[]) => unknown;

interface Addon {
  raw: Raw;
  hot: HotCalls;
  constants: Record<string, number>;
  layouts: Record<string, Layout>;
  open(shared: Int32Array, threadId: number, tell: (name: string, ...given: unknown[]) => unknown): void;
  /**
   * @param shared what both halves read and write; native/reactor.h says what is where
   * @param deliver is called with the number of events in a new batch, or with 0 to go on after a handler has thrown
   */
  Reactor: new (
    epfd: number,
    shared: Int32Array,
    deliver: (count: number) => void,
  ) => NativeReactor;
}

// From dist/lib to the package's folder.
const packageFolder = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

function load(): Addon {
  const require = createRequire(import.meta.url);
  const nodeGypBuild = require('node-gyp-build') as { path(folder: string): string };
  let path: string;
  try {
    path = nodeGypBuild.path(packageFolder);
  } catch {
    throw new Error(
      `posix-sockets has neither a prebuilt nor a compiled addon for ${process.platform}-${process.arch}: ` +
        'run `npm rebuild posix-sockets`, which needs python3, make and g++.',
    );
  }
  return require(path) as Addon;
}

const addon = load();

// Memory that both halves know: `Shared` in native/environment.h.
const shared = new Int32Array(new SharedArrayBuffer(128));
const out = shared.subarray(0, 16);
const passed = shared.subarray(16, 24);
const watch = shared.subarray(24, 25);
const nobody = 0;
const every = 1;
const everyButNext = 2;

/** The system calls as the addon has them. See {@link Raw}. */
export const raw: Raw = { ...addon.raw, ...hotCalls(addon.raw, addon.hot, passed, watch), out };

let watcher: Watcher | undefined;
let pauses = 0;
addon.open(shared, threadId, (name, ...given) => watcher?.(name, given));

function setWatch(): void {
  watch[0] = watcher && pauses === 0 ? every : nobody;
}

/** Has every call of this thread told to a watcher, until there is none. The functions of `raw` stay the same ones. */
export function watchCalls(by: Watcher | undefined): void {
  watcher = by;
  setWatch();
}

/** Makes a call that the watcher was told of. */
export function makeWatched(name: string, given: readonly unknown[]): unknown {
  const call = (addon.raw as unknown as Record<string, (...given: readonly unknown[]) => unknown>)[name];
  watch[0] = everyButNext;
  return call?.(...given);
}

/** Does something whose own calls nobody is told of, and leaves `raw.out` as it was. */
export function unwatched<T>(work: () => T): T {
  const before = out.slice();
  pauses++;
  setWatch();
  try {
    return work();
  } finally {
    pauses--;
    setWatch();
    out.set(before);
  }
}

/** Watches again after a script was interrupted (SIGINT at a prompt), of which V8 runs no `finally`. */
export function watchAgain(): void {
  pauses = 0;
  setWatch();
}

/** Whether calls are told to a watcher now. */
export const isWatched = () => watch[0] !== nobody;

/** See {@link NativeReactor}. */
export const NativeReactor = addon.Reactor;

/** Every constant that the system's headers define for this package, by its C name. */
export const constants: Readonly<Record<string, number>> = addon.constants;

/** The structs that this package reads and writes, as the C++ compiler laid them out. */
export const layouts: Readonly<Record<string, Layout>> = addon.layouts;

// A worker that is blocked in a system call would keep process.exit() waiting: for ever, did the addon not watch for it
// (native/threads.cc), which needs /proc and a moment more.
if (isMainThread) process.on('exit', () => addon.raw.interruptWorkersUntilGone());
