// The command `posix-sockets`, run as its users run it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { folder, type Outcome, run, start, whenDone } from './support.js';

const root = join(import.meta.dirname, '..');
const conversation = join(import.meta.dirname, 'fixtures/cli/conversation.mjs');
const { bin, version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

const cli = join(root, bin['posix-sockets']);

function command(...args: string[]): Promise<Outcome> {
  return run(process.execPath, [cli, ...args]);
}

describe('posix-sockets', () => {
  test('--version and --help', async () => {
    expect(await command('--version')).toMatchObject({ code: 0, stdout: `${version}\n` });
    const { code, stdout } = await command('--help');
    expect(code).toBe(0);
    for (const name of ['prompt', 'trace', 'timeline']) expect(stdout).toContain(`posix-sockets ${name}`);
    expect(await command('trace', '--help')).toMatchObject({ code: 0, stdout: expect.stringContaining('--json') });
  });

  test('a command that there is not', async () => {
    expect(await command('dance')).toMatchObject({ code: 2, stderr: expect.stringContaining("no command 'dance'") });
    expect(await command('constructor')).toMatchObject({ code: 2 });
  });

  test('a reader that has seen enough is no error', async () => {
    const { child, ended } = start(process.execPath, [cli, 'lesson', '8']);
    let complaints = '';
    child.stderr?.on('data', (chunk) => {
      complaints += chunk;
    });
    child.stdout?.destroy();
    expect(await ended()).toBe(0);
    expect(complaints).toBe('');
  });

  test.each(['lesson', 'practice'])(
    '%s without a number lists them, and refuses what it does not know',
    async (name) => {
      const { code, stdout } = await command(name, '--lang', 'en');
      expect(code).toBe(0);
      expect(stdout).toMatch(/^ {3}1 {2}\S.*\n {3}2 {2}\S/);
      expect(stdout.split('\n')).toHaveLength(18 + 1);
      expect((await command(name, '--lang', 'zh')).stdout).toMatch(/^ {3}1 {2}.*[\u4e00-\u9fff]/);
      for (const wrong of [['99'], ['--loud'], ['1', '--lang', 'la'], ['1', '--lang']]) {
        expect(await command(name, ...wrong)).toMatchObject({
          code: 2,
          stderr: expect.stringMatching(/^posix-sockets: .*\nUsage: /),
        });
      }
    },
  );
});

describe('posix-sockets trace', () => {
  test('shows the calls of a script and of its workers, as strace would', async () => {
    const { code, stdout, stderr } = await command('trace', conversation);
    expect({ code, stdout }).toEqual({ code: 0, stdout: '\n' });
    const [made, sent, received, ...more] = stderr.split('\n');
    const [, one, other] = /^socketpair\(AF_UNIX, SOCK_STREAM, 0, \[(\d+), (\d+)\]\) = 0$/.exec(made as string) ?? [];
    expect(sent).toBe(`send(${one}, "hello", 5, 0) = 5`);
    expect(received).toMatch(new RegExp(`^\\[thread \\d+\\] recv\\(${other}, "hello", 10, 0\\) = 5$`));
    expect(more).toEqual(['']);
  });

  test("the script's arguments and its exit code are its own", async () => {
    expect(await command('trace', conversation, '7', '--json', '-o', 'x')).toMatchObject({
      code: 7,
      stdout: '7 --json -o x\n',
      stderr: expect.stringMatching(/^socketpair\(/),
    });
  });

  test('a script that a signal ends', async () => {
    expect(await command('trace', conversation, 'SIGUSR2')).toMatchObject({ code: 128 + 12 });
  });

  test('a signal that is not from a terminal is for the script', async () => {
    const script = join(folder(), 'waits.mjs');
    const waits = "process.on('SIGINT', () => process.exit(5)); setInterval(() => {}, 1000); console.log('ready');";
    writeFileSync(script, waits);
    // In a session of its own, without a terminal.
    const child = spawn(process.execPath, [cli, 'trace', script], {
      detached: true,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    whenDone(() => {
      if (child.exitCode === null) process.kill(-(child.pid as number), 'SIGKILL');
    });
    await once(child.stdout, 'data');
    child.kill('SIGINT');
    expect((await once(child, 'exit'))[0]).toBe(5);
  });

  test('-o: a FIFO, of which the reader sees the calls and the end', async () => {
    const fifo = join(folder(), 'fifo');
    expect(await run('mkfifo', [fifo])).toMatchObject({ code: 0 });
    const [written, { code }] = await Promise.all([readFile(fifo, 'utf8'), command('trace', '-o', fifo, conversation)]);
    expect(code).toBe(0);
    expect(written).toMatch(/^socketpair\(.*\n.*send\(.*\n.*recv\(.* = 5\n$/s);
  });

  test('--json, --states and -o: objects in a file', async () => {
    const output = join(folder(), 'trace');
    expect(await command('trace', '--json', '--states', '-o', output, conversation)).toMatchObject({
      code: 0,
      stderr: '',
    });
    const records = readFileSync(output, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const [, one, other] = /(\d+), (\d+)/.exec(records[0].text) as RegExpExecArray;
    expect(records).toMatchObject([
      { thread: 0, call: 'socketpair', arguments: { sv: [Number(one), Number(other)] }, result: 0 },
      {
        thread: 0,
        call: 'send',
        arguments: { sockfd: Number(one), buf: 'hello', len: 5, flags: 0 },
        result: 5,
        states: [{ fd: Number(one), before: null, after: null }],
        text: `send(${one}, "hello", 5, 0) = 5`,
      },
      { thread: expect.any(Number), call: 'recv', result: 5 },
    ]);
    expect(records[2].thread).toBeGreaterThan(0);
    expect(records[2].time).toBeGreaterThan(records[1].time);
    for (const { duration } of records) expect(duration).toBeGreaterThan(0);
  });

  test('-T and -s', async () => {
    const { stderr } = await command('trace', '-T', '-s', '2', conversation);
    expect(stderr).toMatch(/^send\(\d+, "he"\.\.\., 5, 0\) = 5 <\d+\.\d{6}>$/m);
  });

  test('a script without the package runs as it is', async () => {
    const script = join(folder(), 'plain.cjs');
    writeFileSync(script, 'console.log(require("node:path").basename(process.argv[1]))');
    expect(await command('trace', script)).toMatchObject({ code: 0, stdout: 'plain.cjs\n', stderr: '' });
  });

  test('a command line that does not read', async () => {
    expect(await command('trace')).toMatchObject({ code: 2, stderr: expect.stringContaining('which script?') });
    expect(await command('trace', '--loud', conversation)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("'--loud'"),
    });
    expect(await command('trace', '-s', 'many', conversation)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("'many'"),
    });
  });

  test('a script that is not there is for node to complain of', async () => {
    expect(await command('trace', join(folder(), 'nothing.mjs'))).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('Cannot find module'),
    });
  });
});
