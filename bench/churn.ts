import { compiled } from './harness/compile.js';
import { inCrews } from './harness/crews.js';
import type { Findings, Question } from './harness/findings.js';
import { answerOf, DRIVING } from './harness/program.js';
import { echoServers, Servers, YARDSTICK } from './harness/servers.js';

/** At a time; each connects, sends a byte, waits for its echo, closes, and begins again. */
const CONNECTIONS = 50;

/** How many connections a second a server takes, answers and sees closed. */
export const churn: Question = {
  name: 'churn',
  async measure({ quick }): Promise<Findings> {
    const load = compiled('load');
    const cases = await inCrews(quick ? 1 : 3, async () => {
      await using servers = await Servers.start(echoServers(), YARDSTICK);
      const entries = await servers.inTurns(quick ? 1 : 2, ({ port, program }, warmUp) => {
        const args = ['churn', port, program.pid, CONNECTIONS, quick || warmUp ? 0.4 : 1];
        return answerOf([load, ...args.map(String)], DRIVING);
      });
      return [{ name: `${CONNECTIONS} at a time`, entries }];
    });
    return {
      title: 'Connection churn over loopback',
      method: 'Connections per second: connect, one byte and its echo, close. Medians of rounds taken in turns.',
      columns: [
        { metric: 'perSecond', heading: 'thousand/s', scale: 1000, decimals: 2, ratio: `x ${YARDSTICK}` },
        { metric: 'serverNs', heading: 'server us', scale: 1000, decimals: 1 },
        { metric: 'serverBusy', heading: 'server busy %', scale: 0.01, decimals: 0 },
        { metric: 'loadBusy', heading: 'load busy %', scale: 0.01, decimals: 0 },
      ],
      cases,
      targets: [],
      panels: [],
    };
  },
};
