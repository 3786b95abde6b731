// The control messages that Linux knows, each with what it holds. To add one, add its row.
import * as c from '../constants.js';
import { type Layout, layouts } from '../native.js';
import {
  bytes,
  type Content,
  contentOf,
  counted,
  type Holding,
  type In,
  in_addr,
  in6_addr,
  int,
  list,
  networkInt,
  type Out,
  sockaddr,
  text,
  uint,
  uint8,
  uint16,
  uint64,
} from './content.js';
import { ucred } from './credentials.js';
import { scm_timestamping, scm_ts_pktinfo, sock_extended_err } from './errqueue.js';
import { in_pktinfo, in6_pktinfo, ip6_mtuinfo, nl_pktinfo, tpacket_auxdata } from './pktinfo.js';
import {
  sctp_authinfo,
  sctp_initmsg,
  sctp_nxtinfo,
  sctp_prinfo,
  sctp_rcvinfo,
  sctp_sndinfo,
  sctp_sndrcvinfo,
} from './sctp.js';
import { timespec, timeval } from './time.js';
import { dmabuf_cmsg } from './timestamping.js';

/** A kind of control message: the level and type that a cmsghdr names it by, and what it holds. */
export interface ControlKind<Out, In = Out> {
  readonly level: number;
  readonly type: number;
  readonly holds: Content<Out, In>;
  /** How many bytes it has at least: fewer are half a message. */
  readonly least: number;
  /** How many bytes it has at most. */
  readonly most: number;
}

function kind<H extends Holding>(
  level: number,
  type: number,
  holding: H,
  { least, most }: { least?: number; most?: number } = {},
): ControlKind<Out<H>, In<H>> {
  const holds = contentOf(holding);
  return { level, type, holds, least: least ?? holds.room, most: most ?? holds.room };
}

const sizeOf = (name: string) => (layouts[name] as Layout).size;
const exactly = (size: number) => ({ least: size, most: size });
const anyLength = { least: 0 };

const inetAddress = exactly(sizeOf('sockaddr_in'));
const inet6Address = exactly(sizeOf('sockaddr_in6'));
// Behind the error stands the offender's address.
const inetError = exactly(sock_extended_err.size + sizeOf('sockaddr_in'));
const inet6Error = exactly(sock_extended_err.size + sizeOf('sockaddr_in6'));

