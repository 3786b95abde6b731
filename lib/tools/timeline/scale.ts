// Where in the picture a moment lies.
import type { Timeline } from './model.js';
import { firstAtOrAbove } from './sorted.js';

/**
 * How time runs across a picture: evenly; or compressed, so that microseconds can be seen beside seconds: between any
 * two moments at which something happened lies a distance that grows with the logarithm of the time between them.
 */
export type Pace = 'compressed' | 'even';

export interface Scale {
  /** Where a moment lies, from 0 at the left to 1 at the right. */
  at(time: number): number;
  /** The moments that its axis names; those that do not have room are left out. */
  readonly ticks: readonly number[];
  /** How many pixels wide the picture should be, for what is close together to be told apart. */
  readonly width: number;
}

/** The narrowest picture that can be read. */
export const narrowest = 940;
const pixelsPerUnit = 7;
/** What is shorter than this, in milliseconds, is drawn in proportion; what is longer, by its logarithm. */
const short = 0.02;

/** @param until the moment at the right edge of an even scale, if not the last one, as milliseconds from the first */
export function scaleOf(timeline: Timeline, pace: Pace, until = 0): Scale {
  return pace === 'even' ? even(timeline, until) : compressed(timeline);
}

function even({ from, to }: Timeline, until: number): Scale {
  const span = Math.max(until, to - from) || 1;
  const step = roundStep(span / 10);
  const ticks = Array.from({ length: Math.floor(span / step) + 1 }, (_, i) => from + i * step);
  return { at: (time) => (time - from) / span, ticks, width: narrowest };
}

/** The least of 1, 2, 5, 10, 20, 50, ... that is not below a number. */
function roundStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return power * ([1, 2, 5].find((digit) => digit * power >= least) ?? 10);
}

function compressed({ lanes, steps, activities, from, to }: Timeline): Scale {
  const spans = [...lanes, ...steps, ...activities, ...lanes.flatMap(({ states }) => states)];
  const all = new Set([from, to, ...spans.flatMap((span) => [span.from, span.to])]);
  const moments = [...all].sort((a, b) => a - b);
  const places: number[] = [0];
  for (let i = 1; i < moments.length; i++) {
    const passed = (moments[i] as number) - (moments[i - 1] as number);
    places.push((places[i - 1] as number) + Math.log2(1 + passed / short));
  }
  const length = places.at(-1) || 1;
  return {
    ticks: [...new Set(steps.map((step) => step.from))],
    width: Math.max(narrowest, Math.round(length * pixelsPerUnit)),
    at(time) {
      const after = firstAtOrAbove(moments, time);
      if (after === 0) return 0;
      if (after === moments.length) return 1;
      const [start, end] = [moments[after - 1], moments[after]] as [number, number];
      const [left, right] = [places[after - 1], places[after]] as [number, number];
      return (left + ((right - left) * (time - start)) / (end - start)) / length;
    },
  };
}

/** A time that has passed, in the unit that suits it. */
export function formatTime(milliseconds: number): string {
  if (milliseconds >= 1000) return `${rounded(milliseconds / 1000)} s`;
  return milliseconds >= 1 || milliseconds === 0 ? `${rounded(milliseconds)} ms` : `${rounded(milliseconds * 1000)} µs`;
}

/** A moment of a picture that spans so many milliseconds: each as exact as the others. */
export function formatMoment(milliseconds: number, span: number): string {
  if (milliseconds === 0) return '0';
  if (span >= 1000) return `${(milliseconds / 1000).toFixed(4)} s`;
  return span >= 1 ? `${milliseconds.toFixed(2)} ms` : `${(milliseconds * 1000).toFixed(0)} µs`;
}

const rounded = (value: number) => String(Number(value.toPrecision(3)));
