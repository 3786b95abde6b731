import { constants, raw } from './native.js';
import { integer } from './values.js';

declare module './native.js' {
  interface Raw {
    /** `strerror(errnum)`: writes the text into `text` without a NUL. @returns its length */
    strerror(errno: number, text: Uint8Array): number;
  }
}

// Of two names for one number, the one that the man pages use.
const secondNames = new Set(['EWOULDBLOCK', 'ENOTSUP', 'EDEADLOCK', 'EFSBADCRC', 'EFSCORRUPTED']);

const names = new Map<number, string>();
for (const [name, value] of Object.entries(constants)) {
  if (/^E(?!POLL|PIOC)[A-Z0-9]+$/.test(name) && !secondNames.has(name) && value > 0) names.set(value, name);
}

const text = new Uint8Array(256);
const decoder = new TextDecoder();

function positive(errno: number): number {
  return Math.abs(integer('errno', errno, -(2 ** 31) + 1, 2 ** 31 - 1));
}

/**
 * The name of an error number: `errnoName(111)` is `'ECONNREFUSED'`.
 * @param errno positive, or negative as `raw` answers it
 * @returns the name in errno(3), or the number as text if it has none
 * @throws TypeError, RangeError not an integer of 32 bits
 * @see errno(3)
 */
export function errnoName(errno: number): string {
  return names.get(positive(errno)) ?? String(positive(errno));
}

/**
 * `strerror(errnum)`: what an error number means, in English: `strerror(ECONNREFUSED)` is `'Connection refused'`.
 * @param errno positive, or negative as `raw` answers it
 * @returns the text
 * @throws TypeError, RangeError not an integer of 32 bits
 * @see strerror(3)
 */
export function strerror(errno: number): string {
  return decoder.decode(text.subarray(0, Math.min(raw.strerror(positive(errno), text), text.length)));
}

/** What a failed call was about, where there is something: shown in the message and kept on the error. */
export interface ErrorContext {
  readonly address?: string | undefined;
  readonly port?: number | undefined;
  readonly path?: string | undefined;
}

/**
 * What every checked call throws when the kernel says no. It has the properties of Node's own system errors, so
 * existing handling works unchanged: `code` ('ECONNREFUSED'), `errno` (-111), `syscall` ('connect'), and `address`,
 * `port` or `path` where there is one.
 */
export class SystemError extends Error {
  override readonly name = 'SystemError';
  /** The error's name: `'EAGAIN'`. See errno(3). */
  readonly code: string;
  /** The error's number, negative, as the kernel answered it. */
  readonly errno: number;
  /** The system call that failed. */
  readonly syscall: string;
  declare readonly address?: string;
  declare readonly port?: number;
  declare readonly path?: string;

  constructor(syscall: string, errno: number, context: ErrorContext = {}, remark?: string) {
    const code = errnoName(errno);
    const { address, port, path } = context;
    const where = path ?? (address === undefined || port === undefined ? address : hostAndPort(address, port));
    super([syscall, code, where, remark && `(${remark})`].filter((part) => part !== undefined).join(' '));
    this.code = code;
    this.errno = -Math.abs(errno);
    this.syscall = syscall;
    if (address !== undefined) this.address = address;
    if (port !== undefined) this.port = port;
    if (path !== undefined) this.path = path;
  }
}

function hostAndPort(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

/** Throws the SystemError for a raw call's negative answer. */
export function fail(syscall: string, answer: number, context?: ErrorContext): never {
  throw new SystemError(syscall, answer, context);
}

const gaiNames = new Map<number, string>();
for (const [name, value] of Object.entries(constants)) {
  if (name.startsWith('EAI_') && name !== 'EAI_NODATA') gaiNames.set(value, name);
}

/**
 * What getaddrinfo and getnameinfo throw: `code` is 'EAI_NONAME', 'EAI_AGAIN', ..., `errno` its number in C, `reason`
 * what gai_strerror(3) says.
 */
export class GaiError extends Error {
  override readonly name = 'GaiError';
  /** The error's name. See getaddrinfo(3). */
  readonly code: string;
  /** The error's number, negative. */
  readonly errno: number;
  readonly syscall: string;
  /** What it means, in English. */
  readonly reason: string;

  constructor(syscall: string, errno: number, reason: string, what: string) {
    const code = gaiNames.get(errno) ?? String(errno);
    super(`${syscall} ${code} ${what} (${reason})`);
    this.code = code;
    this.errno = errno;
    this.syscall = syscall;
    this.reason = reason;
  }
}
