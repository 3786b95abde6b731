// Socket options: their names, and what they hold.
import { errnoName, findOption, type Option, optionTable } from '../../index.js';
import { intAt } from './bytes.js';
import { content } from './contents.js';
import { Family } from './families.js';
import { named, number, pointed, pointer, quoted, type Shown, struct } from './notation.js';
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
  return name === undefined ? number(option) : named(name);
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
  if (option && /^SO_ATTACH_(FILTER|REUSEPORT_CBPF)$/.test(option.name)) {
    return [struct({ len: number(bytes.length / instructionSize), filter: pointer('filter') }), programSize];
  }
  return [held(option, bytes, limit), bytes.length];
}

function held(option: Option | undefined, bytes: Uint8Array, limit: number): Shown {
  const value = option?.content.decode(bytes);
  if (option?.name === 'SO_ERROR') return pointed(errorName(intAt(bytes)));
  if (option?.content.type === 'struct in_addr') return inet(value as string);
  if (typeof value === 'bigint') return pointed(number(value));
  if (typeof value === 'object' && !(value instanceof Uint8Array)) return content(value);
  return bytes.length === 4 ? pointed(number(intAt(bytes))) : quoted(bytes, limit);
}

function errorName(errno: number): Shown {
  return errno === 0 ? number(0) : named(errnoName(errno));
}
