// Links, addresses, routes and neighbours: NETLINK_ROUTE, see rtnetlink(7).
import {
  AF_UNSPEC,
  IFA_ADDRESS,
  IFA_BROADCAST,
  IFA_FLAGS,
  IFA_LABEL,
  IFA_LOCAL,
  IFLA_ADDRESS,
  IFLA_BROADCAST,
  IFLA_GROUP,
  IFLA_IFNAME,
  IFLA_INFO_KIND,
  IFLA_LINK,
  IFLA_LINKINFO,
  IFLA_MASTER,
  IFLA_MTU,
  IFLA_OPERSTATE,
  IFLA_QDISC,
  IFLA_TXQLEN,
  NDA_DST,
  NDA_LLADDR,
  NETLINK_ROUTE,
  NLM_F_DUMP,
  RTA_DST,
  RTA_GATEWAY,
  RTA_IIF,
  RTA_MULTIPATH,
  RTA_OIF,
  RTA_PREFSRC,
  RTA_PRIORITY,
  RTA_TABLE,
  RTA_VIA,
  RTM_GETADDR,
  RTM_GETLINK,
  RTM_GETNEIGH,
  RTM_GETROUTE,
} from '../constants.js';
import { int, struct, uint } from '../structs/struct.js';
import { addressText, NetlinkAttributes, netlinkAlign } from './attributes.js';
import { netlinkQuery } from './exchange.js';
import { NetlinkMessage } from './message.js';

/** The struct of a message about an interface: RTM_NEWLINK, RTM_GETLINK, ... */
export class ifinfomsg extends struct('ifinfomsg', {
  ifi_family: uint,
  /** The kind of device: ARPHRD_*. */
  ifi_type: uint,
  /** The interface's index. */
  ifi_index: int,
  /** IFF_* bits. */
  ifi_flags: uint,
  /** Which of the flags to change. */
  ifi_change: uint,
}) {}

/** The struct of a message about an address: RTM_NEWADDR, RTM_GETADDR, ... */
export class ifaddrmsg extends struct('ifaddrmsg', {
  /** AF_INET, AF_INET6. */
  ifa_family: uint,
  ifa_prefixlen: uint,
  /** The lower 8 of the IFA_F_* bits; the attribute IFA_FLAGS has all. */
  ifa_flags: uint,
  /** RT_SCOPE_*. */
  ifa_scope: uint,
  /** The interface's index. */
  ifa_index: uint,
}) {}

/** The struct of a message about a route: RTM_NEWROUTE, RTM_GETROUTE, ... */
export class rtmsg extends struct('rtmsg', {
  /** AF_INET, AF_INET6. */
  rtm_family: uint,
  /** How many bits of the destination count. */
  rtm_dst_len: uint,
  /** How many bits of the source count. */
  rtm_src_len: uint,
  rtm_tos: uint,
  /** The lower 8 bits of the table's number; the attribute RTA_TABLE has all. */
  rtm_table: uint,
  /** Who added it: RTPROT_*. */
  rtm_protocol: uint,
  /** RT_SCOPE_*. */
  rtm_scope: uint,
  /** RTN_*. */
  rtm_type: uint,
  /** RTM_F_*, RTNH_F_* bits. */
  rtm_flags: uint,
}) {}

/** One of the ways of a route that has several, with attributes behind it: RTA_MULTIPATH holds a list of them. */
export class rtnexthop extends struct('rtnexthop', {
  /** Its length, attributes included. */
  rtnh_len: uint,
  /** RTNH_F_* bits. */
  rtnh_flags: uint,
  /** Its weight, less one. */
  rtnh_hops: uint,
  /** The index of the interface that it leaves by. */
  rtnh_ifindex: int,
}) {}

/** The struct of a message about a neighbour: RTM_NEWNEIGH, RTM_GETNEIGH, ... */
export class ndmsg extends struct('ndmsg', {
  ndm_family: uint,
  /** The interface's index. */
  ndm_ifindex: int,
  /** NUD_* bits. */
  ndm_state: uint,
  /** NTF_* bits. */
  ndm_flags: uint,
  /** RTN_*. */
  ndm_type: uint,
}) {}

/** What a message of NETLINK_ROUTE tells of one thing: its struct, its attributes, and the commonest of these by name. */
class Told<Header> {
  readonly header: Header;
  readonly attributes: NetlinkAttributes;

  constructor(header: Header, attributes: NetlinkAttributes) {
    this.header = header;
    this.attributes = attributes;
  }
}

