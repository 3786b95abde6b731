// Every row of the table of options, tried on the kernel: read, set, read back.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  AF_CAN,
  AF_INET,
  AF_INET6,
  AF_KCM,
  AF_NETLINK,
  AF_PACKET,
  AF_TIPC,
  AF_UNIX,
  AF_VSOCK,
  AF_XDP,
  CAN_ISOTP,
  CAN_ISOTP_RX_EXT_ADDR,
  CAN_J1939,
  CAN_RAW,
  CLOCK_MONOTONIC,
  connect,
  findOption,
  getOption,
  getsockname,
  getsockopt,
  IP_PMTUDISC_DO,
  IPPROTO_ICMP,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPPROTO_MPTCP,
  IPPROTO_TCP,
  IPPROTO_UDPLITE,
  IPV6_FL_A_GET,
  IPV6_FL_F_CREATE,
  IPV6_FL_S_ANY,
  IPV6_PREFER_SRC_TMP,
  icmp6_filter,
  in6_flowlabel_req,
  linger,
  NETLINK_ROUTE,
  type Option,
  optionTable,
  raw,
  SO_GET_FILTER,
  SO_LINGER,
  SO_REUSEADDR,
  SO_TYPE,
  SOCK_DGRAM,
  SOCK_RAW,
  SOCK_RDM,
  SOCK_SNDBUF_LOCK,
  SOCK_STREAM,
  SOF_TIMESTAMPING_RX_SOFTWARE,
  SOL_SOCKET,
  Struct,
  SystemError,
  setOption,
  setsockopt,
  sockaddr_in6,
  socket,
  TCP_INFO,
  TCP_REPAIR_ON,
  TIPC_HIGH_IMPORTANCE,
  TLS_1_3_VERSION,
  TLS_CIPHER_AES_GCM_128,
  TPACKET_V2,
  tcp_info,
  timeval,
  tls_crypto_info,
  tls12_crypto_info_aes_gcm_128,
  UDP_ENCAP_L2TPINUDP,
} from 'posix-sockets';
import { describe, expect, test } from 'vitest';
import { bound, connected, connectedKinds, datagramKinds, havePython, isRoot, opened } from './support.js';

const definitions = readFileSync(join(import.meta.dirname, '../native/constants.def'), 'utf8');
const namesOf = (macro: string) =>
  [...definitions.matchAll(new RegExp(`^${macro}\\((\\w+)`, 'gm'))].map(([, name]) => name);
const newer = new Set(namesOf('NEWER_OPTION'));
const options = Object.values<Option>(optionTable);

// By any name, as JavaScript lets one.
const read = getOption as (fd: number, name: string, question?: unknown) => unknown;
const set = setOption as (fd: number, name: string, value: unknown) => void;

/** Why an option of the headers has no row. */
const without: Record<string, string> = {
  SO_SECURITY_AUTHENTICATION: 'reserved, and no kernel knows it',
  SO_SECURITY_ENCRYPTION_TRANSPORT: 'reserved, and no kernel knows it',
  SO_SECURITY_ENCRYPTION_NETWORK: 'reserved, and no kernel knows it',
  IPV6_AUTHHDR: 'no kernel knows it',
  IPV6_HOPLIMIT: 'a control message only',
  PACKET_RECV_OUTPUT: 'no kernel knows it',
  NETLINK_RX_RING: 'gone since Linux 4.6',
  NETLINK_TX_RING: 'gone since Linux 4.6',
  SO_VM_SOCKETS_PEER_HOST_VM_ID: 'of VMware, not of Linux',
  SO_VM_SOCKETS_TRUSTED: 'of VMware, not of Linux',
  SO_VM_SOCKETS_NONBLOCK_TXRX: 'of VMware, not of Linux',
  TCP_ZEROCOPY_RECEIVE: 'its struct holds pointers',
  MPTCP_FULL_INFO: 'its struct holds pointers',
  XDP_UMEM_REG: 'its struct holds pointers',
};

