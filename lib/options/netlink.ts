// Options of netlink sockets: netlink(7).
import { SOL_NETLINK } from '../constants.js';
import { flag, int, list, uint } from '../structs/content.js';
import { both, optionsOf, readable, writable } from './option.js';

export const netlinkOptions = optionsOf(SOL_NETLINK, {
  NETLINK_ADD_MEMBERSHIP: writable(int),
  NETLINK_DROP_MEMBERSHIP: writable(int),
  NETLINK_PKTINFO: both(flag),
  NETLINK_BROADCAST_ERROR: both(flag),
  NETLINK_NO_ENOBUFS: both(flag),
  NETLINK_LISTEN_ALL_NSID: both(flag),
  NETLINK_LIST_MEMBERSHIPS: readable(list(uint, 1024)),
  NETLINK_CAP_ACK: both(flag),
  NETLINK_EXT_ACK: both(flag),
  NETLINK_GET_STRICT_CHK: both(flag),
});
