// Plays one scenario on one floor, in this process, and prints its Verdict: play.js FILE INDEX FLOOR.
import { AF_INET, close, IFF_RUNNING, IFF_UP, ioctl, SIOCSIFFLAGS, SOCK_DGRAM, socket } from 'posix-sockets';
import { callsOn } from './calls.js';
import { checkedFloor, rawFloor } from './floors.js';
import {
  isAsExpected,
  type Result,
  readScenarios,
  type Scenario,
  Unsayable,
  type Value,
  Variables,
} from './language.js';
import { rest } from './rest.js';

/** How a scenario came out: as expected, unless one of these says otherwise. */
export interface Verdict {
  /** The first step that came out otherwise. */
  readonly differs?: string;
  /** Why it could not be played. */
  readonly skipped?: string;
}

const retryFor = 2000;
const retryPause = 10;

type Operations = Record<string, (...args: never[]) => Result>;

// A namespace of its own begins with its loopback interface down.
function bringLoopbackUp(): void {
  const request = new Uint8Array(40);
  request.set(Buffer.from('lo'));
  new DataView(request.buffer).setInt16(16, IFF_UP | IFF_RUNNING, true);
  const fd = socket(AF_INET, SOCK_DGRAM);
  ioctl(fd, SIOCSIFFLAGS, request);
  close(fd);
}

function describe(value: unknown): string {
  const text = JSON.stringify(value, (_, v) => (typeof v === 'bigint' ? String(v) : v)) ?? '';
  return text.length < 420 ? text : `${text.slice(0, 420)}...`;
}

function play(scenario: Scenario, operations: Operations): Verdict {
  const { uid, gid } = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  const variables = new Variables({ pid: process.pid, uid, gid, cwd: process.cwd() });
  for (const [i, step] of scenario.steps.entries()) {
    const operation = operations[step.op];
    if (!operation) throw new Unsayable(`the package has no ${step.op}`);
    const args = variables.replaceIn(step.args ?? []) as never[];
    const wanted = variables.replaceIn((step.expect ?? { ok: true }) as Value) as Record<string, Value>;
    const end = Date.now() + retryFor;
    let result = operation(...args);
    while (!isAsExpected(wanted, result)) {
      if (!step.retry || Date.now() > end) {
        return {
          differs: `step ${i} ${step.op}${describe(args)}: expected ${describe(wanted)}, got ${describe(result)}`,
        };
      }
      rest.sleep(retryPause);
      result = operation(...args);
    }
    if (step.save) variables.save(step.save, result);
  }
  return {};
}

// The package's own refusal: bytes of a caller's that the kernel would use as a pointer.
const refusesPointer = (error: unknown) => error instanceof RangeError && / pointer$/.test(error.message);

function verdict(scenario: Scenario, operations: Operations): Verdict {
  // A signal to the process goes to any thread that does not block it, and Node has threads that nobody can tell to.
  if (scenario.needs?.includes('signals')) return { skipped: 'needs a process of one thread' };
  try {
    bringLoopbackUp();
    return play(scenario, operations);
  } catch (error) {
    if (error instanceof Unsayable || refusesPointer(error)) return { skipped: (error as Error).message };
    return { differs: (error as Error).stack ?? String(error) };
  }
}

const [file = '', index = '', floor] = process.argv.slice(2);
const operations = { ...callsOn(floor === 'raw' ? rawFloor : checkedFloor), ...rest } as Operations;
process.stdout.write(JSON.stringify(verdict(readScenarios(file)[Number(index)] as Scenario, operations)));
