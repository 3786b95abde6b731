import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { compiled } from './harness/compile.js';
import {
  bars,
  type Contestant,
  type Entry,
  type Findings,
  newEntry,
  type Question,
  record,
} from './harness/findings.js';
import { type Answer, answerOf, DRIVING, Program } from './harness/program.js';
import { echoServers, Server } from './harness/servers.js';

const CONNECTIONS = 10_000;
/** Connections that are there already when the others come. */
const FIRST = 5000;
/** The room in which V8's objects are young grows when many survive: here it has one size, whoever fills it. */
const YOUNG = ['--min-semi-space-size=1', '--max-semi-space-size=1'];

/** What an idle connection costs its server in memory. */
export const memory: Question = {
  name: 'memory',
  async measure({ quick }): Promise<Findings> {
    const contestants = echoServers(...YOUNG);
    const entries = contestants.map((contestant) => newEntry(contestant, 'node:net'));
    for (let round = 0; round < (quick ? 1 : 3); round++)
      for (const [i, contestant] of contestants.entries()) {
        const entry = entries[i] as Entry;
        if (contestant.missing === undefined) record(entry, await perConnection(contestant));
      }
    const measured = { name: `${CONNECTIONS} more`, entries };
    return {
      title: 'Memory of an idle TCP connection',
      method:
        `Growth of a fresh server's resident memory, garbage collected, from ${FIRST} idle connections to ${FIRST + CONNECTIONS}, for each that came; Node's young generation fixed at 1 MB. ` +
        "The kernel's share, the same for all, is not in it.",
      columns: [
        { metric: 'resident', heading: 'resident bytes', decimals: 0, ratio: 'x node:net' },
        { metric: 'heap', heading: 'of them on the heap', decimals: 0 },
      ],
      cases: [measured],
      targets: ['reactor', 'Socket'].map((contestant) => ({
        says: `${contestant} at most a quarter of node:net`,
        case: measured.name,
        metric: 'resident',
        contestant,
        against: 'node:net',
        atMost: 0.25,
      })),
      panels: [
        bars(
          measured,
          'resident',
          { title: 'Memory of an idle connection', note: "of 10,000; the kernel's share excluded; shorter is better" },
          (bytes) => `${Math.max(0, bytes / 1024).toFixed(1)} KiB`,
        ),
      ],
    };
  },
};

/** By how much a fresh server grows for each connection. */
async function perConnection(contestant: Contestant): Promise<Answer> {
  await using server = await Server.start(contestant);
  await using crowd = new Program([compiled('crowd')], DRIVING);
  // What is paid once is paid before the first look: code, pools, tables. Not by connections as many, which would leave
  // behind the very memory that is asked for.
  await answerOf([compiled('load'), 'echo', server.port, server.program.pid, 50, 64, 1].map(String), DRIVING);
  await crowd.ask(`greet ${FIRST} ${server.port}`);
  const before = await settled(server);
  await crowd.ask(`greet ${CONNECTIONS} ${server.port}`);
  const after = await settled(server);
  return Object.fromEntries(
    Object.entries(after).map(([metric, bytes]) => [metric, (bytes - (before[metric] ?? 0)) / CONNECTIONS]),
  );
}

/** The server's memory in bytes, once it has nothing left to do and has collected its garbage. */
async function settled({ contestant, program }: Server): Promise<Answer> {
  await sleep(500);
  let heap: Answer = {};
  // What one collection finds dead may hold memory that only the next one gives back.
  for (let i = 0; i < 3; i++) if (contestant.side !== 'c') heap = await program.ask('collect');
  // smaps_rollup is exact, where VmRSS is a sum that each core brings up to date now and then.
  const rollup = await readFile(`/proc/${program.pid}/smaps_rollup`, 'utf8');
  return { ...heap, resident: Number(/^Rss:\s+(\d+) kB$/m.exec(rollup)?.[1]) * 1024 };
}
