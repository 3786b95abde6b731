// The kinds of parameters that calls have. Each says which C arguments it stands for and how they are shown.
import {
  AF_BLUETOOTH,
  AF_CAN,
  AF_INET,
  AF_INET6,
  AF_KCM,
  AF_NETLINK,
  AF_PACKET,
  constants,
  EPOLL_CTL_DEL,
  findOption,
  ntohs,
} from '../../index.js';
import { asBytes } from '../decode/bytes.js';
import type { Family } from '../decode/families.js';
import * as families from '../decode/families.js';
import { buffersOf, controlMessages, iovec } from '../decode/messages.js';
import {
  change,
  hex,
  list,
  named,
  nullPointer,
  number,
  pointed,
  pointer,
  quoted,
  type Shown,
  struct,
} from '../decode/notation.js';
import { lengthGiven, lengthUnit, optionLevels, optionName, optionsOf, optionValue } from '../decode/options.js';
import { etherType, sockaddr } from '../decode/sockaddr.js';
import * as structs from '../decode/structs.js';
import type { Answer, Before, Parameter, ParameterKind } from './call.js';

type Bytes = ArrayBufferView | ArrayBuffer;
type Number = Parameter<readonly [number]>;

/** A parameter of one C argument that stands for one raw argument. */
function single<T>(
  kind: ParameterKind,
  name: string,
  show: (value: T, before: Before) => Shown | ((answer: Answer) => Shown),
  choices?: Parameter['choices'],
): Parameter<readonly [T]> {
  return {
    kind,
    names: [name],
    takes: 1,
    show([value], before) {
      const shown = show(value, before);
      return typeof shown === 'function' ? (answer) => [shown(answer)] : [shown];
    },
    ...(choices && { choices }),
  };
}

const failed = ({ result }: Answer) => result < 0;

// Of a buffer that never had any room the kernel gets a null pointer.
const isNull = (bytes: Uint8Array) => bytes.buffer.byteLength === 0;

/** A number that is only a number. */
export const int = (name: string): Number => single('number', name, number);

/** A number whose bits say something. */
export const bits = (name: string): Number => single('number', name, hex);

/** A descriptor. */
export const fd = (name: string): Number => single('descriptor', name, number);

/** Flags of a family. */
export const flags = (name: string, family: Family): Number =>
  single(
    'flags',
    name,
    (value) => family.flags(value),
    () => family.names,
  );

/** One of a family. */
export const choice = (name: string, family: Family): Number =>
  single(
    'choice',
    name,
    (value) => family.choice(value),
    () => family.names,
  );

/** A signal, or 0 for none. */
export const signal = (name: string): Number =>
  single(
    'choice',
    name,
    (value) => (value === 0 ? number(0) : families.signalNames.choice(value)),
    () => families.signalNames.names,
  );

/** A type of socket, with flags. */
export function showSocketType(value: number): Shown {
  const type = families.socketTypes.nameOf(value & 0xf);
  if (type === undefined) return families.socketFlags.flags(value);
  const rest = (value & ~0xf) >>> 0;
  return named(rest === 0 ? type : `${type}|${families.socketFlags.flags(rest).text}`);
}

/** A socket's type, with flags. */
export const socketType = (name: string): Number =>
  single('flags', name, showSocketType, () => [...families.socketTypes.names, ...families.socketFlags.names]);

/** The protocols of each address family that has names for them. */
const protocols: Readonly<Record<number, Family>> = {
  [AF_INET]: families.ipProtocols,
  [AF_INET6]: families.ipProtocols,
  [AF_NETLINK]: families.netlinkProtocols,
  [AF_BLUETOOTH]: families.bluetoothProtocols,
  [AF_CAN]: families.canProtocols,
  [AF_KCM]: families.kcmProtocols,
};

function protocolChoices(earlier: readonly string[]): readonly string[] {
  const domain = constants[earlier[0] ?? ''] ?? -1;
  return (domain === AF_PACKET ? families.etherTypes : protocols[domain])?.names ?? [];
}

/** A protocol, which means something else in each address family. */
export const protocol = (name: string): Number =>
  single(
    'choice',
    name,
    (value, { raw: [domain] }) =>
      domain === AF_PACKET
        ? etherType(ntohs(value & 0xffff))
        : (protocols[domain as number]?.choice(value) ?? number(value)),
    protocolChoices,
  );

