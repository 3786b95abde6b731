// The queues of an io_uring: operations that were submitted, and completions that came.
import {
  errnoName,
  IORING_OP_ACCEPT,
  IORING_OP_BIND,
  IORING_OP_CONNECT,
  IORING_OP_POLL_ADD,
  IORING_OP_RECV,
  IORING_OP_SEND,
  IORING_OP_SEND_ZC,
  IORING_OP_SHUTDOWN,
  IORING_OP_WRITE,
  io_uring_cqe,
  io_uring_sqe,
  type Ring,
} from '../../index.js';
import {
  messageFlags,
  pollEvents,
  ringCompletionFlags,
  ringEntryFlags,
  ringOperations,
  shutdownHows,
  socketFlags,
} from './families.js';
import { list, named, number, quoted, type Shown, struct } from './notation.js';
import { sockaddr } from './sockaddr.js';

const whole = (ring: Ring) => new Uint8Array(ring.memory.buffer);

/** Entry i of a ring: what was submitted stays there until the next is prepared. */
export function entryOf(ring: Ring, i: number): io_uring_sqe {
  const { size } = io_uring_sqe;
  return new io_uring_sqe(whole(ring).subarray(i * size, (i + 1) * size));
}

function completionOf(ring: Ring, i: number): io_uring_cqe {
  const { size } = io_uring_cqe;
  const start = ring.entries * io_uring_sqe.size + i * size;
  return new io_uring_cqe(whole(ring).subarray(start, start + size));
}

/** What `op_flags` are, by the operation. */
const operationFlags: Readonly<Record<number, readonly [name: string, show: (flags: number) => Shown]>> = {
  [IORING_OP_SEND]: ['msg_flags', (flags) => messageFlags.flags(flags)],
  [IORING_OP_SEND_ZC]: ['msg_flags', (flags) => messageFlags.flags(flags)],
  [IORING_OP_RECV]: ['msg_flags', (flags) => messageFlags.flags(flags)],
  [IORING_OP_ACCEPT]: ['accept_flags', (flags) => socketFlags.flags(flags)],
  [IORING_OP_POLL_ADD]: ['poll32_events', (events) => pollEvents.flags(events)],
};

const sending: readonly number[] = [IORING_OP_SEND, IORING_OP_SEND_ZC, IORING_OP_WRITE];
const naming: readonly number[] = [IORING_OP_CONNECT, IORING_OP_BIND];

/** `{opcode=IORING_OP_RECV, fd=7, len=16}`: fields that are 0 are left out. */
function showEntry(ring: Ring, entry: io_uring_sqe, limit: number): Shown {
  const { opcode, flags, ioprio, fd, off, addr, len, op_flags, user_data, buf_group, file_index } = entry;
  const bytes = (at: number, length: number) => ring.memory.subarray(Math.max(0, at), Math.max(0, at) + length);
  const unless0 = (value: number, shown: Shown = number(value)) => (value === 0 ? undefined : shown);
  const [flagsName, showFlags] = operationFlags[opcode] ?? ['op_flags', number];
  const hasAddress = sending.includes(opcode) && opcode !== IORING_OP_WRITE && file_index > 0;
  return struct({
    opcode: ringOperations.choice(opcode),
    flags: unless0(flags, ringEntryFlags.flags(flags)),
    ioprio: unless0(ioprio),
    fd: number(fd),
    ...(hasAddress
      ? { addr2: sockaddr(bytes(off, file_index), 'addr2'), addr_len: number(file_index) }
      : { off: unless0(off), file_index: unless0(file_index) }),
    addr: sending.includes(opcode)
      ? quoted(bytes(addr, len), limit)
      : naming.includes(opcode)
        ? sockaddr(bytes(addr, off), 'addr')
        : unless0(addr),
    len: opcode === IORING_OP_SHUTDOWN ? shutdownHows.choice(len) : unless0(len),
    [flagsName]: unless0(op_flags, showFlags(op_flags)),
    user_data: unless0(user_data),
    buf_group: unless0(buf_group),
  });
}

/** `{user_data=1, res=9}`, `{res=-ECONNRESET}` */
function showCompletion({ user_data, res, flags }: io_uring_cqe): Shown {
  return struct({
    user_data: user_data === 0 ? undefined : number(user_data),
    res: res < 0 ? named(`-${errnoName(res)}`, res) : number(res),
    flags: flags === 0 ? undefined : ringCompletionFlags.flags(flags),
  });
}

/** `sqes=[{...}], cqes=[{...}]`: the first so many of each queue; undefined where there are none. */
export function showQueues(ring: Ring, submitted: number, completed: number, limit: number): Shown | undefined {
  if (submitted === 0 && completed === 0) return undefined;
  const entries = Array.from({ length: submitted }, (_, i) => showEntry(ring, entryOf(ring, i), limit));
  const completions = Array.from({ length: completed }, (_, i) => showCompletion(completionOf(ring, i)));
  const { text, json } = struct({
    sqes: submitted === 0 ? undefined : list(entries, limit),
    cqes: completed === 0 ? undefined : list(completions, limit),
  });
  return { text: text.slice(1, -1), json };
}
