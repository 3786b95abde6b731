import { AF_INET6, SO_DOMAIN, SOL_SOCKET } from '../constants.js';
import { fail } from '../errors.js';
import { type Bytes, raw } from '../native.js';
import type { Option } from '../options/option.js';
import {
  type Filled,
  type Given,
  type OptionInput,
  type OptionValue,
  optionTable,
  type ReadableOption,
  type WritableOption,
} from '../options/table.js';
import { bytesOf, littleEndian, Struct } from '../structs/struct.js';
import { tcp_zerocopy_receive } from '../structs/tcp.js';
import { arrayIn, shown } from '../values.js';

declare module '../native.js' {
  interface Raw {
    /** `out[0]`: the length that the kernel wrote. */
    getsockopt(fd: number, level: number, optname: number, value: Bytes): number;
    setsockopt(fd: number, level: number, optname: number, value: number | Bytes): number;
    /** getsockopt with TCP_ZEROCOPY_RECEIVE. `request` is a struct tcp_zerocopy_receive, of which `flags` is read. */
    tcpZerocopyReceive(fd: number, mapping: Uint8Array, copy: Bytes | null, request: Bytes): number;
  }
}

const nothing = new Uint8Array(0);
const oneInt = new Uint8Array(4);
const oneIntView = new DataView(oneInt.buffer);

/**
 * `getsockopt(sockfd, level, optname, optval)`: reads an option.
 * @param fd the socket
 * @param level SOL_SOCKET, or the protocol: IPPROTO_TCP, IPPROTO_IP, ...
 * @param optname SO_*, TCP_*, IP_*, ...
 * @param value what to fill, for an option that holds more than an int: its struct (TypeScript knows which), or bytes
 * @returns without `value`, the int that the option holds; with it, how many bytes the kernel wrote
 * @throws ENOPROTOOPT there is no such option at this level · EINVAL a buffer of the wrong size · ENOTSOCK not a socket
 * @see getsockopt(2), socket(7), ip(7), ipv6(7), tcp(7), udp(7), unix(7)
 */
export function getsockopt<O extends number>(fd: number, level: number, optname: O, ...[value]: Filled<O>): number {
  const bytes = value === undefined ? oneInt : value instanceof Struct ? value.bytes : value;
  if (value === undefined) oneInt.fill(0); // some options are one byte long
  const answer = raw.getsockopt(fd, level, optname, bytes);
  if (answer < 0) fail('getsockopt', answer);
  if (value === undefined) return oneIntView.getInt32(0, littleEndian);
  const length = raw.out[0] as number;
  if (value instanceof Struct) value.length = Math.min(length, value.bytes.length);
  return length;
}

/**
 * `setsockopt(sockfd, level, optname, optval)`: sets an option.
 * @param fd the socket
 * @param level SOL_SOCKET, or the protocol: IPPROTO_TCP, IPPROTO_IP, ...
 * @param optname SO_*, TCP_*, IP_*, ...
 * @param value an int (1 and 0 for a switch), a struct (TypeScript knows which), an array of structs where the option
 * takes one (SO_ATTACH_FILTER's instructions), or bytes
 * @throws ENOPROTOOPT there is no such option at this level · EINVAL a value that does not fit · EPERM it needs
 * CAP_NET_ADMIN · EDOM, ENOMEM, ... as the option's page says
 * @see setsockopt(2), socket(7), ip(7), ipv6(7), tcp(7), udp(7), unix(7)
 */
export function setsockopt<O extends number>(fd: number, level: number, optname: O, value: Given<O>): void {
  const answer = raw.setsockopt(fd, level, optname, numberOrBytes(value));
  if (answer < 0) fail('setsockopt', answer);
}

function numberOrBytes(value: number | Struct | readonly Struct[] | Bytes): number | Bytes {
  if (value instanceof Struct) return value.bytes;
  if (!Array.isArray(value)) return value as number | Bytes;
  return Buffer.concat(
    Array.from(arrayIn('value', value), (struct: Struct, i) => {
      if (!(struct instanceof Struct)) throw new TypeError(`value[${i}] must be a struct, not ${shown(struct)}`);
      return struct.bytes;
    }),
  );
}