/** An address that the program gives. */
export const address = (name: string, length: string): Parameter<readonly [Bytes | null]> => ({
  kind: 'address in',
  names: [name, length],
  takes: 1,
  show([value]) {
    const bytes = asBytes(value);
    if (bytes === null || isNull(bytes)) return [nullPointer, number(0)];
    return [sockaddr(bytes, name), number(bytes.length)];
  },
});

/** Room for an address, whose length the kernel leaves in `out[0]`. */
export const addressRoom = (name: string, length: string): Parameter<readonly [Bytes | null]> => ({
  kind: 'address out',
  names: [name, length],
  takes: 1,
  show([value]) {
    const room = asBytes(value);
    if (room === null) return [nullPointer, nullPointer];
    const before = number(room.length);
    return (answer) => {
      if (failed(answer)) return [pointer(name), pointed(before)];
      const after = answer.out[0] as number;
      return [sockaddr(room.subarray(0, after), name), pointed(change(before, number(after)))];
    };
  },
});

/** Bytes that the program gives. */
export const bytes = (name: string, length: string): Parameter<readonly [Bytes]> => ({
  kind: 'bytes in',
  names: [name, length],
  takes: 1,
  show([value], { limit }) {
    const given = asBytes(value) ?? new Uint8Array(0);
    return [isNull(given) ? nullPointer : quoted(given, limit), number(given.length)];
  },
});

/** Room for as many bytes as the result says. */
export const bytesRoom = (name: string, length: string): Parameter<readonly [Bytes]> => ({
  kind: 'bytes out',
  names: [name, length],
  takes: 1,
  show([value], { limit }) {
    const room = asBytes(value) ?? new Uint8Array(0);
    return (answer) => [
      failed(answer) ? pointer(name) : quoted(room.subarray(0, answer.result), limit),
      number(room.length),
    ];
  },
});

/** Memory that is only named, and its length; or null. */
export const memory = (name: string, length: string): Parameter<readonly [Bytes | null]> => ({
  kind: 'bytes out',
  names: [name, length],
  takes: 1,
  show([value]) {
    const there = asBytes(value);
    return there === null ? [nullPointer, number(0)] : [pointer(name), number(there.length)];
  },
});

/** Several buffers that the program gives. */
export const vector = (name: string, count: string): Parameter<readonly [readonly Bytes[] | Bytes]> => ({
  kind: 'bytes in',
  names: [name, count],
  takes: 1,
  show([value], { limit }) {
    const buffers = buffersOf(value);
    return [iovec(buffers, Number.POSITIVE_INFINITY, limit), number(buffers.length)];
  },
});

/** Several buffers to fill with as many bytes as the result says. */
export const vectorRoom = (name: string, count: string): Parameter<readonly [readonly Bytes[] | Bytes]> => ({
  kind: 'bytes out',
  names: [name, count],
  takes: 1,
  show([value], { limit }) {
    const buffers = buffersOf(value);
    return (answer) => [iovec(buffers, failed(answer) ? null : answer.result, limit), number(buffers.length)];
  },
});

type MessageParts = readonly [iov: readonly Bytes[] | Bytes, name: Bytes | null, control: Bytes | null];

/** The fields of a msghdr, and what the kernel made of them: lengths and flags. */
interface MessageFields {
  readonly buffers: readonly Uint8Array[];
  readonly name: Uint8Array | null;
  readonly control: Uint8Array | null;
  readonly filled: number;
  readonly nameLength: number;
  readonly controlLength: number;
  readonly flags: number;
}

function msghdr(fields: MessageFields, limit: number): Shown {
  const { buffers, name, control, filled, nameLength, controlLength, flags } = fields;
  return struct({
    msg_name: name === null ? nullPointer : sockaddr(name.subarray(0, nameLength), 'msg_name'),
    msg_namelen: change(number(name?.length ?? 0), number(nameLength)),
    msg_iov: iovec(buffers, filled, limit),
    msg_iovlen: number(buffers.length),
    msg_control:
      control === null || controlLength === 0 ? undefined : controlMessages(control.subarray(0, controlLength)),
    msg_controllen: number(controlLength),
    msg_flags: families.messageFlags.flags(flags),
  });
}

/** A msghdr that the program gives. */
export const message = (name: string): Parameter<MessageParts> => ({
  kind: 'message in',
  names: [name],
  takes: 3,
  show([iov, peer, control], { limit }) {
    const [nameBytes, controlBytes] = [asBytes(peer), asBytes(control)];
    const parts = { buffers: buffersOf(iov), name: nameBytes, control: controlBytes };
    const lengths = { nameLength: nameBytes?.length ?? 0, controlLength: controlBytes?.length ?? 0 };
    return [msghdr({ ...parts, ...lengths, filled: Number.POSITIVE_INFINITY, flags: 0 }, limit)];
  },
});

