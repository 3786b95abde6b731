// The examples about services and processes, each against programs that nobody here wrote.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AF_INET, AF_UNIX, SOCK_DGRAM, SockAddr, Socket, sockaddr_in, sockaddr_un, TCP_LISTEN } from 'posix-sockets';
import { listInetSockets } from 'posix-sockets/netlink';
import { freePort } from 'posix-sockets/testing';
import { beforeAll, describe, expect, test } from 'vitest';
import { exampleCommand, linesOf, runExample, startExample } from './example-support.js';
import { folder, havePython, isRoot, python, run, type Started, start, until, whenDone } from './support.js';

const have = (...command: [string, ...string[]]) => spawnSync(command[0], command.slice(1)).status === 0;
const haveCurl = have('curl', '--version');
const haveDig = have('dig', '-v');
const haveDnsmasq = have('dnsmasq', '--version');
const haveLogger = have('logger', '--version');
const haveRsyslog = have('rsyslogd', '-v');
const haveSystemd = have('systemd-socket-activate', '--version') && have('systemd-notify', '--version');

// The reactor's own descriptors are made with its first use and stay.
beforeAll(async () => {
  const [one, other] = Socket.pair();
  await expect(one.recvBuffer({ timeout: 1 })).rejects.toThrow('ETIMEDOUT');
  one.close();
  other.close();
});

/** A Unix datagram socket, as a log daemon or service manager has one. `next` is the next datagram. */
function receiver(path: string): { next(): Promise<string> } {
  const own = new Socket(AF_UNIX, SOCK_DGRAM);
  whenDone(() => own.close());
  own.bind(sockaddr_un(path.replace(/^@/, '\0')));
  return { next: async () => String(await own.recvBuffer({ timeout: 10_000 })) };
}

test.for([
  'hand-over',
  'ping',
  'syslog',
  'take-over',
  'traceroute',
  'sniff',
  'pass-descriptors',
  'dns',
  'dead-link',
  'kernel-tls',
])('%s says how it is called', async (name) => {
  const { code, stdout, stderr } = await runExample(name);
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toContain(`usage: node dist/examples/${name}.js `);
});

describe('socket-activation', () => {
  test.skipIf(!haveSystemd || !havePython)(
    'serves on what systemd-socket-activate opened, and tells NOTIFY_SOCKET (needs systemd and python3)',
    async () => {
      const where = folder();
      const [port, path] = [await freePort(), join(where, 'admin')];
      const manager = receiver(join(where, 'notify'));
      const activator = start('systemd-socket-activate', [
        ...[
          '-l',
          `127.0.0.1:${port}`,
          '-l',
          path,
          '--fdname=web:admin',
          '-E',
          `NOTIFY_SOCKET=${join(where, 'notify')}`,
        ],
        ...exampleCommand('socket-activation'),
      ]);
      const client = (address: string) =>
        python(`
import socket, time
where = ${address}
for _ in range(500):
    try:
        talk = socket.socket(socket.AF_UNIX if isinstance(where, str) else socket.AF_INET)
        talk.connect(where)
        break
    except OSError: time.sleep(0.02)
talk.sendall(b"hello")
print(talk.recv(100).decode())`).line();
      // The first connection starts the server, and is answered by it.
      expect(await client(`("127.0.0.1", ${port})`)).toBe('web: hello');
      expect(await client(JSON.stringify(path))).toBe('admin: hello');
      // The activator became the server: its process, and so LISTEN_PID, is the same.
      const { pid } = activator.child;
      expect(await manager.next()).toBe(
        `READY=1\nSTATUS=Serving web on 127.0.0.1:${port}, admin on ${path}\nMAINPID=${pid}`,
      );
      activator.child.kill('SIGTERM');
      expect(await manager.next()).toBe('STOPPING=1');
      expect(await activator.ended()).toBe(0);
    },
  );

  test.skipIf(!haveSystemd || !havePython)(
    'says what systemd-notify says, also to an abstract name (needs systemd and python3)',
    async () => {
      const name = `@posix-sockets/notify/${process.pid}`;
      const manager = receiver(name);
      // Python for the service manager: the socket is descriptor 3 when the server begins.
      const server = python(
        `
import os, socket, sys
listener = socket.create_server(("127.0.0.1", 0))
os.dup2(listener.fileno(), 3)
os.set_inheritable(3, True)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1", NOTIFY_SOCKET=sys.argv[1])
print(listener.getsockname()[1])
os.execv(sys.argv[2], sys.argv[2:])`,
        name,
        ...exampleCommand('socket-activation'),
      );
      const status = `Serving unknown on 127.0.0.1:${await server.line()}`;
      const ours = await manager.next();
      const { pid } = server.child;
      const theirs = start('systemd-notify', ['--ready', `--status=${status}`, `--pid=${pid}`, '--no-block'], {
        NOTIFY_SOCKET: name,
      });
      expect(await theirs.ended()).toBe(0);
      const lines = (state: string) => state.split('\n').sort();
      expect(lines(ours)).toEqual(lines(await manager.next()));
    },
  );

  test('takes no sockets that are meant for another process', async () => {
    const server = start('env', ['LISTEN_PID=1', 'LISTEN_FDS=1', ...exampleCommand('socket-activation')]);
    expect(await server.ended()).toBe(2);
  });
});

