// What passed between lanes, as arrows.
import { drawLabel, endsThere, type Label, widthsForLabels } from './labels.js';
import { barHeight, type Layout, percent } from './layout.js';
import { element } from './markup.js';
import type { Arrow, ArrowKind } from './model.js';
import type { Scale } from './scale.js';

export function drawArrows(arrows: readonly Arrow[], { rowsOf }: Layout, scale: Scale): string[] {
  const placed = arrows.map((arrow) => {
    const [x1, x2] = [scale.at(arrow.from.step.from), scale.at(arrow.to.step.to)];
    const [source, target] = [rowsOf(arrow.from.lane).bars, rowsOf(arrow.to.lane).bars];
    const [y1, y2] = target > source ? [source + barHeight, target] : [source, target + barHeight];
    const label: Label = { at: (x1 + x2) / 2, text: arrow.label, size: 10, beside: 5 };
    return { arrow, x1, x2, y1, y2, label };
  });
  // Labels of arrows between the same two lanes are in one row.
  const rows = new Map<number, Label[]>();
  for (const { y1, y2, label } of placed) {
    const row = rows.get(y1 + y2);
    if (row) row.push(label);
    else rows.set(y1 + y2, [label]);
  }
  const widths = new Map(
    [...rows.values()].flatMap((row) => {
      const found = widthsForLabels(row, scale.width);
      return row.map((label, i) => [label, found[i]] as const);
    }),
  );
  const drawn = placed.map(({ arrow, x1, x2, y1, y2, label }) => {
    const ends = { x1: percent(x1), x2: percent(x2), y1, y2 };
    const line = element('line', { class: 'line', ...ends, 'marker-end': `url(#head-${arrow.kind})` });
    // On the side that the line leaves free.
    const isAbove = y2 > y1 !== endsThere(label);
    const y = (y1 + y2) / 2 + (isAbove ? -2 : 9);
    const text = arrow.label === '' ? '' : drawLabel(label, widths.get(label), 'what', y);
    const steps = { 'data-steps': `${arrow.from.step.index} ${arrow.to.step.index}` };
    return [
      element('g', { class: `arrow ${arrow.kind}`, ...steps }, line),
      text && element('g', { class: `passed ${arrow.kind}`, ...steps }, text),
    ] as const;
  });
  // What passed is written over all lines.
  return [...drawn.map(([line]) => line), ...drawn.map(([, text]) => text)];
}

const open = 'M1 1 L7 4 L1 7';
const solid = 'M0.5 0.8 L7.5 4 L0.5 7.2 Z';
const heads: Readonly<Record<ArrowKind, string>> = {
  bytes: solid,
  descriptors: solid,
  connection: open,
  end: open,
  reset: solid,
};
const headSize = { viewBox: '0 0 8 8', refX: 7.5, refY: 4, markerWidth: 7, markerHeight: 7, orient: 'auto' };

/** The heads of arrows, to be defined once where pictures are. */
export const arrowHeads = element(
  'defs',
  {},
  ...Object.entries(heads).map(([kind, d]) =>
    element('marker', { id: `head-${kind}`, class: `head ${kind}`, ...headSize }, element('path', { d })),
  ),
);
