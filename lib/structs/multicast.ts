// What joins and leaves multicast groups: by interface address (IPv4), by interface index, or for both families.

import { type Layout, layouts } from '../native.js';
import { arrayIn, integer } from '../values.js';
import { in_addr, in6_addr } from './inet.js';
import { addressBytes, type SockAddr, sockaddr } from './sockaddr.js';
import { int, struct, uint } from './struct.js';

/** A group and the interface's address: IP_ADD_MEMBERSHIP, IP_DROP_MEMBERSHIP. See ip(7). */
export class ip_mreq extends struct('ip_mreq', {
  /** The group: `'239.1.2.3'`. */
  imr_multiaddr: in_addr,
  /** The address of the interface; `'0.0.0.0'` lets the route to the group choose. */
  imr_interface: in_addr,
}) {}

/** A group and the interface's index: IP_ADD_MEMBERSHIP, IP_DROP_MEMBERSHIP, IP_MULTICAST_IF. See ip(7). */
export class ip_mreqn extends struct('ip_mreqn', {
  /** The group; without meaning for IP_MULTICAST_IF. */
  imr_multiaddr: in_addr,
  /** The address of the interface; counts if the index is 0. */
  imr_address: in_addr,
  /** The interface's index, or 0. */
  imr_ifindex: int,
}) {}

/** A group, an interface's address and one sender: IP_ADD_SOURCE_MEMBERSHIP, IP_BLOCK_SOURCE and their kin. See ip(7). */
export class ip_mreq_source extends struct('ip_mreq_source', {
  /** The group. */
  imr_multiaddr: in_addr,
  /** The address of the interface; `'0.0.0.0'` lets the route to the group choose. */
  imr_interface: in_addr,
  /** The sender. */
  imr_sourceaddr: in_addr,
}) {}

/** An IPv6 group and the interface's index: IPV6_ADD_MEMBERSHIP, IPV6_DROP_MEMBERSHIP, IPV6_JOIN_ANYCAST. See ipv6(7). */
export class ipv6_mreq extends struct('ipv6_mreq', {
  /** The group: `'ff02::1234'`. */
  ipv6mr_multiaddr: in6_addr,
  /** The interface's index; 0 lets the route to the group choose. */
  ipv6mr_interface: uint,
}) {}

/** A group of either family and the interface's index: MCAST_JOIN_GROUP, MCAST_LEAVE_GROUP. See RFC 3678. */
export class group_req extends struct('group_req', {
  /** The interface's index; 0 lets the route to the group choose. */
  gr_interface: uint,
  /** The group, as an address with port 0. */
  gr_group: sockaddr,
}) {}

/** A group, an interface's index and one sender: MCAST_JOIN_SOURCE_GROUP, MCAST_BLOCK_SOURCE and their kin. See RFC 3678. */
export class group_source_req extends struct('group_source_req', {
  /** The interface's index; 0 lets the route to the group choose. */
  gsr_interface: uint,
  /** The group, as an address with port 0. */
  gsr_group: sockaddr,
  /** The sender, as an address with port 0. */
  gsr_source: sockaddr,
}) {}

// Where the list of senders begins, and how large each is.
function tail(name: string, field: string): readonly [start: number, each: number] {
  const [start, size] = (layouts[name] as Layout).fields[field] as readonly [number, number];
  return [start, size];
}

const [inetList, inetSize] = tail('ip_msfilter', 'imsf_slist');
const [groupList] = tail('group_filter', 'gf_slist');
const storageSize = (layouts.sockaddr_storage as Layout).size;

/**
 * `IP_MSFILTER_SIZE(numsrc)`: the bytes of an ip_msfilter with so many senders.
 * @param numsrc how many senders
 * @returns bytes
 * @throws RangeError not a number of 32 bits
 * @see RFC 3678
 */
export function IP_MSFILTER_SIZE(numsrc: number): number {
  return inetList + inetSize * integer('numsrc', numsrc, 0, 0xffffffff);
}

/**
 * `GROUP_FILTER_SIZE(numsrc)`: the bytes of a group_filter with so many senders.
 * @param numsrc how many senders
 * @returns bytes
 * @throws RangeError not a number of 32 bits
 * @see RFC 3678
 */
export function GROUP_FILTER_SIZE(numsrc: number): number {
  return groupList + storageSize * integer('numsrc', numsrc, 0, 0xffffffff);
}

/**
 * The whole list of senders of an IPv4 group: IP_MSFILTER. Make one with `ip_msfilter.of`.
 * @see ip(7), RFC 3678
 */
export class ip_msfilter extends struct('ip_msfilter', {
  /** The group. */
  imsf_multiaddr: in_addr,
  /** The address of the interface. */
  imsf_interface: in_addr,
  /** MCAST_INCLUDE: only these senders; MCAST_EXCLUDE: everybody but these. */
  imsf_fmode: uint,
  /** How many senders; reading, how many there is room for, and then how many there are. */
  imsf_numsrc: uint,
}) {
  /** A filter with these senders. */
  static of(group: string, address: string, mode: number, senders: readonly string[]): ip_msfilter {
    const filter = new ip_msfilter(new Uint8Array(IP_MSFILTER_SIZE(arrayIn('senders', senders).length)));
    filter.imsf_multiaddr = group;
    filter.imsf_interface = address;
    filter.imsf_fmode = mode;
    filter.imsf_numsrc = senders.length;
    const view = new DataView(filter.bytes.buffer);
    for (const [i, sender] of senders.entries()) {
      in_addr.write(view, [inetList + i * inetSize, inetSize], sender, `senders[${i}]`);
    }
    return filter;
  }

  /** The senders, as many as its bytes hold. */
  get imsf_slist(): string[] {
    const view = new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.byteLength);
    const there = Math.max(0, Math.floor((this.length - inetList) / inetSize));
    return Array.from({ length: Math.min(there, this.imsf_numsrc) }, (_, i) =>
      in_addr.read(view, [inetList + i * inetSize, inetSize]),
    );
  }
}

/**
 * The whole list of senders of a group of either family: MCAST_MSFILTER. Make one with `group_filter.of`.
 * @see RFC 3678
 */
export class group_filter extends struct('group_filter', {
  /** The interface's index. */
  gf_interface: uint,
  /** The group, as an address with port 0. */
  gf_group: sockaddr,
  /** MCAST_INCLUDE: only these senders; MCAST_EXCLUDE: everybody but these. */
  gf_fmode: uint,
  /** How many senders; reading, how many there is room for, and then how many there are. */
  gf_numsrc: uint,
}) {
  /** A filter with these senders. */
  static of(ifindex: number, group: SockAddr, mode: number, senders: readonly SockAddr[]): group_filter {
    const filter = new group_filter(new Uint8Array(GROUP_FILTER_SIZE(arrayIn('senders', senders).length)));
    filter.gf_interface = ifindex;
    filter.gf_group = group;
    filter.gf_fmode = mode;
    filter.gf_numsrc = senders.length;
    for (const [i, sender] of senders.entries()) filter.bytes.set(addressBytes(sender), GROUP_FILTER_SIZE(i));
    return filter;
  }

  /** The senders, as many as its bytes hold. */
  get gf_slist(): SockAddr[] {
    const view = new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.byteLength);
    const there = Math.max(0, Math.floor((this.length - groupList) / storageSize));
    return Array.from({ length: Math.min(there, this.gf_numsrc) }, (_, i) =>
      sockaddr.read(view, [GROUP_FILTER_SIZE(i), storageSize]),
    );
  }
}
