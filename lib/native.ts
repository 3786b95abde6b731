// The one place that loads the addon.
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isMainThread, threadId } from 'node:worker_threads';

/** Bytes for a call to read or fill: a Uint8Array (Buffer included), any other view, or an ArrayBuffer. */
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

interface Addon {
  raw: Raw & { interruptWorkersUntilGone(): number };
  constants: Record<string, number>;
  layouts: Record<string, Layout>;
  open(out: Int32Array, threadId: number): void;
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
  const nodeGypBuild = require('node-gyp-build') as { (folder: string): Addon; path(folder: string): string };
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
const out = new Int32Array(new SharedArrayBuffer(64));
addon.open(out, threadId);

/** The system calls as the addon has them. See {@link Raw}. */
export const raw: Raw = Object.assign(addon.raw, { out });

/** See {@link NativeReactor}. */
export const NativeReactor = addon.Reactor;

/** Every constant that the system's headers define for this package, by its C name. */
export const constants: Readonly<Record<string, number>> = addon.constants;

/** The structs that this package reads and writes, as the C++ compiler laid them out. */
export const layouts: Readonly<Record<string, Layout>> = addon.layouts;

// A worker that is blocked in a system call would keep process.exit() waiting: for ever, did the addon not watch for it
// (native/threads.cc), which needs /proc and a moment more.
if (isMainThread) process.on('exit', () => addon.raw.interruptWorkersUntilGone());
