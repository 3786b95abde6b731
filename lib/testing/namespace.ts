import { Worker } from 'node:worker_threads';
import { SystemError } from '../index.js';

/**
 * What runs inside a namespace. It is sent to another thread as text, and so sees nothing of what surrounds it: only
 * its parameters, and what it imports.
 * @param posix this package
 * @param data what was given along
 */
export type NamespaceProgram<Data, Result> = (
  posix: typeof import('../index.js'),
  data: Data,
) => Result | Promise<Result>;

// The worker's thread alone moves: what it then opens, also through node:net, belongs to the new namespace.
const source = `
const { parentPort, workerData } = require('node:worker_threads');
(async () => {
  const posix = await import(workerData.posix);
  posix.unshare(posix.CLONE_NEWNET);
  const fd = posix.socket(posix.AF_INET, posix.SOCK_DGRAM);
  posix.ioctl(fd, posix.SIOCSIFFLAGS, new posix.ifreq({ ifr_name: 'lo', ifr_flags: posix.IFF_UP }));
  posix.close(fd);
  const program = eval('(' + workerData.program + ')');
  return { result: await program(posix, workerData.data) };
})().then(
  (outcome) => parentPort.postMessage(outcome),
  (error) => parentPort.postMessage({ error, syscall: error.syscall, errno: error.errno }),
);`;

/**
 * Runs a program in a network namespace of its own, in a worker: with its own loopback interface (up), its own ports,
 * routes and firewall, and no way out. The namespace ends with the worker, unless a socket of it was handed out.
 * @param program an arrow function that uses nothing but its parameters
 * @param data what it gets as its second parameter, by structured clone
 * @returns what the program answers, by structured clone
 * @throws SystemError EPERM this needs CAP_SYS_ADMIN, as root has · what the program throws
 * @see network_namespaces(7), unshare(2)
 */
export async function withNetworkNamespace<Result, Data = undefined>(
  program: NamespaceProgram<Data, Result>,
  data?: Data,
): Promise<Result> {
  const worker = new Worker(source, {
    eval: true,
    execArgv: [],
    workerData: { posix: new URL('../index.js', import.meta.url).href, program: String(program), data },
  });
  try {
    const outcome = await new Promise<{ result: Result; error?: Error; syscall?: string; errno?: number }>(
      (resolve, reject) => {
        worker.once('message', resolve).once('error', reject);
        worker.once('exit', () => reject(new Error('the program ended its thread')));
      },
    );
    if (outcome.syscall !== undefined && outcome.errno !== undefined) {
      throw new SystemError(outcome.syscall, outcome.errno);
    }
    if (outcome.error !== undefined) throw outcome.error;
    return outcome.result;
  } finally {
    await worker.terminate();
  }
}