describe('the table', () => {
  test('has a row for every option of the headers, and for nothing else', () => {
    const inHeaders = [...namesOf('OPTION'), ...newer];
    expect([...Object.keys(optionTable), ...Object.keys(without)].sort()).toEqual(inHeaders.sort());
  });

  test('says of each its number and what it is', () => {
    expect(options.filter(({ number }) => !Number.isInteger(number))).toEqual([]);
    expect(options.filter(({ doc }) => !doc)).toEqual([]);
    expect(optionTable.SO_LINGER).toMatchObject({ name: 'SO_LINGER', levels: [SOL_SOCKET], number: SO_LINGER });
  });

  test('is searched by level and number, for reading and for setting', () => {
    expect(findOption(SOL_SOCKET, SO_LINGER)).toBe(optionTable.SO_LINGER);
    expect(findOption(IPPROTO_TCP, TCP_INFO)).toBe(optionTable.TCP_INFO);
    expect(findOption(SOL_SOCKET, SO_GET_FILTER)).toBe(optionTable.SO_GET_FILTER);
    expect(findOption(SOL_SOCKET, SO_GET_FILTER, true)).toBe(optionTable.SO_ATTACH_FILTER);
    expect(findOption(SOL_SOCKET, SO_TYPE, true)).toBeUndefined();
    expect(findOption(IPPROTO_IP, 42)).toBeUndefined(); // MCAST_JOIN_GROUP can only be set
    expect(findOption(IPPROTO_IP, 42, true)).toBe(optionTable.MCAST_JOIN_GROUP);
    expect(findOption(IPPROTO_IPV6, 42, true)).toBe(optionTable.MCAST_JOIN_GROUP);
    expect(findOption(-1, -1)).toBeUndefined();
  });
});

// ---- where to ask

const kind = (kinds: typeof connectedKinds, name: string) => (kinds.find(([its]) => its === name) ?? ['', null])[1];
const open =
  (domain: number, type: number, protocol = 0) =>
  () =>
    opened(socket(domain, type, protocol));

const places = {
  tcp: open(AF_INET, SOCK_STREAM),
  udp: open(AF_INET, SOCK_DGRAM),
  tcp6: open(AF_INET6, SOCK_STREAM),
  udp6: open(AF_INET6, SOCK_DGRAM),
  unix: open(AF_UNIX, SOCK_STREAM),
  mptcp: open(AF_INET, SOCK_STREAM, IPPROTO_MPTCP),
  udplite: open(AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE),
  raw: open(AF_INET, SOCK_RAW, IPPROTO_ICMP),
  raw6: open(AF_INET6, SOCK_RAW, 254),
  icmp6: open(AF_INET6, SOCK_RAW, 58),
  packet: open(AF_PACKET, SOCK_RAW),
  netlink: open(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE),
  vsock: open(AF_VSOCK, SOCK_STREAM),
  xdp: open(AF_XDP, SOCK_RAW),
  can: open(AF_CAN, SOCK_RAW, CAN_RAW),
  isotp: open(AF_CAN, SOCK_DGRAM, CAN_ISOTP),
  j1939: open(AF_CAN, SOCK_DGRAM, CAN_J1939),
  tipc: open(AF_TIPC, SOCK_STREAM),
  tipcDatagram: open(AF_TIPC, SOCK_RDM),
  kcm: open(AF_KCM, SOCK_DGRAM),
  connectedTcp: () => connected(kind(connectedKinds, 'TCP over IPv4')!)[0],
  connectedUnix: () => connected(kind(connectedKinds, 'Unix stream')!)[0],
  connectedUdp: () => toItself('UDP over IPv4'),
  connectedUdp6: () => toItself('UDP over IPv6'),
  repairedTcp() {
    const fd = places.connectedTcp();
    setOption(fd, 'TCP_REPAIR', TCP_REPAIR_ON);
    setOption(fd, 'TCP_REPAIR_QUEUE', 1);
    return fd;
  },
  tls() {
    const fd = places.connectedTcp();
    setOption(fd, 'TCP_ULP', 'tls');
    return fd;
  },
  keyedTls() {
    const fd = places.tls();
    for (const name of ['TLS_TX', 'TLS_RX'] as const) setOption(fd, name, aesKey);
    return fd;
  },
};
type Place = keyof typeof places;

