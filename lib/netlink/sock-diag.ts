// The sockets of this network namespace: NETLINK_SOCK_DIAG, see sock_diag(7).
import {
  AF_INET,
  AF_INET6,
  AF_UNIX,
  INET_DIAG_CONG,
  INET_DIAG_INFO,
  INET_DIAG_REQ_PROTOCOL,
  INET_DIAG_SKMEMINFO,
  IPPROTO_TCP,
  NETLINK_SOCK_DIAG,
  NLM_F_DUMP,
  SOCK_DIAG_BY_FAMILY,
  UDIAG_SHOW_NAME,
  UDIAG_SHOW_PEER,
  UDIAG_SHOW_RQLEN,
  UDIAG_SHOW_UID,
  UNIX_DIAG_NAME,
  UNIX_DIAG_PEER,
  UNIX_DIAG_RQLEN,
  UNIX_DIAG_UID,
} from '../constants.js';
import { formatInet, formatInet6 } from '../structs/inet.js';
import { SockAddr } from '../structs/sockaddr.js';
import { sockaddr_in, sockaddr_in6, sockaddr_un } from '../structs/sockaddr-families.js';
import { bytes, nested, networkUint, struct, uint, uint64 } from '../structs/struct.js';
import { tcp_info } from '../structs/tcp-info.js';
import type { Attribute, NetlinkAttributes } from './attributes.js';
import { netlinkQuery } from './exchange.js';
import { NetlinkMessage } from './message.js';

/** What tells one socket of IPv4 or IPv6 from all others. */
export class inet_diag_sockid extends struct('inet_diag_sockid', {
  idiag_sport: networkUint,
  idiag_dport: networkUint,
  /** 16 bytes, of which IPv4 uses the first 4. */
  idiag_src: bytes,
  idiag_dst: bytes,
  /** The interface that it is bound to. */
  idiag_if: uint,
  /** SO_COOKIE; all ones in a question for any. */
  idiag_cookie: uint64,
}) {}

/** Which sockets of IPv4 or IPv6 to tell of. */
export class inet_diag_req_v2 extends struct('inet_diag_req_v2', {
  /** AF_INET, AF_INET6. */
  sdiag_family: uint,
  /** IPPROTO_TCP, IPPROTO_UDP, ... */
  sdiag_protocol: uint,
  /** What to tell of each: bit `INET_DIAG_INFO - 1`, ... */
  idiag_ext: uint,
  /** In which states: bit `TCP_ESTABLISHED`, ... */
  idiag_states: uint,
  id: nested(inet_diag_sockid),
}) {}

/** What the kernel tells of one. */
export class inet_diag_msg extends struct('inet_diag_msg', {
  idiag_family: uint,
  /** TCP_ESTABLISHED, TCP_LISTEN, ...; UDP uses TCP_CLOSE, and TCP_ESTABLISHED when it is connected. */
  idiag_state: uint,
  /** Which timer runs: 0 none, 1 retransmission, 2 keep-alive, 3 TIME_WAIT, 4 zero-window probe. */
  idiag_timer: uint,
  /** How often it ran. */
  idiag_retrans: uint,
  id: nested(inet_diag_sockid),
  /** Milliseconds until the timer expires. */
  idiag_expires: uint,
  /** Bytes to read; of a listener, connections to accept. */
  idiag_rqueue: uint,
  /** Bytes not yet acknowledged; of a listener, its backlog. */
  idiag_wqueue: uint,
  /** Whose it is. */
  idiag_uid: uint,
  /** The number in `socket:[…]` of /proc/PID/fd; 0 when no process has it any more. */
  idiag_inode: uint,
}) {}

/** Which Unix sockets to tell of. */
export class unix_diag_req extends struct('unix_diag_req', {
  /** AF_UNIX. */
  sdiag_family: uint,
  sdiag_protocol: uint,
  /** In which states: bit TCP_ESTABLISHED, TCP_LISTEN, TCP_CLOSE. */
  udiag_states: uint,
  /** The inode of the one asked for; 0 for all. */
  udiag_ino: uint,
  /** What to tell of each: UDIAG_SHOW_*. */
  udiag_show: uint,
  udiag_cookie: uint64,
}) {}

