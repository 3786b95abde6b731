import { inCrews } from './crews.js';
import { type Case, type Contestant, type Effort, newEntry, record } from './findings.js';
import { freePort } from './ports.js';
import { type Answer, MEASURED, Program } from './program.js';

/** A contestant at one job (see stopwatch.ts). */
export interface Runner {
  contestant: Contestant;
  job: string;
  count: number;
  argument?: number;
  /** The name in the table, unless it is the contestant's own. */
  label?: string;
  /** The label that this one's figures are divided by. */
  against: string;
}

/** Runners that are compared with each other. */
interface Trial {
  name: string;
  field: Runner[];
  /** Not timed; `port` is where the contestant listens, if it does. */
  before?(port: number): Promise<void>;
  after?(): Promise<void>;
}

/**
 * Times every runner of every trial, in turns A B A B on one core, each contestant in a process of its own that lives
 * through the rounds of its crew. The first round warms up and is dropped.
 */
export function race(trials: readonly Trial[], { quick }: Effort, metrics: (ns: number) => Answer): Promise<Case[]> {
  const rounds = quick ? 3 : 4;
  return inCrews(quick ? 1 : 7, async () => {
    const cases = trials.map(({ name, field }) => ({
      name,
      entries: field.map(({ contestant, label, against }) =>
        newEntry({ ...contestant, name: label ?? contestant.name }, against),
      ),
    }));
    await using programs = await Crew.start(trials);
    for (let round = 0; round < rounds; round++)
      for (const [t, trial] of trials.entries())
        for (const [f, { contestant, job, count, argument = 0 }] of trial.field.entries()) {
          const program = programs.of(contestant);
          if (!program) continue;
          await trial.before?.(programs.portOf(contestant));
          const { ns } = await program.ask(`${job} ${count} ${argument}`);
          await trial.after?.();
          const entry = cases[t]?.entries[f];
          if (round > 0 && entry && ns !== undefined) record(entry, metrics(ns));
        }
    return cases;
  });
}

/** One process for each contestant that can be run here. */
class Crew {
  readonly #programs = new Map<Contestant, Program>();
  readonly #ports = new Map<Contestant, number>();

  static async start(trials: readonly Trial[]): Promise<Crew> {
    const crew = new Crew();
    for (const { contestant } of trials.flatMap(({ field }) => field)) {
      if (contestant.missing !== undefined || crew.#programs.has(contestant)) continue;
      const ports = contestant.listens ? [await freePort()] : [];
      for (const port of ports) crew.#ports.set(contestant, port);
      crew.#programs.set(contestant, new Program([...contestant.command, ...ports.map(String)], MEASURED));
    }
    return crew;
  }

  portOf(contestant: Contestant): number {
    return this.#ports.get(contestant) ?? 0;
  }

  of(contestant: Contestant): Program | undefined {
    return this.#programs.get(contestant);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const program of this.#programs.values()) await program[Symbol.asyncDispose]();
  }
}
