// Multicast on loopback: groups joined and left by address and by index, senders let in and kept out, on both families.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import {
  AF_INET,
  AF_INET6,
  bind,
  close,
  getOption,
  getsockname,
  group_filter,
  group_req,
  group_source_req,
  IP_MSFILTER_SIZE,
  if_nametoindex,
  ip_mreq,
  ip_mreqn,
  ip_msfilter,
  ipv6_mreq,
  MCAST_EXCLUDE,
  MCAST_INCLUDE,
  recv,
  SOCK_DGRAM,
  sendto,
  setOption,
  sockaddr_in,
  sockaddr_in6,
  socket,
} from 'posix-sockets';
import { describe, expect, test } from 'vitest';
import { ownNetwork, setUp } from './network-support.js';
import { bytes, errorOf, haveNamespaces, opened } from './support.js';

// Loopback carries no IPv6 multicast, so that half has an interface of its own, which needs root.
if (haveNamespaces) {
  ownNetwork();
  for (const command of ['link add mc0 type veth peer name mc1', 'addr add fd00::7:1/64 dev mc0 nodad']) {
    expect(spawnSync('ip', command.split(' '), { encoding: 'utf8' }).stderr).toBe('');
  }
  setUp('mc0');
  setUp('mc1');
}
const skipped = (family: number) => family === AF_INET6 && !haveNamespaces;

const lo = if_nametoindex('lo');
const mc = haveNamespaces ? if_nametoindex('mc0') : 0;
const group = '239.192.7.1';
const group6 = 'ff05::4:7001';

interface Ends {
  /** Says something to the group. */
  toGroup(text: string): void;
  /** The next thing heard, after `toGroup`s that may have been in vain. */
  heard(): string;
  member: number;
}

/** A socket that may become a member, and one that sends to the group; `from` is where it sends from. */
function ends(family: number, from?: string): Ends {
  const four = family === AF_INET;
  const member = opened(socket(family, SOCK_DGRAM));
  bind(member, four ? sockaddr_in('0.0.0.0', 0) : sockaddr_in6('::', 0));
  const { port = 0 } = getsockname(member);
  const sender = opened(socket(family, SOCK_DGRAM));
  if (four) {
    bind(sender, sockaddr_in(from ?? '127.0.0.1', 0));
    setOption(sender, 'IP_MULTICAST_IF', new ip_mreqn({ imr_ifindex: lo }));
    // Members of other sockets count too without this: ip(7).
    setOption(member, 'IP_MULTICAST_ALL', false);
  } else {
    bind(sender, sockaddr_in6('fd00::7:1', 0));
    setOption(sender, 'IPV6_MULTICAST_IF', mc);
    setOption(member, 'IPV6_MULTICAST_ALL', false);
  }
  setOption(member, 'SO_RCVTIMEO', { tv_sec: 5 });
  const toItself = four ? sockaddr_in('127.0.0.1', port) : sockaddr_in6('::1', port);
  const toGroup = four ? sockaddr_in(group, port) : sockaddr_in6(group6, port, { scopeId: mc });
  const buffer = new Uint8Array(64);
  return {
    member,
    toGroup: (text) => void sendto(sender, bytes(text), 0, toGroup),
    heard() {
      sendto(sender, bytes('nothing'), 0, toItself); // comes after all that was said before
      const text = new TextDecoder().decode(buffer.subarray(0, recv(member, buffer)));
      if (text !== 'nothing') recv(member, buffer);
      return text;
    },
  };
}

const inet = (address: string) => sockaddr_in(address, 0);
const inet6 = (address: string) => sockaddr_in6(address, 0);

type Option = Parameters<typeof setOption>[1];
const set = setOption as (fd: number, name: Option, value: unknown) => void;

