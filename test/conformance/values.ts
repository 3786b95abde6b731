// The values of the language as bytes, and back: data, addresses, control messages. Written from the man pages and
// without the package's own structs, so that neither hides a mistake of the other.
import { isIPv4 } from 'node:net';
import { endianness } from 'node:os';
import { integer, Unsayable, type Value } from './language.js';

const little = endianness() === 'LE';
const [AF_UNSPEC, AF_UNIX, AF_INET, AF_INET6, AF_NETLINK, AF_PACKET] = [0, 1, 2, 10, 16, 17];
const [SOL_SOCKET, SCM_RIGHTS, SCM_CREDENTIALS] = [1, 1, 2];
const cmsgHeader = 16;

/** Data as a scenario writes it. */
export interface Data {
  readonly text?: string;
  readonly hex?: string;
  readonly fill?: number;
  readonly count?: number;
  readonly u64?: number | bigint;
  readonly ints?: readonly number[];
}

/** A socket address as a scenario writes it. */
export interface Address {
  readonly family: 'inet' | 'inet6' | 'unix' | 'unspec' | 'netlink' | 'packet' | 'raw';
  readonly address?: string;
  readonly port?: number;
  readonly scope?: number;
  readonly flowinfo?: number;
  readonly path?: string;
  readonly abstract?: string;
  readonly nul?: boolean;
  readonly pid?: number;
  readonly groups?: number;
  readonly protocol?: number;
  readonly ifindex?: number;
  readonly hatype?: number;
  readonly pkttype?: number;
  readonly mac?: string;
  readonly hex?: string;
  readonly len?: number;
}

/** A control message to send as a scenario writes it. */
export interface Control extends Data {
  readonly level: number;
  readonly type: number;
  readonly int?: number;
  readonly fds?: readonly number[];
  readonly creds?: readonly number[];
  readonly len?: number;
}

export const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** So many bytes of zeros, written by `fill`. */
export function written(size: number, fill: (view: DataView, bytes: Uint8Array) => void): Uint8Array {
  const bytes = new Uint8Array(size);
  fill(new DataView(bytes.buffer), bytes);
  return bytes;
}

/** int32s, also written as unsigned. */
export function ints(values: readonly number[]): Uint8Array {
  return written(values.length * 4, (view) => {
    for (const [i, value] of values.entries()) view.setInt32(i * 4, value, little);
  });
}

export function readInts(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: Math.floor(bytes.length / 4) }, (_, i) => view.getInt32(i * 4, little));
}

/** int64s. */
export function longs(values: readonly (number | bigint)[]): Uint8Array {
  return written(values.length * 8, (view) => {
    for (const [i, value] of values.entries()) view.setBigInt64(i * 8, BigInt(value), little);
  });
}

export function readLongs(bytes: Uint8Array): bigint[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: Math.floor(bytes.length / 8) }, (_, i) => view.getBigInt64(i * 8, little));
}

/** The field "u64" of eight bytes. */
export function readU64(bytes: Uint8Array): number | bigint {
  return integer(BigInt.asUintN(64, readLongs(bytes)[0] as bigint));
}

/** A little or big-endian integer of one to four bytes; of four it is signed. */
export function readInt(bytes: Uint8Array): number {
  const number = (little ? [...bytes] : [...bytes].reverse()).reduceRight((sum, byte) => sum * 256 + byte, 0);
  return bytes.length === 4 ? number | 0 : number;
}

/** A null pointer comes with the length 0, for which an empty buffer says the same. */
export function dataBytes(data: Data | null): Uint8Array {
  if (data === null) return new Uint8Array(0);
  if (data.text !== undefined) return Buffer.from(data.text);
  if (data.hex !== undefined) return Buffer.from(data.hex, 'hex');
  if (data.fill !== undefined) return new Uint8Array(data.count as number).fill(data.fill);
  if (data.u64 !== undefined) return longs([BigInt.asIntN(64, BigInt(data.u64))]);
  if (data.ints !== undefined) return ints(data.ints);
  throw new Unsayable(`data of an unknown form: ${JSON.stringify(data)}`);
}

// IPv6 text in its 16 bytes.
function inet6Bytes(text: string): number[] {
  const [head, tail] = text.split('::').map((half) => groups(half));
  if (!head) return [];
  return tail ? [...head, ...Array<number>(16 - head.length - tail.length).fill(0), ...tail] : head;
}

function groups(half: string): number[] {
  return half.split(':').flatMap((group) => {
    if (group === '') return [];
    if (isIPv4(group)) return group.split('.').map(Number);
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 255];
  });
}

// A whole address, before its `len` cuts or lengthens it.
function wholeAddress(address: Address): Uint8Array {
  const { family, port = 0 } = address;
  switch (family) {
    case 'inet':
      return written(16, (view, bytes) => {
        view.setUint16(0, AF_INET, little);
        view.setUint16(2, port);
        bytes.set((address.address as string).split('.').map(Number), 4);
      });
    case 'inet6':
      return written(28, (view, bytes) => {
        view.setUint16(0, AF_INET6, little);
        view.setUint16(2, port);
        view.setUint32(4, address.flowinfo ?? 0);
        bytes.set(inet6Bytes(address.address as string), 8);
        view.setUint32(24, address.scope ?? 0, little);
      });
    case 'unix': {
      const { abstract, path, nul } = address;
      let name = Buffer.alloc(0);
      if (abstract !== undefined) name = Buffer.from(`\0${abstract}`, 'latin1');
      else if (path !== undefined) name = Buffer.from(nul === false ? path : `${path}\0`);
      return written(2 + name.length, (view, bytes) => {
        view.setUint16(0, AF_UNIX, little);
        bytes.set(name, 2);
      });
    }
    case 'unspec':
      return new Uint8Array(16);
    case 'netlink':
      return written(12, (view) => {
        view.setUint16(0, AF_NETLINK, little);
        view.setUint32(4, address.pid as number, little);
        view.setUint32(8, address.groups as number, little);
      });
    case 'packet':
      return written(20, (view, bytes) => {
        const mac = Buffer.from(address.mac ?? '', 'hex');
        view.setUint16(0, AF_PACKET, little);
        view.setUint16(2, address.protocol as number);
        view.setInt32(4, address.ifindex as number, little);
        view.setUint16(8, address.hatype ?? 0, little);
        view.setUint8(10, address.pkttype ?? 0);
        view.setUint8(11, mac.length);
        bytes.set(mac, 12);
      });
    case 'raw':
      return Buffer.from(address.hex as string, 'hex');
  }
}

