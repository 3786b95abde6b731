// What comes with a message of the error queue, where errors, time stamps and completions wait to be read with
// recvmsg and MSG_ERRQUEUE.
import { AF_UNSPEC } from '../constants.js';
import { SockAddr } from './sockaddr.js';
import { list, struct, uint } from './struct.js';
import { timespec } from './time.js';

/**
 * Why a message is in the error queue: the control messages IP_RECVERR, IPV6_RECVERR and PACKET_TX_TIMESTAMP.
 * @see ip(7), which has it under IP_RECVERR
 */
export class sock_extended_err extends struct('sock_extended_err', {
  /** The error's number, positive; ENOMSG for a time stamp, 0 for a completion. */
  ee_errno: uint,
  /**
   * Where it comes from: SO_EE_ORIGIN_LOCAL this machine, SO_EE_ORIGIN_ICMP and SO_EE_ORIGIN_ICMP6 an ICMP packet,
   * SO_EE_ORIGIN_TIMESTAMPING a time stamp, SO_EE_ORIGIN_ZEROCOPY the completion of a MSG_ZEROCOPY send,
   * SO_EE_ORIGIN_TXTIME a packet that SCM_TXTIME could not send in time.
   */
  ee_origin: uint,
  /** The ICMP packet's type. */
  ee_type: uint,
  /**
   * The ICMP packet's code. For a completion, SO_EE_CODE_ZEROCOPY_COPIED says that the kernel copied after all. For
   * SO_EE_ORIGIN_TXTIME, SO_EE_CODE_TXTIME_MISSED or SO_EE_CODE_TXTIME_INVALID_PARAM.
   */
  ee_code: uint,
  ee_pad: uint,
  /**
   * For EMSGSIZE the path MTU that was found. For a time stamp which one it is: SCM_TSTAMP_SND (it left for the
   * driver), SCM_TSTAMP_SCHED (it entered the queue), SCM_TSTAMP_ACK (it was acknowledged). For a completion the number
   * of the first send that is complete. For SO_EE_ORIGIN_TXTIME the lower 32 bits of the time that SCM_TXTIME named.
   */
  ee_info: uint,
  /**
   * For a time stamp with SOF_TIMESTAMPING_OPT_ID the number of the send (of the last byte, on a stream). For a
   * completion the number of the last send that is complete. For SO_EE_ORIGIN_TXTIME the upper 32 bits of the time.
   */
  ee_data: uint,
}) {
  /**
   * The host that sent the ICMP packet (port 0), which SO_EE_OFFENDER finds in C; undefined when the error came from
   * elsewhere.
   */
  get offender(): SockAddr | undefined {
    const address = new SockAddr(this.bytes.subarray(sock_extended_err.size, this.length));
    return address.family === AF_UNSPEC ? undefined : address;
  }

  override toJSON(): Record<string, unknown> {
    return { ...super.toJSON(), offender: this.offender };
  }
}

/** Which packet a device's time stamp is of: the control message SCM_TIMESTAMPING_PKTINFO. */
export class scm_ts_pktinfo extends struct('scm_ts_pktinfo', {
  /** The index of the device that took the stamp, which may stand under another one (a bond). */
  if_index: uint,
  /** The packet's length in bytes, with the link-layer header. */
  pkt_length: uint,
}) {}

/**
 * When a packet passed: the control message SCM_TIMESTAMPING. Those stamps that were not asked for are zero.
 * @see https://docs.kernel.org/networking/timestamping.html
 */
export class scm_timestamping extends struct('scm_timestamping', {
  /** Three stamps: by software, none (it is not used any more), by hardware. */
  ts: list(timespec),
}) {
  /** When the kernel saw the packet, by the system's clock (CLOCK_REALTIME). */
  get software(): timespec {
    return this.ts?.[0] as timespec;
  }
  /** When the network device saw the packet, by the device's own clock. */
  get hardware(): timespec {
    return this.ts?.[2] as timespec;
  }
}
