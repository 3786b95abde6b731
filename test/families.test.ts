// One socket of each family and protocol beyond TCP, UDP and Unix, and what is special about it.
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import {
  AF_CAN,
  AF_INET,
  AF_INET6,
  AF_TIPC,
  AF_VSOCK,
  AF_XDP,
  accept,
  bind,
  CAN_EFF_FLAG,
  CAN_ISOTP,
  CAN_J1939,
  CAN_RAW,
  ControlBuffer,
  close,
  connect,
  ENOMSG,
  getOption,
  getsockname,
  ICMP_ECHO,
  ICMP_ECHOREPLY,
  ICMP6_ECHO_REPLY,
  ICMP6_ECHO_REQUEST,
  IPPROTO_ICMP,
  IPPROTO_ICMPV6,
  IPPROTO_RAW,
  IPPROTO_UDP,
  IPPROTO_UDPLITE,
  icmp6_filter,
  if_nametoindex,
  inet_pton,
  listen,
  MAP_POPULATE,
  MAP_SHARED,
  MsgHdr,
  mmap,
  munmap,
  PROT_READ,
  PROT_WRITE,
  raw,
  recv,
  recvfrom,
  recvmsg,
  SOCK_DGRAM,
  SOCK_RAW,
  SOCK_RDM,
  SOCK_STREAM,
  SOF_TIMESTAMPING_OPT_CMSG,
  SOF_TIMESTAMPING_OPT_ID,
  SOF_TIMESTAMPING_SOFTWARE,
  SOF_TIMESTAMPING_TX_ACK,
  SOF_TIMESTAMPING_TX_SCHED,
  SockAddr,
  send,
  sendto,
  setOption,
  sockaddr_can,
  sockaddr_in,
  sockaddr_in6,
  sockaddr_tipc,
  sockaddr_vm,
  socket,
  supports,
  TIPC_ERR_NO_PORT,
  TIPC_NODE_SCOPE,
  VMADDR_CID_ANY,
  VMADDR_CID_LOCAL,
  VMADDR_PORT_ANY,
  XDP_PGOFF_RX_RING,
} from 'posix-sockets';
import { describe, expect, test } from 'vitest';
import { nextError } from './message-support.js';
import { ownNetwork } from './network-support.js';
import { bytes, errorOf, haveNamespaces, isRoot, opened } from './support.js';

if (haveNamespaces) {
  ownNetwork();
  writeFileSync('/proc/sys/net/ipv4/ping_group_range', '0 2147483647');
}
/** Whether an ICMP datagram socket is allowed to this process. */
const mayPing = (() => {
  const fd = raw.socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP);
  return fd >= 0 && raw.close(fd) === 0;
})();

const text = (buffer: Uint8Array) => new TextDecoder().decode(buffer);

function opens(domain: number, type: number, protocol: number): number {
  const fd = opened(socket(domain, type, protocol));
  setOption(fd, 'SO_RCVTIMEO', { tv_sec: 5 });
  return fd;
}

/** What has come, and where from. */
function received(fd: number): { content: Uint8Array; from: SockAddr } {
  const buffer = new Uint8Array(2048);
  const from = new SockAddr();
  return { content: buffer.subarray(0, recvfrom(fd, buffer, 0, from)), from };
}

/** An echo request without checksum or identifier, which are the kernel's affair. */
function echoRequest(type: number, sequence: number, content: string): Uint8Array {
  const message = Buffer.concat([Uint8Array.of(type, 0, 0, 0, 0, 0, 0, 0), bytes(content)]);
  message.writeUInt16BE(sequence, 6);
  return message;
}