function toItself(name: string): number {
  const { fd } = bound(kind(datagramKinds, name)!);
  connect(fd, getsockname(fd));
  return fd;
}

const placeOfPrefix: [prefix: RegExp, place: Place][] = [
  [/^SO_VM_/, 'vsock'],
  [/^SO_PASS/, 'unix'],
  [/^SO_J1939_/, 'j1939'],
  [/^(SO|IP|TCP)_/, 'tcp'],
  [/^ICMP_/, 'raw'],
  [/^ICMP(V6|6)_/, 'icmp6'],
  [/^IPV6_/, 'udp6'],
  [/^UDP_/, 'udp'],
  [/^UDPLITE_/, 'udplite'],
  [/^MPTCP_/, 'mptcp'],
  [/^PACKET_/, 'packet'],
  [/^NETLINK_/, 'netlink'],
  [/^XDP_/, 'xdp'],
  [/^CAN_RAW_/, 'can'],
  [/^CAN_ISOTP_/, 'isotp'],
  [/^TIPC_/, 'tipc'],
  [/^KCM_/, 'kcm'],
  [/^TLS_/, 'tls'],
];

const placeOfName: Record<string, Place> = {
  SO_PEERNAME: 'connectedTcp',
  SO_PEERCRED: 'connectedUnix',
  SO_PEERGROUPS: 'connectedUnix',
  SO_PEERPIDFD: 'connectedUnix',
  SO_PEEK_OFF: 'unix',
  IP_HDRINCL: 'raw',
  IP_NODEFRAG: 'raw',
  IP_RECVFRAGSIZE: 'udp',
  IP_MULTICAST_IF: 'udp',
  IP_MULTICAST_TTL: 'udp',
  IP_MTU: 'connectedUdp',
  IPV6_MTU: 'connectedUdp6',
  IPV6_PATHMTU: 'connectedUdp6',
  IPV6_ADDRFORM: 'connectedUdp6',
  IPV6_2292PKTOPTIONS: 'tcp6',
  IPV6_CHECKSUM: 'raw6',
  IPV6_HDRINCL: 'raw6',
  TCP_REPAIR_QUEUE: 'repairedTcp',
  TCP_QUEUE_SEQ: 'repairedTcp',
  TCP_REPAIR_WINDOW: 'repairedTcp',
  TIPC_SRC_DROPPABLE: 'tipcDatagram',
  TLS_TX: 'keyedTls',
  TLS_RX: 'keyedTls',
  TLS_RX_EXPECT_NO_PAD: 'keyedTls',
};

/** Read and set in tests of their own, or in none: this kernel has no such thing to ask. */
const elsewhere: Record<string, string> = {
  SO_ORIGINAL_DST: 'needs netfilter to have changed a destination',
  IP6T_SO_ORIGINAL_DST: 'needs netfilter to have changed a destination',
  IP_MSFILTER: 'needs a group: multicast.test.ts',
  MCAST_MSFILTER: 'needs a group: multicast.test.ts',
  IPV6_FLOWLABEL_MGR: 'needs a lease: below',
  PACKET_ROLLOVER_STATS: 'needs a fan-out: packet.test.ts',
  SO_PEERSEC: 'needs a security module that labels sockets',
};

const placeOf = ({ name }: Option): Place | undefined =>
  placeOfName[name] ?? placeOfPrefix.find(([prefix]) => prefix.test(name))?.[1];

/** What could long be set before it could be read. */
const readableLater = new Set(['NETLINK_LISTEN_ALL_NSID', 'PACKET_COPY_THRESH']);

