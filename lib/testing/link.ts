import { readFileSync } from 'node:fs';
import {
  if_nametoindex,
  NETLINK_ROUTE,
  NLM_F_CREATE,
  NLM_F_EXCL,
  RTM_DELQDISC,
  RTM_NEWQDISC,
  TC_H_ROOT,
  TCA_KIND,
  TCA_OPTIONS,
} from '../index.js';
import { NetlinkMessage, netlinkQuery, tc_netem_qopt, tcmsg } from '../netlink/index.js';

/** What happens to packets that leave by an interface. */
export interface Impairment {
  /** By how many milliseconds each is late. */
  readonly delay?: number | undefined;
  /** By how many milliseconds that varies, up or down. */
  readonly jitter?: number | undefined;
  /** Which part of them is lost, from 0 to 1, at random. */
  readonly loss?: number | undefined;
  /** Which part of them is sent twice, from 0 to 1, at random. */
  readonly duplicate?: number | undefined;
  /** How many may be held at a time, those beyond being lost: 1000 if not said. */
  readonly limit?: number | undefined;
}

const most = 0xffff_ffff;

/**
 * Makes a link bad: packets that leave by this interface, of the calling thread's network namespace, are late, lost, or
 * sent twice, by the kernel's own netem, as after `tc qdisc add dev NAME root netem delay 10ms loss 1%`. The program under
 * test sees a larger `tcpi_rtt`, retransmissions, timeouts of its own; with UDP, gaps.
 * @param name the interface, of a veth pair usually, or `lo`
 * @returns what makes it good again when it is disposed of
 * @throws NetlinkError ENOENT this kernel has no netem (CONFIG_NET_SCH_NETEM) · EPERM this needs CAP_NET_ADMIN · EEXIST the
 * link is bad already
 * @throws SystemError ENODEV there is no such interface
 * @throws RangeError a part that is not from 0 to 1, or a time that is negative or longer than the kernel can count
 * @see tc-netem(8)
 */
export function impairLink(name: string, { delay = 0, jitter = 0, loss = 0, duplicate = 0, limit = 1000 }: Impairment) {
  const link = new tcmsg({ tcm_ifindex: if_nametoindex(name), tcm_parent: TC_H_ROOT });
  const options = new tc_netem_qopt({
    latency: ticks(delay),
    jitter: ticks(jitter),
    loss: share('loss', loss),
    duplicate: share('duplicate', duplicate),
    limit,
  });
  const request = NetlinkMessage.of(RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL, link, [
    [TCA_KIND, 'netem'],
    [TCA_OPTIONS, options],
  ]);
  netlinkQuery(NETLINK_ROUTE, request);
  return {
    [Symbol.dispose]() {
      netlinkQuery(NETLINK_ROUTE, NetlinkMessage.of(RTM_DELQDISC, 0, link));
    },
  };
}

/** Milliseconds in the packet scheduler's ticks: the first two numbers are how many ticks are how many microseconds. */
function ticks(milliseconds: number): number {
  const [many, few] = readFileSync('/proc/net/psched', 'latin1')
    .split(' ')
    .map((text) => Number.parseInt(text, 16)) as [number, number];
  const found = Math.round((milliseconds * 1000 * many) / few);
  if (!(found >= 0 && found <= most)) throw new RangeError(`a packet cannot be late by ${milliseconds} milliseconds`);
  return found;
}

function share(name: string, part: number): number {
  if (!(part >= 0 && part <= 1)) throw new RangeError(`${name} is from 0 to 1, and not ${part}`);
  return Math.round(part * most);
}
