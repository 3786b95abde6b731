// Which open file each call of a trace is about, and what became of each.
import { type OpenFile, type OpenFileChange, passedDescriptors } from '../open-file.js';
import type { TraceRecord } from '../trace-event.js';
import type { Completion, Operation } from './acts.js';
import type { Stretch } from './model.js';

const nameOf = ({ name, end }: OpenFile) => (end ? `${name}${end}` : name);

/** An open file, as the calls of a trace have shown it. */
export class TracedFile {
  /** The kernel's name for it; both ends of a pipe have the same, and are told apart. */
  readonly name: string;
  /** What is known of it: what was seen last of each fact. */
  facts: OpenFile;
  /** The descriptors that it has had, and those that it has. */
  readonly descriptors = new Set<number>();
  readonly #open = new Set<number>();
  /** When it was made and closed; undefined where that was not seen. */
  made: number | undefined;
  closed: number | undefined;
  /** When it was first seen. */
  readonly seen: number;
  readonly #observations: [time: number, state: string][] = [];

  constructor(name: string, facts: OpenFile, seen: number) {
    this.name = name;
    this.facts = facts;
    this.seen = seen;
  }

  look(facts: OpenFile, time: number): void {
    this.facts = { ...this.facts, ...facts };
    if (facts.state) this.#observations.push([time, facts.state]);
  }

  open(fd: number): void {
    this.descriptors.add(fd);
    this.#open.add(fd);
    this.closed = undefined;
  }

  close(fd: number, time: number): void {
    if (this.#open.delete(fd) && this.#open.size === 0) this.closed = time;
  }

  /** The TCP states that it was in, until `end`. */
  states(end: number): Stretch[] {
    const seen = this.#observations.sort(([one], [other]) => one - other);
    const changes = seen.filter(([, state], i) => state !== seen[i - 1]?.[1]);
    return changes.map(([from, state], i) => ({ state, from, to: changes[i + 1]?.[0] ?? end }));
  }
}

/** A call, and the open files that it is about. */
export interface TracedCall {
  readonly record: TraceRecord;
  readonly end: number;
  /** Those whose descriptors it was given or made, and those of the operations that it submitted or fetched. */
  readonly files: TracedFile[];
  /** Those whose descriptors are in the message that it sent or received, with these descriptors. */
  readonly passed: readonly PassedFile[];
  /** The operations of a ring that it submitted, and the completions that it fetched. */
  readonly operations: Operation[];
  readonly completions: Completion[];
}

/** A file that travels in a message, and the descriptor that stands for it there. */
export interface PassedFile {
  readonly fd: number;
  readonly file: TracedFile;
}

export const endOf = ({ time, duration }: TraceRecord) => time + duration;

/** Follows descriptors through a trace. */
export class FileTable {
  readonly files: TracedFile[] = [];
  readonly #byName = new Map<string, TracedFile>();
  readonly #byDescriptor = new Map<number, TracedFile>();
  readonly #expected = new Map<number, { time: number; found: (file: TracedFile) => void }>();

  /** @param record the calls must come in the order in which they ended */
  follow(record: TraceRecord): TracedCall {
    const end = endOf(record);
    const given = new Set(Object.values(record.arguments).flatMap(passedDescriptors));
    const files = new Set<TracedFile>();
    const passed: PassedFile[] = [];
    for (const [i, change] of (record.files ?? []).entries()) {
      // The descriptors of a ring's operations were not looked at before.
      const isOperated = record.call === 'io_uring_enter' && i > 0;
      const known = isOperated ? { ...change, before: change.after } : change;
      const [before, after] = this.#follow(known, record.time, end);
      // The first is the one that the message goes through, which may pass itself, too.
      if (i > 0 && given.has(change.fd)) {
        if (after) passed.push({ fd: change.fd, file: after });
        continue;
      }
      if (before) files.add(before);
      if (after) files.add(after);
    }
    for (const { after } of record.others ?? []) {
      if (after) this.#byName.get(after.name)?.look(after, end);
    }
    return { record, end, files: [...files], passed, operations: [], completions: [] };
  }

  /** The file that a descriptor stands for now, as far as it was seen. */
  fileAt(fd: number): TracedFile | undefined {
    return this.#byDescriptor.get(fd);
  }

  /** A descriptor was closed by something else than a call. */
  close(fd: number, time: number): void {
    this.#byDescriptor.get(fd)?.close(fd, time);
    this.#byDescriptor.delete(fd);
  }

  /** Something else than a call made a file, which will be seen when its descriptor is used. */
  expect(fd: number, time: number, found: (file: TracedFile) => void): void {
    this.close(fd, time); // whatever it stood for
    this.#expected.set(fd, { time, found });
  }

  #follow({ fd, before, after }: OpenFileChange, start: number, end: number): (TracedFile | undefined)[] {
    const old = before ? this.#at(fd, before, start) : undefined;
    if (before && after && nameOf(before) === nameOf(after)) {
      old?.look(after, end);
      return [old];
    }
    if (old) {
      old.close(fd, end);
      this.#byDescriptor.delete(fd);
    }
    if (!after) return [old];
    const known = this.#byName.get(nameOf(after));
    const made = this.#at(fd, after, end);
    if (made !== known) made.made = end;
    return [old, made];
  }

  /** The file that a descriptor stands for at a time, by the kernel's name for it. */
  #at(fd: number, facts: OpenFile, time: number): TracedFile {
    const holder = this.#byDescriptor.get(fd);
    const name = nameOf(facts);
    // Names such as anon_inode:[eventpoll] are shared by all of a kind: there, a descriptor is the file.
    const isOwn = /^(socket|pipe):/.test(name);
    const known = isOwn ? this.#byName.get(name) : holder?.name === name ? holder : undefined;
    const file = known ?? new TracedFile(name, facts, time);
    if (!known) {
      this.files.push(file);
      if (isOwn) this.#byName.set(name, file);
    }
    if (holder !== file) {
      holder?.close(fd, time); // closed unseen, and the number given to another
      this.#byDescriptor.set(fd, file);
      file.open(fd);
      const expected = this.#expected.get(fd);
      this.#expected.delete(fd);
      if (expected && !known) {
        file.made = expected.time;
        expected.found(file);
      }
    }
    file.look(facts, time);
    return file;
  }
}
