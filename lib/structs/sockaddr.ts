import { inspect } from 'node:util';
import { AF_INET, AF_INET6, AF_NETLINK, AF_PACKET, AF_UNIX, AF_UNSPEC, AF_VSOCK } from '../constants.js';
import { type Bytes, type Layout, layouts } from '../native.js';
import { asUint8Array, bytesIn, integer, objectIn, shown } from '../values.js';
import { formatInet, formatInet6, parseInet, parseInet6 } from './inet.js';
import { addressFromText, addressToText, pathToText } from './sockaddr-text.js';
import { bytes as bytesKind, type Kind, littleEndian } from './struct.js';

const storageSize = (layouts.sockaddr_storage as Layout).size;
const unixPathOffset = place('sockaddr_un', 'sun_path')[0];
const unixPathSize = place('sockaddr_un', 'sun_path')[1];
const unixSize = unixPathOffset + unixPathSize;
const noBytes = new Uint8Array(0);

/** Where a field lies in one of the sockaddr structs: its offset and size. */
function place(struct: string, field: string): readonly [number, number] {
  const [offset, size] = (layouts[struct] as Layout).fields[field] as readonly [number, number];
  return [offset, size];
}

const fields = {
  inetPort: place('sockaddr_in', 'sin_port')[0],
  inetAddress: place('sockaddr_in', 'sin_addr')[0],
  inet6Port: place('sockaddr_in6', 'sin6_port')[0],
  inet6Flowinfo: place('sockaddr_in6', 'sin6_flowinfo')[0],
  inet6Address: place('sockaddr_in6', 'sin6_addr')[0],
  inet6ScopeId: place('sockaddr_in6', 'sin6_scope_id')[0],
  netlinkPid: place('sockaddr_nl', 'nl_pid')[0],
  netlinkGroups: place('sockaddr_nl', 'nl_groups')[0],
  packetProtocol: place('sockaddr_ll', 'sll_protocol')[0],
  packetIndex: place('sockaddr_ll', 'sll_ifindex')[0],
  packetHatype: place('sockaddr_ll', 'sll_hatype')[0],
  packetPkttype: place('sockaddr_ll', 'sll_pkttype')[0],
  packetHalen: place('sockaddr_ll', 'sll_halen')[0],
  packetAddress: place('sockaddr_ll', 'sll_addr')[0],
  vsockPort: place('sockaddr_vm', 'svm_port')[0],
  vsockCid: place('sockaddr_vm', 'svm_cid')[0],
};

const sizes = {
  inet: (layouts.sockaddr_in as Layout).size,
  inet6: (layouts.sockaddr_in6 as Layout).size,
  netlink: (layouts.sockaddr_nl as Layout).size,
  packet: (layouts.sockaddr_ll as Layout).size,
  vsock: (layouts.sockaddr_vm as Layout).size,
};

/**
 * A socket address: a view over the bytes of a `struct sockaddr`, which are decoded when somebody looks.
 *
 * `new SockAddr()` is room for the kernel to write an address into: give it to `accept`, `recvfrom`, `recvmsg`.
 * `sockaddr_in`, `sockaddr_in6`, `sockaddr_un` and their kin make one to bind or connect to.
 * A property that the address's family does not have reads as undefined.
 * @see sockaddr(3type), ip(7), ipv6(7), unix(7), netlink(7), packet(7), vsock(7)
 */
export class SockAddr {
  /** All the room there is; `bytes` is the part in use. */
  readonly storage: Uint8Array;
  readonly #view: DataView;
  readonly #length: Int32Array;
  #bytes: Uint8Array = noBytes;

