import { integer } from '../values.js';
import { in6_addr } from './inet.js';
import { bytes, littleEndian, networkUint, struct, uint } from './struct.js';

/** A lease of an IPv6 flow label: IPV6_FLOWLABEL_MGR. See RFC 6437, and ip6_flowlabel in proc(5). */
export class in6_flowlabel_req extends struct('in6_flowlabel_req', {
  /** The destination that the label is for. */
  flr_dst: in6_addr,
  /** The label, 20 bits; 0 lets the kernel choose. */
  flr_label: networkUint,
  /** IPV6_FL_A_GET, IPV6_FL_A_PUT, IPV6_FL_A_RENEW. */
  flr_action: uint,
  /** Who may share it: IPV6_FL_S_EXCL, IPV6_FL_S_PROCESS, IPV6_FL_S_USER, IPV6_FL_S_ANY. */
  flr_share: uint,
  /** IPV6_FL_F_CREATE, IPV6_FL_F_EXCL, IPV6_FL_F_REFLECT, IPV6_FL_F_REMOTE. */
  flr_flags: uint,
  /** Seconds until it ends, if it is not used. */
  flr_expires: uint,
  /** Seconds that it is kept after it was given back. */
  flr_linger: uint,
}) {}

/**
 * Which ICMPv6 types a raw socket receives: ICMPV6_FILTER. Fresh, it lets all pass.
 * @see RFC 3542 section 3.2
 */
export class icmp6_filter extends struct('icmp6_filter', {
  /** A bit for each of 256 types; 1 blocks. */
  icmp6_filt: bytes,
}) {
  #word(type: number): number {
    return (integer('type', type, 0, 255) >> 5) * 4;
  }
  #view(): DataView {
    return new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.byteLength);
  }

  /** ICMP6_FILTER_SETBLOCKALL: lets nothing pass. */
  blockAll(): this {
    this.bytes.fill(0xff);
    return this;
  }

  /** ICMP6_FILTER_SETPASS: lets a type pass. */
  pass(type: number): this {
    const at = this.#word(type);
    this.#view().setUint32(at, this.#view().getUint32(at, littleEndian) & ~(1 << (type & 31)), littleEndian);
    return this;
  }

  /** ICMP6_FILTER_SETBLOCK: blocks a type. */
  block(type: number): this {
    const at = this.#word(type);
    this.#view().setUint32(at, this.#view().getUint32(at, littleEndian) | (1 << (type & 31)), littleEndian);
    return this;
  }

  /** ICMP6_FILTER_WILLPASS: whether a type passes. */
  passes(type: number): boolean {
    return (this.#view().getUint32(this.#word(type), littleEndian) & (1 << (type & 31))) === 0;
  }
}
