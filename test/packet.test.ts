// Packet sockets on a veth of the tests' own: capturing, sending, filters, fan-out, and rings in shared memory.
import { spawnSync } from 'node:child_process';
import {
  AF_INET,
  AF_PACKET,
  ARPHRD_ETHER,
  BPF_ABS,
  BPF_B,
  BPF_K,
  BPF_LD,
  BPF_RET,
  BPF_STMT,
  bind,
  close,
  ETH_P_ALL,
  ETH_P_IP,
  getOption,
  HWTSTAMP_FILTER_ALL,
  HWTSTAMP_TX_ON,
  hwtstamp_config,
  IFF_ALLMULTI,
  IFLA_PROMISCUITY,
  if_nametoindex,
  ifreq,
  ioctl,
  MAP_SHARED,
  MSG_TRUNC,
  mmap,
  munmap,
  PACKET_FANOUT_CBPF,
  PACKET_FANOUT_ROLLOVER,
  PACKET_HOST,
  PACKET_MR_ALLMULTI,
  PACKET_MR_MULTICAST,
  PACKET_MR_PROMISC,
  PACKET_OTHERHOST,
  PACKET_OUTGOING,
  POLLIN,
  PollFds,
  PROT_READ,
  PROT_WRITE,
  packet_mreq,
  poll,
  recv,
  recvfrom,
  SIOCGIFFLAGS,
  SIOCGIFHWADDR,
  SIOCGIFINDEX,
  SIOCGIFMTU,
  SIOCGIFNAME,
  SIOCSHWTSTAMP,
  SOCK_DGRAM,
  SOCK_RAW,
  SockAddr,
  send,
  sendto,
  setOption,
  sock_filter,
  sockaddr_in,
  sockaddr_ll,
  socket,
  TP_STATUS_AVAILABLE,
  TP_STATUS_KERNEL,
  TP_STATUS_SEND_REQUEST,
  TP_STATUS_USER,
  TPACKET_V2,
  TPACKET_V3,
  tpacket_block_desc,
  tpacket_req3,
  tpacket2_hdr,
  tpacket3_hdr,
} from 'posix-sockets';
import { listLinks } from 'posix-sockets/netlink';
import { describe, expect, test } from 'vitest';
import { ownNetwork, setUp } from './network-support.js';
import { bytes, errorOf, haveNamespaces, opened, until } from './support.js';

const [here, there] = ['02:00:00:00:00:0a', '02:00:00:00:00:0b'];
if (haveNamespaces) {
  ownNetwork();
  // No IPv6, whose own packets would be captured too.
  for (const command of [
    ['sysctl', '-qw', 'net.ipv6.conf.all.disable_ipv6=1', 'net.ipv6.conf.default.disable_ipv6=1'],
    ['ip', 'link', 'add', 'pk0', 'address', here, 'type', 'veth', 'peer', 'name', 'pk1', 'address', there],
  ]) {
    expect(spawnSync(command[0] as string, command.slice(1), { encoding: 'utf8' }).stderr).toBe('');
  }
  setUp('pk0');
  setUp('pk1');
}
const index = (name: string) => if_nametoindex(name);
const ours = 0x88b5; // a protocol number for experiments: IEEE 802

/** A packet socket on one interface. */
function packets(name: string, protocol = ours, type = SOCK_RAW): number {
  const fd = opened(socket(AF_PACKET, type, 0));
  bind(fd, sockaddr_ll(protocol, index(name)));
  setOption(fd, 'SO_RCVTIMEO', { tv_sec: 5 });
  return fd;
}

const hexBytes = (text: string) => Uint8Array.from(text.split(':'), (byte) => Number.parseInt(byte, 16));

/** An Ethernet frame of our protocol from pk0 to pk1. */
const frame = (content: string, to = there) =>
  Buffer.concat([hexBytes(to), hexBytes(here), Uint8Array.of(ours >> 8, ours & 255), bytes(content)]);

function received(fd: number): { bytes: Uint8Array; from: SockAddr } {
  const buffer = new Uint8Array(2048);
  const from = new SockAddr();
  const length = recvfrom(fd, buffer, 0, from);
  return { bytes: buffer.subarray(0, length), from };
}

