import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const program = join(import.meta.dirname, '../dist/examples/tour.js');
const haveStrace = spawnSync('strace', ['-qq', '-o', '/dev/null', 'true']).status === 0;

function run(command: string, args: string[], folder: string) {
  const { status, signal, stdout, stderr } = spawnSync(command, args, {
    encoding: 'utf8',
    timeout: 15_000,
    env: { ...process.env, TMPDIR: folder },
  });
  expect({ status, signal, stderr }).toEqual({ status: 0, signal: null, stderr: '' });
  return stdout;
}

function inFolder(use: (folder: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), 'posix-sockets-'));
  try {
    use(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The printed calls; a call that waited is one line again. */
function callsOf(output: string): string[] {
  const calls: string[] = [];
  for (const [, line = ''] of output.matchAll(/^(?:server|client) {2}(\w+\(.*|<\.\.\. .*)$/gm)) {
    const resumed = /^<\.\.\. (\w+) resumed>(.*)$/.exec(line);
    if (resumed) {
      const begun = calls.findLastIndex(
        (call) => call.startsWith(`${resumed[1]}(`) && call.endsWith('<unfinished ...>'),
      );
      calls[begun] = calls[begun]?.replace(' <unfinished ...>', resumed[2] ?? '') ?? '';
    } else {
      calls.push(line);
    }
  }
  return calls;
}

/** The calls in strace's record of all threads, with send and recv under the names that libc gives them. */
function tracedCalls(record: string): string[] {
  const unfinished = new Map<string, string>();
  const calls: string[] = [];
  for (const [, thread = '', line = ''] of record.matchAll(/^(\d+) +(.*)$/gm)) {
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(line);
    const whole = resumed ? `${unfinished.get(thread)}${resumed[1]}` : line;
    if (whole.endsWith(' <unfinished ...>')) unfinished.set(thread, whole.replace(' <unfinished ...>', ''));
    else
      calls.push(
        whole
          .replace(/^sendto\((.*), NULL, 0\)/, 'send($1)')
          .replace(/^recvfrom\((.*), NULL, NULL\)/, 'recv($1)')
          .replace(/\) += /, ') = '),
      );
  }
  return calls;
}

test('the tour shows each state in its turn, then the five-tuples, and leaves nothing behind', () => {
  inFolder((folder) => {
    const output = run(process.execPath, [program], folder);
    expect(callsOf(output).map((call) => call.replace(/\(.*/, ''))).toEqual(
      Array.from({ length: 2 }, () => [
        ...['socket', 'bind', 'getsockname', 'listen', 'accept', 'socket', 'connect', 'recv', 'send', 'send', 'recv'],
        ...['recv', 'shutdown', 'close', 'close', 'close'],
      ]).flat(),
    );
    const states = Array.from(output.matchAll(/^ +\[(listener .*)\]$/gm), ([, state]) => state);
    expect(states.filter((state, i) => state !== states[i - 1])).toEqual([
      'listener CLOSE',
      'listener LISTEN',
      'listener LISTEN · client CLOSE',
      'listener LISTEN · client ESTABLISHED',
      'listener LISTEN · client ESTABLISHED · connection ESTABLISHED',
      expect.stringMatching(/^listener LISTEN · client FIN_WAIT[12] · connection CLOSE_WAIT$/),
      'listener LISTEN · client CLOSE',
      'listener LISTEN',
    ]);

    const rows = output.split('five things')[1]?.trimEnd().split('\n').slice(3) ?? [];
    const [client, server, unixClient, unixServer] = rows.map((row) => row.split(/ {2,}/));
    expect(client).toEqual(['client', 'TCP', '127.0.0.1', expect.any(String), '127.0.0.1', expect.any(String)]);
    expect(server).toEqual(['server', 'TCP', '127.0.0.1', client?.[5], '127.0.0.1', client?.[3]]);
    const path = expect.stringContaining(folder);
    expect(unixClient).toEqual(['client', 'Unix stream', '(unnamed)', '-', path, '-']);
    expect(unixServer).toEqual(['server', 'Unix stream', path, '-', '(unnamed)', '-']);

    // What the tour says of TIME_WAIT: the kernel keeps the client's address pair (state 06) after both ends are closed.
    const hex = (port = '') => Number(port).toString(16).toUpperCase().padStart(4, '0');
    expect(readFileSync('/proc/net/tcp', 'utf8')).toContain(
      `0100007F:${hex(client?.[3])} 0100007F:${hex(client?.[5])} 06`,
    );
    expect(readdirSync(folder)).toEqual([]);
  });
});

test.skipIf(!haveStrace)('strace sees just the calls that the tour prints (needs strace)', () => {
  inFolder((folder) => {
    const record = join(folder, 'record');
    const calls = 'socket,bind,getsockname,listen,accept,connect,sendto,recvfrom,shutdown,close';
    const output = run(
      'strace',
      ['-f', '-qq', '-e', `trace=${calls}`, '-o', record, process.execPath, program],
      folder,
    );
    const traced = tracedCalls(readFileSync(record, 'utf8'));
    const printed = callsOf(output);
    expect(printed.filter((call) => !traced.includes(call))).toEqual([]);
    expect(printed).toHaveLength(32);
  });
});
