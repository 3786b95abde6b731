// Options for multicast that IPv4 and IPv6 have alike: RFC 3678.
import { IPPROTO_IP, IPPROTO_IPV6 } from '../constants.js';
import { sized } from '../structs/content.js';
import { GROUP_FILTER_SIZE, group_filter, group_req, group_source_req } from '../structs/multicast.js';
import { both, optionsOf, writable } from './option.js';

export const multicastOptions = optionsOf([IPPROTO_IP, IPPROTO_IPV6], {
  MCAST_JOIN_GROUP: writable(group_req),
  MCAST_LEAVE_GROUP: writable(group_req),
  MCAST_BLOCK_SOURCE: writable(group_source_req),
  MCAST_UNBLOCK_SOURCE: writable(group_source_req),
  MCAST_JOIN_SOURCE_GROUP: writable(group_source_req),
  MCAST_LEAVE_SOURCE_GROUP: writable(group_source_req),
  MCAST_MSFILTER: both(sized(group_filter, GROUP_FILTER_SIZE(256))),
});