describe('syslog', () => {
  test.skipIf(!haveLogger)('sends what logger sends, field for field (needs logger)', async () => {
    const path = join(folder(), 'log');
    const log = receiver(path);
    const message = 'a message: with [brackets] and <angles>';
    const theirs = start('logger', ['-u', path, '-p', 'local3.warning', '-t', 'tag', '--id', message]);
    expect(await theirs.ended()).toBe(0);
    const fields = (line: string) =>
      /^<(\d+)>(\w{3} [ \d]\d \d\d:\d\d:\d\d) (\w+)\[(\d+)\]: (.*)$/.exec(line)?.slice(1) ?? [line];
    const [priority, theirTime = '', tag, theirPid, text] = fields(await log.next());
    const ours = startExample('syslog', 'local3.warning', 'tag', message, path);
    expect(await ours.ended()).toBe(0);
    const [ourPriority, ourTime = '', ourTag, ourPid, ourText] = fields(await log.next());
    expect([ourPriority, ourTag, ourText]).toEqual([priority, tag, text]);
    expect([theirPid, ourPid].map(Number)).toEqual([theirs.child.pid, ours.child.pid]);
    const seconds = (time: string) => Date.parse(`${time} ${new Date().getFullYear()}`) / 1000;
    expect(Math.abs(seconds(ourTime) - seconds(theirTime))).toBeLessThan(30);
  });

  test.skipIf(!haveRsyslog)('rsyslog reads it as meant (needs rsyslog)', async () => {
    const where = folder();
    const [path, log] = [join(where, 'socket'), join(where, 'lines')];
    writeFileSync(
      join(where, 'conf'),
      `module(load="imuxsock" SysSock.Use="off")
       input(type="imuxsock" Socket="${path}" UsePIDFromSystem="off")
       template(name="fields" type="string" string="%syslogfacility-text%|%syslogseverity-text%|%programname%|%procid%|%msg%\n")
       action(type="omfile" file="${log}" template="fields")`,
    );
    start('rsyslogd', ['-n', '-f', join(where, 'conf'), '-i', join(where, 'pid')]);
    let sent = startExample('syslog', 'auth.err', 'door', 'nobody is in', path);
    for (let tries = 0; (await sent.ended()) !== 0 && tries < 50; tries++) {
      sent = startExample('syslog', 'auth.err', 'door', 'nobody is in', path);
    }
    const written = () => (existsSync(log) ? readFileSync(log, 'utf8') : '');
    await until(() => written().includes('\n'), 'rsyslog has written');
    expect(written()).toBe(`auth|err|door|${sent.child.pid}| nobody is in\n`);
  });

  test('says why there is no log', async () => {
    const { code, stderr } = await runExample('syslog', 'user.info', 'tag', 'text', join(folder(), 'nowhere'));
    expect([code, stderr]).toEqual([1, expect.stringContaining('connect ENOENT')]);
    expect((await runExample('syslog', 'user.none', 'tag', 'text')).code).toBe(2);
  });
});