/** What says that this kernel, or this user, has no such thing: the test is then skipped, with the reason. */
function absence(error: unknown, name: string): string | undefined {
  if (!(error instanceof SystemError)) return undefined;
  if (['EPERM', 'EACCES'].includes(error.code) && !isRoot) return 'needs root';
  if (error.code === 'ENOENT' && name.startsWith('TLS_')) return 'this kernel has no TLS';
  if (['EAFNOSUPPORT', 'EPROTONOSUPPORT', 'ESOCKTNOSUPPORT'].includes(error.code))
    return 'this kernel has no such socket';
  if (!['ENOPROTOOPT', 'EOPNOTSUPP'].includes(error.code)) return undefined;
  if (newer.has(name)) return 'this kernel has no such option';
  return readableLater.has(name) ? 'an older kernel only sets it' : undefined;
}

const reachable = options.filter((option) => placeOf(option) && !elsewhere[option.name]);

/** A value as the test compares it. */
const plain = (value: unknown): unknown =>
  Array.isArray(value) ? value.map(plain) : value instanceof Struct ? value.toJSON() : value;

describe('each option that can be read is read', () => {
  const readable = reachable.filter(({ access }) => access !== 'write').map((option) => [option.name, option] as const);
  test.for(readable)('%s', ([name, option], { skip }) => {
    try {
      const value = read(places[placeOf(option) as Place](), name);
      expect(value).not.toBeUndefined();
      if (name === 'SO_PEERPIDFD') opened(value as number);
    } catch (error) {
      const why = absence(error, name);
      if (why) skip(why);
      throw error;
    }
  });
});

// ---- what to set, and what is read then, where that is not the same

const second = { tv_sec: 1, tv_usec: 500_000 };
const padding = Uint8Array.of(0, 0, 1, 4, 0, 0, 0, 0); // an IPv6 options header with nothing but padding

const aesKey = new tls12_crypto_info_aes_gcm_128({
  info: new tls_crypto_info({ version: TLS_1_3_VERSION, cipher_type: TLS_CIPHER_AES_GCM_128 }),
});

