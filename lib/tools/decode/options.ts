// Socket options: their names, and what they hold.
import { errnoName, findOption, ip_mreq, type Option, optionTable, tcp_ao_getsockopt } from '../../index.js';
import { intAt } from './bytes.js';
import { content } from './contents.js';
import { Family, icmpTypes, txRehash } from './families.js';
import { hexDigits, list, named, number, pointed, pointer, quoted, type Shown, struct } from './notation.js';
import { inet } from './sockaddr.js';

/** The levels, of which vsock's is its address family. */
export const optionLevels = new Family(['SOL_', 'AF_VSOCK']);

const instructionSize = 8; // struct sock_filter
const programSize = 16; // struct sock_fprog, which this package makes of the instructions

/** The options of a level, for who is to choose one. */
export function optionsOf(level: number): readonly string[] {
  return Object.values<Option>(optionTable)
    .filter(({ levels }) => levels.includes(level))
    .map(({ name }) => name);
}

/** An option's name. */
export function optionName(level: number, option: number, writing: boolean): Shown {
  const name = (findOption(level, option, writing) ?? findOption(level, option, !writing))?.name;
  if (name !== undefined) return named(name);
  const family = optionLevels.nameOf(level)?.replace(/^SOL_(SOCKET)?/, (_, socket) => (socket ? 'SO' : ''));
  if (family === undefined || optionsOf(level).length === 0) return number(option);
  return { text: `${hexDigits(option >>> 0)} /* ${family}_??? */`, json: option };
}

/**
 * What an option holds: an int, a struct, or bytes.
 * @param bytes what the program gives, or what the kernel wrote
 * @returns how it is shown, and the length that C gives it
 */
export function optionValue(
  option: Option | undefined,
  bytes: Uint8Array,
  limit: number,
): readonly [shown: Shown, length: number] {
  if (option && /^SO_ATTACH_(FILTER|REUSEPORT_CBPF)$|^PACKET_FANOUT_DATA$/.test(option.name)) {
    return [struct({ len: number(bytes.length / instructionSize), filter: pointer('filter') }), programSize];
  }
  return [held(option, bytes, limit), bytes.length];
}

/** What an option's length counts: bytes, but for one that counts instructions. */
export function lengthUnit(option: Option | undefined): number {
  return option?.name === 'SO_GET_FILTER' ? instructionSize : 1;
}

/** The length that the kernel is given for so much room: that of one key, however many there is room for. */
export function lengthGiven(option: Option | undefined, room: number): number {
  return option?.name === 'TCP_AO_GET_KEYS' ? Math.min(room, tcp_ao_getsockopt.size) : room;
}

function held(option: Option | undefined, bytes: Uint8Array, limit: number): Shown {
  if (option === undefined) return plain(bytes, limit);
  const special = specials[option.name];
  if (special && bytes.length >= 4) return special(intAt(bytes));
  if (/^IP_(ADD|DROP)_MEMBERSHIP$/.test(option.name) && bytes.length === ip_mreq.size)
    return content(new ip_mreq(bytes));
  const value = option.content.decode(bytes);
  if (option.content.type.startsWith('struct in_addr')) return inet(value as string);
  if (typeof value === 'bigint') return pointed(number(value));
  return typeof value === 'object' && !(value instanceof Uint8Array) ? content(value) : plain(bytes, limit);
}

function plain(bytes: Uint8Array, limit: number): Shown {
  return bytes.length === 4 ? pointed(number(intAt(bytes))) : quoted(bytes, limit);
}

/** Ints that say more than their number. */
const specials: Readonly<Record<string, (value: number) => Shown>> = {
  SO_ERROR: (errno) => pointed(errno === 0 ? number(0) : named(errnoName(errno))),
  SO_TXREHASH: (value) => pointed(txRehash.choice(value)),
  ICMP_FILTER: icmpFilter,
};

/** The ICMP types that are kept out; of most types those that are not: `~[ICMP_ECHOREPLY]` */
function icmpFilter(bits: number): Shown {
  const types = Array.from({ length: 32 }, (_, type) => type);
  const inverted = types.filter((type) => (bits >>> type) & 1).length > 16;
  const { text, json } = list(
    types.filter((type) => ((bits >>> type) & 1) === (inverted ? 0 : 1)).map((type) => icmpTypes.choice(type)),
    undefined,
    ' ',
  );
  return { text: `${inverted ? '~' : ''}${text}`, json };
}
