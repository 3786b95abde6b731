import { AF_INET, AF_UNSPEC, EAI_SYSTEM } from '../constants.js';
import { fail, GaiError } from '../errors.js';
import { type Bytes, raw } from '../native.js';
import { noAddress } from '../structs/inet.js';
import { RecordReader } from '../structs/records.js';
import { addressBytes, SockAddr } from '../structs/sockaddr.js';
import { bytesIn, objectIn, textIn } from '../values.js';

declare module '../native.js' {
  interface Raw {
    /**
     * Writes records into `result` as far as they fit. @returns their size, or EAI_* below zero (`out[0]` is the errno
     * of EAI_SYSTEM)
     */
    getaddrinfo(
      node: Uint8Array | null,
      service: Uint8Array | null,
      flags: number,
      family: number,
      socktype: number,
      protocol: number,
      result: Uint8Array,
    ): number;
    /** The same off the main thread. @returns a promise of the records, of EAI_*, or of the errno of EAI_SYSTEM */
    getaddrinfoAsync(
      node: Uint8Array | null,
      service: Uint8Array | null,
      flags: number,
      family: number,
      socktype: number,
      protocol: number,
    ): Promise<Uint8Array | number>;
    /** `out`: the lengths of host and service, the errno of EAI_SYSTEM. @returns 0 or EAI_* */
    getnameinfo(address: Uint8Array, host: Uint8Array | null, service: Uint8Array | null, flags: number): number;
    /** @returns the name's length, or -ENXIO */
    if_indextoname(index: number, name: Uint8Array): number;
    /** Writes records into `result` as far as they fit. @returns their size */
    if_nameindex(result: Uint8Array): number;
    /** Writes records into `result` as far as they fit. @returns their size */
    getifaddrs(result: Uint8Array): number;
    /** @returns the port, in host order, or -ENOENT */
    getservbyname(name: Uint8Array, protocol: Uint8Array | null): number;
    /** @returns the protocol's number, or -ENOENT */
    getprotobyname(name: Uint8Array): number;
    /** @returns the text's length */
    gai_strerror(errcode: number, text: Uint8Array): number;
    htons(value: number): number;
    htonl(value: number): number;
    ntohs(value: number): number;
    ntohl(value: number): number;
  }
}

const decoder = new TextDecoder();
const text = new Uint8Array(1280); // NI_MAXHOST is 1025

function encodeOrNull(name: string, value: string | null | undefined): Uint8Array | null {
  return value === null || value === undefined ? null : textIn(name, value);
}

/** Asks for records with more room until they fit. A negative answer is returned as it is. */
function records(ask: (room: Uint8Array) => number): Uint8Array | number {
  let room = new Uint8Array(4096);
  for (;;) {
    const size = ask(room);
    if (size < 0) return size;
    if (size <= room.length) return room.subarray(0, size);
    room = new Uint8Array(size + 4096); // an interface may come in between
  }
}

/** What to look for. See getaddrinfo(3). */
export interface AddrInfoHints {
  /** AI_PASSIVE, AI_NUMERICHOST, AI_CANONNAME, ... */
  readonly flags?: number | undefined;
  /** AF_INET, AF_INET6; 0 (AF_UNSPEC) for both. */
  readonly family?: number | undefined;
  /** SOCK_STREAM, SOCK_DGRAM; 0 for each. */
  readonly socktype?: number | undefined;
  /** IPPROTO_*; 0 for each. */
  readonly protocol?: number | undefined;
}

/** One answer of getaddrinfo: what to give to socket and connect. */
export interface AddrInfo {
  readonly flags: number;
  readonly family: number;
  readonly socktype: number;
  readonly protocol: number;
  readonly address: SockAddr;
  /** The official name of the host, in the first answer, if AI_CANONNAME asked for it. */
  readonly canonname?: string;
}

