// Makes addresses of each family.
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
  J1939_NO_ADDR,
  J1939_NO_NAME,
  J1939_NO_PGN,
  TIPC_CLUSTER_SCOPE,
  TIPC_SERVICE_ADDR,
  TIPC_SERVICE_RANGE,
  TIPC_SOCKET_ADDR,
} from '../constants.js';
import type { Bytes } from '../native.js';
import { asUint8Array, bytesIn, integer, objectIn, shown, textIn } from '../values.js';
import { parseInet, parseInet6 } from './inet.js';
import { SockAddr, type TipcAddress } from './sockaddr.js';
import { fields, sizes, unix } from './sockaddr-layout.js';
import { bits32, littleEndian, uint64 } from './struct.js';

const noBytes = new Uint8Array(0);

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
  if (name.length > unix.pathSize) {
    throw new RangeError(`a Unix address holds ${unix.pathSize} bytes, and this path has ${name.length}`);
  }
  const isPath = name.length > 0 && name[0] !== 0;
  if (isPath && name.includes(0)) throw new TypeError('a path cannot have a NUL byte inside');
  // A path carries its NUL where there is room for it, an abstract name has none.
  const size = Math.min(name.length + (isPath ? 1 : 0), unix.pathSize);
  return make(unix.pathOffset + size, AF_UNIX, (_, bytes) => bytes.set(name, unix.pathOffset));
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
 * A CAN address. A raw socket needs the interface alone; ISO 15765-2 two identifiers, J1939 the rest.
 * @param ifindex the interface's index, see if_nametoindex; 0 for all (raw sockets only)
 * @param more for ISO 15765-2 `rx_id` and `tx_id`, the identifiers to receive and to send by, CAN_EFF_FLAG for 29 bits;
 * for SAE J1939 a `name` (64 bits, J1939_NO_NAME), a parameter group number `pgn` (J1939_NO_PGN) and an `addr`
 * (0 to 255, J1939_NO_ADDR), which by default are none
 * @returns an address of 24 bytes
 * @throws RangeError a number does not fit
 * @see https://docs.kernel.org/networking/can.html, https://docs.kernel.org/networking/j1939.html
 */
export function sockaddr_can(
  ifindex: number,
  more:
    | { rx_id: number; tx_id: number }
    | { name?: bigint | undefined; pgn?: number | undefined; addr?: number | undefined } = {},
): SockAddr {
  objectIn('more', more);
  return make(sizes.can, AF_CAN, (view) => {
    view.setInt32(fields.canIndex, integer('ifindex', ifindex, 0, 0x7fffffff), littleEndian);
    if ('rx_id' in more) {
      bits32.write(view, [fields.canRxId, 4], more.rx_id, 'rx_id');
      bits32.write(view, [fields.canTxId, 4], more.tx_id, 'tx_id');
    } else if (Object.keys(more).length > 0) {
      const { name = BigInt(J1939_NO_NAME), pgn = J1939_NO_PGN, addr = J1939_NO_ADDR } = more;
      uint64.write(view, [fields.canName, 8], name, 'name');
      view.setUint32(fields.canPgn, integer('pgn', pgn, 0, 0xffffffff), littleEndian);
      view.setUint8(fields.canAddr, integer('addr', addr, 0, 0xff));
    }
  });
}

/**
 * A TIPC address: of one socket, of a service's instance, or of a range of instances, which one binds to and which a
 * multicast is sent to.
 * @param address `{ ref, node }`, `{ type, instance, domain? }` (domain 0, the default, looks everywhere), or
 * `{ type, lower, upper }`; each is 32 bits
 * @param scope how far a bound name is known: TIPC_CLUSTER_SCOPE or TIPC_NODE_SCOPE; its negative takes the name back
 * @returns an address of 16 bytes
 * @throws RangeError a number does not fit
 * @see https://docs.kernel.org/networking/tipc.html
 */
