// The calls of the language, played on a floor.
import { endianness } from 'node:os';
import { errnoName } from 'posix-sockets';
import type { Floor } from './floors.js';
import { integer, type Result, Unsayable, type Value } from './language.js';
import {
  type Address,
  addressBytes,
  type Control,
  controlBytes,
  type Data,
  dataBytes,
  hexOf,
  longs,
  readAddress,
  readControl,
  readInt,
  readInts,
  readLongs,
  readU64,
  written,
} from './values.js';

type Fields = { [key: string]: Value | undefined };

/** A time: milliseconds, or the struct as it is. */
type Time = number | { s: number; ns?: number; us?: number } | null;

const little = endianness() === 'LE';
const sizeofPollfd = 8;
// epoll_event is packed on x86-64 and nowhere else.
const [sizeofEvent, eventData] = process.arch === 'x64' ? [12, 4] : [16, 8];
const sizeofSigset = 128;
const sizeofItimerspec = 32;
const billion = 1_000_000_000n;

// A raw call's number, and with it what the call read and filled in. On failure there is nothing to see.
function result(value: number, more: () => Omit<Result, 'value' | 'errno'> = () => ({})): Result {
  return value < 0 ? { value: -1, errno: errnoName(value) } : { value, ...more() };
}

// For a call that in C returns a pointer to text, and here its length.
function textResult(length: number, text: Uint8Array): Result {
  if (length < 0) return result(length);
  return { value: 0, fields: { text: Buffer.from(text.subarray(0, length)).toString() } };
}

/** A C int, which may be written as unsigned. */
const int = (value: number) => value | 0;

function room(size: number): Uint8Array {
  if (size < 0) throw new Unsayable('a negative length');
  return new Uint8Array(size);
}

/** Room, or for -1 a null pointer. */
const roomOrNull = (size: number) => (size < 0 ? null : new Uint8Array(size));

const addressOrNull = (address: Address | null | undefined) => (address ? addressBytes(address) : null);

function controlOrNull(messages: readonly Control[] | null | undefined): Uint8Array | null {
  return messages && messages.length > 0 ? controlBytes(messages) : null;
}

// For buffers that were filled one after the other, the first `count` bytes.
const filled = (buffers: readonly Uint8Array[], count: number) => hexOf(Buffer.concat(buffers).subarray(0, count));

const pair = (out: Int32Array): [number, number] => [out[0] as number, out[1] as number];

/** A timeval or timespec, whose second half is in micro or nanoseconds. */
function time(given: Time | undefined, perSecond: number): Uint8Array | null {
  if (given === null || given === undefined) return null;
  if (typeof given !== 'number') return longs([given.s, given.ns ?? given.us ?? 0]);
  const milliseconds = BigInt(given);
  const [seconds, rest] = floorDivide(milliseconds, 1000n);
  return longs([seconds, (rest * BigInt(perSecond)) / 1000n]);
}

const timeval = (given: Time | undefined) => time(given, 1_000_000);
const timespec = (given: Time | undefined) => time(given, 1_000_000_000);

function floorDivide(value: bigint, by: bigint): [quotient: bigint, rest: bigint] {
  const rest = ((value % by) + by) % by;
  return [(value - rest) / by, rest];
}

function signalSet(signals: readonly number[] | null | undefined): Uint8Array | null {
  if (!signals) return null;
  const bits = signals.reduce((set, signal) => set | (1n << BigInt(signal - 1)), 0n);
  return written(sizeofSigset, (view) => view.setBigUint64(0, bits, little));
}

function pollfds(fds: readonly { fd: number; events: number }[]): Uint8Array {
  return written(fds.length * sizeofPollfd, (view) => {
    for (const [i, { fd, events }] of fds.entries()) {
      view.setInt32(i * sizeofPollfd, fd, little);
      view.setInt16(i * sizeofPollfd + 4, events, little);
    }
  });
}

function revents(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer);
  return Array.from({ length: bytes.length / sizeofPollfd }, (_, i) => view.getInt16(i * sizeofPollfd + 6, little));
}

function epollEvent({ events, data }: { events: number; data: number | bigint }): Uint8Array {
  return written(sizeofEvent, (view) => {
    view.setUint32(0, events, little);
    view.setBigUint64(eventData, BigInt(data), little);
  });
}

// maxevents is as many as there is room for: for a number that is too large, room for one more than the kernel's limit.
function eventRoom(max: number): Uint8Array {
  const limit = Math.floor(0x7fffffff / sizeofEvent);
  return new Uint8Array(Math.min(Math.max(0, max), limit + 1) * sizeofEvent);
}

