// The picture as SVG. Across, everything lies at a percentage of the width, so that it can be stretched without its text;
// down, at pixels.
import { endsThere, type Label, widthOf, widthsForLabels } from './labels.js';
import { element, escaped } from './markup.js';
import type { Arrow, Lane, Step, Timeline } from './model.js';
import { formatMoment, formatTime, type Scale } from './scale.js';
import { type Words, words } from './words.js';

/** What is drawn, and how. */
export interface Drawing {
  readonly timeline: Timeline;
  readonly scale: Scale;
  readonly words: Words;
}

/** Where a lane's rows are, in pixels from the top. */
interface Rows {
  readonly top: number;
  readonly title: number;
  readonly names: number;
  /** The bars: their upper edge. */
  readonly bars: number;
  readonly states: number;
  readonly stateNames: number;
}

const axisHeight = 26;
const barHeight = 12;
const stateHeight = 4;

const percent = (fraction: number) => `${Number((fraction * 100).toFixed(3))}%`;

/** Where each lane is, and how high they are together. */
function layOut({ lanes, steps }: Timeline): { rows: ReadonlyMap<Lane, Rows>; height: number } {
  const rows = new Map<Lane, Rows>();
  let top = axisHeight + 8;
  for (const lane of lanes) {
    const hasNames = lane.kind === 'file' || steps.some((step) => step.thread === lane && step.files.length === 0);
    const bars = top + (hasNames ? 34 : 18);
    const states = bars + barHeight + 3;
    rows.set(lane, { top, title: top + 11, names: bars - 5, bars, states, stateNames: states + 14 });
    top = lane.states.length > 0 ? states + 32 : bars + barHeight + 16;
  }
  return { rows, height: top };
}

/** The picture's height, in pixels. */
export function heightOf(timeline: Timeline): number {
  return layOut(timeline).height;
}

/** The titles of the lanes, which stay at the left while the rest moves. */
export function drawTitles({ timeline, words }: Drawing): string {
  const { rows } = layOut(timeline);
  const titles = timeline.lanes.map((lane) => {
    const title = element('tspan', { class: 'title' }, escaped(titleOf(lane, words)));
    const detail = lane.detail ? element('tspan', { class: 'detail', dx: 8 }, escaped(lane.detail)) : '';
    return element('text', { x: 0, y: rows.get(lane)?.title }, title + detail);
  });
  return titles.join('\n');
}

export function titleOf({ kind, title }: Lane, { mainThread, thread }: Words): string {
  if (kind === 'file') return title;
  return title === words.en.mainThread ? mainThread : title.replace(words.en.thread, thread);
}

/** All but the titles. */
export function drawPlot(drawing: Drawing): string {
  const { timeline, scale } = drawing;
  const { rows, height } = layOut(timeline);
  const rowsOf = (lane: Lane) => rows.get(lane) as Rows;
  return [
    drawAxis(timeline, scale, height),
    ...drawArrows(timeline.arrows, rowsOf, scale),
    ...timeline.lanes.map((lane) => drawLife(lane, rowsOf(lane), scale)),
    ...timeline.activities.map(({ lane, from, to }) => drawActivity(rowsOf(lane), scale, from, to)),
    ...timeline.lanes.map((lane) => drawSteps(lane, rowsOf(lane), drawing)),
  ].join('\n');
}

/** Marks a label for the widths at which it has room. */
const fromWidth = (width: number | undefined) => `from-${width}`;

/** The rules that hide each label below the width that it needs, for a picture in a container that may be stretched. */
export function labelRules(plot: string): string {
  const widths = new Set(Array.from(plot.matchAll(/from-(\d+)/g), ([, width]) => Number(width)));
  const rules = [...widths]
    .sort((a, b) => a - b)
    .map((width) => `@container plot (width < ${width}px) { .from-${width} { display: none } }`);
  return rules.join('\n');
}

// ---- time

function drawAxis({ steps, from, to }: Timeline, scale: Scale, height: number): string {
  const times = [...new Set(steps.map((step) => step.from))];
  const labels = times.map((time): Label & { text: string } => {
    const text = formatMoment(time - from, to - from);
    return { at: scale.at(time), text, width: widthOf(text, 10) + 24 };
  });
  const widths = widthsForLabels(labels, scale.width);
  return labels
    .map((label, i) => {
      if (widths[i] === undefined) return '';
      const x = percent(label.at);
      const line = element('line', { class: 'rule', x1: x, x2: x, y1: axisHeight - 8, y2: height - 8 });
      const anchor = endsThere(label) ? 'end' : undefined;
      const text = element('text', { class: 'tick', x, y: axisHeight - 13, 'text-anchor': anchor }, label.text);
      return element('g', { class: fromWidth(widths[i]) }, line, text);
    })
    .join('');
}