const ways: [how: string, family: number, join: Option, leave: Option, value: unknown][] = [
  [
    'ip_mreq, by address',
    AF_INET,
    'IP_ADD_MEMBERSHIP',
    'IP_DROP_MEMBERSHIP',
    new ip_mreq({ imr_multiaddr: group, imr_interface: '127.0.0.1' }),
  ],
  [
    'ip_mreqn, by index',
    AF_INET,
    'IP_ADD_MEMBERSHIP',
    'IP_DROP_MEMBERSHIP',
    new ip_mreqn({ imr_multiaddr: group, imr_ifindex: lo }),
  ],
  [
    'ip_mreqn, its fields',
    AF_INET,
    'IP_ADD_MEMBERSHIP',
    'IP_DROP_MEMBERSHIP',
    { imr_multiaddr: group, imr_address: '127.0.0.1' },
  ],
  [
    'group_req',
    AF_INET,
    'MCAST_JOIN_GROUP',
    'MCAST_LEAVE_GROUP',
    new group_req({ gr_interface: lo, gr_group: inet(group) }),
  ],
  [
    'ipv6_mreq',
    AF_INET6,
    'IPV6_ADD_MEMBERSHIP',
    'IPV6_DROP_MEMBERSHIP',
    new ipv6_mreq({ ipv6mr_multiaddr: group6, ipv6mr_interface: mc }),
  ],
  [
    'ipv6_mreq, POSIX names',
    AF_INET6,
    'IPV6_JOIN_GROUP',
    'IPV6_LEAVE_GROUP',
    new ipv6_mreq({ ipv6mr_multiaddr: group6, ipv6mr_interface: mc }),
  ],
  [
    'group_req on IPv6',
    AF_INET6,
    'MCAST_JOIN_GROUP',
    'MCAST_LEAVE_GROUP',
    { gr_interface: mc, gr_group: inet6(group6) },
  ],
];

describe('a group is joined and left', () => {
  test.for(ways)('%s', ([, family, join, leave, value], { skip }) => {
    if (skipped(family)) skip('needs root');
    const { member, toGroup, heard } = ends(family);
    toGroup('before');
    expect(heard()).toBe('nothing');

    set(member, join, value);
    toGroup('while');
    expect(heard()).toBe('while');
    expect(groupsOf(family === AF_INET ? 'lo' : 'mc0', family)).toContain(family === AF_INET ? group : group6);
    expect(errorOf(() => set(member, join, value)).code).toBe('EADDRINUSE');

    set(member, leave, value);
    toGroup('after');
    expect(heard()).toBe('nothing');
    expect(errorOf(() => set(member, leave, value)).code).toBe('EADDRNOTAVAIL');
  });

  test('closing leaves', () => {
    const { member } = ends(AF_INET);
    setOption(member, 'IP_ADD_MEMBERSHIP', { imr_multiaddr: group, imr_ifindex: lo });
    expect(groupsOf('lo', AF_INET)).toContain(group);
    close(member);
    expect(groupsOf('lo', AF_INET)).not.toContain(group);
  });

  test('what is no group, or no interface, is refused', () => {
    const { member } = ends(AF_INET);
    const join = (address: string, index: number) =>
      errorOf(() => setOption(member, 'IP_ADD_MEMBERSHIP', { imr_multiaddr: address, imr_ifindex: index })).code;
    expect(join('10.1.2.3', lo)).toBe('EINVAL');
    expect(join(group, 999_999)).toBe('ENODEV');
  });
});

/** The groups that an interface is in, as /proc has them. */
function groupsOf(name: string, family: number): string[] {
  if (family === AF_INET6) {
    return readFileSync('/proc/net/igmp6', 'utf8')
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .filter(([, device]) => device === name)
      .map(([, , hex]) => sockaddr_in6((hex as string).replace(/(....)(?!$)/g, '$1:'), 0).address as string);
  }
  const [, after = ''] = readFileSync('/proc/net/igmp', 'utf8').split(new RegExp(`^\\d+\\s+${name}\\s.*$`, 'm'));
  const [mine = ''] = after.split(/^\d/m);
  return [...mine.matchAll(/^\s+([0-9A-F]{8})/gm)].map(([, hex]) => {
    const inNetworkOrder = new Uint8Array(new Uint32Array([Number.parseInt(hex as string, 16)]).buffer);
    return inNetworkOrder.join('.');
  });
}

