// What the options of IPv4, IPv6, UDP and multicast do that a value read back would not show.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import {
  AF_INET,
  AF_INET6,
  accept,
  bind,
  ControlBuffer,
  connect,
  getOption,
  getsockname,
  group_filter,
  IPPROTO_ICMP,
  IPV6_FL_A_GET,
  IPV6_FL_F_CREATE,
  IPV6_FL_S_ANY,
  if_nametoindex,
  in6_flowlabel_req,
  ip_msfilter,
  listen,
  MCAST_EXCLUDE,
  recv,
  SOCK_STREAM,
  send,
  sendto,
  setOption,
  sockaddr_in,
  sockaddr_in6,
  socket,
  UDP_ENCAP_ESPINUDP,
} from 'posix-sockets';
import { expect } from 'vitest';
import { receive, sendWith, udpPair } from '../message-support.js';
import { configure } from '../network-support.js';
import { bound, bytes, datagramKinds, errorOf, haveNamespaces, type Kind, opened } from '../support.js';
import type { Exercises } from './exercise.js';
import { lacks, needsRoot, places } from './places.js';

const lo = if_nametoindex('lo');
const mtuOfLoopback = () => Number(readFileSync('/sys/class/net/lo/mtu', 'utf8'));
const haveNft = spawnSync('nft', ['--version']).status === 0;

type Settable = Parameters<typeof setOption>[1];
const set = setOption as (fd: number, name: Settable, value: unknown) => void;

/** Sets an option that changes something and so cannot be set twice: the second time fails with `code`. */
function once(fd: number, name: Settable, value: unknown, ...codes: string[]): void {
  set(fd, name, value);
  expect(codes).toContain(errorOf(() => set(fd, name, value)).code);
}

// ---- groups

const [group, group6] = ['239.192.8.1', 'ff05::4:8001'];
const sender = '127.0.0.9';

/** One way to name a group and a sender in it, and a socket. */
const multicast = {
  byAddress: {
    socket: () => places.udp(),
    value: { imr_multiaddr: group, imr_interface: '127.0.0.1', imr_sourceaddr: sender },
  },
  byRequest: {
    socket: () => places.udp(),
    value: { gsr_interface: lo, gsr_group: sockaddr_in(group, 0), gsr_source: sockaddr_in(sender, 0) },
  },
};
const membership = { imr_multiaddr: group, imr_ifindex: lo };
const membership6 = { ipv6mr_multiaddr: group6, ipv6mr_interface: lo };
const request = { gr_interface: lo, gr_group: sockaddr_in(group, 0) };

const joined = (place: () => number, name: Settable, value: unknown) => () => once(place(), name, value, 'EADDRINUSE');
const left = (place: () => number, join: Settable, leave: Settable, value: unknown) => () => {
  const fd = place();
  set(fd, join, value);
  once(fd, leave, value, 'EADDRNOTAVAIL');
};
/** A sender let in, kept out or let in again, in a group of which the socket is a member, or is not before. */
const sorted =
  ({ socket, value }: (typeof multicast)['byAddress' | 'byRequest'], before: [Settable, unknown][], name: Settable) =>
  () => {
    const fd = socket();
    for (const [option, its] of before) set(fd, option, its);
    once(fd, name, value, 'EADDRNOTAVAIL', 'EINVAL');
  };
const { byAddress, byRequest } = multicast;

// ---- who may send what

/** A struct xfrm_userpolicy_info (linux/xfrm.h): nothing may leave. */
function blockAll(family: number): Uint8Array {
  const policy = Buffer.alloc(168);
  policy.writeUInt16LE(family, 40);
  policy.fill(255, 56, 88); // no limits
  policy.set([1, 1], 160); // XFRM_POLICY_OUT, XFRM_POLICY_BLOCK
  return policy;
}

