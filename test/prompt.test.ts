// The prompt, driven as a terminal drives it.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { folder, havePython, start, until, whenDone } from './support.js';

const haveSs = spawnSync('ss', ['-V']).status === 0;
const cli = join(import.meta.dirname, '../dist/lib/tools/cli.js');

/** What the prompt prints when these lines are piped into it. Prompts and the greeting are left out. */
async function piped(...lines: string[]): Promise<string> {
  const child = spawn(process.execPath, [cli], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, MANPAGER: 'cat', PATH: process.env.PATH },
    timeout: 15_000,
  });
  child.stdin.end(`${lines.join('\n')}\n`);
  const [output, [code]] = await Promise.all([text(child.stdout), once(child, 'close')]);
  expect(code).toBe(0);
  return output.replace(/^[^>]*/, '').replaceAll(/^(> )+/gm, '');
}

describe('the prompt', () => {
  test('has every call in scope, and shows each as it is made', async () => {
    const output = await piped(
      'const [a, b] = socketpair(AF_UNIX, SOCK_STREAM); a < b',
      "send(a, Buffer.from('hi'))",
      'raw.recv(b, new Uint8Array(4), MSG_DONTWAIT)',
    );
    expect(output).toMatch(/^socketpair\(AF_UNIX, SOCK_STREAM, 0, \[\d+, \d+\]\) = 0\ntrue\n/);
    expect(output).toMatch(/^send\(\d+, "hi", 2, 0\) = 2\n2\n/m);
    expect(output).toMatch(/^recv\(\d+, "hi", 4, MSG_DONTWAIT\) = 2\n2\n/m);
  });

  test('an error is explained', async () => {
    const output = await piped('close(999999)');
    expect(output).toMatch(/^close\(999999\) = -1 EBADF \(Bad file descriptor\)\nUncaught SystemError: close EBADF/);
    expect(output).toMatch(/^The number is not open\./m);
  });

  test('an error is shown without the lines of its stack that are in the package, and with those of the reader', async () => {
    const output = await piped('function mine() { close(999999) }', 'mine()', "send('one')");
    expect(output).toMatch(/^Uncaught SystemError: close EBADF\n {4}at mine \(REPL1:1:\d+\) \{\n {2}code: 'EBADF',\n/m);
    expect(output).toMatch(/^Uncaught TypeError: .*\n(?! {4}at)/m);
    expect(output).not.toContain('/dist/lib/');
    expect(output).not.toContain('\n    at fail');
  });

  test('a socket is known by its descriptor', async () => {
    expect(await piped('const [a] = Socket.pair(); a')).toMatch(/^Socket \{ fd: \d+ \}$/m);
  });

  test('a call whose arguments are refused is shown as not made', async () => {
    const output = await piped("send(7, 'text')", "try { send(7, 'text') } catch {} close(-7)");
    expect(output).toMatch(/^send\(7, .* \(not made\)\nUncaught:?\sTypeError: send: 'bytes'/m);
    expect(output).toMatch(/^send\(7, .* \(not made\)\nclose\(-7\) = -1 EBADF/m);
    expect(output).not.toMatch(/close.*not made/);
  });

  test('what still waits for a socket does not keep it', async () => {
    expect(await piped("void (await Socket.listen('@prompt waits ' + process.pid)).accept(); 6 * 7")).toMatch(/^42$/m);
  });

  test('await works', async () => {
    const output = await piped("(await getaddrinfoAsync('127.0.0.1', '80'))[0].address.port + 1");
    expect(output).toMatch(/getaddrinfoAsync\("127\.0\.0\.1", "80", .*\) = 0\n/);
    expect(output).toMatch(/^81$/m);
  });

  test('.trace off and on', async () => {
    const output = await piped('.trace off', 'htons(1), close(-1)', '.trace on', 'close(-2)');
    expect(output).not.toContain('close(-1) =');
    expect(output).toContain('close(-2) = -1 EBADF');
  });

  test('.errno by name and by number', async () => {
    const [byName, byNumber] = [await piped('.errno econnrefused'), await piped('.errno 111')];
    expect(byName).toMatch(/^ECONNREFUSED \(111\): Connection refused\n/);
    expect(byName).toMatch(/^connect\n {4}The other machine answered/m);
    expect(byNumber).toBe(byName);
    expect(await piped('.errno EAI_AGAIN')).toMatch(/^EAI_AGAIN \(-3\)\n/);
    expect(await piped('.errno ENOTHING')).toContain("There is no error 'ENOTHING'.");
    expect(await piped('.errno EPOLLIN')).toContain("There is no error 'EPOLLIN'.");
    expect(await piped('.errno', '.man')).toBe('Which error? .errno EAGAIN\nWhich call? .man recvmsg\n');
  });

  test('.man: what a call does, and what its errors mean', async () => {
    const output = await piped('.man shutdown');
    expect(output).toMatch(/^shutdown\(sockfd, how\) {4}shutdown\(2\)\n\nEnds one direction/);
    expect(output).toMatch(/^ENOTCONN\n {4}There is no connection/m);
    expect(await piped('.man dance')).toContain("There is no call 'dance'.");
  });

  test('.sockets does not show its own calls', async () => {
    const output = await piped(
      '.trace off',
      'const s = socket(AF_INET, SOCK_DGRAM); connect(s, sockaddr_in("127.0.0.1", 9))',
      '.trace on',
      '.sockets',
    );
    expect(output).toMatch(
      /^\d+ +AF_INET +SOCK_DGRAM +IPPROTO_UDP +connected +0 +0 +127\.0\.0\.1:\d+ +127\.0\.0\.1:9$/m,
    );
    expect(output).not.toContain('getsockname(');
  });
});

test('.sockets: a connection that was refused has nothing to send', async () => {
  const output = await piped(
    '.trace off',
    'const s = socket(AF_INET, SOCK_STREAM); raw.connect(s, sockaddr_in("127.0.0.1", 1).bytes)',
    '.sockets',
  );
  expect(output).toMatch(/IPPROTO_TCP +TCP_CLOSE +0 +0 /);
});

test('.sockets: a Unix socket, its queue, and which descriptor is its peer', async () => {
  const output = await piped(
    '.trace off',
    'const [a, b] = socketpair(AF_UNIX, SOCK_STREAM); send(a, Buffer.from("seven b"))',
    'const l = socket(AF_UNIX, SOCK_SEQPACKET); bind(l, sockaddr_un("\\0prompt " + process.pid)); listen(l, 3)',
    'const c = socket(AF_UNIX, SOCK_SEQPACKET); connect(c, getsockname(l))',
    'process.stdout.write("made " + [a, b, l, c].join() + "\\n")',
    '.sockets',
  );
  const [, a, b, l, c] = /^made (\d+),(\d+),(\d+),(\d+)$/m.exec(output) ?? [];
  expect(output).toMatch(new RegExp(`^${a} +AF_UNIX +SOCK_STREAM +connected +0 +\\d+ +fd ${b}$`, 'm'));
  expect(output).toMatch(new RegExp(`^${b} +AF_UNIX +SOCK_STREAM +connected +7 +0 +fd ${a}$`, 'm'));
  expect(output).toMatch(new RegExp(`^${l} +AF_UNIX +SOCK_SEQPACKET +listening +1 +3 +@prompt \\d+$`, 'm'));
  expect(output).toMatch(new RegExp(`^${c} +AF_UNIX +SOCK_SEQPACKET +connected +0 +0 +@prompt \\d+$`, 'm'));
});

describe.skipIf(!haveSs)('.sockets and ss (skipped without ss)', () => {
  test('agree on addresses, states and queues', async () => {
    const output = await piped(
      '.trace off',
      'const listener = socket(AF_INET, SOCK_STREAM); bind(listener, sockaddr_in("127.0.0.1", 0)); listen(listener, 7)',
      'const clients = [1, 2, 3].map(() => { const s = socket(AF_INET, SOCK_STREAM); connect(s, getsockname(listener)); return s })',
      'const server = accept(listener); send(clients[0], new Uint8Array(123)); shutdown(server, SHUT_WR)',
      'const udp = socket(AF_INET6, SOCK_DGRAM); bind(udp, sockaddr_in6("::1", 0)); sendto(udp, new Uint8Array(9), 0, getsockname(udp))',
      'const acknowledged = () => getOption(server, "TCP_INFO").tcpi_state === TCP_FIN_WAIT2',
      'for (let i = 0; i < 1000 && !acknowledged(); i++) await new Promise((resolve) => setTimeout(resolve, 10))',
      '.sockets',
      'process.stdout.write(require("child_process").execFileSync("ss", ["-tuanHp", "exclude", "time-wait"]))',
      'process.stdout.write("process " + process.pid + "\\n")',
    );
    const lines = output.split('\n').map((line) => line.trim().split(/ +/));
    const ours = lines.filter(([, family]) => /^AF_INET6?$/.test(family ?? ''));
    const pid = /^process (\d+)$/m.exec(output)?.[1];
    const states: Readonly<Record<string, string>> = {
      LISTEN: 'TCP_LISTEN',
      ESTAB: 'TCP_ESTABLISHED',
      'FIN-WAIT-2': 'TCP_FIN_WAIT2',
      'CLOSE-WAIT': 'TCP_CLOSE_WAIT',
      UNCONN: 'unconnected',
    };
    const theirs = lines
      .filter(([protocol, , , , , , users]) => /^(tcp|udp)$/.test(protocol ?? '') && users?.includes(`pid=${pid},`))
      .map(([, state, received, sent, local, peer, users]) => {
        const fd = /fd=(\d+)/.exec(users as string)?.[1] as string;
        return [fd, states[state as string] ?? state, received, sent, local, ...(peer?.endsWith(':*') ? [] : [peer])];
      });
    const byFd = (rows: (string | undefined)[][]) => rows.sort(([a], [b]) => Number(a) - Number(b));
    expect(theirs).toHaveLength(6);
    expect(byFd(ours.map(([fd, , , , ...rest]) => [fd, ...rest]))).toEqual(byFd(theirs));
  });
});

describe.skipIf(!havePython)('the prompt in a terminal (skipped without Python, which makes one)', () => {
  interface Terminal {
    type(keys: string): void;
    /** Waits until something is shown. */
    shows(pattern: RegExp): Promise<RegExpExecArray>;
    /** Waits until the prompt has ended. */
    ended(): Promise<unknown>;
  }

  async function terminal(env: NodeJS.ProcessEnv = { POSIX_SOCKETS_HISTORY: '' }): Promise<Terminal> {
    // Copies between its own standard streams and a terminal in which the prompt runs.
    const { child, ended } = start(
      'python3',
      [
        '-c',
        `import os, pty, select, sys
pid, fd = pty.fork()
if pid == 0: os.execvpe(sys.argv[1], sys.argv[1:], {**os.environ, 'TERM': 'xterm'})
while True:
    ready, _, _ = select.select([0, fd], [], [])
    try:
        if 0 in ready: os.write(fd, os.read(0, 4096))
        if fd in ready: os.write(1, os.read(fd, 4096))
    except OSError: break`,
        process.execPath,
        cli,
      ],
      env,
    );
    let output = '';
    child.stdout?.on('data', (chunk) => {
      output += chunk;
    });
    whenDone(() => child.kill());
    const shows = async (pattern: RegExp) => {
      await until(() => pattern.test(output), `the terminal shows ${pattern}: it shows ${JSON.stringify(output)}`);
      const found = pattern.exec(output) as RegExpExecArray;
      output = output.slice(found.index + found[0].length);
      return found;
    };
    await shows(/> /);
    return { shows, type: (keys) => void child.stdin?.write(keys), ended };
  }

  test.each([
    ['shutdown(3, ', 'SHUT_'],
    ['epoll_ctl(3, ', 'EPOLL_CTL_'],
    ['send(f(1, [2]), "a,(b", ', 'MSG_'],
    ['send(3, b, MSG_OOB|', 'MSG_'],
    ['raw.sendmsg(3, x, null, null, ', 'MSG_'],
    ['getsockopt(3, IPPROTO_UDPLITE, ', 'UDPLITE_'],
    ["getOption(3, 'UDPL", 'ITE_'],
    ['fcntl(3, F_SETLEASE, ', 'F_'],
    ['socket(AF_NETLINK, SOCK_RAW, ', 'NETLINK_'],
  ])('Tab completes constants where a call takes them: %s', async (typed, inserted) => {
    const { type, shows } = await terminal();
    type(typed);
    await shows(new RegExp(typed.slice(-3).replace(/\W/g, '\\$&')));
    type('\t'); // what comes in one piece is taken for pasted
    await shows(new RegExp(inserted));
  });

  test('Ctrl-C ends a call that blocks', async () => {
    const { type, shows } = await terminal();
    type("const [a, b] = socketpair(AF_UNIX, SOCK_STREAM); process.pid + ' ' + a + '.'\r");
    const [, pid, fd] = await shows(/'(\d+) (\d+)\.'/);
    type('recv(a, new Uint8Array(4))\r');
    const inCall = new RegExp(`^\\d+ 0x${Number(fd).toString(16)} `);
    await until(() => inCall.test(readFileSync(`/proc/${pid}/syscall`, 'utf8')), 'it waits');
    await shows(new RegExp(`recv\\(${fd}, `)); // the call as it begins
    type('\x03');
    // Whichever comes first: the call's own answer, or the end of the line that is evaluated.
    await shows(/Uncaught SystemError: recv EINTR|Uncaught Error: interrupted by Ctrl-C/);
    // Its prompt is back when it waits for input again, which is no recv.
    await until(() => !inCall.test(readFileSync(`/proc/${pid}/syscall`, 'utf8')), 'it waits no more');
    await new Promise((resolve) => setTimeout(resolve, 500));
    type('6 * 7\r');
    await shows(/42/);
  });

  test('calls are shown again after Ctrl-C ended a loop of them, wherever it was', async () => {
    const { type, shows } = await terminal();
    type('for (;;) raw.close(-7)\r');
    await shows(/close\(-7\).* = -1 EBADF/);
    type('\x03');
    await shows(/interrupted by Ctrl-C/);
    await shows(/> /);
    type('raw.close(-8)\r');
    await shows(/close\(-8\).* = -1 EBADF/);
  });

  test('its lines are there in the next session, and for nobody else to read', async () => {
    const state = folder();
    const [file, env] = [join(state, 'posix-sockets/history'), { XDG_STATE_HOME: state }];
    const first = await terminal(env);
    first.type("'said ' + 'before'\r");
    await first.shows(/'said before'/);
    first.type('.exit\r');
    await first.ended();
    expect(readFileSync(file, 'utf8')).toBe(".exit\n'said ' + 'before'");
    expect(statSync(file).mode & 0o777).toBe(0o600);

    const next = await terminal(env);
    for (const shown of [/\.exit/, /'said ' \+ 'before'/]) {
      next.type('\x1b[A');
      await next.shows(shown);
    }
  });

  test('POSIX_SOCKETS_HISTORY names another file, and an empty name none', async () => {
    const state = folder();
    for (const name of ['', join(state, 'mine')]) {
      const { type, shows, ended } = await terminal({ XDG_STATE_HOME: state, POSIX_SOCKETS_HISTORY: name });
      type('6 * 7\r');
      await shows(/42/);
      type('\x04');
      await ended();
    }
    expect(readdirSync(state)).toEqual(['mine']);
  });
});
