// Structs of CAN sockets and TIPC.
import { bits32, struct, uint, uint64 } from './struct.js';

/** Which CAN frames a raw socket receives: those where `received & can_mask == can_id & can_mask`. CAN_RAW_FILTER takes an array. */
export class can_filter extends struct('can_filter', {
  /** The identifier, with CAN_INV_FILTER for all others. */
  can_id: bits32,
  /** Which of its bits count. */
  can_mask: bits32,
}) {}

/** How an ISO 15765-2 socket sends and receives: CAN_ISOTP_OPTS. */
export class can_isotp_options extends struct('can_isotp_options', {
  /** CAN_ISOTP_* bits. */
  flags: uint,
  /** Nanoseconds that a frame takes. */
  frame_txtime: uint,
  ext_address: uint,
  txpad_content: uint,
  rxpad_content: uint,
  rx_ext_address: uint,
}) {}

/** What an ISO 15765-2 socket asks its sender for: CAN_ISOTP_RECV_FC. */
export class can_isotp_fc_options extends struct('can_isotp_fc_options', {
  /** Frames in a block; 0 for all. */
  bs: uint,
  /** The least time between frames, as the standard codes it. */
  stmin: uint,
  /** How often it may say wait; 0 for never. */
  wftmax: uint,
}) {}

/** Which frames an ISO 15765-2 socket uses: CAN_ISOTP_LL_OPTS. */
export class can_isotp_ll_options extends struct('can_isotp_ll_options', {
  /** 16 for CAN 2.0, 72 for CAN FD. */
  mtu: uint,
  /** Bytes of payload in a frame. */
  tx_dl: uint,
  /** CANFD_* bits. */
  tx_flags: uint,
}) {}

/** Which SAE J1939 messages a socket receives: SO_J1939_FILTER takes an array. */
export class j1939_filter extends struct('j1939_filter', {
  name: uint64,
  name_mask: uint64,
  pgn: uint,
  pgn_mask: uint,
  addr: uint,
  addr_mask: uint,
}) {}

/** A group to join: TIPC_GROUP_JOIN. */
export class tipc_group_req extends struct('tipc_group_req', {
  /** The group. */
  type: uint,
  /** This member. */
  instance: uint,
  /** TIPC_CLUSTER_SCOPE, TIPC_NODE_SCOPE. */
  scope: uint,
  /** TIPC_GROUP_LOOPBACK, TIPC_GROUP_MEMBER_EVTS. */
  flags: uint,
}) {}
