// io_uring: operations that are submitted, and their completions.
import { IORING_ENTER_EXT_ARG, IORING_OP_SPLICE } from '../../index.js';
import { ringOf } from '../../ring.js';
import { asBytes } from '../decode/bytes.js';
import { ringEnterFlags } from '../decode/families.js';
import { nullPointer, number, type Shown, struct } from '../decode/notation.js';
import { entryOf, showQueues } from '../decode/rings.js';
import { showRingParams, showSigset, showTimespec } from '../decode/structs.js';
import { type Answer, type Before, family, type Parameter } from './call.js';
import { fd, int } from './parameters.js';

type Bytes = ArrayBufferView | ArrayBuffer;

const params: Parameter<readonly [Bytes]> = {
  kind: 'struct out',
  names: ['p'],
  takes: 1,
  show([value]) {
    const bytes = asBytes(value) ?? new Uint8Array(0);
    return ({ result }) => [showRingParams(bytes, result >= 0)];
  },
};

// With a timeout the last two arguments are those of io_uring_enter2, and a flag says so.
const enterArguments: Parameter<readonly [number, Bytes | null, Bytes | null]> = {
  kind: 'flags',
  names: ['flags', 'arg', 'argsz'],
  takes: 3,
  show([flags, timeout, sigmask]) {
    const [within, set] = [asBytes(timeout), asBytes(sigmask)];
    const mask = set === null ? nullPointer : showSigset(set);
    if (within === null) return [ringEnterFlags.flags(flags), mask, number(8)];
    const extended = struct({ sigmask: mask, sigmask_sz: number(8), ts: showTimespec(within) });
    return [ringEnterFlags.flags(flags | IORING_ENTER_EXT_ARG), extended, number(24)];
  },
  choices: () => ringEnterFlags.names,
};

/** What was submitted and what came, which strace does not show. */
function queues({ raw: [fd], limit }: Before, { result, out }: Answer): Shown | undefined {
  const ring = result < 0 ? undefined : ringOf(fd as number);
  const shown = ring && showQueues(ring, result, out[0] as number, limit);
  return shown && { text: `${result} (${shown.text})`, json: shown.json };
}

/** The descriptors of the operations that were submitted. */
function operated({ raw: [fd] }: Before, { result }: Answer): number[] {
  const ring = result < 0 ? undefined : ringOf(fd as number);
  if (ring === undefined) return [];
  return Array.from({ length: result }, (_, i) => entryOf(ring, i)).flatMap(({ opcode, fd, file_index }) =>
    opcode === IORING_OP_SPLICE ? [fd, file_index] : fd,
  );
}

export const rings = family({
  io_uring_setup: {
    page: 'io_uring_setup(2)',
    summary:
      'Makes a ring: a queue of operations for the kernel to do, and a queue of what it has done. The kernel works while ' +
      'the program goes on.',
    parameters: [int('entries'), params],
    result: 'descriptor',
    errors: {
      EINVAL: ['A flag, or the number of entries.', 'This kernel is too old for a flag.', 'Leave it out.'],
      EPERM: [
        'The system forbids io_uring.',
        'kernel.io_uring_disabled is set, or a container filters the call.',
        'Use the reactor: it needs nothing but epoll.',
      ],
    },
  },
  io_uring_memory: {
    page: 'io_uring_queue_mmap(3)',
    summary:
      'Makes the memory of a ring: room for entries, for completions, and the bytes that entries may name. Part of `new Ring()`.',
    parameters: [fd('fd'), int('length')],
    result: 'number',
    minor: true,
  },
  io_uring_enter: {
    page: 'io_uring_enter(2)',
    summary: 'Submits operations that were prepared, and waits for completions, in one call.',
    parameters: [fd('fd'), int('to_submit'), int('min_complete'), enterArguments],
    result: 'count',
    showResult: queues,
    furtherDescriptors: operated,
    errors: {
      ETIME: ['The time is over.', 'Fewer operations completed than were waited for.', 'Wait on, or cancel them.'],
      EBUSY: [
        'Completions must be fetched first.',
        'More came than the ring keeps, and they wait in the kernel.',
        'Submit nothing, and read what came.',
      ],
      EAGAIN: ['The kernel has no memory for more.', 'Too many operations are under way.', 'Let some complete first.'],
      EOPNOTSUPP: ['This is no ring.', 'The descriptor is of another kind.', 'Give that of io_uring_setup.'],
    },
  },
  io_uring_close: {
    page: 'io_uring_queue_exit(3)',
    summary: 'Cancels what is under way, and closes the ring. Part of `ring.close()`.',
    parameters: [fd('fd')],
    result: 'nothing',
  },
});
