import { spawnSync } from 'node:child_process';
import {
  AF_INET,
  AF_INET6,
  CLOCK_MONOTONIC,
  ControlBuffer,
  type ControlInputs,
  type ControlName,
  close,
  ECONNREFUSED,
  EINVAL,
  EMSGSIZE,
  getsockname,
  ICMP_DEST_UNREACH,
  ICMP_PORT_UNREACH,
  ICMP6_DST_UNREACH,
  ICMP6_DST_UNREACH_NOPORT,
  IP_CHECKSUM,
  IP_PKTINFO,
  IP_RECVERR,
  IP_RECVFRAGSIZE,
  IP_RECVOPTS,
  IP_RECVORIGDSTADDR,
  IP_RECVTOS,
  IP_RECVTTL,
  IP_RETOPTS,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPPROTO_RAW,
  IPPROTO_TCP,
  IPPROTO_UDP,
  IPV6_FLOWINFO,
  IPV6_RECVDSTOPTS,
  IPV6_RECVERR,
  IPV6_RECVFRAGSIZE,
  IPV6_RECVHOPLIMIT,
  IPV6_RECVHOPOPTS,
  IPV6_RECVORIGDSTADDR,
  IPV6_RECVPATHMTU,
  IPV6_RECVPKTINFO,
  IPV6_RECVRTHDR,
  IPV6_RECVTCLASS,
  if_nametoindex,
  MSG_DONTWAIT,
  MSG_ERRQUEUE,
  MSG_TRUNC,
  MsgHdr,
  raw,
  recvmsg,
  SHUT_WR,
  SO_EE_CODE_TXTIME_INVALID_PARAM,
  SO_EE_ORIGIN_ICMP,
  SO_EE_ORIGIN_ICMP6,
  SO_EE_ORIGIN_LOCAL,
  SO_EE_ORIGIN_TXTIME,
  SO_RCVBUF,
  SO_RCVMARK,
  SO_RCVPRIORITY,
  SO_RXQ_OVFL,
  SO_TXTIME,
  SOCK_DGRAM,
  SOCK_RAW,
  SOL_SOCKET,
  SockAddr,
  Struct,
  send,
  sendmsg,
  sendto,
  setsockopt,
  shutdown,
  sockaddr_in,
  sockaddr_in6,
  socket,
  supports,
  TCP_INQ,
  UDP_GRO,
} from 'posix-sockets';
import { describe, expect, test } from 'vitest';
import { plain, pythonReceives, receive, sendWith, udpPair } from './message-support.js';
import {
  bytes,
  connected,
  connectedKinds,
  errorOf,
  haveNamespaces,
  havePython,
  isRoot,
  opened,
  runInNamespace,
  until,
} from './support.js';

const lo = if_nametoindex('lo');

/** Whether packets may be queued so in a network of one's own. */
const haveQueue = (qdisc: string) =>
  haveNamespaces &&
  spawnSync('unshare', ['-n', 'sh', '-c', `ip link set lo up && tc qdisc add dev lo root ${qdisc}`]).status === 0;

/** What a message holds, for toEqual. */
function shown(value: unknown): unknown {
  return value instanceof Struct ? value.toJSON() : value instanceof SockAddr ? value.toString() : value;
}

interface Received {
  readonly kind: ControlName;
  readonly family?: number;
  /** The option that asks for it. */
  readonly option: readonly [level: number, name: number];
  /** What the sender says. */
  readonly sent?: ControlInputs;
  readonly is: unknown;
  readonly root?: boolean;
  /** The option's name, where it is newer than kernels that are in use. */
  readonly newer?: 'SO_RCVPRIORITY';
}