/** An interface, as the kernel tells of it. See ip-link(8). */
export class Link extends Told<ifinfomsg> {
  static from(message: NetlinkMessage): Link {
    return new Link(message.body(ifinfomsg), message.attributes(ifinfomsg));
  }
  get index(): number {
    return this.header.ifi_index;
  }
  /** IFF_* bits. */
  get flags(): number {
    return this.header.ifi_flags;
  }
  get name(): string {
    return this.attributes.text(IFLA_IFNAME) ?? '';
  }
  /** Bytes. */
  get mtu(): number | undefined {
    return this.attributes.number(IFLA_MTU);
  }
  /** The hardware address. */
  get address(): string | undefined {
    return this.attributes.hardwareAddress(IFLA_ADDRESS);
  }
  /** The hardware address for all. */
  get broadcast(): string | undefined {
    return this.attributes.hardwareAddress(IFLA_BROADCAST);
  }
  /** IF_OPER_*. */
  get operstate(): number | undefined {
    return this.attributes.number(IFLA_OPERSTATE);
  }
  /** The queueing discipline: `'noqueue'`. */
  get qdisc(): string | undefined {
    return this.attributes.text(IFLA_QDISC);
  }
  /** Packets that its queue holds. */
  get txqlen(): number | undefined {
    return this.attributes.number(IFLA_TXQLEN);
  }
  get group(): number | undefined {
    return this.attributes.number(IFLA_GROUP);
  }
  /** The index of the interface that this one is part of: a bridge or a bond. */
  get master(): number | undefined {
    return this.attributes.number(IFLA_MASTER);
  }
  /** The index of the interface below, or at the other end of a veth. */
  get link(): number | undefined {
    return this.attributes.number(IFLA_LINK);
  }
  /** What it is, where it is made by software: `'veth'`, `'bridge'`, `'tun'`. */
  get kind(): string | undefined {
    return this.attributes.nested(IFLA_LINKINFO)?.text(IFLA_INFO_KIND);
  }
}

/** An address of an interface, as the kernel tells of it. See ip-address(8). */
export class InterfaceAddress extends Told<ifaddrmsg> {
  static from(message: NetlinkMessage): InterfaceAddress {
    return new InterfaceAddress(message.body(ifaddrmsg), message.attributes(ifaddrmsg));
  }
  /** AF_INET, AF_INET6. */
  get family(): number {
    return this.header.ifa_family;
  }
  /** The interface's index. */
  get index(): number {
    return this.header.ifa_index;
  }
  get prefixLength(): number {
    return this.header.ifa_prefixlen;
  }
  /** RT_SCOPE_*. */
  get scope(): number {
    return this.header.ifa_scope;
  }
  /** The address itself. */
  get local(): string | undefined {
    return this.attributes.address(IFA_LOCAL) ?? this.attributes.address(IFA_ADDRESS);
  }
  /** The other end's, on a point-to-point link; otherwise the same. */
  get address(): string | undefined {
    return this.attributes.address(IFA_ADDRESS);
  }
  get broadcast(): string | undefined {
    return this.attributes.address(IFA_BROADCAST);
  }
  get label(): string | undefined {
    return this.attributes.text(IFA_LABEL);
  }
  /** IFA_F_* bits. */
  get flags(): number {
    return this.attributes.number(IFA_FLAGS) ?? this.header.ifa_flags;
  }
}

// The gateway of an IPv4 route may be an IPv6 one: struct rtvia, two bytes for the family and then the address.
const gatewayOf = (attributes: NetlinkAttributes) =>
  attributes.address(RTA_GATEWAY) ?? addressText(attributes.get(RTA_VIA)?.subarray(2));

/** One of the ways of a route that has several. */
export class NextHop extends Told<rtnexthop> {
  /** By way of, if not directly. */
  get gateway(): string | undefined {
    return gatewayOf(this.attributes);
  }
  /** The index of the interface that it leaves by. */
  get outInterface(): number {
    return this.header.rtnh_ifindex;
  }
  /** Its share of the flows, beside the weights of the others: 1 to 256. */
  get weight(): number {
    return this.header.rtnh_hops + 1;
  }
  /** RTNH_F_* bits: RTNH_F_DEAD, RTNH_F_LINKDOWN, RTNH_F_ONLINK. */
  get flags(): number {
    return this.header.rtnh_flags;
  }
}

// One that claims to be longer than what is there ends them.
function* nextHopsIn(bytes: Uint8Array): IterableIterator<NextHop> {
  for (let start = 0; start + rtnexthop.size <= bytes.length; ) {
    const header = new rtnexthop(bytes.subarray(start, start + rtnexthop.size));
    const end = start + header.rtnh_len;
    if (header.rtnh_len < rtnexthop.size || end > bytes.length) return;
    yield new NextHop(header, new NetlinkAttributes(bytes.subarray(start + rtnexthop.size, end)));
    start = netlinkAlign(end);
  }
}

