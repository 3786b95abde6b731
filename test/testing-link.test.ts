// posix-sockets/testing: bad links.
import { spawnSync } from 'node:child_process';
import { impairLink } from 'posix-sockets/testing';
import { describe, expect, test } from 'vitest';
import { haveNamespaces, haveStrace } from './support.js';

/** Runs a command in a network of its own, with loopback and a veth pair. */
function inNamespace(...command: string[]) {
  const prepare = 'ip link set lo up && ip link add va type veth peer name vb && exec "$@"';
  return spawnSync('unshare', ['-n', 'sh', '-c', prepare, '-', ...command], {
    cwd: new URL('..', import.meta.url),
    encoding: 'utf8',
    timeout: 100_000, // which strace needs in an emulated machine
  });
}

const script = (code: string) => [
  process.execPath,
  '--input-type=module',
  '--eval',
  `import * as posix from 'posix-sockets'; import { impairLink } from 'posix-sockets/testing'; ${code}`,
];

const haveTc = haveNamespaces && haveStrace && spawnSync('tc', ['-V']).status === 0;
const haveNetem = haveTc && inNamespace('tc', 'qdisc', 'add', 'dev', 'va', 'root', 'netem').status === 0;

describe('a bad link', () => {
  /** The request that a program sends, as strace decodes it; all that strace wrote, where there is none. */
  function requestOf(command: readonly string[]): string {
    const { stderr } = inNamespace('strace', '-f', '-qq', '-s', '400', '-e', 'trace=sendto,sendmsg', ...command);
    const request = /\{nlmsg_len=\d+, nlmsg_type=RTM_NEWQDISC.*?\]\]/.exec(stderr)?.[0] ?? stderr;
    return request.replace(/nlmsg_seq=\d+/, '');
  }

  test.skipIf(!haveTc).each([
    ['delay 10ms 2ms loss 1%', '{ delay: 10, jitter: 2, loss: 0.01 }'],
    ['delay 250ms limit 50', '{ delay: 250, limit: 50 }'],
    ['loss 100% duplicate 50%', '{ loss: 1, duplicate: 0.5 }'],
  ])('%s is asked for in the very bytes that tc sends (needs root, tc and strace)', (words, impairment) => {
    const ours = requestOf(script(`impairLink('va', ${impairment})`));
    expect(ours).toMatch(/^\{nlmsg_len=76, .*TCA_OPTIONS/);
    expect(ours).toBe(requestOf(['tc', 'qdisc', 'add', 'dev', 'va', 'root', 'netem', ...words.split(' ')]));
  });

  test.skipIf(!haveTc || haveNetem)('a kernel without netem refuses (needs root, tc and such a kernel)', () => {
    const { stdout } = inNamespace(
      ...script(`
      try { impairLink('lo', { delay: 1 }) } catch (error) { console.log(error.code, error.reason) }`),
    );
    expect(stdout).toMatch(/^ENOENT Specified qdisc/);
  });

  test.skipIf(!haveNetem)('is late, loses everything, and is good again (needs root and a kernel with netem)', () => {
    const { stdout, stderr } = inNamespace(
      ...script(`
      const { raw } = posix;
      const fd = posix.socket(posix.AF_INET, posix.SOCK_DGRAM);
      posix.bind(fd, posix.sockaddr_in('127.0.0.1', 0));
      posix.setOption(fd, 'SO_RCVTIMEO', { tv_sec: 5, tv_usec: 0 });
      const trip = (flags) => {
        const start = performance.now(); // before it is sent: on a busy machine it is on its way for long when sendto returns
        posix.sendto(fd, new Uint8Array(1), 0, posix.getsockname(fd));
        return [raw.recv(fd, new Uint8Array(1), flags), performance.now() - start];
      };
      const slow = impairLink('lo', { delay: 50 });
      const [late, took] = trip(0);
      slow[Symbol.dispose]();
      const lossy = impairLink('lo', { loss: 1 });
      const [lost] = trip(posix.MSG_DONTWAIT);
      lossy[Symbol.dispose]();
      const [good] = trip(0);
      console.log(JSON.stringify({ late, isLate: took > 45, lost, good }));`),
    );
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual({ late: 1, isLate: true, lost: -11, good: 1 });
  });

  test('a part is from 0 to 1, and a time is neither negative nor endless', () => {
    expect(() => impairLink('lo', { loss: 1.1 })).toThrow(RangeError);
    expect(() => impairLink('lo', { duplicate: Number.NaN })).toThrow(RangeError);
    expect(() => impairLink('lo', { delay: -1 })).toThrow(RangeError);
    expect(() => impairLink('lo', { jitter: 1e9 })).toThrow(RangeError);
    expect(() => impairLink('no such link', {})).toThrow(expect.objectContaining({ code: 'ENODEV' }));
  });
});