const samples: Record<string, { set: unknown; back?: unknown }> = {
  SO_SNDBUF: { set: 8192, back: 16_384 },
  SO_RCVBUF: { set: 8192, back: 16_384 },
  SO_PRIORITY: { set: 3 },
  SO_LINGER: { set: { l_onoff: 1, l_linger: 5 } },
  SO_RCVLOWAT: { set: 7 },
  SO_RCVTIMEO: { set: second },
  SO_SNDTIMEO: { set: second },
  SO_RCVTIMEO_OLD: { set: second },
  SO_SNDTIMEO_OLD: { set: second },
  SO_RCVTIMEO_NEW: { set: second },
  SO_SNDTIMEO_NEW: { set: second },
  SO_BINDTODEVICE: { set: 'lo' },
  SO_TIMESTAMPING: { set: SOF_TIMESTAMPING_RX_SOFTWARE },
  SO_TIMESTAMPING_OLD: { set: SOF_TIMESTAMPING_RX_SOFTWARE },
  SO_TIMESTAMPING_NEW: { set: SOF_TIMESTAMPING_RX_SOFTWARE },
  SO_MARK: { set: 0xfffffffe },
  SO_PEEK_OFF: { set: 3 },
  SO_BUSY_POLL: { set: 50 },
  SO_MAX_PACING_RATE: { set: 5_000_000_000n },
  SO_INCOMING_CPU: { set: 0 },
  SO_TXTIME: { set: { clockid: CLOCK_MONOTONIC, flags: 1 } },
  SO_BINDTOIFINDEX: { set: 1 },
  SO_BUF_LOCK: { set: SOCK_SNDBUF_LOCK },
  SO_TXREHASH: { set: 0 },
  IP_TOS: { set: 0x10 },
  IP_TTL: { set: 9 },
  IP_OPTIONS: { set: Uint8Array.of(1, 1, 1, 1) },
  IP_MTU_DISCOVER: { set: IP_PMTUDISC_DO },
  IP_MINTTL: { set: 5 },
  IP_MULTICAST_IF: { set: '127.0.0.1' },
  IP_MULTICAST_TTL: { set: 3 },
  IP_UNICAST_IF: { set: 1 },
  IP_LOCAL_PORT_RANGE: { set: 50_000 * 65_536 + 40_000 },
  ICMP_FILTER: { set: 0x80000100 },
  IPV6_CHECKSUM: { set: 2 },
  IPV6_UNICAST_HOPS: { set: 9 },
  IPV6_MULTICAST_IF: { set: 1 },
  IPV6_MULTICAST_HOPS: { set: 3 },
  IPV6_MTU_DISCOVER: { set: IP_PMTUDISC_DO },
  IPV6_HOPOPTS: { set: padding },
  IPV6_RTHDRDSTOPTS: { set: padding },
  IPV6_DSTOPTS: { set: padding },
  IPV6_TCLASS: { set: 0x20 },
  IPV6_ADDR_PREFERENCES: { set: IPV6_PREFER_SRC_TMP, back: 0x401 }, // and what it says of home and CGA addresses
  IPV6_MINHOPCOUNT: { set: 5 },
  IPV6_UNICAST_IF: { set: 1 },
  ICMPV6_FILTER: { set: new icmp6_filter().blockAll().pass(129) },
  ICMP6_FILTER: { set: new icmp6_filter().blockAll().pass(129) },
  TCP_MAXSEG: { set: 1000 },
  TCP_KEEPIDLE: { set: 100 },
  TCP_KEEPINTVL: { set: 10 },
  TCP_KEEPCNT: { set: 3 },
  TCP_SYNCNT: { set: 3 },
  TCP_LINGER2: { set: 30 },
  TCP_DEFER_ACCEPT: { set: 3 },
  TCP_WINDOW_CLAMP: { set: 65_536 },
  TCP_CONGESTION: { set: 'reno' },
  TCP_USER_TIMEOUT: { set: 5000 },
  TCP_REPAIR: { set: TCP_REPAIR_ON },
  TCP_REPAIR_QUEUE: { set: 2 },
  TCP_FASTOPEN: { set: 5 },
  TCP_NOTSENT_LOWAT: { set: 16_384 },
  TCP_SAVE_SYN: { set: 1 },
  TCP_FASTOPEN_KEY: { set: new Uint8Array(16).fill(7) },
  TCP_TX_DELAY: { set: 1000 },
  TCP_RTO_MAX_MS: { set: 5000 },
  TCP_RTO_MIN_US: { set: 100_000 },
  TCP_DELACK_MAX_US: { set: 100_000 },
  UDP_ENCAP: { set: UDP_ENCAP_L2TPINUDP },
  UDP_SEGMENT: { set: 1000 },
  UDPLITE_SEND_CSCOV: { set: 12 },
  UDPLITE_RECV_CSCOV: { set: 12 },
  PACKET_COPY_THRESH: { set: 100 },
  PACKET_VERSION: { set: TPACKET_V2 },
  PACKET_RESERVE: { set: 16 },
  PACKET_VNET_HDR_SZ: { set: 12 },
  PACKET_TIMESTAMP: { set: 16 },
  SO_VM_SOCKETS_BUFFER_SIZE: { set: 131_072n },
  SO_VM_SOCKETS_BUFFER_MIN_SIZE: { set: 256n },
  SO_VM_SOCKETS_BUFFER_MAX_SIZE: { set: 1_048_576n },
  SO_VM_SOCKETS_CONNECT_TIMEOUT: { set: { tv_sec: 3, tv_usec: 0 } },
  SO_VM_SOCKETS_CONNECT_TIMEOUT_OLD: { set: { tv_sec: 3, tv_usec: 0 } },
  SO_VM_SOCKETS_CONNECT_TIMEOUT_NEW: { set: { tv_sec: 3, tv_usec: 0 } },
  CAN_RAW_FILTER: { set: [{ can_id: 0x123, can_mask: 0x7ff }] },
  CAN_RAW_ERR_FILTER: { set: 1 },
  CAN_ISOTP_OPTS: {
    set: {
      flags: CAN_ISOTP_RX_EXT_ADDR,
      frame_txtime: 1000,
      ext_address: 2,
      txpad_content: 3,
      rxpad_content: 4,
      rx_ext_address: 5,
    },
  },
  CAN_ISOTP_RECV_FC: { set: { bs: 8, stmin: 1, wftmax: 2 } },
  CAN_ISOTP_TX_STMIN: { set: 1000 },
  CAN_ISOTP_RX_STMIN: { set: 1000 },
  CAN_ISOTP_LL_OPTS: { set: { mtu: 72, tx_dl: 64, tx_flags: 1 } },
  SO_J1939_SEND_PRIO: { set: 3 },
  TIPC_IMPORTANCE: { set: TIPC_HIGH_IMPORTANCE },
  TIPC_SRC_DROPPABLE: { set: 1 },
  TIPC_DEST_DROPPABLE: { set: 1 },
  TIPC_CONN_TIMEOUT: { set: 1000 },
  TLS_TX_MAX_PAYLOAD_LEN: { set: 1024 },
  // Switches that do not come back as they were set.
  SO_BSDCOMPAT: { set: true, back: false },
  TCP_THIN_DUPACK: { set: true, back: false },
};