/** A msghdr to be filled; `out` has its lengths and flags. */
export const messageRoom = (name: string): Parameter<MessageParts> => ({
  kind: 'message out',
  names: [name],
  takes: 3,
  show([iov, peer, control], { limit }) {
    const parts = { buffers: buffersOf(iov), name: asBytes(peer), control: asBytes(control) };
    return (answer) => {
      if (failed(answer)) return [struct({ msg_namelen: number(parts.name?.length ?? 0) })];
      const [nameLength, controlLength, flags] = answer.out as unknown as readonly [number, number, number];
      return [msghdr({ ...parts, nameLength, controlLength, flags, filled: answer.result }, limit)];
    };
  },
});

type BatchParts = readonly [
  payload: Bytes,
  names: Bytes | null,
  controls: Bytes | null,
  table: Bytes,
  first: number,
  count: number,
];

interface BatchMessage extends MessageFields {
  readonly sent: number;
}

// The messages of a batch lie side by side: slot i has the i-th stretch of each buffer, and the i-th entry of each
// column of the table: the lengths of payload, name and control messages, the flags, and what was sent.
function batchMessages([payload, names, controls, table, first, count]: BatchParts, all: boolean): BatchMessage[] {
  const data = asBytes(payload) as Uint8Array;
  const cells = Uint8Array.from(asBytes(table) as Uint8Array); // copied: a Buffer may lie at an odd place of its memory
  const columns = new Int32Array(cells.buffer, 0, cells.length >> 2);
  const slots = Math.floor(columns.length / 5);
  if (!(first >= 0 && first <= slots)) throw new RangeError('there is no such slot');
  const stretch = (bytes: Uint8Array | null, slot: number) => {
    const size = Math.floor((bytes?.length ?? 0) / slots);
    return bytes === null ? null : bytes.subarray(slot * size, (slot + 1) * size);
  };
  return Array.from({ length: Math.min(count, slots - first) }, (_, i) => {
    const slot = first + i;
    const [length, nameLength, controlLength, flags, sent] = Array.from(
      { length: 5 },
      (_, column) => columns[column * slots + slot] as number,
    ) as [number, number, number, number, number];
    const buffer = stretch(data, slot) as Uint8Array;
    const name = stretch(asBytes(names), slot);
    return {
      buffers: [all ? buffer.subarray(0, length) : buffer],
      name: all ? (name?.subarray(0, nameLength) ?? null) : name,
      control: stretch(asBytes(controls), slot),
      filled: length,
      nameLength,
      controlLength,
      flags: all ? 0 : flags,
      sent,
    };
  });
}

/** Messages that the program gives. */
export const batch = (name: string, length: string): Parameter<BatchParts> => ({
  kind: 'message in',
  names: [name, length],
  takes: 6,
  show(parts, { limit }) {
    const headers = batchMessages(parts, true).map((fields) => msghdr(fields, limit));
    return ({ result }) => {
      const sent = batchMessages(parts, true).map((message) => number(message.sent));
      const messages = headers.map((msg_hdr, i) => struct({ msg_hdr, msg_len: i < result ? sent[i] : undefined }));
      return [list(messages, limit), number(parts[5])];
    };
  },
});

/** Messages to be filled. */
export const batchRoom = (name: string, length: string): Parameter<BatchParts> => ({
  kind: 'message out',
  names: [name, length],
  takes: 6,
  show(parts, { limit }) {
    return (answer) => {
      if (failed(answer)) return [pointer(name), number(parts[5])];
      const messages = batchMessages(parts, false).slice(0, answer.result);
      const shown = messages.map((fields) =>
        struct({ msg_hdr: msghdr(fields, limit), msg_len: number(fields.filled) }),
      );
      return [list(shown, limit), number(parts[5])];
    };
  },
});

/** Two descriptors that the call makes, in `out`. */
export const pair = (name: string): Parameter<readonly []> => ({
  kind: 'descriptors out',
  names: [name],
  takes: 0,
  show: () => (answer) => [
    failed(answer) ? pointer(name) : list([number(answer.out[0] as number), number(answer.out[1] as number)]),
  ],
});

/** An option's level. */
export const level = (name: string): Number => choice(name, optionLevels);

