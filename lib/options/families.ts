// Options of the rarer families: XDP, CAN, TIPC, KCM, the kernel's ciphers.
import { SOL_ALG, SOL_CAN_ISOTP, SOL_CAN_J1939, SOL_CAN_RAW, SOL_KCM, SOL_TIPC, SOL_XDP } from '../constants.js';
import {
  can_filter,
  can_isotp_fc_options,
  can_isotp_ll_options,
  can_isotp_options,
  j1939_filter,
  tipc_group_req,
} from '../structs/can.js';
import { bytes, flag, int, list, uint } from '../structs/content.js';
import { xdp_mmap_offsets, xdp_options, xdp_statistics } from '../structs/xdp.js';
import { both, optionsOf, readable, writable } from './option.js';

export const xdpOptions = optionsOf(SOL_XDP, {
  XDP_MMAP_OFFSETS: readable(xdp_mmap_offsets),
  XDP_RX_RING: writable(uint),
  XDP_TX_RING: writable(uint),
  XDP_UMEM_FILL_RING: writable(uint),
  XDP_UMEM_COMPLETION_RING: writable(uint),
  XDP_STATISTICS: readable(xdp_statistics),
  XDP_OPTIONS: readable(xdp_options),
  XDP_MAX_TX_SKB_BUDGET: writable(uint),
});

export const canRawOptions = optionsOf(SOL_CAN_RAW, {
  CAN_RAW_FILTER: both(list(can_filter, 512)),
  CAN_RAW_ERR_FILTER: both(uint),
  CAN_RAW_LOOPBACK: both(flag),
  CAN_RAW_RECV_OWN_MSGS: both(flag),
  CAN_RAW_FD_FRAMES: both(flag),
  CAN_RAW_JOIN_FILTERS: both(flag),
  CAN_RAW_XL_FRAMES: both(flag),
});

export const isotpOptions = optionsOf(SOL_CAN_ISOTP, {
  CAN_ISOTP_OPTS: both(can_isotp_options),
  CAN_ISOTP_RECV_FC: both(can_isotp_fc_options),
  CAN_ISOTP_TX_STMIN: both(uint),
  CAN_ISOTP_RX_STMIN: both(uint),
  CAN_ISOTP_LL_OPTS: both(can_isotp_ll_options),
});

export const j1939Options = optionsOf(SOL_CAN_J1939, {
  SO_J1939_FILTER: writable(list(j1939_filter, 512)),
  SO_J1939_PROMISC: both(flag),
  SO_J1939_SEND_PRIO: both(int),
  SO_J1939_ERRQUEUE: both(flag),
});

export const tipcOptions = optionsOf(SOL_TIPC, {
  TIPC_IMPORTANCE: both(uint),
  TIPC_SRC_DROPPABLE: both(uint),
  TIPC_DEST_DROPPABLE: both(uint),
  TIPC_CONN_TIMEOUT: both(uint),
  TIPC_NODE_RECVQ_DEPTH: readable(uint),
  TIPC_SOCK_RECVQ_DEPTH: readable(uint),
  TIPC_SOCK_RECVQ_USED: readable(uint),
  TIPC_MCAST_BROADCAST: writable(bytes(0)),
  TIPC_MCAST_REPLICAST: writable(bytes(0)),
  TIPC_GROUP_JOIN: both(tipc_group_req),
  TIPC_GROUP_LEAVE: writable(bytes(0)),
  TIPC_NODELAY: writable(uint),
});

export const kcmOptions = optionsOf(SOL_KCM, {
  KCM_RECV_DISABLE: both(flag),
});

export const algOptions = optionsOf(SOL_ALG, {
  ALG_SET_KEY: writable(bytes(0)),
  ALG_SET_AEAD_AUTHSIZE: writable(bytes(0)), // the length of the value is the size, and its bytes are not read
  ALG_SET_DRBG_ENTROPY: writable(bytes(0)),
  ALG_SET_KEY_BY_KEY_SERIAL: writable(int),
});
