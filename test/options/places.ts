// Where the options of the table can be tried: a socket for each, in the state that the option wants.
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
  CAN_J1939,
  CAN_RAW,
  connect,
  getsockname,
  IPPROTO_ICMP,
  IPPROTO_RAW,
  IPPROTO_SCTP,
  IPPROTO_UDPLITE,
  NETLINK_ROUTE,
  type Option,
  SOCK_DGRAM,
  SOCK_RAW,
  SOCK_RDM,
  SOCK_SEQPACKET,
  SOCK_STREAM,
  SystemError,
  setOption,
  socket,
  TCP_REPAIR_ON,
  TLS_1_3_VERSION,
  TLS_CIPHER_AES_GCM_128,
  tls_crypto_info,
  tls12_crypto_info_aes_gcm_128,
} from 'posix-sockets';
import { bound, connected, connectedKinds, datagramKinds, isRoot, opened } from '../support.js';

// ---- what may be absent

const definitions = readFileSync(join(import.meta.dirname, '../../native/constants.def'), 'utf8');
/** The names that native/constants.def defines by a macro. */
export const namesOf = (macro: string) =>
  [...definitions.matchAll(new RegExp(`^${macro}\\((\\w+)`, 'gm'))].map(([, name]) => name as string);
const newer = new Set(namesOf('NEWER_OPTION'));

/** Why an exercise cannot be done here: its test is skipped, and says so. */
export class Lacking extends Error {}

/** Ends an exercise that cannot be done here. */
export function lacks(why: string): never {
  throw new Lacking(why);
}

/** Ends an exercise that only root can do. */
export function needsRoot(): void {
  if (!isRoot) lacks('needs root');
}

/** What could long be set before it could be read. */
const readableLater = new Set(['NETLINK_LISTEN_ALL_NSID', 'PACKET_COPY_THRESH']);

/** What says that this kernel, or this user, has no such thing: the test is then skipped, with the reason. */
export function absence(error: unknown, name: string): string | undefined {
  if (error instanceof Lacking) return error.message;
  if (!(error instanceof SystemError)) return undefined;
  if (['EPERM', 'EACCES'].includes(error.code) && !isRoot) return 'needs root';
  if (error.code === 'ENOENT' && name.startsWith('TLS_')) return 'this kernel has no TLS';
  if (['EAFNOSUPPORT', 'EPROTONOSUPPORT', 'ESOCKTNOSUPPORT'].includes(error.code))
    return 'this kernel has no such socket';
  if (!['ENOPROTOOPT', 'EOPNOTSUPP'].includes(error.code)) return undefined;
  if (newer.has(name)) return 'this kernel has no such option';
  return readableLater.has(name) ? 'an older kernel only sets it' : undefined;
}

// ---- where to ask

/** A key for TLS 1.3, of zeros. */
export const aesKey = new tls12_crypto_info_aes_gcm_128({
  info: new tls_crypto_info({ version: TLS_1_3_VERSION, cipher_type: TLS_CIPHER_AES_GCM_128 }),
});

const kindOf = (kinds: typeof connectedKinds, name: string) => {
  const [, kind] = kinds.find(([its]) => its === name) ?? [];
  return kind ?? lacks(`this kernel has no ${name}`);
};
const open =
  (domain: number, type: number, protocol = 0) =>
  () =>
    opened(socket(domain, type, protocol));

export const places = {
  tcp: open(AF_INET, SOCK_STREAM),
  udp: open(AF_INET, SOCK_DGRAM),
  tcp6: open(AF_INET6, SOCK_STREAM),
  udp6: open(AF_INET6, SOCK_DGRAM),
  unix: open(AF_UNIX, SOCK_STREAM),
  udplite: open(AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE),
  raw: open(AF_INET, SOCK_RAW, IPPROTO_ICMP),
  rawAny6: open(AF_INET6, SOCK_RAW, IPPROTO_RAW),
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
  sctp: open(AF_INET, SOCK_STREAM, IPPROTO_SCTP),
  sctpMany: open(AF_INET, SOCK_SEQPACKET, IPPROTO_SCTP),
  connectedTcp: () => connected(kindOf(connectedKinds, 'TCP over IPv4'))[0],
  connectedUnix: () => connected(kindOf(connectedKinds, 'Unix stream'))[0],
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
export type Place = keyof typeof places;

function toItself(name: string): number {
  const { fd } = bound(kindOf(datagramKinds, name));
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
  [/^PACKET_/, 'packet'],
  [/^NETLINK_/, 'netlink'],
  [/^CAN_RAW_/, 'can'],
  [/^CAN_ISOTP_/, 'isotp'],
  [/^TIPC_/, 'tipc'],
  [/^KCM_/, 'kcm'],
  [/^SCTP_/, 'sctp'],
  [/^TLS_/, 'tls'],
];

const placeOfName: Record<string, Place> = {
  SO_PEEK_OFF: 'unix',
  IP_HDRINCL: 'raw',
  IP_NODEFRAG: 'raw',
  IP_RECVFRAGSIZE: 'udp',
  IP_MULTICAST_IF: 'udp',
  IP_MULTICAST_TTL: 'udp',
  IPV6_CHECKSUM: 'raw6',
  IPV6_HDRINCL: 'raw6',
  TCP_REPAIR_QUEUE: 'repairedTcp',
  SCTP_AUTOCLOSE: 'sctpMany',
  TIPC_SRC_DROPPABLE: 'tipcDatagram',
  TLS_RX_EXPECT_NO_PAD: 'keyedTls',
};

/** Where an option can be tried that reads back as it was set. */
export const placeOf = ({ name }: Option): Place | undefined =>
  placeOfName[name] ?? placeOfPrefix.find(([prefix]) => prefix.test(name))?.[1];
