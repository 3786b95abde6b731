// The picture alone, as an SVG file.
import { arrowHeads } from './draw-arrows.js';
import { drawPlot, drawTitles } from './drawing.js';
import { colours, drawingStyle } from './drawing-style.js';
import { rulesForWidth } from './labels.js';
import { layOut } from './layout.js';
import { element, escaped } from './markup.js';
import type { Timeline } from './model.js';
import { type Pace, scaleOf } from './scale.js';
import { type Language, words } from './words.js';

export interface SvgOptions {
  /** Compressed if not said. */
  readonly pace?: Pace | undefined;
  /** What it is a picture of. */
  readonly title?: string | undefined;
  readonly language?: Language | undefined;
}

const margin = 16;

/**
 * An SVG file that shows a timeline, light or dark as its reader wants it.
 * @param timeline what timelineOf made
 * @param options its title, language and pace
 * @returns the whole file
 */
export function timelineSvg(timeline: Timeline, options: SvgOptions = {}): string {
  const { pace = 'compressed', title = 'Timeline', language = 'en' } = options;
  const scale = scaleOf(timeline, pace);
  const drawing = { timeline, scale, words: words[language], interactive: false };
  const [width, height] = [scale.width + 2 * margin, layOut(timeline).height + margin];
  const plot = drawPlot(drawing);
  return element(
    'svg',
    { xmlns: 'http://www.w3.org/2000/svg', class: 'timeline', width, height, viewBox: `0 0 ${width} ${height}` },
    element('title', {}, escaped(title)),
    element('style', {}, `${colours}\n${drawingStyle}${rulesForWidth(plot, scale.width)}`),
    arrowHeads,
    element('rect', { width: '100%', height: '100%', style: 'fill: var(--paper)' }),
    element(
      'svg',
      { x: margin, width: scale.width, height, overflow: 'visible' },
      plot,
      element('g', {}, drawTitles(drawing)),
    ),
  ).concat('\n');
}