/**
 * Reads an option by its name, as the value that it holds: a boolean, a number, text, a struct, ...
 * `getOption(fd, 'TCP_INFO').tcpi_rtt`
 * @param fd the socket
 * @param name its name in C, which says its level too. An option of both IPv4 and IPv6 (MCAST_MSFILTER) is taken at the
 * level of the socket's family
 * @param question what the kernel is to read first, for the few options that ask: TPACKET_V3 for PACKET_HDRLEN
 * @returns the value
 * @throws TypeError no option that can be read has this name · what getsockopt throws
 * @see getsockopt(2)
 */
export function getOption<Name extends ReadableOption>(
  fd: number,
  name: Name,
  question?: OptionInput<Name>,
): OptionValue<Name> {
  const { levels, number, content } = known(name, 'write', 'read');
  const asked = question === undefined ? (content.question ?? nothing) : content.encode(question as never, 'question');
  const bytes = new Uint8Array(Math.max(content.room, asked.length));
  bytes.set(asked);
  const length = getsockopt(fd, levelFor(fd, levels), number, bytes);
  return content.decode(bytes.subarray(0, length)) as OptionValue<Name>;
}

/**
 * Sets an option by its name to a value of the kind that it holds: `setOption(fd, 'SO_REUSEADDR', true)`,
 * `setOption(fd, 'SO_LINGER', { l_onoff: 1, l_linger: 0 })`, `setOption(fd, 'TCP_CONGESTION', 'reno')`.
 * @param fd the socket
 * @param name its name in C, which says its level too. An option of both IPv4 and IPv6 (MCAST_JOIN_GROUP) is set at the
 * level of the socket's family
 * @param value the value; of a struct also its fields
 * @throws TypeError no option that can be set has this name, or it holds another kind of value · RangeError a number
 * that does not fit · what setsockopt throws
 * @see setsockopt(2)
 */
export function setOption<Name extends WritableOption>(fd: number, name: Name, value: OptionInput<Name>): void {
  const { levels, number, content } = known(name, 'read', 'set');
  setsockopt(fd, levelFor(fd, levels), number, content.encode(value as never, name));
}

function known(name: string, without: 'read' | 'write', verb: string): Option {
  const isName = typeof name === 'string' && Object.hasOwn(optionTable, name);
  const option = isName ? (optionTable as Record<string, Option>)[name] : undefined;
  if (!option || option.access === without) throw new TypeError(`${shown(name)} is no option that can be ${verb}`);
  return option;
}

function levelFor(fd: number, levels: readonly number[]): number {
  const one = levels.length === 1 || getsockopt(fd, SOL_SOCKET, SO_DOMAIN) !== AF_INET6;
  return levels[one ? 0 : 1] as number;
}

/**
 * `getsockopt(fd, IPPROTO_TCP, TCP_ZEROCOPY_RECEIVE, ...)`, as a call of its own because its struct holds pointers: takes
 * what a TCP socket has received as pages, without copying them. What was mapped before by this call goes.
 *
 * Only whole pages that arrived as such can be mapped; the answer says what to do with the rest: `recv_skip_hint` bytes
 * are to be read by `recv`. Bytes beyond the answer's `mapped` must not be touched.
 * @param fd a TCP socket
 * @param mapping `mmap(length, PROT_READ, MAP_SHARED, fd)` of this very socket
 * @param copy where the kernel may copy what is too little for a page
 * @param into where the answer goes; a new struct without it
 * @returns how many bytes were mapped (`mapped`) and copied (`copybuf_len`), how many are to be read before more can be
 * mapped (`recv_skip_hint`), and how many wait in all (`inq`)
 * @throws EINVAL no such mapping, or not aligned to pages · ENOTCONN listening · EIO the peer has ended and all is read
 * @see tcp(7), "tcp_mmap" in the kernel's selftests
 */
export function tcpZerocopyReceive(
  fd: number,
  mapping: Uint8Array,
  copy: Bytes | null = null,
  into: tcp_zerocopy_receive = new tcp_zerocopy_receive(),
): tcp_zerocopy_receive {
  const answer = raw.tcpZerocopyReceive(fd, mapping, copy, bytesOf('into', into, tcp_zerocopy_receive));
  return answer < 0 ? fail('getsockopt', answer) : into;
}
