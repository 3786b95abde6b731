// Peers that talk to each other: calls, pushes, both ways, over every kind of socket; how sessions end and go on.
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket as NetSocket, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SOCK_SEQPACKET, SOCK_STREAM, type SockAddr, Socket } from 'posix-sockets';
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Codec, form, json, plain } from '../examples/teleport/codecs.js';
import { gzip, md5 } from '../examples/teleport/filters.js';
import type { Context } from '../examples/teleport/handling.js';
import type { Handlers, Methods } from '../examples/teleport/methods.js';
import { Peer, type PeerOptions } from '../examples/teleport/peer.js';
import type { Session } from '../examples/teleport/session.js';
import { code, Status } from '../examples/teleport/status.js';

const local = { host: '127.0.0.1', port: 0 };
const [g, m] = [gzip('g'), md5('m')];
const openFds = () => readdirSync('/proc/self/fd').length;
const until = (condition: () => boolean) => vi.waitUntil(condition, { timeout: 10_000, interval: 5 });

const addressOf = (net: Server) => ({ host: '127.0.0.1', port: (net.address() as AddressInfo).port });

/** A promise, and how to keep it. */
function later<T = void>() {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((keep) => {
    resolve = keep;
  });
  return { promise, resolve };
}

let peers: AsyncDisposable[] = [];
let folder: string;
let before: number;

function peer<
  Calls extends Handlers<Methods> = Handlers<Methods>,
  Pushes extends Handlers<Methods> = Handlers<Methods>,
>(options: PeerOptions<Calls, Pushes, Methods> = {}): Peer<Calls, Pushes> {
  const made = new Peer(options);
  peers.push({ [Symbol.asyncDispose]: () => made.close({ timeout: 1000 }) });
  return made;
}

/** A server with these methods, and a session with it. */
async function talk<
  Calls extends Handlers<Methods> = Handlers<Methods>,
  Pushes extends Handlers<Methods> = Handlers<Methods>,
>(options: PeerOptions<Calls, Pushes, Methods>, ours: PeerOptions<Handlers<Methods>, Handlers<Methods>, Methods> = {}) {
  const server = peer(options);
  const listener = await server.listen(local);
  const client = peer(ours);
  const session = await client.dial<typeof server>(listener.localAddress as SockAddr);
  return { server, listener, client, session };
}

// What the first use makes (the reactor, resolver threads) stays.
beforeAll(async () => {
  const { session } = await talk({});
  await session.close();
  for (const made of peers) await made[Symbol.asyncDispose]();
  peers = [];
});
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'posix-sockets-'));
  before = openFds();
});
afterEach(async () => {
  await Promise.all(peers.map((made) => made[Symbol.asyncDispose]()));
  peers = [];
  rmSync(folder, { recursive: true, force: true });
  expect(Socket.list()).toEqual([]);
  await until(() => openFds() <= before);
});

