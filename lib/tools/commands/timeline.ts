// posix-sockets timeline: a picture of what a script asked of the kernel, and when.
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, extname, join } from 'node:path';
import { calls } from '../calls/index.js';
import { timelineOf, timelinePage, timelineSvg } from '../timeline/index.js';
import type { TraceRecord } from '../trace-event.js';
import { type Command, UsageError } from './command.js';
import { readArguments, runTraced } from './traced.js';

const options = {
  output: { type: 'string', short: 'o' },
  record: { type: 'string' },
  even: { type: 'boolean' },
} as const;

const drawings: Readonly<Record<string, (records: readonly TraceRecord[], title: string, even: boolean) => string>> = {
  '.html': (records, title, even) => timelinePage([{ timeline: timelineOf(records) }], { title, pace: paceOf(even) }),
  '.svg': (records, title, even) => timelineSvg(timelineOf(records), { title, pace: paceOf(even) }),
};
const paceOf = (even: boolean) => (even ? 'even' : 'compressed');

export const timeline: Command = {
  usage: '-o OUTPUT [--even] (FILE [ARGUMENT...] | --record RECORD)',
  summary:
    'Runs a script and draws its socket calls over time: who waited, what passed between which sockets, their TCP ' +
    'states. The output is a page (.html) or a picture (.svg).',
  options: {
    '-o, --output OUTPUT': 'where to write it: a name that ends in .html or .svg',
    '--even': 'let time run evenly, and not compressed so that microseconds can be seen beside seconds',
    '--record RECORD': 'draw what posix-sockets trace --json --files wrote, and run nothing',
  },
  async run(args) {
    const { values, file, rest } = readArguments(args, options);
    const { output, record, even = false } = values;
    if (output === undefined) throw new UsageError('where to? (-o out.html)');
    const draw = drawings[extname(output)];
    if (draw === undefined) throw new UsageError(`'${output}' is neither a .html nor a .svg`);
    if ((file === undefined) === (record === undefined)) throw new UsageError('which script?');
    closeSync(openSync(output, 'a')); // if that cannot be done, better before the script has run

    if (record !== undefined) {
      writeFileSync(output, draw(readRecord(record), basename(record), even));
      return 0;
    }
    const folder = mkdtempSync(join(tmpdir(), 'posix-sockets-timeline-'));
    try {
      const trace = join(folder, 'trace.jsonl');
      writeFileSync(trace, '');
      const code = await runTraced(file as string, rest, { output: trace, json: true, files: true });
      writeFileSync(output, draw(readRecord(trace), basename(file as string), even));
      return code;
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
};

function readRecord(file: string): TraceRecord[] {
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean);
  const foreign = new UsageError(`'${file}' is not what posix-sockets trace --json --files writes`);
  let records: TraceRecord[];
  try {
    records = lines.map((line) => JSON.parse(line));
  } catch {
    throw foreign;
  }
  if (!records.every((record) => Object.hasOwn(calls, Object(record).call))) throw foreign;
  return records;
}
