// What the options and control messages of SCTP hold: sctp(7), RFC 6458. An association's number counts on one-to-many
// sockets only, and those of one connection ignore it; there 0 (SCTP_FUTURE_ASSOC) stands for associations to come.
import type { Bytes } from '../native.js';
import { arrayIn, bytesIn } from '../values.js';
import { sockaddr } from './sockaddr.js';
import { int, nested, networkUint, struct, uint, uint64 } from './struct.js';

/** How long an association waits before it sends again: SCTP_RTOINFO. Milliseconds; 0 leaves one as it is. */
export class sctp_rtoinfo extends struct('sctp_rtoinfo', {
  srto_assoc_id: int,
  /** Before anything is known of the path. */
  srto_initial: uint,
  srto_max: uint,
  srto_min: uint,
}) {}

/** An association's limits: SCTP_ASSOCINFO. */
export class sctp_assocparams extends struct('sctp_assocparams', {
  sasoc_assoc_id: int,
  /** Retransmissions after which the association fails. */
  sasoc_asocmaxrxt: uint,
  /** How many addresses the peer has; not set. */
  sasoc_number_peer_destinations: uint,
  /** Bytes that the peer has room for; not set. */
  sasoc_peer_rwnd: uint,
  /** Bytes that this end has room for; not set. */
  sasoc_local_rwnd: uint,
  /** Milliseconds that the peer has to answer the cookie. */
  sasoc_cookie_life: uint,
}) {}

/** How associations begin: the option SCTP_INITMSG and, with a first message, the control message SCTP_INIT. */
export class sctp_initmsg extends struct('sctp_initmsg', {
  /** Streams to send on. The peer may allow fewer. */
  sinit_num_ostreams: uint,
  /** Streams to receive on, at most. */
  sinit_max_instreams: uint,
  /** Attempts until it fails. */
  sinit_max_attempts: uint,
  /** Milliseconds between attempts, at most. */
  sinit_max_init_timeo: uint,
}) {}

/** A local address that the peer is to send to: SCTP_SET_PEER_PRIMARY_ADDR. */
export class sctp_setpeerprim extends struct('sctp_setpeerprim', { sspp_assoc_id: int, sspp_addr: sockaddr }) {}

/** The peer's address that is sent to: SCTP_PRIMARY_ADDR. */
export class sctp_prim extends struct('sctp_prim', { ssp_assoc_id: int, ssp_addr: sockaddr }) {}

/** How an address of the peer is watched: SCTP_PEER_ADDR_PARAMS. What is 0 stays as it is. */
export class sctp_paddrparams extends struct('sctp_paddrparams', {
  spp_assoc_id: int,
  /** The address; without one, all of them. */
  spp_address: sockaddr,
  /** Milliseconds between heartbeats. */
  spp_hbinterval: uint,
  /** Retransmissions after which the address counts as lost. */
  spp_pathmaxrxt: uint,
  /** Bytes of a packet, with SPP_PMTUD_DISABLE. */
  spp_pathmtu: uint,
  /** Milliseconds that acknowledgements wait, with SPP_SACKDELAY_ENABLE. */
  spp_sackdelay: uint,
  /** SPP_* bits. */
  spp_flags: uint,
  /** With SPP_IPV6_FLOWLABEL. Since Linux 4.19, with the one below. */
  spp_ipv6_flowlabel: uint,
  /** With SPP_DSCP. */
  spp_dscp: uint,
}) {}

/**
 * How a message is sent, and how it came: the control message SCTP_SNDRCV, the option SCTP_DEFAULT_SEND_PARAM. RFC 6458
 * prefers {@link sctp_sndinfo} and {@link sctp_rcvinfo}.
 */
export class sctp_sndrcvinfo extends struct('sctp_sndrcvinfo', {
  /** The stream. */
  sinfo_stream: uint,
  /** The message's number on its stream; received only. */
  sinfo_ssn: uint,
  /** SCTP_UNORDERED, SCTP_ADDR_OVER, SCTP_EOF, ... */
  sinfo_flags: uint,
  /** What the payload is, as IANA numbers it. In C it is up to the program to put it into network byte order. */
  sinfo_ppid: networkUint,
  /** What the notification shows if it cannot be sent; received, that of SCTP_CONTEXT. */
  sinfo_context: uint,
  /** Milliseconds after which it is given up; 0 for never. */
  sinfo_timetolive: uint,
  /** The number of its (first) chunk; received only. */
  sinfo_tsn: uint,
  /** The number up to which all came; received only. */
  sinfo_cumtsn: uint,
  /** The association. */
  sinfo_assoc_id: int,
}) {}

