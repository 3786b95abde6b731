// A network for the tests of one file alone: nobody else's traffic, and as root anything may be done to it.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  AF_INET,
  CLONE_NEWNET,
  close,
  IFF_UP,
  ifreq,
  ioctl,
  SIOCGIFFLAGS,
  SIOCSIFFLAGS,
  SOCK_DGRAM,
  socket,
  unshare,
} from 'posix-sockets';

/**
 * Moves the thread that runs a test file, and all that it starts, into a network of its own, where only loopback is, and
 * up. Vitest runs each file in a process of its own. Needs root.
 */
export function ownNetwork(): void {
  unshare(CLONE_NEWNET);
  setUp('lo');
}

/** Brings an interface up. */
export function setUp(name: string): void {
  const fd = socket(AF_INET, SOCK_DGRAM);
  try {
    const request = new ifreq({ ifr_name: name });
    ioctl(fd, SIOCGIFFLAGS, request);
    request.ifr_flags |= IFF_UP;
    ioctl(fd, SIOCSIFFLAGS, request);
  } finally {
    close(fd);
  }
}

/** Runs a command of the network, such as ip(8), which has to succeed. */
export function configure(command: string, machine?: Machine): void {
  const [name, ...args] = (machine?.command(command) ?? command.split(' ')) as [string, ...string[]];
  const { status, stderr } = spawnSync(name, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command}: ${stderr}`);
}

/** Another machine: a network namespace of its own, which ends with the test file. Needs root. */
export class Machine {
  readonly #keeper: ChildProcess;

  private constructor(keeper: ChildProcess) {
    this.#keeper = keeper;
  }

  static async start(): Promise<Machine> {
    // It ends when its input does, and so with this process, however that ends.
    const keeper = spawn('unshare', ['-n', 'sh', '-c', 'ip link set lo up; echo; exec cat'], { stdio: 'pipe' });
    await once(keeper.stdout, 'data');
    return new Machine(keeper);
  }

  /** What ip(8) calls it: `ip link add ... netns PID`. */
  get pid(): number {
    return this.#keeper.pid as number;
  }

  /** A command that runs there. */
  command(command: string): string[] {
    return ['nsenter', '-t', String(this.pid), '-n', ...command.split(' ')];
  }

  async stop(): Promise<void> {
    this.#keeper.kill('SIGKILL');
    await once(this.#keeper, 'close');
  }
}
