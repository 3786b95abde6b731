// A frame, as bytes and as an object. All numbers are big-endian.
//
//   4      length of the whole frame, these four included
//   1 + n  transfer filters, outermost first
//   1 + k  sequence number in base 36      ┐
//   1      type                            │
//   1 + k  service method                  │ the payload: all of it
//   2 + k  status, URL-encoded             │ goes through the filters
//   2 + k  metadata, URL-encoded           │
//   1      body codec                      │
//   rest   body                            ┘
import type { GrowingBytes } from './bytes.js';
import { code, Status } from './status.js';

export const CALL = 1;
export const REPLY = 2;
export const PUSH = 3;

/** The codec of a frame without a body. */
export const noCodec = '\0';

/** One message. Filters and codec are named by the bytes that stand for them, each as a character. */
export interface Frame {
  /** Outermost first: `'mg'` was compressed, then signed. */
  readonly filters: string;
  /** 32 bits, signed. A REPLY carries its CALL's. */
  readonly sequence: number;
  readonly type: number;
  /** At most 255 bytes of UTF-8; empty in a REPLY. */
  readonly method: string;
  /** At most 65,535 bytes, as the metadata. */
  readonly status: string;
  readonly meta: string;
  readonly codec: string;
  /** Text goes out as UTF-8. What came in is a view, valid until more bytes are received. */
  readonly body: string | Uint8Array;
}

/** Every filter costs work, for either side: a frame may name this many. The format has room for 255. */
export const mostFilters = 8;

// Length, no filters, one digit, type, no method, no status, no metadata, codec.
const shortestFrame = 4 + 1 + 2 + 1 + 1 + 2 + 2 + 1;
const bodyCodecs = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte));

function bad(cause: string): Status {
  return new Status(code.badMessage, undefined, cause);
}

function writeSequence(out: GrowingBytes, sequence: number): void {
  let rest = Math.abs(sequence);
  let digits = 1;
  for (let most = 36; most <= rest; most *= 36) digits++;
  out.byte(sequence < 0 ? digits + 1 : digits);
  if (sequence < 0) out.byte(0x2d);
  for (let at = out.length + digits - 1; at >= out.length; at--) {
    const digit = rest % 36;
    out.buffer[at] = digit < 10 ? 0x30 + digit : 0x57 + digit;
    rest = (rest - digit) / 36;
  }
  out.length += digits;
}

/** Writes a text after its length in `width` bytes, which is known when the text is written. */
function writeText(out: GrowingBytes, width: 1 | 2, text: string): void {
  const start = out.length + width;
  out.length = start;
  out.text(text);
  const size = out.length - start;
  if (size >= 256 ** width) throw new RangeError(`${size} bytes of method, status or metadata do not fit in a frame`);
  if (width === 2) out.buffer[start - 2] = size >> 8;
  out.buffer[start - 1] = size & 0xff;
}

/** Appends a frame's payload, before any filter. @throws RangeError a field is too long */
export function writePayload(out: GrowingBytes, frame: Frame): void {
  const { method, status, meta, body } = frame;
  const room = typeof body === 'string' ? body.length * 3 : body.length;
  out.reserve(16 + 3 * (method.length + status.length + meta.length) + room);
  writeSequence(out, frame.sequence);
  out.byte(frame.type);
  writeText(out, 1, method);
  writeText(out, 2, status);
  writeText(out, 2, meta);
  out.byte(frame.codec.charCodeAt(0));
  if (typeof body === 'string') out.text(body);
  else out.append(body);
}

/** Reserves a frame's length and names its filters. */
function beginFrame(out: GrowingBytes, filters: string): number {
  const start = out.length;
  out.reserve(5 + filters.length);
  out.length += 4;
  out.byte(filters.length);
  for (let i = 0; i < filters.length; i++) out.byte(filters.charCodeAt(i));
  return start;
}

function endFrame(out: GrowingBytes, start: number): void {
  out.buffer.writeUInt32BE(out.length - start, start);
}

/** Appends a frame that goes through no filter. @throws RangeError a field is too long */
export function writeFrame(out: GrowingBytes, frame: Frame): void {
  const start = beginFrame(out, '');
  writePayload(out, frame);
  endFrame(out, start);
}

/** Appends a frame whose payload went through its filters. */
export function writePacked(out: GrowingBytes, filters: string, payload: Uint8Array): void {
  const start = beginFrame(out, filters);
  out.reserve(payload.length);
  out.append(payload);
  endFrame(out, start);
}

/**
 * How long the frame at `start` is, if its length is there yet: 0 if not.
 * @throws Status 400: no frame is so short, or it is longer than `limit`
 */
export function frameLength(bytes: Buffer, start: number, end: number, limit: number): number {
  if (end - start < 4) return 0;
  const length = bytes.readUInt32BE(start);
  if (length < shortestFrame) throw bad(`no frame is ${length} bytes long`);
  if (length > limit) throw bad(`a frame of ${length} bytes, where the limit is ${limit}`);
  return length;
}

/** The filters that the frame at `start` names: even the shortest has room for them. @throws Status 400: too many */
export function frameFilters(bytes: Buffer, start: number): string {
  const count = bytes[start + 4] as number;
  if (count === 0) return '';
  if (count > mostFilters) throw bad(`${count} filters, where ${mostFilters} are allowed`);
  return bytes.toString('latin1', start + 5, start + 5 + count);
}

/** Reads a payload field by field, never past its end. */
class Cursor {
  readonly #bytes: Buffer;
  readonly #end: number;
  #at: number;

  constructor(bytes: Buffer, start: number, end: number) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  /** Steps over so many bytes, and says where they begin. */
  #skip(count: number): number {
    const start = this.#at;
    this.#at += count;
    if (this.#at > this.#end) throw bad('its lengths do not add up');
    return start;
  }

  byte(): number {
    return this.#bytes[this.#skip(1)] as number;
  }

  /** A text after its length in `width` bytes. */
  text(width: 1 | 2): string {
    const length = width === 1 ? this.byte() : this.byte() * 256 + this.byte();
    return length === 0 ? '' : this.#bytes.toString('utf8', this.#skip(length), this.#at);
  }

  sequence(): number {
    let digits = this.byte();
    const negative = digits > 1 && this.#bytes[this.#at] === 0x2d;
    if (negative) {
      this.#skip(1);
      digits--;
    }
    if (digits === 0) throw bad('a frame without a sequence number');
    const start = this.#skip(digits);
    let value = 0;
    for (let at = start; at < this.#at; at++) value = value * 36 + digitOf(this.#bytes[at] as number);
    if (value > (negative ? 2 ** 31 : 2 ** 31 - 1)) throw bad('a sequence number that does not fit in 32 bits');
    return negative ? -value : value;
  }

  rest(): Buffer {
    return this.#bytes.subarray(this.#at, this.#end);
  }
}

function digitOf(character: number): number {
  if (character >= 0x30 && character <= 0x39) return character - 0x30;
  const lower = character | 0x20;
  if (lower >= 0x61 && lower <= 0x7a) return lower - 0x57;
  throw bad('a sequence number that is not in base 36');
}

/** Reads a payload that has come through its filters. @throws Status 400: it is none */
export function readPayload(bytes: Buffer, start: number, end: number, filters: string): Frame {
  const cursor = new Cursor(bytes, start, end);
  return {
    filters,
    sequence: cursor.sequence(),
    type: cursor.byte(),
    method: cursor.text(1),
    status: cursor.text(2),
    meta: cursor.text(2),
    codec: bodyCodecs[cursor.byte()] as string,
    body: cursor.rest(),
  };
}
