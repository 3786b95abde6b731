// What fcntl and ioctl ask: the argument and the result of each command.
import { constants, f_owner_ex, flock, ifreq, SIOCGIFCONF } from '../../index.js';
import { asBytes, intAt } from '../decode/bytes.js';
import { hardwareAddress } from '../decode/contents.js';
import {
  accessModes,
  descriptorFlags,
  hardwareTypes,
  interfaceFlags,
  ioctlRequests,
  lockTypes,
  openFlags,
  ownerTypes,
  seals,
  signalNames,
} from '../decode/families.js';
import {
  change,
  hexDigits,
  list,
  named,
  nullPointer,
  number,
  pointed,
  pointer,
  quoted,
  type Shown,
  struct,
} from '../decode/notation.js';
import { sockaddr } from '../decode/sockaddr.js';
import { signal } from '../decode/structs.js';
import type { Answer, Before, Parameter } from './call.js';

type Bytes = ArrayBufferView | ArrayBuffer;

const bytesOf = (value: Bytes) => asBytes(value) ?? new Uint8Array(0);
const failed = ({ result }: Answer) => result < 0;
const numbers = (...names: readonly string[]) => new Set(names.map((name) => constants[name] as number));

const withoutArgument = numbers(
  'F_GETFD',
  'F_GETFL',
  'F_GETOWN',
  'F_GETSIG',
  'F_GETLEASE',
  'F_GETPIPE_SZ',
  'F_GET_SEALS',
);
const takesNumber = numbers(
  'F_DUPFD',
  'F_DUPFD_CLOEXEC',
  'F_SETFD',
  'F_SETFL',
  'F_SETOWN',
  'F_SETSIG',
  'F_SETLEASE',
  'F_NOTIFY',
  'F_DUPFD_QUERY',
  'F_CREATED_QUERY',
  'F_SETPIPE_SZ',
  'F_ADD_SEALS',
);
const owners = numbers('F_SETOWN_EX', 'F_GETOWN_EX');
const locks = numbers('F_GETLK', 'F_SETLK', 'F_SETLKW', 'F_OFD_GETLK', 'F_OFD_SETLK', 'F_OFD_SETLKW');
const filledByFcntl = numbers('F_GETLK', 'F_OFD_GETLK', 'F_GETOWN_EX', 'F_GETOWNER_UIDS');

/** How the number that a command takes is shown. */
const fcntlNumbers: Readonly<Record<number, (value: number) => Shown>> = {
  [constants.F_SETFD as number]: (value) => descriptorFlags.flags(value),
  [constants.F_SETFL as number]: openMode,
  [constants.F_SETSIG as number]: signal,
  [constants.F_SETLEASE as number]: (value) => lockTypes.choice(value),
  [constants.F_ADD_SEALS as number]: (value) => seals.flags(value),
};

/** `O_RDWR|O_NONBLOCK`, where O_RDONLY is 0 and yet written. */
function openMode(value: number): Shown {
  const accessBits = constants.O_ACCMODE as number;
  const access = accessModes.choice(value & accessBits);
  const rest = value & ~accessBits;
  return rest === 0 ? access : named(`${access.text}|${openFlags.flags(rest).text}`);
}

function owner(bytes: Uint8Array): Shown {
  const { type, pid } = new f_owner_ex(bytes);
  return struct({ type: ownerTypes.choice(type), pid: number(pid) });
}

const whences = ['SEEK_SET', 'SEEK_CUR', 'SEEK_END'];

function lock(bytes: Uint8Array, withPid: boolean): Shown {
  const { l_type, l_whence, l_start, l_len, l_pid } = new flock(bytes);
  const whence = whences[l_whence];
  return struct({
    l_type: lockTypes.choice(l_type),
    l_whence: whence === undefined ? number(l_whence) : named(whence),
    l_start: number(l_start),
    l_len: number(l_len),
    l_pid: withPid ? number(l_pid) : undefined,
  });
}

function fcntlStruct(command: number, bytes: Uint8Array, name: string): Shown {
  if (owners.has(command) && bytes.length >= f_owner_ex.size) return owner(bytes);
  if (locks.has(command) && bytes.length >= flock.size) return lock(bytes, filledByFcntl.has(command));
  return pointer(name);
}