/** A route, as the kernel tells of it. See ip-route(8). */
export class Route extends Told<rtmsg> {
  static from(message: NetlinkMessage): Route {
    return new Route(message.body(rtmsg), message.attributes(rtmsg));
  }
  /** AF_INET, AF_INET6. */
  get family(): number {
    return this.header.rtm_family;
  }
  /** RT_TABLE_MAIN, RT_TABLE_LOCAL, or a number. */
  get table(): number {
    return this.attributes.number(RTA_TABLE) ?? this.header.rtm_table;
  }
  /** RTN_UNICAST, RTN_LOCAL, ... */
  get type(): number {
    return this.header.rtm_type;
  }
  /** Where to, if not to everywhere. */
  get destination(): string | undefined {
    return this.attributes.address(RTA_DST);
  }
  /** How many bits of the destination count: 0 for the default route. */
  get prefixLength(): number {
    return this.header.rtm_dst_len;
  }
  /** By way of, if not directly and not by several ways: an address of the route's family, or an IPv6 one. */
  get gateway(): string | undefined {
    return gatewayOf(this.attributes);
  }
  /** The index of the interface that it leaves by, if not by several ways. */
  get outInterface(): number | undefined {
    return this.attributes.number(RTA_OIF);
  }
  /** Its ways, where it has several; then it has no `gateway` or `outInterface` of its own. */
  get nextHops(): NextHop[] {
    const hops = this.attributes.get(RTA_MULTIPATH);
    return hops ? Array.from(nextHopsIn(hops)) : [];
  }
  /** The index of the interface that it came by, in the answer to a question about one packet. */
  get inInterface(): number | undefined {
    return this.attributes.number(RTA_IIF);
  }
  /** The metric: the lower, the better. */
  get priority(): number | undefined {
    return this.attributes.number(RTA_PRIORITY);
  }
  /** The source address that is preferred. */
  get preferredSource(): string | undefined {
    return this.attributes.address(RTA_PREFSRC);
  }
  /** Who added it: RTPROT_*. */
  get protocol(): number {
    return this.header.rtm_protocol;
  }
  /** RT_SCOPE_*. */
  get scope(): number {
    return this.header.rtm_scope;
  }
}

/** A neighbour (what arp(8) lists), as the kernel tells of it. See ip-neighbour(8). */
export class Neighbour extends Told<ndmsg> {
  static from(message: NetlinkMessage): Neighbour {
    return new Neighbour(message.body(ndmsg), message.attributes(ndmsg));
  }
  get family(): number {
    return this.header.ndm_family;
  }
  /** The interface's index. */
  get index(): number {
    return this.header.ndm_ifindex;
  }
  /** NUD_* bits. */
  get state(): number {
    return this.header.ndm_state;
  }
  /** Its IPv4 or IPv6 address. */
  get destination(): string | undefined {
    return this.attributes.address(NDA_DST);
  }
  /** Its hardware address. */
  get hardwareAddress(): string | undefined {
    return this.attributes.hardwareAddress(NDA_LLADDR);
  }
}

/**
 * The interfaces of this network namespace, as `ip link` lists them.
 * @returns each with what RTM_NEWLINK says of it
 * @throws as {@link netlinkQuery}
 * @see rtnetlink(7)
 */
export function listLinks(): Link[] {
  return netlinkQuery(NETLINK_ROUTE, NetlinkMessage.of(RTM_GETLINK, NLM_F_DUMP, new ifinfomsg())).map(Link.from);
}

/**
 * The addresses of all interfaces, as `ip address` lists them.
 * @param family AF_INET or AF_INET6; both without it
 * @returns each with its interface
 * @throws as {@link netlinkQuery}
 * @see rtnetlink(7)
 */
export function listAddresses(family: number = AF_UNSPEC): InterfaceAddress[] {
  const request = NetlinkMessage.of(RTM_GETADDR, NLM_F_DUMP, new ifaddrmsg({ ifa_family: family }));
  return netlinkQuery(NETLINK_ROUTE, request).map(InterfaceAddress.from);
}

/**
 * The routes of all tables, as `ip route show table all` lists them.
 * @param family AF_INET or AF_INET6; both without it
 * @returns each with its table
 * @throws as {@link netlinkQuery}
 * @see rtnetlink(7)
 */
export function listRoutes(family: number = AF_UNSPEC): Route[] {
  const request = NetlinkMessage.of(RTM_GETROUTE, NLM_F_DUMP, new rtmsg({ rtm_family: family }));
  return netlinkQuery(NETLINK_ROUTE, request).map(Route.from);
}

/**
 * The neighbours that are known, as `ip neighbour` lists them.
 * @param family AF_INET or AF_INET6; both without it
 * @returns each with its interface
 * @throws as {@link netlinkQuery}
 * @see rtnetlink(7)
 */
export function listNeighbours(family: number = AF_UNSPEC): Neighbour[] {
  const request = NetlinkMessage.of(RTM_GETNEIGH, NLM_F_DUMP, new ndmsg({ ndm_family: family }));
  return netlinkQuery(NETLINK_ROUTE, request).map(Neighbour.from);
}
