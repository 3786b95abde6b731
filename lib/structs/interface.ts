import { sockaddr } from './sockaddr.js';
import { bytes, int, struct, text } from './struct.js';

/**
 * A request about an interface, by its name: the argument of ioctl with SIOCGIFMTU, SIOCGIFFLAGS, SIOCGIFHWADDR, ...
 * All fields but the name share their bytes (a union): the request says which counts.
 * @see netdevice(7)
 */
export class ifreq extends struct('ifreq', {
  /** The interface: up to 15 bytes. */
  ifr_name: text,
  /** SIOCGIFADDR, SIOCSIFADDR. */
  ifr_addr: sockaddr,
  /** SIOCGIFDSTADDR, SIOCSIFDSTADDR: the other end of a point-to-point link. */
  ifr_dstaddr: sockaddr,
  /** SIOCGIFBRDADDR, SIOCSIFBRDADDR. */
  ifr_broadaddr: sockaddr,
  /** SIOCGIFNETMASK, SIOCSIFNETMASK. */
  ifr_netmask: sockaddr,
  /** SIOCGIFHWADDR, SIOCSIFHWADDR: a sockaddr whose family is ARPHRD_*, and its address in the bytes that follow. */
  ifr_hwaddr: bytes,
  /** SIOCGIFFLAGS, SIOCSIFFLAGS: IFF_* bits. */
  ifr_flags: int,
  /** SIOCGIFINDEX; SIOCGIFNAME takes it and gives the name. */
  ifr_ifindex: int,
  /** SIOCGIFMETRIC. */
  ifr_metric: int,
  /** SIOCGIFMTU, SIOCSIFMTU: bytes. */
  ifr_mtu: int,
  /** SIOCGIFTXQLEN, SIOCSIFTXQLEN: packets. */
  ifr_qlen: int,
  /** SIOCSIFNAME. */
  ifr_newname: text,
}) {}

/** Hardware time stamps: what ifr_data of SIOCSHWTSTAMP and SIOCGHWTSTAMP points at, the fourth argument of ioctl. */
export class hwtstamp_config extends struct('hwtstamp_config', {
  /** HWTSTAMP_FLAG_*. */
  flags: int,
  /** HWTSTAMP_TX_OFF, HWTSTAMP_TX_ON, ... */
  tx_type: int,
  /** HWTSTAMP_FILTER_*: which packets are stamped on arrival. */
  rx_filter: int,
}) {}
