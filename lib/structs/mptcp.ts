import { sockaddr } from './sockaddr.js';
import { struct, uint, uint64 } from './struct.js';

/** What Multipath TCP knows of a connection: MPTCP_INFO. Fields that this kernel does not have read as undefined. */
export class mptcp_info extends struct('mptcp_info', {
  /** Paths besides the first. */
  mptcpi_subflows: uint,
  /** Addresses announced to the peer. */
  mptcpi_add_addr_signal: uint,
  /** Addresses of the peer that were accepted. */
  mptcpi_add_addr_accepted: uint,
  mptcpi_subflows_max: uint,
  mptcpi_add_addr_signal_max: uint,
  mptcpi_add_addr_accepted_max: uint,
  /** MPTCP_INFO_FLAG_FALLBACK (it is plain TCP after all), MPTCP_INFO_FLAG_REMOTE_KEY_RECEIVED. */
  mptcpi_flags: uint,
  /** This end's name of the connection. */
  mptcpi_token: uint,
  mptcpi_write_seq: uint64,
  mptcpi_snd_una: uint64,
  mptcpi_rcv_nxt: uint64,
  mptcpi_local_addr_used: uint,
  mptcpi_local_addr_max: uint,
  mptcpi_csum_enabled: uint,
  /** Since Linux 6.5, with the four below. */
  mptcpi_retransmits: uint,
  mptcpi_bytes_retrans: uint64,
  mptcpi_bytes_sent: uint64,
  mptcpi_bytes_received: uint64,
  mptcpi_bytes_acked: uint64,
  /** All paths, the first included. Since Linux 6.8. */
  mptcpi_subflows_total: uint,
  /** Milliseconds since data was last sent. Since Linux 6.10, with the two below. */
  mptcpi_last_data_sent: uint,
  mptcpi_last_data_recv: uint,
  mptcpi_last_ack_recv: uint,
}) {}

/** What MPTCP_TCPINFO and MPTCP_SUBFLOW_ADDRS put before their list: an element for each path. */
export class mptcp_subflow_data extends struct('mptcp_subflow_data', {
  /** sizeof this struct, for the kernel. */
  size_subflow_data: uint,
  /** How many paths there are. */
  num_subflows: uint,
  /** The size of an element, in this kernel. */
  size_kernel: uint,
  /** The size of an element, in this program. */
  size_user: uint,
}) {}

/** The two ends of one path of Multipath TCP: MPTCP_SUBFLOW_ADDRS. */
export class mptcp_subflow_addrs extends struct('mptcp_subflow_addrs', {
  ss_local: sockaddr,
  ss_remote: sockaddr,
}) {}
