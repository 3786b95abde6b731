// Structs of packet sockets: what an interface is to let through, and the rings of frames in shared memory.
import { bytes, int, nested, struct, uint, uint64 } from './struct.js';

/** What an interface is to let through to a packet socket: PACKET_ADD_MEMBERSHIP, PACKET_DROP_MEMBERSHIP. See packet(7). */
export class packet_mreq extends struct('packet_mreq', {
  /** The interface's index. */
  mr_ifindex: int,
  /** PACKET_MR_MULTICAST, PACKET_MR_PROMISC, PACKET_MR_ALLMULTI, PACKET_MR_UNICAST. */
  mr_type: uint,
  /** The address's length. */
  mr_alen: uint,
  /** The hardware address, up to 8 bytes. */
  mr_address: bytes,
}) {}

/** A ring of frames in shared memory, of TPACKET_V1 or TPACKET_V2: PACKET_RX_RING, PACKET_TX_RING. See packet(7). */
export class tpacket_req extends struct('tpacket_req', {
  /** Bytes of a block: a multiple of the page size. */
  tp_block_size: uint,
  /** How many blocks; 0 ends the ring. */
  tp_block_nr: uint,
  /** Bytes of a frame: a multiple of TPACKET_ALIGNMENT. */
  tp_frame_size: uint,
  /** How many frames: as many as the blocks hold. */
  tp_frame_nr: uint,
}) {}

/** The same for TPACKET_V3, where frames of any size follow each other in a block. */
export class tpacket_req3 extends struct('tpacket_req3', {
  tp_block_size: uint,
  tp_block_nr: uint,
  tp_frame_size: uint,
  tp_frame_nr: uint,
  /** Milliseconds after which a block that is not full is handed over; 0 lets the kernel choose. */
  tp_retire_blk_tov: uint,
  /** Bytes at the start of each block for the program's own use. */
  tp_sizeof_priv: uint,
  /** TP_FT_REQ_FILL_RXHASH. */
  tp_feature_req_word: uint,
}) {}

/** How many frames came and how many were dropped since it was last asked: PACKET_STATISTICS. See packet(7). */
export class tpacket_stats extends struct('tpacket_stats', {
  /** Frames, the dropped ones included. */
  tp_packets: uint,
  /** Frames for which there was no room. */
  tp_drops: uint,
}) {}

/** The same for TPACKET_V3. */
export class tpacket_stats_v3 extends struct('tpacket_stats_v3', {
  tp_packets: uint,
  tp_drops: uint,
  /** How often all blocks were full. */
  tp_freeze_q_cnt: uint,
}) {}

/** What PACKET_FANOUT_ROLLOVER did: PACKET_ROLLOVER_STATS. */
export class tpacket_rollover_stats extends struct('tpacket_rollover_stats', {
  tp_all: uint64,
  tp_huge: uint64,
  tp_failed: uint64,
}) {}

/** What stands before a frame in a ring of TPACKET_V2. */
export class tpacket2_hdr extends struct('tpacket2_hdr', {
  /** TP_STATUS_* bits: TP_STATUS_USER when the frame is the program's, TP_STATUS_KERNEL gives it back. */
  tp_status: uint,
  /** The frame's length on the wire. */
  tp_len: uint,
  /** How many bytes of it are here. */
  tp_snaplen: uint,
  /** Where the link-layer header begins, from the start of this struct. */
  tp_mac: uint,
  /** Where what follows it begins. */
  tp_net: uint,
  /** When it came: seconds, */
  tp_sec: uint,
  /** and nanoseconds. */
  tp_nsec: uint,
  tp_vlan_tci: uint,
  tp_vlan_tpid: uint,
}) {}

/** What stands before a frame in a block of TPACKET_V3. */
export class tpacket3_hdr extends struct('tpacket3_hdr', {
  /** Bytes from here to the next frame's header; 0 at the last. */
  tp_next_offset: uint,
  /** When it came: seconds, */
  tp_sec: uint,
  /** and nanoseconds. */
  tp_nsec: uint,
  /** How many bytes of it are here. */
  tp_snaplen: uint,
  /** The frame's length on the wire. */
  tp_len: uint,
  tp_status: uint,
  /** Where the link-layer header begins, from the start of this struct. */
  tp_mac: uint,
  /** Where what follows it begins. */
  tp_net: uint,
}) {}

/** What stands at the start of a block of TPACKET_V3, within tpacket_block_desc. */
export class tpacket_hdr_v1 extends struct('tpacket_hdr_v1', {
  /** TP_STATUS_USER when the block is the program's, TP_STATUS_KERNEL gives it back. */
  block_status: uint,
  /** How many frames are in it. */
  num_pkts: uint,
  /** Where the first frame's header begins, from the start of the block. */
  offset_to_first_pkt: uint,
  /** Bytes in use. */
  blk_len: uint,
  /** The block's number, counting up. */
  seq_num: uint64,
}) {}

/** The start of a block of TPACKET_V3. */
export class tpacket_block_desc extends struct('tpacket_block_desc', {
  version: uint,
  /** Where the program's own bytes begin. */
  offset_to_priv: uint,
  hdr: nested(tpacket_hdr_v1),
}) {}
