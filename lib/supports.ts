import * as names from './constants.js';
import { raw } from './native.js';
import type { Option } from './options/option.js';
import { optionTable } from './options/table.js';
import { io_uring_params } from './structs/io-uring.js';
import './syscalls/descriptors.js';
import './syscalls/endpoints.js';
import './syscalls/memory.js';
import './syscalls/messages.js';
import './syscalls/namespaces.js';
import './syscalls/options.js';
import './syscalls/processes.js';
import './syscalls/rings.js';
import './syscalls/transfer.js';
import './syscalls/waiting.js';
import { shown } from './values.js';

/** What this kernel does when asked: it does it, it has no such thing, or a filter or a missing privilege forbids it. */
export type Supported = 'yes' | 'no' | 'not permitted';

const constants = names as unknown as Readonly<Record<string, number>>;
const nothing = new Uint8Array(0);

function judge(answer: number): Supported {
  if (answer === -names.EPERM || answer === -names.EACCES) return 'not permitted';
  const absent = [names.ENOSYS, names.EAFNOSUPPORT, names.ENOPROTOOPT, names.EPROTONOSUPPORT, names.ESOCKTNOSUPPORT];
  return absent.includes(-answer) ? 'no' : 'yes';
}

// Opens a socket for a question, and closes it.
function onSocket(domain: number, type: number, protocol: number, ask: (fd: number) => number): Supported {
  const fd = raw.socket(domain, type, protocol);
  if (fd < 0) return judge(fd);
  try {
    return judge(ask(fd));
  } finally {
    raw.close(fd);
  }
}

// A family without a datagram type may have another; one without a protocol 0, as CAN, those whose options are known.
function family(domain: number): Supported {
  const types = [names.SOCK_DGRAM, names.SOCK_STREAM, names.SOCK_RAW, names.SOCK_SEQPACKET];
  const known = [...askedAbout.values()].flat().filter((kind) => kind[0] === domain);
  let answer: Supported = 'no';
  for (const kind of [...types.map((type): Kind => [domain, type, 0]), ...known]) {
    answer = onSocket(...kind, () => 0);
    if (answer === 'yes') return answer;
  }
  return answer;
}

type Kind = readonly [domain: number, type: number, protocol: number];

const tcp: Kind = [names.AF_INET, names.SOCK_STREAM, 0];
const udp: Kind = [names.AF_INET, names.SOCK_DGRAM, 0];
const icmp: Kind = [names.AF_INET, names.SOCK_RAW, names.IPPROTO_ICMP];
const icmp6: Kind = [names.AF_INET6, names.SOCK_RAW, names.IPPROTO_ICMPV6];

// Which sockets to ask about the options of a level. Some are of one family only: SO_INQ of Unix sockets, IP_HDRINCL of
// raw ones.
const askedAbout = new Map<number, readonly Kind[]>([
  [names.SOL_SOCKET, [tcp, [names.AF_UNIX, names.SOCK_STREAM, 0]]],
  [names.IPPROTO_IP, [udp, icmp]],
  [names.IPPROTO_IPV6, [[names.AF_INET6, names.SOCK_DGRAM, 0], icmp6]],
  [names.IPPROTO_TCP, [tcp]],
  [names.IPPROTO_UDP, [udp]],
  [names.SOL_UDPLITE, [[names.AF_INET, names.SOCK_DGRAM, names.IPPROTO_UDPLITE]]],
  [names.SOL_RAW, [icmp]],
  [names.IPPROTO_ICMPV6, [icmp6]],
  [names.SOL_MPTCP, [[names.AF_INET, names.SOCK_STREAM, names.IPPROTO_MPTCP]]],
  [names.SOL_TLS, [tcp]],
  [names.SOL_SCTP, [names.SOCK_STREAM, names.SOCK_SEQPACKET].map((type) => [names.AF_INET, type, names.IPPROTO_SCTP])],
  [names.SOL_PACKET, [[names.AF_PACKET, names.SOCK_RAW, 0]]],
  [names.SOL_NETLINK, [[names.AF_NETLINK, names.SOCK_RAW, 0]]],
  [names.AF_VSOCK, [[names.AF_VSOCK, names.SOCK_STREAM, 0]]],
  [names.SOL_XDP, [[names.AF_XDP, names.SOCK_RAW, 0]]],
  [names.SOL_CAN_RAW, [[names.AF_CAN, names.SOCK_RAW, names.CAN_RAW]]],
  [names.SOL_CAN_ISOTP, [[names.AF_CAN, names.SOCK_DGRAM, names.CAN_ISOTP]]],
  [names.SOL_CAN_J1939, [[names.AF_CAN, names.SOCK_DGRAM, names.CAN_J1939]]],
  [names.SOL_TIPC, [[names.AF_TIPC, names.SOCK_SEQPACKET, 0]]],
  [names.SOL_KCM, [[names.AF_KCM, names.SOCK_DGRAM, 0]]],
  [names.SOL_ALG, [[names.AF_ALG, names.SOCK_SEQPACKET, 0]]],
]);

