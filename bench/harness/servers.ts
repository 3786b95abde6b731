import { compiled } from './compile.js';
import { type Contestant, type Entry, newEntry, record } from './findings.js';
import { script } from './paths.js';
import { bunPeer, pythonPeer } from './peers.js';
import { type Answer, MEASURED, Program } from './program.js';

const node = (side: 'ours' | 'other', name: string, program: string, flags: readonly string[]): Contestant => ({
  name,
  side,
  command: [process.execPath, '--expose-gc', ...flags, script(program)],
});

/** What the echo servers are compared with. */
export const YARDSTICK = 'C epoll';

/**
 * The TCP echo servers, the yardstick first. Each prints its port; all but the C one collect garbage when a line arrives.
 * @param flags further flags for Node
 */
export const echoServers = (...flags: string[]): Contestant[] => [
  { name: YARDSTICK, side: 'c', command: [compiled('echo-server')] },
  node('ours', 'raw loop', 'ours/echo-raw.js', flags),
  node('ours', 'io_uring', 'ours/echo-ring.js', flags),
  node('ours', 'reactor', 'ours/echo-reactor.js', flags),
  node('ours', 'Socket', 'ours/echo-socket.js', flags),
  node('ours', 'toDuplex', 'ours/echo-duplex.js', flags),
  node('other', 'node:net', 'peers/echo-net.js', flags),
  bunPeer('Bun.listen', 'peers/echo-bun.js'),
  pythonPeer('Python asyncio', 'echo.py'),
];

/** A server that runs on the measured core. */
export class Server {
  private constructor(
    readonly contestant: Contestant,
    readonly program: Program,
    readonly port: number,
  ) {}

  static async start(contestant: Contestant): Promise<Server> {
    const program = new Program(contestant.command, MEASURED);
    const { port } = await program.answer();
    if (port === undefined) throw new Error(`${contestant.name} named no port`);
    return new Server(contestant, program, port);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.program[Symbol.asyncDispose]();
  }
}

/** The servers of all contestants that can be run here, all at once; an idle one costs the others nothing. */
export class Servers {
  readonly #running: Server[] = [];

  /** @param against the contestant that the others' figures are divided by */
  private constructor(
    readonly contestants: readonly Contestant[],
    readonly against: string,
  ) {}

  static async start(contestants: readonly Contestant[], against: string): Promise<Servers> {
    const servers = new Servers(contestants, against);
    for (const contestant of contestants)
      if (contestant.missing === undefined) servers.#running.push(await Server.start(contestant));
    return servers;
  }

  /** Takes a sample of each in turns, A B A B; the first round warms up and is dropped. */
  async inTurns(rounds: number, sample: (server: Server, warmUp: boolean) => Promise<Answer>): Promise<Entry[]> {
    const entries = new Map(this.contestants.map((contestant) => [contestant, newEntry(contestant, this.against)]));
    for (let round = 0; round <= rounds; round++)
      for (const server of this.#running) {
        const answer = await sample(server, round === 0).catch((cause) => {
          throw new Error(`the bench of ${server.contestant.name} failed`, { cause });
        });
        const entry = entries.get(server.contestant);
        if (round > 0 && entry) record(entry, answer);
      }
    return [...entries.values()];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of this.#running) await server[Symbol.asyncDispose]();
  }
}