/** An address in as many bytes as its `len` says. */
export function addressBytes(address: Address): Uint8Array {
  const whole = wholeAddress(address);
  const length = address.len ?? whole.length;
  return length <= whole.length ? whole.subarray(0, length) : written(length, (_, bytes) => bytes.set(whole));
}

/** The address that the kernel wrote into `room`, of the length that it told. */
export function readAddress(room: Uint8Array, length: number): { [key: string]: Value } {
  const bytes = room.subarray(0, Math.max(0, length));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return { len: length, ...readFamily(bytes, view) };
}

function readFamily(bytes: Uint8Array, view: DataView): { [key: string]: Value } {
  if (bytes.length < 2) return { family: 'none' };
  const family = view.getUint16(0, little);
  const has = (size: number) => bytes.length >= size;
  if (family === AF_INET && has(8)) {
    return { family: 'inet', address: bytes.subarray(4, 8).join('.'), port: view.getUint16(2) };
  }
  if (family === AF_INET6 && has(28)) {
    return {
      family: 'inet6',
      address: inet6Text(bytes.subarray(8, 24)),
      port: view.getUint16(2),
      flowinfo: view.getUint32(4),
      scope: view.getUint32(24, little),
    };
  }
  if (family === AF_UNIX) return readUnix(Buffer.from(bytes.subarray(2)));
  if (family === AF_NETLINK && has(12)) {
    return { family: 'netlink', pid: view.getUint32(4, little), groups: view.getUint32(8, little) };
  }
  if (family === AF_PACKET && has(12)) {
    return {
      family: 'packet',
      protocol: view.getUint16(2),
      ifindex: view.getInt32(4, little),
      hatype: view.getUint16(8, little),
      pkttype: view.getUint8(10),
      mac: hexOf(bytes.subarray(12, 12 + view.getUint8(11))),
    };
  }
  return { family: family === AF_UNSPEC ? 'unspec' : family };
}

function readUnix(name: Buffer): { [key: string]: Value } {
  if (name.length === 0) return { family: 'unix', unnamed: true };
  if (name[0] === 0) return { family: 'unix', abstract: name.toString('latin1', 1) };
  const end = name.indexOf(0);
  return { family: 'unix', path: name.toString('utf8', 0, end < 0 ? name.length : end) };
}

// As inet_ntop writes it: the URL standard shortens as RFC 5952 does, but for addresses that carry one of IPv4.
function inet6Text(bytes: Uint8Array): string {
  const words = Array.from({ length: 8 }, (_, i) => ((bytes[i * 2] as number) << 8) | (bytes[i * 2 + 1] as number));
  const isMapped = words.slice(0, 5).every((word) => word === 0) && words[5] === 0xffff;
  const isCompatible = words.slice(0, 6).every((word) => word === 0) && words[6] !== 0;
  if (isMapped || isCompatible) return `::${isMapped ? 'ffff:' : ''}${bytes.subarray(12).join('.')}`;
  return new URL(`http://[${words.map((word) => word.toString(16)).join(':')}]`).hostname.slice(1, -1);
}

function controlData(message: Control): Uint8Array {
  if (message.fds) return ints(message.fds);
  if (message.creds) return ints(message.creds);
  return message.int === undefined ? dataBytes(message) : ints([message.int]);
}

/** Control messages, each with the length that it claims. */
export function controlBytes(messages: readonly Control[]): Uint8Array {
  return Buffer.concat(
    messages.map((message) => {
      const data = controlData(message);
      return written(Math.ceil((cmsgHeader + data.length) / 8) * 8, (view, bytes) => {
        view.setBigUint64(0, BigInt(message.len ?? cmsgHeader + data.length), little);
        view.setInt32(8, message.level, little);
        view.setInt32(12, message.type, little);
        bytes.set(data, cmsgHeader);
      });
    }),
  );
}

/** The control messages in what the kernel wrote. */
export function readControl(bytes: Uint8Array): { [key: string]: Value }[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const messages: { [key: string]: Value }[] = [];
  for (let at = 0; at + cmsgHeader <= bytes.length; ) {
    const length = Number(view.getBigUint64(at, little));
    if (length < cmsgHeader || at + length > bytes.length) break;
    const [level, type] = [view.getInt32(at + 8, little), view.getInt32(at + 12, little)];
    messages.push({ level, type, ...readControlData(level, type, bytes.slice(at + cmsgHeader, at + length)) });
    at += Math.ceil(length / 8) * 8;
  }
  return messages;
}

function readControlData(level: number, type: number, data: Uint8Array): { [key: string]: Value } {
  if (level === SOL_SOCKET && type === SCM_RIGHTS) {
    const fds = readInts(data);
    return { fds, count: fds.length };
  }
  if (level === SOL_SOCKET && type === SCM_CREDENTIALS && data.length === 12) {
    const [pid, uid, gid] = readInts(data) as [number, number, number];
    return { creds: { pid, uid, gid } };
  }
  return { data: hexOf(data) };
}
