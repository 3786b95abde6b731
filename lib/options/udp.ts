// Options of UDP and UDP-Lite: udp(7), udplite(7).
import { IPPROTO_UDP, IPPROTO_UDPLITE } from '../constants.js';
import { flag, int } from '../structs/content.js';
import { both, optionsOf } from './option.js';

export const udpOptions = optionsOf(IPPROTO_UDP, {
  UDP_CORK: both(flag),
  UDP_ENCAP: both(int),
  UDP_NO_CHECK6_TX: both(flag),
  UDP_NO_CHECK6_RX: both(flag),
  UDP_SEGMENT: both(int),
  UDP_GRO: both(flag),
});

export const udpliteOptions = optionsOf(IPPROTO_UDPLITE, {
  UDPLITE_SEND_CSCOV: both(int),
  UDPLITE_RECV_CSCOV: both(int),
});