const descriptors = list(int, 253); // SCM_MAX_FD, in no header
const ipOptions = bytes(40); // an IPv4 header has no room for more
const extensionHeader = bytes(2048); // its length is one byte, in units of eight bytes

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
  SCM_RIGHTS: kind(c.SOL_SOCKET, c.SCM_RIGHTS, descriptors, anyLength),
  /**
   * Sent, and received after SO_PASSCRED: who sent this. The kernel lets a sender name only ids of its own (EPERM),
   * unless it has CAP_SYS_ADMIN, CAP_SETUID and CAP_SETGID.
   */
  SCM_CREDENTIALS: kind(c.SOL_SOCKET, c.SCM_CREDENTIALS, ucred),
  /** Received after SO_PASSPIDFD: a pidfd of the sending process, the receiver's to close. Linux 6.5. */
  SCM_PIDFD: kind(c.SOL_SOCKET, c.SCM_PIDFD, int),
  /** Received after SO_PASSSEC, where a security module gives one: the sender's security context. */
  SCM_SECURITY: kind(c.SOL_SOCKET, c.SCM_SECURITY, text, anyLength),
  /** Received after SO_INQ on a stream: how many bytes are left to read. Linux 6.17. */
  SCM_INQ: kind(c.SOL_SOCKET, c.SCM_INQ, int),

  // Every socket: socket(7), https://docs.kernel.org/networking/timestamping.html

  /** Received after SO_TIMESTAMP: when the packet arrived (CLOCK_REALTIME). */
  SCM_TIMESTAMP: kind(c.SOL_SOCKET, c.SCM_TIMESTAMP, timeval),
  /** Received after SO_TIMESTAMPNS: the same in nanoseconds. */
  SCM_TIMESTAMPNS: kind(c.SOL_SOCKET, c.SCM_TIMESTAMPNS, timespec),
  /**
   * Received after SO_TIMESTAMPING: when the packet arrived; in the error queue, when it was sent, and then beside an
   * IP_RECVERR, IPV6_RECVERR or PACKET_TX_TIMESTAMP that says which send it was.
   */
  SCM_TIMESTAMPING: kind(c.SOL_SOCKET, c.SCM_TIMESTAMPING, scm_timestamping),
  /** Received in the error queue with SOF_TIMESTAMPING_OPT_STATS: netlink attributes, TCP_NLA_*. */
  SCM_TIMESTAMPING_OPT_STATS: kind(c.SOL_SOCKET, c.SCM_TIMESTAMPING_OPT_STATS, bytes(1024), anyLength),
  /** Received with SOF_TIMESTAMPING_OPT_PKTINFO beside a device's time stamp: which device, and how long the packet. */
  SCM_TIMESTAMPING_PKTINFO: kind(c.SOL_SOCKET, c.SCM_TIMESTAMPING_PKTINFO, scm_ts_pktinfo),
  /** Sent: which time stamps to take of this message, SOF_TIMESTAMPING_TX_* bits. */
  SO_TIMESTAMPING: kind(c.SOL_SOCKET, c.SO_TIMESTAMPING, uint),
  /** Sent: the number that this message's time stamp will carry in `ee_data`, with SOF_TIMESTAMPING_OPT_ID. Linux 6.13. */
  SCM_TS_OPT_ID: kind(c.SOL_SOCKET, c.SCM_TS_OPT_ID, uint),
  /** Sent after SO_TXTIME: when the packet is to leave, in nanoseconds of the clock that SO_TXTIME named. */
  SCM_TXTIME: kind(c.SOL_SOCKET, c.SCM_TXTIME, uint64),
  /** Sent (with CAP_NET_RAW or CAP_NET_ADMIN), and received after SO_RCVMARK: the packet's mark. */
  SO_MARK: kind(c.SOL_SOCKET, c.SO_MARK, uint),
  /** Sent (above 6 with CAP_NET_RAW or CAP_NET_ADMIN), and received after SO_RCVPRIORITY: the priority. Linux 6.14. */
  SO_PRIORITY: kind(c.SOL_SOCKET, c.SO_PRIORITY, uint),
  /** Received after SO_RXQ_OVFL: how many packets this socket has dropped since it was made, if any. */
  SO_RXQ_OVFL: kind(c.SOL_SOCKET, c.SO_RXQ_OVFL, uint),

  /** Received after SO_WIFI_STATUS from the error queue, with the frame that was sent: 1 if it was acknowledged. */
  SCM_WIFI_STATUS: kind(c.SOL_SOCKET, c.SCM_WIFI_STATUS, int),
  /** Received with MSG_SOCK_DEVMEM: where in the device's memory a part of the stream lies. Linux 6.12. */
  SCM_DEVMEM_DMABUF: kind(c.SOL_SOCKET, c.SCM_DEVMEM_DMABUF, dmabuf_cmsg),
  /** The same for a part that had to stay in ordinary memory, and was copied into the buffer. */
  SCM_DEVMEM_LINEAR: kind(c.SOL_SOCKET, c.SCM_DEVMEM_LINEAR, dmabuf_cmsg),

  // IPv4: ip(7)

  /** Sent, and received after IP_PKTINFO: the interface and the addresses. */
  IP_PKTINFO: kind(c.IPPROTO_IP, c.IP_PKTINFO, in_pktinfo),
  /** Sent (1 to 255), and received after IP_RECVTTL: the time to live. */
  IP_TTL: kind(c.IPPROTO_IP, c.IP_TTL, int),
  /** Sent, and received after IP_RECVTOS: type of service, which is DSCP (6 bits) and ECN (2 bits). */
  IP_TOS: kind(c.IPPROTO_IP, c.IP_TOS, uint8),
  /** Received after IP_RECVOPTS: the options in the packet's header. */
  IP_RECVOPTS: kind(c.IPPROTO_IP, c.IP_RECVOPTS, ipOptions, anyLength),
  /** Sent, and received after IP_RETOPTS: options for the header, as an answer to the packet would carry them. */
  IP_RETOPTS: kind(c.IPPROTO_IP, c.IP_RETOPTS, ipOptions, anyLength),
  /** Received after IP_RECVORIGDSTADDR: the address and port that the packet was sent to, before any redirection. */
  IP_ORIGDSTADDR: kind(c.IPPROTO_IP, c.IP_ORIGDSTADDR, sockaddr, inetAddress),
  /** Received after IP_CHECKSUM, where the kernel has summed up the packet: the sum of what was read, unfolded. */
  IP_CHECKSUM: kind(c.IPPROTO_IP, c.IP_CHECKSUM, uint),
  /** Received from the error queue: why it is there. After IP_RECVERR errors come, too. */
  IP_RECVERR: kind(c.IPPROTO_IP, c.IP_RECVERR, sock_extended_err, inetError),
  /** Received after IP_RECVFRAGSIZE: the longest fragment, in bytes, of a packet that came in fragments. */
  IP_RECVFRAGSIZE: kind(c.IPPROTO_IP, c.IP_RECVFRAGSIZE, int),
  /** Sent on a raw socket with IP_HDRINCL: the protocol by which rules and policies look the packet up. Linux 6.4. */
  IP_PROTOCOL: kind(c.IPPROTO_IP, c.IP_PROTOCOL, int),

  // IPv6: ipv6(7), RFC 3542

  /** Sent, and received after IPV6_RECVPKTINFO: the interface and the address. */
  IPV6_PKTINFO: kind(c.IPPROTO_IPV6, c.IPV6_PKTINFO, in6_pktinfo),
  /** Sent (0 to 255, -1 for the default), and received after IPV6_RECVHOPLIMIT: the hop limit. */
  IPV6_HOPLIMIT: kind(c.IPPROTO_IPV6, c.IPV6_HOPLIMIT, int),
  /** Sent (0 to 255), and received after IPV6_RECVTCLASS: the traffic class. */
  IPV6_TCLASS: kind(c.IPPROTO_IPV6, c.IPV6_TCLASS, int),
  /** Sent, and received after IPV6_FLOWINFO: traffic class (8 bits, sent only by IPV6_TCLASS) and flow label (20). */
  IPV6_FLOWINFO: kind(c.IPPROTO_IPV6, c.IPV6_FLOWINFO, networkInt),
  /** Sent: 1 to fail with EMSGSIZE rather than send the datagram in fragments. */
  IPV6_DONTFRAG: kind(c.IPPROTO_IPV6, c.IPV6_DONTFRAG, int),
  /** Sent (with CAP_NET_RAW), and received after IPV6_RECVHOPOPTS: the hop-by-hop options header. */
  IPV6_HOPOPTS: kind(c.IPPROTO_IPV6, c.IPV6_HOPOPTS, extensionHeader, anyLength),
  /** Sent (with CAP_NET_RAW), and received after IPV6_RECVDSTOPTS: the destination options header. */
  IPV6_DSTOPTS: kind(c.IPPROTO_IPV6, c.IPV6_DSTOPTS, extensionHeader, anyLength),
  /** Sent (with CAP_NET_RAW): destination options for each hop of a routing header. They are received as IPV6_DSTOPTS. */
  IPV6_RTHDRDSTOPTS: kind(c.IPPROTO_IPV6, c.IPV6_RTHDRDSTOPTS, extensionHeader, anyLength),
  /** Sent (type 2, where the kernel has Mobile IPv6), and received after IPV6_RECVRTHDR: the routing header. */
  IPV6_RTHDR: kind(c.IPPROTO_IPV6, c.IPV6_RTHDR, extensionHeader, anyLength),
  /** Received after IPV6_RECVORIGDSTADDR: the address and port that the packet was sent to, before any redirection. */
  IPV6_ORIGDSTADDR: kind(c.IPPROTO_IPV6, c.IPV6_ORIGDSTADDR, sockaddr, inet6Address),
  /** Received from the error queue: why it is there. After IPV6_RECVERR errors come, too. */
  IPV6_RECVERR: kind(c.IPPROTO_IPV6, c.IPV6_RECVERR, sock_extended_err, inet6Error),
  /** Received after IPV6_RECVFRAGSIZE: the longest fragment, in bytes, of a packet that came in fragments. */
  IPV6_RECVFRAGSIZE: kind(c.IPPROTO_IPV6, c.IPV6_RECVFRAGSIZE, int),
  /** Received after IPV6_RECVPATHMTU, with no data: the path MTU, when a datagram did not fit it. */
  IPV6_PATHMTU: kind(c.IPPROTO_IPV6, c.IPV6_PATHMTU, ip6_mtuinfo),

  // UDP: udp(7), which calls it generic segmentation offload. TCP: tcp(7). TLS: https://docs.kernel.org/networking/tls.html

  /**
   * Sent: the buffer is many datagrams, each of so many bytes (the last may be shorter). At most 64 of them, on newer
   * kernels 128 (EINVAL), and together no longer than one datagram can be: 65,507 bytes, over IPv6 65,527 (EMSGSIZE).
   * None is sent in fragments: one that does not fit the path MTU is EMSGSIZE, on older kernels EINVAL.
   */
  UDP_SEGMENT: kind(c.SOL_UDP, c.UDP_SEGMENT, uint16),
  /**
   * Received after UDP_GRO, when the buffer is many datagrams: each has so many bytes (the last may be shorter). They may
   * be 65,535 bytes together; what finds no room in the buffer is lost (MSG_TRUNC).
   */
  UDP_GRO: kind(c.SOL_UDP, c.UDP_GRO, int),
  /** Received after TCP_INQ: how many bytes are left to read; 1 when nothing is left but the end of the stream. */
  TCP_INQ: kind(c.SOL_TCP, c.TCP_CM_INQ, int),
  /** Sent on a TLS socket of the kernel's: the record's type; without it, 23 (application data). */
  TLS_SET_RECORD_TYPE: kind(c.SOL_TLS, c.TLS_SET_RECORD_TYPE, uint8),
  /** Received on a TLS socket of the kernel's: the record's type: 21 an alert, 22 a handshake, 23 application data. */
  TLS_GET_RECORD_TYPE: kind(c.SOL_TLS, c.TLS_GET_RECORD_TYPE, uint8),

  // SCTP: sctp(7), RFC 6458 section 5.3

  /** Sent with the first message to a peer, which begins the association: its streams and attempts. */
  SCTP_INIT: kind(c.SOL_SCTP, c.SCTP_INIT, sctp_initmsg),
  /** Sent, and received after SCTP_EVENTS with sctp_data_io_event: stream, payload protocol, numbers. */
  SCTP_SNDRCV: kind(c.SOL_SCTP, c.SCTP_SNDRCV, sctp_sndrcvinfo),
  /** Sent: stream, flags, payload protocol. */
  SCTP_SNDINFO: kind(c.SOL_SCTP, c.SCTP_SNDINFO, sctp_sndinfo),
  /** Received after SCTP_RECVRCVINFO: stream, payload protocol, numbers, association. */
  SCTP_RCVINFO: kind(c.SOL_SCTP, c.SCTP_RCVINFO, sctp_rcvinfo),
  /** Received after SCTP_RECVNXTINFO, if a message more is there: what is known of it. */
  SCTP_NXTINFO: kind(c.SOL_SCTP, c.SCTP_NXTINFO, sctp_nxtinfo),
  /** Sent: when the message is given up. Linux 4.17, with the three below. */
  SCTP_PRINFO: kind(c.SOL_SCTP, c.SCTP_PRINFO, sctp_prinfo),
  /** Sent: with which key the message is authenticated. */
  SCTP_AUTHINFO: kind(c.SOL_SCTP, c.SCTP_AUTHINFO, sctp_authinfo),
  /** Sent with the first message to a peer: one more address of it, on the same port. Any number of them. */
  SCTP_DSTADDRV4: kind(c.SOL_SCTP, c.SCTP_DSTADDRV4, in_addr),
  /** The same, for IPv6. */
  SCTP_DSTADDRV6: kind(c.SOL_SCTP, c.SCTP_DSTADDRV6, in6_addr),

  // The kernel's ciphers: https://docs.kernel.org/crypto/userspace-if.html

  /** Sent: ALG_OP_ENCRYPT or ALG_OP_DECRYPT. */
  ALG_SET_OP: kind(c.SOL_ALG, c.ALG_SET_OP, uint),
  /** Sent: the initialisation vector, as long as the cipher's is. */
  ALG_SET_IV: kind(c.SOL_ALG, c.ALG_SET_IV, counted('struct af_alg_iv', bytes(64)), { least: 4 }),
  /** Sent: how many bytes at the beginning are authenticated only. */
  ALG_SET_AEAD_ASSOCLEN: kind(c.SOL_ALG, c.ALG_SET_AEAD_ASSOCLEN, uint),

  // CAN, SAE J1939: https://docs.kernel.org/networking/j1939.html

  /** Received: the address that the message was sent to, if it was to one. */
  SCM_J1939_DEST_ADDR: kind(c.SOL_CAN_J1939, c.SCM_J1939_DEST_ADDR, uint8),
  /** Received: the name that the message was sent to, if it was to one. */
  SCM_J1939_DEST_NAME: kind(c.SOL_CAN_J1939, c.SCM_J1939_DEST_NAME, uint64),
  /** Received: the priority, 0 (the highest) to 7. */
  SCM_J1939_PRIO: kind(c.SOL_CAN_J1939, c.SCM_J1939_PRIO, uint8),
  /** Received after SO_J1939_ERRQUEUE from the error queue: what became of a long message. */
  SCM_J1939_ERRQUEUE: kind(c.SOL_CAN_J1939, c.SCM_J1939_ERRQUEUE, sock_extended_err),

  // TIPC: https://docs.kernel.org/networking/tipc.html

  /** Received with a message of one's own that came back: why (TIPC_ERR_*), and how many bytes it had. */
  TIPC_ERRINFO: kind(c.SOL_TIPC, c.TIPC_ERRINFO, list(uint, 2)),
  /** Received with TIPC_ERRINFO: the message, if it had any bytes. */
  TIPC_RETDATA: kind(c.SOL_TIPC, c.TIPC_RETDATA, bytes(c.TIPC_MAX_USER_MSG_SIZE), anyLength),
  /** Received: the service that the message was sent to, if it was to one: type, lower and upper instance. */
  TIPC_DESTNAME: kind(c.SOL_TIPC, c.TIPC_DESTNAME, list(uint, 3)),

  // Other families: packet(7), netlink(7), vsock(7)

  /** Received after PACKET_AUXDATA: lengths, offsets and the VLAN tag of the frame. */
  PACKET_AUXDATA: kind(c.SOL_PACKET, c.PACKET_AUXDATA, tpacket_auxdata),
  /** Received from a packet socket's error queue, beside SCM_TIMESTAMPING: which send it was. */
  PACKET_TX_TIMESTAMP: kind(c.SOL_PACKET, c.PACKET_TX_TIMESTAMP, sock_extended_err),
  /** Received after NETLINK_PKTINFO: the multicast group. */
  NETLINK_PKTINFO: kind(c.SOL_NETLINK, c.NETLINK_PKTINFO, nl_pktinfo),
  /** Received after NETLINK_LISTEN_ALL_NSID: the id of the network namespace that the message comes from. */
  NETLINK_LISTEN_ALL_NSID: kind(c.SOL_NETLINK, c.NETLINK_LISTEN_ALL_NSID, int),
  /** Received from a vsock socket's error queue: a completion of MSG_ZEROCOPY. Linux 6.7. */
  VSOCK_RECVERR: kind(c.SOL_VSOCK, c.VSOCK_RECVERR, sock_extended_err),
};

