// What an SCTP socket tells between the messages, after SCTP_EVENT or SCTP_EVENTS, marked by MSG_NOTIFICATION in
// msg_flags: RFC 6458 section 6.1. Each begins with its type, flags and length in bytes.
import * as c from '../constants.js';
import type { Bytes } from '../native.js';
import { bytesIn } from '../values.js';
import { sctp_sndinfo, sctp_sndrcvinfo } from './sctp.js';
import { sockaddr } from './sockaddr.js';
import { int, littleEndian, nested, networkUint, type Struct, struct, uint } from './struct.js';

/** An association began or ended: SCTP_ASSOC_CHANGE. */
export class sctp_assoc_change extends struct('sctp_assoc_change', {
  sac_type: uint,
  sac_flags: uint,
  sac_length: uint,
  /** SCTP_COMM_UP, SCTP_COMM_LOST, SCTP_RESTART, SCTP_SHUTDOWN_COMP, SCTP_CANT_STR_ASSOC. */
  sac_state: uint,
  /** The cause of an error, as RFC 9260 numbers them. */
  sac_error: uint,
  /** Streams to send on. */
  sac_outbound_streams: uint,
  /** Streams to receive on. */
  sac_inbound_streams: uint,
  sac_assoc_id: int,
}) {
  /** The peer's ABORT chunk, if that ended it. */
  get sac_info(): Uint8Array {
    return rest(this, sctp_assoc_change.size);
  }
}

/** Something became of an address of the peer: SCTP_PEER_ADDR_CHANGE. */
export class sctp_paddr_change extends struct('sctp_paddr_change', {
  spc_type: uint,
  spc_flags: uint,
  spc_length: uint,
  /** The address. */
  spc_aaddr: sockaddr,
  /** SCTP_ADDR_AVAILABLE, SCTP_ADDR_UNREACHABLE, SCTP_ADDR_MADE_PRIM, SCTP_ADDR_CONFIRMED, ... */
  spc_state: int,
  spc_error: int,
  spc_assoc_id: int,
}) {}

/** The peer complains of something: SCTP_REMOTE_ERROR. */
export class sctp_remote_error extends struct('sctp_remote_error', {
  sre_type: uint,
  sre_flags: uint,
  sre_length: uint,
  /** The cause, as RFC 9260 numbers them. */
  sre_error: networkUint,
  sre_assoc_id: int,
}) {
  /** The ERROR chunk. */
  get sre_data(): Uint8Array {
    return rest(this, sctp_remote_error.size);
  }
}

/** A message was not delivered: SCTP_SEND_FAILED. RFC 6458 prefers {@link sctp_send_failed_event}. */
export class sctp_send_failed extends struct('sctp_send_failed', {
  ssf_type: uint,
  /** SCTP_DATA_UNSENT, SCTP_DATA_SENT. */
  ssf_flags: uint,
  ssf_length: uint,
  /** The cause, as RFC 9260 numbers them. */
  ssf_error: uint,
  /** How it was sent. */
  ssf_info: nested(sctp_sndrcvinfo),
  ssf_assoc_id: int,
}) {
  /** The message, or the part of it that was not delivered. */
  get ssf_data(): Uint8Array {
    return rest(this, sctp_send_failed.size);
  }
}

/** A message was not delivered: SCTP_SEND_FAILED_EVENT. Since Linux 5.0. */
export class sctp_send_failed_event extends struct('sctp_send_failed_event', {
  ssf_type: uint,
  /** SCTP_DATA_UNSENT, SCTP_DATA_SENT. */
  ssf_flags: uint,
  ssf_length: uint,
  /** The cause, as RFC 9260 numbers them. */
  ssf_error: uint,
  /** How it was sent. */
  ssfe_info: nested(sctp_sndinfo),
  ssf_assoc_id: int,
}) {
  /** The message, or the part of it that was not delivered. */
  get ssf_data(): Uint8Array {
    return rest(this, sctp_send_failed_event.size);
  }
}

/** The peer sends no more: SCTP_SHUTDOWN_EVENT. */
export class sctp_shutdown_event extends struct('sctp_shutdown_event', {
  sse_type: uint,
  sse_flags: uint,
  sse_length: uint,
  sse_assoc_id: int,
}) {}

/** What the peer told by its SCTP_ADAPTATION_LAYER: SCTP_ADAPTATION_INDICATION. */
export class sctp_adaptation_event extends struct('sctp_adaptation_event', {
  sai_type: uint,
  sai_flags: uint,
  sai_length: uint,
  sai_adaptation_ind: uint,
  sai_assoc_id: int,
}) {}

/** The rest of a message that came in parts will not come: SCTP_PARTIAL_DELIVERY_EVENT. */
export class sctp_pdapi_event extends struct('sctp_pdapi_event', {
  pdapi_type: uint,
  pdapi_flags: uint,
  pdapi_length: uint,
  /** SCTP_PARTIAL_DELIVERY_ABORTED. */
  pdapi_indication: uint,
  pdapi_assoc_id: int,
  pdapi_stream: uint,
  pdapi_seq: uint,
}) {}