describe('hand-over', () => {
  test.skipIf(!haveCurl)('three restarts under load lose no connection (needs curl)', async () => {
    const control = join(folder(), 'control');
    const port = await freePort();
    const servers = [startExample('hand-over', port, control)];
    expect(await servers[0]?.line()).toBe(`${servers[0]?.child.pid} serves`);
    // Thousands of connections, each for one request; a refused or reset one makes curl fail.
    const load = start('curl', [
      '-sS',
      '--fail-early',
      '--parallel',
      '--parallel-max',
      '8',
      '--no-keepalive',
      `http://127.0.0.1:${port}/[1-4000]`,
    ]);
    let answers = '';
    load.child.stdout?.on('data', (chunk) => (answers += chunk));
    const answered = (server: Started) => answers.includes(`${server.child.pid}\n`);
    for (let restart = 0; restart < 3; restart++) {
      const old = servers.at(-1) as Started;
      await until(() => answered(old), 'the server that is to go has served');
      const server = startExample('hand-over', port, control);
      expect(await server.line()).toBe(`${server.child.pid} serves`);
      expect(await old.ended()).toBe(0);
      servers.push(server);
    }
    expect(load.child.exitCode).toBeNull(); // the load went on all the while
    expect(await load.ended()).toBe(0);
    const lines = answers.trimEnd().split('\n');
    expect(lines.length).toBe(4000);
    expect(new Set(lines.map(Number))).toEqual(new Set(servers.map(({ child }) => child.pid)));
  });

  test.skipIf(!haveCurl || !havePython)(
    'a successor that dies on the way is none (needs curl and python3)',
    async () => {
      const control = join(folder(), 'control');
      const port = await freePort();
      const server = startExample('hand-over', port, control);
      await server.line();
      const { stdout } = await run('python3', [
        '-c',
        `
import socket, sys
successor = socket.socket(socket.AF_UNIX)
successor.connect(sys.argv[1])
_, fds, _, _ = socket.recv_fds(successor, 1, 4)
print(socket.socket(fileno=fds[0]).getsockname()[1])`,
        control,
      ]);
      expect(Number(stdout)).toBe(port);
      const again = await run('curl', ['-sS', `http://127.0.0.1:${port}/`]);
      expect(again.stdout).toBe(`${server.child.pid}\n`);
    },
  );
});

describe('pass-descriptors', () => {
  test.skipIf(!havePython)('to Python’s recv_fds and from its send_fds (needs python3)', async () => {
    const where = folder();
    const [path, file] = [join(where, 'socket'), join(where, 'a file')];
    writeFileSync(file, 'from Node\n');
    const other = python(
      `
import os, socket, sys, tempfile
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
listener.listen()
print("ready")
peer, _ = listener.accept()
name, fds, flags, _ = socket.recv_fds(peer, 100, 8)
with os.fdopen(fds[0], "r+") as file:
    print(name.decode(), len(fds), os.path.realpath(f"/proc/self/fd/{fds[0]}"), file.read().strip())
    file.write("from Python\\n")
ours = [tempfile.TemporaryFile() for _ in range(2)]
for i, file in enumerate(ours):
    file.write(f"number {i}\\n".encode())
    file.seek(0)
socket.send_fds(peer, [b"two of mine"], [file.fileno() for file in ours])`,
      path,
    );
    expect(await other.line()).toBe('ready');
    expect(await linesOf(runExample('pass-descriptors', path, file))).toEqual([
      '2 descriptors, and with them: two of mine',
      'number 0',
      'number 1',
    ]);
    expect(await other.line()).toBe(`a file 1 ${file} from Node`);
    expect(await other.ended()).toBe(0);
    expect(readFileSync(file, 'utf8')).toBe('from Node\nfrom Python\n');
  });
});