  /**
   * @param room how many bytes the kernel may write: 128, a whole sockaddr_storage, holds every family's address; or
   * the bytes themselves
   * @param length where the address's length is kept, if that is elsewhere: a MessageBatch keeps its own
   */
  constructor(room: number | Bytes = storageSize, length?: Int32Array) {
    const given = asUint8Array(room);
    this.storage = given ?? new Uint8Array(integer('room', room as number, 0, 65536));
    this.#view = new DataView(this.storage.buffer, this.storage.byteOffset, this.storage.byteLength);
    this.#length = length ?? Int32Array.of(given?.length ?? 0);
    if (!(this.#length instanceof Int32Array))
      throw new TypeError(`length must be an Int32Array, not ${shown(length)}`);
  }

  /** An address of these bytes, copied, whatever they are. */
  static from(bytes: Bytes): SockAddr {
    const given = bytesIn('bytes', bytes);
    const address = new SockAddr(Math.max(given.length, storageSize));
    address.storage.set(given);
    address.length = given.length;
    return address;
  }

  /**
   * The address that `toString` wrote so: `127.0.0.1:80`, `[fe80::1%2]:80`, `/run/x.sock`, `@abstract`.
   * @throws TypeError the text is no address; host names are not, see getaddrinfo
   */
  static parse(text: string): SockAddr {
    if (typeof text !== 'string') throw new TypeError(`an address to parse is text, not ${shown(text)}`);
    return addressFromText(text);
  }

  /**
   * The address's length in bytes, as the kernel told it: 0 when there is none. It may be more than there is room
   * for, when the kernel had to cut the address.
   */
  get length(): number {
    return this.#length[0] as number;
  }
  set length(length: number) {
    this.#length[0] = integer('length', length, 0, 0x7fffffff);
  }

  /** The bytes in use. */
  get bytes(): Uint8Array {
    const used = Math.max(0, Math.min(this.length, this.storage.length));
    if (used !== this.#bytes.length) this.#bytes = this.storage.subarray(0, used);
    return this.#bytes;
  }

  #has(size: number): boolean {
    return this.bytes.length >= size;
  }

  #is(family: number, size: number): boolean {
    return this.#has(size) && this.family === family;
  }

  /** The address family: AF_INET, AF_UNIX, ... AF_UNSPEC when there is no address. */
  get family(): number {
    return this.#has(2) ? this.#view.getUint16(0, littleEndian) : AF_UNSPEC;
  }

  /** The IPv4 or IPv6 address as text, without port or scope; for a packet address, the hardware address. */
  get address(): string | undefined {
    if (this.#is(AF_INET, 8)) return formatInet(this.bytes.subarray(fields.inetAddress, fields.inetAddress + 4));
    if (this.#is(AF_INET6, 24)) return formatInet6(this.bytes.subarray(fields.inet6Address, fields.inet6Address + 16));
    if (this.#is(AF_PACKET, 12)) {
      const length = this.#view.getUint8(fields.packetHalen);
      const bytes = this.bytes.subarray(fields.packetAddress, fields.packetAddress + length);
      return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(':');
    }
    return undefined;
  }

  /** The port of an IPv4, IPv6 (0 to 65535) or vsock address (32 bits). */
  get port(): number | undefined {
    if (this.#is(AF_INET, 4)) return this.#view.getUint16(fields.inetPort);
    if (this.#is(AF_INET6, 4)) return this.#view.getUint16(fields.inet6Port);
    if (this.#is(AF_VSOCK, 8)) return this.#view.getUint32(fields.vsockPort, littleEndian);
    return undefined;
  }

  /**
   * The name of a Unix address: a path; `@name` for an abstract one; '' for an unnamed one. Bytes that are not UTF-8
   * are shown as `\xNN`; `pathBytes` has them as they are.
   */
  get path(): string | undefined {
    const bytes = this.pathBytes;
    return bytes && pathToText(bytes);
  }

  /** The bytes of a Unix address's name: up to its NUL, or for an abstract one from its leading NUL on. */
  get pathBytes(): Uint8Array | undefined {
    if (!this.#is(AF_UNIX, 2)) return undefined;
    const bytes = this.bytes.subarray(unixPathOffset);
    if (bytes.length === 0 || bytes[0] === 0) return bytes;
    const end = bytes.indexOf(0);
    return end < 0 ? bytes : bytes.subarray(0, end);
  }

  /** IPv6 traffic class and flow label, 32 bits. */
  get flowinfo(): number | undefined {
    return this.#is(AF_INET6, 8) ? this.#view.getUint32(fields.inet6Flowinfo) : undefined;
  }

  /** The interface's index that an IPv6 link-local address belongs to; 0 for none. */
  get scopeId(): number | undefined {
    return this.#is(AF_INET6, sizes.inet6) ? this.#view.getUint32(fields.inet6ScopeId, littleEndian) : undefined;
  }

  /** Netlink: the port number, which is 0 for the kernel and often a process's pid. */
  get pid(): number | undefined {
    return this.#is(AF_NETLINK, sizes.netlink) ? this.#view.getUint32(fields.netlinkPid, littleEndian) : undefined;
  }

  /** Netlink: the multicast groups, one bit each. */
  get groups(): number | undefined {
    return this.#is(AF_NETLINK, sizes.netlink) ? this.#view.getUint32(fields.netlinkGroups, littleEndian) : undefined;
  }

  /** Packet: the protocol as ETH_P_*, in host order. */
  get protocol(): number | undefined {
    return this.#is(AF_PACKET, 4) ? this.#view.getUint16(fields.packetProtocol) : undefined;
  }

  /** Packet: the interface's index. */
  get ifindex(): number | undefined {
    return this.#is(AF_PACKET, 8) ? this.#view.getInt32(fields.packetIndex, littleEndian) : undefined;
  }

  /** Packet: the kind of device, ARPHRD_*. */
  get hatype(): number | undefined {
    return this.#is(AF_PACKET, 10) ? this.#view.getUint16(fields.packetHatype, littleEndian) : undefined;
  }

  /** Packet: who the packet was for, PACKET_HOST, PACKET_OUTGOING, ... */
  get pkttype(): number | undefined {
    return this.#is(AF_PACKET, 11) ? this.#view.getUint8(fields.packetPkttype) : undefined;
  }

  /** Vsock: the context id, VMADDR_CID_* or a virtual machine's own. */
  get cid(): number | undefined {
    return this.#is(AF_VSOCK, sizes.vsock) ? this.#view.getUint32(fields.vsockCid, littleEndian) : undefined;
  }

  /** The address as people write it: `127.0.0.1:80`, `[fe80::1%2]:80`, `/run/x.sock`, `@abstract`. `parse` reads it. */
  toString(): string {
    return addressToText(this);
  }

  /** Whether both are the same address: the NUL that ends a path, and what follows it, does not count. */
  equals(other: SockAddr): boolean {
    return other instanceof SockAddr && this.family === other.family && this.toString() === other.toString();
  }

  [inspect.custom](): string {
    return `SockAddr { ${this} }`;
  }
}

function make(size: number, family: number, fill: (view: DataView, bytes: Uint8Array) => void): SockAddr {
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, family, littleEndian);
  fill(view, bytes);
  return SockAddr.from(bytes);
}

/**
 * An IPv4 address and port.
 * @param address `'127.0.0.1'`, or a number in host order such as INADDR_ANY
 * @param port 0 to 65535, in host order; 0 lets the kernel choose
 * @returns an address of 16 bytes
 * @throws TypeError the text is no IPv4 address in its four parts · RangeError the port does not fit
 * @see ip(7)
 */
export function sockaddr_in(address: string | number, port: number): SockAddr {
  return make(sizes.inet, AF_INET, (view, bytes) => {
    view.setUint16(fields.inetPort, integer('port', port, 0, 0xffff));
    if (typeof address === 'number') view.setUint32(fields.inetAddress, integer('address', address, 0, 0xffffffff));
    else bytes.set(parseInet(address), fields.inetAddress);
  });
}

/**
 * An IPv6 address and port.
 * @param address `'::1'`; a zone such as `'fe80::1%eth0'` or `'fe80::1%2'` gives the scope id
 * @param port 0 to 65535, in host order
 * @param more `flowinfo` (32 bits) and `scopeId`, the interface's index for a link-local address
 * @returns an address of 28 bytes
 * @throws TypeError the text is no IPv6 address · RangeError a number does not fit
 * @see ipv6(7)
 */
export function sockaddr_in6(
  address: string,
  port: number,
  more: { flowinfo?: number | undefined; scopeId?: number | undefined } = {},
): SockAddr {
  objectIn('more', more);
  const parsed = parseInet6(address);
  return make(sizes.inet6, AF_INET6, (view, bytes) => {
    view.setUint16(fields.inet6Port, integer('port', port, 0, 0xffff));
    view.setUint32(fields.inet6Flowinfo, integer('flowinfo', more.flowinfo ?? 0, 0, 0xffffffff));
    bytes.set(parsed.bytes, fields.inet6Address);
    view.setUint32(
      fields.inet6ScopeId,
      integer('scopeId', more.scopeId ?? parsed.scopeId, 0, 0xffffffff),
      littleEndian,
    );
  });
}

/**
 * A Unix domain address.
 * @param path a path of up to 108 bytes; with a leading NUL, an abstract name; empty, the unnamed address, with which
 * bind chooses an abstract name. Bytes where the path is not valid UTF-8.
 * @returns an address as long as its path, and 2 or 3 bytes more
 * @throws RangeError more than 108 bytes · TypeError a NUL inside a path
 * @see unix(7)
 */
export function sockaddr_un(path: string | Bytes): SockAddr {
  const name = typeof path === 'string' ? new TextEncoder().encode(path) : asUint8Array(path);
  if (!name) throw new TypeError(`path must be text or bytes, not ${shown(path)}`);
  if (name.length > unixPathSize) {
    throw new RangeError(`a Unix address holds ${unixPathSize} bytes, and this path has ${name.length}`);
  }
  const isPath = name.length > 0 && name[0] !== 0;
  if (isPath && name.includes(0)) throw new TypeError('a path cannot have a NUL byte inside');
  // A path carries its NUL where there is room for it, an abstract name has none.
  const size = Math.min(name.length + (isPath ? 1 : 0), unixPathSize);
  return make(unixPathOffset + size, AF_UNIX, (_, bytes) => bytes.set(name, unixPathOffset));
}

/**
 * A netlink address.
 * @param pid the port number: 0 for the kernel, or to let the kernel choose
 * @param groups multicast groups, one bit each
 * @returns an address of 12 bytes
 * @throws RangeError more than 32 bits
 * @see netlink(7)
 */
export function sockaddr_nl(pid = 0, groups = 0): SockAddr {
  return make(sizes.netlink, AF_NETLINK, (view) => {
    view.setUint32(fields.netlinkPid, integer('pid', pid, 0, 0xffffffff), littleEndian);
    view.setUint32(fields.netlinkGroups, integer('groups', groups, 0, 0xffffffff), littleEndian);
  });
}

/**
 * A link-layer address, for packet sockets.
 * @param protocol ETH_P_*, in host order
 * @param ifindex the interface's index, see if_nametoindex; 0 for all (bind only)
 * @param more `hatype` (ARPHRD_*), `pkttype` (PACKET_*), and the hardware `address` to send to, up to 8 bytes,
 * as bytes or as text in hexadecimal (`'02:00:00:00:00:01'`)
 * @returns an address of 20 bytes
 * @throws RangeError a number or a hardware address that does not fit · TypeError text that is no hardware address
 * @see packet(7)
 */
export function sockaddr_ll(
  protocol: number,
  ifindex: number,
  more: { hatype?: number | undefined; pkttype?: number | undefined; address?: string | Bytes | undefined } = {},
): SockAddr {
  const { address = noBytes } = objectIn('more', more);
  const hardware = typeof address === 'string' ? hexBytes(address) : bytesIn('address', address);
  if (hardware.length > 8) throw new RangeError(`a hardware address holds 8 bytes, and this has ${hardware.length}`);
  return make(sizes.packet, AF_PACKET, (view, bytes) => {
    view.setUint16(fields.packetProtocol, integer('protocol', protocol, 0, 0xffff));
    view.setInt32(fields.packetIndex, integer('ifindex', ifindex, 0, 0x7fffffff), littleEndian);
    view.setUint16(fields.packetHatype, integer('hatype', more.hatype ?? 0, 0, 0xffff), littleEndian);
    view.setUint8(fields.packetPkttype, integer('pkttype', more.pkttype ?? 0, 0, 0xff));
    view.setUint8(fields.packetHalen, hardware.length);
    bytes.set(hardware, fields.packetAddress);
  });
}

function hexBytes(text: string): Uint8Array {
  if (text === '') return noBytes;
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2})*$/i.test(text)) throw new TypeError(`'${text}' is no hardware address`);
  return Uint8Array.from(text.split(':'), (byte) => Number.parseInt(byte, 16));
}

/**
 * A vsock address, between a virtual machine and its host.
 * @param cid the context id: VMADDR_CID_ANY, VMADDR_CID_LOCAL, VMADDR_CID_HOST or a machine's own
 * @param port 32 bits; VMADDR_PORT_ANY lets the kernel choose
 * @returns an address of 16 bytes
 * @throws RangeError more than 32 bits
 * @see vsock(7)
 */
export function sockaddr_vm(cid: number, port: number): SockAddr {
  return make(sizes.vsock, AF_VSOCK, (view) => {
    view.setUint32(fields.vsockPort, integer('port', port, 0, 0xffffffff), littleEndian);
    view.setUint32(fields.vsockCid, integer('cid', cid, 0, 0xffffffff), littleEndian);
  });
}

/**
 * The address of no family: connecting a UDP socket to it dissolves its association.
 * @returns an address of 16 zeros
 * @see connect(2)
 */
export function sockaddr_unspec(): SockAddr {
  return make(sizes.inet, AF_UNSPEC, () => {});
}

/**
 * The bytes of an address that a call is given. Of a path of 108 bytes the kernel tells one more than it takes, a NUL:
 * unix(7). That one is left out, so that one can connect to what getsockname answers.
 */
export function addressBytes(address: SockAddr): Uint8Array {
  if (!(address instanceof SockAddr)) throw new TypeError('the address must be a SockAddr, such as sockaddr_in makes');
  const { bytes } = address;
  return bytes.length === unixSize + 1 && address.pathBytes?.length === unixPathSize ? bytes.subarray(0, -1) : bytes;
}

/** The room that a call may write an address into; null when nobody asked for it. */
export function addressRoom(address: SockAddr | null | undefined): Uint8Array | null {
  if (address === null || address === undefined) return null;
  if (!(address instanceof SockAddr)) throw new TypeError('the place for an address must be a new SockAddr() or null');
  return address.storage;
}

const sizeOfFamily = new Map([
  [AF_INET, sizes.inet],
  [AF_INET6, sizes.inet6],
  [AF_NETLINK, sizes.netlink],
  [AF_PACKET, sizes.packet],
  [AF_VSOCK, sizes.vsock],
]);

/**
 * A field or control message that is an address: a view when read, copied when written. In a field with room for every
 * address (sockaddr_storage), it is as long as its family's are.
 */
export const sockaddr: Kind<SockAddr> = {
  read(view, place) {
    const address = new SockAddr(bytesKind.read(view, place));
    address.length = Math.min(address.length, sizeOfFamily.get(address.family) ?? address.length);
    return address;
  },
  write: (view, place, value, name) => bytesKind.write(view, place, addressBytes(value), name),
};