const tls = new TextEncoder().encode('tls');

function askOption(fd: number, level: number, { name, number, access }: Option): number {
  if (level === names.SOL_TLS) {
    // Its options are there once a connection is given to it: on one that is not yet, ENOTCONN, or ENOENT without TLS.
    const answer = raw.setsockopt(fd, names.IPPROTO_TCP, names.TCP_ULP, tls);
    return answer === -names.ENOENT ? -names.ENOPROTOOPT : answer;
  }
  if (name === 'TCP_ZEROCOPY_RECEIVE') return raw.tcpZerocopyReceive(fd, nothing, null, new Uint8Array(64));
  const read = access === 'write' ? -names.ENOPROTOOPT : raw.getsockopt(fd, level, number, new Uint8Array(256));
  // What cannot be read yet can be set: 0, or a refusal of 0.
  return read === -names.ENOPROTOOPT && access !== 'read' ? raw.setsockopt(fd, level, number, 0) : read;
}

function option(option: Option): Supported {
  const level = option.levels[0] as number;
  const answers = (askedAbout.get(level) as readonly Kind[]).map((kind) =>
    onSocket(...kind, (fd) => {
      const answer = askOption(fd, level, option);
      return answer === -names.EOPNOTSUPP ? -names.ENOPROTOOPT : answer; // an option of other families
    }),
  );
  return (['yes', 'not permitted'] as const).find((answer) => answers.includes(answer)) ?? 'no';
}

// Calls that a kernel or a container's filter may lack, each asked with arguments that do no harm.
const calls: Record<string, () => number> = {
  accept4: () => raw.accept4(-1, null, 0),
  epoll_pwait2: () => raw.epoll_pwait2(-1, new Uint8Array(64), null, null),
  eventfd: () => raw.eventfd(0, -1),
  io_uring_setup: () => raw.io_uring_setup(0, new Uint8Array(io_uring_params.size)),
  memfd_create: () => raw.memfd_create(nothing, -1),
  pidfd_getfd: () => raw.pidfd_getfd(-1, -1, 0),
  pidfd_open: () => raw.pidfd_open(-1, 0),
  pidfd_send_signal: () => raw.pidfd_send_signal(-1, 0, null, 0),
  recvmmsg: () => raw.recvmmsg(-1, nothing, null, null, new Int32Array(5), 0, 0, 0, null),
  sendmmsg: () => raw.sendmmsg(-1, nothing, null, null, new Int32Array(5), 0, 0, 0),
  setns: () => raw.setns(-1, 0),
  signalfd: () => raw.signalfd(-1, new Uint8Array(128), -1),
  splice: () => raw.splice(-1, null, -1, null, 1, 0),
  timerfd_create: () => raw.timerfd_create(-1, 0),
  unshare: () => raw.unshare(0),
};

const known = new Map<string, Supported>();

function ask(what: string): Supported {
  const call = Object.hasOwn(calls, what) ? calls[what] : undefined;
  if (call) return judge(call());
  if (Object.hasOwn(optionTable, what)) return option((optionTable as Record<string, Option>)[what] as Option);
  const value = constants[what];
  if (value !== undefined && what.startsWith('AF_')) return family(value);
  throw new TypeError(`supports knows address families, options and calls that may be lacking, and not ${shown(what)}`);
}

/**
 * Whether this kernel, as this user, has something: `supports('AF_VSOCK')`, `supports('UDP_GRO')`,
 * `supports('recvmmsg')`. It is tried once and remembered.
 * @param what an address family (AF_*); a socket option of {@link optionTable}; or a call that an older kernel lacks or a
 * container's filter forbids: accept4, epoll_pwait2, eventfd, io_uring_setup, memfd_create, pidfd_getfd, pidfd_open,
 * pidfd_send_signal, recvmmsg, sendmmsg, setns, signalfd, splice, timerfd_create, unshare
 * @returns 'yes', 'no' or 'not permitted'
 * @throws TypeError the name is none of these
 */
export function supports(what: string): Supported {
  if (typeof what !== 'string') throw new TypeError(`supports takes a name, not ${shown(what)}`);
  const before = known.get(what);
  if (before !== undefined) return before;
  const answer = ask(what);
  known.set(what, answer);
  return answer;
}