/** Options that can be set, and why setting them would show nothing here. */
const notSet: Record<string, string> = {
  SO_RESERVE_MEM: 'needs a memory group with a limit: EOPNOTSUPP without',
  IPV6_ADDRFORM: 'turns the socket into one of IPv4: below',
  IPV6_2292PKTOPTIONS: 'takes control messages',
  IPV6_MTU: 'reads another number than was set: that of the path',
  IPV6_RTHDR: 'no routing header is allowed any more but for segment routing',
  TCP_QUEUE_SEQ: 'only before the connection is made: tcp.test.ts',
  TCP_TIMESTAMP: 'tells the clock that it was set to, and the clock runs',
  TCP_ULP: 'this kernel may have none',
  TCP_REPAIR_WINDOW: 'must fit the connection',
  TCP_AO_INFO: 'needs a key',
  TCP_AO_REPAIR: 'needs a key',
  TIPC_GROUP_JOIN: 'reads back only while joined',
  TLS_TX: 'a key is set once: tcp.test.ts',
  TLS_RX: 'a key is set once: tcp.test.ts',
  PACKET_FANOUT: 'needs an interface: packet.test.ts',
};

describe('each option that can be set as well is set and read back', () => {
  const both = reachable.filter(({ access, name }) => access === 'both' && !notSet[name]);
  test.for(both.map((option) => [option.name, option] as const))('%s', ([name, option], { skip }) => {
    try {
      const fd = places[placeOf(option) as Place]();
      const before = read(fd, name);
      const { set: value, back = value } = samples[name] ?? { set: !before };
      if (!samples[name]) expect(before).toBeTypeOf('boolean'); // anything but a switch needs a sample
      set(fd, name, value);
      expect(plain(read(fd, name))).toEqual(plain(back));
      expect(plain(before)).not.toEqual(plain(value));
    } catch (error) {
      const why = absence(error, name);
      if (why) skip(why);
      throw error;
    }
  });
});

// ---- the same bytes as somebody else reads

