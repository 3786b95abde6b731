// The control messages that Linux knows, each with what it holds. To add one, add its row.
import * as c from '../constants.js';
import { type Layout, layouts } from '../native.js';
import { ucred } from './credentials.js';
import { scm_timestamping, sock_extended_err } from './errqueue.js';
import { in_pktinfo, in6_pktinfo, ip6_mtuinfo, nl_pktinfo, tpacket_auxdata } from './pktinfo.js';
import { type SockAddr, sockaddr } from './sockaddr.js';
import { bytes, int, type Kind, nested, networkUint, type Struct, uint, uint64 } from './struct.js';
import { timespec, timeval } from './time.js';

/** What a control message holds: how its data becomes a value and back, and how long it may be. */
interface Content<T> extends Kind<T> {
  /** How many bytes it has at least: fewer are half a message. */
  readonly least: number;
  /** How many bytes it has at most. */
  readonly most: number;
  /** How many bytes a value takes. */
  sizeOf(value: T): number;
}

/** A kind of control message: the level and type that a cmsghdr names it by, and what it holds. */
export interface ControlKind<T> extends Content<T> {
  readonly level: number;
  readonly type: number;
}

function kind<T>(level: number, type: number, content: Content<T>): ControlKind<T> {
  return { level, type, ...content };
}

function fixed<T>(field: Kind<T>, size: number): Content<T> {
  return {
    least: size,
    most: size,
    sizeOf: () => size,
    read: (view, [offset]) => field.read(view, [offset, size]),
    write: (view, [offset], value) => field.write(view, [offset, size], value),
  };
}

function ofStruct<S extends Struct>(type: (new (bytes: Uint8Array) => S) & { size: number }): Content<S> {
  return fixed(nested(type), type.size);
}

function upTo(most: number): Content<Uint8Array> {
  return { least: 0, most, sizeOf: (value) => value.length, read: bytes.read, write: bytes.write };
}

const u8 = fixed(uint, 1);
const u16 = fixed(uint, 2);
const u32 = fixed(uint, 4);
const u64 = fixed(uint64, 8);
const i32 = fixed(int, 4);
const network32 = fixed(networkUint, 4);

const maxDescriptors = 253; // SCM_MAX_FD, in no header
const descriptors: Content<readonly number[]> = {
  least: 0,
  most: maxDescriptors * 4,
  sizeOf: (fds) => fds.length * 4,
  read: (view, [offset, size]) =>
    Array.from({ length: Math.floor(size / 4) }, (_, i) => int.read(view, [offset + i * 4, 4])),
  write(view, [offset], fds) {
    for (const [i, fd] of fds.entries()) int.write(view, [offset + i * 4, 4], fd);
  },
};

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const text: Content<string> = {
  least: 0,
  most: 4096,
  sizeOf: (value) => encoder.encode(value).length,
  read: (view, place) => decoder.decode(bytes.read(view, place)).replace(/\0$/, ''),
  write: (view, place, value) => bytes.write(view, place, encoder.encode(value)),
};

const sizeOf = (name: string) => (layouts[name] as Layout).size;
const addressOf = (name: string): Content<SockAddr> => fixed(sockaddr, sizeOf(name));
// The error, and behind it the offender's address.
const errorAnd = (name: string): Content<sock_extended_err> =>
  fixed(nested(sock_extended_err), sock_extended_err.size + sizeOf(name));

const ipOptions = upTo(40); // an IPv4 header has no room for more
const extensionHeader = upTo(2048); // its length is one byte, in units of eight bytes

/**
 * Every kind of control message by its name in C. What it holds is what `ControlBuffer.add` takes and `get` gives.
 *
 * "Received" kinds come once an option asks for them; "sent" kinds go with one message, where the option of the same
 * name would set it for all.
 */
