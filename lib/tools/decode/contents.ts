// What socket options and control messages hold, shown from the value that the package's own tables decode it to.
import { packet_mreq, SockAddr, Struct } from '../../index.js';
import { packetMemberships, tcpStates } from './families.js';
import { list, named, number, quoted, type Shown, struct } from './notation.js';
import { inet, inet6, interfaceIndex, sockaddr } from './sockaddr.js';

/** Fields whose number means something, by the end of their name. */
const rules: readonly (readonly [RegExp, (value: number) => Shown])[] = [
  [/ifindex$|_interface$/, interfaceIndex],
  [/^tcpi_state$/, (state) => tcpStates.choice(state)],
  [/^mr_type$/, (type) => packetMemberships.choice(type)],
];

function field(name: string, value: unknown): Shown | undefined {
  if (value === undefined || /_pad/.test(name)) return undefined;
  if (typeof value === 'string') return value.includes(':') ? inet6(value, name) : inet(value);
  const rule = typeof value === 'number' ? rules.find(([pattern]) => pattern.test(name))?.[1] : undefined;
  return rule ? rule(value as number) : value instanceof SockAddr ? sockaddr(value.bytes, name) : content(value);
}

/** The fields of a struct, without those that only fill it up. */
export function fields(value: Struct): Record<string, Shown | undefined> {
  const shown = Object.fromEntries(Object.entries(value.toJSON()).map(([name, each]) => [name, field(name, each)]));
  if (!(value instanceof packet_mreq)) return shown;
  return { ...shown, mr_address: hardwareAddress(value.mr_address.subarray(0, value.mr_alen)) };
}

/** `02:00:00:00:00:01` */
export function hardwareAddress(bytes: Uint8Array): Shown {
  return named(Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(':'));
}

/** A value as the tables of options and control messages give it. Of its text, bytes and numbers nothing is cut. */
export function content(value: unknown): Shown {
  if (typeof value === 'number' || typeof value === 'bigint') return number(value);
  if (typeof value === 'boolean') return number(value ? 1 : 0);
  if (value instanceof Uint8Array) return quoted(value, value.length);
  if (value instanceof SockAddr) return sockaddr(value.bytes, 'address');
  if (Array.isArray(value)) return list(value.map(content));
  if (value instanceof Struct) return struct(fields(value));
  return quoted(Buffer.from(String(value)));
}
