// The server that `npm run teleport` starts, as a process of its own: the capture is replayed against it, and two
// processes talk through it.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Socket } from 'posix-sockets';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { form, json, plain } from '../examples/teleport/codecs.js';
import { gzip, md5 } from '../examples/teleport/filters.js';
import { Peer } from '../examples/teleport/peer.js';
import type { mathServer } from '../examples/teleport/server.js';
import type { Session } from '../examples/teleport/session.js';
import { code } from '../examples/teleport/status.js';

const program = fileURLToPath(new URL('../dist/examples/teleport/server.js', import.meta.url));
const captured: { from: string; frame: string }[] = JSON.parse(
  readFileSync(new URL('fixtures/teleport-frames.json', import.meta.url), 'utf8'),
);
const [g, m] = [gzip('g'), md5('m')];

let server: ChildProcess;
let where: { host: string; port: number };
let printed = '';

beforeEach(async () => {
  server = spawn(process.execPath, [program, '0'], { stdio: ['ignore', 'pipe', 'inherit'] });
  printed = '';
  server.stdout?.on('data', (chunk) => {
    printed += chunk;
  });
  await vi.waitUntil(() => printed.includes('\n'), { timeout: 10_000 });
  where = { host: '127.0.0.1', port: Number(/^listening on 127\.0\.0\.1:(\d+)\n/.exec(printed)?.[1]) };
});
afterEach(async () => {
  if (server.exitCode !== null || server.signalCode !== null) return;
  server.kill();
  await once(server, 'exit');
});

test('answers the captured frames with the captured frames, byte for byte', async () => {
  const raw = await Socket.connect(where);
  const receive = async (length: number) => {
    const bytes = Buffer.alloc(length);
    for (let got = 0; got < length; ) got += await raw.recv(bytes.subarray(got), { timeout: 5000 });
    return bytes.toString('hex');
  };
  for (const { from, frame } of captured) {
    const bytes = Buffer.from(frame, 'hex');
    if (from === 'client') await raw.sendAll(bytes);
    else expect(await receive(bytes.length)).toBe(frame);
  }
  // And all at once: the answers come in the order of the calls, for every handler answers at once.
  raw.close();
  const again = await Socket.connect(where);
  const all = (side: string) =>
    captured
      .filter(({ from }) => from === side)
      .map(({ frame }) => frame)
      .join('');
  await again.sendAll(Buffer.from(all('client'), 'hex'));
  const answers = Buffer.alloc(all('server').length / 2);
  for (let got = 0; got < answers.length; ) got += await again.recv(answers.subarray(got), { timeout: 5000 });
  expect(answers.toString('hex')).toBe(all('server'));
  again.close();
});

test('is called, pushed to and pushes, by another process', async () => {
  const statuses: string[] = [];
  const peer = new Peer({
    filters: [g, m],
    pushes: { '/push/status': (status: string) => void statuses.push(status) },
  });
  const session = await peer.dial<ReturnType<typeof mathServer>>(where);
  const fails = async (promise: Promise<unknown>, number: number) =>
    expect(promise).rejects.toMatchObject({ code: number });

  expect(await session.call('/math/add', [1, 2, 3])).toBe(6);
  expect(statuses).toEqual([]);
  expect(await session.call('/math/add', [4, 5], { meta: { push: 'yes' } })).toBe(9);
  expect(statuses).toEqual(['hello 9']);
  expect(await session.call('/math/divide', [7, 2])).toBe(3);
  await expect(session.call('/math/divide', [1, 0])).rejects.toMatchObject({
    code: 1001,
    message: 'divide by zero',
    cause: 'b & c=0 ü',
  });
  const untyped = session as unknown as Session;
  for (const body of ['text', ['1'], [1.5], {}, 5]) await fails(untyped.call('/math/add', body), code.badMessage);
  for (const body of [[1], [1, 2, 3], 'text']) await fails(untyped.call('/math/divide', body), code.badMessage);
  await fails(untyped.call('/text/echo', 5), code.badMessage);
  await fails(untyped.call('/no/such', 1), code.notFound);
  await fails(untyped.call('/math/add', [1], { codec: form }), code.badMessage);

  for (const codec of [json, plain]) {
    for (const filters of [[], [g], [m], [m, g], [g, m]]) {
      const reply = await session.callForReply('/text/echo', 'héllo', { codec, filters });
      expect([reply.body, reply.codec, [...reply.meta]]).toEqual(['héllo', codec.id, [['x-from', 'go peer']]]);
    }
  }
  for (let i = 0; i < 100; i++) expect(await session.call('/math/add', [i, i])).toBe(2 * i);

  expect(await untyped.call('/heartbeat', undefined, { meta: { hb_: '5' } })).toBe(null);
  session.push('/note/tell', { from: 'here' });
  await session.close();
  await vi.waitUntil(() => printed.includes("told { from: 'here' }"), { timeout: 10_000 });
});

test('ends at SIGINT when its calls are done', async () => {
  const session = await new Peer().dial<ReturnType<typeof mathServer>>(where);
  expect(await session.call('/math/add', [1])).toBe(1);
  server.kill('SIGINT');
  expect((await session.closed).code).toBe(code.closed);
  const [status] = server.exitCode === null ? await once(server, 'exit') : [server.exitCode];
  expect(status).toBe(0);
});

test('without a port says how it is started', async () => {
  const failed = spawn(process.execPath, [program], { stdio: ['ignore', 'ignore', 'pipe'] });
  const [message] = await once(failed.stderr, 'data');
  expect(String(message)).toBe('usage: npm run teleport -- PORT\n');
  expect((await once(failed, 'exit'))[0]).toBe(2);
});