/** What may stand as the argument of a command. */
const fcntlChoices: Readonly<Record<string, readonly string[]>> = {
  F_SETFL: [...accessModes.names, ...openFlags.names],
  F_SETFD: descriptorFlags.names,
  F_SETSIG: signalNames.names,
  F_SETLEASE: lockTypes.names,
  F_ADD_SEALS: seals.names,
};

/** The third argument of fcntl, which some commands do not have. */
export const fcntlArgument = (name: string): Parameter<readonly [number | Bytes]> => ({
  kind: 'struct in',
  names: [name],
  takes: 1,
  show([value], { raw: [, command] }) {
    if (withoutArgument.has(command as number)) return [];
    if (typeof value === 'number') {
      // For a command that takes a struct a number is no pointer.
      return [takesNumber.has(command as number) ? (fcntlNumbers[command as number] ?? number)(value) : nullPointer];
    }
    const bytes = bytesOf(value);
    const show = () => fcntlStruct(command as number, bytes, name);
    if (filledByFcntl.has(command as number)) return (answer) => [failed(answer) ? pointer(name) : show()];
    return [show()];
  },
  choices: ([, command]) => fcntlChoices[command ?? ''] ?? [],
});

/** The result of fcntl, which for some commands is a set of flags. */
export function fcntlResult({ raw: [, command] }: Before, { result }: Answer): Shown | undefined {
  if (result < 0) return undefined;
  const withNote = (label: string, { text, json }: Shown) => ({ text: `${hexDigits(result)} (${label}${text})`, json });
  switch (command) {
    case constants.F_GETFL:
      return withNote('flags ', openMode(result));
    case constants.F_GETFD:
      return result === 0 ? undefined : withNote('flags ', descriptorFlags.flags(result));
    case constants.F_GET_SEALS:
      return result === 0 ? undefined : withNote('seals ', seals.flags(result));
    case constants.F_GETLEASE:
      return withNote('', lockTypes.choice(result));
    case constants.F_GETSIG:
      return result === 0 ? undefined : named(`${result} (${signal(result).text})`, signal(result).text);
    default:
      return undefined;
  }
}

const takesNothing = numbers('FIOCLEX', 'FIONCLEX');
const takesInt = numbers('FIONBIO', 'FIOASYNC', 'FIOSETOWN', 'SIOCSPGRP', 'SIOCSIFENCAP');

/** The field of an ifreq that each request is about, and how it is shown. */
const interfaceFields: Readonly<Record<string, readonly [field: string, show: (request: ifreq) => Shown]>> = {
  ADDR: ['ifr_addr', ({ ifr_addr }) => sockaddr(ifr_addr.bytes, 'ifr_addr')],
  DSTADDR: ['ifr_dstaddr', ({ ifr_dstaddr }) => sockaddr(ifr_dstaddr.bytes, 'ifr_dstaddr')],
  BRDADDR: ['ifr_broadaddr', ({ ifr_broadaddr }) => sockaddr(ifr_broadaddr.bytes, 'ifr_broadaddr')],
  NETMASK: ['ifr_netmask', ({ ifr_netmask }) => sockaddr(ifr_netmask.bytes, 'ifr_netmask')],
  HWADDR: ['ifr_hwaddr', ({ ifr_hwaddr }) => hardware(ifr_hwaddr)],
  FLAGS: ['ifr_flags', ({ ifr_flags }) => interfaceFlags.flags(ifr_flags & 0xffff)],
  INDEX: ['ifr_ifindex', ({ ifr_ifindex }) => number(ifr_ifindex)],
  METRIC: ['ifr_metric', ({ ifr_metric }) => number(ifr_metric)],
  MTU: ['ifr_mtu', ({ ifr_mtu }) => number(ifr_mtu)],
  HWBROADCAST: ['ifr_hwaddr', ({ ifr_hwaddr }) => hardware(ifr_hwaddr)],
  MULTI: ['ifr_hwaddr', ({ ifr_hwaddr }) => hardware(ifr_hwaddr)],
  // The field that struct ifreq has for it lies in the same bytes.
  SLAVE: ['ifr_slave', ({ ifr_newname }) => text(ifr_newname)],
  TXQLEN: ['ifr_qlen', ({ ifr_qlen }) => number(ifr_qlen)],
};

