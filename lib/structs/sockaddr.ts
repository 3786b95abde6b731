import { inspect } from 'node:util';
import {
  AF_ALG,
  AF_CAN,
  AF_INET,
  AF_INET6,
  AF_NETLINK,
  AF_PACKET,
  AF_TIPC,
  AF_UNIX,
  AF_UNSPEC,
  AF_VSOCK,
  AF_XDP,
  TIPC_SERVICE_ADDR,
  TIPC_SERVICE_RANGE,
  TIPC_SOCKET_ADDR,
} from '../constants.js';
import type { Bytes } from '../native.js';
import { asUint8Array, bytesIn, integer, shown } from '../values.js';
import { formatInet, formatInet6 } from './inet.js';
import { fields, sizeOfFamily, sizes, storageSize, unix } from './sockaddr-layout.js';
import { addressFromText, addressToText, pathToText } from './sockaddr-text.js';
import { bytes as bytesKind, cString, type Kind, littleEndian } from './struct.js';

const noBytes = new Uint8Array(0);

/** What a TIPC address names. */
export type TipcAddress =
  | { ref: number; node: number }
  | { type: number; instance: number; domain?: number }
  | { type: number; lower: number; upper: number };

/**
 * A socket address: a view over the bytes of a `struct sockaddr`, which are decoded when somebody looks.
 *
 * `new SockAddr()` is room for the kernel to write an address into: give it to `accept`, `recvfrom`, `recvmsg`.
 * {@link sockaddr_in}, {@link sockaddr_un} and their kin make one to bind or connect to.
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
    const bytes = this.bytes.subarray(unix.pathOffset);
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

  /** Packet, CAN, XDP: the interface's index. */
  get ifindex(): number | undefined {
    if (this.#is(AF_PACKET, 8)) return this.#view.getInt32(fields.packetIndex, littleEndian);
    if (this.#is(AF_CAN, 8)) return this.#view.getInt32(fields.canIndex, littleEndian);
    if (this.#is(AF_XDP, sizes.xdp)) return this.#view.getUint32(fields.xdpIndex, littleEndian);
    return undefined;
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

  /** CAN, of ISO 15765-2: the identifiers to receive and to send by. They share their bytes with `j1939`. */
  get tp(): { rx_id: number; tx_id: number } | undefined {
    if (!this.#is(AF_CAN, 16)) return undefined;
    return {
      rx_id: this.#view.getUint32(fields.canRxId, littleEndian),
      tx_id: this.#view.getUint32(fields.canTxId, littleEndian),
    };
  }

  /** CAN, of SAE J1939: name, parameter group number and address. They share their bytes with `tp`. */
  get j1939(): { name: bigint; pgn: number; addr: number } | undefined {
    if (!this.#is(AF_CAN, fields.canAddr + 1)) return undefined;
    return {
      name: this.#view.getBigUint64(fields.canName, littleEndian),
      pgn: this.#view.getUint32(fields.canPgn, littleEndian),
      addr: this.#view.getUint8(fields.canAddr),
    };
  }

  /** XDP: the device's queue. */
  get queue_id(): number | undefined {
    return this.#is(AF_XDP, sizes.xdp) ? this.#view.getUint32(fields.xdpQueue, littleEndian) : undefined;
  }

  /** XDP: XDP_COPY, XDP_ZEROCOPY, XDP_SHARED_UMEM, ... */
  get flags(): number | undefined {
    return this.#is(AF_XDP, sizes.xdp) ? this.#view.getUint16(fields.xdpFlags, littleEndian) : undefined;
  }

  /** XDP: the socket whose memory is shared. */
  get shared_umem_fd(): number | undefined {
    return this.#is(AF_XDP, sizes.xdp) ? this.#view.getUint32(fields.xdpUmem, littleEndian) : undefined;
  }

  /** The kernel's ciphers: type and name, as {@link sockaddr_alg} takes them. */
  get algorithm(): [type: string, name: string] | undefined {
    if (!this.#is(AF_ALG, sizes.alg)) return undefined;
    const { bytes } = this;
    return [cString(bytes.subarray(fields.algType, fields.algFeat)), cString(bytes.subarray(fields.algName))];
  }

  /** TIPC: a socket, a service's instance, or a range of them, as {@link sockaddr_tipc} takes it. */
  get tipc(): TipcAddress | undefined {
    if (!this.#is(AF_TIPC, sizes.tipc)) return undefined;
    const word = (i: number) => this.#view.getUint32(fields.tipcAddr + 4 * i, littleEndian);
    switch (this.#view.getUint8(fields.tipcAddrtype)) {
      case TIPC_SOCKET_ADDR:
        return { ref: word(0), node: word(1) };
      case TIPC_SERVICE_RANGE:
        return { type: word(0), lower: word(1), upper: word(2) };
      case TIPC_SERVICE_ADDR:
        return { type: word(0), instance: word(1), domain: word(2) };
      default:
        return undefined;
    }
  }

  /** TIPC: how far a bound name is known, TIPC_CLUSTER_SCOPE or TIPC_NODE_SCOPE. */
  get scope(): number | undefined {
    return this.#is(AF_TIPC, sizes.tipc) ? this.#view.getInt8(fields.tipcScope) : undefined;
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

/**
 * The bytes of an address that a call is given. Of a path of 108 bytes the kernel tells one more than it takes, a NUL:
 * unix(7). That one is left out, so that one can connect to what getsockname answers.
 */
export function addressBytes(address: SockAddr): Uint8Array {
  if (!(address instanceof SockAddr)) throw new TypeError('the address must be a SockAddr, such as sockaddr_in makes');
  const { bytes } = address;
  return bytes.length === unix.size + 1 && address.pathBytes?.length === unix.pathSize ? bytes.subarray(0, -1) : bytes;
}

/** The room that a call may write an address into; null when nobody asked for it. */
export function addressRoom(address: SockAddr | null | undefined): Uint8Array | null {
  if (address === null || address === undefined) return null;
  if (!(address instanceof SockAddr)) throw new TypeError('the place for an address must be a new SockAddr() or null');
  return address.storage;
}

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