/** Which notifications to receive, 1 or 0 of each: SCTP_EVENTS. RFC 6458 prefers {@link sctp_event}. */
export class sctp_event_subscribe extends struct('sctp_event_subscribe', {
  /** The control message SCTP_SNDRCV, with each message. */
  sctp_data_io_event: uint,
  sctp_association_event: uint,
  sctp_address_event: uint,
  sctp_send_failure_event: uint,
  sctp_peer_error_event: uint,
  sctp_shutdown_event: uint,
  sctp_partial_delivery_event: uint,
  sctp_adaptation_layer_event: uint,
  sctp_authentication_event: uint,
  sctp_sender_dry_event: uint,
  sctp_stream_reset_event: uint,
  sctp_assoc_reset_event: uint,
  sctp_stream_change_event: uint,
  /** SCTP_SEND_FAILED_EVENT. Since Linux 5.0. */
  sctp_send_failure_event_event: uint,
}) {}

/** A number of an association: SCTP_MAXSEG, SCTP_CONTEXT, SCTP_MAX_BURST, SCTP_STREAM_SCHEDULER and others. */
export class sctp_assoc_value extends struct('sctp_assoc_value', { assoc_id: int, assoc_value: uint }) {}

/** What is known of an address of the peer: SCTP_GET_PEER_ADDR_INFO. */
export class sctp_paddrinfo extends struct('sctp_paddrinfo', {
  spinfo_assoc_id: int,
  /** The address; to read, which one is meant. */
  spinfo_address: sockaddr,
  /** SCTP_ACTIVE, SCTP_INACTIVE, SCTP_UNCONFIRMED, SCTP_PF. */
  spinfo_state: int,
  /** Bytes that may be under way. */
  spinfo_cwnd: uint,
  /** Milliseconds of a round trip. */
  spinfo_srtt: uint,
  /** Milliseconds until something is sent again. */
  spinfo_rto: uint,
  /** Bytes of a packet. */
  spinfo_mtu: uint,
}) {}

/** The state of an association: SCTP_STATUS. */
export class sctp_status extends struct('sctp_status', {
  sstat_assoc_id: int,
  /** SCTP_ESTABLISHED, SCTP_SHUTDOWN_PENDING, ... */
  sstat_state: int,
  /** Bytes that the peer has room for. */
  sstat_rwnd: uint,
  /** Chunks that are not acknowledged. */
  sstat_unackdata: uint,
  /** Chunks that wait to be read. */
  sstat_penddata: uint,
  /** Streams to receive on. */
  sstat_instrms: uint,
  /** Streams to send on. */
  sstat_outstrms: uint,
  /** Bytes of message from which it is sent in parts. */
  sstat_fragmentation_point: uint,
  /** The peer's address that is sent to. */
  sstat_primary: nested(sctp_paddrinfo),
}) {}

/** How acknowledgements wait: SCTP_DELAYED_SACK. What is 0 stays as it is. */
export class sctp_sack_info extends struct('sctp_sack_info', {
  sack_assoc_id: int,
  /** Milliseconds. */
  sack_delay: uint,
  /** Packets after which one is sent at once; 1 lets none wait. */
  sack_freq: uint,
}) {}

/** A type of chunk (RFC 9260 section 3.2) that must be authenticated: SCTP_AUTH_CHUNK. */
export class sctp_authchunk extends struct('sctp_authchunk', { sauth_chunk: uint }) {}

/** A shared key: SCTP_AUTH_KEY. Make one with `sctp_authkey.of`. */
export class sctp_authkey extends struct('sctp_authkey', {
  sca_assoc_id: int,
  /** The number by which the peer knows it. */
  sca_keynumber: uint,
  /** Its length in bytes. */
  sca_keylength: uint,
}) {
  /** A key of an association (0: of those to come), with its number and bytes. */
  static of(association: number, number: number, key: Bytes): sctp_authkey {
    const content = bytesIn('key', key);
    const made = new sctp_authkey(new Uint8Array(sctp_authkey.size + content.length));
    made.sca_assoc_id = association;
    made.sca_keynumber = number;
    made.sca_keylength = content.length;
    made.bytes.set(content, sctp_authkey.size);
    return made;
  }
}

/** A shared key's number: SCTP_AUTH_ACTIVE_KEY, SCTP_AUTH_DELETE_KEY, SCTP_AUTH_DEACTIVATE_KEY. */
export class sctp_authkeyid extends struct('sctp_authkeyid', { scact_assoc_id: int, scact_keynumber: uint }) {}

/** What SCTP_PEER_AUTH_CHUNKS and SCTP_LOCAL_AUTH_CHUNKS put before the types of chunks. */
export class sctp_authchunks extends struct('sctp_authchunks', { gauth_assoc_id: int, gauth_number_of_chunks: uint }) {}

/** What SCTP_HMAC_IDENT puts before its SCTP_AUTH_HMAC_ID_ numbers. */
export class sctp_hmacalgo extends struct('sctp_hmacalgo', { shmac_num_idents: uint }) {}