describe.skipIf(!mayPing)('ICMP datagram sockets (need root, or net.ipv4.ping_group_range)', () => {
  test.for([
    ['IPv4', AF_INET, IPPROTO_ICMP, ICMP_ECHO, ICMP_ECHOREPLY, sockaddr_in('127.0.0.1', 0)],
    ['IPv6', AF_INET6, IPPROTO_ICMPV6, ICMP6_ECHO_REQUEST, ICMP6_ECHO_REPLY, sockaddr_in6('::1', 0)],
  ] as const)(
    'ping over %s: the identifier is the port, and the kernel’s',
    ([, family, protocol, request, reply, where]) => {
      const fd = opens(family, SOCK_DGRAM, protocol);
      bind(fd, where);
      for (const sequence of [1, 2, 3]) {
        sendto(fd, echoRequest(request, sequence, 'are you there?'), 0, where);
        const { content, from } = received(fd);
        const view = new DataView(content.buffer, content.byteOffset);
        expect([content[0], content[1]]).toEqual([reply, 0]);
        expect([view.getUint16(4), view.getUint16(6)]).toEqual([getsockname(fd).port, sequence]);
        expect(text(content.subarray(8))).toBe('are you there?');
        expect(from.address).toBe(where.address);
      }
    },
  );

  test.skipIf(!haveNamespaces || spawnSync('ping', ['-V']).status !== 0)(
    'as the ping program does it (needs root and ping)',
    () => {
      // Both seen by the same raw socket: they differ in nothing but identifier, time and checksum.
      const sniffer = opens(AF_INET, SOCK_RAW, IPPROTO_ICMP);
      setOption(sniffer, 'ICMP_FILTER', ~(1 << ICMP_ECHO) >>> 0);
      const fd = opens(AF_INET, SOCK_DGRAM, IPPROTO_ICMP);
      const pattern = 'x'.repeat(24);
      sendto(fd, echoRequest(ICMP_ECHO, 1, pattern), 0, sockaddr_in('127.0.0.1', 0));
      const mine = received(sniffer).content;
      expect(spawnSync('ping', ['-c1', '-s24', '-p78', '127.0.0.1']).status).toBe(0);
      const theirs = received(sniffer).content;
      expect(mine.length).toBe(theirs.length);
      expect([mine[0], mine[9], mine[20], mine[21]]).toEqual([theirs[0], theirs[9], theirs[20], theirs[21]]);
      expect(mine.subarray(12, 20)).toEqual(theirs.subarray(12, 20)); // addresses
      expect(mine.subarray(26, 28)).toEqual(theirs.subarray(26, 28)); // sequence number
      expect(theirs.subarray(-8)).toEqual(mine.subarray(-8)); // content, after the time that ping puts first
    },
  );
});

test('ICMP datagram sockets are refused to who is not in ping_group_range', () => {
  if (haveNamespaces) writeFileSync('/proc/sys/net/ipv4/ping_group_range', '1 0');
  const range = readFileSync('/proc/sys/net/ipv4/ping_group_range', 'utf8').trim().split(/\s+/).map(Number);
  const allowed = [process.getgid?.(), ...(process.getgroups?.() ?? [])].some(
    (group) => group !== undefined && group >= (range[0] as number) && group <= (range[1] as number),
  );
  if (allowed) opens(AF_INET, SOCK_DGRAM, IPPROTO_ICMP);
  else expect(errorOf(() => socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP)).code).toBe('EACCES');
});