// ---- lanes

function drawLife(lane: Lane, { bars, states, stateNames }: Rows, scale: Scale): string {
  const middle = bars + barHeight / 2;
  const [x1, x2] = [percent(scale.at(lane.from)), percent(scale.at(lane.to))];
  const life = element('line', { class: 'life', x1, x2, y1: middle, y2: middle });
  const names = lane.states.map(({ state, from }): Label & { text: string } => {
    const text = state.replace(/^TCP_/, '').replaceAll('_', ' ');
    return { at: scale.at(from), text, width: widthOf(text, 9.5) };
  });
  const widths = widthsForLabels(names, scale.width);
  const strip = lane.states.map(({ state, from, to }, i) => {
    const [start, end] = [scale.at(from), scale.at(to)];
    const { at, text } = names[i] as (typeof names)[number];
    const anchor = endsThere({ at }) ? 'end' : undefined;
    const bar = element(
      'rect',
      { class: `state ${state}`, x: percent(start), width: percent(end - start), y: states, height: stateHeight },
      element('title', {}, state),
    );
    if (widths[i] === undefined) return bar;
    const place = { x: percent(at), y: stateNames, 'text-anchor': anchor };
    return bar + element('text', { class: `state-name ${fromWidth(widths[i])}`, ...place }, text);
  });
  return life + strip.join('');
}

function drawActivity({ bars }: Rows, scale: Scale, from: number, to: number): string {
  const [start, end] = [scale.at(from), scale.at(to)];
  return element('rect', { class: 'activity', ...box(start, end), y: bars + 3, height: barHeight - 6 });
}

// ---- calls

function drawSteps(lane: Lane, rows: Rows, drawing: Drawing): string {
  const { timeline, scale } = drawing;
  const steps = timeline.steps.filter(({ thread, files }) => thread === lane || files.includes(lane));
  // A thread's calls have their names in the lanes of their files.
  const named = steps.filter(({ files }) => lane.kind === 'file' || files.length === 0);
  const names = named.map((step): Label & { text: string } => {
    const text = nameOf(step);
    const weight = (step.outcome === 'error' ? 2 : 0) + (step.slept > 0 ? 1 : 0);
    return { at: scale.at(step.from), text, weight, width: widthOf(text, 10.5) };
  });
  const widths = widthsForLabels(names, scale.width);
  return steps
    .map((step) => {
      const i = named.indexOf(step);
      const name = names[i];
      const label =
        name && widths[i] !== undefined
          ? element(
              'text',
              {
                class: `name ${fromWidth(widths[i])}`,
                x: percent(name.at),
                y: rows.names,
                'text-anchor': endsThere(name) ? 'end' : undefined,
              },
              escaped(name.text),
            )
          : '';
      return drawStep(step, rows, drawing, label);
    })
    .join('');
}

/** `recv`, `recv EAGAIN × 12` */
function nameOf({ call, count }: Step): string {
  return [call.call, call.error, count > 1 && `× ${count}`].filter(Boolean).join(' ');
}

function drawStep(step: Step, rows: Rows, { scale, words }: Drawing, label: string): string {
  const [start, end] = [scale.at(step.from), scale.at(step.to)];
  const attributes = { class: `step ${step.outcome.replace(' ', '-')}`, 'data-step': step.index, tabindex: -1 };
  const summary = summaryOf(step, words);
  return element(
    'g',
    { ...attributes, role: 'button', 'aria-label': summary },
    element('title', {}, escaped(summary)),
    element('rect', { class: 'hit', ...box(start, end), y: rows.bars - 4, height: barHeight + 8 }),
    step.count > 1 ? drawAgain(start, end, rows) : drawBar(step, start, end, rows, scale, words),
    step.outcome === 'done' ? '' : drawMark(step, percent(start), rows),
    label,
  );
}

const box = (start: number, end: number) => ({ x: percent(start), width: percent(end - start) });

/** Many calls that follow each other. */
function drawAgain(start: number, end: number, { bars }: Rows): string {
  const y = bars + barHeight / 2;
  return element('line', { class: 'again', x1: percent(start), x2: percent(end), y1: y, y2: y });
}

