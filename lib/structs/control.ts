import { type InspectOptions, inspect } from 'node:util';
import { MSG_CTRUNC } from '../constants.js';
import { type Bytes, type Layout, layouts } from '../native.js';
import { asUint8Array, integer, objectIn, shown } from '../values.js';
import {
  type ControlInput,
  type ControlKind,
  type ControlName,
  type ControlValue,
  controlKinds,
  kindsOf,
} from './control-kinds.js';
import { int, littleEndian, Struct } from './struct.js';

const header = layouts.cmsghdr as Layout;
const [lengthOffset, lengthSize] = header.fields.cmsg_len as readonly [number, number];
const levelOffset = header.fields.cmsg_level?.[0] as number;
const typeOffset = header.fields.cmsg_type?.[0] as number;

/**
 * `CMSG_ALIGN(length)`: rounded up to where the next control message may begin.
 * @param length bytes
 * @returns bytes, a multiple of the size of a size_t
 * @throws RangeError not a length
 * @see cmsg(3)
 */
export function CMSG_ALIGN(length: number): number {
  return Math.ceil(integer('length', length, 0, Number.MAX_SAFE_INTEGER) / lengthSize) * lengthSize;
}

/**
 * `CMSG_LEN(length)`: what cmsg_len says of a control message with `length` bytes of data.
 * @param length bytes of data
 * @returns bytes
 * @throws RangeError not a length
 * @see cmsg(3)
 */
export function CMSG_LEN(length: number): number {
  return CMSG_ALIGN(header.size) + integer('length', length, 0, Number.MAX_SAFE_INTEGER);
}

/**
 * `CMSG_SPACE(length)`: how many bytes a control message with `length` bytes of data takes.
 * @param length bytes of data
 * @returns bytes
 * @throws RangeError not a length
 * @see cmsg(3)
 */
export function CMSG_SPACE(length: number): number {
  return CMSG_ALIGN(header.size) + CMSG_ALIGN(length);
}

// Every kind is looked at through this type where its name is not known to the compiler.
const kindNamed = (name: ControlName) => controlKinds[name] as ControlKind<unknown>;

interface Numbered {
  /** Who it belongs to: SOL_SOCKET, IPPROTO_IP, ... */
  readonly level: number;
  /** What it is, among those of its level: SCM_RIGHTS, IP_PKTINFO, ... */
  readonly type: number;
  /** Its data: a view into the buffer, which the next call on the buffer overwrites. */
  readonly data: Uint8Array;
}

interface OfKind<N extends ControlName> extends Numbered {
  /** Its kind, by its name in C; undefined for one that this package does not know. */
  readonly kind: N;
  /** What it holds: see {@link controlKinds}. Structs and addresses are views, as `data` is. */
  readonly value: ControlValue<N>;
}

interface OfNoKind extends Numbered {
  readonly kind: undefined;
  /** The data. */
  readonly value: Uint8Array;
}

/**
 * One control message (`struct cmsghdr` and what follows it). Its `kind` says what its `value` is, also to TypeScript:
 * ```ts
 * for (const message of control) {
 *   if (message.kind === 'IP_TTL') console.log(message.value + 1);      // a number
 *   if (message.kind === 'SCM_RIGHTS') message.value.forEach(close);    // numbers of descriptors
 * }
 * ```
 */
export type ControlMessage = { [N in ControlName]: OfKind<N> }[ControlName] | OfNoKind;

class Message {
  constructor(
    readonly kind: ControlName | undefined,
    readonly level: number,
    readonly type: number,
    readonly data: Uint8Array,
  ) {}

  get value(): unknown {
    return this.kind === undefined ? this.data : kindNamed(this.kind).holds.decode(this.data);
  }

  [inspect.custom](depth: number, options: InspectOptions, show: typeof inspect): string {
    return `${this.kind ?? `level ${this.level} type ${this.type}`} ${show(this.value, { ...options, depth })}`;
  }
}

/** Control messages by kind, one of each: what {@link ControlBuffer.of} makes a buffer of. */
export type ControlInputs = { readonly [N in keyof typeof controlKinds]?: ControlInput<N> };

