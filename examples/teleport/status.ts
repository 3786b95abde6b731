// How a call went: a number, a message, and a cause.
import { decodeQuery, quote } from './query.js';

/** The codes that the framework itself uses; an application's own are above 1000. */
export const code = {
  unknown: -1,
  ok: 0,
  /** Trouble on the way, found by the sender: the connection is closed, a write or a dial failed. */
  closed: 102,
  writeFailed: 104,
  dialFailed: 105,
  /** The message is at fault. */
  badMessage: 400,
  unauthorized: 401,
  notFound: 404,
  typeNotAllowed: 405,
  handleTimeout: 408,
  /** The receiver is at fault. */
  internal: 500,
  badGateway: 502,
} as const;

const messages = new Map<number, string>([
  [code.ok, ''],
  [code.closed, 'Connection Closed'],
  [code.writeFailed, 'Write Failed'],
  [code.dialFailed, 'Dial Failed'],
  [code.badMessage, 'Bad Message'],
  [code.unauthorized, 'Unauthorized'],
  [code.notFound, 'Not Found'],
  [code.typeNotAllowed, 'Message Type Not Allowed'],
  [code.handleTimeout, 'Handle Timeout'],
  [code.internal, 'Internal Server Error'],
  [code.badGateway, 'Bad Gateway'],
]);

// Percent-encoding makes at most nine bytes of a UTF-16 unit, and a frame has room for 65,535.
const longestText = 3500;

/**
 * What a call that did not succeed rejects with, and what a handler throws to make it so: `throw new Status(1001,
 * 'divide by zero')`. Also why a session ended.
 */
export class Status extends Error {
  override readonly name = 'Status';
  /** One of `code`, or the application's own, above 1000. 32 bits. */
  readonly code: number;

  /**
   * @param message by default what the code means
   * @param cause more about it, for people; of an Error, its message travels
   */
  constructor(code: number, message = messages.get(code) ?? 'Unknown Error', cause: unknown = '') {
    super(message, { cause });
    this.code = code;
  }

  /** As a frame carries it: `code=404&msg=Not%20Found&cause=`. Text over 3,500 characters is cut. */
  encode(): string {
    const cause = this.cause instanceof Error ? this.cause.message : String(this.cause);
    const message = this.message === '' ? '' : `&msg=${quote(this.message.slice(0, longestText))}`;
    return `code=${this.code}${message}&cause=${quote(cause.slice(0, longestText))}`;
  }
}

/** The status of success, as a frame carries it. */
export const success = 'code=0';

/** Reads a frame's status: undefined for success. */
export function decodeStatus(text: string): Status | undefined {
  if (text === success) return undefined;
  const query = decodeQuery(text);
  const number = Number(query.get('code') ?? code.ok);
  if (number === code.ok) return undefined;
  return new Status(Number.isInteger(number) ? number : code.unknown, query.get('msg') ?? '', query.get('cause') ?? '');
}

/** The status that tells of an error: the error itself if it is one. */
export function statusOf(error: unknown, otherwise: number): Status {
  return error instanceof Status ? error : new Status(otherwise, undefined, error);
}