function epollEvents(bytes: Uint8Array, count: number): Value[] {
  const view = new DataView(bytes.buffer);
  return Array.from({ length: count }, (_, i) => ({
    events: view.getUint32(i * sizeofEvent, little),
    data: integer(view.getBigUint64(i * sizeofEvent + eventData, little)),
  }));
}

type FdList = readonly number[] | null;

// fd_sets long enough for the call: FD_SETSIZE bits, or as many as nfds says.
function fdSets(nfds: number, lists: readonly FdList[]): (Uint8Array | null)[] {
  const size = Math.ceil(Math.max(1024, nfds) / 64) * 8;
  return lists.map(
    (list) =>
      list &&
      written(size, (view) => {
        for (const fd of list) {
          if (fd >= 0 && fd < 1024) view.setUint8(fdByte(fd), view.getUint8(fdByte(fd)) | (1 << (fd & 7)));
        }
      }),
  );
}

// An fd_set is made of longs.
const fdByte = (fd: number) => (little ? fd >> 3 : (fd >> 3) ^ 7);

function fdsLeft(lists: readonly FdList[], sets: readonly (Uint8Array | null)[]): Fields {
  const left = lists.map((list, i) => list?.filter((fd) => ((sets[i]?.[fdByte(fd)] ?? 0) >> (fd & 7)) & 1) ?? []);
  return { read: left[0], write: left[1], except: left[2] };
}

/** A message for sendmmsg, or the room for one of recvmmsg. */
interface Slot {
  readonly payload: Uint8Array;
  readonly name: Uint8Array | null;
  readonly control: Uint8Array | null;
}

// The buffers and the table that sendmmsg and recvmmsg work on: all slots are as large as the largest.
class Batch {
  readonly payloads: Uint8Array;
  readonly names: Uint8Array | null;
  readonly controls: Uint8Array | null;
  /** Five columns: the lengths of payload, name and control messages, the flags, and what was sent. */
  readonly table: Int32Array;
  readonly count: number;
  readonly #size: number;

