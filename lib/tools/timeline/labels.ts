// Labels, and which of them have room at which width of the picture.
import { percent } from './layout.js';
import { element, escaped } from './markup.js';
import { firstAtOrAbove } from './sorted.js';

/** A label that begins at a place from 0 to 1, or ends there if it would not fit in before the right edge. */
export interface Label {
  readonly at: number;
  readonly text: string;
  /** Of its letters, in pixels. */
  readonly size: number;
  /** How far beside its place it begins, in pixels. */
  readonly beside?: number;
  /** Those with a higher one are placed first; 0 if not said. */
  readonly weight?: number;
}

const gap = 7;
/** Half of a mark, and some more. */
const markRoom = 5;
/** A picture that is fitted into a window is no narrower than this; one that is long, many times narrower than it is made. */
const narrowest = 300;
const magnifications = [0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.5, 2, 3, 4, 6, 8, 12, 16, 24, 32];
/** From here on labels end at their place, and do not begin there. */
const rightmost = 0.8;

export const endsThere = ({ at }: Label) => at > rightmost;

/** How wide a text is about, in pixels. Chinese characters are twice as wide as others, and capitals somewhat wider. */
export function widthOf(text: string, size: number): number {
  const count = (kind: RegExp) => text.match(kind)?.length ?? 0;
  return (text.length + count(/[\u2e80-\uffef]/gu) * 0.8 + count(/[A-Z]/g) * 0.25) * size * 0.57;
}

/**
 * The narrowest width of the picture at which each label has room in its row, beside those that have it already.
 * @param width the width that the picture is made for, in pixels
 * @param marks the places of marks in the row: a label may stand beside its own, and lies on no other
 * @returns undefined for those that never have
 */
export function widthsForLabels(
  labels: readonly Label[],
  width: number,
  marks: readonly number[] = [],
): (number | undefined)[] {
  const marked = [...marks].sort((one, other) => one - other);
  const shown = new Map<Label, number>();
  const order = [...labels].sort((one, other) => (other.weight ?? 0) - (one.weight ?? 0) || one.at - other.at);
  const [places, placed]: [number[], Label[]] = [[], []];
  for (const magnification of magnifications) {
    const total = Math.round(width * magnification);
    if (magnification < 0.4 && total < narrowest) continue;
    for (const label of order) {
      if (shown.has(label)) continue;
      const [left, right] = extent(label, total);
      const next = firstAtOrAbove(places, label.at);
      const isFree = placed.slice(Math.max(0, next - 1), next + 1).every((other) => {
        const [start, end] = extent(other, total);
        return right + gap <= start || end + gap <= left;
      });
      if (!isFree || left < -1 || right > total + 1) continue;
      const from = firstAtOrAbove(marked, (left - markRoom) / total);
      const covered = marked.slice(from, firstAtOrAbove(marked, (right + markRoom) / total));
      if (covered.some((mark) => mark !== label.at)) continue;
      shown.set(label, total);
      places.splice(next, 0, label.at);
      placed.splice(next, 0, label);
    }
  }
  return labels.map((label) => shown.get(label));
}

function extent(label: Label, total: number): [left: number, right: number] {
  const width = widthOf(label.text, label.size) + (label.beside ?? 0);
  const start = label.at * total - (endsThere(label) ? width : 0);
  return [start, start + width];
}

const prefix = 'from-';

/** The class of what is shown only if the picture is so wide. */
export const shownFrom = (width: number) => `${prefix}${width}`;

/** A label, marked for the widths of the picture at which it is shown. */
export function drawLabel(label: Label, width: number | undefined, kind: string, y: number): string {
  if (width === undefined) return '';
  const isLast = endsThere(label);
  return element(
    'text',
    {
      class: `${kind} ${shownFrom(width)}`,
      x: percent(label.at),
      y,
      dx: label.beside && (isLast ? -label.beside : label.beside),
      'text-anchor': isLast ? 'end' : undefined,
    },
    escaped(label.text),
  );
}

/** Draws the labels of a row. @returns each, empty for those that never have room */
export function drawLabels(
  labels: readonly Label[],
  width: number,
  kind: string,
  y: number,
  marks?: readonly number[],
): string[] {
  const widths = widthsForLabels(labels, width, marks);
  return labels.map((label, i) => drawLabel(label, widths[i], kind, y));
}

/** The widths of the picture at which labels in it begin to be shown. */
function widthsIn(plot: string): Set<number> {
  return new Set(Array.from(plot.matchAll(new RegExp(`"[\\w- ]*${prefix}(\\d+)"`, 'g')), ([, width]) => Number(width)));
}

/** Rules that hide each label where the container of the picture, `plot`, is narrower than what it needs. */
export function rulesForAnyWidth(plot: string): string {
  const rules = Array.from(widthsIn(plot)).sort((one, other) => one - other);
  return rules
    .map((width) => `@container plot (width < ${width}px) { .${prefix}${width} { display: none } }`)
    .join('\n');
}

/** Rules that hide the labels that need more than this width. */
export function rulesForWidth(plot: string, width: number): string {
  const hidden = [...widthsIn(plot)].filter((needed) => needed > width);
  return hidden.map((needed) => `.${prefix}${needed} { display: none }`).join('\n');
}
