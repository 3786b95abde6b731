// What the kernel tells of a packet beside its bytes, in control messages.
import { in_addr, in6_addr } from './inet.js';
import { sockaddr } from './sockaddr.js';
import { int, struct, uint } from './struct.js';

/**
 * Where an IPv4 packet arrived, or how it is to leave: the control message IP_PKTINFO.
 * @see ip(7)
 */
export class in_pktinfo extends struct('in_pktinfo', {
  /** The interface's index. To send: the interface to leave by; 0 leaves it to the routing table. */
  ipi_ifindex: int,
  /** The packet's local address. To send: the source address; 0.0.0.0 leaves it to the routing table. */
  ipi_spec_dst: in_addr,
  /** The destination address in the packet's header, which for a broadcast is no local address. Ignored to send. */
  ipi_addr: in_addr,
}) {}

/**
 * Where an IPv6 packet arrived, or how it is to leave: the control message IPV6_PKTINFO.
 * @see ipv6(7), RFC 3542 section 6
 */
export class in6_pktinfo extends struct('in6_pktinfo', {
  /** The packet's destination address. To send: the source address; `::` leaves it to the routing table. */
  ipi6_addr: in6_addr,
  /** The interface's index. To send: the interface to leave by; 0 leaves it to the routing table. */
  ipi6_ifindex: uint,
}) {}

/**
 * The path MTU towards a destination: the control message IPV6_PATHMTU, which comes alone, with no data.
 * @see RFC 3542 section 11.3
 */
export class ip6_mtuinfo extends struct('ip6_mtuinfo', {
  /** The destination; its port is 0. */
  ip6m_addr: sockaddr,
  /** The path MTU in bytes, IPv6 header included. */
  ip6m_mtu: uint,
}) {}

/** The multicast group that a netlink message came to: the control message NETLINK_PKTINFO. See netlink(7). */
export class nl_pktinfo extends struct('nl_pktinfo', {
  /** The group's number (not its bit); 0 for a message to this socket alone. */
  group: uint,
}) {}

/** A frame as the packet socket saw it: the control message PACKET_AUXDATA. See packet(7). */
export class tpacket_auxdata extends struct('tpacket_auxdata', {
  /** TP_STATUS_USER, TP_STATUS_CSUMNOTREADY, TP_STATUS_VLAN_VALID, ... */
  tp_status: uint,
  /** The frame's length in bytes. */
  tp_len: uint,
  /** How many bytes of it were captured, which a filter may have limited. */
  tp_snaplen: uint,
  /** Where the link-layer header begins, in what was captured. */
  tp_mac: uint,
  /** Where the network header begins, in what was captured. */
  tp_net: uint,
  /** The VLAN tag's control information, if tp_status has TP_STATUS_VLAN_VALID. */
  tp_vlan_tci: uint,
  /** The VLAN tag's protocol identifier, if tp_status has TP_STATUS_VLAN_TPID_VALID. */
  tp_vlan_tpid: uint,
}) {}