describe.skipIf(!isRoot)('raw IP (needs root)', () => {
  const experimental = 253; // RFC 3692

  test('carries a protocol of one’s own over IPv4, and shows the header', () => {
    const [from, to] = [opens(AF_INET, SOCK_RAW, experimental), opens(AF_INET, SOCK_RAW, experimental)];
    bind(to, sockaddr_in('127.0.0.1', 0));
    setOption(from, 'IP_TTL', 9);
    sendto(from, bytes('our own protocol'), 0, sockaddr_in('127.0.0.1', 0));
    const { content, from: source } = received(to);
    expect([content[0], content[8], content[9]]).toEqual([0x45, 9, experimental]);
    expect(text(content.subarray(20))).toBe('our own protocol');
    expect(source.address).toBe('127.0.0.1');
  });

  test('over IPv6 without a header, the kernel making the checksum', () => {
    const [from, to] = [opens(AF_INET6, SOCK_RAW, experimental), opens(AF_INET6, SOCK_RAW, experimental)];
    setOption(from, 'IPV6_CHECKSUM', 2);
    sendto(from, Uint8Array.of(1, 2, 0, 0, 5, 6), 0, sockaddr_in6('::1', 0));
    const { content } = received(to);
    // RFC 8200, section 8.1: over both addresses, length and protocol.
    const sum = [1, 1, 6, experimental, 0x0102, 0x0506].reduce((total, each) => total + each, 0);
    expect(Array.from(content)).toEqual([1, 2, (~sum >> 8) & 255, ~sum & 255, 5, 6]);
  });

  test('IP_HDRINCL: the caller writes the header, and may claim to be somebody else', () => {
    const receiver = opens(AF_INET, SOCK_DGRAM, 0);
    bind(receiver, sockaddr_in('127.0.0.1', 0));
    const { port = 0 } = getsockname(receiver);
    const payload = bytes('from nobody');
    const packet = Buffer.concat([Buffer.alloc(28), payload]);
    packet.set([0x45, 0, 0, 0, 0, 0, 0, 0, 64, IPPROTO_UDP]); // length, identifier and checksum are filled in
    packet.set(inet_pton(AF_INET, '127.6.6.6'), 12);
    packet.set(inet_pton(AF_INET, '127.0.0.1'), 16);
    packet.writeUInt16BE(4242, 20);
    packet.writeUInt16BE(port, 22);
    packet.writeUInt16BE(8 + payload.length, 24); // and without a UDP checksum
    const fd = opens(AF_INET, SOCK_RAW, IPPROTO_RAW);
    expect(getOption(fd, 'IP_HDRINCL')).toBe(true);
    sendto(fd, packet, 0, sockaddr_in('127.0.0.1', 0));
    const { content, from } = received(receiver);
    expect([text(content), `${from}`]).toEqual(['from nobody', '127.6.6.6:4242']);
  });

  test('ICMP_FILTER and ICMPV6_FILTER keep types out', () => {
    const four = opens(AF_INET, SOCK_RAW, IPPROTO_ICMP);
    setOption(four, 'ICMP_FILTER', 1 << ICMP_ECHO); // one's own request, which loopback brings back
    const request = Buffer.from(echoRequest(ICMP_ECHO, 7, ''));
    request.writeUInt16BE(0xffff & ~(0x0800 + 7), 2);
    sendto(four, request, 0, sockaddr_in('127.0.0.1', 0));
    expect(received(four).content[20]).toBe(ICMP_ECHOREPLY);

    const six = opens(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6);
    setOption(six, 'ICMPV6_FILTER', new icmp6_filter().blockAll().pass(ICMP6_ECHO_REPLY));
    expect(getOption(six, 'ICMPV6_FILTER').passes(ICMP6_ECHO_REPLY)).toBe(true);
    expect(getOption(six, 'ICMPV6_FILTER').passes(ICMP6_ECHO_REQUEST)).toBe(false);
    sendto(six, echoRequest(ICMP6_ECHO_REQUEST, 7, ''), 0, sockaddr_in6('::1', 0));
    expect(received(six).content[0]).toBe(ICMP6_ECHO_REPLY);
  });
});

test('icmp6_filter passes and blocks type by type', () => {
  const filter = new icmp6_filter();
  expect([filter.passes(0), filter.passes(255)]).toEqual([true, true]);
  filter.blockAll().pass(31).pass(32).pass(255);
  expect([30, 31, 32, 33, 254, 255].map((type) => filter.passes(type))).toEqual([
    false,
    true,
    true,
    false,
    false,
    true,
  ]);
  filter.block(32);
  expect([31, 32].map((type) => filter.passes(type))).toEqual([true, false]);
  for (const type of [-1, 256, 1.5]) expect(() => filter.pass(type)).toThrow(RangeError);
});

const haveUdpLite = (() => {
  const fd = raw.socket(AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE);
  return fd >= 0 && raw.close(fd) === 0;
})();

describe.skipIf(!haveUdpLite)('UDP-Lite (where the kernel has it)', () => {
  test('covers as much by its checksum as it is told, and receives no less', () => {
    const [from, to] = [opens(AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE), opens(AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE)];
    bind(to, sockaddr_in('127.0.0.1', 0));
    connect(from, getsockname(to));
    setOption(to, 'UDPLITE_RECV_CSCOV', 20);
    setOption(from, 'UDPLITE_SEND_CSCOV', 8);
    send(from, bytes('only the header is covered'));
    setOption(from, 'UDPLITE_SEND_CSCOV', 20);
    send(from, bytes('enough is covered'));
    setOption(from, 'UDPLITE_SEND_CSCOV', 0);
    send(from, bytes('all is covered'));
    expect([received(to), received(to)].map(({ content }) => text(content))).toEqual([
      'enough is covered',
      'all is covered',
    ]);
  });
});