/**
 * The control messages (ancillary data) of a message: a view over msg_control.
 *
 * To send, `add` them:
 * ```ts
 * sendmsg(fd, new MsgHdr({ iov: bytes, control: ControlBuffer.of({ IP_TTL: 3, IP_TOS: 0x10 }) }));
 * ```
 * To receive, give the room that they may take, and `get` or iterate afterwards:
 * ```ts
 * const control = new ControlBuffer(['IP_TTL', 'IP_PKTINFO']);
 * recvmsg(fd, new MsgHdr({ iov: bytes, control }));
 * control.get('IP_TTL'); // a number, or undefined if none came
 * ```
 *
 * When there was too little room (`truncated`), what it holds is whole all the same: a message that the kernel cut is
 * not among the messages. Who owns the descriptors of SCM_RIGHTS then: those that fitted are open and here, and the
 * caller's to close, as always; those that did not were closed by the kernel. The same holds for SCM_PIDFD, which fits
 * or does not. So nothing leaks as long as the caller closes what it finds here, before the buffer is used again.
 * @see cmsg(3), recvmsg(2), unix(7)
 */
export class ControlBuffer implements Iterable<ControlMessage> {
  /** All the room there is; `bytes` is the part in use. */
  readonly storage: Uint8Array;
  readonly #view: DataView;
  readonly #length: Int32Array;
  readonly #flags: Int32Array;
  #bytes: Uint8Array;