// A record of the route, with room for two addresses.
const recordRoute = Uint8Array.of(7, 11, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0);
const padding = Uint8Array.of(0, 0, 1, 4, 0, 0, 0, 0); // an extension header with nothing in it
const received: Received[] = [
  { kind: 'IP_TTL', option: [IPPROTO_IP, IP_RECVTTL], sent: { IP_TTL: 9 }, is: 9 },
  { kind: 'IP_TOS', option: [IPPROTO_IP, IP_RECVTOS], sent: { IP_TOS: 0x28 }, is: 0x28 },
  {
    kind: 'IP_PKTINFO',
    option: [IPPROTO_IP, IP_PKTINFO],
    is: { ipi_ifindex: lo, ipi_spec_dst: '127.0.0.1', ipi_addr: '127.0.0.1' },
  },
  {
    kind: 'IP_RECVOPTS',
    option: [IPPROTO_IP, IP_RECVOPTS],
    sent: { IP_RETOPTS: recordRoute },
    is: Uint8Array.of(7, 11, 12, 127, 0, 0, 1, 127, 0, 0, 1, 0),
  },
  {
    kind: 'IP_RETOPTS',
    option: [IPPROTO_IP, IP_RETOPTS],
    sent: { IP_RETOPTS: recordRoute },
    is: Uint8Array.of(7, 11, 12, 127, 0, 0, 1, 127, 0, 0, 1, 0),
  },
  { kind: 'IP_ORIGDSTADDR', option: [IPPROTO_IP, IP_RECVORIGDSTADDR], is: 'the receiver' },
  {
    kind: 'SO_PRIORITY',
    option: [SOL_SOCKET, SO_RCVPRIORITY],
    sent: { SO_PRIORITY: 5 },
    is: 5,
    newer: 'SO_RCVPRIORITY',
  },
  { kind: 'SO_MARK', option: [SOL_SOCKET, SO_RCVMARK], sent: { SO_MARK: 0xfeedface }, is: 0xfeedface, root: true },
  {
    kind: 'IPV6_PKTINFO',
    family: AF_INET6,
    option: [IPPROTO_IPV6, IPV6_RECVPKTINFO],
    sent: { IPV6_PKTINFO: { ipi6_addr: '::1', ipi6_ifindex: lo } },
    is: { ipi6_addr: '::1', ipi6_ifindex: lo },
  },
  {
    kind: 'IPV6_HOPLIMIT',
    family: AF_INET6,
    option: [IPPROTO_IPV6, IPV6_RECVHOPLIMIT],
    sent: { IPV6_HOPLIMIT: 7 },
    is: 7,
  },
  {
    kind: 'IPV6_TCLASS',
    family: AF_INET6,
    option: [IPPROTO_IPV6, IPV6_RECVTCLASS],
    sent: { IPV6_TCLASS: 0x29 },
    is: 0x29,
  },
  {
    kind: 'IPV6_FLOWINFO',
    family: AF_INET6,
    option: [IPPROTO_IPV6, IPV6_FLOWINFO],
    sent: { IPV6_FLOWINFO: 0x12345, IPV6_TCLASS: 0x29 },
    is: 0x2912345,
  },
  { kind: 'IPV6_ORIGDSTADDR', family: AF_INET6, option: [IPPROTO_IPV6, IPV6_RECVORIGDSTADDR], is: 'the receiver' },
  {
    kind: 'IPV6_HOPOPTS',
    family: AF_INET6,
    option: [IPPROTO_IPV6, IPV6_RECVHOPOPTS],
    sent: { IPV6_HOPOPTS: padding },
    is: Uint8Array.of(IPPROTO_UDP, ...padding.subarray(1)),
    root: true,
  },
  {
    kind: 'IPV6_DSTOPTS',
    family: AF_INET6,
    option: [IPPROTO_IPV6, IPV6_RECVDSTOPTS],
    sent: { IPV6_DSTOPTS: padding },
    is: Uint8Array.of(IPPROTO_UDP, ...padding.subarray(1)),
    root: true,
  },
];