describe.skipIf(!haveNamespaces)('packet sockets (need root)', () => {
  test('send a frame on one interface, which is captured at the other as it was', () => {
    const [from, to] = [packets('pk0', 0), packets('pk1')];
    const sent = frame('a whole frame');
    expect(sendto(from, sent, 0, sockaddr_ll(ours, index('pk0')))).toBe(sent.length);
    const { bytes: got, from: source } = received(to);
    expect(Buffer.from(got)).toEqual(sent);
    expect(source).toMatchObject({
      ...{ family: AF_PACKET, protocol: ours, ifindex: index('pk1') },
      ...{ hatype: ARPHRD_ETHER, pkttype: PACKET_HOST, address: here },
    });
  });

  test('of type SOCK_DGRAM leave the link-layer header to the kernel', () => {
    const [from, to] = [packets('pk0', 0, SOCK_DGRAM), packets('pk1', ours, SOCK_DGRAM)];
    sendto(from, bytes('only the content'), 0, sockaddr_ll(ours, index('pk0'), { address: there }));
    const { bytes: got, from: source } = received(to);
    expect([new TextDecoder().decode(got), source.address]).toEqual(['only the content', here]);
  });

  test('tell whose a frame is: ours, somebody else’s, or going out', () => {
    const to = packets('pk1');
    const all = packets('pk0', ETH_P_ALL);
    send(packets('pk0', ours), frame('for pk1'));
    setOption(to, 'PACKET_ADD_MEMBERSHIP', { mr_ifindex: index('pk1'), mr_type: PACKET_MR_PROMISC });
    send(packets('pk0', ours), frame('for nobody', '02:00:00:00:00:cc'));
    expect(received(to).from.pkttype).toBe(PACKET_HOST);
    expect(received(to).from.pkttype).toBe(PACKET_OTHERHOST);
    expect(received(all).from.pkttype).toBe(PACKET_OUTGOING);

    setOption(all, 'PACKET_IGNORE_OUTGOING', true);
    while (waiting(all)) received(all);
    send(packets('pk0', ours), frame('not seen by its own side'));
    expect(new TextDecoder().decode(received(to).bytes.subarray(14))).toBe('not seen by its own side');
    expect(waiting(all)).toBe(false);
  });

  test('capture what UDP sends over loopback, headers and all', () => {
    const capture = packets('lo', ETH_P_IP);
    const receiver = opened(socket(AF_INET, SOCK_DGRAM));
    bind(receiver, sockaddr_in('127.0.0.1', 7777));
    sendto(receiver, bytes('captured'), 0, sockaddr_in('127.0.0.1', 7777));
    const { bytes: got } = received(capture);
    const view = new DataView(got.buffer, got.byteOffset);
    expect(view.getUint16(12)).toBe(ETH_P_IP);
    expect([got[14], got[23]]).toEqual([0x45, 17]); // IPv4 without options, UDP
    expect([view.getUint16(34), view.getUint16(36)]).toEqual([7777, 7777]);
    expect(new TextDecoder().decode(got.subarray(42))).toBe('captured');
  });

  test.skipIf(spawnSync('tcpdump', ['--version']).status !== 0)(
    'take a filter that tcpdump has compiled (needs tcpdump)',
    () => {
      const compiled = spawnSync('tcpdump', ['-ddd', '-y', 'EN10MB', '-i', 'lo', 'udp dst port 7001'], {
        encoding: 'utf8',
      });
      const [count, ...lines] = compiled.stdout.trim().split('\n');
      const program = lines.map((line) => {
        const [code, jt, jf, k] = line.split(' ').map(Number) as [number, number, number, number];
        return new sock_filter({ code, jt, jf, k });
      });
      expect(program.length).toBe(Number(count));
      const capture = packets('lo', ETH_P_IP);
      setOption(capture, 'SO_ATTACH_FILTER', program);
      const sender = opened(socket(AF_INET, SOCK_DGRAM));
      for (const port of [7000, 7001, 7002]) sendto(sender, bytes(`to ${port}`), 0, sockaddr_in('127.0.0.1', port));
      const { bytes: got, from } = received(capture);
      expect([new TextDecoder().decode(got.subarray(42)), from.pkttype]).toEqual(['to 7001', PACKET_HOST]);
      expect(waiting(capture)).toBe(false);
    },
  );

  test('PACKET_ADD_MEMBERSHIP: promiscuous, all multicast, and one address', () => {
    const fd = packets('pk0');
    const its = { mr_ifindex: index('pk0') };
    const promiscuity = () =>
      listLinks()
        .find(({ name }) => name === 'pk0')
        ?.attributes.number(IFLA_PROMISCUITY);
    expect(promiscuity()).toBe(0);
    setOption(fd, 'PACKET_ADD_MEMBERSHIP', new packet_mreq({ ...its, mr_type: PACKET_MR_PROMISC }));
    expect(promiscuity()).toBe(1);
    setOption(fd, 'PACKET_DROP_MEMBERSHIP', new packet_mreq({ ...its, mr_type: PACKET_MR_PROMISC }));
    expect(promiscuity()).toBe(0);
    setOption(fd, 'PACKET_ADD_MEMBERSHIP', { ...its, mr_type: PACKET_MR_ALLMULTI });
    setOption(fd, 'PACKET_ADD_MEMBERSHIP', {
      ...its,
      ...{ mr_type: PACKET_MR_MULTICAST, mr_alen: 6, mr_address: hexBytes('33:33:00:00:47:11') },
    });
    const groups = spawnSync('ip', ['-j', 'maddr', 'show', 'dev', 'pk0'], { encoding: 'utf8' }).stdout;
    expect(groups).toContain('33:33:00:00:47:11');
    const nowhere = { mr_ifindex: 9999, mr_type: PACKET_MR_PROMISC };
    expect(errorOf(() => setOption(fd, 'PACKET_ADD_MEMBERSHIP', nowhere)).code).toBe('ENODEV');
  });

  test('PACKET_STATISTICS counts frames and drops, and starts anew', () => {
    const [from, to] = [packets('pk0'), packets('pk1')];
    setOption(to, 'SO_RCVBUF', 2304);
    for (let i = 0; i < 50; i++) send(from, frame('x'.repeat(500)));
    const { tp_packets, tp_drops, tp_freeze_q_cnt } = getOption(to, 'PACKET_STATISTICS');
    expect(tp_packets).toBe(50);
    expect(tp_drops).toBeGreaterThan(0);
    expect(tp_freeze_q_cnt).toBeUndefined(); // of TPACKET_V3 only
    expect(getOption(to, 'PACKET_STATISTICS')).toMatchObject({ tp_packets: 0, tp_drops: 0 });
  });

  test('PACKET_FANOUT shares the frames as a program says (PACKET_FANOUT_DATA)', () => {
    const sockets = [packets('pk1'), packets('pk1')];
    for (const fd of sockets) setOption(fd, 'PACKET_FANOUT', 4711 | (PACKET_FANOUT_CBPF << 16));
    expect(getOption(sockets[0] as number, 'PACKET_FANOUT')).toBe(4711 | (PACKET_FANOUT_CBPF << 16));
    // The first byte of the content is the socket's number.
    setOption(sockets[0] as number, 'PACKET_FANOUT_DATA', [
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0),
      BPF_STMT(BPF_RET | 0x10, 0),
    ]);
    const from = packets('pk0');
    for (const n of ['\x01', '\x00', '\x01']) send(from, frame(n));
    const numbers = sockets.map((fd) => {
      const seen: (number | undefined)[] = [];
      while (waiting(fd)) seen.push(received(fd).bytes[14]);
      return seen;
    });
    expect(numbers).toEqual([[0], [1, 1]]);
  });

  test('PACKET_ROLLOVER_STATS tells of a fan-out that rolls over', () => {
    const fd = packets('pk1');
    setOption(fd, 'PACKET_FANOUT', 4712 | (PACKET_FANOUT_ROLLOVER << 16));
    expect(getOption(fd, 'PACKET_ROLLOVER_STATS').toJSON()).toEqual({ tp_all: 0n, tp_huge: 0n, tp_failed: 0n });
  });

  test('a program that cuts frames: what is left, and MSG_TRUNC tells the rest', () => {
    const [from, to] = [packets('pk0'), packets('pk1')];
    setOption(to, 'SO_ATTACH_FILTER', [BPF_STMT(BPF_RET | BPF_K, 16)]);
    send(from, frame('abcdef'));
    expect(recv(to, new Uint8Array(64), MSG_TRUNC)).toBe(16);
  });
});

