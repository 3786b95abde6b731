// Constants that belong together, found by how their names begin: the families from which flags and choices are named.
import { constants } from '../../index.js';
import { hexDigits, number, type Shown } from './notation.js';

export class Family {
  /** The family's names, as the header lists them. */
  readonly names: readonly string[];
  readonly #label: string;
  // Of two names for one value the first.
  readonly #byValue = new Map<number, string>();

  /**
   * @param prefixes how the names begin
   * @param without those that begin so and are something else, or name the same thing twice
   */
  constructor(prefixes: string | readonly string[], without: RegExp = /^$/) {
    const beginnings = typeof prefixes === 'string' ? [prefixes] : prefixes;
    this.#label = `${beginnings[0]}???`;
    this.names = Object.keys(constants).filter(
      (name) => beginnings.some((beginning) => name.startsWith(beginning)) && !without.test(name),
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
    const found: string[] = [];
    let left = value >>> 0;
    for (const [bits, name] of this.#byValue) {
      const flag = bits >>> 0;
      if (flag === 0 || (left & flag) >>> 0 !== flag) continue;
      found.push(name);
      left = (left & ~flag) >>> 0;
    }
    if (found.length === 0) return { text: `${hexDigits(left)} /* ${this.#label} */`, json: hexDigits(left) };
    if (left !== 0) found.push(hexDigits(left));
    return { text: found.join('|'), json: found.join('|') };
  }
}

export const addressFamilies = new Family('AF_');
export const socketTypes = new Family('SOCK_', /NONBLOCK|CLOEXEC|_LOCK|TXREHASH|DIAG|DESTROY/);
export const socketFlags = new Family(['SOCK_NONBLOCK', 'SOCK_CLOEXEC']);
export const ipProtocols = new Family('IPPROTO_');
export const netlinkProtocols = new Family('NETLINK_', /MEMBERSHIP|PKTINFO|ERROR|ENOBUFS|RING|NSID|ACK|STRICT|DIAG_./);
export const etherTypes = new Family('ETH_P_');
export const hardwareTypes = new Family('ARPHRD_');
export const packetTypes = new Family(
  'PACKET_',
  /_(?!HOST|BROADCAST|MULTICAST|OTHERHOST|OUTGOING|LOOPBACK|USER|KERNEL|FAST)|_MR_/,
);
export const messageFlags = new Family('MSG_');
export const shutdownHows = new Family('SHUT_');
export const openModes = new Family('O_', /ACCMODE|NDELAY|RSYNC/);
export const descriptorFlags = new Family('FD_', /SETSIZE/);
export const fcntlCommands = new Family('F_', /^F_(OWNER|RDLCK|WRLCK|UNLCK|SEAL_)/);
export const lockTypes = new Family(['F_RDLCK', 'F_WRLCK', 'F_UNLCK']);
export const ownerTypes = new Family('F_OWNER_');
export const seals = new Family('F_SEAL_');
export const eventfdFlags = new Family('EFD_');
export const timerfdFlags = new Family('TFD_');
export const signalfdFlags = new Family('SFD_');
export const clocks = new Family('CLOCK_');
export const signalNames = new Family('SIG', /^SIG_|IOT|POLL/);
export const maskHows = new Family('SIG_');
export const spliceFlags = new Family('SPLICE_F_', /FIXED/);
export const pollEvents = new Family('POLL');
export const epollEvents = new Family('EPOLL', /^EPOLL_/);
export const epollFlags = new Family('EPOLL_CLOEXEC');
export const epollOperations = new Family('EPOLL_CTL_');
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
