import type { Answer } from './program.js';
import { median, ratio } from './statistics.js';

/** Whose work an entry is: the C yardstick, this package, or somebody else. */
export type Side = 'c' | 'ours' | 'other';

/** A program that takes part; `missing` says by name what this machine lacks for it. */
export interface Contestant {
  name: string;
  side: Side;
  command: readonly string[];
  /** It listens on a port that is its last argument, another one for each process: the last may still have a connection there. */
  listens?: true;
  missing?: string;
}

/** What one contestant did in one case: each metric, one sample a round. */
export interface Entry {
  contestant: string;
  side: Side;
  missing?: string;
  /** The entry of the same case whose figures this one's are divided by. */
  against: string;
  samples: Record<string, number[]>;
}

/** Entries that are compared with each other. */
export interface Case {
  name: string;
  entries: Entry[];
}

/** A column of the printed table: the median of a metric, in `decimals` after division by `scale`. */
export interface Column {
  metric: string;
  heading: string;
  scale?: number;
  decimals: number;
  /** Print also the least and the greatest sample and, under this heading, the ratio to the entry's yardstick. */
  ratio?: string;
}

/** What an issue asks for: the ratio of one entry's metric to another's. */
export interface Target {
  says: string;
  case: string;
  metric: string;
  contestant: string;
  against: string;
  atMost?: number;
  atLeast?: number;
}

/** A small chart of bars. */
export interface Bars {
  title: string;
  note: string;
  bars: { label: string; side: Side; value: number; text: string }[];
  /** Bars grow with the logarithm of the value. */
  logarithmic?: boolean;
}

/** A small chart of lines, both axes logarithmic. */
export interface Lines {
  title: string;
  note: string;
  lines: { label: string; points: { x: number; y: number }[] }[];
}

export type Panel = Bars | Lines;

/** What a question found out; written to bench/results/NAME.json as it is. */
export interface Findings {
  title: string;
  method: string;
  columns: Column[];
  cases: Case[];
  targets: Target[];
  panels: Panel[];
}

/** How long to measure. */
export interface Effort {
  quick: boolean;
}

/** A question that the bench answers. */
export interface Question {
  name: string;
  measure(effort: Effort): Promise<Findings>;
}

export function newEntry({ name, side, missing }: Contestant, against: string): Entry {
  return { contestant: name, side, against, samples: {}, ...(missing === undefined ? {} : { missing }) };
}

/** Adds one round's answer. */
export function record(entry: Entry, answer: Answer): void {
  for (const [metric, value] of Object.entries(answer)) {
    entry.samples[metric] ??= [];
    entry.samples[metric].push(value);
  }
}

export function samplesOf(entry: Entry | undefined, metric: string): number[] {
  return entry?.samples[metric] ?? [];
}

/** An entry's metric over another's, round by round; NaN if either was not measured. */
export function ratioOf(entry: Entry | undefined, against: Entry | undefined, metric: string): number {
  return ratio(samplesOf(entry, metric), samplesOf(against, metric));
}

export function entryOf(of: Case | undefined, contestant: string): Entry | undefined {
  return of?.entries.find((entry) => entry.contestant === contestant);
}

/** The ratio a target speaks of. */
export function reached({ case: name, contestant, against, metric }: Target, cases: readonly Case[]): number {
  const of = cases.find((one) => one.name === name);
  return ratioOf(entryOf(of, contestant), entryOf(of, against), metric);
}

/** The medians of a metric in one case, as bars. */
export function bars(
  of: Case | undefined,
  metric: string,
  titles: Omit<Bars, 'bars'>,
  text: (value: number) => string,
): Bars {
  const bars = (of?.entries ?? [])
    .map((entry) => ({ entry, value: median(samplesOf(entry, metric)) }))
    .filter(({ value }) => !Number.isNaN(value))
    .map(({ entry, value }) => ({ label: entry.contestant, side: entry.side, value, text: text(value) }));
  return { ...titles, bars };
}
