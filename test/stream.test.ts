import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import tls from 'node:tls';
import { Redis } from 'ioredis';
import pg from 'pg';
import { linger, SHUT_WR, SO_LINGER, SOCK_SEQPACKET, SOL_SOCKET, Socket, setsockopt } from 'posix-sockets';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'posix-sockets-'));
});
afterEach(() => {
  for (const { fd } of Socket.list()) throw new Error(`the test left descriptor ${fd} open`);
  rmSync(folder, { recursive: true, force: true });
});

const has = (program: string) => spawnSync('which', [program]).status === 0;
const postgres = ['/usr/lib/postgresql/15/bin', '/usr/lib/postgresql/17/bin'].find((path) => existsSync(path));
const isRoot = process.getuid?.() === 0;

/** Waits until `ready` does not throw, for ten seconds at most. */
async function until<T>(ready: () => Promise<T> | T): Promise<T> {
  for (let tries = 0; ; tries++) {
    try {
      return await ready();
    } catch (error) {
      if (tries === 200) throw error;
      await sleep(50);
    }
  }
}

/** An HTTP server whose connections are all Sockets, on a port or a path. */
async function httpServer(where: Parameters<typeof Socket.listen>[0], handler: http.RequestListener) {
  const listener = await Socket.listen(where);
  const server = http.createServer(handler);
  const streams = new Set<Duplex>();
  const accepting = (async () => {
    for await (const connection of listener) {
      const stream = connection.toDuplex();
      streams.add(stream);
      stream.on('close', () => streams.delete(stream)).on('error', () => {});
      server.emit('connection', stream);
    }
  })();
  const stop = async () => {
    listener.close();
    for (const stream of streams) stream.destroy();
    await accepting;
  };
  return { port: listener.localAddress?.port as number, stop };
}

test('a stream carries ten megabytes each way, with backpressure', async () => {
  const [one, other] = Socket.pair();
  const sent = randomBytes(10_000_000);
  const [near, far] = [one.toDuplex({ allowHalfOpen: true }), other.toDuplex({ allowHalfOpen: true })];
  const hash = createHash('sha256');
  let sawFull = false;
  const receiving = (async () => {
    for await (const chunk of near) hash.update(chunk);
  })();
  const echoing = pipeline(far, far);
  for (let at = 0; at < sent.length; at += 100_000) {
    if (!near.write(sent.subarray(at, at + 100_000))) {
      sawFull = true;
      await once(near, 'drain');
    }
  }
  near.end();
  await Promise.all([receiving, echoing]);
  expect(hash.digest('hex')).toBe(createHash('sha256').update(sent).digest('hex'));
  expect(sawFull).toBe(true);
  await Promise.all([near, far].map((stream) => stream.destroyed || finished(stream)));
});

test('a reader that stops reading holds the sender back', async () => {
  const [one, other] = Socket.pair();
  const near = one.toDuplex();
  near.on('data', () => {}).pause();
  let sent = 0;
  const block = Buffer.alloc(65536);
  for (let taken = -1; taken !== 0; sent += taken) taken = await other.send(block, { timeout: 100 }).catch(() => 0);
  // What lies in the kernel's buffers and the stream's own, and no more.
  expect(sent).toBeLessThan(4_000_000);
  near.destroy();
  other.close();
});

test('half-close: each direction ends by itself', async () => {
  const [one, other] = Socket.pair();
  const near = one.toDuplex({ allowHalfOpen: true });
  const received: Buffer[] = [];
  near.on('data', (chunk) => received.push(chunk));
  await other.send(Buffer.from('last words'));
  other.shutdown(SHUT_WR);
  await once(near, 'end');
  expect(String(Buffer.concat(received))).toBe('last words');
  near.end('reply');
  expect(String(await other.recvBuffer())).toBe('reply');
  expect(await other.recvBuffer()).toBe(null);
  other.close();
  await finished(near);
});

test('without allowHalfOpen the stream ends with its peer', async () => {
  const [one, other] = Socket.pair();
  const near = one.toDuplex();
  near.resume();
  other.close();
  await once(near, 'close');
  expect(one.fd).toBe(-1);
});

test('a reset becomes an error event', async () => {
  const listener = await Socket.listen({ host: '127.0.0.1', port: 0 });
  const client = await Socket.connect({ host: '127.0.0.1', port: listener.localAddress?.port as number });
  const stream = (await listener.accept()).toDuplex();
  stream.resume();
  setsockopt(client.fd, SOL_SOCKET, SO_LINGER, new linger({ l_onoff: 1, l_linger: 0 }));
  client.close();
  const [error] = await once(stream, 'error');
  expect(error).toMatchObject({ code: 'ECONNRESET', syscall: 'recv' });
  listener.close();
});

