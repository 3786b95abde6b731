// The notation in which strace(1) writes values: {field=value, ...}, [a, b], "bytes", FLAG|FLAG.

/** What JSON can hold. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** A decoded value: as strace writes it, and as data. */
export interface Shown {
  readonly text: string;
  readonly json: Json;
  /** The text says by itself which field it is of: strace writes `inet_pton(AF_INET6, "::1", &sin6_addr)` so. */
  readonly namesItself?: boolean;
}

/** How many bytes of a string, and how many elements of an array, are shown: strace's -s. */
export const defaultLimit = 32;

/** What no one knows: an argument that does not read as what it should be. */
export const unknown: Shown = { text: '?', json: null };

/** A null pointer. */
export const nullPointer: Shown = { text: 'NULL', json: null };

/** A buffer that was not filled, for which strace writes its address: here its parameter's name stands. */
export function pointer(name: string): Shown {
  return { text: name, json: null };
}

/** A number as it is. */
export function number(value: number | bigint): Shown {
  const safe = typeof value === 'number' || BigInt.asIntN(54, value) === value;
  return { text: String(value), json: safe ? Number(value) : String(value) };
}

/** A number in hexadecimal; 0 is 0. */
export function hex(value: number | bigint): Shown {
  return { text: hexDigits(value), json: number(value).json };
}

/** `0x1f`; 0 is 0. */
export function hexDigits(value: number | bigint): string {
  return value === 0 || value === 0n ? '0' : `0x${value.toString(16)}`;
}

/** A name for a value: `htons(80)` for 80. */
export function named(text: string, json: Json = text): Shown {
  return { text, json };
}

/** `[value]`: what a pointer points at. */
export function pointed({ text, json }: Shown): Shown {
  return { text: `[${text}]`, json };
}

/** `{a=1, b=2}` */
export function struct(fields: Readonly<Record<string, Shown | undefined>>): Shown {
  const present = Object.entries(fields).filter((field): field is [string, Shown] => field[1] !== undefined);
  return {
    text: `{${present.map(([name, { text, namesItself }]) => (namesItself ? text : `${name}=${text}`)).join(', ')}}`,
    json: Object.fromEntries(present.map(([name, { json }]) => [name, json])),
  };
}

/** `[a, b, ...]` */
export function list(items: readonly Shown[], limit = Number.POSITIVE_INFINITY, separator = ', '): Shown {
  const texts = items.slice(0, limit).map(({ text }) => text);
  if (items.length > limit) texts.push('...');
  return { text: `[${texts.join(separator)}]`, json: items.map(({ json }) => json) };
}

/** `before => after`, or one of them if nothing changed. Its data is what it is afterwards. */
export function change(before: Shown, after: Shown): Shown {
  return before.text === after.text ? after : { text: `${before.text} => ${after.text}`, json: after.json };
}

const escapes: Readonly<Record<number, string>> = {
  9: '\\t',
  10: '\\n',
  11: '\\v',
  12: '\\f',
  13: '\\r',
  34: '\\"',
  92: '\\\\',
};

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x37;
}

/** Bytes as a C string literal has them between its quotes. */
function escapeBytes(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i] as number;
    if (byte in escapes) text += escapes[byte];
    else if (byte >= 0x20 && byte < 0x7f) text += String.fromCharCode(byte);
    // A digit that followed would be read as part of a short escape.
    else text += `\\${byte.toString(8).padStart(isDigit(bytes[i + 1]) ? 3 : 1, '0')}`;
  }
  return text;
}

/** `"bytes"`, cut to `limit` of them and then followed by `...` */
export function quoted(bytes: Uint8Array, limit: number = defaultLimit): Shown {
  const text = escapeBytes(bytes.subarray(0, limit));
  return { text: `"${text}"${bytes.length > limit ? '...' : ''}`, json: text };
}

/** `"\x01\x02"` */
export function quotedHex(bytes: Uint8Array): Shown {
  const text = Array.from(bytes, (byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('');
  return { text: `"${text}"`, json: text };
}