const vsockLoopback = (() => {
  const listener = raw.socket(AF_VSOCK, SOCK_STREAM, 0);
  const client = raw.socket(AF_VSOCK, SOCK_STREAM, 0);
  try {
    if (listener < 0 || client < 0) return false;
    bind(listener, sockaddr_vm(VMADDR_CID_ANY, VMADDR_PORT_ANY));
    listen(listener, 1);
    setOption(client, 'SO_VM_SOCKETS_CONNECT_TIMEOUT', { tv_usec: 200_000 });
    connect(client, sockaddr_vm(VMADDR_CID_LOCAL, getsockname(listener).port as number));
    return true;
  } catch {
    return false;
  } finally {
    for (const fd of [listener, client]) if (fd >= 0) raw.close(fd);
  }
})();

describe('vsock', () => {
  test.skipIf(!vsockLoopback)('carries a stream over its loopback (where the kernel has vsock_loopback)', () => {
    const listener = opens(AF_VSOCK, SOCK_STREAM, 0);
    bind(listener, sockaddr_vm(VMADDR_CID_ANY, VMADDR_PORT_ANY));
    listen(listener, 1);
    const client = opens(AF_VSOCK, SOCK_STREAM, 0);
    connect(client, sockaddr_vm(VMADDR_CID_LOCAL, getsockname(listener).port as number));
    const peer = new SockAddr();
    const server = opened(accept(listener, peer));
    expect(peer).toMatchObject({ family: AF_VSOCK, cid: VMADDR_CID_LOCAL });
    send(client, bytes('through the loopback'));
    const buffer = new Uint8Array(64);
    expect(text(buffer.subarray(0, recv(server, buffer)))).toBe('through the loopback');
  });

  test.skipIf(supports('AF_VSOCK') !== 'yes')(
    'gives up when nobody answers in time (where the kernel has vsock)',
    () => {
      const client = opens(AF_VSOCK, SOCK_STREAM, 0);
      setOption(client, 'SO_VM_SOCKETS_CONNECT_TIMEOUT', { tv_usec: 100_000 });
      const { code } = errorOf(() => connect(client, sockaddr_vm(VMADDR_CID_LOCAL, 4_000_000_000)));
      expect(['ETIMEDOUT', 'ECONNRESET', 'ENODEV', 'ECONNREFUSED']).toContain(code);
    },
  );
});

describe.skipIf(!isRoot || supports('AF_XDP') !== 'yes')('XDP (needs root)', () => {
  test('a ring is made and mapped, where XDP_MMAP_OFFSETS says its parts are', () => {
    const fd = opened(socket(AF_XDP, SOCK_RAW));
    setOption(fd, 'XDP_RX_RING', 64);
    const { rx } = getOption(fd, 'XDP_MMAP_OFFSETS');
    const length = rx.desc + 64 * 16; // of which each is a struct xdp_desc
    const ring = mmap(length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, XDP_PGOFF_RX_RING);
    const view = new DataView(ring.buffer);
    expect([rx.producer, rx.consumer].map((at) => view.getUint32(at))).toEqual([0, 0]);
    munmap(ring);
    expect(getOption(fd, 'XDP_STATISTICS').rx_dropped).toBe(0n);
    expect(errorOf(() => setOption(fd, 'XDP_RX_RING', 63)).code).toBe('EINVAL'); // no power of two
  });
});

const haveVcan =
  haveNamespaces &&
  supports('AF_CAN') === 'yes' &&
  spawnSync('ip', ['link', 'add', 'can0', 'type', 'vcan']).status === 0 &&
  spawnSync('ip', ['link', 'set', 'can0', 'up']).status === 0;

/** Whether the kernel has a protocol of CAN. */
function hasCan(protocol: number): boolean {
  const fd = haveVcan ? raw.socket(AF_CAN, SOCK_DGRAM, protocol) : -1;
  if (fd >= 0) raw.close(fd);
  return fd >= 0;
}

