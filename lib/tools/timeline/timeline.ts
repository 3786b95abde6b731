// From the calls of a trace to what is drawn of them.
import { errnoName } from '../../index.js';
import type { OpenFile } from '../open-file.js';
import type { TraceRecord } from '../trace-event.js';
import { type Operation, Rings } from './acts.js';
import { endOf, FileTable, type TracedCall, type TracedFile } from './files.js';
import { grouped } from './grouped.js';
import type { Activity, Arrow, Lane, Outcome, RingAnswer, RingOperation, Step, Timeline } from './model.js';
import { findTransfers, type Transfer } from './transfers.js';

/**
 * What there is to be drawn of a trace.
 * @param records the calls, traced with the option `files`, in any order
 * @param activities what else threads did meanwhile
 * @returns what timelinePage and timelineSvg draw
 */
export function timelineOf(records: Iterable<TraceRecord>, activities: readonly Activity[] = []): Timeline {
  const ended = [...records].sort((one, other) => endOf(one) - endOf(other));
  const table = new FileTable();
  const rings = new Rings(table);
  const calls = ended.map((record) => {
    const call = table.follow(record);
    rings.follow(call);
    return call;
  });
  const span = spanOf(ended, activities);
  const seen = new Set(calls.flatMap(({ files }) => files));
  const used = table.files.filter((file) => seen.has(file));
  const transfers = findTransfers(calls, used);
  const threads = [...new Set([...ended, ...activities].map(({ thread }) => thread))].sort((a, b) => a - b);
  const threadLanes = new Map(
    threads.map((thread, index) => [
      thread,
      threadLane(thread, index, thread === 0 ? span : spanOf(ended, activities, thread)),
    ]),
  );
  const fileLanes = new Map(
    inOrder(used, transfers).map((file, i) => [file, fileLane(file, threads.length + i, span.to)]),
  );
  const taken = new Set([
    ...transfers.flatMap(({ from, to }) => [from.begun, to.ended]),
    ...calls.filter(({ operations, completions }) => operations.length + completions.length > 0),
  ]);
  const steps = repetitions(calls, taken).map((several, index) => stepOf(several, index, threadLanes, fileLanes));
  const byCall = new Map(steps.flatMap(({ calls, step }) => calls.map((call) => [call, step])));

  return {
    ...span,
    lanes: [...threadLanes.values(), ...fileLanes.values()],
    steps: steps.map(({ step }) => step),
    arrows: transfers.map((transfer) => arrowOf(transfer, byCall, fileLanes)),
    operations: calls.flatMap(({ operations }) => operations).flatMap((one) => operationOf(one, byCall, fileLanes)),
    activities: activities.map((activity) => ({ ...activity, lane: threadLanes.get(activity.thread) as Lane })),
  };
}

interface Span {
  readonly from: number;
  readonly to: number;
}

/** From the first that was done to the last: by one thread, or by all. */
function spanOf(records: readonly TraceRecord[], activities: readonly Activity[], thread?: number): Span {
  const spans = [...records.map((record) => ({ ...record, from: record.time, to: endOf(record) })), ...activities];
  const [first, ...rest] = spans.filter((one) => thread === undefined || one.thread === thread);
  if (!first) return { from: 0, to: 0 };
  return rest.reduce<Span>((all, { from, to }) => ({ from: Math.min(all.from, from), to: Math.max(all.to, to) }), {
    from: first.from,
    to: first.to,
  });
}

// ---- lanes

function threadLane(thread: number, index: number, { from, to }: Span): Lane {
  const title = thread === 0 ? 'main thread' : `thread ${thread}`;
  return { index, kind: 'thread', title, detail: '', from, to, made: false, closed: false, states: [] };
}

function fileLane(file: TracedFile, index: number, end: number): Lane {
  const to = file.closed ?? end;
  return {
    index,
    kind: 'file',
    title: `fd ${[...file.descriptors].join(', ')}`,
    detail: describe(file),
    from: file.made ?? file.seen,
    to,
    made: file.made !== undefined,
    closed: file.closed !== undefined,
    states: file.states(to),
  };
}

const types: Readonly<Record<string, string>> = {
  SOCK_STREAM: 'stream',
  SOCK_DGRAM: 'datagram',
  SOCK_SEQPACKET: 'seqpacket',
};