describe('calls', () => {
  test('are answered, out of order when a later one is done first', async () => {
    const [first, second] = [later<string>(), later<string>()];
    const { session } = await talk({ calls: { '/first': () => first.promise, '/second': () => second.promise } });
    const done: string[] = [];
    const calls = [session.call('/first'), session.call('/second')].map((call) => call.then((text) => done.push(text)));
    second.resolve('second');
    await calls[1];
    first.resolve('first');
    await Promise.all(calls);
    expect(done).toEqual(['second', 'first']);
  });

  test('by the thousand, each with its own reply', async () => {
    const { session } = await talk({
      calls: { '/double': async (n: number) => (n % 3 === 0 ? sleep(n % 7, 2 * n) : 2 * n) },
    });
    const numbers = Array.from({ length: 5000 }, (_, n) => n);
    const doubled = await Promise.all(numbers.map((n) => session.call('/double', n)));
    expect(doubled).toEqual(numbers.map((n) => 2 * n));
  });

  test('go both ways on one connection, also from within a handler', async () => {
    const { server, session } = await talk(
      {
        calls: {
          '/outer': async (n: number, { session }) => {
            const inner = await session.call('/inner', n + 1);
            return `outer ${inner}`;
          },
        },
      },
      { calls: { '/inner': (n: number) => `inner ${n}` } },
    );
    expect(await session.call('/outer', 1)).toBe('outer inner 2');
    const [accepted] = server.sessions;
    expect(await accepted?.call('/inner', 7)).toBe('inner 7');
  });

  test('in every codec, a new one too, and through filters; the reply comes back the same way', async () => {
    const shout: Codec = { id: '!', encode: (body) => `${body}!`, decode: (bytes) => bytes.toString().slice(0, -1) };
    const options = { codecs: [shout], filters: [g, m] };
    const { session } = await talk({ ...options, calls: { '/echo': (body: unknown) => body } }, options);
    const text = 'hello, '.repeat(100);
    for (const [codec, body] of [
      [json, { a: [1, null] }],
      [plain, text],
      [form, new URLSearchParams('a=1&b=2')],
      [shout, text],
    ] as const) {
      for (const filters of [[], [g], [m], [m, g], [g, m, g]]) {
        const reply = await session.callForReply('/echo', body, { codec, filters });
        expect(reply).toMatchObject({ body, codec: codec.id });
      }
    }
  });

  test('large ones go through filters off the thread, and pushes keep their order', async () => {
    const told: string[] = [];
    const { session } = await talk(
      {
        filters: [g],
        calls: { '/size': (text: string) => text.length },
        pushes: { '/tell': (text: string) => void told.push(text[0] as string) },
      },
      { filters: [g] },
    );
    session.push('/tell', `1${'x'.repeat(200_000)}`, { filters: [g] });
    session.push('/tell', '2');
    session.push('/tell', `3${'x'.repeat(200_000)}`, { filters: [g] });
    session.push('/tell', '4', { filters: [g] });
    expect(await session.call('/size', 'y'.repeat(500_000), { filters: [g] })).toBe(500_000);
    expect(told).toEqual(['1', '2', '3', '4']);
  });

  test('carry metadata, both ways, and may ask for a codec', async () => {
    const seen: unknown[] = [];
    const { session } = await talk({
      calls: {
        '/meta': (_: unknown, context) => {
          seen.push(context.method, [...context.meta], context.realAddress);
          context.replyMeta.append('x', 'a b');
          context.replyMeta.append('x', 'ü');
          if (context.meta.has('plain')) context.replyCodec = plain;
          return 'body';
        },
      },
    });
    const reply = await session.callForReply('/meta', 1, { meta: { a: '1 &', 'X-Real-IP': '192.0.2.1' } });
    expect([...reply.meta]).toEqual([
      ['x', 'a b'],
      ['x', 'ü'],
    ]);
    expect(seen).toEqual([
      '/meta',
      [
        ['a', '1 &'],
        ['X-Real-IP', '192.0.2.1'],
      ],
      '192.0.2.1',
    ]);
    const accept = (id: string) => ({ meta: { 'X-Accept-Body-Codec': id } });
    expect((await session.callForReply('/meta', 1, accept(String('s'.charCodeAt(0))))).codec).toBe('s');
    expect((await session.callForReply('/meta', 1, accept('1000'))).codec).toBe('j');
    expect((await session.callForReply('/meta', 1, { meta: { plain: '' } })).codec).toBe('s');
    expect(seen.at(-1)).toBe(String(session.localAddress));
  });

  test('fail with the status that the handler throws, 500 for any other error, 404 where there is no method', async () => {
    const errors: unknown[] = [];
    const broken = new TypeError('broken');
    const { session } = await talk({
      calls: {
        '/status': (_: unknown, { replyMeta }) => {
          replyMeta.set('retry', '5');
          throw new Status(1001, 'not today', 'closed on Sundays');
        },
        '/later': async () => {
          throw new Status(1002);
        },
        '/broken': () => {
          throw broken;
        },
        '/circular': () => {
          const list: unknown[] = [];
          list.push(list);
          return list;
        },
        '/long': () => 'x'.repeat(5 << 20),
      },
      onError: (error: unknown, context: Context) => errors.push([context.method, error]),
    });
    const fails = (method: string) => expect(session.call(method as '/status', 1)).rejects;
    await fails('/status').toMatchObject({ code: 1001, message: 'not today', cause: 'closed on Sundays' });
    await fails('/later').toMatchObject({ code: 1002 });
    await fails('/broken').toMatchObject({ code: code.internal, cause: 'broken' });
    await fails('/circular').toMatchObject({ code: code.internal });
    await fails('/long').toMatchObject({ code: code.internal, cause: expect.stringContaining('limit') });
    await fails('/none').toMatchObject({ code: code.notFound, message: 'Not Found' });
    await fails('__proto__').toMatchObject({ code: code.notFound });
    expect(errors).toContainEqual(['/broken', broken]);
  });

  test('an error that nobody asked to hear of becomes a warning of the process', async () => {
    const { session } = await talk({ pushes: { '/broken': () => Promise.reject(new Error('broken push')) } });
    const warned = once(process, 'warning');
    await session.push('/broken');
    expect((await warned)[0]).toMatchObject({ message: 'broken push' });
  });

  test('that cannot be encoded reject with 104, and nothing is sent', async () => {
    const { session } = await talk({ calls: { '/echo': (body: unknown) => body } }, { filters: [] });
    const fails = (body: unknown, options = {}) => expect(session.call('/echo', body, options)).rejects;
    await fails(1n).toMatchObject({ code: code.writeFailed });
    await fails('x'.repeat(5 << 20)).toMatchObject({ code: code.writeFailed, cause: expect.any(RangeError) });
    await fails(1, { meta: { long: 'x'.repeat(70_000) } }).toMatchObject({ code: code.writeFailed });
    await fails(1, { filters: [g] }).toMatchObject({ code: code.writeFailed });
    await fails(1, { codec: { ...json, id: 'z' } }).toMatchObject({ code: code.writeFailed });
    expect(await session.call('/echo', 'still here')).toBe('still here');
  });

  test('end by a timeout, or by a signal; a late reply is dropped', async () => {
    const answer = later<string>();
    const { session } = await talk({ calls: { '/slow': () => answer.promise, '/echo': (body: unknown) => body } });
    await expect(session.call('/slow', undefined, { timeout: 20 })).rejects.toMatchObject({ code: code.handleTimeout });
    const controller = new AbortController();
    const aborted = session.call('/slow', undefined, { signal: controller.signal });
    controller.abort(new Error('changed my mind'));
    await expect(aborted).rejects.toThrow('changed my mind');
    await expect(session.call('/slow', undefined, { signal: controller.signal })).rejects.toThrow('changed my mind');
    const kept = session.call('/slow', undefined, { timeout: 10_000, signal: new AbortController().signal });
    answer.resolve('late');
    expect(await kept).toBe('late');
    expect(await session.call('/echo', 1)).toBe(1);
  });

  test('a handler that takes too long is answered with 408, and told', async () => {
    const told = later<unknown>();
    const { session } = await talk({
      handlerTimeout: 30,
      calls: {
        '/slow': async (_: undefined, { signal }) => {
          await once(signal, 'abort');
          told.resolve(signal.reason);
        },
        '/fast': async () => 'fast',
      },
    });
    expect(await session.call('/fast')).toBe('fast');
    await expect(session.call('/slow')).rejects.toMatchObject({ code: code.handleTimeout });
    expect(await told.promise).toMatchObject({ code: code.handleTimeout });
  });

  test('wait while as much as `limit` waits to be sent, and all go out', async () => {
    const limit = 1 << 20;
    const { session } = await talk({ limit, calls: { '/size': (text: string) => text.length } }, { limit });
    const sizes = await Promise.all(Array.from({ length: 100 }, () => session.call('/size', 'x'.repeat(100_000))));
    expect(sizes).toEqual(Array(100).fill(100_000));
  });

  test('a handler that is told that its session ended stops', async () => {
    const [began, told] = [later(), later<unknown>()];
    const { session } = await talk({
      calls: {
        '/wait': async (_: undefined, context) => {
          began.resolve();
          await once(context.signal, 'abort');
          told.resolve(context.signal.reason);
        },
      },
    });
    const waiting = session.call('/wait');
    await began.promise;
    session.end();
    await expect(waiting).rejects.toMatchObject({ code: code.closed });
    expect(await told.promise).toMatchObject({ code: code.closed });
  });
});

