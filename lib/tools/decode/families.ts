// Constants that belong together, found by how their names begin: the families from which flags and choices are named.
import { constants } from '../../index.js';
import { hexDigits, number, type Shown } from './notation.js';

export class Family {
  /** The family's names, in the order in which flags are written. */
  readonly names: readonly string[];
  readonly #label: string;
  // Of two names for one value the first.
  readonly #byValue = new Map<number, string>();

  /**
   * @param prefixes how the names begin
   * @param without those that begin so and are something else, or name the same thing twice
   * @param label what strace calls one that it does not know, before its question marks
   */
  constructor(prefixes: string | readonly string[], without: RegExp = /^$/, label?: string) {
    const beginnings = typeof prefixes === 'string' ? [prefixes] : prefixes;
    this.#label = `${label ?? beginnings[0]}???`;
    this.names = beginnings.flatMap((beginning) =>
      Object.keys(constants).filter((name) => name.startsWith(beginning) && !without.test(name)),
    );
    for (const name of this.names) {
      const value = constants[name] as number;
      if (!this.#byValue.has(value)) this.#byValue.set(value, name);
    }
  }

  /** The name of one of them, if it has one. */
  nameOf(value: number): string | undefined {
    return this.#byValue.get(value);
  }

  /** One of them: its name, or its number. */
  choice(value: number): Shown {
    const name = this.nameOf(value);
    if (name !== undefined) return { text: name, json: name };
    return { text: `${hexDigits(value >>> 0)} /* ${this.#label} */`, json: value };
  }

  /** Some of them: their names, and as one number what has none. */
  flags(value: number): Shown {
    const exact = this.nameOf(value);
    if (exact !== undefined) return { text: exact, json: exact };
    if (value === 0) return number(0);
    const bits = value >>> 0;
    const inside = [...this.#byValue].filter(([flag]) => flag !== 0 && contains(bits, flag));
    // O_SYNC has the bit of O_DSYNC, and one more.
    const found = inside.filter(([flag]) => !inside.some(([other]) => other !== flag && contains(other, flag)));
    const left = (bits & ~found.reduce((all, [flag]) => all | flag, 0)) >>> 0;
    if (found.length === 0) return { text: `${hexDigits(left)} /* ${this.#label} */`, json: hexDigits(left) };
    const text = [...found.map(([, name]) => name), ...(left === 0 ? [] : [hexDigits(left)])].join('|');
    return { text, json: text };
  }
}

function contains(bits: number, flag: number): boolean {
  return (bits & flag) >>> 0 === flag >>> 0;
}

export const addressFamilies = new Family('AF_', /_MAX$/);
export const socketTypes = new Family('SOCK_', /NONBLOCK|CLOEXEC|_LOCK|TXREHASH|DIAG|DESTROY|_IOC/);
export const socketFlags = new Family(['SOCK_CLOEXEC', 'SOCK_NONBLOCK'], undefined, 'SOCK_');
export const ipProtocols = new Family('IPPROTO_', /_MAX$/);
export const netlinkProtocols = new Family('NETLINK_', /MEMBERSHIP|PKTINFO|ERROR|ENOBUFS|RING|NSID|ACK|STRICT|DIAG_./);
export const etherTypes = new Family('ETH_P_');
export const hardwareTypes = new Family('ARPHRD_');
export const packetTypes = new Family(
  'PACKET_',
  /_(?!HOST|BROADCAST|MULTICAST|OTHERHOST|OUTGOING|LOOPBACK|USER|KERNEL|FAST)|_MR_/,
);
/** Not MSG_NOTIFICATION, which SCTP alone has, by the number of MSG_MORE. */
export const messageFlags = new Family('MSG_', /NOTIFICATION/);
export const shutdownHows = new Family('SHUT_');
/** What F_GETFL and F_SETFL know: how a file was opened for reading and writing, and the flags. */
export const accessModes = new Family(['O_RDONLY', 'O_WRONLY', 'O_RDWR', 'O_ACCMODE'], undefined, 'O_');
/** Not O_LARGEFILE, which is 0 where every file may be large. */
export const openFlags = new Family('O_', /RDONLY|WRONLY|RDWR|ACCMODE|NDELAY|RSYNC|LARGEFILE/);
export const descriptorFlags = new Family('FD_', /SETSIZE/);
export const fcntlCommands = new Family('F_', /^F_(OWNER|RDLCK|WRLCK|UNLCK|EXLCK|SHLCK|SEAL_)/);
export const lockTypes = new Family(['F_RDLCK', 'F_WRLCK', 'F_UNLCK'], undefined, 'F_');
export const ownerTypes = new Family('F_OWNER_');
export const seals = new Family('F_SEAL_');
export const eventfdFlags = new Family('EFD_');
export const timerfdFlags = new Family('TFD_');
export const signalfdFlags = new Family('SFD_');
export const clocks = new Family('CLOCK_');
export const signalNames = new Family('SIG', /^SIG_|IOT|POLL/);
export const maskHows = new Family('SIG_');
export const spliceFlags = new Family('SPLICE_F_', /FIXED/);
export const pollEvents = new Family('POLL', /^POLL_/);
export const epollEvents = new Family('EPOLL', /^EPOLL_/);
export const epollFlags = new Family('EPOLL_CLOEXEC', undefined, 'EPOLL_');
export const epollOperations = new Family('EPOLL_CTL_');
export const bluetoothProtocols = new Family('BTPROTO_');
export const canProtocols = new Family(
  ['CAN_RAW', 'CAN_BCM', 'CAN_TP16', 'CAN_TP20', 'CAN_MCNET', 'CAN_ISOTP', 'CAN_J1939'],
  /^CAN_\w+_/,
  'CAN_',
);
export const kcmProtocols = new Family('KCMPROTO_');
export const icmpTypes = new Family(
  'ICMP_',
  /^ICMP_(FILTER|NET_|HOST_|PROT_|PORT_|FRAG|SR_|PKT|PREC|REDIR_|EXC_|UNREACH|EXT)/,
);
export const txRehash = new Family('SOCK_TXREHASH_');
export const tcpStates = new Family(
  'TCP_',
  /^TCP_(?!ESTABLISHED|SYN_|FIN_WAIT|TIME_WAIT|CLOSE|LAST_ACK|LISTEN|NEW_SYN|BOUND)/,
);
export const addrinfoFlags = new Family('AI_');
export const nameinfoFlags = new Family('NI_', /_MAX/);
export const ioctlRequests = new Family(['FIO', 'TIOC', 'SIOC', 'TUN'], /^TUN_/);
export const pidfdFlags = new Family('PIDFD_', /SIGNAL|SELF|INFO|GET/);
export const pidfdSignalFlags = new Family('PIDFD_SIGNAL_');
export const memfdFlags = new Family('MFD_', /HUGE_/);
export const protections = new Family('PROT_');
export const mapFlags = new Family('MAP_', /MAP_(ANON|FILE|FAILED|HUGE_.*|TYPE)$/);
export const cloneFlags = new Family('CLONE_NEW');
export const interfaceFlags = new Family(
  'IFF_',
  /^IFF_(TUN|TAP|NAPI|NO_CARRIER|NO_PI|ONE_QUEUE|VNET_HDR|MULTI_QUEUE|ATTACH|DETACH|PERSIST|NOFILTER|LOWER_UP|DORMANT|ECHO)/,
);
export const packetMemberships = new Family('PACKET_MR_');

export const ringEnterFlags = new Family('IORING_ENTER_', /_(SQ_\w+|REGISTERED_RING|EXT_ARG_REG)$/);
export const ringOperations = new Family('IORING_OP_');
export const ringEntryFlags = new Family('IOSQE_');
export const ringCompletionFlags = new Family('IORING_CQE_F_');
export const ringSetupFlags = new Family('IORING_SETUP_');
export const ringFeatures = new Family('IORING_FEAT_');
