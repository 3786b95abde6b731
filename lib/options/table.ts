// Every socket option that Linux has.

import type { Bytes } from '../native.js';
import type { OptionName } from '../option-name.js';
import type { Struct } from '../structs/struct.js';
import {
  algOptions,
  canRawOptions,
  isotpOptions,
  j1939Options,
  kcmOptions,
  tipcOptions,
  xdpOptions,
} from './families.js';
import { ipOptions, rawOptions } from './ip.js';
import { icmpv6Options, ipv6Options } from './ipv6.js';
import { mptcpOptions } from './mptcp.js';
import { multicastOptions } from './multicast.js';
import { netlinkOptions } from './netlink.js';
import type { Access, Option } from './option.js';
import { packetOptions } from './packet.js';
import { sctpOptions } from './sctp.js';
import { socketOptions } from './socket.js';
import { tcpOptions } from './tcp.js';
import { tlsOptions } from './tls.js';
import { udpliteOptions, udpOptions } from './udp.js';
import { vsockOptions } from './vsock.js';

/** Every socket option that Linux has, by its name in C: its level, what it holds, whether it can be read and set. */
export const optionTable = {
  ...socketOptions,
  ...ipOptions,
  ...rawOptions,
  ...ipv6Options,
  ...icmpv6Options,
  ...multicastOptions,
  ...tcpOptions,
  ...mptcpOptions,
  ...tlsOptions,
  ...udpOptions,
  ...udpliteOptions,
  ...sctpOptions,
  ...packetOptions,
  ...netlinkOptions,
  ...vsockOptions,
  ...xdpOptions,
  ...canRawOptions,
  ...isotpOptions,
  ...j1939Options,
  ...tipcOptions,
  ...kcmOptions,
  ...algOptions,
};

type Table = typeof optionTable;

type Named<A extends Access> = {
  [Name in keyof Table]: Table[Name]['access'] extends A ? Name : never;
}[keyof Table];

/** The name of an option that can be read. */
export type ReadableOption = Named<'read' | 'both'>;
/** The name of an option that can be set. */
export type WritableOption = Named<'write' | 'both'>;

/** What reading an option gives: `OptionValue<'SO_LINGER'>` is `linger`. */
export type OptionValue<Name extends keyof Table> = ReturnType<Table[Name]['content']['decode']>;
/** What can be written to an option: for `'SO_LINGER'` a `linger` or an object of its fields. */
export type OptionInput<Name extends keyof Table> = Parameters<Table[Name]['content']['encode']>[0];

/**
 * The option of a level with a number: what `getsockopt` (or, with `writing`, `setsockopt`) means by them.
 * @param level SOL_SOCKET, IPPROTO_TCP, ...
 * @param number SO_*, TCP_*, ...
 * @param writing which of two is meant where one number reads an option and sets another
 * @returns its row of {@link optionTable}, or undefined
 * @see getsockopt(2)
 */
export function findOption(level: number, number: number, writing = false): Option | undefined {
  const given = [level, number].every((value) => typeof value === 'number');
  return given ? byNumber.get(`${writing === true} ${level} ${number}`) : undefined;
}

// Two names may share a number: one to be read, one to be set (SO_GET_FILTER, SO_ATTACH_FILTER), or the second an
// alias of the first.
const byNumber = new Map<string, Option>();
for (const option of Object.values<Option>(optionTable)) {
  for (const level of option.levels) {
    for (const [writing, access] of [
      [false, 'read'],
      [true, 'write'],
    ] as const) {
      const key = `${writing} ${level} ${option.number}`;
      if ((option.access === access || option.access === 'both') && !byNumber.has(key)) byNumber.set(key, option);
    }
  }
}

// What getsockopt and setsockopt take as the value of an option, by the type of its number in TypeScript.

type NameOf<O> = O extends OptionName<infer Name> ? (Name extends keyof Table ? Name : never) : never;

/** What getsockopt takes after an option: nothing for an int; its struct, or room for its bytes. */
export type Filled<O extends number> = [NameOf<O>] extends [never]
  ? [value?: Struct | Bytes]
  : OptionValue<NameOf<O>> extends number | boolean
    ? [value?: Bytes]
    : [value: Extract<OptionValue<NameOf<O>>, Struct> | Bytes];

/** What setsockopt takes after an option: a number for an int; its struct or structs; or bytes. */
export type Given<O extends number> = [NameOf<O>] extends [never]
  ? number | Struct | readonly Struct[] | Bytes
  : Direct<OptionInput<NameOf<O>>> | Bytes;

type Direct<I> = I extends number | boolean
  ? number
  : I extends Struct
    ? I
    : I extends readonly (infer E)[]
      ? readonly Extract<E, Struct>[]
      : never;
