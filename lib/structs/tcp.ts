// Structs of TCP's options but tcp_info: signatures, repair, what a congestion control says.
import { type Layout, layouts, type Place } from '../native.js';
import { sockaddr } from './sockaddr.js';
import { bytes, int, nested, networkUint, struct, text, uint, uint64 } from './struct.js';

/** A key to sign segments with MD5: TCP_MD5SIG, and TCP_MD5SIG_EXT for its flags. See tcp(7), RFC 2385. */
export class tcp_md5sig extends struct('tcp_md5sig', {
  /** The peer's address; the port does not count. */
  tcpm_addr: sockaddr,
  /** TCP_MD5SIG_FLAG_PREFIX, TCP_MD5SIG_FLAG_IFINDEX: which of the next fields count. */
  tcpm_flags: uint,
  /** How many bits of the address count. */
  tcpm_prefixlen: uint,
  /** The key's length; 0 removes the key. */
  tcpm_keylen: uint,
  /** The interface that the key is for. */
  tcpm_ifindex: int,
  /** The key, up to 80 bytes. */
  tcpm_key: bytes,
}) {}

/** An option of TCP as if both sides had agreed to it: TCP_REPAIR_OPTIONS takes an array. */
export class tcp_repair_opt extends struct('tcp_repair_opt', {
  /** TCPOPT_MAXSEG, TCPOPT_WINDOW, TCPOPT_SACK_PERMITTED, TCPOPT_TIMESTAMP: see RFC 9293. */
  opt_code: uint,
  /** Its value; for the window, the scale to send in the lower half and that to receive in the upper. */
  opt_val: uint,
}) {}

/** The windows of a connection under repair: TCP_REPAIR_WINDOW. */
export class tcp_repair_window extends struct('tcp_repair_window', {
  snd_wl1: uint,
  snd_wnd: uint,
  max_window: uint,
  rcv_wnd: uint,
  rcv_wup: uint,
}) {}

/** What TCP Vegas says of itself. */
export class tcpvegas_info extends struct('tcpvegas_info', {
  tcpv_enabled: uint,
  /** Round trips measured. */
  tcpv_rttcnt: uint,
  /** Microseconds. */
  tcpv_rtt: uint,
  /** Microseconds. */
  tcpv_minrtt: uint,
}) {}

/** What DCTCP says of itself. See RFC 8257. */
export class tcp_dctcp_info extends struct('tcp_dctcp_info', {
  dctcp_enabled: uint,
  dctcp_ce_state: uint,
  /** The share of marked bytes, times 1024. */
  dctcp_alpha: uint,
  dctcp_ab_ecn: uint,
  dctcp_ab_tot: uint,
}) {}

/** What BBR says of itself. */
export class tcp_bbr_info extends struct('tcp_bbr_info', {
  /** The lower half of the bandwidth in bytes per second. */
  bbr_bw_lo: uint,
  /** The upper half. */
  bbr_bw_hi: uint,
  /** The smallest round trip, in microseconds. */
  bbr_min_rtt: uint,
  /** Pacing gain, times 256. */
  bbr_pacing_gain: uint,
  /** Window gain, times 256. */
  bbr_cwnd_gain: uint,
}) {}

/**
 * What the congestion control says of itself: TCP_CC_INFO. It is a union: TCP_CONGESTION says which member counts. One
 * that says nothing (reno, cubic) leaves it empty.
 */
export class tcp_cc_info extends struct('tcp_cc_info', {
  vegas: nested(tcpvegas_info),
  dctcp: nested(tcp_dctcp_info),
  bbr: nested(tcp_bbr_info),
}) {}

const mappedPlace = (layouts.tcp_zerocopy_receive as Layout).fields.length as Place;