describe.skipIf(!haveVcan)('CAN on a virtual bus (needs root, and a kernel with vcan)', () => {
  const bus = () => if_nametoindex('can0');
  /** A raw CAN socket on the bus. */
  function onBus(): number {
    const fd = opens(AF_CAN, SOCK_RAW, CAN_RAW);
    bind(fd, sockaddr_can(bus()));
    return fd;
  }
  /** A struct can_frame. */
  function canFrame(id: number, content: string): Uint8Array {
    const frame = new Uint8Array(16);
    new DataView(frame.buffer).setUint32(0, id, true);
    frame[4] = content.length;
    frame.set(bytes(content), 8);
    return frame;
  }

  test('carries frames from one socket to another, by their identifiers', () => {
    const [from, to] = [onBus(), onBus()];
    setOption(to, 'CAN_RAW_FILTER', [{ can_id: 0x123, can_mask: CAN_EFF_FLAG | 0x7ff }]);
    expect(getOption(to, 'CAN_RAW_FILTER').map((filter) => filter.toJSON())).toEqual([
      { can_id: 0x123, can_mask: 0x8000_07ff },
    ]);
    for (const id of [0x100, 0x123, 0x124]) send(from, canFrame(id, `id ${id.toString(16)}`));
    expect(received(to).content).toEqual(canFrame(0x123, 'id 123'));
    setOption(from, 'CAN_RAW_RECV_OWN_MSGS', true);
    send(from, canFrame(0x7, 'mine'));
    expect(received(from).content).toEqual(canFrame(0x7, 'mine'));
  });

  test('tells on which bus a frame came', () => {
    const to = opens(AF_CAN, SOCK_RAW, CAN_RAW);
    bind(to, sockaddr_can(0)); // on all
    expect(`${getsockname(to)}`).toBe('can:0');
    send(onBus(), canFrame(0x42, 'x'));
    const from = new SockAddr();
    recvfrom(to, new Uint8Array(16), 0, from);
    expect([from.family, from.ifindex, `${from}`]).toEqual([AF_CAN, bus(), `can:${bus()}`]);
  });

  test.skipIf(!hasCan(CAN_ISOTP))('ISO 15765-2: messages longer than a frame (needs can-isotp)', () => {
    const open = (rx_id: number, tx_id: number) => {
      const fd = opens(AF_CAN, SOCK_DGRAM, CAN_ISOTP);
      bind(fd, sockaddr_can(bus(), { rx_id, tx_id }));
      return fd;
    };
    const [one, other] = [open(0x701, 0x702), open(0x702, 0x701)];
    expect(getsockname(one).tp).toEqual({ rx_id: 0x701, tx_id: 0x702 });
    const long = new Uint8Array(300).map((_, i) => i);
    send(one, long);
    expect(received(other).content).toEqual(long);
  });

  describe.skipIf(!hasCan(CAN_J1939))('SAE J1939 (needs can-j1939)', () => {
    const pgn = 0x12300;
    const open = (addr: number) => {
      const fd = opens(AF_CAN, SOCK_DGRAM, CAN_J1939);
      setOption(fd, 'SO_BROADCAST', true);
      bind(fd, sockaddr_can(bus(), { addr }));
      return fd;
    };

    test('a message to one: who it is from, to whom, and how urgent it is', () => {
      const [one, other] = [open(0x20), open(0x30)];
      setOption(one, 'SO_J1939_SEND_PRIO', 3);
      sendto(one, bytes('to you'), 0, sockaddr_can(bus(), { pgn, addr: 0x30 }));
      const message = new MsgHdr({
        name: new SockAddr(),
        iov: new Uint8Array(64),
        control: new ControlBuffer(['SCM_J1939_DEST_ADDR', 'SCM_J1939_DEST_NAME', 'SCM_J1939_PRIO']),
      });
      expect(recvmsg(other, message)).toBe(6);
      expect(message.name?.j1939).toEqual({ name: 0n, pgn, addr: 0x20 });
      expect(message.control?.get('SCM_J1939_DEST_ADDR')).toBe(0x30);
      expect(message.control?.get('SCM_J1939_PRIO')).toBe(3);
    });

    test('a filter by parameter group', () => {
      const [one, other] = [open(0x20), open(0x30)];
      setOption(other, 'SO_J1939_FILTER', [{ pgn: pgn + 0x100, pgn_mask: 0x3ffff }]);
      for (const group of [pgn, pgn + 0x100]) {
        sendto(one, bytes(group.toString(16)), 0, sockaddr_can(bus(), { pgn: group, addr: 0x30 }));
      }
      expect(received(other).content).toEqual(bytes((pgn + 0x100).toString(16)));
    });

    test('a long message tells by the error queue what became of it', async () => {
      const [one, other] = [open(0x20), open(0x30)];
      setOption(one, 'SO_J1939_ERRQUEUE', true);
      setOption(
        one,
        'SO_TIMESTAMPING',
        SOF_TIMESTAMPING_SOFTWARE |
          SOF_TIMESTAMPING_TX_ACK |
          SOF_TIMESTAMPING_TX_SCHED |
          SOF_TIMESTAMPING_OPT_CMSG |
          SOF_TIMESTAMPING_OPT_ID,
      );
      sendto(one, new Uint8Array(100), 0, sockaddr_can(bus(), { pgn, addr: 0x30 }));
      expect(received(other).content).toHaveLength(100);
      const { control } = await nextError(one);
      expect(control.get('SCM_J1939_ERRQUEUE')).toMatchObject({ ee_errno: ENOMSG, ee_data: 0 });
    });
  });
});