test('destroy while reading and writing ends both, with the given error', async () => {
  const [one, other] = Socket.pair();
  const near = one.toDuplex();
  near.resume();
  near.write(Buffer.alloc(10_000_000));
  const error = new Error('enough');
  near.destroy(error);
  await expect(finished(near)).rejects.toBe(error);
  expect(one.fd).toBe(-1);
  other.close();
});

test('an error that a listener throws ends the stream, as its own', async () => {
  const [one, other] = Socket.pair();
  const stream = one.toDuplex();
  stream.on('data', () => {
    throw new Error('in a listener');
  });
  const ended = once(stream, 'error');
  await other.sendAll(Buffer.from('x'));
  expect((await ended)[0]).toMatchObject({ message: 'in a listener' });
  expect(one.fd).toBe(-1);
  other.close();
});

test('setTimeout tells of silence', async () => {
  const [one, other] = Socket.pair();
  const near = one.toDuplex();
  near.resume();
  near.setTimeout(30);
  await once(near, 'timeout');
  near.destroy();
  other.close();
});

test('web streams', async () => {
  const [one, other] = Socket.pair();
  const { readable, writable } = one.toWeb();
  const writer = writable.getWriter();
  await writer.write(Buffer.from('from the web'));
  expect(String(await other.recvBuffer())).toBe('from the web');
  await other.sendAll(Buffer.from('back'));
  other.close();
  const chunks: Uint8Array[] = [];
  for await (const chunk of readable) chunks.push(chunk);
  expect(String(Buffer.concat(chunks))).toBe('back');
  await writer.close();
});

test('SOCK_SEQPACKET keeps messages apart in a stream’s chunks', async () => {
  const [one, other] = Socket.pair(SOCK_SEQPACKET);
  const near = one.toDuplex();
  await other.send(Buffer.from('one'));
  await other.send(Buffer.from('two'));
  other.close();
  const chunks: string[] = [];
  for await (const chunk of near) chunks.push(String(chunk));
  expect(chunks).toEqual(['one', 'two']);
  const [three, four] = Socket.pair(SOCK_SEQPACKET);
  const writing = three.toDuplex();
  writing.cork();
  writing.write('three');
  writing.end('four');
  writing.uncork();
  expect([String(await four.recvBuffer()), String(await four.recvBuffer())]).toEqual(['three', 'four']);
  writing.destroy();
  four.close();
});

describe('node:http', () => {
  test('server and client, keep-alive, a large body each way', async () => {
    const { port, stop } = await httpServer({ host: '127.0.0.1', port: 0 }, (request, response) => {
      request.pipe(response);
    });
    const agent = new http.Agent({ keepAlive: true });
    let connections = 0;
    // What node:http asks of an agent: a stream for a request.
    Object.assign(agent, {
      createConnection: (_: unknown, done: (error: Error | null, stream?: Duplex) => void) => {
        connections++;
        Socket.connect({ host: '127.0.0.1', port }).then((socket) => done(null, socket.toDuplex()), done);
      },
    });
    for (const size of [0, 10, 3_000_000]) {
      const body = randomBytes(size);
      const request = http.request({ agent, port, method: 'POST' });
      request.end(body);
      const [response] = (await once(request, 'response')) as [http.IncomingMessage];
      const chunks: Buffer[] = [];
      for await (const chunk of response) chunks.push(chunk);
      expect(Buffer.concat(chunks).equals(body)).toBe(true);
    }
    expect(connections).toBe(1);
    agent.destroy();
    await stop();
  });

  test.skipIf(!has('curl'))('curl over TCP and over a Unix socket (needs curl)', async () => {
    const path = join(folder, 'http');
    for (const [where, how] of [
      [{ host: '127.0.0.1', port: 0 }, (port: number) => [`http://127.0.0.1:${port}/`]],
      [path, () => ['--unix-socket', path, 'http://localhost/']],
    ] as const) {
      const { port, stop } = await httpServer(where, (_, response) => response.end('hello curl'));
      const curl = spawn('curl', ['-s', ...how(port)]);
      const [output] = await Promise.all([once(curl.stdout, 'data'), once(curl, 'exit')]);
      expect(String(output[0])).toBe('hello curl');
      await stop();
    }
  });

  test.skipIf(!has('wrk'))('wrk: a second of load without an error (needs wrk)', async () => {
    const { port, stop } = await httpServer({ host: '127.0.0.1', port: 0 }, (_, response) => response.end('hello wrk'));
    const wrk = spawn('wrk', ['-t1', '-c50', '-d1s', `http://127.0.0.1:${port}/`]);
    let output = '';
    wrk.stdout.on('data', (chunk) => {
      output += chunk;
    });
    await once(wrk, 'exit');
    expect(output).toMatch(/[1-9]\d* requests in/);
    expect(output).not.toMatch(/Socket errors|Non-2xx/);
    await stop();
  });
});

