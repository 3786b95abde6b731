// A page of pictures that is one file: it opens from a disk, and asks nothing of any network.
import type { Call, RawCall } from '../calls/call.js';
import { calls } from '../calls/index.js';
import { explain } from '../explain.js';
import { arrowHeads } from './draw-arrows.js';
import { isAsync, markShapes } from './draw-calls.js';
import { drawPlot, drawTitles, titleOf } from './drawing.js';
import { colours, drawingStyle } from './drawing-style.js';
import { rulesForAnyWidth, widthOf } from './labels.js';
import { type Drawing, layOut } from './layout.js';
import { element, escaped } from './markup.js';
import type { Step, Timeline } from './model.js';
import { pageScript } from './page-script.js';
import { pageStyle } from './page-style.js';
import { formatMoment, formatTime, type Pace, scaleOf } from './scale.js';
import { type Language, type Words, words } from './words.js';

/** One picture of a page. */
export interface Figure {
  readonly timeline: Timeline;
  readonly title?: string | undefined;
}

export interface PageOptions {
  readonly title?: string | undefined;
  readonly language?: Language | undefined;
  /** How time runs: compressed if not said. Evenly, all pictures of a page have the same scale. */
  readonly pace?: Pace | undefined;
}

/**
 * An HTML page that shows timelines, light or dark as its reader wants it.
 * @param figures the timelines, from above to below
 * @param options its title, language and pace
 * @returns the whole file
 */
export function timelinePage(figures: readonly Figure[], options: PageOptions = {}): string {
  const { language = 'en', pace = 'compressed' } = options;
  const said = words[language];
  const { title = said.title } = options;
  const until = Math.max(0, ...figures.map(({ timeline: { from, to } }) => to - from));
  const drawings = figures.map(({ timeline }) => ({
    timeline,
    scale: scaleOf(timeline, pace, until),
    words: said,
    interactive: true,
  }));
  const pictures = drawings.map((drawing, i) => drawFigure(drawing, `f${i}`, figures[i]?.title));
  const steps = figures.flatMap(({ timeline }) => timeline.steps);
  return `<!doctype html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title>
<style>${colours}${drawingStyle}${pageStyle}${rulesForAnyWidth(pictures.join(''))}</style>
</head>
<body>
<header>
<h1>${escaped(title)}</h1>
<p class="facts">${figures.length === 1 ? factsOf(figures[0] as Figure, said) : said.calls(countOf(steps))}${pace === 'compressed' && steps.length > 0 ? ` · ${said.compressed}` : ''}</p>
${drawKey(figures, said)}
</header>
<main>
<svg width="0" height="0" style="position: absolute" aria-hidden="true">${arrowHeads}</svg>
${pictures.join('\n')}
${steps.length === 0 ? '' : drawTexts(drawings, figures, steps, said)}
</main>
</body>
</html>
`;
}

/** What stands below the pictures, and the script that joins it with them. */
function drawTexts(
  drawings: readonly Drawing[],
  figures: readonly Figure[],
  steps: readonly Step[],
  said: Words,
): string {
  const tables = drawings.map((drawing, i) => {
    return drawTable(drawing, `f${i}`, figures.length > 1 ? figures[i]?.title : undefined);
  });
  return `<div class="panel" aria-live="polite"><p class="note">${said.hint}</p></div>
<details${steps.length <= 60 ? ' open' : ''}>
<summary>${said.table} (${countOf(steps)})</summary>
<div class="table">${tables.join('\n')}</div>
</details>
${drawGlossary(steps)}
<p class="note">${said.overhead}</p>
<script>${pageScript}</script>`;
}

const countOf = (steps: readonly Step[]) => steps.reduce((sum, { count }) => sum + count, 0);

function factsOf({ timeline: { lanes, steps, from, to } }: Figure, said: Words): string {
  const count = (kind: 'thread' | 'file') => lanes.filter((lane) => lane.kind === kind).length;
  if (steps.length === 0) return said.nothing;
  return [
    said.calls(countOf(steps)),
    said.threads(count('thread')),
    said.files(count('file')),
    formatTime(to - from),
  ].join(' · ');
}

// ---- what the signs mean

const glyph = (content: string) => `<svg class="timeline" width="26" height="14" aria-hidden="true">${content}</svg>`;
const arrowGlyph = (kind: string) =>
  glyph(`<g class="${kind}"><line class="line" x1="0" x2="25" y1="7" y2="7" marker-end="url(#head-${kind})"/></g>`);

