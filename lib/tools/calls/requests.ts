// What fcntl and ioctl ask: the argument and the result of each command.
import { constants, SIOCGIFCONF } from '../../index.js';
import { asBytes, intAt } from '../decode/bytes.js';
import { descriptorFlags, lockTypes, openModes, ownerTypes, seals } from '../decode/families.js';
import {
  hexDigits,
  named,
  nullPointer,
  number,
  pointed,
  pointer,
  quoted,
  type Shown,
  struct,
} from '../decode/notation.js';
import { signal } from '../decode/structs.js';
import type { Answer, Before, Parameter } from './call.js';

type Bytes = ArrayBufferView | ArrayBuffer;

const failed = ({ result }: Answer) => result < 0;
const numbers = (...names: readonly string[]) => new Set(names.map((name) => constants[name] as number));

const withoutArgument = numbers(
  'F_GETFD',
  'F_GETFL',
  'F_GETOWN',
  'F_GETSIG',
  'F_GETLEASE',
  'F_GETPIPE_SZ',
  'F_GET_SEALS',
);
const filledByFcntl = numbers('F_GETLK', 'F_OFD_GETLK', 'F_GETOWN_EX', 'F_GETOWNER_UIDS');

/** How the number that a command takes is shown. */
const fcntlNumbers: Readonly<Record<number, (value: number) => Shown>> = {
  [constants.F_SETFD as number]: (value) => descriptorFlags.flags(value),
  [constants.F_SETFL as number]: openFlags,
  [constants.F_SETSIG as number]: signal,
  [constants.F_SETLEASE as number]: (value) => lockTypes.choice(value),
  [constants.F_ADD_SEALS as number]: (value) => seals.flags(value),
};

/** `O_RDWR|O_NONBLOCK`, where O_RDONLY is 0 and yet written. */
function openFlags(value: number): Shown {
  const accessBits = constants.O_ACCMODE as number;
  const access = openModes.choice(value & accessBits);
  const rest = value & ~accessBits;
  if (rest === 0) return access;
  return named(`${access.text}|${openModes.flags(rest).text}`);
}

function ownerEx(bytes: Uint8Array): Shown {
  return struct({ type: ownerTypes.choice(intAt(bytes)), pid: number(intAt(bytes, 4)) });
}

/** The third argument of fcntl, which some commands do not have. */
export const fcntlArgument = (name: string): Parameter<readonly [number | Bytes]> => ({
  kind: 'struct in',
  names: [name],
  takes: 1,
  show([value], { raw: [, command] }) {
    if (withoutArgument.has(command as number)) return [];
    if (typeof value === 'number') return [(fcntlNumbers[command as number] ?? number)(value)];
    const bytes = asBytes(value) ?? new Uint8Array(0);
    const isOwner = command === constants.F_SETOWN_EX || command === constants.F_GETOWN_EX;
    const show = () => (isOwner && bytes.length >= 8 ? ownerEx(bytes) : pointer(name));
    if (filledByFcntl.has(command as number)) return (answer) => [failed(answer) ? pointer(name) : show()];
    return [show()];
  },
});

/** The result of fcntl, which for some commands is a set of flags. */
export function fcntlResult({ raw: [, command] }: Before, { result }: Answer): Shown | undefined {
  if (result < 0) return undefined;
  const withNote = (label: string, { text, json }: Shown) => ({ text: `${hexDigits(result)} (${label}${text})`, json });
  switch (command) {
    case constants.F_GETFL:
      return withNote('flags ', openFlags(result));
    case constants.F_GETFD:
      return result === 0 ? undefined : withNote('flags ', descriptorFlags.flags(result));
    case constants.F_GET_SEALS:
      return result === 0 ? undefined : withNote('seals ', seals.flags(result));
    case constants.F_GETLEASE:
      return withNote('', lockTypes.choice(result));
    case constants.F_GETSIG:
      return result === 0 ? undefined : named(`${result} (${signal(result).text})`, signal(result).text);
    default:
      return undefined;
  }
}

const takesNothing = numbers('FIOCLEX', 'FIONCLEX');
const takesInt = numbers('FIONBIO', 'FIOASYNC', 'FIOSETOWN', 'SIOCSPGRP');

/** The argument of ioctl: an int to pass or to fill, or a struct. */
export const ioctlArgument = (name: string): Parameter<readonly [number | Bytes | null, Bytes]> => ({
  kind: 'struct in',
  names: [name],
  takes: 2,
  show([value], { raw: [, request], limit }) {
    if (takesNothing.has(request as number)) return [];
    if (value === null) return [nullPointer];
    if (typeof value === 'number') {
      if (takesInt.has(request as number)) return [pointed(number(value))];
      return (answer) => [failed(answer) ? pointer(name) : pointed(number(answer.out[0] as number))];
    }
    const bytes = asBytes(value) ?? new Uint8Array(0);
    if (request === SIOCGIFCONF) {
      return (answer) => [
        failed(answer)
          ? pointer(name)
          : struct({ ifc_len: number(answer.out[0] as number), ifc_buf: pointer('ifc_buf') }),
      ];
    }
    return [quoted(bytes, limit)];
  },
});
