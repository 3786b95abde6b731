// What was done to open files: by calls, and by operations of an io_uring, which one call submits and another fetches.
import { errnoName } from '../../index.js';
import type { Json } from '../decode/notation.js';
import type { FileTable, PassedFile, TracedCall, TracedFile } from './files.js';

export type Fields = Readonly<Record<string, Json>>;

/** Something that was done. */
export interface Act {
  /** The call that does it. An operation is named as the call that does the same. */
  readonly name: string;
  /** What it was given, by the names that the call has for it. */
  readonly given: Fields;
  readonly result: number;
  readonly error: string | undefined;
  /** The files that it is about, and then those that it made. */
  readonly files: readonly TracedFile[];
  readonly passed: readonly PassedFile[];
  /** The file behind a descriptor that it was given, by the argument's name. */
  fileOf(argument: string): TracedFile | undefined;
  /** The call that began it and the one that brought its result: of a call, itself. */
  readonly begun: TracedCall;
  readonly ended: TracedCall;
}

/** An operation that a ring was given. */
export interface Operation {
  /** `SEND` */
  readonly name: string;
  readonly entry: Fields;
  /** The file that it is about. */
  readonly file: TracedFile | undefined;
  /** Of a SPLICE, the file that the bytes come from. */
  readonly other: TracedFile | undefined;
  readonly begun: TracedCall;
  readonly completions: Completion[];
}

/** What an operation answered. Some answer more than once. */
export interface Completion {
  readonly operation: Operation;
  readonly result: number;
  readonly call: TracedCall;
  /** The file that it made, if it was seen later. */
  made?: TracedFile;
}

// Operations of which there is a call that does the same, and what that calls what they are given.
const calls: Readonly<Record<string, readonly [name: string, given?: (entry: Fields) => Fields]>> = {
  READ: ['read', ({ len }) => ({ count: len as Json })],
  WRITE: ['write', ({ len }) => ({ count: len as Json })],
  SEND: ['send', ({ addr2 }) => ({ dest_addr: addr2 ?? null })],
  SEND_ZC: ['send', ({ addr2 }) => ({ dest_addr: addr2 ?? null })],
  RECV: ['recv', ({ len, msg_flags }) => ({ len: len as Json, flags: msg_flags ?? 0 })],
  ACCEPT: ['accept'],
  CONNECT: ['connect'],
  SHUTDOWN: ['shutdown', ({ len }) => ({ how: len ?? 'SHUT_RD' })],
  CLOSE: ['close'],
  SPLICE: ['splice'],
};
const making: readonly string[] = ['ACCEPT', 'SOCKET'];

/** What a call did, and the operations that it fetched. */
export function actsOf(call: TracedCall): Act[] {
  const { record, files, passed } = call;
  const own: Act = {
    name: record.call,
    given: record.arguments,
    result: record.result,
    error: record.error,
    files,
    passed,
    fileOf(argument) {
      const fd = record.arguments[argument] as number;
      const index = record.files?.findIndex((change) => change.fd === fd) ?? -1;
      return files[index];
    },
    begun: call,
    ended: call,
  };
  return [own, ...call.completions.flatMap(actOf)];
}

function actOf({ operation, result, call, made }: Completion): Act[] {
  const { name, entry, file, other, begun } = operation;
  const [same, given] = calls[name] ?? [];
  if (same === undefined || file === undefined) return [];
  return [
    {
      name: same,
      given: given?.(entry) ?? {},
      result,
      error: result < 0 ? errnoName(result) : undefined,
      files: made ? [file, made] : [file],
      passed: [],
      fileOf: (argument) => (argument === 'fd_in' ? other : file),
      begun,
      ended: call,
    },
  ];
}

/** Follows the operations of rings through a trace. */
export class Rings {
  readonly #table: FileTable;
  /** Those under way, of each ring, in the order in which they were submitted. */
  readonly #underWay = new Map<TracedFile, Operation[]>();

  constructor(table: FileTable) {
    this.#table = table;
  }

  /** @param call the calls must come in the order in which they ended */
  follow(call: TracedCall): void {
    const { record, files } = call;
    const ring = files[0];
    if (record.call !== 'io_uring_enter' || ring === undefined) return;
    const { sqes = [], cqes = [] } = (record.answer ?? {}) as Record<'sqes' | 'cqes', readonly Fields[] | undefined>;
    const underWay = this.#underWay.get(ring) ?? [];
    this.#underWay.set(ring, underWay);
    for (const entry of sqes) {
      const operation = this.#operation(entry, call, ring);
      underWay.push(operation);
      call.operations.push(operation);
    }
    for (const completion of cqes) this.#complete(underWay, completion, call);
  }

  #operation(entry: Fields, begun: TracedCall, ring: TracedFile): Operation {
    const name = String(entry.opcode).replace(/^IORING_OP_/, '');
    const isAbout = !/^(NOP|TIMEOUT|TIMEOUT_REMOVE|LINK_TIMEOUT|ASYNC_CANCEL|POLL_REMOVE)$|_BUFFERS$/.test(name);
    // One about a descriptor that is not open is the ring's own matter: it fails.
    const file = isAbout ? (this.#table.fileAt(entry.fd as number) ?? ring) : undefined;
    const other = name === 'SPLICE' ? this.#table.fileAt((entry.file_index as number) ?? 0) : undefined;
    return { name, entry, file, other, begun, completions: [] };
  }

  #complete(underWay: Operation[], { user_data = 0, res, flags = 0 }: Fields, call: TracedCall): void {
    const mark = String(flags);
    if (/IORING_CQE_F_NOTIF/.test(mark)) return; // of a send that has completed before
    const found = underWay.filter(({ entry }) => (entry.user_data ?? 0) === user_data);
    const [operation] = found;
    // Which of several that carry the same number it was cannot be told, unless they are all alike.
    const areAlike = found.every(({ name, file }) => name === operation?.name && file === operation.file);
    if (operation === undefined) return;
    if (!/IORING_CQE_F_MORE/.test(mark) || operation.name === 'SEND_ZC') {
      underWay.splice(underWay.indexOf(operation), 1);
    }
    if (!areAlike) return;
    const result = res as number;
    const completion: Completion = { operation, result, call };
    operation.completions.push(completion);
    call.completions.push(completion);
    const { name, file, entry } = operation;
    if (file && !call.files.includes(file)) call.files.push(file);
    if (name === 'CLOSE' && result === 0) this.#table.close(entry.fd as number, call.end);
    if (making.includes(name) && result >= 0) {
      this.#table.expect(result, call.end, (made) => {
        completion.made = made;
        call.files.push(made);
      });
    }
  }
}
