// Calls as bars.
import { drawLabel, drawLabels, type Label, widthsForLabels } from './labels.js';
import { barHeight, box, type Drawing, percent, type Rows } from './layout.js';
import { element, escaped } from './markup.js';
import type { Lane, Outcome, RingOperation, Step } from './model.js';
import { formatTime, type Scale } from './scale.js';
import type { Words } from './words.js';

/** The bars on a lane, of the steps that were taken there. */
export function drawSteps(lane: Lane, steps: readonly Step[], rows: Rows, drawing: Drawing): string {
  const { timeline, scale } = drawing;
  // A thread's calls have their names in the lanes of their files.
  const named = steps.filter(({ files }) => lane.kind === 'file' || files.length === 0);
  const seen = new Map(steps.map((step) => [step, seenOn(lane, step, timeline.operations)]));
  const labels = named.map((step): Label => ({ ...nameOf(seen.get(step) as Seen), at: scale.at(startOn(lane, step)) }));
  const marks = steps.filter((step) => seen.get(step)?.outcome !== 'done').map((step) => scale.at(startOn(lane, step)));
  const names = drawLabels(labels, scale.width, 'name', rows.names, marks);
  const nameFor = new Map(named.map((step, i) => [step, names[i]]));
  return steps
    .map((step) => {
      const { outcome } = seen.get(step) as Seen;
      return drawStep(step, outcome, startOn(lane, step), rows, drawing, nameFor.get(step) ?? '');
    })
    .join('');
}

/** A step as its lane sees it. */
interface Seen {
  readonly step: Step;
  readonly name: string;
  readonly error: string | undefined;
  readonly outcome: Outcome;
}

/** The file of an operation sees that, and not the call that carried it: `RECV …` where it begins, `… RECV` where it ends. */
function seenOn(lane: Lane, step: Step, operations: readonly RingOperation[]): Seen {
  const { call, outcome } = step;
  const own = operations.filter((operation) => operation.lane === lane);
  const ended = operations.flatMap(({ name, lane: about, begun, answers }) =>
    answers
      .filter((answer) => answer.step === step && (about === lane || answer.made === lane))
      .map((answer) => ({ ...answer, text: begun === step || answer.made === lane ? name : `… ${name}` })),
  );
  const begun = own.filter((one) => one.begun === step && one.answers[0]?.step !== step);
  const names = new Set([...ended.map(({ text }) => text), ...begun.map(({ name }) => `${name} …`)]);
  if (names.size === 0) return { step, name: call.call, error: call.error, outcome };
  const failed = ended.find((answer) => answer.outcome !== 'done');
  return { step, name: [...names].join(', '), error: failed?.error, outcome: failed?.outcome ?? 'done' };
}

/** `recv`, `recv EAGAIN × 12`, beside the mark that is there. What failed is named before what did not. */
function nameOf({ step: { count, slept }, name, error, outcome }: Seen): Omit<Label, 'at'> {
  const text = [name, error, count > 1 && `× ${count}`].filter(Boolean).join(' ');
  const [beside, weight] = outcome === 'done' ? [0, 0] : [7, 2];
  return { text, size: 10.5, beside, weight: weight + (slept > 0 ? 1 : 0) };
}

/** When a call begins on a lane: what it made has not been there before its end. */
function startOn({ made, from }: Lane, { files, from: start, to }: Step): number {
  return made && from === to && files.length > 1 ? to : start;
}

function drawStep(step: Step, outcome: Outcome, from: number, rows: Rows, drawing: Drawing, name: string): string {
  const { scale, words, interactive } = drawing;
  const [start, end] = [scale.at(from), scale.at(step.to)];
  const summary = summaryOf(step, words);
  const choice = { 'data-step': step.index, tabindex: -1, role: 'button', 'aria-label': summary };
  return element(
    'g',
    { class: `step ${outcome.replace(' ', '-')}`, ...(interactive && choice) },
    element('title', {}, escaped(summary)),
    interactive ? element('rect', { class: 'hit', ...box(start, end), y: rows.bars - 4, height: barHeight + 8 }) : '',
    step.count > 1 ? drawEach(step, rows, scale) : drawBar(step, start, end, rows, drawing),
    outcome === 'done' ? '' : drawMark(outcome, percent(start), rows),
    name,
  );
}

/** A step in one line: the call, how long it took, how much of that it slept. */
export function summaryOf({ call, count, from, to, slept }: Step, { asleep, calls }: Words): string {
  const parts = [call.text, count > 1 && calls(count), formatTime(to - from)];
  if (slept > 0) parts.push(`${asleep} ${formatTime(slept)}`);
  return parts.filter(Boolean).join(' · ');
}

/** Whether the thread goes on during a call: its answer is a promise. */
export const isAsync = ({ call }: Step) => call.call.endsWith('Async');

const kindOf = (step: Step) => (isAsync(step) ? 'under-way' : 'bar');

function drawBar(step: Step, start: number, end: number, rows: Rows, drawing: Drawing): string {
  const bar = element('rect', { class: kindOf(step), ...box(start, end), y: rows.bars, height: barHeight });
  return step.slept + step.queued === 0 || start === end ? bar : bar + drawWaiting(step, start, end, rows, drawing);
}

/** What a call waited: first the part of it that the thread slept, then the part that it waited for a processor. */
function drawWaiting(step: Step, start: number, end: number, rows: Rows, { scale, words }: Drawing): string {
  const { from, to, slept, queued } = step;
  const after = (waited: number) => start + ((end - start) * waited) / (to - from);
  const woken = after(slept);
  const place = { y: rows.bars, height: barHeight };
  const label: Label = { at: start, text: `${words.asleep} ${formatTime(slept)}`, size: 9, beside: 4 };
  const [room] = widthsForLabels([{ ...label, at: 0 }], (woken - start) * scale.width);
  const width = room === undefined ? undefined : Math.round(room / (woken - start));
  return [
    element('rect', { class: 'queued', ...box(woken, after(slept + queued)), ...place }),
    element('rect', { class: 'asleep', ...box(start, woken), ...place }),
    drawLabel(label, width, 'sleep', rows.bars + barHeight - 3),
  ].join('');
}

/** Calls that are closer together than this part of the picture are not told apart. */
const finest = 0.0005;

/** The same call again and again. */
function drawEach(step: Step, { bars }: Rows, scale: Scale): string {
  let last = -1;
  const kind = kindOf(step);
  return step.each
    .map(({ from, to }) => {
      const [start, end] = [scale.at(from), scale.at(to)];
      if (end - last < finest) return '';
      last = end;
      return element('rect', { class: kind, ...box(start, end), y: bars, height: barHeight });
    })
    .join('');
}

/** The mark of what did not go well: a hollow triangle where it would have blocked, a cross where it failed. */
export const markShapes: Readonly<Record<Exclude<Outcome, 'done'>, string>> = {
  'would block': 'M-3.5 -8 h7 l-3.5 6 z',
  error: 'M-3 -8 l6 6 m0 -6 l-6 6',
};

function drawMark(outcome: keyof typeof markShapes, x: string, { bars }: Rows): string {
  const path = element('path', { d: markShapes[outcome] });
  return element('svg', { x, y: bars, class: 'mark', overflow: 'visible' }, path);
}
