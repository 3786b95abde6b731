import { nested, struct, uint, uint64 } from './struct.js';

/** Where a ring's counters and descriptors lie in its mapping. */
export class xdp_ring_offset extends struct('xdp_ring_offset', {
  producer: uint,
  consumer: uint,
  desc: uint,
  flags: uint,
}) {}

/** Where they lie for each ring of an XDP socket: XDP_MMAP_OFFSETS. */
export class xdp_mmap_offsets extends struct('xdp_mmap_offsets', {
  rx: nested(xdp_ring_offset),
  tx: nested(xdp_ring_offset),
  /** The ring of frames to fill. */
  fr: nested(xdp_ring_offset),
  /** The ring of frames that were sent. */
  cr: nested(xdp_ring_offset),
}) {}

/** What an XDP socket dropped and why: XDP_STATISTICS. */
export class xdp_statistics extends struct('xdp_statistics', {
  rx_dropped: uint64,
  rx_invalid_descs: uint64,
  tx_invalid_descs: uint64,
  /** This and the two below since Linux 5.9. */
  rx_ring_full: uint64,
  rx_fill_ring_empty_descs: uint64,
  tx_ring_empty_descs: uint64,
}) {}

/** How an XDP socket works: XDP_OPTIONS. */
export class xdp_options extends struct('xdp_options', {
  /** XDP_OPTIONS_ZEROCOPY. */
  flags: uint,
}) {}