test.skipIf(!has('openssl'))(
  'node:tls: a handshake, data and a clean end over two sockets (needs openssl)',
  async () => {
    const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')];
    execFileSync(
      'openssl',
      ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '1'].concat([
        '-subj',
        '/CN=localhost',
        '-keyout',
        key,
        '-out',
        certificate,
      ]),
      { stdio: 'ignore' },
    );
    const { readFileSync } = await import('node:fs');
    const [one, other] = Socket.pair();
    const server = new tls.TLSSocket(one.toDuplex(), {
      isServer: true,
      key: readFileSync(key),
      cert: readFileSync(certificate),
    });
    const client = tls.connect({ socket: other.toDuplex(), ca: readFileSync(certificate), host: 'localhost' });
    server.pipe(server);
    await once(client, 'secureConnect');
    expect(client.authorized).toBe(true);
    const body = randomBytes(1_000_000);
    const received: Buffer[] = [];
    client.on('data', (chunk) => received.push(chunk));
    client.write(body);
    await until(() => expect(Buffer.concat(received).length).toBe(body.length));
    expect(Buffer.concat(received).equals(body)).toBe(true);
    client.end();
    await Promise.all([once(client, 'close'), once(server, 'close')]);
    await until(() => expect(Socket.list()).toEqual([]));
  },
);

describe.skipIf(!has('redis-server'))('a Redis client from npm (needs redis-server)', () => {
  test('over TCP and over a Unix socket', async () => {
    const path = join(folder, 'redis');
    const probe = await Socket.listen({ host: '127.0.0.1', port: 0 });
    const port = probe.localAddress?.port as number;
    probe.close();
    const server = spawn(
      'redis-server',
      ['--port', String(port), '--bind', '127.0.0.1', '--unixsocket', path, '--save', '', '--dir', folder],
      { stdio: 'ignore' },
    );
    try {
      for (const where of [{ host: '127.0.0.1', port }, path]) {
        await until(async () => (await Socket.connect(where)).close());
        class Connector {
          stream: Duplex | undefined;
          async connect() {
            this.stream = (await Socket.connect(where)).toDuplex();
            return this.stream;
          }
          check() {
            return true;
          }
          disconnect() {
            this.stream?.end();
          }
        }
        const redis = new Redis({ Connector: Connector as never });
        const value = randomBytes(100_000).toString('base64');
        await redis.set('key', value);
        expect(await redis.get('key')).toBe(value);
        const numbers = await Promise.all(Array.from({ length: 100 }, () => redis.incr(`counter ${typeof where}`)));
        expect(numbers).toEqual(Array.from({ length: 100 }, (_, i) => i + 1));
        await redis.quit();
      }
    } finally {
      server.kill();
      await once(server, 'exit');
    }
    await until(() => expect(Socket.list()).toEqual([]));
  });
});

describe.skipIf(!postgres)('a PostgreSQL client from npm (needs postgresql)', () => {
  test('over TCP and over a Unix socket', { timeout: 60_000 }, async () => {
    const data = join(folder, 'data');
    // The server refuses to run as root.
    const as = isRoot ? ['setpriv', '--reuid=nobody', '--regid=nogroup', '--clear-groups'] : ['env'];
    if (isRoot) execFileSync('chown', ['nobody', folder]);
    const run = (program: string) => [...as, join(postgres as string, program)] as unknown as [string, ...string[]];
    const [initdb, ...initdbArguments] = run('initdb');
    execFileSync(initdb, [...initdbArguments, '-D', data, '-U', 'tester', '--no-sync'], { stdio: 'ignore' });
    const probe = await Socket.listen({ host: '127.0.0.1', port: 0 });
    const port = probe.localAddress?.port as number;
    probe.close();
    const [command, ...before] = run('postgres');
    const server = spawn(command, [...before, '-D', data, '-k', folder, '-p', String(port), '-h', '127.0.0.1', '-F'], {
      stdio: 'ignore',
    });
    try {
      for (const where of [{ host: '127.0.0.1', port }, join(folder, `.s.PGSQL.${port}`)]) {
        await until(async () => (await Socket.connect(where)).close());
        const client = await until(async () => {
          const stream = (await Socket.connect(where)).toDuplex();
          // pg connects a stream itself, unless that says that it is connected.
          Object.assign(stream, { connect: () => process.nextTick(() => stream.emit('connect')) });
          const client = new pg.Client({ user: 'tester', database: 'postgres', stream: () => stream as never });
          await client.connect();
          return client;
        });
        const { rows } = await client.query('select sum(i)::int as sum from generate_series(1, $1) as i', [1000]);
        expect(rows).toEqual([{ sum: 500_500 }]);
        const big = await client.query('select repeat($1, 1000000) as text', ['x']);
        expect(big.rows[0].text).toHaveLength(1_000_000);
        await expect(client.query('select nonsense')).rejects.toThrow(/nonsense/);
        await client.end();
      }
    } finally {
      server.kill('SIGINT');
      await once(server, 'exit');
    }
    await until(() => expect(Socket.list()).toEqual([]));
  });
});
