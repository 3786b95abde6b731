// Where things lie: across at a percentage of the width, so that a picture can be stretched without its text; down at
// pixels.
import type { Lane, Timeline } from './model.js';
import type { Scale } from './scale.js';
import type { Words } from './words.js';

/** What is drawn, and how. */
export interface Drawing {
  readonly timeline: Timeline;
  readonly scale: Scale;
  readonly words: Words;
  /** Whether a reader can choose calls: in a page, where there is something that tells of them. */
  readonly interactive: boolean;
}

/** Where a lane's rows are, in pixels from the top: the baselines of texts, the upper edges of bars. */
export interface Rows {
  readonly title: number;
  readonly names: number;
  readonly bars: number;
  readonly states: number;
  readonly stateNames: number;
}

export const axisHeight = 26;
export const barHeight = 12;
export const stateHeight = 4;

export interface Layout {
  readonly height: number;
  rowsOf(lane: Lane): Rows;
}

export function layOut({ lanes, steps }: Timeline): Layout {
  const rows = new Map<Lane, Rows>();
  let top = axisHeight + 8;
  for (const lane of lanes) {
    const taken = lane.kind === 'file' ? [] : steps.filter(({ thread }) => thread === lane);
    const hasNames = lane.kind === 'file' || taken.some(({ files }) => files.length === 0);
    const hasMarks = taken.some(({ outcome }) => outcome !== 'done');
    const bars = top + (hasNames ? 34 : hasMarks ? 26 : 18);
    const states = bars + barHeight + 3;
    rows.set(lane, { title: top + 11, names: bars - 5, bars, states, stateNames: states + 14 });
    top = lane.states.length > 0 ? states + 32 : bars + barHeight + 16;
  }
  return { height: top, rowsOf: (lane) => rows.get(lane) as Rows };
}

/** A place from 0 to 1, as SVG has it. */
export const percent = (fraction: number) => `${Number((fraction * 100).toFixed(3))}%`;

// SVG does not draw what is not wide at all, not even its outline.
const thinnest = 0.00001;

/** From one place to another. */
export const box = (start: number, end: number) => ({
  x: percent(start),
  width: percent(Math.max(thinnest, end - start)),
});