describe('senders', () => {
  test('of IPv4 are blocked and let in again', () => {
    const { member, toGroup, heard } = ends(AF_INET);
    const sender = { imr_multiaddr: group, imr_interface: '127.0.0.1', imr_sourceaddr: '127.0.0.1' };
    setOption(member, 'IP_ADD_MEMBERSHIP', { imr_multiaddr: group, imr_address: '127.0.0.1' });
    setOption(member, 'IP_BLOCK_SOURCE', sender);
    toGroup('blocked');
    expect(heard()).toBe('nothing');
    setOption(member, 'IP_UNBLOCK_SOURCE', sender);
    toGroup('unblocked');
    expect(heard()).toBe('unblocked');
  });

  test('of IPv4 are chosen one by one', () => {
    const { member, toGroup, heard } = ends(AF_INET, '127.0.0.2');
    const from = (address: string) => ({ imr_multiaddr: group, imr_interface: '127.0.0.1', imr_sourceaddr: address });
    setOption(member, 'IP_ADD_SOURCE_MEMBERSHIP', from('127.0.0.3'));
    toGroup('stranger');
    expect(heard()).toBe('nothing');
    setOption(member, 'IP_ADD_SOURCE_MEMBERSHIP', from('127.0.0.2'));
    toGroup('friend');
    expect(heard()).toBe('friend');
    setOption(member, 'IP_DROP_SOURCE_MEMBERSHIP', from('127.0.0.2'));
    toGroup('stranger again');
    expect(heard()).toBe('nothing');
  });

  const families: [
    name: string,
    family: number,
    index: number,
    address: typeof inet,
    group: string,
    self: string,
    other: string,
  ][] = [
    ['IPv4', AF_INET, lo, inet, group, '127.0.0.1', '127.0.0.9'],
    ['IPv6', AF_INET6, mc, inet6, group6, 'fd00::7:1', '2001:db8::9'],
  ];
  test.for(families)(
    'of %s: chosen, blocked and unblocked by group_source_req',
    ([, family, index, address, its, self, other], { skip }) => {
      if (skipped(family)) skip('needs root');
      const { member, toGroup, heard } = ends(family);
      const from = (sender: string) =>
        new group_source_req({ gsr_interface: index, gsr_group: address(its), gsr_source: address(sender) });
      setOption(member, 'MCAST_JOIN_SOURCE_GROUP', from(other));
      toGroup('stranger');
      expect(heard()).toBe('nothing');
      setOption(member, 'MCAST_JOIN_SOURCE_GROUP', from(self));
      toGroup('friend');
      expect(heard()).toBe('friend');
      setOption(member, 'MCAST_LEAVE_SOURCE_GROUP', from(self));
      setOption(member, 'MCAST_LEAVE_SOURCE_GROUP', from(other));

      setOption(member, 'MCAST_JOIN_GROUP', { gr_interface: index, gr_group: address(its) });
      setOption(member, 'MCAST_BLOCK_SOURCE', from(self));
      toGroup('blocked');
      expect(heard()).toBe('nothing');
      setOption(member, 'MCAST_UNBLOCK_SOURCE', from(self));
      toGroup('unblocked');
      expect(heard()).toBe('unblocked');
    },
  );

  test.for(families)(
    'of %s: the whole list by MCAST_MSFILTER',
    ([, family, index, address, its, , other], { skip }) => {
      if (skipped(family)) skip('needs root');
      const { member } = ends(family);
      setOption(member, 'MCAST_JOIN_GROUP', { gr_interface: index, gr_group: address(its) });
      const senders = [other, family === AF_INET ? '127.0.0.8' : '2001:db8::8'];
      setOption(member, 'MCAST_MSFILTER', group_filter.of(index, address(its), MCAST_INCLUDE, senders.map(address)));

      const question = { gf_interface: index, gf_group: address(its), gf_numsrc: 8 };
      const found = getOption(member, 'MCAST_MSFILTER', question);
      expect(found.gf_fmode).toBe(MCAST_INCLUDE);
      expect(found.gf_numsrc).toBe(2);
      expect(found.gf_slist.map((sender) => sender.address).sort()).toEqual([...senders].sort());
      // With room for one, one is given, and how many there are.
      const one = getOption(member, 'MCAST_MSFILTER', { ...question, gf_numsrc: 1 });
      expect([one.gf_numsrc, one.gf_slist.length]).toEqual([2, 1]);
    },
  );

  test('of IPv4: the whole list by IP_MSFILTER', () => {
    const { member, toGroup, heard } = ends(AF_INET);
    setOption(member, 'IP_ADD_MEMBERSHIP', { imr_multiaddr: group, imr_address: '127.0.0.1' });
    const filter = ip_msfilter.of(group, '127.0.0.1', MCAST_EXCLUDE, ['127.0.0.1', '127.0.0.9']);
    expect(filter.bytes.length).toBe(IP_MSFILTER_SIZE(2));
    setOption(member, 'IP_MSFILTER', filter);
    toGroup('excluded');
    expect(heard()).toBe('nothing');

    const found = getOption(member, 'IP_MSFILTER', {
      imsf_multiaddr: group,
      imsf_interface: '127.0.0.1',
      imsf_numsrc: 8,
    });
    expect(found.imsf_fmode).toBe(MCAST_EXCLUDE);
    expect(found.imsf_slist.sort()).toEqual(['127.0.0.1', '127.0.0.9']);

    setOption(member, 'IP_MSFILTER', ip_msfilter.of(group, '127.0.0.1', MCAST_EXCLUDE, []));
    toGroup('everybody');
    expect(heard()).toBe('everybody');
  });
});
