/**
 * posix-sockets/timeline: pictures of a trace. Each call is a bar, in the lane of its thread and in those of its sockets;
 * what passed between sockets is an arrow.
 *
 * - `model.ts`: what there is to be drawn · `files.ts`, `acts.ts`, `transfers.ts`,
 *   `timeline.ts`: found in a trace
 * - `scale.ts`, `labels.ts`: where it lies, and what has room · `drawing.ts`: as SVG · `svg.ts`, `page.ts`: as a file
 * @module
 */
export type {
  Activity,
  Arrow,
  ArrowKind,
  Lane,
  Outcome,
  Point,
  RingAnswer,
  RingOperation,
  Step,
  Stretch,
  Timeline,
} from './model.js';
export { type Figure, type PageOptions, timelinePage } from './page.js';
export type { Pace } from './scale.js';
export { type SvgOptions, timelineSvg } from './svg.js';
export { timelineOf } from './timeline.js';
export type { Language } from './words.js';
