import { compiled } from './harness/compile.js';
import { type Contestant, entryOf, type Findings, type Question, samplesOf } from './harness/findings.js';
import { script } from './harness/paths.js';
import { type Runner, race } from './harness/race.js';
import { median } from './harness/statistics.js';

const CALLS = ['select', 'poll', 'epoll'];
/** An fd_set ends at descriptor 1023, and Node holds a few of them. */
const MOST_BY_SELECT = 900;
const IDLE = [10, 100, MOST_BY_SELECT, 10_000];

/** What one wait costs as the number of idle descriptors grows. */
export const waits: Question = {
  name: 'waits',
  async measure(effort): Promise<Findings> {
    const c: Contestant = { name: 'C', side: 'c', command: [compiled('waits')] };
    const threaded: Contestant = { name: 'C, two threads', side: 'c', command: [compiled('waits'), 'threaded'] };
    const raw: Contestant = { name: 'raw', side: 'ours', command: [process.execPath, script('ours/waits.js')] };
    const runners = (job: string, idle: number): Runner[] => {
      const count = Math.ceil((effort.quick ? 2_000_000 : 10_000_000) / (job === 'epoll' ? 200 : idle + 100));
      const against = `C ${job}`;
      return [
        { contestant: c, job, count, argument: idle, label: against, against },
        { contestant: threaded, job, count, argument: idle, label: `${against}, two threads`, against },
        { contestant: raw, job, count, argument: idle, label: job, against },
      ];
    };
    const cases = await race(
      IDLE.map((idle) => ({
        name: `${idle} idle`,
        field: CALLS.filter((call) => call !== 'select' || idle <= MOST_BY_SELECT).flatMap((call) =>
          runners(call, idle),
        ),
      })),
      effort,
      (ns) => ({ ns }),
    );
    return {
      title: 'One wait, as idle descriptors grow',
      method:
        'Nanoseconds of a wait that finds one Unix stream socket readable among N idle ones (select ends at descriptor 1023). Medians of rounds taken in turns.',
      columns: [{ metric: 'ns', heading: 'ns', decimals: 0, ratio: 'x C' }],
      cases,
      targets: [],
      panels: [
        {
          title: 'One wait, as idle descriptors grow',
          note: 'ns, both axes logarithmic; lower is better',
          lines: CALLS.map((label) => ({
            label,
            points: IDLE.flatMap((idle, i) => {
              const ns = median(samplesOf(entryOf(cases[i], label), 'ns'));
              return Number.isNaN(ns) ? [] : [{ x: idle, y: ns }];
            }),
          })),
        },
      ],
    };
  },
};
