import { compiled } from './harness/compile.js';
import { inCrews } from './harness/crews.js';
import { bars, type Case, type Findings, type Question } from './harness/findings.js';
import { answerOf, DRIVING } from './harness/program.js';
import { echoServers, Servers, YARDSTICK } from './harness/servers.js';

const SIZES = [64, 16_384];
const CONNECTIONS = [1, 50, 500];

function caseName(connections: number, size: number): string {
  return `${connections} connection${connections > 1 ? 's' : ''}, ${size === 64 ? '64 bytes' : '16 KiB'}`;
}

const TARGET_CASE = caseName(50, 64);
const TARGETS: [contestant: string, atLeast: number, against: string][] = [
  ['reactor', 0.95, YARDSTICK],
  ['Socket', 0.9, YARDSTICK],
  ['reactor', 1.4, 'node:net'],
  ['toDuplex', 1, 'node:net'],
];

/** TCP echo: round trips per second, server time for each, and how long one takes. */
export const echo: Question = {
  name: 'echo',
  async measure({ quick }): Promise<Findings> {
    const load = compiled('load');
    const cases = await inCrews(quick ? 1 : 3, async () => {
      await using servers = await Servers.start(echoServers(), YARDSTICK);
      const cases: Case[] = [];
      for (const size of SIZES)
        for (const connections of CONNECTIONS)
          cases.push({
            name: caseName(connections, size),
            entries: await servers.inTurns(quick ? 1 : 2, ({ port, program }, warmUp) => {
              const args = ['echo', port, program.pid, connections, size, quick || warmUp ? 0.4 : 1];
              return answerOf([load, ...args.map(String)], DRIVING);
            }),
          });
      return cases;
    });
    return {
      title: 'TCP echo over loopback',
      method:
        'Round trips per second, the server on one core and on the other the C load generator, which checks every byte. Medians of rounds taken in turns.',
      columns: [
        { metric: 'perSecond', heading: 'thousand/s', scale: 1000, decimals: 1, ratio: `x ${YARDSTICK}` },
        { metric: 'serverNs', heading: 'server us', scale: 1000, decimals: 2 },
        { metric: 'serverBusy', heading: 'server busy %', scale: 0.01, decimals: 0 },
        { metric: 'loadBusy', heading: 'load busy %', scale: 0.01, decimals: 0 },
        { metric: 'p50', heading: 'p50 us', decimals: 0 },
        { metric: 'p99', heading: 'p99 us', decimals: 0 },
      ],
      cases,
      targets: TARGETS.map(([contestant, atLeast, against]) => ({
        says: `${contestant} at least ${atLeast} x ${against}`,
        case: TARGET_CASE,
        metric: 'perSecond',
        contestant,
        against,
        atLeast,
      })),
      panels: [
        bars(
          cases.find(({ name }) => name === TARGET_CASE),
          'perSecond',
          { title: `TCP echo, ${TARGET_CASE}`, note: 'round trips per second; longer is better' },
          (value) => `${(value / 1000).toFixed(0)} k`,
        ),
      ],
    };
  },
};
