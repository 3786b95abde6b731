// The picture as SVG: lanes, the time above them, and on them what draw-calls.ts and draw-arrows.ts draw.
import { drawArrows } from './draw-arrows.js';
import { drawSteps } from './draw-calls.js';
import { drawLabel, drawLabels, type Label, shownFrom, widthsForLabels } from './labels.js';
import { axisHeight, barHeight, box, type Drawing, layOut, percent, type Rows, stateHeight } from './layout.js';
import { element, escaped } from './markup.js';
import type { Activity, Lane, RingOperation, Step, Timeline } from './model.js';
import { formatMoment, type Scale } from './scale.js';
import { type Words, words } from './words.js';

/** The titles of the lanes, which stay at the left while the rest moves. */
export function drawTitles({ timeline, words }: Drawing): string {
  const { rowsOf } = layOut(timeline);
  const titles = timeline.lanes.map((lane) => {
    const title = element('tspan', { class: 'title' }, escaped(titleOf(lane, words)));
    const detail = lane.detail ? element('tspan', { class: 'detail', dx: 8 }, escaped(lane.detail)) : '';
    return element('text', { x: 0, y: rowsOf(lane).title }, title + detail);
  });
  return titles.join('\n');
}

/** A lane's title in the reader's language. */
export function titleOf({ kind, title }: Lane, { mainThread, thread }: Words): string {
  if (kind === 'file') return title;
  return title === words.en.mainThread ? mainThread : title.replace(words.en.thread, thread);
}

/** All but the titles. */
export function drawPlot(drawing: Drawing): string {
  const { timeline, scale } = drawing;
  const layout = layOut(timeline);
  const steps = new Map(timeline.lanes.map((lane): [Lane, Step[]] => [lane, []]));
  for (const step of timeline.steps) for (const lane of [step.thread, ...step.files]) steps.get(lane)?.push(step);
  return [
    drawAxis(timeline, scale, layout.height),
    ...drawArrows(timeline.arrows, layout, scale),
    ...timeline.lanes.map((lane) => drawLife(lane, layout.rowsOf(lane), scale)),
    ...timeline.operations.map((operation) => drawOperation(operation, layout.rowsOf(operation.lane), scale)),
    ...timeline.activities.map((activity) => drawActivity(activity, layout.rowsOf(activity.lane), scale)),
    ...Array.from(steps, ([lane, taken]) => drawSteps(lane, taken, layout.rowsOf(lane), drawing)),
  ].join('\n');
}

function drawAxis({ from, to }: Timeline, scale: Scale, height: number): string {
  const labels = scale.ticks.map((time): Label => {
    const text = formatMoment(time - from, to - from).replace(/\.?0+(?= )/, '');
    return { at: scale.at(time), text, size: 10 };
  });
  // A rule needs some more room than its label.
  const widths = widthsForLabels(
    labels.map((label) => ({ ...label, text: `${label.text}    ` })),
    scale.width,
  );
  return labels
    .map((label, i) => {
      const [x, width] = [percent(label.at), widths[i]];
      if (width === undefined) return '';
      const rule = { class: `rule ${shownFrom(width)}`, x1: x, x2: x, y1: axisHeight - 8, y2: height - 8 };
      return element('line', rule) + drawLabel(label, width, 'tick', axisHeight - 13);
    })
    .join('');
}

function drawLife(lane: Lane, { bars, states, stateNames }: Rows, scale: Scale): string {
  const middle = bars + barHeight / 2;
  const [x1, x2] = [percent(scale.at(lane.from)), percent(scale.at(lane.to))];
  const labels = lane.states.map(({ state, from }): Label => {
    const text = state.replace(/^TCP_/, '').replaceAll('_', ' ');
    return { at: scale.at(from), text, size: 9.5 };
  });
  const names = drawLabels(labels, scale.width, 'state-name', stateNames);
  const strip = lane.states.map(({ state, from, to }, i) => {
    const place = { ...box(scale.at(from), scale.at(to)), y: states, height: stateHeight };
    return element('rect', { class: `state ${state}`, ...place }, element('title', {}, state)) + names[i];
  });
  return element('line', { class: 'life', x1, x2, y1: middle, y2: middle }) + strip.join('');
}

/** From the call that submitted it to the last that fetched something of it; an open end if none was seen. */
function drawOperation({ lane, begun, answers }: RingOperation, { bars }: Rows, scale: Scale): string {
  const last = answers.at(-1)?.step;
  if (last === begun) return '';
  const place = { ...box(scale.at(begun.to), scale.at(last?.from ?? lane.to)), y: bars + 3, height: barHeight - 6 };
  return element('rect', { class: 'under-way', ...place });
}

function drawActivity({ from, to }: Activity, { bars }: Rows, scale: Scale): string {
  const place = { ...box(scale.at(from), scale.at(to)), y: bars + 3, height: barHeight - 6 };
  return element('rect', { class: 'activity', ...place });
}
