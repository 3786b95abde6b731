import { type Case, type Column, type Entry, entryOf, type Findings, ratioOf, reached, samplesOf } from './findings.js';
import { median } from './statistics.js';

const number = (value: number, decimals: number): string =>
  value.toLocaleString('en-US', { minimumFractionDigits: decimals, maximumFractionDigits: decimals });

function cells(of: Case, entry: Entry, column: Column): string[] {
  const samples = samplesOf(entry, column.metric).map((value) => value / (column.scale ?? 1));
  const show = (value: number): string => (samples.length ? number(value, column.decimals) : '-');
  if (column.ratio === undefined) return [show(median(samples))];
  const ratio = ratioOf(entry, entryOf(of, entry.against), column.metric);
  return [
    show(median(samples)),
    `${show(Math.min(...samples))} to ${show(Math.max(...samples))}`,
    Number.isNaN(ratio) ? '-' : number(ratio, 2),
  ];
}

function rowsOf(of: Case, columns: readonly Column[]): string[][] {
  const headings = columns.flatMap(({ heading, ratio }) =>
    ratio === undefined ? [heading] : [heading, 'least to most', ratio],
  );
  const rows = of.entries
    .filter(({ missing }) => missing === undefined)
    .map((entry) => [entry.contestant, ...columns.flatMap((column) => cells(of, entry, column))]);
  return [[of.name, ...headings], ...rows];
}

/** Columns as wide as their widest cell; the first to the left, numbers to the right. */
function align(rows: readonly string[][]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: string[]): string =>
    row.map((cell, i) => (i ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0))).join('  ');
  const [heading = [], ...rest] = rows.map(line);
  return [heading, '-'.repeat(heading.length), ...rest].join('\n');
}

/** Everything a question found, as text. */
export function tableOf({ title, method, columns, cases, targets }: Findings): string {
  const lacking = new Map<string, string>();
  for (const { contestant, missing } of cases.flatMap(({ entries }) => entries))
    if (missing !== undefined) lacking.set(contestant, missing);
  const verdicts = targets.map((target) => {
    const ratio = reached(target, cases);
    if (Number.isNaN(ratio)) return `target: ${target.says}: not measured`;
    const met = ratio <= (target.atMost ?? Number.POSITIVE_INFINITY) && ratio >= (target.atLeast ?? 0);
    return `target: ${target.says}: ${ratio.toFixed(2)}, ${met ? 'met' : 'NOT MET'}`;
  });
  return [
    `${title}\n${method}`,
    ...cases.map((one) => align(rowsOf(one, columns))),
    [...[...lacking].map(([name, why]) => `not measured: ${name}: ${why}`), ...verdicts].join('\n'),
  ]
    .filter((part) => part.length > 0)
    .join('\n\n');
}