export const controlKinds = {
  // Unix sockets: unix(7)

  /**
   * Sent and received: descriptors, 253 at most. They are the same open files, under new numbers, and the receiver's to
   * close. With MSG_CTRUNC those that found no room were closed by the kernel; those that are here are open. A message
   * received with MSG_PEEK gives new ones each time.
   */
  SCM_RIGHTS: kind(c.SOL_SOCKET, c.SCM_RIGHTS, descriptors),
  /**
   * Sent, and received after SO_PASSCRED: who sent this. The kernel lets a sender name only ids of its own (EPERM),
   * unless it has CAP_SYS_ADMIN, CAP_SETUID and CAP_SETGID.
   */
  SCM_CREDENTIALS: kind(c.SOL_SOCKET, c.SCM_CREDENTIALS, ofStruct(ucred)),
  /** Received after SO_PASSPIDFD: a pidfd of the sending process, the receiver's to close. Linux 6.5. */
  SCM_PIDFD: kind(c.SOL_SOCKET, c.SCM_PIDFD, i32),
  /** Received after SO_PASSSEC, where a security module gives one: the sender's security context. */
  SCM_SECURITY: kind(c.SOL_SOCKET, c.SCM_SECURITY, text),
  /** Received after SO_INQ on a stream: how many bytes are left to read. Linux 6.17. */
  SCM_INQ: kind(c.SOL_SOCKET, c.SCM_INQ, i32),

  // Every socket: socket(7), https://docs.kernel.org/networking/timestamping.html

  /** Received after SO_TIMESTAMP: when the packet arrived (CLOCK_REALTIME). */
  SCM_TIMESTAMP: kind(c.SOL_SOCKET, c.SCM_TIMESTAMP, ofStruct(timeval)),
  /** Received after SO_TIMESTAMPNS: the same in nanoseconds. */
  SCM_TIMESTAMPNS: kind(c.SOL_SOCKET, c.SCM_TIMESTAMPNS, ofStruct(timespec)),
  /**
   * Received after SO_TIMESTAMPING: when the packet arrived; in the error queue, when it was sent, and then beside an
   * IP_RECVERR, IPV6_RECVERR or PACKET_TX_TIMESTAMP that says which send it was.
   */
  SCM_TIMESTAMPING: kind(c.SOL_SOCKET, c.SCM_TIMESTAMPING, ofStruct(scm_timestamping)),
  /** Received in the error queue with SOF_TIMESTAMPING_OPT_STATS: netlink attributes, TCP_NLA_*. */
  SCM_TIMESTAMPING_OPT_STATS: kind(c.SOL_SOCKET, c.SCM_TIMESTAMPING_OPT_STATS, upTo(1024)),
  /** Sent: which time stamps to take of this message, SOF_TIMESTAMPING_TX_* bits. */
  SO_TIMESTAMPING: kind(c.SOL_SOCKET, c.SO_TIMESTAMPING, u32),
  /** Sent: the number that this message's time stamp will carry in `ee_data`, with SOF_TIMESTAMPING_OPT_ID. Linux 6.13. */
  SCM_TS_OPT_ID: kind(c.SOL_SOCKET, c.SCM_TS_OPT_ID, u32),
  /** Sent after SO_TXTIME: when the packet is to leave, in nanoseconds of the clock that SO_TXTIME named. */
  SCM_TXTIME: kind(c.SOL_SOCKET, c.SCM_TXTIME, u64),
  /** Sent (with CAP_NET_RAW or CAP_NET_ADMIN), and received after SO_RCVMARK: the packet's mark. */
  SO_MARK: kind(c.SOL_SOCKET, c.SO_MARK, u32),
  /** Sent (above 6 with CAP_NET_RAW or CAP_NET_ADMIN), and received after SO_RCVPRIORITY: the priority. Linux 6.14. */
  SO_PRIORITY: kind(c.SOL_SOCKET, c.SO_PRIORITY, u32),
  /** Received after SO_RXQ_OVFL: how many packets this socket has dropped since it was made, if any. */
  SO_RXQ_OVFL: kind(c.SOL_SOCKET, c.SO_RXQ_OVFL, u32),

  // IPv4: ip(7)

  /** Sent, and received after IP_PKTINFO: the interface and the addresses. */
  IP_PKTINFO: kind(c.IPPROTO_IP, c.IP_PKTINFO, ofStruct(in_pktinfo)),
  /** Sent (1 to 255), and received after IP_RECVTTL: the time to live. */
  IP_TTL: kind(c.IPPROTO_IP, c.IP_TTL, i32),
  /** Sent, and received after IP_RECVTOS: type of service, which is DSCP (6 bits) and ECN (2 bits). */
  IP_TOS: kind(c.IPPROTO_IP, c.IP_TOS, u8),
  /** Received after IP_RECVOPTS: the options in the packet's header. */
  IP_RECVOPTS: kind(c.IPPROTO_IP, c.IP_RECVOPTS, ipOptions),
  /** Sent, and received after IP_RETOPTS: options for the header, as an answer to the packet would carry them. */
  IP_RETOPTS: kind(c.IPPROTO_IP, c.IP_RETOPTS, ipOptions),
  /** Received after IP_RECVORIGDSTADDR: the address and port that the packet was sent to, before any redirection. */
  IP_ORIGDSTADDR: kind(c.IPPROTO_IP, c.IP_ORIGDSTADDR, addressOf('sockaddr_in')),
  /** Received from the error queue: why it is there. After IP_RECVERR errors come, too. */
  IP_RECVERR: kind(c.IPPROTO_IP, c.IP_RECVERR, errorAnd('sockaddr_in')),
  /** Received after IP_RECVFRAGSIZE: the longest fragment, in bytes, of a packet that came in fragments. */
  IP_RECVFRAGSIZE: kind(c.IPPROTO_IP, c.IP_RECVFRAGSIZE, i32),
  /** Sent on a raw socket of IPPROTO_RAW without IP_HDRINCL: the protocol in the packet's header. Linux 6.5. */
  IP_PROTOCOL: kind(c.IPPROTO_IP, c.IP_PROTOCOL, i32),

  // IPv6: ipv6(7), RFC 3542

  /** Sent, and received after IPV6_RECVPKTINFO: the interface and the address. */
  IPV6_PKTINFO: kind(c.IPPROTO_IPV6, c.IPV6_PKTINFO, ofStruct(in6_pktinfo)),
  /** Sent (0 to 255, -1 for the default), and received after IPV6_RECVHOPLIMIT: the hop limit. */
  IPV6_HOPLIMIT: kind(c.IPPROTO_IPV6, c.IPV6_HOPLIMIT, i32),
  /** Sent (0 to 255, -1 for the default), and received after IPV6_RECVTCLASS: the traffic class. */
  IPV6_TCLASS: kind(c.IPPROTO_IPV6, c.IPV6_TCLASS, i32),
  /** Sent, and received after IPV6_FLOWINFO: traffic class (8 bits, sent only by IPV6_TCLASS) and flow label (20). */
  IPV6_FLOWINFO: kind(c.IPPROTO_IPV6, c.IPV6_FLOWINFO, network32),
  /** Sent: 1 to fail with EMSGSIZE rather than send the datagram in fragments. */
  IPV6_DONTFRAG: kind(c.IPPROTO_IPV6, c.IPV6_DONTFRAG, i32),
  /** Sent (with CAP_NET_RAW), and received after IPV6_RECVHOPOPTS: the hop-by-hop options header. */
  IPV6_HOPOPTS: kind(c.IPPROTO_IPV6, c.IPV6_HOPOPTS, extensionHeader),
  /** Sent (with CAP_NET_RAW), and received after IPV6_RECVDSTOPTS: the destination options header. */
  IPV6_DSTOPTS: kind(c.IPPROTO_IPV6, c.IPV6_DSTOPTS, extensionHeader),
  /** Sent (with CAP_NET_RAW): destination options for each hop of a routing header. They are received as IPV6_DSTOPTS. */
  IPV6_RTHDRDSTOPTS: kind(c.IPPROTO_IPV6, c.IPV6_RTHDRDSTOPTS, extensionHeader),
  /** Sent (type 2, where the kernel has Mobile IPv6), and received after IPV6_RECVRTHDR: the routing header. */
  IPV6_RTHDR: kind(c.IPPROTO_IPV6, c.IPV6_RTHDR, extensionHeader),
  /** Received after IPV6_RECVORIGDSTADDR: the address and port that the packet was sent to, before any redirection. */
  IPV6_ORIGDSTADDR: kind(c.IPPROTO_IPV6, c.IPV6_ORIGDSTADDR, addressOf('sockaddr_in6')),
  /** Received from the error queue: why it is there. After IPV6_RECVERR errors come, too. */
  IPV6_RECVERR: kind(c.IPPROTO_IPV6, c.IPV6_RECVERR, errorAnd('sockaddr_in6')),
  /** Received after IPV6_RECVFRAGSIZE: the longest fragment, in bytes, of a packet that came in fragments. */
  IPV6_RECVFRAGSIZE: kind(c.IPPROTO_IPV6, c.IPV6_RECVFRAGSIZE, i32),
  /** Received after IPV6_RECVPATHMTU, with no data: the path MTU, when a datagram did not fit it. */
  IPV6_PATHMTU: kind(c.IPPROTO_IPV6, c.IPV6_PATHMTU, ofStruct(ip6_mtuinfo)),

  // UDP: udp(7), which calls it generic segmentation offload. TCP: tcp(7). TLS: https://docs.kernel.org/networking/tls.html

  /** Sent: the buffer is many datagrams, each of so many bytes (the last may be shorter). */
  UDP_SEGMENT: kind(c.SOL_UDP, c.UDP_SEGMENT, u16),
  /** Received after UDP_GRO, when the buffer is many datagrams: each has so many bytes (the last may be shorter). */
  UDP_GRO: kind(c.SOL_UDP, c.UDP_GRO, i32),
  /** Received after TCP_INQ: how many bytes are left to read; 1 when nothing is left but the end of the stream. */
  TCP_INQ: kind(c.SOL_TCP, c.TCP_CM_INQ, i32),
  /** Sent on a TLS socket of the kernel's: the record's type; without it, 23 (application data). */
  TLS_SET_RECORD_TYPE: kind(c.SOL_TLS, c.TLS_SET_RECORD_TYPE, u8),
  /** Received on a TLS socket of the kernel's: the record's type: 21 an alert, 22 a handshake, 23 application data. */
  TLS_GET_RECORD_TYPE: kind(c.SOL_TLS, c.TLS_GET_RECORD_TYPE, u8),

  // Other families: packet(7), netlink(7), vsock(7)

  /** Received after PACKET_AUXDATA: lengths, offsets and the VLAN tag of the frame. */
  PACKET_AUXDATA: kind(c.SOL_PACKET, c.PACKET_AUXDATA, ofStruct(tpacket_auxdata)),
  /** Received from a packet socket's error queue, beside SCM_TIMESTAMPING: which send it was. */
  PACKET_TX_TIMESTAMP: kind(c.SOL_PACKET, c.PACKET_TX_TIMESTAMP, ofStruct(sock_extended_err)),
  /** Received after NETLINK_PKTINFO: the multicast group. */
  NETLINK_PKTINFO: kind(c.SOL_NETLINK, c.NETLINK_PKTINFO, ofStruct(nl_pktinfo)),
  /** Received after NETLINK_LISTEN_ALL_NSID: the id of the network namespace that the message comes from. */
  NETLINK_LISTEN_ALL_NSID: kind(c.SOL_NETLINK, c.NETLINK_LISTEN_ALL_NSID, i32),
  /** Received from a vsock socket's error queue: a completion of MSG_ZEROCOPY. Linux 6.7. */
  VSOCK_RECVERR: kind(c.SOL_VSOCK, c.VSOCK_RECVERR, ofStruct(sock_extended_err)),
};

/** A kind of control message, by its name in C: see {@link controlKinds}. */
export type ControlName = keyof typeof controlKinds;

/** What a kind of control message holds. */
export type ControlValue<N extends ControlName> = (typeof controlKinds)[N] extends ControlKind<infer T> ? T : never;

// By level, then by type. Two kinds may share both (SCM_TIMESTAMPING is received, SO_TIMESTAMPING sent): the longer
// one comes first in the table, so the first that the data suffices for is the right one.
const byNumbers = new Map<number, Map<number, ControlName[]>>();
for (const [name, { level, type }] of Object.entries(controlKinds) as [ControlName, ControlKind<unknown>][]) {
  const types = byNumbers.get(level) ?? new Map<number, ControlName[]>();
  byNumbers.set(level, types.set(type, [...(types.get(type) ?? []), name]));
}

const none: readonly ControlName[] = [];

/** The kinds of this level and type, the longest first. */
export function kindsOf(level: number, type: number): readonly ControlName[] {
  return byNumbers.get(level)?.get(type) ?? none;
}