for (const { kind, family = AF_INET, option, sent = {}, is, root, newer } of received) {
  const isLacking = (root && !isRoot) || (newer !== undefined && supports(newer) === 'no');
  const needs = [root && ' (needs root)', newer && ` (needs ${newer})`].filter(Boolean).join('');
  const begin = () => {
    const pair = udpPair(family);
    setsockopt(pair.receiver, ...option, 1);
    return pair;
  };

  test.skipIf(isLacking)(`${kind} arrives as it was sent${needs}`, () => {
    const { sender, receiver, address } = begin();
    sendWith(sender, sent);
    const { control } = receive(receiver);
    expect([...control].map((message) => message.kind)).toEqual([kind]);
    expect(shown(control.get(kind))).toEqual(is === 'the receiver' ? `${address}` : is);
  });

  test.skipIf(isLacking || !havePython)(`${kind} is to Python what it is to us${needs} (needs python3)`, () => {
    const { sender, receiver } = begin();
    for (let i = 0; i < 2; i++) sendWith(sender, sent);
    const theirs = pythonReceives(receiver);
    expect(theirs).toEqual([...receive(receiver).control].map(plain));
    expect(theirs).toHaveLength(1);
  });
}

describe('IPv4', () => {
  test('IP_PKTINFO chooses the source address of one datagram', () => {
    const { sender, receiver } = udpPair();
    const from = () => {
      const name = new SockAddr();
      recvmsg(receiver, new MsgHdr({ name, iov: new Uint8Array(9) }));
      return name.address;
    };
    const port = getsockname(receiver).port as number;
    const unconnected = opened(socket(AF_INET, SOCK_DGRAM));
    sendWith(unconnected, { IP_PKTINFO: { ipi_spec_dst: '127.0.0.7' } }, sockaddr_in('127.0.0.1', port));
    expect(from()).toBe('127.0.0.7');
    sendWith(sender, {});
    expect(from()).toBe('127.0.0.1');
  });

  test('IP_RECVERR: nobody listens, and the error queue says who said so', async () => {
    const { sender, receiver, address } = udpPair();
    close(receiver);
    setsockopt(sender, IPPROTO_IP, IP_RECVERR, 1);
    send(sender, bytes('anyone?'));
    await until(() => raw.send(sender, bytes('?'), 0) === -ECONNREFUSED, 'the error is there');
    const message = new MsgHdr({ name: new SockAddr(), iov: new Uint8Array(100), control: ['IP_RECVERR'] });
    expect(recvmsg(sender, message, MSG_ERRQUEUE)).toBe('anyone?'.length);
    expect(message.flags & MSG_ERRQUEUE).toBe(MSG_ERRQUEUE);
    expect(`${message.name}`).toBe(`${address}`); // where it was going
    const error = message.control?.get('IP_RECVERR');
    expect(error?.toJSON()).toMatchObject({
      ee_errno: ECONNREFUSED,
      ee_origin: SO_EE_ORIGIN_ICMP,
      ee_type: ICMP_DEST_UNREACH,
      ee_code: ICMP_PORT_UNREACH,
    });
    expect(`${error?.offender}`).toBe('127.0.0.1:0');
  });

  // On loopback nobody makes a checksum, so this datagram brings its own.
  test.skipIf(!isRoot)('IP_CHECKSUM: the sum that the kernel has made of a datagram (needs root)', () => {
    const { receiver, address } = udpPair();
    setsockopt(receiver, IPPROTO_IP, IP_CHECKSUM, 1);
    const datagram = udp(address, bytes('summed'));
    datagram.writeUInt16BE(checksum(datagram, [0x7f00, 1, 0x7f00, 1]), 6);
    sendto(opened(socket(AF_INET, SOCK_RAW, IPPROTO_UDP)), datagram, 0, sockaddr_in('127.0.0.1', 0));
    const sum = receive(receiver).control.get('IP_CHECKSUM') as number;
    const words = new Uint16Array(bytes('summed').slice().buffer); // in the machine's order, as the kernel adds them
    expect(((sum & 0xffff) + (sum >>> 16)) % 0xffff).toBe(words.reduce((all, word) => all + word) % 0xffff);
  });

  test.skipIf(!isRoot)('IP_RECVFRAGSIZE: the longest fragment (needs root)', () => {
    const { receiver, address } = udpPair();
    setsockopt(receiver, IPPROTO_IP, IP_RECVFRAGSIZE, 1);
    const out = opened(socket(AF_INET, SOCK_RAW, IPPROTO_RAW));
    const datagram = udp(address, bytes('x'.repeat(40)));
    const fragments = [datagram.subarray(0, 32), datagram.subarray(32)];
    for (const [i, part] of fragments.entries()) {
      const header = Buffer.alloc(20);
      header.set([0x45, 0]);
      header.writeUInt16BE(0x4242, 4);
      header.writeUInt16BE(i === 0 ? 0x2000 : 32 / 8, 6);
      header.set([64, IPPROTO_UDP], 8);
      header.set([127, 0, 0, 1, 127, 0, 0, 1], 12);
      sendto(out, Buffer.concat([header, part]), 0, sockaddr_in('127.0.0.1', 0));
    }
    const { control, payload } = receive(receiver);
    expect(payload).toBe('x'.repeat(40));
    expect(control.get('IP_RECVFRAGSIZE')).toBe(20 + 32);
  });

  test.skipIf(!haveNamespaces)('IP_PROTOCOL: by which routing rules look a raw packet up (needs root)', async () => {
    const { stdout, stderr } = await runInNamespace(`
      import { execFileSync } from 'node:child_process';
      import { AF_INET, ControlBuffer, errnoName, IPPROTO_RAW, raw, SOCK_RAW, sockaddr_in, socket } from 'posix-sockets';
      execFileSync('ip', ['route', 'add', '10.9.9.0/24', 'dev', 'lo']);
      execFileSync('ip', ['rule', 'add', 'ipproto', '253', 'prohibit', 'pref', '1']);
      const fd = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
      const to = sockaddr_in('10.9.9.9', 0);
      const packet = Uint8Array.of(0x45, 0, 0, 20, 0, 0, 0, 0, 64, 253, 0, 0, 127, 0, 0, 1, 10, 9, 9, 9);
      for (const protocol of [252, 253, 256]) {
        const control = ControlBuffer.of({ IP_PROTOCOL: protocol });
        const sent = raw.sendmsg(fd, packet, to.bytes, control.bytes, 0);
        console.log(sent < 0 ? errnoName(sent) : sent);
      }`);
    expect(stderr).toBe('');
    expect(stdout.trim().split('\n')).toEqual(['20', 'EACCES', 'EINVAL']);
  });
});