describe('pushes', () => {
  test('reach all sessions of a peer, in order', async () => {
    const server = peer({});
    const listener = await server.listen(local);
    const heard: string[][] = [];
    for (let i = 0; i < 3; i++) {
      const mine: string[] = [];
      heard.push(mine);
      await peer({ pushes: { '/tell': (text: string) => void mine.push(text) } }).dial(
        listener.localAddress as SockAddr,
      );
    }
    await until(() => server.sessions.size === 3);
    for (const text of ['one', 'two', 'three']) for (const session of server.sessions) session.push('/tell', text);
    await until(() => heard.every((mine) => mine.length === 3));
    expect(heard).toEqual(Array(3).fill(['one', 'two', 'three']));
  });

  test('to no handler, or with a body of the wrong type, are dropped, and the session goes on', async () => {
    const errors: unknown[] = [];
    const { session } = await talk({
      pushes: {
        '/status': () => {
          throw new Status(code.badMessage);
        },
      },
      calls: { '/echo': (body: unknown) => body },
      onError: (error: unknown) => void errors.push(error),
    });
    await (session as unknown as Session).push('/none', 1);
    await session.push('/status');
    expect(await session.call('/echo', 1)).toBe(1);
    expect(errors).toEqual([]);
  });

  test('to a peer that takes nothing are lost beyond `limit`, and it is dropped when patience ends', async () => {
    const net = createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1');
    await once(net, 'listening');
    const stalled: NetSocket[] = [];
    net.on('connection', (socket) => stalled.push(socket));
    const limit = 1 << 20;
    const session = await peer({ limit, patience: 200 }).dial(addressOf(net));
    const failures: Status[] = [];
    let sent = 0;
    while (failures.length === 0 && sent < 1000) {
      session.push('/tell', 'x'.repeat(65_536)).catch((error) => failures.push(error));
      sent++;
      await sleep(0);
    }
    expect(failures[0]).toMatchObject({ code: code.writeFailed, cause: expect.stringContaining('wait to be sent') });
    expect(await session.closed).toMatchObject({ code: code.writeFailed });
    await expect(session.push('/tell', 1)).rejects.toMatchObject({ code: code.closed });
    for (const socket of stalled) socket.destroy();
    await once(net.close(), 'close');
  });
});

