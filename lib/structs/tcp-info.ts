import { struct, uint, uint64 } from './struct.js';

/**
 * What TCP knows of a connection: `getsockopt(fd, IPPROTO_TCP, TCP_INFO, info)`. Times are in microseconds unless said
 * otherwise. Fields that this kernel does not have read as undefined.
 * @see tcp(7)
 */
export class tcp_info extends struct('tcp_info', {
  /** The state: TCP_ESTABLISHED, TCP_LISTEN, ... */
  tcpi_state: uint,
  /** The congestion state: TCP_CA_Open, TCP_CA_Recovery, ... */
  tcpi_ca_state: uint,
  /** Retransmissions of the segment that now waits for its acknowledgement. */
  tcpi_retransmits: uint,
  /** Zero-window or keep-alive probes without an answer. */
  tcpi_probes: uint,
  /** How often the retransmission timer was doubled. */
  tcpi_backoff: uint,
  /** What was agreed when the connection was made: TCPI_OPT_* bits. */
  tcpi_options: uint,
  /** Window scale of what the peer advertises. */
  tcpi_snd_wscale: uint,
  /** Window scale of what this end advertises. */
  tcpi_rcv_wscale: uint,
  /** 1 if the delivery rate was limited by the program and not by the network. */
  tcpi_delivery_rate_app_limited: uint,
  /** Why TCP Fast Open failed: TFO_STATUS_UNSPEC, ... */
  tcpi_fastopen_client_fail: uint,
  /** Retransmission timeout. */
  tcpi_rto: uint,
  /** Delayed-acknowledgement timeout. */
  tcpi_ato: uint,
  /** Bytes of data in a segment sent. */
  tcpi_snd_mss: uint,
  /** Bytes of data in a segment received. */
  tcpi_rcv_mss: uint,
  /** Segments sent and not yet acknowledged; for a listener, connections waiting for accept. */
  tcpi_unacked: uint,
  /** Segments selectively acknowledged; for a listener, its backlog. */
  tcpi_sacked: uint,
  /** Segments thought lost. */
  tcpi_lost: uint,
  /** Segments retransmitted and not yet acknowledged. */
  tcpi_retrans: uint,
  /** Not used any more. */
  tcpi_fackets: uint,
  /** Milliseconds since data was last sent. */
  tcpi_last_data_sent: uint,
  /** Not filled in by Linux. */
  tcpi_last_ack_sent: uint,
  /** Milliseconds since data last came. */
  tcpi_last_data_recv: uint,
  /** Milliseconds since an acknowledgement last came. */
  tcpi_last_ack_recv: uint,
  /** Path MTU in bytes. */
  tcpi_pmtu: uint,
  /** Receive window's slow-start threshold, in bytes. */
  tcpi_rcv_ssthresh: uint,
  /** Smoothed round-trip time. */
  tcpi_rtt: uint,
  /** Its mean deviation. */
  tcpi_rttvar: uint,
  /** Slow-start threshold, in segments. */
  tcpi_snd_ssthresh: uint,
  /** Congestion window, in segments. */
  tcpi_snd_cwnd: uint,
  /** Advertised segment size. */
  tcpi_advmss: uint,
  /** How far segments may come out of order before one counts as lost. */
  tcpi_reordering: uint,
  /** Round-trip time as the receiver sees it. */
  tcpi_rcv_rtt: uint,
  /** Bytes that the program took in one round trip. */
  tcpi_rcv_space: uint,
  /** All retransmissions of the connection. */
  tcpi_total_retrans: uint,
  /** Pacing rate, in bytes per second. */
  tcpi_pacing_rate: uint64,
  /** The bound that SO_MAX_PACING_RATE sets; all ones for none. */
  tcpi_max_pacing_rate: uint64,
  /** Bytes that the peer acknowledged. */
  tcpi_bytes_acked: uint64,
  /** Bytes received in order. */
  tcpi_bytes_received: uint64,
  /** Segments sent. */
  tcpi_segs_out: uint,
  /** Segments received. */
  tcpi_segs_in: uint,
  /** Bytes in the send queue that were never sent. */
  tcpi_notsent_bytes: uint,
  /** The smallest round-trip time seen. */
  tcpi_min_rtt: uint,
  /** Segments received that carried data. */
  tcpi_data_segs_in: uint,
  /** Segments sent that carried data. */
  tcpi_data_segs_out: uint,
  /** The most recent delivery rate, in bytes per second. */
  tcpi_delivery_rate: uint64,
  /** Time in which there was data to send. */
  tcpi_busy_time: uint64,
  /** Time in which the receive window held it back. */
  tcpi_rwnd_limited: uint64,
  /** Time in which the send buffer held it back. */
  tcpi_sndbuf_limited: uint64,
  /** Segments delivered, retransmitted ones included. */
  tcpi_delivered: uint,
  /** Of these, those marked by explicit congestion notification. */
  tcpi_delivered_ce: uint,
  /** Bytes of data sent, retransmissions included. */
  tcpi_bytes_sent: uint64,
  /** Bytes of data retransmitted. */
  tcpi_bytes_retrans: uint64,
  /** Duplicate selective acknowledgements received. */
  tcpi_dsack_dups: uint,
  /** Times that reordering was seen. */
  tcpi_reord_seen: uint,
  /** Segments received out of order. */
  tcpi_rcv_ooopack: uint,
  /** The peer's advertised window, in bytes. */
  tcpi_snd_wnd: uint,
  /** The window that this end advertised, in bytes. Since Linux 6.2. */
  tcpi_rcv_wnd: uint,
  /** How often another path was tried, after a timeout or as congestion told. Since Linux 6.2. */
  tcpi_rehash: uint,
  /** Retransmission timeouts, those of SYNs included. Since Linux 6.7. */
  tcpi_total_rto: uint,
  /** Recoveries from such timeouts. Since Linux 6.7. */
  tcpi_total_rto_recoveries: uint,
  /** Milliseconds spent in them. Since Linux 6.7. */
  tcpi_total_rto_time: uint,
  /** Accurate ECN: segments that arrived marked as congested. This and all below since Linux 6.18. */
  tcpi_received_ce: uint,
  /** Bytes delivered as ECT(1), as the peer counts. */
  tcpi_delivered_e1_bytes: uint,
  /** Bytes delivered as ECT(0), as the peer counts. */
  tcpi_delivered_e0_bytes: uint,
  /** Bytes delivered marked as congested, as the peer counts. */
  tcpi_delivered_ce_bytes: uint,
  /** Bytes received as ECT(1). */
  tcpi_received_e1_bytes: uint,
  /** Bytes received as ECT(0). */
  tcpi_received_e0_bytes: uint,
  /** Bytes received marked as congested. */
  tcpi_received_ce_bytes: uint,
  /** Why Accurate ECN was given up: a bit for each reason. */
  tcpi_accecn_fail_mode: uint,
  /** Which of its options was seen last: TCP_ACCECN_OPT_*. */
  tcpi_accecn_opt_seen: uint,
}) {}
