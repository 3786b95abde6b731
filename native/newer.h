// Structs as the newest kernel has them. A machine's headers may be older than the kernel that the addon runs
// on, and the kernel fills in as much of a struct as there is room for: so each stands here whole. Inside
// this namespace `struct tcp_info` is the one below.
#pragma once

#include "uapi.h"

namespace newer {

struct __kernel_sock_timeval {
  int64_t tv_sec, tv_usec;
};

struct so_timestamping {
  int flags, bind_phc;
};

struct sock_txtime {
  clockid_t clockid;
  uint32_t flags;
};

struct dmabuf_token {
  uint32_t token_start, token_count;
};

struct dmabuf_cmsg {
  uint64_t frag_offset;
  uint32_t frag_size, frag_token, dmabuf_id, flags;
};

struct tcp_info {
  uint8_t tcpi_state, tcpi_ca_state, tcpi_retransmits, tcpi_probes, tcpi_backoff, tcpi_options;
  uint8_t tcpi_snd_wscale : 4, tcpi_rcv_wscale : 4;
  uint8_t tcpi_delivery_rate_app_limited : 1, tcpi_fastopen_client_fail : 2;
  uint32_t tcpi_rto, tcpi_ato, tcpi_snd_mss, tcpi_rcv_mss;
  uint32_t tcpi_unacked, tcpi_sacked, tcpi_lost, tcpi_retrans, tcpi_fackets;
  uint32_t tcpi_last_data_sent, tcpi_last_ack_sent, tcpi_last_data_recv, tcpi_last_ack_recv;
  uint32_t tcpi_pmtu, tcpi_rcv_ssthresh, tcpi_rtt, tcpi_rttvar, tcpi_snd_ssthresh, tcpi_snd_cwnd;
  uint32_t tcpi_advmss, tcpi_reordering, tcpi_rcv_rtt, tcpi_rcv_space, tcpi_total_retrans;
  uint64_t tcpi_pacing_rate, tcpi_max_pacing_rate, tcpi_bytes_acked, tcpi_bytes_received;
  uint32_t tcpi_segs_out, tcpi_segs_in, tcpi_notsent_bytes, tcpi_min_rtt;
  uint32_t tcpi_data_segs_in, tcpi_data_segs_out;
  uint64_t tcpi_delivery_rate, tcpi_busy_time, tcpi_rwnd_limited, tcpi_sndbuf_limited;
  uint32_t tcpi_delivered, tcpi_delivered_ce;          // Linux 4.18
  uint64_t tcpi_bytes_sent, tcpi_bytes_retrans;        // 4.19
  uint32_t tcpi_dsack_dups, tcpi_reord_seen;           // 4.19
  uint32_t tcpi_rcv_ooopack, tcpi_snd_wnd;             // 5.4
  uint32_t tcpi_rcv_wnd, tcpi_rehash;                  // 6.2
  uint16_t tcpi_total_rto, tcpi_total_rto_recoveries;  // 6.7
  uint32_t tcpi_total_rto_time;                        // 6.7
  uint32_t tcpi_received_ce;                           // 6.18, and all below
  uint32_t tcpi_delivered_e1_bytes, tcpi_delivered_e0_bytes, tcpi_delivered_ce_bytes;
  uint32_t tcpi_received_e1_bytes, tcpi_received_e0_bytes, tcpi_received_ce_bytes;
  uint16_t tcpi_accecn_fail_mode, tcpi_accecn_opt_seen;
};
static_assert(offsetof(tcp_info, tcpi_delivery_rate) == offsetof(struct ::tcp_info, tcpi_delivery_rate));

struct tcp_zerocopy_receive {
  uint64_t address;
  uint32_t length, recv_skip_hint;
  uint32_t inq;  // Linux 5.7
  int32_t err;
  uint64_t copybuf_address;  // 5.11, and all below
  int32_t copybuf_len;
  uint32_t flags;
  uint64_t msg_control, msg_controllen;
  uint32_t msg_flags, reserved;
};

struct tcp_md5sig {
  __kernel_sockaddr_storage tcpm_addr;
  uint8_t tcpm_flags, tcpm_prefixlen;
  uint16_t tcpm_keylen;
  int32_t tcpm_ifindex;  // Linux 5.6
  uint8_t tcpm_key[80];
};

struct alignas(8) tcp_ao_add {
  __kernel_sockaddr_storage addr;
  char alg_name[64];
  int32_t ifindex;
  uint32_t set_current : 1, set_rnext : 1, reserved : 30;
  uint16_t reserved2;
  uint8_t prefix, sndid, rcvid, maclen, keyflags, keylen, key[80];
};

struct alignas(8) tcp_ao_del {
  __kernel_sockaddr_storage addr;
  int32_t ifindex;
  uint32_t set_current : 1, set_rnext : 1, del_async : 1, reserved : 29;
  uint16_t reserved2;
  uint8_t prefix, sndid, rcvid, current_key, rnext, keyflags;
};

struct alignas(8) tcp_ao_info_opt {
  uint32_t set_current : 1, set_rnext : 1, ao_required : 1, set_counters : 1, accept_icmps : 1, reserved : 27;
  uint16_t reserved2;
  uint8_t current_key, rnext;
  uint64_t pkt_good, pkt_bad, pkt_key_not_found, pkt_ao_required, pkt_dropped_icmp;
};

struct alignas(8) tcp_ao_getsockopt {
  __kernel_sockaddr_storage addr;
  char alg_name[64];
  uint8_t key[80];
  uint32_t nkeys;
  uint16_t is_current : 1, is_rnext : 1, get_all : 1, reserved : 13;
  uint8_t sndid, rcvid, prefix, maclen, keyflags, keylen;
  int32_t ifindex;
  uint64_t pkt_good, pkt_bad;
};

struct alignas(8) tcp_ao_repair {
  uint32_t snt_isn, rcv_isn, snd_sne, rcv_sne;
};

struct mptcp_info {
  uint8_t mptcpi_subflows, mptcpi_add_addr_signal, mptcpi_add_addr_accepted;
  uint8_t mptcpi_subflows_max, mptcpi_add_addr_signal_max, mptcpi_add_addr_accepted_max;
  uint32_t mptcpi_flags, mptcpi_token;
  uint64_t mptcpi_write_seq, mptcpi_snd_una, mptcpi_rcv_nxt;
  uint8_t mptcpi_local_addr_used, mptcpi_local_addr_max, mptcpi_csum_enabled;  // Linux 5.12, 5.14
  uint32_t mptcpi_retransmits;                                                 // 6.5
  uint64_t mptcpi_bytes_retrans, mptcpi_bytes_sent, mptcpi_bytes_received, mptcpi_bytes_acked;  // 6.5
  uint8_t mptcpi_subflows_total, reserved[3];                                                   // 6.8
  uint32_t mptcpi_last_data_sent, mptcpi_last_data_recv, mptcpi_last_ack_recv;                  // 6.10
};

struct alignas(8) mptcp_subflow_data {
  uint32_t size_subflow_data, num_subflows, size_kernel, size_user;
};

struct mptcp_subflow_addrs {
  __kernel_sockaddr_storage ss_local, ss_remote;
};

template <size_t kIv, size_t kKey>
struct TlsKey {
  tls_crypto_info info;
  uint8_t iv[kIv], key[kKey], salt[4], rec_seq[8];
};
struct tls12_crypto_info_aes_gcm_128 : TlsKey<8, 16> {};
struct tls12_crypto_info_aes_gcm_256 : TlsKey<8, 32> {};
struct tls12_crypto_info_aes_ccm_128 : TlsKey<8, 16> {};
struct tls12_crypto_info_sm4_gcm : TlsKey<8, 16> {};
struct tls12_crypto_info_sm4_ccm : TlsKey<8, 16> {};
struct tls12_crypto_info_aria_gcm_128 : TlsKey<8, 16> {};
struct tls12_crypto_info_aria_gcm_256 : TlsKey<8, 32> {};
struct tls12_crypto_info_chacha20_poly1305 {
  tls_crypto_info info;
  uint8_t iv[12], key[32], rec_seq[8];
};

struct xdp_ring_offset {
  uint64_t producer, consumer, desc, flags;
};
struct xdp_mmap_offsets {
  xdp_ring_offset rx, tx, fr, cr;
};
struct xdp_statistics {
  uint64_t rx_dropped, rx_invalid_descs, tx_invalid_descs;
  uint64_t rx_ring_full, rx_fill_ring_empty_descs, tx_ring_empty_descs;  // Linux 5.9
};
struct xdp_options {
  uint32_t flags;
};

struct can_isotp_options {
  uint32_t flags, frame_txtime;
  uint8_t ext_address, txpad_content, rxpad_content, rx_ext_address;
};
struct can_isotp_fc_options {
  uint8_t bs, stmin, wftmax;
};
struct can_isotp_ll_options {
  uint8_t mtu, tx_dl, tx_flags;
};
struct j1939_filter {
  uint64_t name, name_mask;
  uint32_t pgn, pgn_mask;
  uint8_t addr, addr_mask;
};

// Those of linux/sctp.h that grew, or came late, or have no name as a struct.
struct sctp_event_subscribe {
  uint8_t sctp_data_io_event, sctp_association_event, sctp_address_event, sctp_send_failure_event;
  uint8_t sctp_peer_error_event, sctp_shutdown_event, sctp_partial_delivery_event;
  uint8_t sctp_adaptation_layer_event, sctp_authentication_event, sctp_sender_dry_event;
  uint8_t sctp_stream_reset_event, sctp_assoc_reset_event, sctp_stream_change_event;
  uint8_t sctp_send_failure_event_event;  // Linux 5.0
};
struct sctp_prinfo {
  uint16_t pr_policy;
  uint32_t pr_value;
};
struct sctp_authinfo {
  uint16_t auth_keynumber;
};
struct [[gnu::packed]] alignas(4) sctp_paddrparams {
  sctp_assoc_t spp_assoc_id;
  sockaddr_storage spp_address;
  uint32_t spp_hbinterval;
  uint16_t spp_pathmaxrxt;
  uint32_t spp_pathmtu, spp_sackdelay, spp_flags;
  uint32_t spp_ipv6_flowlabel;  // 4.19
  uint8_t spp_dscp;             // 4.19
};
static_assert(offsetof(sctp_paddrparams, spp_flags) == offsetof(struct ::sctp_paddrparams, spp_flags));
struct sctp_paddrthlds_v2 {
  sctp_assoc_t spt_assoc_id;
  sockaddr_storage spt_address;
  uint16_t spt_pathmaxrxt, spt_pathpfthld, spt_pathcpthld;
};
struct sctp_peeloff_arg_t {
  sctp_assoc_t associd;
  int sd;
};
struct sctp_peeloff_flags_arg_t {
  sctp_assoc_t associd;
  int sd;
  unsigned flags;
};
struct sctp_event {
  sctp_assoc_t se_assoc_id;
  uint16_t se_type;
  uint8_t se_on;
};
struct sctp_udpencaps {
  sctp_assoc_t sue_assoc_id;
  sockaddr_storage sue_address;
  uint16_t sue_port;
};
struct sctp_probeinterval {
  sctp_assoc_t spi_assoc_id;
  sockaddr_storage spi_address;
  uint32_t spi_interval;
};
struct sctp_send_failed_event {
  uint16_t ssf_type, ssf_flags;
  uint32_t ssf_length, ssf_error;
  sctp_sndinfo ssfe_info;
  sctp_assoc_t ssf_assoc_id;
};

struct io_sqring_offsets {
  uint32_t head, tail, ring_mask, ring_entries, flags, dropped, array, resv1;
  uint64_t user_addr;  // Linux 6.5
};

struct io_cqring_offsets {
  uint32_t head, tail, ring_mask, ring_entries, overflow, cqes, flags, resv1;
  uint64_t user_addr;  // Linux 6.5
};

struct io_uring_params {
  uint32_t sq_entries, cq_entries, flags, sq_thread_cpu, sq_thread_idle, features, wq_fd, resv[3];
  io_sqring_offsets sq_off;
  io_cqring_offsets cq_off;
};

// Each field by one of its names: op_flags is msg_flags, accept_flags, poll32_events, timeout_flags, ...; off
// is addr2; buf_group is buf_index; file_index is splice_fd_in, and its low half addr_len.
struct io_uring_sqe {
  uint8_t opcode, flags;
  uint16_t ioprio;
  int32_t fd;
  uint64_t off, addr;
  uint32_t len, op_flags;
  uint64_t user_data;
  uint16_t buf_group, personality;
  uint32_t file_index;
  uint64_t addr3, pad;
};
static_assert(sizeof(io_uring_sqe) == 64);

struct io_uring_cqe {
  uint64_t user_data;
  int32_t res;
  uint32_t flags;
};

}  // namespace newer