describe('a session', () => {
  test.each([
    ['TCP', () => local, SOCK_STREAM],
    ['TCP over IPv6', () => ({ host: '::1', port: 0 }), SOCK_STREAM],
    ['a Unix stream socket', () => join(folder, 'stream'), SOCK_STREAM],
    ['an abstract Unix socket', () => `@teleport-${process.pid}`, SOCK_STREAM],
    ['a Unix seqpacket socket', () => join(folder, 'packets'), SOCK_SEQPACKET],
  ])('runs over %s', async (_, where, type) => {
    const told: number[] = [];
    const server = peer({
      filters: [g],
      calls: { '/echo': (text: string) => text },
      pushes: { '/count': (n: number) => void told.push(n) },
    });
    const listener = await server.listen(where(), { type });
    const client = peer({ filters: [g] });
    const session = await client.dial<typeof server>(listener.localAddress as SockAddr, { type });
    const bodies = Array.from({ length: 200 }, (_, i) => String(i).repeat(i * 3));
    expect(await Promise.all(bodies.map((text) => session.call('/echo', text)))).toEqual(bodies);
    const long = 'ü'.repeat(1_500_000);
    expect(await session.call('/echo', long)).toBe(long);
    expect(await session.call('/echo', long, { filters: [g] })).toBe(long);
    for (let n = 0; n < 1000; n++) session.push('/count', n);
    await session.close();
    await until(() => told.length === 1000);
    expect(told).toEqual(Array.from({ length: 1000 }, (_, n) => n));
    await until(() => server.sessions.size === 0);
    expect(client.sessions.size).toBe(0);
  });

  test.each([SOCK_STREAM, SOCK_SEQPACKET])(
    'runs over a socket that somebody else connected (type %i)',
    async (type) => {
      const server = peer({ calls: { '/echo': (text: string) => text } });
      const [one, other] = Socket.pair(type);
      server.adopt(one);
      const session = peer({}).adopt<typeof server>(other);
      expect(await session.call('/echo', 'a pair')).toBe('a pair');
    },
  );

  test('that is closed finishes the calls of both sides and refuses new ones', async () => {
    const [answer, answerBack] = [later<string>(), later<string>()];
    const { server, session, client } = await talk(
      { calls: { '/slow': () => answer.promise } },
      { calls: { '/back': () => answerBack.promise } },
    );
    const ours = session.call('/slow');
    const [accepted] = server.sessions as Set<Session>;
    const theirs = accepted?.call('/back');
    await until(() => client.sessions.size === 1 && accepted?.isOpen === true);
    await expect(accepted?.call('/none')).rejects.toMatchObject({ code: code.notFound });
    const closed = session.close();
    expect(session.isOpen).toBe(false);
    await expect(session.call('/slow')).rejects.toMatchObject({ code: code.closed });
    await expect((session as unknown as Session).push('/any')).rejects.toMatchObject({ code: code.closed });
    await expect(accepted?.call('/back')).rejects.toMatchObject({ code: code.closed });
    answer.resolve('ours');
    expect(await ours).toBe('ours');
    answerBack.resolve('theirs');
    expect(await theirs).toBe('theirs');
    await closed;
    expect(await session.closed).toMatchObject({ code: code.closed, cause: 'by this side' });
    expect(await accepted?.closed).toMatchObject({ code: code.closed, cause: 'by the peer' });
  });

  test('that is closed, closes all the same when its time is over', async () => {
    const { session } = await talk({ calls: { '/never': () => new Promise<void>(() => {}) } });
    const call = expect(session.call('/never')).rejects.toMatchObject({ code: code.closed });
    await session.close({ timeout: 20 });
    await call;
  });

  test('may be closed by both sides at once, and twice', async () => {
    const { server, session } = await talk({ calls: { '/echo': (body: unknown) => body } });
    expect(await session.call('/echo', 1)).toBe(1);
    await Promise.all([session.close(), server.close(), session.close()]);
    expect(server.sessions.size).toBe(0);
    session.end();
  });

  test('answers what came before the peer ended its direction', async () => {
    const { server, listener } = await talk({ calls: { '/slow': (n: number) => sleep(20, n) } });
    const raw = await Socket.connect(listener.localAddress as SockAddr);
    const call = Buffer.from('0000001d000131010 52f736c6f770006636f64653d3000006a37'.replace(' ', ''), 'hex');
    call.writeUInt32BE(call.length);
    await raw.sendAll(call);
    raw.shutdown(1);
    const chunks: Buffer[] = [];
    for (let chunk = await raw.recvBuffer(); chunk; chunk = await raw.recvBuffer()) chunks.push(chunk);
    expect(Buffer.concat(chunks).toString('latin1')).toMatch(/code=0\0\0j7$/);
    raw.close();
    expect(server.sessions.size).toBe(1);
  });

  test('knows its addresses, and is announced before anything comes on it', async () => {
    const announced: Session[] = [];
    const { session, listener } = await talk({ onSession: (session: Session) => void announced.push(session) });
    await until(() => announced.length === 1);
    expect(String(session.remoteAddress)).toBe(String(listener.localAddress));
    expect(String(announced[0]?.remoteAddress)).toBe(String(session.localAddress));
    expect(String(announced[0]?.localAddress)).toBe(String(session.remoteAddress));
  });
});