/** What tcpZerocopyReceive answers. Its pointers are the call's own affair. */
export class tcp_zerocopy_receive extends struct('tcp_zerocopy_receive', {
  /** Bytes to read by recv before more can be mapped. */
  recv_skip_hint: uint,
  /** Bytes that wait to be received. */
  inq: uint,
  /** The socket's pending error. */
  err: int,
  /** Bytes copied; an error if negative. */
  copybuf_len: int,
  /** TCP_RECEIVE_ZEROCOPY_FLAG_TLB_CLEAN_HINT: the mapping is clean. */
  flags: uint,
}) {
  /** Bytes mapped: the field that C calls `length`, which of a struct here is the number of its bytes in use. */
  get mapped(): number {
    return uint.read(new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.byteLength), mappedPlace);
  }
}

/** A key of the TCP Authentication Option: TCP_AO_ADD_KEY. See RFC 5925. */
export class tcp_ao_add extends struct('tcp_ao_add', {
  /** The peer's address. */
  addr: sockaddr,
  /** The hash: `'hmac(sha1)'`, `'cmac(aes128)'`. */
  alg_name: text,
  /** The interface that the key is for, with TCP_AO_KEYF_IFINDEX. */
  ifindex: int,
  /** 1 to sign with it at once. */
  set_current: uint,
  /** 1 to ask the peer to sign with it. */
  set_rnext: uint,
  /** How many bits of the address count. */
  prefix: uint,
  /** The key's number in what is sent. */
  sndid: uint,
  /** The key's number in what arrives. */
  rcvid: uint,
  /** Bytes of signature; 0 for 12. */
  maclen: uint,
  /** TCP_AO_KEYF_* bits. */
  keyflags: uint,
  /** The key's length. */
  keylen: uint,
  /** The key, up to 80 bytes. */
  key: bytes,
}) {}

/** Which key of the TCP Authentication Option to remove: TCP_AO_DEL_KEY. */
export class tcp_ao_del extends struct('tcp_ao_del', {
  addr: sockaddr,
  ifindex: int,
  set_current: uint,
  set_rnext: uint,
  /** 1 to return before it is gone; listeners only. */
  del_async: uint,
  prefix: uint,
  sndid: uint,
  rcvid: uint,
  /** The key to sign with from now on, with set_current. */
  current_key: uint,
  /** The key to ask for from now on, with set_rnext. */
  rnext: uint,
  keyflags: uint,
}) {}

/** The TCP Authentication Option of a socket: TCP_AO_INFO. */
export class tcp_ao_info_opt extends struct('tcp_ao_info_opt', {
  set_current: uint,
  set_rnext: uint,
  /** 1 to refuse connections that are not signed. */
  ao_required: uint,
  /** 1 to set the counters below. */
  set_counters: uint,
  /** 1 to heed ICMP errors. */
  accept_icmps: uint,
  current_key: uint,
  rnext: uint,
  pkt_good: uint64,
  pkt_bad: uint64,
  pkt_key_not_found: uint64,
  pkt_ao_required: uint64,
  pkt_dropped_icmp: uint64,
}) {}

/** One key of the TCP Authentication Option, and which to list: TCP_AO_GET_KEYS. */
export class tcp_ao_getsockopt extends struct('tcp_ao_getsockopt', {
  addr: sockaddr,
  alg_name: text,
  key: bytes,
  /** How many keys there is room for, and then how many there are. */
  nkeys: uint,
  is_current: uint,
  is_rnext: uint,
  /** 1 to list all. */
  get_all: uint,
  sndid: uint,
  rcvid: uint,
  prefix: uint,
  maclen: uint,
  keyflags: uint,
  keylen: uint,
  ifindex: int,
  pkt_good: uint64,
  pkt_bad: uint64,
}) {}

/** Sequence numbers of the TCP Authentication Option under repair: TCP_AO_REPAIR. */
export class tcp_ao_repair extends struct('tcp_ao_repair', {
  snt_isn: networkUint,
  rcv_isn: networkUint,
  snd_sne: uint,
  rcv_sne: uint,
}) {}
