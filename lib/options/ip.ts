// Options of IPv4: ip(7), raw(7).
import { IPPROTO_IP, SOL_RAW } from '../constants.js';
import { bytes, flag, in_addr, int, networkInt, or, sized, sockaddr, uint } from '../structs/content.js';
import { IP_MSFILTER_SIZE, ip_mreq, ip_mreq_source, ip_mreqn, ip_msfilter } from '../structs/multicast.js';
import { both, optionsOf, readable, writable } from './option.js';

export const ipOptions = optionsOf(IPPROTO_IP, {
  IP_TOS: both(int),
  IP_TTL: both(int),
  IP_HDRINCL: both(flag),
  IP_OPTIONS: both(bytes(40)),
  IP_ROUTER_ALERT: writable(flag),
  IP_RECVOPTS: both(flag),
  IP_RETOPTS: both(flag),
  IP_RECVRETOPTS: both(flag),
  IP_PKTINFO: both(flag),
  IP_PKTOPTIONS: readable(bytes(4096)),
  IP_MTU_DISCOVER: both(int),
  IP_RECVERR: both(flag),
  IP_RECVTTL: both(flag),
  IP_RECVTOS: both(flag),
  IP_MTU: readable(int),
  IP_FREEBIND: both(flag),
  IP_IPSEC_POLICY: writable(bytes(4096)),
  IP_XFRM_POLICY: writable(bytes(4096)),
  IP_PASSSEC: both(flag),
  IP_TRANSPARENT: both(flag),
  IP_RECVORIGDSTADDR: both(flag),
  IP_ORIGDSTADDR: both(flag),
  IP_MINTTL: both(int),
  IP_NODEFRAG: both(flag),
  IP_CHECKSUM: both(flag),
  IP_BIND_ADDRESS_NO_PORT: both(flag),
  IP_RECVFRAGSIZE: both(flag),
  IP_RECVERR_RFC4884: both(flag),
  IP_MULTICAST_IF: both(or(in_addr, ip_mreqn, ip_mreq)),
  IP_MULTICAST_TTL: both(int),
  IP_MULTICAST_LOOP: both(flag),
  IP_MULTICAST_ALL: both(flag),
  IP_ADD_MEMBERSHIP: writable(or(ip_mreqn, ip_mreq)),
  IP_DROP_MEMBERSHIP: writable(or(ip_mreqn, ip_mreq)),
  IP_UNBLOCK_SOURCE: writable(ip_mreq_source),
  IP_BLOCK_SOURCE: writable(ip_mreq_source),
  IP_ADD_SOURCE_MEMBERSHIP: writable(ip_mreq_source),
  IP_DROP_SOURCE_MEMBERSHIP: writable(ip_mreq_source),
  IP_MSFILTER: both(sized(ip_msfilter, IP_MSFILTER_SIZE(1024))),
  IP_UNICAST_IF: both(networkInt),
  IP_LOCAL_PORT_RANGE: both(uint),
  IP_PROTOCOL: readable(int),
  SO_ORIGINAL_DST: readable(sized(sockaddr, 16)),
});

export const rawOptions = optionsOf(SOL_RAW, {
  ICMP_FILTER: both(uint),
});