/** Something became of a key: SCTP_AUTHENTICATION_EVENT. */
export class sctp_authkey_event extends struct('sctp_authkey_event', {
  auth_type: uint,
  auth_flags: uint,
  auth_length: uint,
  auth_keynumber: uint,
  auth_altkeynumber: uint,
  /** SCTP_AUTH_NEWKEY, SCTP_AUTH_FREE_KEY, SCTP_AUTH_NO_AUTH. */
  auth_indication: uint,
  auth_assoc_id: int,
}) {}

/** All that was sent is acknowledged: SCTP_SENDER_DRY_EVENT. */
export class sctp_sender_dry_event extends struct('sctp_sender_dry_event', {
  sender_dry_type: uint,
  sender_dry_flags: uint,
  sender_dry_length: uint,
  sender_dry_assoc_id: int,
}) {}

/** The messages of streams are numbered from 0 again: SCTP_STREAM_RESET_EVENT. */
export class sctp_stream_reset_event extends struct('sctp_stream_reset_event', {
  strreset_type: uint,
  /** SCTP_STREAM_RESET_INCOMING_SSN, SCTP_STREAM_RESET_OUTGOING_SSN, SCTP_STREAM_RESET_DENIED, SCTP_STREAM_RESET_FAILED. */
  strreset_flags: uint,
  strreset_length: uint,
  strreset_assoc_id: int,
}) {
  /** Which streams; none means all. */
  get strreset_stream_list(): number[] {
    const list = rest(this, sctp_stream_reset_event.size);
    const view = new DataView(list.buffer, list.byteOffset, list.byteLength);
    return Array.from({ length: Math.floor(list.length / 2) }, (_, i) => view.getUint16(2 * i, littleEndian));
  }
}

/** All numbers of an association begin again: SCTP_ASSOC_RESET_EVENT. */
export class sctp_assoc_reset_event extends struct('sctp_assoc_reset_event', {
  assocreset_type: uint,
  /** SCTP_ASSOC_RESET_DENIED, SCTP_ASSOC_RESET_FAILED. */
  assocreset_flags: uint,
  assocreset_length: uint,
  assocreset_assoc_id: int,
  assocreset_local_tsn: uint,
  assocreset_remote_tsn: uint,
}) {}

/** Streams were added: SCTP_STREAM_CHANGE_EVENT. */
export class sctp_stream_change_event extends struct('sctp_stream_change_event', {
  strchange_type: uint,
  /** SCTP_STREAM_CHANGE_DENIED, SCTP_STREAM_CHANGE_FAILED. */
  strchange_flags: uint,
  strchange_length: uint,
  strchange_assoc_id: int,
  /** Streams to receive on. */
  strchange_instrms: uint,
  /** Streams to send on. */
  strchange_outstrms: uint,
}) {}

function rest({ bytes, length }: Struct, start: number): Uint8Array {
  return bytes.subarray(start, length);
}

const byType = new Map<number, new (bytes: Bytes) => sctp_notification>([
  [c.SCTP_ASSOC_CHANGE, sctp_assoc_change],
  [c.SCTP_PEER_ADDR_CHANGE, sctp_paddr_change],
  [c.SCTP_REMOTE_ERROR, sctp_remote_error],
  [c.SCTP_SEND_FAILED, sctp_send_failed],
  [c.SCTP_SEND_FAILED_EVENT, sctp_send_failed_event],
  [c.SCTP_SHUTDOWN_EVENT, sctp_shutdown_event],
  [c.SCTP_ADAPTATION_INDICATION, sctp_adaptation_event],
  [c.SCTP_PARTIAL_DELIVERY_EVENT, sctp_pdapi_event],
  [c.SCTP_AUTHENTICATION_EVENT, sctp_authkey_event],
  [c.SCTP_SENDER_DRY_EVENT, sctp_sender_dry_event],
  [c.SCTP_STREAM_RESET_EVENT, sctp_stream_reset_event],
  [c.SCTP_ASSOC_RESET_EVENT, sctp_assoc_reset_event],
  [c.SCTP_STREAM_CHANGE_EVENT, sctp_stream_change_event],
]);

/** Any of them: C's `union sctp_notification`. */
export type sctp_notification =
  | sctp_assoc_change
  | sctp_paddr_change
  | sctp_remote_error
  | sctp_send_failed
  | sctp_send_failed_event
  | sctp_shutdown_event
  | sctp_adaptation_event
  | sctp_pdapi_event
  | sctp_authkey_event
  | sctp_sender_dry_event
  | sctp_stream_reset_event
  | sctp_assoc_reset_event
  | sctp_stream_change_event;

/**
 * The notification that a message is, if its `flags` have MSG_NOTIFICATION: `instanceof` says which.
 * @param bytes what `recvmsg` received
 * @returns a struct over them; undefined for a kind that this package does not know
 * @throws TypeError no bytes
 * @see RFC 6458 section 6.1
 */
export function sctpNotification(bytes: Bytes): sctp_notification | undefined {
  const given = bytesIn('bytes', bytes);
  if (given.length < 2) return undefined;
  const type = new DataView(given.buffer, given.byteOffset, given.byteLength).getUint16(0, littleEndian);
  const notification = byType.get(type);
  return notification && new notification(given);
}