/** A struct sadb_x_policy (linux/pfkeyv2.h): nothing may leave. */
function discardAll(): Uint8Array {
  const policy = Buffer.alloc(16);
  policy.writeUInt16LE(2, 0); // eights of bytes
  policy.writeUInt16LE(18, 2); // SADB_X_EXT_POLICY
  policy.writeUInt16LE(0, 4); // IPSEC_POLICY_DISCARD
  policy[6] = 2; // IPSEC_DIR_OUTBOUND
  return policy;
}

const forbids = (name: Settable, place: () => number, policy: Uint8Array, needs: string) => () => {
  needsRoot();
  const fd = place();
  const to = getsockname(fd);
  sendto(fd, bytes('allowed'), 0, to);
  try {
    set(fd, name, policy);
  } catch (error) {
    if (['EOPNOTSUPP', 'EINVAL', 'ENOPROTOOPT'].includes((error as { code: string }).code))
      lacks(`this kernel has no ${needs}`);
    throw error;
  }
  expect(errorOf(() => sendto(fd, bytes('forbidden'), 0, to)).code).toBe('EPERM');
};
const bound4 = () => udpPair().receiver;
const bound6 = () => udpPair(AF_INET6).receiver;

/** Where a connection was going before a rule sent it to somebody who listens. */
function originalDestination(family: number, name: 'SO_ORIGINAL_DST' | 'IP6T_SO_ORIGINAL_DST'): void {
  if (!haveNamespaces) lacks('needs root');
  if (!haveNft) lacks('needs nft');
  const [table, localhost] =
    family === AF_INET ? (['ip', sockaddr_in('127.0.0.1', 0)] as const) : (['ip6', sockaddr_in6('::1', 0)] as const);
  const listener = opened(socket(family, SOCK_STREAM));
  bind(listener, localhost);
  listen(listener, 1);
  const rules = `add table ${table} redirected
add chain ${table} redirected output { type nat hook output priority -100; }
flush chain ${table} redirected output
add rule ${table} redirected output tcp dport 80 redirect to :${getsockname(listener).port}`;
  const { status, stderr } = spawnSync('nft', ['-f', '-'], { input: rules, encoding: 'utf8' });
  if (status !== 0) lacks(`this kernel has no such rules: ${stderr.split('\n')[0]}`);
  const client = opened(socket(family, SOCK_STREAM));
  const wanted = family === AF_INET ? sockaddr_in('127.0.0.1', 80) : sockaddr_in6('::1', 80);
  connect(client, wanted);
  expect(`${getOption(opened(accept(listener)), name)}`).toBe(`${wanted}`);
}

const padding = Uint8Array.of(0, 0, 1, 4, 0, 0, 0, 0); // an IPv6 options header with nothing but padding