describe('IPv6', () => {
  test('IPV6_RECVERR: nobody listens, and the error queue says who said so', async () => {
    const { sender, receiver } = udpPair(AF_INET6);
    close(receiver);
    setsockopt(sender, IPPROTO_IPV6, IPV6_RECVERR, 1);
    send(sender, bytes('anyone?'));
    await until(() => raw.send(sender, bytes('?'), 0) === -ECONNREFUSED, 'the error is there');
    const { control, payload } = receive(sender, MSG_ERRQUEUE);
    expect(payload).toBe('anyone?');
    expect(control.get('IPV6_RECVERR')?.toJSON()).toMatchObject({
      ee_errno: ECONNREFUSED,
      ee_origin: SO_EE_ORIGIN_ICMP6,
      ee_type: ICMP6_DST_UNREACH,
      ee_code: ICMP6_DST_UNREACH_NOPORT,
    });
    expect(`${control.get('IPV6_RECVERR')?.offender}`).toBe('[::1]:0');
  });

  const tooLong = new Uint8Array(65_500); // with its headers, more than the MTU of lo

  test('IPV6_DONTFRAG and IPV6_PATHMTU: too long a datagram fails, and the path MTU is told', () => {
    const { sender, address } = udpPair(AF_INET6);
    setsockopt(sender, IPPROTO_IPV6, IPV6_RECVPATHMTU, 1);
    const long = (dontFragment: number) =>
      sendmsg(sender, new MsgHdr({ iov: tooLong, control: ControlBuffer.of({ IPV6_DONTFRAG: dontFragment }) }));
    expect(long(0)).toBe(tooLong.length);
    expect(errorOf(() => long(1)).errno).toBe(-EMSGSIZE);
    const { length, control } = receive(sender);
    expect(length).toBe(0);
    const mtu = control.get('IPV6_PATHMTU');
    expect(mtu?.ip6m_mtu).toBe(Number(spawnSync('cat', ['/sys/class/net/lo/mtu'], { encoding: 'utf8' }).stdout));
    expect(mtu?.ip6m_addr.address).toBe(address.address);
  });

  test('IPV6_RECVERR of this machine itself: EMSGSIZE, with the MTU and no offender', () => {
    const { sender } = udpPair(AF_INET6);
    setsockopt(sender, IPPROTO_IPV6, IPV6_RECVERR, 1);
    const control = ControlBuffer.of({ IPV6_DONTFRAG: 1 });
    expect(errorOf(() => sendmsg(sender, new MsgHdr({ iov: tooLong, control }))).errno).toBe(-EMSGSIZE);
    const error = receive(sender, MSG_ERRQUEUE).control.get('IPV6_RECVERR');
    expect(error?.toJSON()).toMatchObject({ ee_errno: EMSGSIZE, ee_origin: SO_EE_ORIGIN_LOCAL, offender: undefined });
    expect(error?.ee_info).toBeGreaterThanOrEqual(65_536);
  });

  test.skipIf(!isRoot)('IPV6_RTHDR arrives (needs root)', () => {
    const { receiver, address } = udpPair(AF_INET6);
    setsockopt(receiver, IPPROTO_IPV6, IPV6_RECVRTHDR, 1);
    const routing = Uint8Array.of(IPPROTO_UDP, 0, 253, 0, 1, 2, 3, 4); // of an experimental type, at its last hop
    sendIpv6(43, Buffer.concat([routing, udp(address, bytes('by a route'))]));
    const { control, payload } = receive(receiver);
    expect(payload).toBe('by a route');
    expect(control.get('IPV6_RTHDR')).toEqual(routing);
  });

  test.skipIf(!isRoot)('IPV6_RTHDR of type 0 is refused, as RFC 5095 has it (needs root)', () => {
    const { sender } = udpPair(AF_INET6);
    const routing = Uint8Array.of(0, 2, 0, 1, ...new Array(20).fill(0));
    expect(errorOf(() => sendWith(sender, { IPV6_RTHDR: routing })).errno).toBe(-EINVAL);
  });

  test.skipIf(!isRoot)('IPV6_RTHDRDSTOPTS is checked, and ignored without IPV6_RTHDR (needs root)', () => {
    const { sender, receiver } = udpPair(AF_INET6);
    setsockopt(receiver, IPPROTO_IPV6, IPV6_RECVDSTOPTS, 1);
    const tooShort = Uint8Array.of(0, 1, 1, 4, 0, 0, 0, 0);
    expect(errorOf(() => sendWith(sender, { IPV6_RTHDRDSTOPTS: tooShort })).errno).toBe(-EINVAL);
    sendWith(sender, { IPV6_RTHDRDSTOPTS: padding });
    expect([...receive(receiver).control]).toEqual([]);
  });

  test.skipIf(!isRoot)('IPV6_RECVFRAGSIZE: the longest fragment (needs root)', () => {
    const { receiver, address } = udpPair(AF_INET6);
    setsockopt(receiver, IPPROTO_IPV6, IPV6_RECVFRAGSIZE, 1);
    const datagram = udp(address, bytes('y'.repeat(60)));
    const fragment = (offset: number, end: number, more: number) => {
      const header = Buffer.from([IPPROTO_UDP, 0, 0, 0, 0, 0, 0x42, 0x42]);
      header.writeUInt16BE(offset | more, 2);
      sendIpv6(44, Buffer.concat([header, datagram.subarray(offset, end)]));
    };
    fragment(0, 48, 1);
    fragment(48, datagram.length, 0);
    const { control, payload } = receive(receiver);
    expect(payload).toBe('y'.repeat(60));
    expect(control.get('IPV6_RECVFRAGSIZE')).toBe(40 + 8 + 48);
  });
});