/** A kind of control message, by its name in C: see {@link controlKinds}. */
export type ControlName = keyof typeof controlKinds;

/** What a kind of control message gives when it is read. */
export type ControlValue<N extends ControlName> =
  (typeof controlKinds)[N] extends ControlKind<infer Out, infer _> ? Out : never;

/** What a kind of control message is made of: the same, or for a struct also an object of its fields. */
export type ControlInput<N extends ControlName> =
  (typeof controlKinds)[N] extends ControlKind<infer _, infer In> ? In : never;

// By level, then by type. Two kinds may share both (SCM_TIMESTAMPING is received, SO_TIMESTAMPING sent): the longer
// one comes first in the table, so the first that the data suffices for is the right one.
const byNumbers = new Map<number, Map<number, ControlName[]>>();
for (const [name, { level, type }] of Object.entries(controlKinds) as [ControlName, ControlKind<unknown, never>][]) {
  const types = byNumbers.get(level) ?? new Map<number, ControlName[]>();
  byNumbers.set(level, types.set(type, [...(types.get(type) ?? []), name]));
}

const none: readonly ControlName[] = [];

/** The kinds of this level and type, the longest first. */
export function kindsOf(level: number, type: number): readonly ControlName[] {
  return byNumbers.get(level)?.get(type) ?? none;
}