function readAddrInfo(packed: Uint8Array): AddrInfo[] {
  const reader = new RecordReader(packed);
  const list: AddrInfo[] = [];
  while (!reader.done) {
    const [flags, family, socktype, protocol, length, nameLength] = reader.integers(6) as [
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    const address = SockAddr.from(reader.bytes(length));
    const canonname = reader.text(nameLength);
    list.push({ flags, family, socktype, protocol, address, ...(nameLength > 0 && { canonname }) });
  }
  return list;
}

function gaiFail(syscall: string, code: number, what: string, errno: number): never {
  if (code === EAI_SYSTEM) fail(syscall, -errno);
  throw new GaiError(syscall, code, gai_strerror(code), what);
}

const asked = (node: string | null, service: string | null) => `${node ?? '*'}${service ? `:${service}` : ''}`;

function hintsIn(hints: AddrInfoHints | null): AddrInfoHints {
  return hints === null ? {} : objectIn('hints', hints);
}

/**
 * `getaddrinfo(node, service, hints)`: host and service names as socket addresses. It reads files and may ask a name
 * server, and blocks the thread for as long as that takes; see {@link getaddrinfoAsync}.
 * @param node a host name or address; null for the wildcard (AI_PASSIVE) or loopback address
 * @param service a name such as 'http', or a port number as text; null for none
 * @param hints which addresses are wanted; without, or null, all
 * @returns the addresses in the order to try them
 * @throws GaiError EAI_NONAME no such name · EAI_AGAIN no answer from a name server · EAI_SERVICE no such service ·
 * EAI_BADFLAGS, EAI_FAMILY, EAI_SOCKTYPE hints that do not go together
 * @see getaddrinfo(3)
 */
export function getaddrinfo(
  node: string | null,
  service: string | null,
  hints: AddrInfoHints | null = null,
): AddrInfo[] {
  const { flags = 0, family = AF_UNSPEC, socktype = 0, protocol = 0 } = hintsIn(hints);
  const [host, port] = [encodeOrNull('node', node), encodeOrNull('service', service)];
  const found = records((room) => raw.getaddrinfo(host, port, flags, family, socktype, protocol, room));
  if (typeof found === 'number') gaiFail('getaddrinfo', found, asked(node, service), raw.out[0] as number);
  return readAddrInfo(found);
}

/**
 * {@link getaddrinfo} off the main thread: the thread goes on meanwhile.
 * @param node a host name or address; null for the wildcard (AI_PASSIVE) or loopback address
 * @param service a name such as 'http', or a port number as text; null for none
 * @param hints which addresses are wanted; without, or null, all
 * @returns the addresses in the order to try them
 * @throws what {@link getaddrinfo} throws, as a rejection
 * @see getaddrinfo(3)
 */
export async function getaddrinfoAsync(
  node: string | null,
  service: string | null,
  hints: AddrInfoHints | null = null,
): Promise<AddrInfo[]> {
  const { flags = 0, family = AF_UNSPEC, socktype = 0, protocol = 0 } = hintsIn(hints);
  const [host, port] = [encodeOrNull('node', node), encodeOrNull('service', service)];
  const found = await raw.getaddrinfoAsync(host, port, flags, family, socktype, protocol);
  if (typeof found === 'number') {
    gaiFail('getaddrinfo', found < 0 ? found : EAI_SYSTEM, asked(node, service), found);
  }
  return readAddrInfo(found);
}

/**
 * `getnameinfo(addr, host, serv, flags)`: a socket address as host and service names.
 * @param address of IPv4, IPv6 or Unix
 * @param flags NI_NUMERICHOST, NI_NUMERICSERV, NI_NAMEREQD, NI_DGRAM, NI_NOFQDN
 * @returns both names; what has none, as numbers
 * @throws GaiError EAI_FAMILY not an address that has names · EAI_NONAME no name, with NI_NAMEREQD
 * @see getnameinfo(3)
 */
export function getnameinfo(address: SockAddr, flags = 0): { host: string; service: string } {
  const host = text.subarray(0, 1025);
  const service = text.subarray(1025);
  const code = raw.getnameinfo(addressBytes(address), host, service, flags);
  const { out } = raw;
  if (code !== 0) gaiFail('getnameinfo', code, `${address}`, out[2] as number);
  return {
    host: decoder.decode(host.subarray(0, out[0] as number)),
    service: decoder.decode(service.subarray(0, out[1] as number)),
  };
}

/**
 * `gai_strerror(errcode)`: what an EAI_* number means, in English.
 * @param errcode EAI_*, which are negative
 * @returns the text
 * @throws RangeError not an integer of 32 bits
 * @see gai_strerror(3)
 */
export function gai_strerror(errcode: number): string {
  return decoder.decode(text.subarray(0, raw.gai_strerror(errcode, text)));
}

/**
 * `inet_pton(af, src)`: the bytes of an address, in network order.
 * @param af AF_INET (4 bytes) or AF_INET6 (16 bytes)
 * @param address `'127.0.0.1'` in four parts, or `'::1'` without a zone
 * @returns 4 or 16 bytes
 * @throws TypeError the text is no such address · EAFNOSUPPORT another family
 * @see inet_pton(3)
 */
export function inet_pton(af: number, address: string): Uint8Array {
  const bytes = new Uint8Array(16);
  const answer = raw.inet_pton(af, textIn('address', address), bytes);
  if (answer < 0) fail('inet_pton', answer);
  const isInet = af === AF_INET;
  if (answer === 0) throw noAddress(isInet ? 'IPv4' : 'IPv6', address);
  return isInet ? bytes.subarray(0, 4) : bytes;
}

/**
 * `inet_ntop(af, src)`: the text of an address.
 * @param af AF_INET or AF_INET6
 * @param address 4 bytes for AF_INET, 16 for AF_INET6
 * @returns the text, in the shortest form
 * @throws EAFNOSUPPORT another family
 * @see inet_ntop(3)
 */
export function inet_ntop(af: number, address: Bytes): string {
  const length = raw.inet_ntop(af, bytesIn('address', address), text);
  return length < 0 ? fail('inet_ntop', length) : decoder.decode(text.subarray(0, length));
}

/**
 * `if_nametoindex(ifname)`: an interface's index.
 * @param name `'lo'`, `'eth0'`: up to 15 bytes
 * @returns the index, from 1 on
 * @throws ENODEV no interface of that name
 * @see if_nametoindex(3)
 */
export function if_nametoindex(name: string): number {
  const index = raw.if_nametoindex(textIn('name', name));
  return index < 0 ? fail('if_nametoindex', index) : index;
}

/**
 * `if_indextoname(ifindex)`: an interface's name.
 * @param index 1 or more
 * @returns the name
 * @throws ENXIO no interface of that index
 * @see if_nametoindex(3)
 */
export function if_indextoname(index: number): string {
  const length = raw.if_indextoname(index, text);
  return length < 0 ? fail('if_indextoname', length) : decoder.decode(text.subarray(0, length));
}

/**
 * `if_nameindex()`: the indices and names of all interfaces.
 * @returns a list in no order
 * @throws ENOBUFS, EMFILE no netlink socket could be made
 * @see if_nameindex(3)
 */
export function if_nameindex(): { index: number; name: string }[] {
  const packed = records((room) => raw.if_nameindex(room));
  if (typeof packed === 'number') fail('if_nameindex', packed);
  const reader = new RecordReader(packed);
  const list: { index: number; name: string }[] = [];
  while (!reader.done) {
    const [index, length] = reader.integers(2) as [number, number];
    list.push({ index, name: reader.text(length) });
  }
  return list;
}

/** One address of one interface. */
export interface InterfaceAddress {
  readonly name: string;
  /** IFF_UP, IFF_LOOPBACK, ... */
  readonly flags: number;
  readonly address?: SockAddr;
  readonly netmask?: SockAddr;
  /** The broadcast address; for a point-to-point interface, the peer's. */
  readonly broadaddr?: SockAddr;
  /** For AF_PACKET entries: the bytes of struct rtnl_link_stats. */
  readonly data?: Uint8Array;
}

/**
 * `getifaddrs()`: the addresses of all interfaces, and for each interface an AF_PACKET entry with its hardware address.
 * @returns an entry for each address of each interface
 * @throws EMFILE, ENOBUFS no netlink socket could be made
 * @see getifaddrs(3)
 */
export function getifaddrs(): InterfaceAddress[] {
  const packed = records((room) => raw.getifaddrs(room));
  if (typeof packed === 'number') fail('getifaddrs', packed);
  const reader = new RecordReader(packed);
  const list: InterfaceAddress[] = [];
  while (!reader.done) {
    const [flags = 0, ...lengths] = reader.integers(6);
    const [name, address, netmask, broadaddr, data] = lengths.map((length) => reader.bytes(length)) as [
      Uint8Array,
      Uint8Array,
      Uint8Array,
      Uint8Array,
      Uint8Array,
    ];
    list.push({
      name: decoder.decode(name),
      flags: flags >>> 0,
      ...(address.length > 0 && { address: SockAddr.from(address) }),
      ...(netmask.length > 0 && { netmask: SockAddr.from(netmask) }),
      ...(broadaddr.length > 0 && { broadaddr: SockAddr.from(broadaddr) }),
      ...(data.length > 0 && { data: data.slice() }),
    });
  }
  return list;
}

/**
 * `getservbyname(name, proto)`: a service's port, from /etc/services.
 * @param name `'http'`
 * @param protocol 'tcp', 'udp'; null for any
 * @returns the port, in host order
 * @throws ENOENT no such service
 * @see getservbyname(3)
 */
export function getservbyname(name: string, protocol: string | null = null): number {
  const port = raw.getservbyname(textIn('name', name), encodeOrNull('protocol', protocol));
  return port < 0 ? fail('getservbyname', port) : port;
}

/**
 * `getprotobyname(name)`: a protocol's number, from /etc/protocols.
 * @param name `'tcp'`
 * @returns the number, as socket takes it
 * @throws ENOENT no such protocol
 * @see getprotobyname(3)
 */
export function getprotobyname(name: string): number {
  const number = raw.getprotobyname(textIn('name', name));
  return number < 0 ? fail('getprotobyname', number) : number;
}

/**
 * `htons(hostshort)`: a 16-bit number in network byte order.
 * @param value 0 to 65535
 * @returns the number whose bytes in memory are high byte first
 * @throws RangeError it has more bits
 * @see byteorder(3)
 */
export function htons(value: number): number {
  return raw.htons(value);
}

/**
 * `htonl(hostlong)`: a 32-bit number in network byte order, unsigned.
 * @param value 32 bits, signed or not
 * @returns the number whose bytes in memory are high byte first
 * @throws RangeError it has more bits
 * @see byteorder(3)
 */
export function htonl(value: number): number {
  return raw.htonl(value);
}

/**
 * `ntohs(netshort)`: a 16-bit number from network byte order.
 * @param value 0 to 65535
 * @returns the number in host order
 * @throws RangeError it has more bits
 * @see byteorder(3)
 */
export function ntohs(value: number): number {
  return raw.ntohs(value);
}

/**
 * `ntohl(netlong)`: a 32-bit number from network byte order, unsigned.
 * @param value 32 bits, signed or not
 * @returns the number in host order
 * @throws RangeError it has more bits
 * @see byteorder(3)
 */
export function ntohl(value: number): number {
  return raw.ntohl(value);
}