describe('dns', () => {
  /** A name server whose names are these; none elsewhere is asked. */
  const nameServer = async (...records: string[]): Promise<number> => {
    const port = await freePort();
    const options = ['--listen-address=127.0.0.1', '--bind-interfaces', '--no-resolv', '--no-hosts', '--local=/test/'];
    const command = ['dnsmasq', '--no-daemon', '--conf-file=/dev/null', '--pid-file=', `--port=${port}`, ...options];
    const server = start('sh', ['-c', 'exec "$@" 2>&1', '-', ...command, '--local-ttl=77', ...records]);
    while (!(await server.line()).includes('using only locally-known addresses'));
    return port;
  };
  const dig = async (port: number, ...question: string[]) => {
    const lines = await linesOf(
      run('dig', ['@127.0.0.1', '-p', String(port), '+noall', '+answer', '+noedns', ...question]),
    );
    return lines.map((line) => line.replace(/\s+/g, '\t')).sort();
  };

  test.skipIf(!haveDnsmasq || !haveDig)('answers as dig does (needs dnsmasq and dig)', async () => {
    const port = await nameServer('--host-record=one.test,10.0.0.1,fd00::1', '--cname=alias.test,one.test');
    for (const question of [
      ['one.test', 'A'],
      ['one.test', 'AAAA'],
      ['alias.test', 'A'],
    ]) {
      const ours = await linesOf(runExample('dns', `127.0.0.1:${port}`, ...question));
      expect(ours.sort()).toEqual(await dig(port, ...question));
    }
    expect(await dig(port, 'alias.test', 'A')).toEqual([
      'alias.test.\t77\tIN\tCNAME\tone.test.',
      'one.test.\t77\tIN\tA\t10.0.0.1',
    ]);
    const { code, stdout, stderr } = await runExample('dns', `127.0.0.1:${port}`, 'none.test');
    expect([code, stdout, stderr]).toEqual([1, '', ';; NXDOMAIN\n']);
  });

  test.skipIf(!haveDnsmasq || !haveDig)(
    'asks again over TCP when the answer was cut (needs dnsmasq and dig)',
    async () => {
      const addresses = Array.from({ length: 60 }, (_, i) => `10.1.0.${i}`);
      const port = await nameServer(...addresses.map((address) => `--host-record=big.test,${address}`));
      const { code, stdout, stderr } = await runExample('dns', `127.0.0.1:${port}`, 'big.test');
      expect([code, stderr]).toEqual([0, ';; Truncated, asking again over TCP\n']);
      expect(stdout.trimEnd().split('\n').sort()).toEqual(await dig(port, 'big.test'));
      expect(stdout.trimEnd().split('\n').length).toBe(60);
    },
  );

  test('asks again when nobody answers, and is not led in circles', async () => {
    const server = new Socket(AF_INET, SOCK_DGRAM);
    whenDone(() => server.close());
    server.bind(sockaddr_in('127.0.0.1', 0));
    const ours = runExample('dns', `${server.localAddress}`, 'a.test');
    const query = Buffer.alloc(512);
    const from = new SockAddr();
    const first = Buffer.from(query.subarray(0, await server.recvfrom(query, from)));
    const length = await server.recvfrom(query, from);
    expect(query.subarray(0, length)).toEqual(first);
    query[2] = 0x81; // a response,
    query[7] = 1; // with one answer, whose name points at itself
    const answer = Buffer.concat([query.subarray(0, length), Buffer.of(0xc0, length)]);
    await server.sendto(answer, from);
    expect(await ours).toMatchObject({ code: 1, stderr: expect.stringContaining('a name points forward') });
  });
});

describe('take-over', () => {
  test.skipIf(!isRoot || !havePython || !haveCurl)(
    'takes the listener out of python -m http.server, and answers who waited in its backlog (needs root, python3 and curl)',
    async () => {
      const port = await freePort();
      const other = start('python3', [
        '-u',
        '-m',
        'http.server',
        String(port),
        '--bind',
        '127.0.0.1',
        '--directory',
        folder(),
      ]);
      await other.line();
      const before = await run('curl', ['-sSI', `http://127.0.0.1:${port}/`]);
      expect(before.stdout).toContain('Server: SimpleHTTP');

      // Stopped, it accepts no more, and these wait in its backlog.
      other.child.kill('SIGSTOP');
      const waiting = Array.from({ length: 3 }, () => start('curl', ['-sS', `http://127.0.0.1:${port}/`]));
      await until(
        () => listInetSockets({ states: [TCP_LISTEN] }).find(({ local }) => local.port === port)?.receiveQueue === 3,
        'three wait',
      );
      const ours = startExample('take-over', other.child.pid as number, port);
      expect(await ours.line()).toBe(`${ours.child.pid} serves on the socket of ${other.child.pid}`);
      expect(await other.ended()).toBe('SIGTERM');
      for (const client of waiting) {
        expect(await client.line()).toBe(`Served by ${ours.child.pid}, on the socket of ${other.child.pid}.`);
        expect(await client.ended()).toBe(0);
      }
      const after = await run('curl', ['-sS', `http://127.0.0.1:${port}/`]);
      expect(after.stdout).toContain(`Served by ${ours.child.pid}`);
    },
  );

  test('says what is in the way', async () => {
    const { code, stderr } = await runExample('take-over', process.pid, await freePort());
    expect([code, stderr]).toEqual([1, expect.stringContaining('does not listen on port')]);
  });
});