/** A call: first the part of it that the thread slept, then the part that it waited for a processor. */
function drawBar({ from, to, slept, queued }: Step, start: number, end: number, rows: Rows, scale: Scale, words: Words) {
  const place = { y: rows.bars, height: barHeight };
  const bar = element('rect', { class: 'bar', ...box(start, end), ...place });
  if (slept + queued === 0) return bar;
  const [woken, run] = [start, start].map((_, i) => start + ((end - start) * (slept + i * queued)) / (to - from)) as [
    number,
    number,
  ];
  const text = `${words.asleep} ${formatTime(slept)}`;
  const room = widthsForLabels([{ at: 0, width: widthOf(text, 9) + 8 }], (woken - start) * scale.width)[0];
  return [
    bar,
    element('rect', { class: 'queued', ...box(woken, run), ...place }),
    element('rect', { class: 'asleep', ...box(start, woken), ...place }),
    room === undefined
      ? ''
      : element(
          'text',
          {
            class: `sleep ${fromWidth(Math.round(room / (woken - start)))}`,
            x: percent((start + woken) / 2),
            y: rows.bars + barHeight - 3,
            'text-anchor': 'middle',
          },
          text,
        ),
  ].join('');
}

/** A step in one line: the call, how long it took, how much of that it slept. */
export function summaryOf({ call, count, from, to, slept }: Step, { asleep, calls }: Words): string {
  const parts = [call.text, count > 1 && calls(count), formatTime(to - from)];
  if (slept > (to - from) / 100) parts.push(`${asleep} ${formatTime(slept)}`);
  return parts.filter(Boolean).join(' · ');
}

/** Above the bar: a hollow triangle where it would have blocked, a cross where it failed. */
function drawMark({ outcome }: Step, x: string, { bars }: Rows): string {
  const shape = outcome === 'error' ? 'M-3 -8 l6 6 m0 -6 l-6 6' : 'M-3.5 -8 h7 l-3.5 6 z';
  return element('svg', { x, y: bars, class: 'mark', overflow: 'visible' }, element('path', { d: shape }));
}

// ---- arrows

function drawArrows(arrows: readonly Arrow[], rowsOf: (lane: Lane) => Rows, scale: Scale): string[] {
  const placed = arrows.map((arrow) => {
    const [x1, x2] = [scale.at(arrow.from.step.from), scale.at(arrow.to.step.to)];
    const [source, target] = [rowsOf(arrow.from.lane), rowsOf(arrow.to.lane)];
    const isDown = target.top > source.top;
    const y1 = source.bars + (isDown ? barHeight : 0);
    const y2 = target.bars + (isDown ? 0 : barHeight);
    return { arrow, x1, x2, y1, y2, at: (x1 + x2) / 2, width: widthOf(arrow.label, 10) };
  });
  const widths = new Map<unknown, number | undefined>();
  for (const one of placed) {
    if (widths.has(one)) continue;
    const sameRow = placed.filter(({ y1, y2 }) => y1 + y2 === one.y1 + one.y2);
    const found = widthsForLabels(sameRow, scale.width);
    for (const [i, label] of sameRow.entries()) widths.set(label, found[i]);
  }
  return placed.map((one) => {
    const { arrow, x1, x2, y1, y2, at } = one;
    const ends = { x1: percent(x1), x2: percent(x2), y1, y2 };
    const line = element('line', { class: 'line', ...ends, 'marker-end': `url(#head-${arrow.kind})` });
    const width = widths.get(one);
    const place = { x: percent(at), y: (y1 + y2) / 2 + 3.5, dx: 7 };
    const label =
      arrow.label && width !== undefined ? element('text', { class: fromWidth(width), ...place }, arrow.label) : '';
    const steps = `${arrow.from.step.index} ${arrow.to.step.index}`;
    return element('g', { class: `arrow ${arrow.kind}`, 'data-steps': steps }, line, label);
  });
}

/** The heads of arrows, to be defined once where pictures are. */
export const arrowHeads = element(
  'defs',
  {},
  ...['bytes', 'descriptors', 'connection', 'end', 'reset'].map((kind) =>
    element(
      'marker',
      {
        id: `head-${kind}`,
        class: `head ${kind}`,
        viewBox: '0 0 8 8',
        refX: 7.5,
        refY: 4,
        markerWidth: 7,
        markerHeight: 7,
        orient: 'auto',
      },
      element('path', { d: kind === 'end' || kind === 'connection' ? 'M1 1 L7 4 L1 7' : 'M0.5 0.8 L7.5 4 L0.5 7.2 Z' }),
    ),
  ),
);
