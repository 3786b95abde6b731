// What queues packets at an interface: messages of NETLINK_ROUTE, see tc(8).
import { int, struct, uint } from '../structs/struct.js';

/** The struct of a message about a queue: RTM_NEWQDISC, RTM_DELQDISC, RTM_GETQDISC. */
export class tcmsg extends struct('tcmsg', {
  /** AF_UNSPEC. */
  tcm_family: uint,
  /** The interface's index. */
  tcm_ifindex: int,
  /** The queue's own handle; 0 for the kernel to choose. */
  tcm_handle: uint,
  /** What it is attached to: TC_H_ROOT for the interface itself. */
  tcm_parent: uint,
  tcm_info: uint,
}) {}

/** The TCA_OPTIONS of "netem", which may be followed by attributes. See tc-netem(8). */
export class tc_netem_qopt extends struct('tc_netem_qopt', {
  /** How long each packet is held back, in the scheduler's ticks: see /proc/net/psched. */
  latency: uint,
  /** How many packets may be held at a time. */
  limit: uint,
  /** How many are dropped: 2^32 - 1 for all. */
  loss: uint,
  /** How many packets apart those are that are sent at once; 0 for none. */
  gap: uint,
  /** How many are sent twice: 2^32 - 1 for all. */
  duplicate: uint,
  /** By how much the delay varies, in the scheduler's ticks. */
  jitter: uint,
}) {}
