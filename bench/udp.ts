import { compiled } from './harness/compile.js';
import { bars, type Contestant, type Findings, type Question } from './harness/findings.js';
import { script } from './harness/paths.js';
import { type Runner, race } from './harness/race.js';

const CASE = 'sent and received';

/** UDP: datagrams per second one by one, many in a call, and many as one buffer. */
export const udp: Question = {
  name: 'udp',
  async measure(effort): Promise<Findings> {
    const c: Contestant = { name: 'C', side: 'c', command: [compiled('udp')] };
    const ours: Contestant = { name: 'ours', side: 'ours', command: [process.execPath, script('ours/udp.js')] };
    const dgram: Contestant = {
      name: 'node:dgram',
      side: 'other',
      command: [process.execPath, script('peers/udp-dgram.js')],
    };
    const count = effort.quick ? 64_000 : 256_000;
    const both = (job: string, label: string, times = 1): Runner[] => [
      { contestant: c, job, count: count * times, label: `C ${label}`, against: `C ${label}` },
      { contestant: ours, job, count: count * times, label, against: `C ${label}` },
    ];
    const cases = await race(
      [
        {
          name: CASE,
          field: [
            { contestant: dgram, job: 'sendto', count, against: 'C sendto/recvfrom' },
            ...both('sendto', 'sendto/recvfrom'),
            ...both('mmsg', 'sendmmsg/recvmmsg'),
            ...both('gso', 'GSO/GRO', 64),
          ],
        },
      ],
      effort,
      (ns) => ({ perSecond: 1e9 / ns }),
    );
    const target = { case: CASE, metric: 'perSecond' };
    const besideC = (contestant: string) => ({ ...target, contestant, against: `C ${contestant}` });
    const dgrams = (contestant: string) => ({ ...target, contestant, against: 'node:dgram' });
    return {
      title: 'UDP over loopback, 64-byte datagrams',
      method:
        'Datagrams per second, sent and received in turn by one thread on one core, 64 at a time, so that none is lost. Medians of rounds taken in turns.',
      columns: [{ metric: 'perSecond', heading: 'million/s', scale: 1e6, decimals: 2, ratio: 'x C' }],
      cases,
      targets: [
        { ...besideC('sendto/recvfrom'), says: 'sendto/recvfrom at least 0.85 x C', atLeast: 0.85 },
        { ...besideC('sendmmsg/recvmmsg'), says: 'sendmmsg/recvmmsg at least 0.95 x C', atLeast: 0.95 },
        { ...dgrams('sendmmsg/recvmmsg'), says: 'sendmmsg/recvmmsg at least 3.5 x node:dgram', atLeast: 3.5 },
        { ...dgrams('GSO/GRO'), says: 'GSO/GRO at least 100 x node:dgram', atLeast: 100 },
      ],
      panels: [
        bars(
          cases[0],
          'perSecond',
          { title: 'UDP, 64-byte datagrams', note: 'per second, logarithmic; longer is better', logarithmic: true },
          (value) => `${(value / 1e6).toFixed(2)} M`,
        ),
      ],
    };
  },
};
