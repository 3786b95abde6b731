import { inCrews } from './harness/crews.js';
import { bars, type Case, type Contestant, type Findings, type Question, type Side } from './harness/findings.js';
import { script } from './harness/paths.js';
import { type Answer, DRIVING, Program } from './harness/program.js';
import { type Server, Servers } from './harness/servers.js';

const ON_SOCKET = 'on Socket';
const ON_NET = 'on node:net';
const AT_A_TIME = [1, 100, 1000];
const BODIES = { json: 'JSON', plain: '581 bytes of text' };

const caseName = (body: keyof typeof BODIES, atATime: number): string => `${BODIES[body]}, ${atATime} in flight`;
const contestant = (name: string, side: Side, ...args: string[]): Contestant => ({
  name,
  side,
  command: [process.execPath, script('ours/teleport-server.js'), ...args],
});

/** Calls per second of examples/teleport over one connection, on this package and on node:net. */
export const teleport: Question = {
  name: 'teleport',
  async measure({ quick }): Promise<Findings> {
    const cases = await inCrews(quick ? 1 : 5, async () => {
      await using servers = await Servers.start(
        [contestant(ON_NET, 'other', 'net'), contestant(ON_SOCKET, 'ours')],
        ON_NET,
      );
      await using clients = new Clients();
      const cases: Case[] = [];
      for (const body of ['json', 'plain'] as const)
        for (const atATime of AT_A_TIME) {
          const count = (atATime === 1 ? 10_000 : 100_000) / (quick ? 10 : 1);
          cases.push({
            name: caseName(body, atATime),
            entries: await servers.inTurns(quick ? 2 : 3, async (server): Promise<Answer> => {
              const { ns } = await clients.of(server).ask(`${body} ${count} ${atATime}`);
              return ns === undefined ? {} : { perSecond: 1e9 / ns };
            }),
          });
        }
      return cases;
    });
    const busiest = caseName('plain', 100);
    return {
      title: 'Teleport over one loopback connection (examples/teleport)',
      method:
        'Echo calls per second: the server on one core, the client on the other, both by the same code. Medians of rounds taken in turns.',
      columns: [{ metric: 'perSecond', heading: 'thousand/s', scale: 1000, decimals: 1, ratio: `x ${ON_NET}` }],
      cases,
      targets: cases.map(({ name }) => ({
        says: `ahead of node:net, ${name}`,
        case: name,
        metric: 'perSecond',
        contestant: ON_SOCKET,
        against: ON_NET,
        atLeast: 1,
      })),
      panels: [
        bars(
          cases.find(({ name }) => name === busiest),
          'perSecond',
          { title: `Teleport, ${busiest}`, note: 'calls per second over one connection; longer is better' },
          (value) => `${(value / 1000).toFixed(0)} k`,
        ),
      ],
    };
  },
};

/** For each server a client that stays connected. */
class Clients {
  readonly #programs = new Map<Server, Program>();

  of(server: Server): Program {
    let program = this.#programs.get(server);
    if (!program) {
      // A client differs from its server by name and by the port at the end.
      const args = server.contestant.command.slice(2);
      const command = [process.execPath, script('ours/teleport-client.js'), ...args, String(server.port)];
      program = new Program(command, DRIVING);
      this.#programs.set(server, program);
    }
    return program;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const program of this.#programs.values()) await program[Symbol.asyncDispose]();
  }
}