describe('UDP, TCP and every socket', () => {
  test('UDP_SEGMENT: one buffer leaves as many datagrams', () => {
    const { sender, receiver } = udpPair();
    const content = Uint8Array.from({ length: 3500 }, (_, i) => i);
    const control = ControlBuffer.of({ UDP_SEGMENT: 1000 });
    expect(sendmsg(sender, new MsgHdr({ iov: content, control }))).toBe(3500);
    const parts = [1, 2, 3, 4].map(() => {
      const part = new Uint8Array(2000);
      return part.subarray(0, recvmsg(receiver, new MsgHdr({ iov: part })));
    });
    expect(parts.map(({ length }) => length)).toEqual([1000, 1000, 1000, 500]);
    expect(Buffer.concat(parts)).toEqual(Buffer.from(content));
  });

  test.each([
    ['IPv4', AF_INET, 65_507],
    ['IPv6', AF_INET6, 65_527],
  ])('UDP_SEGMENT over %s: no more than 128 datagrams, and no longer than one can be', (_, family, longest) => {
    const { sender } = udpPair(family);
    const answer = (length: number, each: number) =>
      raw.sendmsg(sender, new Uint8Array(length), null, ControlBuffer.of({ UDP_SEGMENT: each }).bytes, 0);
    expect([answer(64 * 100, 100), answer(128 * 100 + 1, 100)]).toEqual([6400, -EINVAL]);
    expect([answer(longest, 2000), answer(longest + 1, 2000)]).toEqual([longest, -EMSGSIZE]);
  });

  test.skipIf(!haveNamespaces)('UDP_SEGMENT: no datagram is sent in fragments (needs root)', async () => {
    const { stdout, stderr } = await runInNamespace(`
      import { execFileSync } from 'node:child_process';
      import { AF_INET, bind, connect, ControlBuffer, errnoName, getsockname, raw, SOCK_DGRAM, sockaddr_in, socket } from 'posix-sockets';
      execFileSync('ip', ['link', 'set', 'lo', 'mtu', '1500']);
      const receiver = socket(AF_INET, SOCK_DGRAM);
      bind(receiver, sockaddr_in('127.0.0.1', 0));
      const sender = socket(AF_INET, SOCK_DGRAM);
      connect(sender, getsockname(receiver));
      for (const each of [1472, 1473]) {
        const sent = raw.sendmsg(sender, new Uint8Array(2944), null, ControlBuffer.of({ UDP_SEGMENT: each }).bytes, 0);
        console.log(sent < 0 ? errnoName(sent) : sent);
      }
      console.log(raw.send(sender, new Uint8Array(2944), 0)); // one datagram may be`);
    expect(stderr).toBe('');
    const [fits, not, one] = stdout.trim().split('\n');
    expect([fits, one]).toEqual(['2944', '2944']);
    expect(['EMSGSIZE', 'EINVAL']).toContain(not);
  });

  test('UDP_GRO: what finds no room is lost', () => {
    const { sender, receiver } = udpPair();
    setsockopt(receiver, IPPROTO_UDP, UDP_GRO, 1);
    const control = ControlBuffer.of({ UDP_SEGMENT: 100 });
    sendmsg(sender, new MsgHdr({ iov: new Uint8Array(1000), control }));
    send(sender, bytes('next'));
    const message = new MsgHdr({ iov: new Uint8Array(250), control: ['UDP_GRO'] });
    expect(recvmsg(receiver, message)).toBe(250);
    expect([message.flags, message.control?.get('UDP_GRO')]).toEqual([MSG_TRUNC, 100]);
    expect(receive(receiver).payload).toBe('next');
  });

  test('UDP_GRO: many datagrams arrive as one buffer', () => {
    const { sender, receiver } = udpPair();
    setsockopt(receiver, IPPROTO_UDP, UDP_GRO, 1);
    const content = Uint8Array.from({ length: 63_500 }, (_, i) => i * 7);
    sendmsg(sender, new MsgHdr({ iov: content, control: ControlBuffer.of({ UDP_SEGMENT: 1000 }) }));
    const whole = new Uint8Array(65_535);
    const message = new MsgHdr({ iov: whole, control: ['UDP_GRO'] });
    expect(recvmsg(receiver, message)).toBe(63_500);
    expect(message.control?.get('UDP_GRO')).toBe(1000);
    expect(whole.subarray(0, 63_500)).toEqual(content);
    sendWith(sender, {});
    recvmsg(receiver, message);
    expect(message.control?.get('UDP_GRO')).toBeUndefined();
  });

  test('TCP_INQ: how much is left, and 1 at the end of the stream', async () => {
    const tcp = connectedKinds.find(([name]) => name === 'TCP over IPv4')?.[1];
    const [client, server] = connected(tcp as NonNullable<typeof tcp>);
    setsockopt(server, IPPROTO_TCP, TCP_INQ, 1);
    send(client, bytes('0123456789'));
    const left = (size: number) => {
      const message = new MsgHdr({ iov: new Uint8Array(size), control: ['TCP_INQ'] });
      recvmsg(server, message);
      return message.control?.get('TCP_INQ');
    };
    expect([left(4), left(5), left(1)]).toEqual([6, 1, 0]);
    shutdown(client, SHUT_WR);
    expect(left(1)).toBe(1);
  });

  test('SO_RXQ_OVFL: how many were dropped', () => {
    const { sender, receiver } = udpPair();
    setsockopt(receiver, SOL_SOCKET, SO_RXQ_OVFL, 1);
    setsockopt(receiver, SOL_SOCKET, SO_RCVBUF, 0); // the least there is
    for (let i = 0; i < 100; i++) send(sender, bytes('hello'));
    let kept = 0;
    while (raw.recv(receiver, new Uint8Array(9), MSG_DONTWAIT) > 0) kept++;
    expect(kept).toBeLessThan(100);
    send(sender, bytes('one more'));
    expect(receive(receiver).control.get('SO_RXQ_OVFL')).toBe(100 - kept);
  });

  test('SCM_TXTIME: taken once SO_TXTIME has named a clock', () => {
    const { sender, receiver } = udpPair();
    const now = process.hrtime.bigint();
    expect(errorOf(() => sendWith(sender, { SCM_TXTIME: now })).errno).toBe(-EINVAL);
    const clock = new Int32Array([CLOCK_MONOTONIC, 0]); // struct sock_txtime
    setsockopt(sender, SOL_SOCKET, SO_TXTIME, clock);
    sendWith(sender, { SCM_TXTIME: now });
    expect(receive(receiver).payload).toBe('hello');
  });

  /** Two UDP sockets of a network whose loopback queues packets so. The program prints what it finds. */
  const queued = (qdisc: string, program: string) =>
    runInNamespace(`
      import { execFileSync } from 'node:child_process';
      import * as s from 'posix-sockets';
      execFileSync('tc', 'qdisc replace dev lo root ${qdisc}'.split(' '));
      const receiver = s.socket(s.AF_INET, s.SOCK_DGRAM);
      s.bind(receiver, s.sockaddr_in('127.0.0.1', 0));
      const sender = s.socket(s.AF_INET, s.SOCK_DGRAM);
      s.connect(sender, s.getsockname(receiver));
      for (const fd of [sender, receiver]) s.setOption(fd, 'SO_RCVTIMEO', { tv_sec: 5 });
      const sendAt = (SCM_TXTIME) =>
        s.sendmsg(sender, new s.MsgHdr({ iov: Buffer.from('hello'), control: s.ControlBuffer.of({ SCM_TXTIME }) }));
      ${program}`);

  test.skipIf(!haveQueue('fq'))('SCM_TXTIME: a packet waits for its moment (needs root and fq)', async () => {
    const { stdout, stderr } = await queued(
      'fq',
      `s.setOption(sender, 'SO_TXTIME', { clockid: s.CLOCK_MONOTONIC });
       const moment = process.hrtime.bigint() + 200_000_000n;
       sendAt(moment);
       const early = s.raw.recv(receiver, new Uint8Array(9), s.MSG_DONTWAIT) === -s.EAGAIN || process.hrtime.bigint() >= moment;
       s.recv(receiver, new Uint8Array(9));
       console.log(early, process.hrtime.bigint() >= moment);`,
    );
    expect([stdout, stderr]).toEqual(['true true\n', '']);
  });

  test.skipIf(!haveQueue('etf clockid CLOCK_TAI'))(
    'SCM_TXTIME: a moment that has passed is told in the error queue (needs root and etf)',
    async () => {
      const { stdout, stderr } = await queued(
        'etf clockid CLOCK_TAI',
        `s.setOption(sender, 'SO_TXTIME', { clockid: s.CLOCK_TAI, flags: s.SOF_TXTIME_REPORT_ERRORS });
         sendAt((5n << 32n) + 7n);
         const control = new s.ControlBuffer(['IP_RECVERR']);
         for (let round = 0; control.length === 0 && round < 1000; round++) {
           await new Promise((resolve) => setTimeout(resolve, 5));
           const answer = s.raw.recvmsg(sender, [], null, control.storage, s.MSG_ERRQUEUE | s.MSG_DONTWAIT);
           if (answer >= 0) control.length = s.raw.out[1];
         }
         const { ee_errno, ee_origin, ee_code, ee_info, ee_data } = control.get('IP_RECVERR');
         console.log(JSON.stringify([ee_errno, ee_origin, ee_code, ee_info, ee_data]));`,
      );
      expect(stderr).toBe('');
      expect(JSON.parse(stdout)).toEqual([EINVAL, SO_EE_ORIGIN_TXTIME, SO_EE_CODE_TXTIME_INVALID_PARAM, 7, 5]);
    },
  );
});