/** What SCTP_GET_ASSOC_ID_LIST puts before the associations' numbers. */
export class sctp_assoc_ids extends struct('sctp_assoc_ids', { gaids_number_of_ids: uint }) {}

const thresholds = {
  spt_assoc_id: int,
  /** The address; without one, all of them. */
  spt_address: sockaddr,
  /** Retransmissions after which it counts as lost. */
  spt_pathmaxrxt: uint,
  /** Retransmissions after which it counts as potentially failed. */
  spt_pathpfthld: uint,
};

/** When an address of the peer counts as lost: SCTP_PEER_ADDR_THLDS. See RFC 7829. */
export class sctp_paddrthlds extends struct('sctp_paddrthlds', thresholds) {}

/** The same, with a threshold for choosing another primary address: SCTP_PEER_ADDR_THLDS_V2. */
export class sctp_paddrthlds_v2 extends struct('sctp_paddrthlds_v2', {
  ...thresholds,
  /** Retransmissions after which another address becomes the primary one; 65535 for never. */
  spt_pathcpthld: uint,
}) {}

/** How a message is sent: the control message SCTP_SNDINFO, the option SCTP_DEFAULT_SNDINFO. */
export class sctp_sndinfo extends struct('sctp_sndinfo', {
  /** The stream. */
  snd_sid: uint,
  /** SCTP_UNORDERED, SCTP_ADDR_OVER, SCTP_ABORT, SCTP_EOF, SCTP_SENDALL. */
  snd_flags: uint,
  /** What the payload is, as IANA numbers it. In C it is up to the program to put it into network byte order. */
  snd_ppid: networkUint,
  /** What the notification shows if it cannot be sent. */
  snd_context: uint,
  /** The association, on a one-to-many socket that names no address. */
  snd_assoc_id: int,
}) {}

/** How a message came: the control message SCTP_RCVINFO. */
export class sctp_rcvinfo extends struct('sctp_rcvinfo', {
  /** The stream. */
  rcv_sid: uint,
  /** The message's number on its stream. */
  rcv_ssn: uint,
  /** SCTP_UNORDERED. */
  rcv_flags: uint,
  /** What the payload is, as IANA numbers it. In C it is up to the program to take it from network byte order. */
  rcv_ppid: networkUint,
  /** The number of its (first) chunk. */
  rcv_tsn: uint,
  /** The number up to which all came. */
  rcv_cumtsn: uint,
  /** That of SCTP_CONTEXT. */
  rcv_context: uint,
  /** The association. */
  rcv_assoc_id: int,
}) {}

/** What is known of the message after this one: the control message SCTP_NXTINFO. */
export class sctp_nxtinfo extends struct('sctp_nxtinfo', {
  /** The stream. */
  nxt_sid: uint,
  /** SCTP_UNORDERED, SCTP_NOTIFICATION. */
  nxt_flags: uint,
  /** What the payload is, as IANA numbers it. */
  nxt_ppid: networkUint,
  /** Its length in bytes, as much as is there. */
  nxt_length: uint,
  /** The association. */
  nxt_assoc_id: int,
}) {}

/** When a message is given up: the control message SCTP_PRINFO. See RFC 7496. */
export class sctp_prinfo extends struct('sctp_prinfo', {
  /** SCTP_PR_SCTP_TTL, SCTP_PR_SCTP_RTX, SCTP_PR_SCTP_PRIO. */
  pr_policy: uint,
  /** Milliseconds, retransmissions, or a priority, of which a smaller one is the more important. */
  pr_value: uint,
}) {}

/** With which key a message is authenticated: the control message SCTP_AUTHINFO. */
export class sctp_authinfo extends struct('sctp_authinfo', { auth_keynumber: uint }) {}

/** An association that becomes a socket of its own, which is the caller's to close: SCTP_SOCKOPT_PEELOFF. */
export class sctp_peeloff_arg_t extends struct('sctp_peeloff_arg_t', {
  associd: int,
  /** The new descriptor, when read. */
  sd: int,
}) {}

/** The same, with SOCK_CLOEXEC and SOCK_NONBLOCK as flags: SCTP_SOCKOPT_PEELOFF_FLAGS. */
export class sctp_peeloff_flags_arg_t extends struct('sctp_peeloff_flags_arg_t', {
  associd: int,
  /** The new descriptor, when read. */
  sd: int,
  flags: uint,
}) {}

/** What SCTP_GET_PEER_ADDRS and SCTP_GET_LOCAL_ADDRS put before the addresses. */
export class sctp_getaddrs extends struct('sctp_getaddrs', { assoc_id: int, addr_num: uint }) {}