export const ipExercises: Exercises = {
  IP_PROTOCOL: () => expect(getOption(places.raw(), 'IP_PROTOCOL')).toBe(IPPROTO_ICMP),
  IP_MTU: () => expect(getOption(places.connectedUdp(), 'IP_MTU')).toBe(Math.min(mtuOfLoopback(), 65_535)),
  IP_PKTOPTIONS() {
    const fd = places.connectedTcp();
    setOption(fd, 'IP_PKTINFO', true);
    const control = new ControlBuffer(getOption(fd, 'IP_PKTOPTIONS'));
    expect([...control].map(({ kind }) => kind)).toEqual(['IP_PKTINFO']);
  },
  IP_ROUTER_ALERT() {
    const fd = places.raw();
    once(fd, 'IP_ROUTER_ALERT', true, 'EADDRINUSE');
    once(fd, 'IP_ROUTER_ALERT', false, 'ENOBUFS');
  },
  IP_XFRM_POLICY: forbids('IP_XFRM_POLICY', bound4, blockAll(AF_INET), 'XFRM'),
  IP_IPSEC_POLICY: forbids('IP_IPSEC_POLICY', bound4, discardAll(), 'PF_KEY'),
  IPV6_XFRM_POLICY: forbids('IPV6_XFRM_POLICY', bound6, blockAll(AF_INET6), 'XFRM'),
  IPV6_IPSEC_POLICY: forbids('IPV6_IPSEC_POLICY', bound6, discardAll(), 'PF_KEY'),
  SO_ORIGINAL_DST: () => originalDestination(AF_INET, 'SO_ORIGINAL_DST'),
  IP6T_SO_ORIGINAL_DST: () => originalDestination(AF_INET6, 'IP6T_SO_ORIGINAL_DST'),

  IP_ADD_MEMBERSHIP: joined(places.udp, 'IP_ADD_MEMBERSHIP', membership),
  IP_DROP_MEMBERSHIP: left(places.udp, 'IP_ADD_MEMBERSHIP', 'IP_DROP_MEMBERSHIP', membership),
  MCAST_JOIN_GROUP: joined(places.udp, 'MCAST_JOIN_GROUP', request),
  MCAST_LEAVE_GROUP: left(places.udp, 'MCAST_JOIN_GROUP', 'MCAST_LEAVE_GROUP', request),
  IPV6_ADD_MEMBERSHIP: joined(places.udp6, 'IPV6_ADD_MEMBERSHIP', membership6),
  IPV6_DROP_MEMBERSHIP: left(places.udp6, 'IPV6_ADD_MEMBERSHIP', 'IPV6_DROP_MEMBERSHIP', membership6),
  IPV6_JOIN_GROUP: joined(places.udp6, 'IPV6_JOIN_GROUP', membership6),
  IPV6_LEAVE_GROUP: left(places.udp6, 'IPV6_JOIN_GROUP', 'IPV6_LEAVE_GROUP', membership6),
  IP_ADD_SOURCE_MEMBERSHIP: sorted(byAddress, [], 'IP_ADD_SOURCE_MEMBERSHIP'),
  IP_DROP_SOURCE_MEMBERSHIP: sorted(
    byAddress,
    [['IP_ADD_SOURCE_MEMBERSHIP', byAddress.value]],
    'IP_DROP_SOURCE_MEMBERSHIP',
  ),
  IP_BLOCK_SOURCE: sorted(byAddress, [['IP_ADD_MEMBERSHIP', membership]], 'IP_BLOCK_SOURCE'),
  IP_UNBLOCK_SOURCE: sorted(
    byAddress,
    [
      ['IP_ADD_MEMBERSHIP', membership],
      ['IP_BLOCK_SOURCE', byAddress.value],
    ],
    'IP_UNBLOCK_SOURCE',
  ),
  MCAST_JOIN_SOURCE_GROUP: sorted(byRequest, [], 'MCAST_JOIN_SOURCE_GROUP'),
  MCAST_LEAVE_SOURCE_GROUP: sorted(
    byRequest,
    [['MCAST_JOIN_SOURCE_GROUP', byRequest.value]],
    'MCAST_LEAVE_SOURCE_GROUP',
  ),
  MCAST_BLOCK_SOURCE: sorted(byRequest, [['MCAST_JOIN_GROUP', request]], 'MCAST_BLOCK_SOURCE'),
  MCAST_UNBLOCK_SOURCE: sorted(
    byRequest,
    [
      ['MCAST_JOIN_GROUP', request],
      ['MCAST_BLOCK_SOURCE', byRequest.value],
    ],
    'MCAST_UNBLOCK_SOURCE',
  ),
  IP_MSFILTER() {
    const fd = places.udp();
    setOption(fd, 'IP_ADD_MEMBERSHIP', { imr_multiaddr: group, imr_address: '127.0.0.1' });
    setOption(fd, 'IP_MSFILTER', ip_msfilter.of(group, '127.0.0.1', MCAST_EXCLUDE, [sender]));
    const asked = ip_msfilter.of(group, '127.0.0.1', MCAST_EXCLUDE, [sender, '127.0.0.10']);
    asked.bytes.fill(0, 16);
    expect(getOption(fd, 'IP_MSFILTER', asked).imsf_slist).toEqual([sender]);
  },
  MCAST_MSFILTER() {
    const fd = places.udp();
    const [to, from] = [sockaddr_in(group, 0), sockaddr_in(sender, 0)];
    setOption(fd, 'MCAST_JOIN_GROUP', request);
    setOption(fd, 'MCAST_MSFILTER', group_filter.of(lo, to, MCAST_EXCLUDE, [from]));
    const asked = group_filter.of(lo, to, MCAST_EXCLUDE, [sockaddr_in('127.0.0.10', 0)]);
    expect(getOption(fd, 'MCAST_MSFILTER', asked).gf_slist.map(String)).toEqual([`${from}`]);
  },

  IPV6_ADDRFORM() {
    const peer = bound(new Map(datagramKinds).get('UDP over IPv4') as Kind).address;
    const fd = places.udp6();
    connect(fd, sockaddr_in6('::ffff:127.0.0.1', peer.port as number));
    expect(getOption(fd, 'SO_DOMAIN')).toBe(AF_INET6);
    expect(getOption(fd, 'IPV6_ADDRFORM')).toBe(AF_INET6);
    setOption(fd, 'IPV6_ADDRFORM', AF_INET);
    expect(getOption(fd, 'SO_DOMAIN')).toBe(AF_INET);
  },
  IPV6_2292PKTOPTIONS() {
    needsRoot();
    const fd = places.tcp6();
    setOption(fd, 'IPV6_2292PKTOPTIONS', ControlBuffer.of({ IPV6_HOPOPTS: padding }).bytes);
    expect(getOption(fd, 'IPV6_HOPOPTS')).toEqual(padding);
    setOption(fd, 'IPV6_RECVPKTINFO', true);
    const control = new ControlBuffer(getOption(fd, 'IPV6_2292PKTOPTIONS'));
    expect([...control].map(({ kind }) => kind)).toEqual(['IPV6_PKTINFO']);
  },
  IPV6_ROUTER_ALERT() {
    const fd = places.rawAny6();
    once(fd, 'IPV6_ROUTER_ALERT', 0, 'EADDRINUSE');
    once(fd, 'IPV6_ROUTER_ALERT', -1, 'ENOBUFS');
  },
  IPV6_JOIN_ANYCAST: () =>
    anycast((fd, address) => {
      setOption(fd, 'IPV6_JOIN_ANYCAST', address);
      expect(readFileSync('/proc/net/anycast6', 'utf8')).toMatch(/^\d+\s+lo\s+fd0{24}080077 /m);
      setOption(fd, 'IPV6_LEAVE_ANYCAST', address);
    }),
  IPV6_LEAVE_ANYCAST: () =>
    anycast((fd, address) => {
      setOption(fd, 'IPV6_JOIN_ANYCAST', address);
      once(fd, 'IPV6_LEAVE_ANYCAST', address, 'ENOENT');
    }),
  IPV6_PATHMTU: () => expect(getOption(places.connectedUdp6(), 'IPV6_PATHMTU').ip6m_mtu).toBe(mtuOfLoopback()),
  // Read, it is the path's; set, it is how large the parts are of what does not fit the path.
  IPV6_MTU() {
    const { sender: fd, receiver } = udpPair(AF_INET6);
    expect(getOption(fd, 'IPV6_MTU')).toBe(mtuOfLoopback());
    setOption(fd, 'IPV6_MTU', 1280);
    setOption(receiver, 'IPV6_RECVFRAGSIZE', true);
    sendWith(fd, {}, null, 'x'.repeat(65_500));
    expect(receive(receiver).control.get('IPV6_RECVFRAGSIZE')).toBe(1280);
  },
  // Of routing headers the kernel takes only those of segment routing: RFC 8754; type 0 is refused as RFC 5095 has it.
  IPV6_RTHDR() {
    const fd = places.udp6();
    const segments = Uint8Array.of(0, 2, 4, 0, 0, 0, 0, 0, ...new Array(15).fill(0), 1); // one, ::1, and none left
    setOption(fd, 'IPV6_RTHDR', segments);
    expect(getOption(fd, 'IPV6_RTHDR')).toEqual(segments);
    const type0 = Uint8Array.of(0, 2, 0, 1, 0, 0, 0, 0, ...new Array(15).fill(0), 1);
    expect(errorOf(() => setOption(fd, 'IPV6_RTHDR', type0)).code).toBe('EINVAL');
  },
  // The interface by which to send; the address is heeded of a control message only.
  IPV6_PKTINFO() {
    const { receiver, address } = udpPair(AF_INET6);
    const fd = places.udp6();
    const noInterface = 0x7fffffff;
    setOption(fd, 'IPV6_PKTINFO', { ipi6_ifindex: noInterface });
    expect(errorOf(() => sendto(fd, bytes('?'), 0, address)).code).toBe('ENETUNREACH');
    setOption(fd, 'IPV6_PKTINFO', { ipi6_ifindex: lo });
    sendto(fd, bytes('?'), 0, address);
    expect(recv(receiver, new Uint8Array(1))).toBe(1);
  },
  IPV6_FLOWLABEL_MGR() {
    const fd = places.connectedUdp6();
    const lease = new in6_flowlabel_req({
      flr_dst: '::1',
      flr_action: IPV6_FL_A_GET,
      flr_flags: IPV6_FL_F_CREATE,
      flr_share: IPV6_FL_S_ANY, // an exclusive lease forbids every label that is not leased, in other tests, too
    });
    setOption(fd, 'IPV6_FLOWLABEL_MGR', lease);
    expect(lease.flr_label).toBeGreaterThan(0);
    expect(lease.flr_label).toBeLessThan(2 ** 20);
    const mine = readFileSync('/proc/net/ip6_flowlabel', 'utf8')
      .split('\n')
      .map((line) => line.split(/\s+/)[0]);
    expect(mine).toContain(lease.flr_label.toString(16).toUpperCase().padStart(5, '0'));
    // Read, it tells which label the connection sends.
    const self = getsockname(fd);
    setOption(fd, 'IPV6_FLOWINFO_SEND', true);
    connect(fd, sockaddr_in6('::1', self.port as number, { flowinfo: lease.flr_label }));
    expect(getOption(fd, 'IPV6_FLOWLABEL_MGR').flr_label).toBe(lease.flr_label);
  },

  // ESP in UDP: RFC 3948. A byte of 255 keeps a NAT's mapping alive, and is not for the program.
  UDP_ENCAP() {
    const { sender: from, receiver } = udpPair();
    expect(getOption(receiver, 'UDP_ENCAP')).toBe(0);
    setOption(receiver, 'UDP_ENCAP', UDP_ENCAP_ESPINUDP);
    expect(getOption(receiver, 'UDP_ENCAP')).toBe(UDP_ENCAP_ESPINUDP);
    const marker = Uint8Array.of(0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8); // four zeros: not ESP, and for the program
    send(from, Uint8Array.of(255));
    send(from, marker);
    const buffer = new Uint8Array(64);
    expect(buffer.subarray(0, recv(receiver, buffer))).toEqual(marker);
  },
};

/** In a network where an address besides those of this machine is on the same link. */
function anycast(
  exercise: (fd: number, address: { ipv6mr_multiaddr: string; ipv6mr_interface: number }) => void,
): void {
  if (!haveNamespaces) lacks('needs root');
  configure('ip address replace fd00::8:1/64 dev lo nodad');
  exercise(places.udp6(), { ipv6mr_multiaddr: 'fd00::8:77', ipv6mr_interface: lo });
}