/** What the kernel tells of one. */
export class unix_diag_msg extends struct('unix_diag_msg', {
  udiag_family: uint,
  /** SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET. */
  udiag_type: uint,
  /** TCP_ESTABLISHED, TCP_LISTEN or TCP_CLOSE. */
  udiag_state: uint,
  /** The number in `socket:[…]` of /proc/PID/fd. */
  udiag_ino: uint,
  udiag_cookie: uint64,
}) {}

/** How full a Unix socket's queues are. */
export class unix_diag_rqlen extends struct('unix_diag_rqlen', {
  /** Bytes to read; of a listener, connections to accept. */
  udiag_rqueue: uint,
  /** Bytes of what was sent and not yet read; of a listener, its backlog. */
  udiag_wqueue: uint,
}) {}

/** A socket of IPv4 or IPv6, as the kernel tells of it. See ss(8). */
export class InetSocket {
  readonly header: inet_diag_msg;
  readonly attributes: NetlinkAttributes;
  readonly protocol: number;

  constructor(message: NetlinkMessage, protocol: number) {
    this.header = message.body(inet_diag_msg);
    this.attributes = message.attributes(inet_diag_msg);
    this.protocol = protocol;
  }
  /** TCP_ESTABLISHED, TCP_LISTEN, ... */
  get state(): number {
    return this.header.idiag_state;
  }
  get local(): SockAddr {
    const { id } = this.header;
    return this.#address(id?.idiag_src, id?.idiag_sport);
  }
  get remote(): SockAddr {
    const { id } = this.header;
    return this.#address(id?.idiag_dst, id?.idiag_dport);
  }
  #address(address: Uint8Array | undefined, port: number | undefined): SockAddr {
    if (address === undefined || port === undefined) return new SockAddr(); // of a message that was cut
    if (this.header.idiag_family === AF_INET) return sockaddr_in(formatInet(address.subarray(0, 4)), port);
    // A link-local address is of one interface, and who uses it is bound to that.
    const isLinkLocal = address[0] === 0xfe && ((address[1] as number) & 0xc0) === 0x80;
    return sockaddr_in6(formatInet6(address), port, { scopeId: isLinkLocal ? this.boundInterface : 0 });
  }
  /** The index of the interface that it is bound to, by SO_BINDTODEVICE or by a link-local address; 0 for none. */
  get boundInterface(): number {
    return this.header.id?.idiag_if;
  }
  /** Bytes to read; of a listener, connections to accept. */
  get receiveQueue(): number {
    return this.header.idiag_rqueue;
  }
  /** Bytes not yet acknowledged; of a listener, its backlog. */
  get sendQueue(): number {
    return this.header.idiag_wqueue;
  }
  get uid(): number {
    return this.header.idiag_uid;
  }
  get inode(): number {
    return this.header.idiag_inode;
  }
  /** What SO_COOKIE gives. */
  get cookie(): bigint {
    return this.header.id?.idiag_cookie;
  }
  /** What TCP_INFO gives; of TCP, where it was asked for. */
  get info(): tcp_info | undefined {
    const data = this.attributes.get(INET_DIAG_INFO);
    return this.protocol === IPPROTO_TCP && data ? new tcp_info(data) : undefined;
  }
  /** What TCP_CONGESTION gives. */
  get congestion(): string | undefined {
    return this.attributes.text(INET_DIAG_CONG);
  }
  /** What SO_MEMINFO gives. */
  get memory(): number[] | undefined {
    return this.attributes.numbers(INET_DIAG_SKMEMINFO);
  }
}

/** A Unix socket, as the kernel tells of it. See ss(8). */
export class UnixSocket {
  readonly header: unix_diag_msg;
  readonly attributes: NetlinkAttributes;

  constructor(message: NetlinkMessage) {
    this.header = message.body(unix_diag_msg);
    this.attributes = message.attributes(unix_diag_msg);
  }
  /** SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET. */
  get type(): number {
    return this.header.udiag_type;
  }
  /** TCP_ESTABLISHED, TCP_LISTEN or TCP_CLOSE. */
  get state(): number {
    return this.header.udiag_state;
  }
  get inode(): number {
    return this.header.udiag_ino;
  }
  /** Its address; undefined when it has no name. */
  get local(): SockAddr | undefined {
    const name = this.attributes.get(UNIX_DIAG_NAME);
    if (!name) return undefined;
    const address = sockaddr_un('');
    address.storage.set(name.subarray(0, address.storage.length - address.length), address.length);
    address.length = Math.min(address.length + name.length, address.storage.length);
    return address;
  }
  /** The inode of the socket at the other end, if there is one. */
  get peer(): number | undefined {
    return this.attributes.number(UNIX_DIAG_PEER);
  }
  get uid(): number | undefined {
    return this.attributes.number(UNIX_DIAG_UID);
  }
  /** Bytes to read; of a listener, connections to accept. */
  get receiveQueue(): number | undefined {
    return this.#queues?.udiag_rqueue;
  }
  /** Bytes of what was sent and not yet read; of a listener, its backlog. */
  get sendQueue(): number | undefined {
    return this.#queues?.udiag_wqueue;
  }
  get #queues(): unix_diag_rqlen | undefined {
    const data = this.attributes.get(UNIX_DIAG_RQLEN);
    return data && new unix_diag_rqlen(data);
  }
}

