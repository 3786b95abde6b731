// Options of packet sockets: packet(7).
import { SOL_PACKET } from '../constants.js';
import { flag, int, list, or, uint } from '../structs/content.js';
import { sock_filter } from '../structs/filter.js';
import { packet_mreq, tpacket_req, tpacket_req3, tpacket_rollover_stats, tpacket_stats_v3 } from '../structs/packet.js';
import { both, optionsOf, readable, writable } from './option.js';

export const packetOptions = optionsOf(SOL_PACKET, {
  PACKET_ADD_MEMBERSHIP: writable(packet_mreq),
  PACKET_DROP_MEMBERSHIP: writable(packet_mreq),
  PACKET_RX_RING: writable(or(tpacket_req, tpacket_req3)),
  PACKET_TX_RING: writable(or(tpacket_req, tpacket_req3)),
  PACKET_STATISTICS: readable(tpacket_stats_v3), // of which a socket without TPACKET_V3 fills a tpacket_stats
  PACKET_COPY_THRESH: both(int),
  PACKET_AUXDATA: both(flag),
  PACKET_ORIGDEV: both(flag),
  PACKET_VERSION: both(int),
  PACKET_HDRLEN: readable(int),
  PACKET_RESERVE: both(uint),
  PACKET_LOSS: both(flag),
  PACKET_VNET_HDR: both(flag),
  PACKET_VNET_HDR_SZ: both(int),
  PACKET_TIMESTAMP: both(int),
  PACKET_FANOUT: both(uint),
  PACKET_FANOUT_DATA: writable(list(sock_filter, 4096)),
  PACKET_TX_HAS_OFF: both(flag),
  PACKET_QDISC_BYPASS: both(flag),
  PACKET_ROLLOVER_STATS: readable(tpacket_rollover_stats),
  PACKET_IGNORE_OUTGOING: both(flag),
});