describe.skipIf(!havePython)('Python reads the same bytes (needs python3)', () => {
  const pairs: [place: Place, level: RegExp][] = [
    ['connectedTcp', /^(SO|IP|TCP)_/],
    ['udp', /^(SO|IP|UDP)_/],
    ['udp6', /^(SO|IPV6)_/],
    ['connectedUnix', /^SO_/],
    ['netlink', /^(SO|NETLINK)_/],
  ];
  // What changes between two looks, or makes a descriptor.
  const changing =
    /^(TCP_INFO|TCP_CC_INFO|TCP_TIMESTAMP|SO_MEMINFO|SO_INCOMING_CPU|SO_PEERPIDFD|SO_VM_.*|SO_ORIGINAL_DST|TCP_QUEUE_SEQ|IPV6_FLOWLABEL_MGR)$/;

  test.for(pairs)('on a socket: %s', ([place, prefix]) => {
    const fd = places[place]();
    const asked = options.filter(
      ({ name, access, content }) =>
        prefix.test(name) && access !== 'write' && !changing.test(name) && content.room <= 1024,
    );
    const ours = Object.fromEntries(
      asked.map(({ name, levels: [level], number, content }): [string, string | number] => {
        const bytes = new Uint8Array(content.room);
        const answer = raw.getsockopt(fd, level as number, number, bytes);
        return [name, answer < 0 ? answer : Buffer.from(bytes.subarray(0, raw.out[0])).toString('hex')];
      }),
    );
    const program = `
import json, socket
asked = json.loads('''${JSON.stringify(asked.map(({ name, levels, number, content }) => [name, levels[0], number, content.room]))}''')
s = socket.socket(fileno=3)
theirs = {}
for name, level, number, room in asked:
    try: theirs[name] = s.getsockopt(level, number, room).hex()
    except OSError as e: theirs[name] = -e.errno
print(json.dumps(theirs))`;
    const { stdout, stderr } = spawnSync('python3', ['-c', program], {
      stdio: ['ignore', 'pipe', 'pipe', fd],
      encoding: 'utf8',
      timeout: 15_000,
    });
    expect(stderr).toBe('');
    expect(ours).toEqual(JSON.parse(stdout));
    expect(Object.values(ours).filter((value) => typeof value === 'string').length).toBeGreaterThan(25);
  });
});

// ---- what it refuses

describe('getOption and setOption', () => {
  test('refuse a name that is no option, or cannot be read or set', () => {
    const fd = places.tcp();
    expect(() => read(fd, 'SO_NONSENSE')).toThrow(new TypeError("'SO_NONSENSE' is no option that can be read"));
    expect(() => read(fd, 'toString')).toThrow(TypeError);
    expect(() => read(fd, 'SO_SNDBUFFORCE')).toThrow(new TypeError("'SO_SNDBUFFORCE' is no option that can be read"));
    expect(() => set(fd, 'SO_TYPE', 1)).toThrow(new TypeError("'SO_TYPE' is no option that can be set"));
  });

  const misfits: [name: string, value: unknown, error: typeof TypeError | typeof RangeError][] = [
    ['SO_REUSEADDR', 1, TypeError],
    ['SO_SNDBUF', '1', TypeError],
    ['SO_SNDBUF', 1.5, RangeError],
    ['SO_SNDBUF', 2 ** 31, RangeError],
    ['SO_MARK', -1, RangeError],
    ['SO_MAX_PACING_RATE', 1, TypeError],
    ['SO_MAX_PACING_RATE', -1n, RangeError],
    ['SO_LINGER', 1, TypeError],
    ['SO_LINGER', null, TypeError],
    ['SO_LINGER', new timeval(), TypeError],
    ['SO_LINGER', new Uint8Array(8), TypeError],
    ['SO_LINGER', { l_on: 1 }, TypeError],
    ['TCP_CONGESTION', 1, TypeError],
    ['TCP_CONGESTION', 'a\0b', TypeError],
    ['IP_OPTIONS', 'text', TypeError],
    ['IP_MULTICAST_IF', '1.2.3', TypeError],
    ['IPV6_NEXTHOP', '::1', TypeError],
    ['SO_ATTACH_FILTER', 'text', TypeError],
  ];
  test.for(misfits)('%s does not hold %o', ([name, value, error]) => {
    const fd = places.tcp();
    expect(() => set(fd, name, value)).toThrow(error);
  });

  test('throw what the kernel says', () => {
    const unix = places.unix();
    expect(() => getOption(unix, 'TCP_NODELAY')).toThrow(
      expect.objectContaining({ code: 'EOPNOTSUPP', syscall: 'getsockopt' }),
    );
    expect(() => setOption(unix, 'TCP_NODELAY', true)).toThrow(expect.objectContaining({ syscall: 'setsockopt' }));
    expect(() => setOption(places.tcp(), 'TCP_CONGESTION', 'none such')).toThrow(
      expect.objectContaining({ code: 'ENOENT' }),
    );
    expect(() => getOption(-1, 'SO_TYPE')).toThrow(expect.objectContaining({ code: 'EBADF' }));
    expect(() => setOption(-1, 'SO_KEEPALIVE', true)).toThrow(expect.objectContaining({ code: 'EBADF' }));
  });

  test('give a question that the kernel reads first', ({ skip }) => {
    if (!isRoot) skip('needs root');
    const fd = places.packet();
    const lengths = [0, 1, 2].map((version) => getOption(fd, 'PACKET_HDRLEN', version));
    expect(lengths).toEqual([32, 32, 48]); // sizeof tpacket_hdr, tpacket2_hdr, tpacket3_hdr
  });
});