/** A UDP datagram with its header. */
function udp(to: SockAddr, content: Uint8Array): Buffer {
  const datagram = Buffer.alloc(8 + content.length);
  datagram.writeUInt16BE(9, 0);
  datagram.writeUInt16BE(to.port as number, 2);
  datagram.writeUInt16BE(datagram.length, 4);
  datagram.set(content, 8);
  if (to.family === AF_INET6) datagram.writeUInt16BE(checksum(datagram, [1, 1]), 6); // IPv4 can do without
  return datagram;
}

/** The checksum over a datagram and its pseudo-header, where the addresses are these words: RFC 768, RFC 8200 section 8.1. */
function checksum(datagram: Buffer, addresses: number[]): number {
  let sum = addresses.reduce((all, word) => all + word) + datagram.length + IPPROTO_UDP;
  for (let i = 0; i < datagram.length; i++) sum += (datagram[i] as number) << (i % 2 === 0 ? 8 : 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return ~sum & 0xffff;
}

/** Sends an IPv6 packet from ::1 to ::1. */
function sendIpv6(nextHeader: number, payload: Uint8Array): void {
  const header = Buffer.alloc(40);
  header[0] = 0x60;
  header.writeUInt16BE(payload.length, 4);
  header.set([nextHeader, 64], 6);
  header[23] = 1;
  header[39] = 1;
  const fd = socket(AF_INET6, SOCK_RAW, IPPROTO_RAW);
  sendto(fd, Buffer.concat([header, payload]), 0, sockaddr_in6('::1', 0));
  close(fd);
}