/** Whether something waits to be received. */
function waiting(fd: number): boolean {
  return poll(new PollFds(1).set(0, fd, POLLIN), 0) === 1;
}

describe.skipIf(!haveNamespaces)('rings (need root)', () => {
  const block = 65_536;
  const ring = { tp_block_size: block, tp_block_nr: 2, tp_frame_size: 2048, tp_frame_nr: 64 };
  const both = PROT_READ | PROT_WRITE;
  const text = (bytes: Uint8Array, start: number, length: number) =>
    new TextDecoder().decode(bytes.subarray(start, start + length));

  test('TPACKET_V2: frames are received into memory and given back', async () => {
    const [from, to] = [packets('pk0'), packets('pk1')];
    setOption(to, 'PACKET_VERSION', TPACKET_V2);
    setOption(to, 'PACKET_RX_RING', ring);
    const memory = mmap(2 * block, both, MAP_SHARED, to);
    const header = (n: number) => new tpacket2_hdr(memory.subarray(n * 2048, (n + 1) * 2048));
    expect(header(0).tp_status).toBe(TP_STATUS_KERNEL);

    for (const content of ['first', 'second']) send(from, frame(content));
    await until(() => (header(1).tp_status & TP_STATUS_USER) !== 0, 'both frames are there');
    const contents = [0, 1].map((n) => {
      const { tp_mac, tp_len, tp_snaplen, tp_sec } = header(n);
      expect([tp_len, tp_sec > 1_600_000_000]).toEqual([tp_snaplen, true]);
      return text(memory, n * 2048 + tp_mac + 14, tp_len - 14);
    });
    expect(contents).toEqual(['first', 'second']);
    expect(poll(new PollFds(1).set(0, to, POLLIN), 0)).toBe(1);
    for (const n of [0, 1]) header(n).tp_status = TP_STATUS_KERNEL;
    expect(poll(new PollFds(1).set(0, to, POLLIN), 0)).toBe(0);
    munmap(memory);
  });

  test('TPACKET_V3: frames follow each other in a block', async () => {
    const [from, to] = [packets('pk0'), packets('pk1')];
    setOption(to, 'PACKET_VERSION', TPACKET_V3);
    setOption(to, 'PACKET_RX_RING', new tpacket_req3({ ...ring, tp_retire_blk_tov: 20 }));
    const memory = mmap(2 * block, both, MAP_SHARED, to);
    const first = new tpacket_block_desc(memory.subarray(0, block));
    for (const content of ['one', 'two', 'three']) send(from, frame(content));
    await until(() => (first.hdr.block_status & TP_STATUS_USER) !== 0, 'the block is handed over');

    const contents: string[] = [];
    for (let at = first.hdr.offset_to_first_pkt, left = first.hdr.num_pkts; left > 0; left--) {
      const { tp_mac, tp_len, tp_next_offset } = new tpacket3_hdr(memory.subarray(at));
      contents.push(text(memory, at + tp_mac + 14, tp_len - 14));
      at += tp_next_offset;
    }
    // A frame may come too late for the first block.
    expect(['one', 'two', 'three'].slice(0, contents.length)).toEqual(contents);
    expect(contents.length).toBeGreaterThan(0);
    first.hdr.block_status = TP_STATUS_KERNEL;
    expect(getOption(to, 'PACKET_STATISTICS').tp_freeze_q_cnt).toBe(0);
    munmap(memory);
  });

  test('TPACKET_V2: frames are sent from memory', () => {
    const [from, to] = [packets('pk0'), packets('pk1')];
    setOption(from, 'PACKET_VERSION', TPACKET_V2);
    setOption(from, 'PACKET_TX_RING', ring);
    const memory = mmap(2 * block, both, MAP_SHARED, from);
    const dataAt = 32; // TPACKET2_HDRLEN less the sockaddr_ll that only received frames have
    for (const [n, content] of ['from memory', 'and again'].entries()) {
      const slot = memory.subarray(n * 2048, (n + 1) * 2048);
      const header = new tpacket2_hdr(slot);
      expect(header.tp_status).toBe(TP_STATUS_AVAILABLE);
      const whole = frame(content);
      slot.set(whole, dataAt);
      header.tp_len = whole.length;
      header.tp_status = TP_STATUS_SEND_REQUEST;
    }
    send(from, new Uint8Array(0));
    const contents = [received(to), received(to)].map(({ bytes: got }) => text(got, 14, got.length - 14));
    expect(contents).toEqual(['from memory', 'and again']);
    munmap(memory);
  });

  test('are mapped whole, and not taken down while they are', () => {
    const fd = packets('pk0');
    expect(errorOf(() => mmap(block, both, MAP_SHARED, fd)).code).toBe('EINVAL');
    setOption(fd, 'PACKET_RX_RING', ring);
    expect(errorOf(() => mmap(block, both, MAP_SHARED, fd)).code).toBe('EINVAL');
    const memory = mmap(2 * block, PROT_READ, MAP_SHARED, fd);
    expect(errorOf(() => setOption(fd, 'PACKET_RX_RING', { tp_block_nr: 0 })).code).toBe('EBUSY');
    munmap(memory);
    setOption(fd, 'PACKET_RX_RING', { tp_block_nr: 0 });
    expect(errorOf(() => setOption(fd, 'PACKET_RX_RING', { ...ring, tp_block_size: 100 })).code).toBe('EINVAL');
    close(fd);
  });
});