function describe({ facts, name }: TracedFile): string {
  if (facts.end) return `pipe, ${facts.end} end`;
  if (!facts.family) return name.replace('eventpoll', 'epoll').replace(/^anon_inode:\[?|\]$/g, '');
  const [local, peer] = [facts.local, facts.peer].map((address) =>
    /:0$|^\(/.test(address ?? '') ? undefined : address,
  );
  const joined = peer ? `${local ?? ''} → ${peer}` : local;
  return [kindOf(facts), facts.state === 'TCP_LISTEN' && 'listening on', joined].filter(Boolean).join(' ');
}

function kindOf({ family, type = '', protocol }: OpenFile): string | undefined {
  if (family === 'AF_UNIX') return `Unix ${types[type] ?? type}`;
  return /^AF_INET6?$/.test(family ?? '') ? protocol?.replace(/^IPPROTO_/, '') : `${family} ${type}`;
}

/** In the order in which they were made, but both ends of a connection side by side. */
function inOrder(files: readonly TracedFile[], transfers: readonly Transfer[]): TracedFile[] {
  const transfersFrom = grouped(transfers, ({ source }) => source);
  const ordered = new Set<TracedFile>();
  for (const file of [...files].sort((one, other) => one.seen - other.seen)) {
    ordered.add(file);
    for (const { target } of transfersFrom(file)) ordered.add(target);
  }
  return [...ordered];
}

// ---- steps

/** Calls with the same arguments and the same answer, which followed each other in one thread, are one step. */
function repetitions(calls: readonly TracedCall[], taken: ReadonlySet<TracedCall>): TracedCall[][] {
  const last = new Map<number, TracedCall[]>();
  const all: TracedCall[][] = [];
  for (const call of [...calls].sort((one, other) => one.record.time - other.record.time)) {
    const { thread, text, result } = call.record;
    const before = last.get(thread);
    const isSame = before?.[0]?.record.text === text && result <= 0 && !taken.has(call) && !taken.has(before[0]);
    if (before && isSame) {
      before.push(call);
      continue;
    }
    const one = [call];
    last.set(thread, one);
    all.push(one);
  }
  return all;
}

function stepOf(
  calls: readonly TracedCall[],
  index: number,
  threads: ReadonlyMap<number, Lane>,
  files: ReadonlyMap<TracedFile, Lane>,
): { calls: readonly TracedCall[]; step: Step } {
  const [first, last] = [calls[0], calls.at(-1)] as [TracedCall, TracedCall];
  const step = {
    index,
    call: first.record,
    count: calls.length,
    from: first.record.time,
    to: last.end,
    each: calls.length === 1 ? [] : calls.map(({ record, end }) => ({ from: record.time, to: end })),
    slept: sumOf(calls, 'slept'),
    queued: sumOf(calls, 'queued'),
    outcome: outcomeOf(first.record.error),
    thread: threads.get(first.record.thread) as Lane,
    files: first.files.map((file) => files.get(file) as Lane),
  };
  return { calls, step };
}

const sumOf = (calls: readonly TracedCall[], what: 'slept' | 'queued') =>
  calls.reduce((sum, { record }) => sum + (record[what] ?? 0), 0);

/** How something ended, by its error. */
function outcomeOf(error: string | undefined): Outcome {
  if (error === undefined) return 'done';
  return /^(EAGAIN|EWOULDBLOCK|EINPROGRESS|EALREADY)$/.test(error) ? 'would block' : 'error';
}

// ---- arrows

function arrowOf(
  { kind, from, to, source, target, label }: Transfer,
  steps: ReadonlyMap<TracedCall, Step>,
  lanes: ReadonlyMap<TracedFile, Lane>,
): Arrow {
  const point = (call: TracedCall, file: TracedFile) => ({
    step: steps.get(call) as Step,
    lane: lanes.get(file) as Lane,
  });
  return { kind, from: point(from.begun, source), to: point(to.ended, target), label };
}

// ---- operations of rings

function operationOf(
  { name, file, begun, completions }: Operation,
  steps: ReadonlyMap<TracedCall, Step>,
  lanes: ReadonlyMap<TracedFile, Lane>,
): RingOperation[] {
  const lane = file && lanes.get(file);
  if (!lane) return [];
  const answers = completions.map(({ call, result, made }): RingAnswer => {
    const error = result < 0 ? errnoName(result) : undefined;
    return {
      step: steps.get(call) as Step,
      outcome: outcomeOf(error),
      ...(error !== undefined && { error }),
      ...(made && { made: lanes.get(made) as Lane }),
    };
  });
  return [{ name, lane, begun: steps.get(begun) as Step, answers }];
}