// A sockaddr whose family is of the hardware, and its address.
function hardware(bytes: Uint8Array): Shown {
  const family = (bytes[0] as number) | ((bytes[1] as number) << 8);
  return struct({ sa_family: hardwareTypes.choice(family), sa_data: hardwareAddress(bytes.subarray(2, 8)) });
}

const text = (string: string) => quoted(Buffer.from(string));

/** A request about an interface: before the call what it asks, and afterwards the answer, too. */
function interfaceRequest(request: number, bytes: Uint8Array): Shown | ((answer: Answer) => Shown) | undefined {
  const name = ioctlRequests.nameOf(request) ?? '';
  const [, verb, what = ''] = /^SIOC(?:([GS])IF|ADD|DEL)([A-Z]+)$/.exec(name) ?? [];
  if (bytes.length < ifreq.size) return undefined;
  const view = new ifreq(bytes);
  const about = { ifr_name: text(view.ifr_name) };
  if (what === 'NAME' && verb === 'S') return struct({ ...about, ifr_newname: text(view.ifr_newname) });
  if (what === 'NAME') {
    const asked = { ifr_ifindex: number(view.ifr_ifindex) };
    return (answer) => struct({ ...asked, ...(!failed(answer) && { ifr_name: text(view.ifr_name) }) });
  }
  const [field, show] = interfaceFields[what] ?? [];
  if (field === undefined || show === undefined) return undefined;
  if (verb !== 'G') return struct({ ...about, [field]: show(view) });
  return (answer) => struct({ ...about, ...(!failed(answer) && { [field]: show(view) }) });
}

const directions = ['_IOC_NONE', '_IOC_WRITE', '_IOC_READ', '_IOC_READ|_IOC_WRITE'];

/** The request of ioctl: its name, or the parts that its number is made of. */
export const ioctlRequest = (name: string): Parameter<readonly [number]> => ({
  kind: 'choice',
  names: [name],
  takes: 1,
  show([value]) {
    const known = ioctlRequests.nameOf(value);
    if (known !== undefined) return [named(known)];
    const parts = [(value >>> 8) & 0xff, value & 0xff, (value >>> 16) & 0x3fff].map(hexDigits);
    return [named(`_IOC(${[directions[value >>> 30], ...parts].join(', ')})`, value)];
  },
  choices: () => ioctlRequests.names,
});

/** The argument of ioctl: an int to pass or to fill, or a struct. */
export const ioctlArgument = (name: string): Parameter<readonly [number | Bytes | null, Bytes]> => ({
  kind: 'struct in',
  names: [name],
  takes: 2,
  show([value], { raw: [, request] }) {
    if (takesNothing.has(request as number)) return [];
    if (value === null) return [nullPointer];
    if (takesInt.has(request as number))
      return [pointed(number(typeof value === 'number' ? value : intAt(bytesOf(value))))];
    if (typeof value === 'number') {
      return (answer) => [failed(answer) ? pointer(name) : pointed(number(answer.out[0] as number))];
    }
    const bytes = bytesOf(value);
    if (request === SIOCGIFCONF) return (answer) => [interfaceList(bytes, answer)];
    const shown = interfaceRequest(request as number, bytes) ?? pointer(name);
    return typeof shown === 'function' ? (answer) => [shown(answer)] : [shown];
  },
});

/** What SIOCGIFCONF fills: the interfaces that have an IPv4 address. */
function interfaceList(bytes: Uint8Array, { result, out }: Answer): Shown {
  const before = lengthOfRequests(bytes.length);
  if (result < 0) return struct({ ifc_len: before, ifc_buf: pointer('ifc_buf') });
  const length = out[0] as number;
  const requests = Array.from({ length: Math.floor(length / ifreq.size) }, (_, i) => {
    const { ifr_name, ifr_addr } = new ifreq(bytes.subarray(i * ifreq.size, (i + 1) * ifreq.size));
    return struct({ ifr_name: text(ifr_name), ifr_addr: sockaddr(ifr_addr.bytes, 'ifr_addr') });
  });
  return struct({ ifc_len: change(before, lengthOfRequests(length)), ifc_buf: list(requests) });
}

function lengthOfRequests(length: number): Shown {
  const whole = length > 0 && length % ifreq.size === 0;
  return named(`${length}${whole ? ` /* ${length / ifreq.size} * sizeof(struct ifreq) */` : ''}`, length);
}
