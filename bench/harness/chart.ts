import type { Bars, Lines, Panel, Side } from './findings.js';

const WIDTH = 860;
const COLUMNS = 2;
const GAP = 28;
const PANEL_WIDTH = (WIDTH - GAP * (COLUMNS + 1)) / COLUMNS;
const HEADING = 48;
const ROW = 24;
const LABEL = 162;
const VALUE = 66;
const PLOT_HEIGHT = 170;

const LEGEND: [Side, string][] = [
  ['ours', 'posix-sockets'],
  ['c', 'C'],
  ['other', 'others'],
];

const STYLE = `
  text { font: 13px system-ui, sans-serif; fill: #1f2328 }
  .title { font-weight: 600; font-size: 14px } .note, .tick { font-size: 11px; fill: #59636e }
  .ground { fill: #ffffff } .c { fill: #8c959f } .ours { fill: #0969da } .other { fill: #d8b98a }
  .axis { stroke: #d1d9e0 } .line { fill: none; stroke-width: 2 }
  .s0 { stroke: #bc4c00; fill: #bc4c00 } .s1 { stroke: #8250df; fill: #8250df } .s2 { stroke: #0969da; fill: #0969da }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc } .note, .tick { fill: #9198a1 } .ground { fill: #0d1117 }
    .c { fill: #6e7681 } .ours { fill: #4493f8 } .other { fill: #9e7b4a } .axis { stroke: #3d444d }
    .s0 { stroke: #f0883e; fill: #f0883e } .s1 { stroke: #ab7df8; fill: #ab7df8 } .s2 { stroke: #4493f8; fill: #4493f8 }
  }`;

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');

function text(x: number, y: number, content: string, attributes = ''): string {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}"${attributes && ` ${attributes}`}>${escaped(content)}</text>`;
}

function drawBars({ bars, logarithmic }: Bars): { height: number; svg: string } {
  const room = PANEL_WIDTH - LABEL - VALUE;
  const values = bars.map(({ value }) => value);
  const most = Math.max(...values);
  // A logarithmic bar starts at half the least value, so that the least is seen too.
  const least = Math.min(...values) / 2;
  const share = (value: number): number =>
    logarithmic ? Math.log(value / least) / Math.log(most / least) : value / most;
  const rows = bars.map(({ label, side, value, text: figure }, i) => {
    const y = HEADING + i * ROW;
    const length = Math.max(1, room * share(value));
    return [
      text(LABEL - 8, y + 15, label, 'text-anchor="end"'),
      `<rect class="${side}" x="${LABEL}" y="${y + 3}" width="${length.toFixed(1)}" height="${ROW - 7}" rx="2"/>`,
      text(LABEL + length + 6, y + 15, figure),
    ].join('');
  });
  return { height: HEADING + bars.length * ROW, svg: rows.join('\n') };
}

/** A power of ten at each end of an axis, so that every tick has a round name. */
function decades(values: readonly number[]): number[] {
  const first = Math.floor(Math.log10(Math.min(...values)));
  const last = Math.ceil(Math.log10(Math.max(...values)));
  return Array.from({ length: last - first + 1 }, (_, i) => 10 ** (first + i));
}

function drawLines({ lines }: Lines): { height: number; svg: string } {
  const points = lines.flatMap((line) => line.points);
  const [xs, ys] = [decades(points.map(({ x }) => x)), decades(points.map(({ y }) => y))];
  const place = (value: number, ticks: number[], from: number, to: number): number => {
    const [first, last] = [ticks[0] ?? 1, ticks.at(-1) ?? 10];
    return from + ((to - from) * Math.log(value / first)) / Math.log(last / first);
  };
  const left = 64;
  const bottom = HEADING + PLOT_HEIGHT;
  const x = (value: number): number => place(value, xs, left, PANEL_WIDTH - 56);
  const y = (value: number): number => place(value, ys, bottom, HEADING + 8);
  const named = (value: number): string => value.toLocaleString('en-US');
  const ticks = [
    ...ys.map((value) => [
      `<line class="axis" x1="${left}" x2="${PANEL_WIDTH - 56}" y1="${y(value).toFixed(1)}" y2="${y(value).toFixed(1)}"/>`,
      text(left - 8, y(value) + 4, named(value), 'class="tick" text-anchor="end"'),
    ]),
    ...xs.map((value) => [text(x(value), bottom + 18, named(value), 'class="tick" text-anchor="middle"')]),
  ].flat();
  const drawn = lines.map(({ label, points }, i) => {
    const path = points.map((point) => `${x(point.x).toFixed(1)},${y(point.y).toFixed(1)}`).join(' ');
    const last = points.at(-1);
    return [
      `<polyline class="line s${i}" style="fill: none" points="${path}"/>`,
      ...points.map((p) => `<circle class="s${i}" r="3" cx="${x(p.x).toFixed(1)}" cy="${y(p.y).toFixed(1)}"/>`),
      last ? text(x(last.x) + 8, y(last.y) + 4, label) : '',
    ].join('');
  });
  return { height: HEADING + PLOT_HEIGHT + 26, svg: [...ticks, ...drawn].join('\n') };
}

/** All panels as one SVG, two beside each other, in light or dark as the reader's screen is. */
export function chartOf(panels: readonly Panel[]): string {
  const drawn = panels.map((panel) => {
    const { height, svg } = 'bars' in panel ? drawBars(panel) : drawLines(panel);
    const heading = text(0, 16, panel.title, 'class="title"') + text(0, 34, panel.note, 'class="note"');
    return { height, svg: `${heading}\n${svg}` };
  });
  const placed: string[] = [];
  let top = GAP;
  for (let i = 0; i < drawn.length; i += COLUMNS) {
    const row = drawn.slice(i, i + COLUMNS);
    for (const [column, { svg }] of row.entries())
      placed.push(`<g transform="translate(${GAP + column * (PANEL_WIDTH + GAP)} ${top})">\n${svg}\n</g>`);
    top += Math.max(...row.map(({ height }) => height)) + GAP;
  }
  const legend = LEGEND.map(([side, name], i) => {
    const x = GAP + i * 130;
    return `<rect class="${side}" x="${x}" y="${top - 10}" width="12" height="12" rx="2"/>${text(x + 18, top, name, 'class="note"')}`;
  });
  top += GAP;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${top}" width="${WIDTH}" height="${top}" role="img">`,
    `<title>Speed of posix-sockets beside C and others</title>`,
    `<style>${STYLE}\n</style>`,
    `<rect class="ground" width="${WIDTH}" height="${top}" rx="6"/>`,
    ...placed,
    ...legend,
    '</svg>\n',
  ].join('\n');
}
