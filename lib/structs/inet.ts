// IPv4 and IPv6 addresses as text and as bytes, by libc's own inet_pton and inet_ntop.
import { AF_INET, AF_INET6 } from '../constants.js';
import { raw } from '../native.js';
import { shown } from '../values.js';
import { bytes, type Kind } from './struct.js';

declare module '../native.js' {
  interface Raw {
    /** `inet_pton(af, src, dst)`: `text` is UTF-8. @returns 1, 0 if the text is no address, or -EAFNOSUPPORT */
    inet_pton(af: number, text: Uint8Array, address: Uint8Array): number;
    /** `inet_ntop(af, src, dst, size)` @returns the text's length, or -EAFNOSUPPORT, -ENOSPC */
    inet_ntop(af: number, address: Uint8Array, text: Uint8Array): number;
    /** `if_nametoindex(ifname)`: `name` is UTF-8. @returns the index, or -ENODEV */
    if_nametoindex(name: Uint8Array): number;
  }
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const text = new Uint8Array(64);

/** The text of an IPv4 address of 4 bytes. */
export function formatInet(bytes: Uint8Array): string {
  return decoder.decode(text.subarray(0, raw.inet_ntop(AF_INET, bytes, text)));
}

/** The text of an IPv6 address of 16 bytes. */
export function formatInet6(bytes: Uint8Array): string {
  return decoder.decode(text.subarray(0, raw.inet_ntop(AF_INET6, bytes, text)));
}

/** The error for text that is no address. Who gives a name learns what names are for. */
export function noAddress(family: string, text: string): TypeError {
  const isName = /^[\w.-]*[g-z][\w.-]*$/i.test(text);
  return new TypeError(`'${text}' is no ${family} address${isName ? ': getaddrinfo looks up names' : ''}`);
}

function parse(family: number, name: string, size: number, address: string): Uint8Array {
  if (typeof address !== 'string') throw new TypeError(`an ${name} address must be text, not ${shown(address)}`);
  const bytes = new Uint8Array(size);
  if (address.includes('\0') || raw.inet_pton(family, encoder.encode(address), bytes) !== 1) {
    throw noAddress(name, address);
  }
  return bytes;
}

/** The 4 bytes of an IPv4 address in its four parts. */
export function parseInet(address: string): Uint8Array {
  return parse(AF_INET, 'IPv4', 4, address);
}

/** The 16 bytes of an IPv6 address, and the interface's index that its zone names (0 without one). */
export function parseInet6(address: string): { bytes: Uint8Array; scopeId: number } {
  if (typeof address !== 'string') throw new TypeError(`an IPv6 address must be text, not ${shown(address)}`);
  const percent = address.indexOf('%');
  if (percent < 0) return { bytes: parse(AF_INET6, 'IPv6', 16, address), scopeId: 0 };
  return { bytes: parse(AF_INET6, 'IPv6', 16, address.slice(0, percent)), scopeId: zone(address.slice(percent + 1)) };
}

function zone(name: string): number {
  if (/^\d{1,10}$/.test(name)) return Number(name);
  const index = name === '' || name.includes('\0') ? -1 : raw.if_nametoindex(encoder.encode(name));
  if (index < 0) throw new TypeError(`there is no interface '${name}'`);
  return index;
}

/** A field that is an IPv4 address (`struct in_addr`), as text. */
export const in_addr: Kind<string> = {
  read: (view, place) => formatInet(bytes.read(view, place)),
  write: (view, place, value, name) => bytes.write(view, place, parseInet(value), name),
};

/** A field that is an IPv6 address (`struct in6_addr`), as text. */
export const in6_addr: Kind<string> = {
  read: (view, place) => formatInet6(bytes.read(view, place)),
  write: (view, place, value, name) => bytes.write(view, place, parseInet6(value).bytes, name),
};