  constructor(slots: readonly Slot[]) {
    this.count = slots.length;
    this.#size = Math.max(1, slots.length);
    this.payloads = this.#lay(slots.map(({ payload }) => payload)) ?? room(0);
    this.names = this.#lay(slots.map(({ name }) => name));
    this.controls = this.#lay(slots.map(({ control }) => control));
    this.table = new Int32Array(5 * this.#size);
    for (const [i, { payload, name, control }] of slots.entries()) {
      const lengths = [payload.length, name?.length ?? 0, control?.length ?? 0];
      for (const [column, length] of lengths.entries()) this.table[column * this.#size + i] = length;
    }
  }

  #lay(parts: readonly (Uint8Array | null)[]): Uint8Array | null {
    const stride = Math.max(0, ...parts.map((part) => part?.length ?? 0));
    if (stride === 0) return null;
    const all = new Uint8Array(this.#size * stride);
    for (const [i, part] of parts.entries()) if (part) all.set(part, i * stride);
    return all;
  }

  #slot(all: Uint8Array | null, i: number): Uint8Array {
    const stride = (all?.length ?? 0) / this.#size;
    return all?.subarray(i * stride, (i + 1) * stride) ?? room(0);
  }

  #cell(column: number, i: number): number {
    return this.table[column * this.#size + i] as number;
  }

  sent(i: number): number {
    return this.#cell(4, i);
  }

  received(i: number): Fields {
    const [length, nameLength, controlLength, flags] = [0, 1, 2, 3].map((column) => this.#cell(column, i)) as [
      number,
      number,
      number,
      number,
    ];
    return {
      len: length,
      bytes: hexOf(this.#slot(this.payloads, i).subarray(0, length)),
      flags,
      controllen: controlLength,
      control: readControl(this.#slot(this.controls, i).subarray(0, controlLength)),
      addr: nameLength > 0 ? readAddress(this.#slot(this.names, i), nameLength) : null,
    };
  }
}

const allSame = (values: readonly unknown[]) => values.every((value) => value === values[0]);

/** Nanoseconds in an itimerspec. */
function timerFields(bytes: Uint8Array): Fields {
  const [seconds = 0n, nanos = 0n, valueSeconds = 0n, valueNanos = 0n] = readLongs(bytes);
  return {
    interval_ns: integer(seconds * billion + nanos),
    value_ns: integer(valueSeconds * billion + valueNanos),
  };
}

type Timer = { interval_ns: number; value_ns: number } | { interval: [number, number]; value: [number, number] };

function itimerspec(timer: Timer): Uint8Array {
  if ('interval' in timer) return longs([...timer.interval, ...timer.value]);
  return longs([timer.interval_ns, timer.value_ns].flatMap((nanos) => floorDivide(BigInt(nanos), billion)));
}

/** Every call of the language that the package has, on one floor. */
export function callsOn({ calls, getaddrinfo, getnameinfo }: Floor) {
  const { out } = calls;

  // For the calls that answer with an address.
  const named = (value: number, bytes: Uint8Array | null): Result =>
    result(value, () => ({ fields: { addr: bytes && readAddress(bytes, out[0] as number) } }));

  return {
    // Endpoints
    socket: (domain: number, type: number, protocol: number) =>
      result(calls.socket(int(domain), int(type), int(protocol))),
    socketpair: (domain: number, type: number, protocol: number) =>
      result(calls.socketpair(int(domain), int(type), int(protocol)), () => ({ pair: pair(out) })),
    bind: (fd: number, address: Address | null) => result(calls.bind(fd, addressOrNull(address) ?? room(0))),
    listen: (fd: number, backlog: number) => result(calls.listen(fd, int(backlog))),
    connect: (fd: number, address: Address | null) => result(calls.connect(fd, addressOrNull(address) ?? room(0))),
    accept4(fd: number, flags = 0, size = 128) {
      const bytes = roomOrNull(size);
      return named(calls.accept4(fd, bytes, flags), bytes);
    },
    getsockname(fd: number, size = 128) {
      const bytes = room(size);
      return named(calls.getsockname(fd, bytes), bytes);
    },
    getpeername(fd: number, size = 128) {
      const bytes = room(size);
      return named(calls.getpeername(fd, bytes), bytes);
    },
    shutdown: (fd: number, how: number) => result(calls.shutdown(fd, int(how))),

    // Transfer
    send: (fd: number, data: Data | null, flags: number) => result(calls.send(fd, dataBytes(data), flags)),
    sendto: (fd: number, data: Data | null, flags: number, to: Address | null) =>
      result(calls.sendto(fd, dataBytes(data), flags, addressOrNull(to))),
    recv(fd: number, size: number, flags: number) {
      const bytes = room(size);
      const value = calls.recv(fd, bytes, flags);
      return result(value, () => ({ bytes: hexOf(bytes.subarray(0, value)) }));
    },
    recvfrom(fd: number, size: number, flags: number, addressSize = 128) {
      const [bytes, from] = [room(size), room(addressSize)];
      const value = calls.recvfrom(fd, bytes, flags, from);
      const length = out[0] as number;
      return result(value, () => ({
        bytes: hexOf(bytes.subarray(0, value)),
        fields: { addr: length > 0 ? readAddress(from, length) : null },
      }));
    },
    read(fd: number, size: number) {
      const bytes = room(size);
      const value = calls.read(fd, bytes);
      return result(value, () => {
        const got = bytes.subarray(0, value);
        return { bytes: hexOf(got), fields: value === 8 ? { u64: readU64(got) } : {} };
      });
    },
    write: (fd: number, data: Data | null) => result(calls.write(fd, dataBytes(data))),
    readv(fd: number, sizes: readonly number[]) {
      const buffers = sizes.map(room);
      const value = calls.readv(fd, buffers);
      return result(value, () => ({ bytes: filled(buffers, value), fields: { iov: buffers.map(hexOf) } }));
    },
    writev: (fd: number, parts: readonly (Data | null)[]) => result(calls.writev(fd, parts.map(dataBytes))),

    // Messages
    sendmsg(
      fd: number,
      parts: readonly (Data | null)[],
      flags: number,
      to?: Address | null,
      control?: Control[] | null,
    ) {
      return result(calls.sendmsg(fd, parts.map(dataBytes), addressOrNull(to), controlOrNull(control), flags));
    },
    recvmsg(fd: number, sizes: readonly number[], flags: number, controlSize = 0, nameSize = 128) {
      const buffers = sizes.map(room);
      const [from, control] = [roomOrNull(nameSize), roomOrNull(controlSize)];
      const value = calls.recvmsg(fd, buffers, from, control, flags);
      const [nameLength = 0, controlLength = 0, messageFlags = 0] = out;
      return result(value, () => ({
        bytes: filled(buffers, value),
        fields: {
          flags: messageFlags,
          controllen: controlLength,
          control: control ? readControl(control.subarray(0, controlLength)) : [],
          addr: from && nameLength > 0 ? readAddress(from, nameLength) : null,
        },
      }));
    },
    sendmmsg(
      fd: number,
      messages: readonly { iov: (Data | null)[]; addr?: Address; control?: Control[] }[],
      flags: number,
    ) {
      const batch = new Batch(
        messages.map(({ iov, addr, control }) => ({
          payload: Buffer.concat(iov.map(dataBytes)),
          name: addressOrNull(addr),
          control: controlOrNull(control),
        })),
      );
      const { payloads, names, controls, table, count } = batch;
      const value = calls.sendmmsg(fd, payloads, names, controls, table, 0, count, flags);
      return result(value, () => ({ fields: { lens: Array.from({ length: value }, (_, i) => batch.sent(i)) } }));
    },
    recvmmsg(
      fd: number,
      messages: readonly { iov: number[]; control?: number; name?: number }[],
      flags: number,
      timeout?: Time,
    ) {
      const slots = messages.map(({ iov, control = -1, name = -1 }) => ({
        payload: room(iov.reduce((sum, size) => sum + size, 0)),
        name: roomOrNull(name),
        control: roomOrNull(control),
      }));
      const lengths = slots.map(({ payload, name, control }) => `${payload.length} ${name?.length} ${control?.length}`);
      if (!allSame(lengths)) throw new Unsayable('messages that have different room');
      const batch = new Batch(slots);
      const { payloads, names, controls, table, count } = batch;
      const value = calls.recvmmsg(fd, payloads, names, controls, table, 0, count, flags, timespec(timeout));
      return result(value, () => ({ fields: { msgs: Array.from({ length: value }, (_, i) => batch.received(i)) } }));
    },

    // Options and descriptors
    getsockopt(fd: number, level: number, option: number, size: number) {
      const bytes = room(size);
      const value = calls.getsockopt(fd, int(level), int(option), bytes);
      const length = out[0] as number;
      return result(value, () => {
        const got = bytes.slice(0, length);
        return {
          bytes: hexOf(got),
          fields: {
            len: length,
            int: got.length <= 4 ? readInt(got) : null,
            ...(got.length % 4 === 0 && { ints: readInts(got) }),
          },
        };
      });
    },
    setsockopt(fd: number, level: number, option: number, value: number | Data | null) {
      const given = typeof value === 'number' ? int(value) : dataBytes(value);
      return result(calls.setsockopt(fd, int(level), int(option), given));
    },
    close: (fd: number) => result(calls.close(fd)),
    dup: (fd: number) => result(calls.dup(fd)),
    dup2: (from: number, to: number) => result(calls.dup2(from, to)),
    dup3: (from: number, to: number, flags: number) => result(calls.dup3(from, to, flags)),
    pipe2: (flags: number) => result(calls.pipe2(flags), () => ({ pair: pair(out) })),
    fcntl(fd: number, command: number, arg: number | Data | null = 0) {
      if (typeof arg === 'number' || arg === null) return result(calls.fcntl(fd, int(command), arg ?? 0));
      const bytes = Uint8Array.from(dataBytes(arg));
      return result(calls.fcntl(fd, int(command), bytes), () => ({ bytes: hexOf(bytes) }));
    },
    ioctl(fd: number, request: number, arg: number | Data | { int: number } | null = 0) {
      if (arg === null || arg === 0) return result(calls.ioctl(fd, request, null));
      if (typeof arg === 'number') throw new Unsayable('an int that ioctl gets by value');
      if ('int' in arg) {
        return result(calls.ioctl(fd, request, int(arg.int)), () => ({ fields: { int: out[0] } }));
      }
      const bytes = Uint8Array.from(dataBytes(arg));
      return result(calls.ioctl(fd, request, bytes), () => ({ bytes: hexOf(bytes) }));
    },
    sockatmark: (fd: number) => result(calls.sockatmark(fd)),
    eventfd: (initial: number, flags: number) => result(calls.eventfd(initial, flags)),
    timerfd_create: (clock: number, flags: number) => result(calls.timerfd_create(int(clock), flags)),
    timerfd_settime(fd: number, flags: number, timer: Timer) {
      const old = room(sizeofItimerspec);
      return result(calls.timerfd_settime(fd, flags, itimerspec(timer), old), () => ({ fields: timerFields(old) }));
    },
    timerfd_gettime(fd: number) {
      const value = room(sizeofItimerspec);
      return result(calls.timerfd_gettime(fd, value), () => ({ fields: timerFields(value) }));
    },
    signalfd: (fd: number, signals: number[], flags: number) =>
      result(calls.signalfd(fd, signalSet(signals) as Uint8Array, flags)),
    sigprocmask: (how: number, signals: number[]) => result(calls.pthread_sigmask(how, signalSet(signals), null)),

    // Waiting
    poll(fds: { fd: number; events: number }[], timeout: number) {
      const bytes = pollfds(fds);
      return result(calls.poll(bytes, timeout), () => ({ fields: { revents: revents(bytes) } }));
    },
    ppoll(fds: { fd: number; events: number }[], timeout: Time, signals?: number[] | null) {
      const bytes = pollfds(fds);
      const value = calls.ppoll(bytes, timespec(timeout), signalSet(signals));
      return result(value, () => ({ fields: { revents: revents(bytes) } }));
    },
    select(nfds: number | null, read: FdList, write: FdList, except: FdList, timeout: Time) {
      const lists = [read, write, except];
      const highest = nfds ?? Math.max(-1, ...lists.flatMap((list) => list ?? [])) + 1;
      const sets = fdSets(highest, lists);
      const value = calls.select(highest, sets[0] ?? null, sets[1] ?? null, sets[2] ?? null, timeval(timeout));
      return result(value, () => ({ fields: fdsLeft(lists, sets) }));
    },
    pselect(
      nfds: number | null,
      read: FdList,
      write: FdList,
      except: FdList,
      timeout: Time,
      signals?: number[] | null,
    ) {
      const lists = [read, write, except];
      const highest = nfds ?? Math.max(-1, ...lists.flatMap((list) => list ?? [])) + 1;
      const sets = fdSets(highest, lists);
      const mask = signalSet(signals);
      const value = calls.pselect(highest, sets[0] ?? null, sets[1] ?? null, sets[2] ?? null, timespec(timeout), mask);
      return result(value, () => ({ fields: fdsLeft(lists, sets) }));
    },
    epoll_create: (size: number) => result(calls.epoll_create(int(size))),
    epoll_create1: (flags: number) => result(calls.epoll_create1(flags)),
    epoll_ctl(epfd: number, op: number, fd: number, event: { events: number; data: number | bigint } | null) {
      return result(calls.epoll_ctl(epfd, int(op), fd, event && epollEvent(event)));
    },
    epoll_wait(epfd: number, max: number, timeout: number) {
      const bytes = eventRoom(max);
      const value = calls.epoll_wait(epfd, bytes, timeout);
      return result(value, () => ({ fields: { events: epollEvents(bytes, value) } }));
    },
    epoll_pwait(epfd: number, max: number, timeout: number, signals?: number[] | null) {
      const bytes = eventRoom(max);
      const value = calls.epoll_pwait(epfd, bytes, timeout, signalSet(signals));
      return result(value, () => ({ fields: { events: epollEvents(bytes, value) } }));
    },

    // Names
    if_nametoindex(name: string): Result {
      const value = calls.if_nametoindex(Buffer.from(name));
      return value < 0 ? { value: 0, errno: errnoName(value) } : { value };
    },
    if_indextoname(index: number) {
      const text = room(16);
      return textResult(calls.if_indextoname(index, text), text);
    },
    inet_pton(family: number, text: string) {
      const bytes = room(16);
      const value = calls.inet_pton(family, Buffer.from(text), bytes);
      return result(value, () => (value === 1 ? { bytes: hexOf(bytes.subarray(0, family === 2 ? 4 : 16)) } : {}));
    },
    inet_ntop(family: number, hex: string) {
      const text = room(64);
      return textResult(calls.inet_ntop(family, Buffer.from(hex, 'hex'), text), text);
    },
    getaddrinfo(
      node: string | null,
      service: string | null,
      hints: { flags?: number; family?: number; socktype?: number; protocol?: number },
    ): Result {
      const { value, list } = getaddrinfo(node, service, hints);
      const entries = list.map(({ address, ...rest }) => ({ ...rest, addr: readAddress(address, address.length) }));
      return { value, fields: { list: entries } };
    },
    getnameinfo(address: Address, flags: number): Result {
      const { value, host, service } = getnameinfo(addressBytes(address), flags);
      return { value, fields: { host, service } };
    },
  };
}