/** Counters of an association: SCTP_GET_ASSOC_STATS. */
export class sctp_assoc_stats extends struct('sctp_assoc_stats', {
  sas_assoc_id: int,
  /** The address of the longest timeout. */
  sas_obs_rto_ipaddr: sockaddr,
  /** The longest timeout since this was last read, in milliseconds. */
  sas_maxrto: uint64,
  /** Acknowledgements received and sent. */
  sas_isacks: uint64,
  sas_osacks: uint64,
  /** Packets sent and received. */
  sas_opackets: uint64,
  sas_ipackets: uint64,
  /** Chunks sent again. */
  sas_rtxchunks: uint64,
  /** Chunks that came too early. */
  sas_outofseqtsns: uint64,
  /** Chunks that came twice. */
  sas_idupchunks: uint64,
  /** Gaps that the peer told of. */
  sas_gapcnt: uint64,
  /** Unordered chunks sent and received. */
  sas_ouodchunks: uint64,
  sas_iuodchunks: uint64,
  /** Ordered chunks sent and received. */
  sas_oodchunks: uint64,
  sas_iodchunks: uint64,
  /** Chunks without data sent and received. */
  sas_octrlchunks: uint64,
  sas_ictrlchunks: uint64,
}) {}

/** When messages are given up: SCTP_DEFAULT_PRINFO. */
export class sctp_default_prinfo extends struct('sctp_default_prinfo', {
  pr_assoc_id: int,
  /** As in {@link sctp_prinfo}. */
  pr_value: uint,
  /** As in {@link sctp_prinfo}. */
  pr_policy: uint,
}) {}

/** How many messages were given up: SCTP_PR_ASSOC_STATUS, SCTP_PR_STREAM_STATUS. */
export class sctp_prstatus extends struct('sctp_prstatus', {
  sprstat_assoc_id: int,
  /** The stream, of SCTP_PR_STREAM_STATUS. */
  sprstat_sid: uint,
  /** The policy that is asked for; of SCTP_PR_SCTP_ALL they are added up. */
  sprstat_policy: uint,
  /** Those of which nothing had been sent. */
  sprstat_abandoned_unsent: uint64,
  /** Those of which something had been sent. */
  sprstat_abandoned_sent: uint64,
}) {}

/** Streams whose messages are numbered from 0 again: SCTP_RESET_STREAMS. Make one with `sctp_reset_streams.of`. */
export class sctp_reset_streams extends struct('sctp_reset_streams', {
  srs_assoc_id: int,
  /** SCTP_STREAM_RESET_INCOMING, SCTP_STREAM_RESET_OUTGOING. */
  srs_flags: uint,
  /** How many streams follow; 0 means all there are. */
  srs_number_streams: uint,
}) {
  /** Of an association these streams, or with an empty list all. */
  static of(association: number, flags: number, streams: readonly number[]): sctp_reset_streams {
    const { size } = sctp_reset_streams;
    const made = new sctp_reset_streams(new Uint8Array(size + 2 * arrayIn('streams', streams).length));
    made.srs_assoc_id = association;
    made.srs_flags = flags;
    made.srs_number_streams = streams.length;
    const view = new DataView(made.bytes.buffer);
    for (const [i, stream] of streams.entries()) uint.write(view, [size + 2 * i, 2], stream, `streams[${i}]`);
    return made;
  }
}

/** How many streams more: SCTP_ADD_STREAMS. */
export class sctp_add_streams extends struct('sctp_add_streams', {
  sas_assoc_id: int,
  /** To receive on. */
  sas_instrms: uint,
  /** To send on. */
  sas_outstrms: uint,
}) {}

/** A stream's number for the scheduler: SCTP_STREAM_SCHEDULER_VALUE. */
export class sctp_stream_value extends struct('sctp_stream_value', {
  assoc_id: int,
  stream_id: uint,
  /** With SCTP_SS_PRIO the priority, of which a smaller one goes first. */
  stream_value: uint,
}) {}

/** Whether to receive a kind of notification: SCTP_EVENT. */
export class sctp_event extends struct('sctp_event', {
  se_assoc_id: int,
  /** SCTP_ASSOC_CHANGE, SCTP_SHUTDOWN_EVENT, ... */
  se_type: uint,
  /** 1 or 0. */
  se_on: uint,
}) {}

/** The peer's port of SCTP over UDP: SCTP_REMOTE_UDP_ENCAPS_PORT. */
export class sctp_udpencaps extends struct('sctp_udpencaps', {
  sue_assoc_id: int,
  /** The address; without one, all of them. */
  sue_address: sockaddr,
  /** 0 is SCTP without UDP. */
  sue_port: networkUint,
}) {}

/** How often the path MTU is probed: SCTP_PLPMTUD_PROBE_INTERVAL. */
export class sctp_probeinterval extends struct('sctp_probeinterval', {
  spi_assoc_id: int,
  /** The address; without one, all of them. */
  spi_address: sockaddr,
  /** Milliseconds, 5000 at least; 0 for never. */
  spi_interval: uint,
}) {}
