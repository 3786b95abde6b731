import * as names from './constants.js';
import { raw } from './native.js';
import './syscalls/descriptors.js';
import './syscalls/endpoints.js';
import './syscalls/messages.js';
import './syscalls/options.js';
import './syscalls/transfer.js';
import './syscalls/waiting.js';

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

// A family without a datagram type may have another.
function family(domain: number): Supported {
  let answer: Supported = 'no';
  for (const type of [names.SOCK_DGRAM, names.SOCK_STREAM, names.SOCK_RAW, names.SOCK_SEQPACKET]) {
    answer = onSocket(domain, type, 0, () => 0);
    if (answer === 'yes') return answer;
  }
  return answer;
}

// Whose options begin so, and a socket to ask.
const optionSpaces: Record<string, [level: number, domain: number, type: number, protocol: number]> = {
  SO: [names.SOL_SOCKET, names.AF_INET, names.SOCK_STREAM, 0],
  TCP: [names.IPPROTO_TCP, names.AF_INET, names.SOCK_STREAM, 0],
  UDP: [names.IPPROTO_UDP, names.AF_INET, names.SOCK_DGRAM, 0],
  IP: [names.IPPROTO_IP, names.AF_INET, names.SOCK_DGRAM, 0],
  MCAST: [names.IPPROTO_IP, names.AF_INET, names.SOCK_DGRAM, 0],
  IPV6: [names.IPPROTO_IPV6, names.AF_INET6, names.SOCK_DGRAM, 0],
  PACKET: [names.SOL_PACKET, names.AF_PACKET, names.SOCK_RAW, 0],
  NETLINK: [names.SOL_NETLINK, names.AF_NETLINK, names.SOCK_RAW, 0],
  MPTCP: [names.SOL_MPTCP, names.AF_INET, names.SOCK_STREAM, names.IPPROTO_MPTCP],
};

function option(prefix: string, name: number): Supported {
  const [level, domain, type, protocol] = optionSpaces[prefix] as [number, number, number, number];
  return onSocket(domain, type, protocol, (fd) => {
    const read = raw.getsockopt(fd, level, name, new Uint8Array(256));
    // One that can only be set: an empty value is refused, but not as unknown.
    return read === -names.ENOPROTOOPT ? raw.setsockopt(fd, level, name, nothing) : read;
  });
}

// Calls that a kernel or a container's filter may lack, each asked with arguments that do no harm.
const calls: Record<string, () => number> = {
  accept4: () => raw.accept4(-1, null, 0),
  epoll_pwait2: () => raw.epoll_pwait2(-1, new Uint8Array(64), null, null),
  eventfd: () => raw.eventfd(0, -1),
  recvmmsg: () => raw.recvmmsg(-1, nothing, null, null, new Int32Array(5), 0, 0, 0, null),
  sendmmsg: () => raw.sendmmsg(-1, nothing, null, null, new Int32Array(5), 0, 0, 0),
  signalfd: () => raw.signalfd(-1, new Uint8Array(128), -1),
  splice: () => raw.splice(-1, null, -1, null, 1, 0),
  timerfd_create: () => raw.timerfd_create(-1, 0),
};

const known = new Map<string, Supported>();

function ask(what: string): Supported {
  const call = calls[what];
  if (call) return judge(call());
  const value = constants[what];
  const prefix = what.split('_', 1)[0] as string;
  if (value !== undefined && prefix === 'AF') return family(value);
  if (value !== undefined && prefix in optionSpaces) return option(prefix, value);
  throw new TypeError(`supports knows address families, options and some calls, and not '${what}'`);
}

/**
 * Whether this kernel, as this user, has something: `supports('AF_VSOCK')`, `supports('UDP_GRO')`,
 * `supports('recvmmsg')`. It is tried once and remembered.
 * @param what an address family, a socket option, or a call that a kernel or a container's filter may lack
 * @throws TypeError the name is none of these
 */
export function supports(what: string): Supported {
  const before = known.get(what);
  if (before !== undefined) return before;
  const answer = ask(what);
  known.set(what, answer);
  return answer;
}
