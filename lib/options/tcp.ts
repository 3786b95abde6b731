// Options of TCP: tcp(7).
import { IPPROTO_TCP } from '../constants.js';
import { bytes, flag, int, text, uint } from '../structs/content.js';
import { tcp_info } from '../structs/tcp-info.js';
import { both, optionsOf, readable } from './option.js';

export const tcpOptions = optionsOf(IPPROTO_TCP, {
  TCP_NODELAY: both(flag),
  TCP_MAXSEG: both(int),
  TCP_CORK: both(flag),
  TCP_KEEPIDLE: both(int),
  TCP_KEEPINTVL: both(int),
  TCP_KEEPCNT: both(int),
  TCP_SYNCNT: both(int),
  TCP_LINGER2: both(int),
  TCP_DEFER_ACCEPT: both(int),
  TCP_WINDOW_CLAMP: both(int),
  TCP_INFO: readable(tcp_info),
  TCP_QUICKACK: both(flag),
  TCP_CONGESTION: both(text),
  TCP_THIN_LINEAR_TIMEOUTS: both(flag),
  TCP_THIN_DUPACK: both(flag),
  TCP_USER_TIMEOUT: both(int),
  TCP_REPAIR: both(int),
  TCP_REPAIR_QUEUE: both(int),
  TCP_QUEUE_SEQ: both(uint),
  TCP_FASTOPEN: both(int),
  TCP_TIMESTAMP: both(uint),
  TCP_NOTSENT_LOWAT: both(uint),
  TCP_SAVE_SYN: both(int),
  TCP_SAVED_SYN: readable(bytes(4096)),
  TCP_FASTOPEN_CONNECT: both(flag),
  TCP_ULP: both(text),
  TCP_FASTOPEN_KEY: both(bytes(32)),
  TCP_FASTOPEN_NO_COOKIE: both(flag),
  TCP_INQ: both(flag),
  TCP_TX_DELAY: both(int),
  TCP_IS_MPTCP: readable(flag),
  TCP_RTO_MAX_MS: both(int),
  TCP_RTO_MIN_US: both(int),
  TCP_DELACK_MAX_US: both(int),
});
