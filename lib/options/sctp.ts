// Options of SCTP: sctp(7), RFC 6458.
import { SOL_SCTP } from '../constants.js';
import { type Content, counted, flag, int, list, sockaddr, uint, uint16 } from '../structs/content.js';
import * as s from '../structs/sctp.js';
import { type SockAddr, sockaddr as sockaddrField } from '../structs/sockaddr.js';
import { arrayIn } from '../values.js';
import { both, optionsOf, readable, writable } from './option.js';

/** Addresses one behind the other, each as long as its family's are. */
function* addressesIn(bytes: Uint8Array): Generator<SockAddr, void, undefined> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at < bytes.length; ) {
    const address = sockaddrField.read(view, [at, bytes.length - at]);
    yield address;
    at += address.length;
  }
}

const addresses: Content<SockAddr[], readonly SockAddr[]> = {
  type: 'struct sockaddr[]',
  room: 64 * 28, // IPv6 addresses; the kernel knows no limit
  decode: (bytes) => [...addressesIn(bytes)],
  encode: (values, name) =>
    Buffer.concat(arrayIn(name, values).map((value, i) => sockaddr.encode(value, `${name}[${i}]`))),
};

/** All addresses of one end of an association, whose number is asked. */
const ends: Content<SockAddr[], number> = {
  type: 'struct sctp_getaddrs',
  room: s.sctp_getaddrs.size + addresses.room,
  decode(bytes) {
    const { size } = s.sctp_getaddrs;
    const { addr_num: count = 0 } = new s.sctp_getaddrs(bytes);
    // The length of local addresses that the kernel tells leaves out the struct before them: net/sctp/socket.c.
    const { buffer, byteOffset, byteLength } = bytes;
    const last = Math.min(byteOffset + size + byteLength, buffer.byteLength);
    return count === 0
      ? []
      : addresses.decode(new Uint8Array(buffer, byteOffset + size, last - byteOffset - size)).slice(0, count);
  },
  encode: int.encode,
};

/** Types of chunks, behind a struct that counts them. An association's number is asked. */
const chunks: Content<Uint8Array, number> = {
  type: 'struct sctp_authchunks',
  room: s.sctp_authchunks.size + 256,
  decode: (bytes) => bytes.subarray(s.sctp_authchunks.size),
  encode: int.encode,
};

