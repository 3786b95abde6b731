import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import net from 'node:net';
import { promisify } from 'node:util';
import { SOCK_SEQPACKET, Socket } from 'posix-sockets';
import {
  blackHole,
  dribblingPeer,
  freePort,
  fullBacklog,
  halfClosingPeer,
  resettingPeer,
  stallingPeer,
  type TestPeer,
  tcpPair,
  udpPair,
  unixPair,
  withNetworkNamespace,
} from 'posix-sockets/testing';
import { Client, request } from 'undici';
import { afterEach, expect, test } from 'vitest';

const isRoot = process.getuid?.() === 0;
const haveCurl = spawnSync('curl', ['--version']).status === 0;

afterEach(() => {
  for (const { fd } of Socket.list()) throw new Error(`the test left descriptor ${fd} open`);
});

test('pairs are connected to each other', async () => {
  for (const [one, other] of [await tcpPair(), unixPair(), unixPair(SOCK_SEQPACKET), await udpPair()]) {
    await one.send(Buffer.from('there'));
    expect(String(await other.recvBuffer())).toBe('there');
    await other.send(Buffer.from('and back'));
    expect(String(await one.recvBuffer())).toBe('and back');
    one.close();
    other.close();
  }
});

test('nobody listens on a free port', async () => {
  await expect(Socket.connect({ host: '127.0.0.1', port: freePort() })).rejects.toMatchObject({ code: 'ECONNREFUSED' });
});

test('a resetting peer: node:net and undici see ECONNRESET', async () => {
  await using peer = await resettingPeer({ afterBytes: 1 });
  const client = net.connect(peer.port, peer.host).on('error', () => {});
  client.write('x');
  const [error] = await once(client, 'error');
  expect(error).toMatchObject({ code: 'ECONNRESET' });
  await expect(request(`http://${peer.host}:${peer.port}/`)).rejects.toMatchObject({
    code: expect.stringMatching(/ECONNRESET|UND_ERR_SOCKET/),
  });
  expect(peer.connections).toBeGreaterThanOrEqual(2);
});

test('a stalling peer: node:net fills up and waits, undici times out', async () => {
  await using peer = await stallingPeer();
  const client = net.connect(peer.port, peer.host);
  await once(client, 'connect');
  expect(client.write(Buffer.alloc(20_000_000))).toBe(false);
  const drained = once(client, 'drain').then(() => 'drained');
  expect(await Promise.race([drained, new Promise((resolve) => setTimeout(resolve, 300, 'waits'))])).toBe('waits');
  drained.catch(() => {});
  expect(client.bytesWritten - client.writableLength).toBeLessThan(10_000_000);
  client.destroy();
  const undici = new Client(`http://${peer.host}:${peer.port}`, { headersTimeout: 200 });
  await expect(undici.request({ path: '/', method: 'GET' })).rejects.toMatchObject({ code: 'UND_ERR_HEADERS_TIMEOUT' });
  await undici.destroy();
});

test('a half-closing peer: the end is read, and writing goes on', async () => {
  await using peer = await halfClosingPeer(Buffer.from('all I have'));
  const client = net.connect({ port: peer.port, host: peer.host, allowHalfOpen: true });
  const chunks: Buffer[] = [];
  client.on('data', (chunk) => chunks.push(chunk));
  await once(client, 'end');
  expect(String(Buffer.concat(chunks))).toBe('all I have');
  await new Promise<void>((resolve, reject) => client.write('still talking', (e) => (e ? reject(e) : resolve())));
  client.end();
  await once(client, 'close');
});

test('a dribbling peer: undici reads a response byte by byte, node:net sees every boundary', async () => {
  const response = 'HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello';
  await using peer = await dribblingPeer(Buffer.from(response));
  const { statusCode, body } = await request(`http://${peer.host}:${peer.port}/`, {
    dispatcher: new Client(`http://${peer.host}:${peer.port}`, { pipelining: 0 }),
  });
  expect(statusCode).toBe(200);
  expect(await body.text()).toBe('hello');
  const client = net.connect(peer.port, peer.host);
  let pieces = 0;
  client.on('data', () => pieces++);
  await once(client, 'end');
  expect(pieces).toBeGreaterThan(response.length / 2);
});

test('a full backlog and a black hole: a connect gets no answer at all', async () => {
  for (const make of [fullBacklog, blackHole]) {
    await using peer = await make();
    await expect(Socket.connect(peer.address, { timeout: 100 })).rejects.toMatchObject({ code: 'ETIMEDOUT' });
    const client = net.connect(peer.port, peer.host);
    const answered = Promise.race([once(client, 'connect'), once(client, 'error')]).then(() => 'answered');
    expect(await Promise.race([answered, new Promise((resolve) => setTimeout(resolve, 200, 'silence'))])).toBe(
      'silence',
    );
    client.destroy();
    answered.catch(() => {});
    await expect(
      request(`http://${peer.host}:${peer.port}/`, {
        dispatcher: new Client(`http://${peer.host}:${peer.port}`, { connect: { timeout: 100 } }),
      }),
    ).rejects.toMatchObject({ code: 'UND_ERR_CONNECT_TIMEOUT' });
  }
});