test('IPV6_ADDRFORM turns an IPv6 socket with a mapped address into an IPv4 one', () => {
  const peer = bound(kind(datagramKinds, 'UDP over IPv4')!).address;
  const fd = places.udp6();
  connect(fd, sockaddr_in6('::ffff:127.0.0.1', peer.port as number));
  expect(getOption(fd, 'SO_DOMAIN')).toBe(AF_INET6);
  setOption(fd, 'IPV6_ADDRFORM', AF_INET);
  expect(getOption(fd, 'SO_DOMAIN')).toBe(AF_INET);
});

test('IPV6_FLOWLABEL_MGR leases a flow label, and tells which', () => {
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
});

// ---- what TypeScript knows

test('TypeScript knows what an option holds', () => {
  // Compiled with the rest, and not run: each line marked so must not compile.
  const unused = (fd: number) => {
    const on: boolean = getOption(fd, 'SO_REUSEADDR');
    const name: string = getOption(fd, 'TCP_CONGESTION');
    const rtt: number = getOption(fd, 'TCP_INFO').tcpi_rtt;
    const cookie: bigint = getOption(fd, 'SO_COOKIE');
    const groups: number[] = getOption(fd, 'SO_PEERGROUPS');
    setOption(fd, 'SO_LINGER', { l_onoff: 1 });
    setOption(fd, 'SO_LINGER', new linger());
    // @ts-expect-error it cannot be set
    setOption(fd, 'SO_TYPE', 1);
    // @ts-expect-error there is no such option
    getOption(fd, 'SO_NONSENSE');
    // @ts-expect-error it holds a struct linger
    setOption(fd, 'SO_LINGER', new timeval());
    // @ts-expect-error struct linger has no such field
    setOption(fd, 'SO_LINGER', { l_on: 1 });
    // @ts-expect-error it holds true or false
    setOption(fd, 'SO_REUSEADDR', 1);

    getsockopt(fd, SOL_SOCKET, SO_LINGER, new linger());
    getsockopt(fd, SOL_SOCKET, SO_LINGER, new Uint8Array(8));
    getsockopt(fd, IPPROTO_TCP, TCP_INFO, new tcp_info());
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    setsockopt(fd, SOL_SOCKET, SO_LINGER, new linger());
    setsockopt(fd, SOL_SOCKET, SO_LINGER as number, new timeval()); // a plain number takes anything
    // @ts-expect-error it holds a struct linger
    getsockopt(fd, SOL_SOCKET, SO_LINGER, new timeval());
    // @ts-expect-error it holds more than an int
    getsockopt(fd, SOL_SOCKET, SO_LINGER);
    // @ts-expect-error it holds a struct linger
    setsockopt(fd, SOL_SOCKET, SO_LINGER, 1);
    // @ts-expect-error it holds an int
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, new linger());
    return [on, name, rtt, cookie, groups];
  };
  expect(unused).toBeTypeOf('function');
});