export const sctpOptions = optionsOf(SOL_SCTP, {
  SCTP_RTOINFO: both(s.sctp_rtoinfo),
  SCTP_ASSOCINFO: both(s.sctp_assocparams),
  SCTP_INITMSG: both(s.sctp_initmsg),
  SCTP_NODELAY: both(flag),
  SCTP_AUTOCLOSE: both(int),
  SCTP_SET_PEER_PRIMARY_ADDR: writable(s.sctp_setpeerprim),
  SCTP_PRIMARY_ADDR: both(s.sctp_prim),
  SCTP_ADAPTATION_LAYER: both(uint),
  SCTP_DISABLE_FRAGMENTS: both(flag),
  SCTP_PEER_ADDR_PARAMS: both(s.sctp_paddrparams),
  SCTP_DEFAULT_SEND_PARAM: both(s.sctp_sndrcvinfo),
  SCTP_EVENTS: both(s.sctp_event_subscribe),
  SCTP_I_WANT_MAPPED_V4_ADDR: both(flag),
  SCTP_MAXSEG: both(s.sctp_assoc_value),
  SCTP_STATUS: readable(s.sctp_status),
  SCTP_GET_PEER_ADDR_INFO: readable(s.sctp_paddrinfo),
  SCTP_DELAYED_SACK: both(s.sctp_sack_info),
  SCTP_CONTEXT: both(s.sctp_assoc_value),
  SCTP_FRAGMENT_INTERLEAVE: both(flag),
  SCTP_PARTIAL_DELIVERY_POINT: both(uint),
  SCTP_MAX_BURST: both(s.sctp_assoc_value),
  SCTP_AUTH_CHUNK: writable(s.sctp_authchunk),
  SCTP_HMAC_IDENT: both(counted('struct sctp_hmacalgo', list(uint16, 16))),
  SCTP_AUTH_KEY: writable(s.sctp_authkey),
  SCTP_AUTH_ACTIVE_KEY: both(s.sctp_authkeyid),
  SCTP_AUTH_DELETE_KEY: writable(s.sctp_authkeyid),
  SCTP_PEER_AUTH_CHUNKS: readable(chunks),
  SCTP_LOCAL_AUTH_CHUNKS: readable(chunks),
  SCTP_GET_ASSOC_NUMBER: readable(uint),
  SCTP_GET_ASSOC_ID_LIST: readable(counted('struct sctp_assoc_ids', list(int, 16_384))),
  SCTP_AUTO_ASCONF: both(flag),
  SCTP_PEER_ADDR_THLDS: both(s.sctp_paddrthlds),
  SCTP_RECVRCVINFO: both(flag),
  SCTP_RECVNXTINFO: both(flag),
  SCTP_DEFAULT_SNDINFO: both(s.sctp_sndinfo),
  SCTP_AUTH_DEACTIVATE_KEY: writable(s.sctp_authkeyid),
  SCTP_REUSE_PORT: both(flag),
  SCTP_PEER_ADDR_THLDS_V2: both(s.sctp_paddrthlds_v2),
  SCTP_SOCKOPT_BINDX_ADD: writable(addresses),
  SCTP_SOCKOPT_BINDX_REM: writable(addresses),
  SCTP_SOCKOPT_PEELOFF: readable(s.sctp_peeloff_arg_t),
  SCTP_SOCKOPT_PEELOFF_FLAGS: readable(s.sctp_peeloff_flags_arg_t),
  SCTP_SOCKOPT_CONNECTX: writable(addresses),
  SCTP_SOCKOPT_CONNECTX_OLD: writable(addresses),
  SCTP_GET_PEER_ADDRS: readable(ends),
  SCTP_GET_LOCAL_ADDRS: readable(ends),
  SCTP_GET_ASSOC_STATS: readable(s.sctp_assoc_stats),
  SCTP_PR_SUPPORTED: both(s.sctp_assoc_value),
  SCTP_DEFAULT_PRINFO: both(s.sctp_default_prinfo),
  SCTP_PR_ASSOC_STATUS: readable(s.sctp_prstatus),
  SCTP_PR_STREAM_STATUS: readable(s.sctp_prstatus),
  SCTP_RECONFIG_SUPPORTED: both(s.sctp_assoc_value),
  SCTP_ENABLE_STREAM_RESET: both(s.sctp_assoc_value),
  SCTP_RESET_STREAMS: writable(s.sctp_reset_streams),
  SCTP_RESET_ASSOC: writable(int),
  SCTP_ADD_STREAMS: writable(s.sctp_add_streams),
  SCTP_STREAM_SCHEDULER: both(s.sctp_assoc_value),
  SCTP_STREAM_SCHEDULER_VALUE: both(s.sctp_stream_value),
  SCTP_INTERLEAVING_SUPPORTED: both(s.sctp_assoc_value),
  SCTP_EVENT: both(s.sctp_event),
  SCTP_ASCONF_SUPPORTED: both(s.sctp_assoc_value),
  SCTP_AUTH_SUPPORTED: both(s.sctp_assoc_value),
  SCTP_ECN_SUPPORTED: both(s.sctp_assoc_value),
  SCTP_EXPOSE_POTENTIALLY_FAILED_STATE: both(s.sctp_assoc_value),
  SCTP_REMOTE_UDP_ENCAPS_PORT: both(s.sctp_udpencaps),
  SCTP_PLPMTUD_PROBE_INTERVAL: both(s.sctp_probeinterval),
});