const anyState = 0xffffffff;
const anyCookie = 2n ** 64n - 1n;
const tellAlso = [INET_DIAG_INFO, INET_DIAG_CONG, INET_DIAG_SKMEMINFO].reduce((all, one) => all | (1 << (one - 1)), 0);

/** Which sockets to list. */
export interface InetSocketFilter {
  /** AF_INET or AF_INET6; both without it. */
  readonly family?: number | undefined;
  /** IPPROTO_TCP if not said; IPPROTO_UDP, IPPROTO_RAW, IPPROTO_UDPLITE, IPPROTO_MPTCP, IPPROTO_ICMP. */
  readonly protocol?: number | undefined;
  /** TCP_ESTABLISHED, TCP_LISTEN, ...; all without it. */
  readonly states?: readonly number[] | undefined;
}

const stateBits = (states: readonly number[] | undefined) =>
  states === undefined ? anyState : states.reduce((bits, state) => bits | (1 << state), 0) >>> 0;

/**
 * The sockets of IPv4 and IPv6 in this network namespace, whoever's they are, as `ss` lists them.
 * @returns each with its addresses, state and owner
 * @throws NetlinkError ENOENT this kernel cannot tell of this protocol
 * @see sock_diag(7)
 */
export function listInetSockets({ family, protocol = IPPROTO_TCP, states }: InetSocketFilter = {}): InetSocket[] {
  return (family === undefined ? [AF_INET, AF_INET6] : [family]).flatMap((sdiag_family) => {
    const question = new inet_diag_req_v2({
      sdiag_family,
      sdiag_protocol: protocol & 0xff,
      idiag_ext: tellAlso,
      idiag_states: stateBits(states),
      id: new inet_diag_sockid({ idiag_cookie: anyCookie }),
    });
    // The number of Multipath TCP does not fit into the struct.
    const whole: Attribute[] = protocol > 0xff ? [[INET_DIAG_REQ_PROTOCOL, protocol]] : [];
    const request = NetlinkMessage.of(SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, question, whole);
    return netlinkQuery(NETLINK_SOCK_DIAG, request).map((message) => new InetSocket(message, protocol));
  });
}

function unixQuery(inode: number, states: number, flags: number): UnixSocket[] {
  const question = new unix_diag_req({
    sdiag_family: AF_UNIX,
    udiag_ino: inode,
    udiag_states: states,
    udiag_show: UDIAG_SHOW_NAME | UDIAG_SHOW_PEER | UDIAG_SHOW_RQLEN | UDIAG_SHOW_UID,
    udiag_cookie: anyCookie,
  });
  const request = NetlinkMessage.of(SOCK_DIAG_BY_FAMILY, flags, question);
  return netlinkQuery(NETLINK_SOCK_DIAG, request).map((message) => new UnixSocket(message));
}

/**
 * The Unix sockets in this network namespace, whoever's they are, as `ss -x` lists them.
 * @param states TCP_ESTABLISHED, TCP_LISTEN, TCP_CLOSE; all without it
 * @returns each with its name, peer and state
 * @throws as {@link netlinkQuery}
 * @see sock_diag(7)
 */
export function listUnixSockets(states?: readonly number[]): UnixSocket[] {
  return unixQuery(0, stateBits(states), NLM_F_DUMP);
}

/**
 * The Unix socket with this inode, the number in `socket:[…]` of /proc/PID/fd.
 * @param inode a number of 32 bits
 * @returns what the kernel says of it
 * @throws NetlinkError ENOENT there is none in this network namespace
 * @see sock_diag(7)
 */
export function findUnixSocket(inode: number): UnixSocket {
  return unixQuery(inode, 0, 0)[0] as UnixSocket;
}