/** An option, which the level before it tells. */
export const option = (name: string, writing: boolean): Number =>
  single(
    'choice',
    name,
    (value, { raw: [, levelNumber] }) => optionName(levelNumber as number, value, writing),
    (earlier) => optionsOf(constants[earlier[1] ?? ''] ?? -1),
  );

/** What an option is set to. */
export const optionGiven = (name: string, length: string): Parameter<readonly [number | Bytes]> => ({
  kind: 'struct in',
  names: [name, length],
  takes: 1,
  show([value], { raw: [, levelNumber, optname], limit }) {
    const given = asBytes(typeof value === 'number' ? Int32Array.of(value) : value) ?? new Uint8Array(0);
    const [shown, size] = optionValue(findOption(levelNumber as number, optname as number, true), given, limit);
    return [isNull(given) ? nullPointer : shown, number(size)];
  },
});

/** Room for what an option holds; its length is in `out[0]`. */
export const optionRoom = (name: string, length: string): Parameter<readonly [Bytes]> => ({
  kind: 'struct out',
  names: [name, length],
  takes: 1,
  show([value], { raw: [, levelNumber, optname], limit }) {
    const room = asBytes(value) ?? new Uint8Array(0);
    const option = findOption(levelNumber as number, optname as number);
    const length = (size: number) => number(size / lengthUnit(option));
    return (answer) => {
      const size = answer.out[0] as number;
      const lengths = pointed(change(length(lengthGiven(option, room.length)), length(size)));
      if (failed(answer) || size === 0) return [pointer(name), lengths];
      return [optionValue(option, room.subarray(0, size), limit)[0], lengths];
    };
  },
});

/** A struct that the program gives, or null. */
export const given = (name: string, show: (bytes: Uint8Array) => Shown): Parameter<readonly [Bytes | null]> =>
  single('struct in', name, (value) => {
    const bytes = asBytes(value);
    return bytes === null ? nullPointer : show(bytes);
  });

/** A struct that the call fills, or null. */
export const room = (name: string, show: (bytes: Uint8Array) => Shown): Parameter<readonly [Bytes | null]> =>
  single('struct out', name, (value) => {
    const bytes = asBytes(value);
    return bytes === null ? nullPointer : (answer) => (failed(answer) ? pointer(name) : show(bytes));
  });

/** A poll set, as the program gives it. */
export const pollfds = (name: string, count: string): Parameter<readonly [Bytes]> => ({
  kind: 'struct in',
  names: [name, count],
  takes: 1,
  show([value], { limit }) {
    const fds = asBytes(value) ?? new Uint8Array(0);
    return [isNull(fds) ? nullPointer : structs.showPollfds(fds, limit), number(structs.pollfdCount(fds))];
  },
});

/** A set of descriptors for select, as the program gives it. */
export const fdset = (name: string): Parameter<readonly [Bytes | null]> =>
  single('struct in', name, (value, { raw: [nfds] }) => {
    const set = asBytes(value);
    return set === null ? nullPointer : structs.showFdset(set, nfds as number);
  });

/** What epoll_ctl is to watch for. */
export const epollEvent = (name: string): Parameter<readonly [Bytes | null]> =>
  single(
    'struct in',
    name,
    (value, { raw: [, operation] }) => {
      const event = asBytes(value);
      if (event === null) return nullPointer;
      return operation === EPOLL_CTL_DEL ? pointer(name) : structs.showEpollEvent(event);
    },
    () => families.epollEvents.names,
  );

/** Room for events. */
export const epollRoom = (name: string, count: string): Parameter<readonly [Bytes]> => ({
  kind: 'struct out',
  names: [name, count],
  takes: 1,
  show([value], { limit }) {
    const events = asBytes(value) ?? new Uint8Array(0);
    return (answer) => [
      failed(answer) ? pointer(name) : structs.showEpollEvents(events, answer.result, limit),
      number(structs.epollEventCount(events)),
    ];
  },
});

/**
 * A place in a file, or null for the file's own.
 * @param moves whether the kernel moves it on by the result
 */
export const offset = (name: string, moves: boolean): Parameter<readonly [number | null]> =>
  single('number', name, (value) => {
    if (value === null || value === undefined) return nullPointer;
    const before = pointed(number(value));
    if (!moves) return before;
    return ({ result }) => (result > 0 ? change(before, pointed(number(value + result))) : before);
  });

/** Text as UTF-8, or null. */
export const text = (name: string): Parameter<readonly [Uint8Array | null]> =>
  single('text', name, (value) => {
    const bytes = asBytes(value);
    return bytes === null ? nullPointer : quoted(bytes, bytes.length);
  });
