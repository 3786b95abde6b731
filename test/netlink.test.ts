// Netlink: what the kernel tells of the network, compared with ip(8) and ss(8).
import { execFileSync, spawnSync } from 'node:child_process';
import { readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import fc from 'fast-check';
import {
  AF_INET,
  AF_INET6,
  AF_UNIX,
  bind,
  CLONE_NEWNET,
  connect,
  constants,
  EINVAL,
  getOption,
  getpeername,
  getsockname,
  IFA_ADDRESS,
  IFA_F_TENTATIVE,
  IFA_LOCAL,
  IFF_UP,
  IFLA_IFNAME,
  IFLA_INFO_DATA,
  IFLA_INFO_KIND,
  IFLA_LINKINFO,
  IFLA_MTU,
  INET_DIAG_SKMEMINFO,
  IPPROTO_MPTCP,
  IPPROTO_TCP,
  IPPROTO_UDP,
  if_nametoindex,
  listen,
  NETLINK_ROUTE,
  NETLINK_USERSOCK,
  NLM_F_ACK_TLVS,
  NLM_F_CREATE,
  NLM_F_DUMP,
  NLM_F_EXCL,
  NLMSG_DONE,
  NLMSG_ERROR,
  RT_SCOPE_UNIVERSE,
  RT_TABLE_MAIN,
  RTA_DST,
  RTA_GATEWAY,
  RTA_MULTIPATH,
  RTA_OIF,
  RTM_DELLINK,
  RTM_GETLINK,
  RTM_GETROUTE,
  RTM_NEWADDR,
  RTM_NEWLINK,
  RTM_NEWROUTE,
  RTN_UNICAST,
  RTNH_F_ONLINK,
  RTNLGRP_LINK,
  RTPROT_STATIC,
  recv,
  SOCK_DGRAM,
  SOCK_DIAG_BY_FAMILY,
  SOCK_STREAM,
  send,
  sendto,
  setOption,
  sockaddr_in,
  sockaddr_in6,
  sockaddr_un,
  socket,
  socketpair,
  TCP_ESTABLISHED,
  TCP_LISTEN,
  TCP_TIME_WAIT,
  unshare,
  VETH_INFO_PEER,
} from 'posix-sockets';
import {
  attributeBytes,
  findUnixSocket,
  InetSocket,
  InterfaceAddress,
  ifaddrmsg,
  ifinfomsg,
  inet_diag_msg,
  Link,
  listAddresses,
  listInetSockets,
  listLinks,
  listNeighbours,
  listRoutes,
  listUnixSockets,
  Neighbour,
  NetlinkAttributes,
  NetlinkError,
  NetlinkMessage,
  netlinkRequest,
  netlinkSocket,
  nlmsghdr,
  Route,
  rtmsg,
  rtnexthop,
  UnixSocket,
} from 'posix-sockets/netlink';
import { describe, expect, test } from 'vitest';
import { setUp } from './network-support.js';
import { bytes, connected, connectedKinds, folder, haveNamespaces, type Kind, opened, until } from './support.js';

// A network with something in it, as root; otherwise that of the machine.
if (haveNamespaces) {
  unshare(CLONE_NEWNET);
  setUp('lo');
  for (const command of [
    'link add nl0 address 02:00:00:00:00:01 mtu 1400 type veth peer name nl1',
    'link add nlbr type bridge',
    'link set nl1 master nlbr',
    'addr add 10.7.0.1/24 broadcast 10.7.0.255 label nl0:one dev nl0',
    'addr add 10.8.0.1 peer 10.8.0.2/32 dev nl0',
    'addr add fd00::7/64 dev nl0 nodad',
    'link set nl0 up',
    'link set nl1 up',
    'route add 10.9.0.0/16 via 10.7.0.9 dev nl0 metric 50',
    'route add default via 10.7.0.254',
    'route add 10.67.0.0/16 nexthop via 10.7.0.9 dev nl0 nexthop dev nl1 weight 3',
    'route add 10.68.0.0/16 via inet6 fd00::9 dev nl0',
    'route add 10.69.0.0/16 nexthop via inet6 fd00::9 dev nl0 onlink nexthop via 10.7.0.9 weight 256',
    'route add fd68::/64 nexthop via fd00::9 dev nl0 weight 2 nexthop via fd00::a dev nl0',
    'route add blackhole 10.66.0.0/16 table 300',
    'neigh add 10.7.0.9 lladdr 02:00:00:00:00:09 dev nl0',
  ]) {
    expect([command, spawnSync('ip', command.split(' '), { encoding: 'utf8' }).stderr]).toEqual([command, '']);
  }
}

const haveIp = spawnSync('ip', ['-V']).status === 0;
const haveSs = spawnSync('ss', ['-V']).status === 0;
const ip = (...args: string[]) =>
  JSON.parse(execFileSync('ip', ['-j', ...args], { encoding: 'utf8' })) as Record<string, unknown>[];

/** The flags of an interface that ip(8) names; others of IFF_ are of TUN devices. */
const linkFlags = ['UP', 'BROADCAST', 'LOOPBACK', 'POINTOPOINT', 'NOARP', 'PROMISC', 'MULTICAST', 'LOWER_UP'];
const flagNames = (flags: number) => linkFlags.filter((name) => (flags & (constants[`IFF_${name}`] as number)) !== 0);
const nameOf = (prefix: string, value: number | undefined) =>
  Object.entries(constants)
    .find(([name, its]) => name.startsWith(prefix) && its === value)?.[0]
    .slice(prefix.length);

describe.skipIf(!haveIp)('as ip(8) lists them (needs ip)', () => {
  test('links', () => {
    const theirs = ip('link').map(
      ({ ifindex, ifname, mtu, qdisc, operstate, txqlen, address, broadcast, flags, master }) => ({
        ...{ ifindex, ifname, mtu, qdisc, operstate, txqlen, address, broadcast, master },
        flags: linkFlags.filter((name) => (flags as string[]).includes(name)),
      }),
    );
    const links = listLinks();
    const ours = links.map((link) => ({
      ...{ ifindex: link.index, ifname: link.name, mtu: link.mtu, qdisc: link.qdisc, txqlen: link.txqlen },
      ...{ address: link.address, broadcast: link.broadcast, operstate: nameOf('IF_OPER_', link.operstate) },
      master: links.find(({ index }) => index === link.master)?.name,
      flags: flagNames(link.flags),
    }));
    const told = <T extends object>(links: T[]) => links.map((link) => JSON.parse(JSON.stringify(link)));
    expect(told(ours)).toEqual(told(theirs));
    expect(ours.length).toBeGreaterThan(0);
  });

  test.skipIf(!haveNamespaces)('links by kind (needs root)', () => {
    const kinds = Object.fromEntries(listLinks().map(({ name, kind }) => [name, kind]));
    expect(kinds).toMatchObject({ nl0: 'veth', nl1: 'veth', nlbr: 'bridge' });
    const theirs = ip('-d', 'link').map(({ ifname, linkinfo }) => [
      ifname,
      (linkinfo as { info_kind?: string })?.info_kind,
    ]);
    expect(kinds).toEqual(Object.fromEntries(theirs));
  });

  test('addresses', () => {
    const theirs = ip('address').flatMap(({ ifindex, addr_info }) =>
      (addr_info as Record<string, unknown>[]).map(
        ({ family, local, prefixlen, scope, label, broadcast, address }) => ({
          ...{ ifindex, family, local, prefixlen, label, broadcast, peer: address ?? local },
          scope: String(scope).toUpperCase(),
        }),
      ),
    );
    const ours = listAddresses().map((address) => ({
      ifindex: address.index,
      family: address.family === AF_INET ? 'inet' : 'inet6',
      local: address.local,
      prefixlen: address.prefixLength,
      label: address.label,
      broadcast: address.broadcast,
      peer: address.address,
      scope: { 0: 'GLOBAL', 253: 'LINK', 254: 'HOST' }[address.scope],
    }));
    const sorted = (all: object[]) => all.map((one) => JSON.stringify(one, Object.keys(one).sort())).sort();
    expect(sorted(ours)).toEqual(sorted(theirs));
    expect(listAddresses(AF_INET6).every(({ family }) => family === AF_INET6)).toBe(true);
  });

  test.for([
    ['IPv4', AF_INET, '-4'],
    ['IPv6', AF_INET6, '-6'],
  ] as const)('routes of %s', ([, family, flag]) => {
    const names = new Map(listLinks().map(({ index, name }) => [index, name]));
    interface Way {
      dev?: string;
      gateway?: string;
      via?: { host: string };
    }
    const gatewayOf = ({ gateway, via }: Way) => gateway ?? via?.host;
    const theirs = ip('-N', flag, 'route', 'show', 'table', 'all').map(
      ({ dst, metric, prefsrc, table, type, nexthops = [], ...way }) => ({
        ...{ dst, dev: (way as Way).dev, gateway: gatewayOf(way), metric, prefsrc },
        table: table === undefined ? RT_TABLE_MAIN : Number(table),
        type: type === undefined ? RTN_UNICAST : Number(type),
        ways: (nexthops as (Way & { weight: number; flags: string[] })[]).map((one) => [
          ...[one.dev, gatewayOf(one), one.weight, one.flags.includes('onlink')],
        ]),
      }),
    );
    const ours = listRoutes(family).map((route) => {
      const whole = family === AF_INET ? 32 : 128;
      const prefix = route.prefixLength === whole ? '' : `/${route.prefixLength}`;
      return {
        dst: route.destination === undefined ? 'default' : `${route.destination}${prefix}`,
        dev: names.get(route.outInterface ?? 0),
        gateway: route.gateway,
        metric: route.priority,
        prefsrc: route.preferredSource,
        table: route.table,
        type: route.type,
        ways: route.nextHops.map((one) => [
          ...[names.get(one.outInterface), one.gateway, one.weight, (one.flags & RTNH_F_ONLINK) !== 0],
        ]),
      };
    });
    const told = (all: object[]) => all.map((one) => JSON.stringify(one)).sort();
    expect(told(ours)).toEqual(told(theirs));
    if (haveNamespaces) expect(ours.filter(({ ways }) => ways.length > 1).length).toBe(family === AF_INET ? 2 : 1);
  });

  test.skipIf(!haveNamespaces)('neighbours (needs root)', () => {
    const ours = listNeighbours(AF_INET).map((one) => [one.destination, one.hardwareAddress, one.index, one.state]);
    expect(ours).toEqual([['10.7.0.9', '02:00:00:00:00:09', if_nametoindex('nl0'), constants.NUD_PERMANENT]]);
    expect(ip('neigh')).toEqual([{ dst: '10.7.0.9', dev: 'nl0', lladdr: '02:00:00:00:00:09', state: ['PERMANENT'] }]);
  });
});

const tcp = connectedKinds.find(([name]) => name === 'TCP over IPv4')?.[1] as Kind;
const inodeOf = (fd: number) => Number(/\d+/.exec(readlinkSync(`/proc/self/fd/${fd}`))?.[0]);

describe('sockets', () => {
  test.skipIf(!haveSs)('of TCP, as ss(8) lists them (needs ss)', () => {
    const [client] = connected(tcp);
    const listener = opened(socket(AF_INET6, SOCK_STREAM));
    listen(listener, 7);
    send(client, bytes('unread'));
    // Without TIME-WAIT, of which other tests may have left tens of thousands that go while we look.
    const theirs = execFileSync('ss', ['-tanHe', 'exclude', 'time-wait'], { encoding: 'utf8' })
      .trim()
      .split('\n')
      .map((line) => {
        const [state, receive, sent, local, remote] = line.split(/\s+/) as [string, string, string, string, string];
        return [state, Number(receive), Number(sent), local, remote, Number(/ino:(\d+)/.exec(line)?.[1] ?? 0)];
      });
    // By their numbers, from 1 on, as ss(8) names them.
    const states =
      '? ESTAB SYN-SENT SYN-RECV FIN-WAIT-1 FIN-WAIT-2 TIME-WAIT UNCONN CLOSE-WAIT LAST-ACK LISTEN CLOSING'.split(' ');
    const shown = (address: { toString(): string; port?: number | undefined }) =>
      address
        .toString()
        .replace('[::]:0', '[::]:*')
        .replace('0.0.0.0:0', '0.0.0.0:*')
        .replace('[::]:', '*:')
        .replace('*:*', '*:*');
    const ours = listInetSockets()
      .filter(({ state }) => state !== TCP_TIME_WAIT)
      .map((one) => [
        states[one.state],
        one.receiveQueue,
        one.sendQueue,
        shown(one.local),
        shown(one.remote),
        one.inode,
      ]);
    // In a network that others use, only these are sure to be there for both.
    const mine = [client, listener].map(inodeOf);
    const compared = (all: unknown[][]) => all.filter((one) => haveNamespaces || mine.includes(one[5] as number));
    const sorted = (all: unknown[][]) =>
      compared(all)
        .map((one) => JSON.stringify(one))
        .sort();
    expect(sorted(ours)).toEqual(sorted(theirs));
  });

  test('of TCP, with what TCP_INFO and SO_COOKIE give', () => {
    const [client, server] = connected(tcp);
    send(client, bytes('hello'));
    const all = listInetSockets({ family: AF_INET, states: [TCP_ESTABLISHED] });
    const mine = all.find(({ inode }) => inode === inodeOf(client));
    expect(mine?.cookie).toBe(getOption(client, 'SO_COOKIE'));
    expect(`${mine?.local}`).toBe(`${getsockname(client)}`);
    expect(mine?.info?.tcpi_state).toBe(TCP_ESTABLISHED);
    expect(mine?.info?.tcpi_bytes_sent).toBe(5n);
    expect(mine?.congestion).toBe(getOption(client, 'TCP_CONGESTION'));
    expect(mine?.memory?.[1]).toBe(getOption(client, 'SO_MEMINFO')[1]);
    expect(mine?.uid).toBe(process.getuid?.());
    const other = all.find(({ inode }) => inode === inodeOf(server));
    expect(other?.receiveQueue).toBe(5);
    expect(listInetSockets({ states: [TCP_LISTEN] }).some(({ state }) => state !== TCP_LISTEN)).toBe(false);
  });

  test.skipIf(!haveNamespaces)('of a link-local address, and of one interface alone (needs root)', async () => {
    const linkLocal = () =>
      listAddresses(AF_INET6).find(({ local, flags }) => /^fe80/.test(`${local}`) && !(flags & IFA_F_TENTATIVE));
    await until(() => linkLocal() !== undefined, 'an interface has its link-local address');
    const { local, index } = linkLocal() as InterfaceAddress;
    const fd = opened(socket(AF_INET6, SOCK_STREAM));
    bind(fd, sockaddr_in6(local as string, 0, { scopeId: index }));
    listen(fd, 1);
    const client = opened(socket(AF_INET6, SOCK_STREAM));
    connect(client, getsockname(fd));
    const sockets = listInetSockets({ family: AF_INET6 });
    for (const each of [fd, client]) {
      const found = sockets.find(({ inode }) => inode === inodeOf(each));
      expect(`${found?.local}`).toBe(`${getsockname(each)}`);
      expect(found?.boundInterface).toBe(index);
    }
    expect(`${sockets.find(({ inode }) => inode === inodeOf(client))?.remote}`).toBe(`${getpeername(client)}`);

    const bound = opened(socket(AF_INET, SOCK_DGRAM));
    setOption(bound, 'SO_BINDTODEVICE', 'nl0');
    bind(bound, sockaddr_in('0.0.0.0', 0));
    const found = listInetSockets({ protocol: IPPROTO_UDP }).find(({ inode }) => inode === inodeOf(bound));
    expect(found?.boundInterface).toBe(if_nametoindex('nl0'));
  });

  test('of UDP and Multipath TCP', ({ skip }) => {
    const udp = opened(socket(AF_INET, SOCK_DGRAM));
    bind(udp, sockaddr_in('127.0.0.1', 0));
    const found = listInetSockets({ protocol: IPPROTO_UDP }).find(({ inode }) => inode === inodeOf(udp));
    expect(`${found?.local}`).toBe(`${getsockname(udp)}`);
    expect(found?.info).toBeUndefined();

    const mptcp = connectedKinds.find(([name]) => name === 'Multipath TCP')?.[1];
    if (!mptcp) return skip('this kernel has no Multipath TCP');
    const [client] = connected(mptcp);
    const paths = listInetSockets({ protocol: IPPROTO_MPTCP, family: AF_INET });
    expect(paths.map(({ inode }) => inode)).toContain(inodeOf(client));
  });

  test.skipIf(!haveSs)('of Unix, as ss(8) lists them (needs ss)', () => {
    const path = join(folder(), 'a socket');
    const listener = opened(socket(AF_UNIX, SOCK_STREAM));
    bind(listener, sockaddr_un(path));
    listen(listener, 9);
    const abstract = opened(socket(AF_UNIX, SOCK_DGRAM));
    bind(abstract, sockaddr_un('\0posix-sockets netlink'));
    const [one, other] = socketpair(AF_UNIX, SOCK_STREAM).map(opened) as [number, number];
    send(one, bytes('waiting'));

    const all = new Map(listUnixSockets().map((each) => [each.inode, each]));
    expect(all.get(inodeOf(listener))?.local?.path).toBe(path);
    expect(all.get(inodeOf(listener))).toMatchObject({ state: TCP_LISTEN, sendQueue: 9, receiveQueue: 0 });
    expect(all.get(inodeOf(abstract))?.local?.path).toBe('@posix-sockets netlink');
    expect(all.get(inodeOf(one))).toMatchObject({ peer: inodeOf(other), local: undefined, type: SOCK_STREAM });
    expect(all.get(inodeOf(other))).toMatchObject({ peer: inodeOf(one), receiveQueue: 7, uid: process.getuid?.() });

    const mine = [listener, abstract, one, other].map(inodeOf);
    const theirs = execFileSync('ss', ['-xanH'], { encoding: 'utf8' })
      .trim()
      .split('\n')
      .map((line) => / (\d+) +\S+ +(\d+) *$/.exec(line)?.slice(1).map(Number) as [number, number])
      .filter(([inode]) => mine.includes(inode))
      .sort();
    expect(theirs).toEqual(mine.map((inode) => [inode, all.get(inode)?.peer ?? 0]).sort());
    expect(listUnixSockets([TCP_LISTEN]).map(({ inode }) => inode)).toContain(inodeOf(listener));
    expect(listUnixSockets([TCP_LISTEN]).map(({ inode }) => inode)).not.toContain(inodeOf(one));
  });

  test('one Unix socket by its inode', () => {
    const [one, other] = socketpair(AF_UNIX, SOCK_STREAM).map(opened) as [number, number];
    send(other, bytes('here'));
    expect(findUnixSocket(inodeOf(one))).toMatchObject({ inode: inodeOf(one), peer: inodeOf(other), receiveQueue: 4 });
    expect(() => findUnixSocket(0xffff_fffe)).toThrow(expect.objectContaining({ code: 'ENOENT' }));
  });
});

test('an answer that was cut is an error by its number', () => {
  // Not of the kernel, which cuts none: of another program.
  const [mine, other] = [NETLINK_USERSOCK, NETLINK_USERSOCK].map((protocol) => opened(netlinkSocket(protocol)));
  connect(mine as number, getsockname(other as number));
  const request = NetlinkMessage.of(RTM_GETLINK, NLM_F_DUMP, new ifinfomsg());
  const anyRequest = NetlinkMessage.of(RTM_GETLINK, NLM_F_DUMP, new ifinfomsg());
  netlinkRequest(opened(netlinkSocket(NETLINK_ROUTE)), anyRequest);
  const header = new nlmsghdr({
    ...{ nlmsg_len: 20, nlmsg_type: NLMSG_ERROR, nlmsg_flags: NLM_F_ACK_TLVS },
    nlmsg_seq: anyRequest.header.nlmsg_seq + 1, // of the next one
  });
  const answer = Buffer.concat([header.bytes, Uint8Array.from([256 - EINVAL, 255, 255, 255])]);
  sendto(other as number, answer, 0, getsockname(mine as number));
  expect(() => netlinkRequest(mine as number, request)).toThrow(expect.objectContaining({ code: 'EINVAL' }));
});

describe.skipIf(!haveNamespaces)('requests that change something (need root)', () => {
  const change = NLM_F_CREATE | NLM_F_EXCL;
  const veth = (name: string, peer: string) =>
    NetlinkMessage.of(RTM_NEWLINK, change, new ifinfomsg(), [
      [IFLA_IFNAME, name],
      [IFLA_MTU, 1280],
      [
        IFLA_LINKINFO,
        [
          [IFLA_INFO_KIND, 'veth'],
          [
            IFLA_INFO_DATA,
            [[VETH_INFO_PEER, Buffer.concat([new ifinfomsg().bytes, attributeBytes([[IFLA_IFNAME, peer]])])]],
          ],
        ],
      ],
    ]);

  test('make a veth, set it up, give it an address and a route', () => {
    const fd = opened(netlinkSocket(NETLINK_ROUTE));
    expect(netlinkRequest(fd, veth('made0', 'made1'))).toEqual([]);
    const index = if_nametoindex('made0');
    for (const each of [index, if_nametoindex('made1')]) {
      netlinkRequest(
        fd,
        NetlinkMessage.of(RTM_NEWLINK, 0, new ifinfomsg({ ifi_index: each, ifi_flags: IFF_UP, ifi_change: IFF_UP })),
      );
    }
    const address = Uint8Array.of(10, 44, 0, 1);
    netlinkRequest(
      fd,
      NetlinkMessage.of(
        RTM_NEWADDR,
        change,
        new ifaddrmsg({ ifa_family: AF_INET, ifa_prefixlen: 24, ifa_index: index }),
        [
          [IFA_LOCAL, address],
          [IFA_ADDRESS, address],
        ],
      ),
    );
    const route = new rtmsg({
      ...{ rtm_family: AF_INET, rtm_dst_len: 16, rtm_table: RT_TABLE_MAIN, rtm_protocol: RTPROT_STATIC },
      ...{ rtm_scope: RT_SCOPE_UNIVERSE, rtm_type: RTN_UNICAST },
    });
    netlinkRequest(
      fd,
      NetlinkMessage.of(RTM_NEWROUTE, change, route, [
        [RTA_DST, Uint8Array.of(10, 45, 0, 0)],
        [RTA_GATEWAY, Uint8Array.of(10, 44, 0, 9)],
        [RTA_OIF, index],
      ]),
    );

    expect(ip('addr', 'show', 'made0')).toMatchObject([
      { mtu: 1280, addr_info: [{ local: '10.44.0.1', prefixlen: 24 }, {}] },
    ]);
    expect(ip('route', 'get', '10.45.1.1')).toMatchObject([
      { gateway: '10.44.0.9', dev: 'made0', prefsrc: '10.44.0.1' },
    ]);

    // A question about one packet is answered by one route.
    const ask = NetlinkMessage.of(RTM_GETROUTE, 0, new rtmsg({ rtm_family: AF_INET, rtm_dst_len: 32 }), [
      [RTA_DST, Uint8Array.of(10, 45, 1, 1)],
    ]);
    const [answer] = netlinkRequest(fd, ask).map(Route.from);
    expect(answer).toMatchObject({ gateway: '10.44.0.9', outInterface: index, preferredSource: '10.44.0.1' });
    netlinkRequest(fd, NetlinkMessage.of(RTM_DELLINK, 0, new ifinfomsg({ ifi_index: index })));
    expect(listLinks().map(({ name }) => name)).not.toContain('made1');
  });

  test('are refused with an errno, and the reason where the kernel tells it', () => {
    const fd = opened(netlinkSocket(NETLINK_ROUTE));
    const refusal = (request: NetlinkMessage) => {
      try {
        netlinkRequest(fd, request);
      } catch (error) {
        expect(error).toBeInstanceOf(NetlinkError);
        return error as NetlinkError;
      }
      throw new Error('it was not refused');
    };
    expect(refusal(veth('nl0', 'other')).code).toBe('EEXIST');
    expect(refusal(NetlinkMessage.of(RTM_DELLINK, 0, new ifinfomsg({ ifi_index: 9999 }))).code).toBe('ENODEV');
    const tooSmall = NetlinkMessage.of(RTM_NEWLINK, 0, new ifinfomsg({ ifi_index: if_nametoindex('nl0') }), [
      [IFLA_MTU, 1],
    ]);
    const { code, reason, message } = refusal(tooSmall);
    expect(code).toBe('EINVAL');
    expect(reason).toMatch(/mtu/i);
    expect(message).toBe(`netlink EINVAL: ${reason}`);
    // Without NETLINK_CAP_ACK the request comes back too, before the reason.
    setOption(fd, 'NETLINK_CAP_ACK', false);
    expect(refusal(tooSmall).reason).toBe(reason);
    // The socket is as good as before.
    expect(netlinkRequest(fd, NetlinkMessage.of(RTM_GETLINK, NLM_F_DUMP, new ifinfomsg())).length).toBeGreaterThan(1);
  });

  test('events come to the members of a group', () => {
    const events = opened(netlinkSocket(NETLINK_ROUTE));
    setOption(events, 'NETLINK_ADD_MEMBERSHIP', RTNLGRP_LINK);
    expect(getOption(events, 'NETLINK_LIST_MEMBERSHIPS')[0]).toBe(1 << (RTNLGRP_LINK - 1));
    setOption(events, 'SO_RCVTIMEO', { tv_sec: 5 });
    execFileSync('ip', ['link', 'add', 'event0', 'type', 'veth', 'peer', 'name', 'event1']);
    const buffer = new Uint8Array(32_768);
    const seen: Link[] = [];
    while (!seen.some(({ name }) => name === 'event0')) {
      const received = buffer.slice(0, recv(events, buffer));
      for (const message of NetlinkMessage.parse(received)) {
        expect(message.header.nlmsg_type).toBe(RTM_NEWLINK);
        seen.push(Link.from(message));
      }
    }
    expect(seen.map(({ kind }) => kind)).toContain('veth');
    execFileSync('ip', ['link', 'del', 'event0']);
  });
});

describe('messages and attributes', () => {
  /** A message taken for each of the things that may be told of. */
  const told = (message: NetlinkMessage) =>
    Object.entries({
      link: Link.from(message),
      address: InterfaceAddress.from(message),
      route: Route.from(message),
      neighbour: Neighbour.from(message),
      inetSocket: new InetSocket(message, IPPROTO_TCP),
      unixSocket: new UnixSocket(message),
    });

  test('lie in memory as netlink(7) has them', () => {
    const message = NetlinkMessage.of(RTM_GETLINK, NLM_F_DUMP, new ifinfomsg({ ifi_index: 7 }), [
      [1, 'ab'],
      [2, 5],
      [3, [[4, Uint8Array.of(9)]]],
    ]);
    expect(Buffer.from(message.bytes).toString('hex')).toBe(
      ['3c000000', '1200', '0003', '00000000', '00000000'].join('') + // the header: length, type, flags, sequence, port
        ['0000', '0000', '07000000', '00000000', '00000000'].join('') + // ifinfomsg
        ['0700', '0100', '61620000'].join('') + // text with its NUL, and padding
        ['0800', '0200', '05000000'].join('') +
        ['0c00', '0380', '0500', '0400', '09000000'].join(''), // nested, which says so
    );
    expect([...NetlinkMessage.parse(message.bytes)].length).toBe(1);
    const attributes = message.attributes(ifinfomsg);
    expect([attributes.text(1), attributes.number(2), attributes.nested(3)?.number(4)]).toEqual(['ab', 5, 9]);
    expect([attributes.get(9), attributes.text(9), attributes.number(1), attributes.address(2)]).toEqual([
      undefined,
      undefined,
      undefined,
      '5.0.0.0',
    ]);
  });

  test('what does not fit is refused', () => {
    expect(() => attributeBytes([[1, -1]])).toThrow(RangeError);
    expect(() => attributeBytes([[1, 2 ** 32]])).toThrow(RangeError);
    expect(() => attributeBytes([[1, 1.5]])).toThrow(RangeError);
    expect(() => attributeBytes([[1, new Uint8Array(65_532)]])).toThrow(RangeError);
    expect(attributeBytes([[1, new Uint8Array(65_531)]]).length).toBe(65_536);
  });

  test('arbitrary bytes are read to an end, and never beyond it', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 256 }), (garbage) => {
        for (const message of NetlinkMessage.parse(garbage)) {
          expect(message.bytes.length).toBeGreaterThanOrEqual(16);
          for (const [, { attributes }] of told(message)) {
            for (const [type, data] of attributes) expect([type >= 0, data.length < 256]).toEqual([true, true]);
          }
        }
        const all = [...new NetlinkAttributes(garbage)];
        expect(all.reduce((total, [, data]) => total + 4 + data.length, 0)).toBeLessThanOrEqual(garbage.length);
      }),
    );
  });

  test('what is told of anything can be asked of any message, however short, and whatever its attributes hold', () => {
    // Half of the attributes are of 4, 8 or 16 bytes, as most that there are.
    const size = fc.oneof(fc.constantFrom(4, 8, 16), fc.nat(70));
    const data = size.chain((length) => fc.uint8Array({ minLength: length, maxLength: length }));
    const attribute = fc.tuple(fc.nat(64), data);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 90 }), fc.array(attribute, { maxLength: 8 }), (body, attributes) => {
        const bytes = Buffer.concat([Buffer.alloc(16), body, attributeBytes(attributes)]);
        bytes.writeUInt32LE(bytes.length, 0);
        for (const [name, thing] of [...NetlinkMessage.parse(bytes)].flatMap(told)) {
          const names = Object.entries(Object.getOwnPropertyDescriptors(Object.getPrototypeOf(thing)));
          for (const [property] of names.filter(([, { get }]) => get !== undefined))
            expect(() => inspect(thing[property as keyof typeof thing]), `${name}.${property}`).not.toThrow();
        }
      }),
      { numRuns: 1000 },
    );
  });

  test('numbers of an attribute are its own, also among the bytes of a Buffer that is shared', () => {
    const memory = Buffer.from(new Uint32Array([1, 2, 0xffff_ffff]).buffer); // which lies in a pool
    const message = NetlinkMessage.of(SOCK_DIAG_BY_FAMILY, 0, new inet_diag_msg(), [[INET_DIAG_SKMEMINFO, memory]]);
    const [read] = NetlinkMessage.parse(Buffer.from(message.bytes));
    expect(new InetSocket(read as NetlinkMessage, IPPROTO_TCP).memory).toEqual([1, 2, 0xffff_ffff]);
  });

  test('lengths that lie end the list', () => {
    const one = NetlinkMessage.of(NLMSG_DONE, 0, new ifinfomsg()).bytes;
    const lying = (length: number) => {
      const copy = Buffer.concat([one, one]);
      copy.writeUInt32LE(length, 0);
      return [...NetlinkMessage.parse(copy)].length;
    };
    expect([lying(32), lying(0), lying(15), lying(65), lying(0xffffffff)]).toEqual([2, 0, 0, 0, 0]);
    expect([...new NetlinkAttributes(Uint8Array.of(0, 0, 1, 0))]).toEqual([]);
    expect([...new NetlinkAttributes(Uint8Array.of(5, 0, 1, 0))]).toEqual([]);
    const hops = (length: number) => {
      const two = Buffer.concat([new rtnexthop({ rtnh_len: 8 }).bytes, new rtnexthop({ rtnh_len: length }).bytes]);
      return Route.from(NetlinkMessage.of(RTM_NEWROUTE, 0, new rtmsg(), [[RTA_MULTIPATH, two]])).nextHops.length;
    };
    expect([hops(8), hops(0), hops(7), hops(9)]).toEqual([2, 1, 1, 1]);
  });
});
