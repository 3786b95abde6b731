import { compiled } from './harness/compile.js';
import { bars, type Contestant, type Findings, type Question } from './harness/findings.js';
import { script } from './harness/paths.js';
import { npmPeer, pythonPeer } from './harness/peers.js';
import { DRIVING, Program } from './harness/program.js';
import { type Runner, race } from './harness/race.js';

const SEND_RECV = '64-byte send and recv, Unix datagram pair';
/** Connections that wait in a listener's queue: fewer than SOMAXCONN (4096 since Linux 5.4). */
const QUEUED = 4000;

/** What one call costs. */
export const calls: Question = {
  name: 'calls',
  async measure(effort): Promise<Findings> {
    const field = contestants();
    await using crowd = new Program([compiled('crowd')], DRIVING);
    const runners = (job: string, count: number, argument?: number): Runner[] =>
      field.map((contestant) => ({ contestant, job, count, against: 'C', ...(argument ? { argument } : {}) }));
    const cases = await race(
      [
        {
          name: 'next to no work: fcntl(fd, F_GETFD)',
          field: runners('fcntl', effort.quick ? 200_000 : 1_000_000).filter(
            ({ contestant }) => contestant.name !== 'posix-socket', // it has no such call
          ),
        },
        { name: SEND_RECV, field: runners('sendRecv', effort.quick ? 50_000 : 200_000, 64) },
        {
          name: 'accept and close of a loopback connection',
          field: runners('acceptClose', QUEUED),
          async before(port) {
            await crowd.ask(`open ${QUEUED} ${port}`);
          },
          async after() {
            await crowd.ask('drop 1');
          },
        },
      ],
      effort,
      (ns) => ({ ns }),
    );
    const target = { case: SEND_RECV, metric: 'ns', against: 'C' };
    return {
      title: 'One call',
      method: 'Nanoseconds; medians of rounds taken in turns on one core, and of the ratios within each round.',
      columns: [{ metric: 'ns', heading: 'ns', decimals: 0, ratio: 'x C' }],
      cases,
      targets: [
        { ...target, says: 'raw send and recv at most 1.25 x C', contestant: 'raw', atMost: 1.25 },
        { ...target, says: 'checked send and recv at most 1.30 x C', contestant: 'checked', atMost: 1.3 },
        { ...target, says: 'raw ahead of koffi', contestant: 'raw', against: 'koffi', atMost: 1 },
        { ...target, says: 'raw ahead of posix-socket', contestant: 'raw', against: 'posix-socket', atMost: 1 },
      ],
      panels: [
        bars(
          cases.find(({ name }) => name === SEND_RECV),
          'ns',
          { title: 'One 64-byte send and recv', note: 'ns, Unix datagram pair; shorter is better' },
          (ns) => `${ns.toFixed(0)} ns`,
        ),
      ],
    };
  },
};

/** C with a second, idle thread is in the kernel's eyes what Node is (bench/c/bench.h). Each listens on a port that it is given: the npm package posix-socket could not ask which it got. */
function contestants(): Contestant[] {
  const ours = (program: string, ...args: string[]) => [process.execPath, script(program), ...args];
  const field: Contestant[] = [
    { name: 'C', side: 'c', command: [compiled('calls')] },
    { name: 'C, two threads', side: 'c', command: [compiled('calls'), 'threaded'] },
    { name: 'raw', side: 'ours', command: ours('ours/calls-raw.js') },
    { name: 'checked', side: 'ours', command: ours('ours/calls-checked.js') },
    { name: 'checked, traced before', side: 'ours', command: ours('ours/calls-checked.js', 'traced') },
    npmPeer('koffi', 'peers/calls-koffi.js'),
    npmPeer('posix-socket', 'peers/calls-posix-socket.js'),
    pythonPeer('Python socket', 'calls.py'),
  ];
  return field.map((contestant) => ({ ...contestant, listens: true }));
}