describe('dialling', () => {
  test('fails with 105 where nobody listens', async () => {
    const failed = peer({}).dial(join(folder, 'nobody'));
    await expect(failed).rejects.toMatchObject({ code: code.dialFailed, cause: { code: 'ENOENT' } });
    const reason = new Error('not any more');
    await expect(peer({}).dial(local, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });

  test('again: calls under way fail with 102, later ones wait for the new connection', async () => {
    const path = join(folder, 'server');
    const began = later();
    const options = {
      calls: {
        '/pid': (n: number) => n + 1,
        '/never': () => {
          began.resolve();
          return new Promise<void>(() => {});
        },
      },
    };
    const first = peer(options);
    const listener = await first.listen(path);
    const session = await peer({ redial: { interval: 20 } }).dial<typeof first>(path);
    const lost = session.call('/never');
    await began.promise;
    listener.close();
    for (const accepted of first.sessions) accepted.end();
    await expect(lost).rejects.toMatchObject({ code: code.closed });
    expect(session.isOpen).toBe(false);
    await expect((session as unknown as Session).push('/any')).rejects.toMatchObject({ code: code.closed });
    const waiting = session.call('/pid', 1);
    await expect(session.call('/pid', 1, { timeout: 10 })).rejects.toMatchObject({ code: code.handleTimeout });
    await peer(options).listen(path);
    expect(await waiting).toBe(2);
    expect(session.isOpen).toBe(true);
  });

  test('again gives up after so many times', async () => {
    const { server, listener, session } = await talk({}, { redial: { times: 2, interval: 10 } });
    listener.close();
    for (const accepted of server.sessions) accepted.end();
    await until(() => !session.isOpen);
    const call = (session as unknown as Session).call('/any', 1);
    await expect(call).rejects.toMatchObject({ code: code.dialFailed });
    expect(await session.closed).toMatchObject({ code: code.dialFailed });
  });

  test('again ends when the session is closed', async () => {
    const { server, listener, session, client } = await talk({}, { redial: { interval: 60_000 } });
    listener.close();
    for (const accepted of server.sessions) accepted.end();
    await until(() => !session.isOpen);
    await client.close();
    expect(await session.closed).toMatchObject({ code: code.closed });
  });

  test('again is not done to a peer that breaks the rules', async () => {
    const net = createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')).listen(0, '127.0.0.1');
    await once(net, 'listening');
    const session = await peer({ redial: {} }).dial(addressOf(net));
    expect(await session.closed).toMatchObject({ code: code.badMessage });
    await once(net.close(), 'close');
  });
});

describe('heartbeats', () => {
  test('keep a quiet session open, and are asked of whoever does not send them', { timeout: 15_000 }, async () => {
    const { server, session } = await talk({ calls: { '/echo': (body: unknown) => body } }, { heartbeat: 1 });
    // The server has no heartbeat of its own: it learns from the client's how long a silence may last.
    await sleep(4500);
    expect(server.sessions.size).toBe(1);
    expect(await session.call('/echo', 1)).toBe(1);
  });

  test('that stop end the session, on either side', { timeout: 15_000 }, async () => {
    // Whoever dials falls silent after its promise; whoever accepts never says a word.
    const silent: NetSocket[] = [];
    const net = createServer({ pauseOnConnect: true }, (socket) => silent.push(socket)).listen(0, '127.0.0.1');
    await once(net, 'listening');
    const dialled = await peer({ heartbeat: 1 }).dial(addressOf(net));
    const announced = later<Session>();
    const other = peer({ onSession: announced.resolve });
    const raw = await Socket.connect((await other.listen(local)).localAddress as SockAddr);
    const beat = '0000002d000131010a2f6865617274626561740006636f64653d3000056862 5f3d316a'.replace(' ', '');
    const bytes = Buffer.from(beat, 'hex');
    bytes.writeUInt32BE(bytes.length);
    await raw.sendAll(bytes);
    expect((await raw.recvBuffer())?.toString('latin1')).toMatch(/code=0\0\0jnull$/);
    const started = performance.now();
    expect(await dialled.closed).toMatchObject({
      code: code.closed,
      cause: expect.stringContaining('nothing was heard'),
    });
    expect(await (await announced.promise).closed).toMatchObject({ code: code.closed });
    expect(performance.now() - started).toBeGreaterThan(1000);
    raw.close();
    silent[0]?.destroy();
    await once(net.close(), 'close');
  });

  test('with a rate that is none are a bad message', async () => {
    const { session } = await talk({});
    const beat = (rate: string) =>
      (session as unknown as Session).call('/heartbeat', undefined, { meta: { hb_: rate } });
    for (const rate of ['-1', 'x', '1.5']) await expect(beat(rate)).rejects.toMatchObject({ code: code.badMessage });
    expect(await beat('0')).toBe(null);
    expect(await beat('1000000000')).toBe(null);
  });
});

test('options that make no sense are refused', () => {
  expect(() => new Peer({ filters: [gzip('g'), md5('g')] })).toThrow(TypeError);
  expect(() => new Peer({ filters: [gzip('gz')] })).toThrow(TypeError);
  expect(() => new Peer({ codecs: [{ ...plain, id: 'j' }] })).toThrow(TypeError);
  expect(() => new Peer({ codecs: [{ ...plain, id: '\0' }] })).toThrow(TypeError);
  for (const limit of [0, 1.5, -1, Number.NaN, 2 ** 31]) expect(() => new Peer({ limit })).toThrow(RangeError);
  for (const heartbeat of [0, 0.5, 100_000]) expect(() => new Peer({ heartbeat })).toThrow(RangeError);
  expect(() => new Peer({ patience: 0 })).toThrow(RangeError);
});