describe.skipIf(supports('AF_TIPC') !== 'yes')('TIPC (needs a kernel with it)', () => {
  const type = 4711;
  const open = () => opens(AF_TIPC, SOCK_RDM, 0);
  const receiving = (fd: number) => {
    const control = new ControlBuffer(['TIPC_ERRINFO', 'TIPC_RETDATA', 'TIPC_DESTNAME']);
    const message = new MsgHdr({ name: new SockAddr(), iov: new Uint8Array(64), control });
    return { length: recvmsg(fd, message), name: message.name as SockAddr, control };
  };

  test('a message to a service: to which instance, and from which socket', () => {
    const [service, client] = [open(), open()];
    bind(service, sockaddr_tipc({ type, lower: 10, upper: 19 }, TIPC_NODE_SCOPE));
    sendto(client, bytes('hello'), 0, sockaddr_tipc({ type, instance: 12 }));
    const { length, name, control } = receiving(service);
    expect([length, control.get('TIPC_DESTNAME')]).toEqual([5, [type, 12, 12]]);
    expect(name.tipc).toEqual(getsockname(client).tipc);

    sendto(service, bytes('answer'), 0, name);
    const answer = receiving(client);
    expect([answer.length, answer.control.get('TIPC_DESTNAME')]).toEqual([6, undefined]);
  });

  test('a message that finds nobody comes back: why, and what it was', () => {
    const [service, client] = [open(), open()];
    bind(service, sockaddr_tipc({ type, lower: 1, upper: 1 }, TIPC_NODE_SCOPE));
    setOption(client, 'TIPC_DEST_DROPPABLE', 0);
    sendto(client, bytes('lost'), 0, sockaddr_tipc({ type, instance: 1 }));
    close(service);
    const { length, control } = receiving(client);
    expect(length).toBe(0);
    expect(control.get('TIPC_ERRINFO')).toEqual([TIPC_ERR_NO_PORT, 4]);
    expect(control.get('TIPC_RETDATA')).toEqual(bytes('lost'));
  });

  test('a bound name is taken back by its scope, negative', () => {
    const [service, client] = [open(), open()];
    const range = { type: type + 1, lower: 1, upper: 1 };
    bind(service, sockaddr_tipc(range, TIPC_NODE_SCOPE));
    const to = sockaddr_tipc({ type: range.type, instance: 1 });
    expect(sendto(client, bytes('x'), 0, to)).toBe(1);
    bind(service, sockaddr_tipc(range, -TIPC_NODE_SCOPE));
    expect(errorOf(() => sendto(client, bytes('x'), 0, to)).code).toBe('EHOSTUNREACH');
  });
});