  /**
   * @param room how many bytes of messages there is room for (see CMSG_SPACE); or the kinds of message, with room for
   * the longest of each; or the bytes of messages themselves
   * @param length where the length in use is kept, if that is elsewhere: a MessageBatch keeps its own
   * @param flags the same for msg_flags
   */
  constructor(
    room: number | readonly ControlName[] | Bytes,
    length?: Int32Array,
    flags: Int32Array = new Int32Array(1),
  ) {
    const given = asUint8Array(room);
    this.storage =
      given ??
      new Uint8Array(
        typeof room === 'number' ? integer('room', room, 0, 2 ** 30) : sum(room as readonly ControlName[]),
      );
    this.#view = new DataView(this.storage.buffer, this.storage.byteOffset, this.storage.byteLength);
    this.#length = length ?? Int32Array.of(given?.length ?? 0);
    this.#flags = flags;
    if (!(this.#length instanceof Int32Array))
      throw new TypeError(`length must be an Int32Array, not ${shown(length)}`);
    if (!(flags instanceof Int32Array)) throw new TypeError(`flags must be an Int32Array, not ${shown(flags)}`);
    this.#bytes = this.storage;
  }

  /**
   * A buffer with these messages, as long as they are. (For two of a kind, use `add`.)
   * @throws as {@link ControlBuffer.add}
   */
  static of(messages: ControlInputs): ControlBuffer {
    const entries = (Object.entries(objectIn('messages', messages)) as [ControlName, unknown][]).map(
      ([name, value]) => {
        const { level, type, holds } = checked(name);
        return { level, type, data: holds.encode(value, name) };
      },
    );
    const control = new ControlBuffer(entries.reduce((room, { data }) => room + CMSG_SPACE(data.length), 0));
    for (const { level, type, data } of entries) control.push(level, type, data);
    return control;
  }

  /** How many bytes are in use. `recvmsg` sets it. */
  get length(): number {
    return Math.max(0, Math.min(this.#length[0] as number, this.storage.length));
  }
  set length(length: number) {
    this.#length[0] = integer('length', length, 0, this.storage.length);
  }

  /** Whether the kernel had more than there was room for (MSG_CTRUNC). `recvmsg` sets it. */
  get truncated(): boolean {
    return ((this.#flags[0] as number) & MSG_CTRUNC) !== 0;
  }
  set truncated(truncated: boolean) {
    this.#flags[0] = truncated ? MSG_CTRUNC : 0;
  }

  /** The bytes in use. */
  get bytes(): Uint8Array {
    const { length } = this;
    if (length !== this.#bytes.length) this.#bytes = this.storage.subarray(0, length);
    return this.#bytes;
  }

  /** Takes all messages out. */
  clear(): this {
    this.length = 0;
    this.truncated = false;
    return this;
  }

  /**
   * Adds a message of a known kind.
   * @param kind its name in C
   * @param value what it holds: see {@link controlKinds}
   * @throws RangeError there is no room for it, or the value does not fit · TypeError no such kind, or no such value
   */
  add<N extends ControlName>(kind: N, value: ControlInput<N>): this {
    const { level, type, holds } = checked(kind);
    return this.push(level, type, holds.encode(value, kind));
  }

  /**
   * Adds a message of any level and type.
   * @throws RangeError there is no room for it
   */
  push(level: number, type: number, content: Bytes | Struct): this {
    const data = content instanceof Struct ? content.bytes : asUint8Array(content);
    if (!data) throw new TypeError('the content of a control message must be bytes or a struct');
    const { length } = this;
    const start = CMSG_ALIGN(length);
    const space = CMSG_SPACE(data.length);
    if (start + space > this.storage.length) {
      throw new RangeError(`no room for a control message of ${space} bytes: ${this.storage.length - start} are left`);
    }
    this.storage.fill(0, length, start + space);
    this.#setLength(start + lengthOffset, CMSG_LEN(data.length));
    int.write(this.#view, [start + levelOffset, 4], level, 'level');
    int.write(this.#view, [start + typeOffset, 4], type, 'type');
    this.storage.set(data, start + CMSG_LEN(0));
    this.length = start + space;
    return this;
  }

  /**
   * What the first message of this kind holds, or undefined when there is none.
   * @param kind its name in C
   */
  get<N extends ControlName>(kind: N): ControlValue<N> | undefined {
    checked(kind);
    for (let start = 0, end = this.#end(start); end > 0; start = CMSG_ALIGN(end), end = this.#end(start)) {
      if (this.#kind(start, end) !== kind) continue;
      return kindNamed(kind).holds.decode(this.#data(start, end)) as ControlValue<N>;
    }
    return undefined;
  }

  /** The messages, as CMSG_FIRSTHDR and CMSG_NXTHDR find them. One that says it is longer than what is there ends it. */
  *[Symbol.iterator](): IterableIterator<ControlMessage> {
    for (let start = 0, end = this.#end(start); end > 0; start = CMSG_ALIGN(end), end = this.#end(start)) {
      const kind = this.#kind(start, end);
      yield new Message(kind, this.#level(start), this.#type(start), this.#data(start, end)) as ControlMessage;
    }
  }

  [inspect.custom](depth: number, options: InspectOptions, show: typeof inspect): string {
    return `ControlBuffer ${show([...this], { ...options, depth })}`;
  }

  #level(start: number): number {
    return this.#view.getInt32(start + levelOffset, littleEndian);
  }

  #type(start: number): number {
    return this.#view.getInt32(start + typeOffset, littleEndian);
  }

  #data(start: number, end: number): Uint8Array {
    return this.storage.subarray(start + CMSG_LEN(0), end);
  }

  // cmsg_len is a size_t.
  #getLength(at: number): number {
    return lengthSize === 8
      ? Number(this.#view.getBigUint64(at, littleEndian))
      : this.#view.getUint32(at, littleEndian);
  }
  #setLength(at: number, length: number): void {
    if (lengthSize === 8) this.#view.setBigUint64(at, BigInt(length), littleEndian);
    else this.#view.setUint32(at, length, littleEndian);
  }

  /** Where the message ends that begins at `start`, or 0 when there is no whole one. */
  #end(start: number): number {
    const { length } = this;
    if (start + CMSG_LEN(0) > length) return 0;
    const claimed = this.#getLength(start + lengthOffset);
    if (claimed < CMSG_LEN(0) || claimed > length - start) return 0;
    const end = start + claimed;
    return this.#isCut(start, end) ? 0 : end;
  }

  /**
   * The kernel cuts a message where the room ends, and its length then says no more than what is there. Of descriptors
   * it gives whole ones. Of a kind whose length varies nobody can tell, so a message up to the very end counts as cut.
   */
  #isCut(start: number, end: number): boolean {
    if (!this.truncated || end < this.storage.length) return false;
    const names = kindsOf(this.#level(start), this.#type(start));
    if (names[0] === 'SCM_RIGHTS') return false;
    const { least, most } = names[0] === undefined ? unknown : kindNamed(names[0]);
    return least !== most || end - start - CMSG_LEN(0) < least;
  }

  #kind(start: number, end: number): ControlName | undefined {
    const size = end - start - CMSG_LEN(0);
    return kindsOf(this.#level(start), this.#type(start)).find((name) => size >= controlKinds[name].least);
  }
}

const unknown = { least: 0, most: Number.POSITIVE_INFINITY };

function checked(name: ControlName): ControlKind<unknown> {
  if (typeof name !== 'string' || !Object.hasOwn(controlKinds, name))
    throw new TypeError(`there is no kind of control message ${shown(name)}`);
  return kindNamed(name);
}

function sum(kinds: readonly ControlName[]): number {
  if (!Array.isArray(kinds)) throw new TypeError('a ControlBuffer takes its size, the kinds it has room for, or bytes');
  let room = 0;
  for (const name of kinds) room += CMSG_SPACE(checked(name).most); // reduce would pass over holes, however many
  return room;
}