export function sockaddr_tipc(address: TipcAddress, scope: number = TIPC_CLUSTER_SCOPE): SockAddr {
  objectIn('address', address);
  const [addrtype, words] =
    'ref' in address
      ? [TIPC_SOCKET_ADDR, { ref: address.ref, node: address.node }]
      : 'lower' in address
        ? [TIPC_SERVICE_RANGE, { type: address.type, lower: address.lower, upper: address.upper }]
        : [TIPC_SERVICE_ADDR, { type: address.type, instance: address.instance, domain: address.domain ?? 0 }];
  return make(sizes.tipc, AF_TIPC, (view) => {
    view.setUint8(fields.tipcAddrtype, addrtype);
    view.setInt8(fields.tipcScope, integer('scope', scope, -128, 127));
    for (const [i, [name, word]] of Object.entries(words).entries()) {
      view.setUint32(fields.tipcAddr + 4 * i, integer(name, word, 0, 0xffffffff), littleEndian);
    }
  });
}

/**
 * An XDP address: the queue of a device whose frames an XDP socket takes.
 * @param ifindex the interface's index, see if_nametoindex
 * @param queue_id the queue
 * @param more `flags` (XDP_COPY, XDP_ZEROCOPY, XDP_USE_NEED_WAKEUP, XDP_SHARED_UMEM), and with XDP_SHARED_UMEM the
 * socket whose memory is shared, `shared_umem_fd`
 * @returns an address of 16 bytes
 * @throws RangeError a number does not fit
 * @see https://docs.kernel.org/networking/af_xdp.html
 */
export function sockaddr_xdp(
  ifindex: number,
  queue_id: number,
  more: { flags?: number | undefined; shared_umem_fd?: number | undefined } = {},
): SockAddr {
  objectIn('more', more);
  return make(sizes.xdp, AF_XDP, (view) => {
    view.setUint16(fields.xdpFlags, integer('flags', more.flags ?? 0, 0, 0xffff), littleEndian);
    view.setUint32(fields.xdpIndex, integer('ifindex', ifindex, 0, 0x7fffffff), littleEndian);
    view.setUint32(fields.xdpQueue, integer('queue_id', queue_id, 0, 0xffffffff), littleEndian);
    view.setUint32(fields.xdpUmem, integer('shared_umem_fd', more.shared_umem_fd ?? 0, 0, 0x7fffffff), littleEndian);
  });
}

/**
 * The name of a hash or cipher of the kernel's, to bind an AF_ALG socket to; accept then gives one that works.
 * @param type `'hash'`, `'skcipher'`, `'aead'`, `'rng'`: at most 13 bytes
 * @param name as /proc/crypto lists them: `'sha256'`, `'cbc(aes)'`; longer than 63 bytes since Linux 4.12
 * @param more `feat` and `mask`: which kinds of it will do, 0 for any
 * @returns an address of 88 bytes, more for a long name
 * @throws RangeError the type is too long · TypeError text with a NUL inside
 * @see https://docs.kernel.org/crypto/userspace-if.html
 */
export function sockaddr_alg(
  type: string,
  name: string,
  more: { feat?: number | undefined; mask?: number | undefined } = {},
): SockAddr {
  objectIn('more', more);
  const [typeBytes, nameBytes] = [textIn('type', type), textIn('name', name)];
  const typeSize = fields.algFeat - fields.algType;
  if (typeBytes.length >= typeSize) throw new RangeError(`type must have at most ${typeSize - 1} bytes`);
  return make(Math.max(sizes.alg, fields.algName + nameBytes.length + 1), AF_ALG, (view, bytes) => {
    bytes.set(typeBytes, fields.algType);
    view.setUint32(fields.algFeat, integer('feat', more.feat ?? 0, 0, 0xffffffff), littleEndian);
    view.setUint32(fields.algMask, integer('mask', more.mask ?? 0, 0, 0xffffffff), littleEndian);
    bytes.set(nameBytes, fields.algName);
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