test.skipIf(!haveCurl)('what curl says of each (skipped without curl)', { timeout: 30_000 }, async () => {
  const page = Buffer.from('HTTP/1.0 200 OK\r\n\r\nhello');
  const peers: [make: () => Promise<TestPeer>, status: number, body: string][] = [
    [() => resettingPeer({ afterBytes: 1 }), 56, ''], // failure in receiving
    [stallingPeer, 28, ''], // timed out
    [() => halfClosingPeer(page), 0, 'hello'],
    [() => dribblingPeer(page), 0, 'hello'],
    [fullBacklog, 28, ''],
    [blackHole, 28, ''],
  ];
  for (const [make, status, body] of peers) {
    await using peer = await make();
    const time = status === 0 ? '20' : '2';
    const asked = promisify(execFile)('curl', ['-sS', '--max-time', time, `http://${peer.host}:${peer.port}/`]);
    const { code = 0, stdout } = (await asked.catch((error) => error)) as { code?: number; stdout: string };
    expect({ code, stdout }).toEqual({ code: status, stdout: body });
  }
});

test('a connect that a full backlog kept waiting is refused once that is closed', { timeout: 20_000 }, async () => {
  const peer = await fullBacklog();
  const connecting = Socket.connect(peer.address, { timeout: 15_000 });
  connecting.catch(() => {});
  await peer.close();
  await expect(connecting).rejects.toMatchObject({ code: 'ECONNREFUSED' });
});

test('closing a peer gives back every descriptor', async () => {
  await (await resettingPeer()).close();
  const before = readdirSync('/proc/self/fd').length;
  for (const make of [resettingPeer, stallingPeer, () => halfClosingPeer(), () => dribblingPeer(Buffer.alloc(1000))]) {
    const peer = await make();
    const socket = await Socket.connect(peer.address);
    await socket.sendAll(Buffer.from('x')).catch(() => {}); // the resetting one may have been quicker
    await peer.close();
    socket.close();
  }
  for (const make of [fullBacklog, blackHole]) await (await make()).close();
  expect(readdirSync('/proc/self/fd').length).toBe(before);
});

test.skipIf(!isRoot)(
  'a network namespace: its own loopback, its own ports, and none of ours (needs root)',
  async () => {
    const listener = await Socket.listen({ host: '127.0.0.1', port: 0 });
    const port = listener.localAddress?.port as number;
    const inside = await withNetworkNamespace(async ({ Socket, if_nameindex }, port) => {
      const refused = await Socket.connect({ host: '127.0.0.1', port }).catch(({ code }) => code);
      const own = await Socket.listen({ host: '127.0.0.1', port });
      const client = await Socket.connect({ host: '127.0.0.1', port });
      const connection = await own.accept();
      await client.sendAll(Buffer.from('inside'));
      const heard = String(await connection.recvBuffer());
      for (const socket of [own, client, connection]) socket.close();
      const { connect } = process.getBuiltinModule('node:net');
      const nodeNet = await new Promise((resolve) => {
        connect(port, '127.0.0.1').on('error', ({ code }: NodeJS.ErrnoException) => resolve(code));
      });
      return { refused, heard, nodeNet, interfaces: if_nameindex().map(({ name }) => name) };
    }, port);
    expect(inside).toMatchObject({ refused: 'ECONNREFUSED', heard: 'inside', nodeNet: 'ECONNREFUSED' });
    expect(inside.interfaces).toContain('lo');
    expect(inside.interfaces).not.toContain('eth0');
    listener.close();
  },
);

test.skipIf(!isRoot)('errors come out of a namespace as they were (needs root)', async () => {
  await expect(withNetworkNamespace(({ close }) => close(999))).rejects.toMatchObject({
    code: 'EBADF',
    syscall: 'close',
  });
  await expect(
    withNetworkNamespace(() => {
      throw new RangeError('mine');
    }),
  ).rejects.toThrow('mine');
});

test('without the privilege a namespace says so', async () => {
  const program = `
    import { withNetworkNamespace } from 'posix-sockets/testing';
    withNetworkNamespace(() => 1).catch(({ code, syscall }) => console.log(syscall, code));`;
  const run = ['--input-type=module', '-e', program];
  const output = isRoot
    ? execFileSync('setpriv', ['--bounding-set=-all', '--inh-caps=-all', '--reuid=0', process.execPath, ...run])
    : execFileSync(process.execPath, run);
  expect(String(output)).toBe('unshare EPERM\n');
});
