// How a body becomes bytes.
import { decodeQuery, quoteForm } from './query.js';

/** A body codec. */
export interface Codec {
  /** The byte that names it, as a character; both peers must mean the same. */
  readonly id: string;
  /** A text goes out as UTF-8. */
  encode(body: unknown): string | Uint8Array;
  /** @param bytes valid until it returns: a codec that keeps them copies them */
  decode(bytes: Buffer): unknown;
}

// Go's encoder writes these characters so, to make JSON safe inside HTML; it is the same JSON.
const escapes: Readonly<Record<string, string>> = {
  '<': '\\u003c',
  '>': '\\u003e',
  '&': '\\u0026',
  '\u2028': '\\u2028',
  '\u2029': '\\u2029',
};

/** JSON. No body at all is undefined. */
export const json: Codec = {
  id: 'j',
  encode: (body) =>
    body === undefined
      ? ''
      : JSON.stringify(body).replace(/[<>&\u2028\u2029]/g, (character) => escapes[character] ?? ''),
  decode: (bytes) => (bytes.length === 0 ? undefined : JSON.parse(bytes.toString())),
};

/** Text: strings, numbers and booleans go out as they print, bytes as they are; what comes in is a string. */
export const plain: Codec = {
  id: 's',
  encode: (body) => {
    if (typeof body === 'string' || body instanceof Uint8Array) return body;
    if (body === undefined || body === null) return '';
    if (typeof body === 'object' || typeof body === 'function' || typeof body === 'symbol') {
      throw new TypeError(`the plain codec takes text, numbers, booleans and bytes, not ${typeof body}`);
    }
    return String(body);
  },
  decode: (bytes) => bytes.toString(),
};

/** What a form may be made of: names with one value or several. */
export type Form = URLSearchParams | Readonly<Record<string, FormValue | readonly FormValue[]>>;
type FormValue = string | number | bigint | boolean;

function pairsOf(form: Form): [string, string][] {
  if (form instanceof URLSearchParams) return [...form];
  return Object.entries(form).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).map((one): [string, string] => [name, String(one)]),
  );
}

/** `a=1&b=2`, sorted by name, as HTML forms are encoded; what comes in is a URLSearchParams. */
export const form: Codec = {
  id: 'f',
  encode: (body) => {
    if (body === undefined || body === null) return '';
    if (typeof body !== 'object') throw new TypeError(`the form codec takes an object, not ${typeof body}`);
    const sorted = new URLSearchParams(pairsOf(body as Form));
    sorted.sort();
    return [...sorted].map(([name, value]) => `${quoteForm(name)}=${quoteForm(value)}`).join('&');
  },
  decode: (bytes) => decodeQuery(bytes.toString()),
};