describe('ifreq: interfaces asked by ioctl', () => {
  test('index, name, flags and MTU of loopback', () => {
    const fd = opened(socket(AF_INET, SOCK_DGRAM));
    const lo = () => new ifreq({ ifr_name: 'lo' });
    const asked = (request: number, its = lo()) => {
      ioctl(fd, request, its);
      return its;
    };
    expect(asked(SIOCGIFINDEX).ifr_ifindex).toBe(index('lo'));
    expect(asked(SIOCGIFNAME, new ifreq({ ifr_ifindex: index('lo') })).ifr_name).toBe('lo');
    expect(asked(SIOCGIFMTU).ifr_mtu).toBe(listLinks().find(({ name }) => name === 'lo')?.mtu);
    expect(asked(SIOCGIFFLAGS).ifr_flags & IFF_ALLMULTI).toBe(0);
    expect(errorOf(() => asked(SIOCGIFMTU, new ifreq({ ifr_name: 'none such' }))).code).toBe('ENODEV');
    expect(() => new ifreq({ ifr_name: 'a name of sixteen' })).toThrow(RangeError);
  });

  test.skipIf(!haveNamespaces)('the hardware address of an Ethernet interface (needs root)', () => {
    const request = new ifreq({ ifr_name: 'pk0' });
    ioctl(opened(socket(AF_INET, SOCK_DGRAM)), SIOCGIFHWADDR, request);
    expect(new Uint16Array(request.ifr_hwaddr.slice(0, 2).buffer)[0]).toBe(ARPHRD_ETHER);
    expect(request.ifr_hwaddr.subarray(2, 8)).toEqual(hexBytes(here));
  });

  test.skipIf(!haveNamespaces)('hwtstamp_config, behind the pointer of SIOCSHWTSTAMP (needs root)', () => {
    const fd = opened(socket(AF_INET, SOCK_DGRAM));
    const code = (config: { flags?: number; tx_type?: number; rx_filter?: number }) =>
      errorOf(() => ioctl(fd, SIOCSHWTSTAMP, new ifreq({ ifr_name: 'pk0' }), new hwtstamp_config(config))).code;
    // A veth has no clock, but the kernel looks at each field before it asks the device.
    expect(code({ tx_type: HWTSTAMP_TX_ON, rx_filter: HWTSTAMP_FILTER_ALL })).toBe('EOPNOTSUPP');
    expect([code({ flags: 1 << 30 }), code({ tx_type: 99 }), code({ rx_filter: 99 })]).toEqual([
      'EINVAL',
      'ERANGE',
      'ERANGE',
    ]);
  });
});