function drawKey(figures: readonly Figure[], said: Words): string {
  const timelines = figures.map(({ timeline }) => timeline);
  const steps = timelines.flatMap((timeline) => timeline.steps);
  const answers = timelines.flatMap(({ operations }) => operations.flatMap((operation) => operation.answers));
  const outcomes = new Set([...steps, ...answers].map(({ outcome }) => outcome));
  const kinds = new Set(timelines.flatMap(({ arrows }) => arrows.map(({ kind }) => kind)));
  const bar = (kind: string) => glyph(`<rect class="${kind}" x="1" y="2" width="24" height="10"/>`);
  const marked = (outcome: keyof typeof markShapes) =>
    glyph(
      `<g class="${outcome.replace(' ', '-')}"><rect class="bar" x="11" y="8" width="4" height="6"/>` +
        `<g class="mark" transform="translate(13 8)"><path d="${markShapes[outcome]}"/></g></g>`,
    );
  const entries: [boolean, string, string][] = [
    [true, glyph('<rect class="bar" x="11" y="2" width="4" height="10"/>'), said.keyCall],
    [steps.some(({ slept }) => slept > 0), bar('asleep'), said.keyAsleep],
    [steps.some(({ queued, from, to }) => queued > (to - from) / 20), bar('queued'), said.keyQueued],
    [timelines.some(({ activities }) => activities.length > 0), bar('activity'), said.keyActivity],
    [
      timelines.some(({ operations }) => operations.length > 0) || steps.some(isAsync),
      bar('under-way'),
      said.keyUnderWay,
    ],
    [outcomes.has('would block'), marked('would block'), said.keyBlock],
    [outcomes.has('error'), marked('error'), said.keyError],
    [kinds.has('bytes'), arrowGlyph('bytes'), said.keyBytes],
    [kinds.has('descriptors'), arrowGlyph('descriptors'), said.keyDescriptors],
    [kinds.has('connection'), arrowGlyph('connection'), said.keyConnection],
    [kinds.has('end'), arrowGlyph('end'), said.keyEnd],
    [kinds.has('reset'), arrowGlyph('reset'), said.keyReset],
  ];
  const items = entries.filter(([there]) => there).map(([, sign, text]) => `<li>${sign}${text}</li>`);
  return steps.length === 0 ? '' : `<ul class="key">${items.join('')}</ul>`;
}

// ---- pictures

function drawFigure(drawing: Drawing, id: string, title: string | undefined): string {
  const { timeline, scale, words: said } = drawing;
  if (timeline.steps.length === 0) return '';
  const height = layOut(timeline).height;
  const titlesWidth = Math.ceil(
    Math.max(...timeline.lanes.map((lane) => widthOf(titleOf(lane, said), 13) + widthOf(lane.detail, 12) + 12)),
  );
  const button = (act: 'smaller' | 'larger' | 'fit', sign: string) =>
    `<button type="button" data-act="${act}" title="${said[act]}" aria-label="${said[act]}">${sign}</button>`;
  const heading = title === undefined ? '' : `<h2>${escaped(title)}</h2><span>${factsOf(drawing, said)}</span>`;
  const label = escaped(title ?? said.title);
  return `<figure id="${id}">
<figcaption>${heading}<div class="controls">${button('smaller', '−')}${button('larger', '+')}${button('fit', escaped(said.fit))}</div></figcaption>
<div class="scroll"><div class="plot" style="--natural: ${scale.width}">
<svg class="timeline whole" height="${height}" role="group" aria-label="${label}">${drawPlot(drawing)}</svg>
<svg class="timeline titles" width="${titlesWidth}" height="${height}" aria-hidden="true">${drawTitles(drawing)}</svg>
</div></div>
</figure>`;
}

// ---- the same as text

function drawTable({ timeline, words: said }: Drawing, id: string, title: string | undefined): string {
  const caption = title === undefined ? '' : `<caption>${escaped(title)}</caption>`;
  const rows = timeline.steps.map((step) => drawRow(step, timeline, id, said));
  const heads = [said.when, said.who, said.what, said.took].map((text) => `<th scope="col">${text}</th>`);
  return `<table>${caption}<thead><tr>${heads.join('')}</tr></thead><tbody>\n${rows.join('\n')}\n</tbody></table>`;
}

function drawRow(step: Step, { from, to }: Timeline, id: string, said: Words): string {
  const { call, count, thread, slept, queued } = step;
  const when = formatMoment(step.from - from, to - from);
  const took = formatTime(step.to - step.from);
  const waits = [
    slept > 0 && `${said.asleep} ${formatTime(slept)}`,
    queued > 0 && `${said.queued} ${formatTime(queued)}`,
  ];
  const meaning = explain({ code: call.error, syscall: call.call });
  const text = element('span', { class: 'call' }, escaped(call.text)) + (count > 1 ? ` × ${count}` : '');
  const told = meaning === undefined ? '' : element('p', {}, escaped(meaning));
  const place = [titleOf(thread, said), when, took, ...waits].filter(Boolean).join(' · ');
  const className = `meaning ${step.outcome.replace(' ', '-')}`;
  return [
    `<tr id="${id}-${step.index}" data-call="${call.call}">`,
    `<td class="number">${when}</td><td class="thread">${escaped(titleOf(thread, said))}</td>`,
    `<td><span class="what">${text}</span>${told}`,
    `<template class="told"><p class="note">${escaped(place)}</p>`,
    meaning === undefined ? '' : `<p class="${className}">${escaped(meaning)}</p>`,
    `</template></td><td class="number">${[took, ...waits].filter(Boolean).join('<br>')}</td></tr>`,
  ].join('');
}

/** What each call does, for the panels to show. */
function drawGlossary(steps: readonly Step[]): string {
  const names = [...new Set(steps.map(({ call }) => call.call))];
  return names
    .map((name) => {
      const { summary, page } = (calls as Readonly<Record<RawCall, Call>>)[name];
      return `<template id="call-${name}"><p>${escaped(summary)} <span class="note">${page}</span></p></template>`;
    })
    .join('\n');
}
