// Peers that break the rules, or the patience of others: each ends its own session, with a status, and disturbs no other.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { connect, type Socket as NetSocket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { linger, SO_LINGER, SOCK_SEQPACKET, SOL_SOCKET, Socket, setsockopt } from 'posix-sockets';
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { GrowingBytes } from '../examples/teleport/bytes.js';
import { gzip, md5 } from '../examples/teleport/filters.js';
import { CALL, type Frame, PUSH, REPLY, writeFrame, writePacked, writePayload } from '../examples/teleport/frame.js';
import { Peer } from '../examples/teleport/peer.js';
import type { Session } from '../examples/teleport/session.js';
import { code, type Status, success } from '../examples/teleport/status.js';

const limit = 256 << 10;
const patience = 400;
const [g, m] = [gzip('g'), md5('m')];
const openFds = () => readdirSync('/proc/self/fd').length;
const until = (condition: () => boolean) => vi.waitUntil(condition, { timeout: 10_000, interval: 5 });

const usual = {
  filters: '',
  sequence: 1,
  type: CALL,
  method: '/echo',
  status: success,
  meta: '',
  codec: 'j',
  body: '1',
};

function frame(some: Partial<Frame> = {}): Buffer {
  const out = new GrowingBytes(64);
  writeFrame(out, { ...usual, ...some });
  return out.bytes;
}

/** A frame whose payload is what somebody says is the work of filters. */
function packed(filters: string, payload: Uint8Array): Buffer {
  const out = new GrowingBytes(64);
  writePacked(out, filters, payload);
  return out.bytes;
}

function payload(some: Partial<Frame> = {}): Buffer {
  const out = new GrowingBytes(64);
  writePayload(out, { ...usual, ...some });
  return out.bytes;
}

/** The frame that `payload` would be a part of, with another length at its beginning. */
function announcing(length: number, bytes: Buffer = frame()): Buffer {
  const lying = Buffer.from(bytes);
  lying.writeUInt32BE(length);
  return lying;
}

let server: Peer<{
  '/echo': (body: unknown) => unknown;
  '/slow': (body: unknown) => Promise<unknown>;
  '/count': () => number;
}>;
let release: () => void;
let handled: number;
let port: number;
let accepted: Session[];
let bystander: Session;
let clients: Peer;
let before: number;
let folder: string;
let raws: NetSocket[];

// What the first use makes stays: the reactor, and the threads that unpack.
beforeAll(async () => {
  await g.unpack(gzipSync(Buffer.alloc(1 << 22), { level: 0 }), 1 << 23);
  const listener = await Socket.listen({ host: '127.0.0.1', port: 0 });
  await listener.accept({ timeout: 1 }).catch(() => {});
  listener.close();
});

beforeEach(async () => {
  before = openFds();
  folder = mkdtempSync(join(tmpdir(), 'posix-sockets-'));
  accepted = [];
  raws = [];
  handled = 0;
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  server = new Peer({
    limit,
    patience,
    filters: [g, m],
    onSession: (session) => accepted.push(session),
    calls: {
      '/echo': (body: unknown) => body,
      '/slow': async (body: unknown) => {
        handled++;
        await released;
        return body;
      },
      '/count': () => handled,
    },
    pushes: {
      '/work': () => {
        for (const end = performance.now() + 0.05; performance.now() < end; );
      },
    },
  });
  const listener = await server.listen({ host: '127.0.0.1', port: 0 });
  port = listener.localAddress?.port as number;
  clients = new Peer();
  bystander = await clients.dial({ host: '127.0.0.1', port });
  expect(await bystander.call('/echo', 'before')).toBe('before');
});

afterEach(async () => {
  release();
  // Whatever happened, nobody else was disturbed.
  expect(await bystander.call('/echo', 'after', { timeout: 5000 })).toBe('after');
  expect(accepted[0]?.isOpen).toBe(true);
  for (const raw of raws) raw.destroy();
  await Promise.all([clients.close({ timeout: 1000 }), server.close({ timeout: 1000 })]);
  rmSync(folder, { recursive: true, force: true });
  await until(() => openFds() <= before);
});

/** A connection that speaks bytes, made by node:net, and the session that the server has with it. */
async function stranger(): Promise<{ raw: NetSocket; session: Session; heard: () => string }> {
  const number = accepted.length;
  const raw = connect(port, '127.0.0.1');
  raws.push(raw);
  raw.on('error', () => {});
  const chunks: Buffer[] = [];
  raw.on('data', (chunk) => chunks.push(chunk));
  await once(raw, 'connect');
  await until(() => accepted.length > number);
  return { raw, session: accepted[number] as Session, heard: () => Buffer.concat(chunks).toString('latin1') };
}

/** The status with which the server ends a session that says this. */
async function endOf(bytes: Buffer): Promise<Status> {
  const { raw, session } = await stranger();
  raw.write(bytes);
  const status = await session.closed;
  if (!raw.destroyed) await once(raw, 'close');
  expect(server.sessions.has(session as never)).toBe(false);
  return status;
}

const badMessage = (cause: unknown) => ({ code: code.badMessage, message: 'Bad Message', cause });
const bomb = gzipSync(payload({ body: Buffer.alloc(64 << 20, 0x20) }));

describe('a frame ends the session', () => {
  test.each([
    [
      'that is longer than the limit',
      announcing(limit + 1),
      `a frame of ${limit + 1} bytes, where the limit is ${limit}`,
    ],
    ['of 4 GiB', announcing(2 ** 32 - 1), expect.stringContaining('where the limit is')],
    ['that is shorter than any', announcing(13), 'no frame is 13 bytes long'],
    ['of no length', Buffer.alloc(4), 'no frame is 0 bytes long'],
    [
      'whose length is a byte short',
      announcing(frame({ codec: 's', body: '' }).length - 1, frame({ body: '' })),
      'its lengths do not add up',
    ],
    ['whose metadata is longer than the frame', Buffer.from(frame()).fill(0xff, 22, 24), 'its lengths do not add up'],
    [
      'that names an unknown filter',
      packed('z', payload()),
      expect.objectContaining({ message: "there is no filter 'z'" }),
    ],
    ['that was not compressed', packed('g', payload()), expect.objectContaining({ code: 'Z_DATA_ERROR' })],
    ['that is half of a compressed one', packed('g', gzipSync(payload()).subarray(0, 30)), expect.any(Error)],
    [
      'whose checksum is wrong',
      packed('m', Buffer.concat([payload(), Buffer.alloc(16)])),
      expect.objectContaining({ message: 'the MD5 does not match' }),
    ],
    ['that is a gzip bomb', packed('g', bomb), expect.objectContaining({ code: 'ERR_BUFFER_TOO_LARGE' })],
    [
      'that is a bomb in a bomb',
      packed('gg', gzipSync(bomb)),
      expect.objectContaining({ code: 'ERR_BUFFER_TOO_LARGE' }),
    ],
    [
      'that goes through more filters than are allowed',
      packed('ggggggggg', payload()),
      '9 filters, where 8 are allowed',
    ],
    ['that unpacks to nothing', packed('g', gzipSync('')), 'its lengths do not add up'],
    [
      'without a sequence number',
      packed('', Buffer.from('000100000000006a00', 'hex')),
      'a frame without a sequence number',
    ],
    [
      'with a sequence number that is none',
      packed('', Buffer.from('02c3bc010000000000006a', 'hex')),
      'a sequence number that is not in base 36',
    ],
    [
      'that is another protocol',
      Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'),
      expect.stringContaining('where the limit is'),
    ],
  ])('%s', async (_, bytes, cause) => {
    expect(await endOf(bytes)).toMatchObject(badMessage(cause));
  });

  test.each([4, 5, 0, 9])('of type %d, which is not allowed', async (type) => {
    expect(await endOf(frame({ type }))).toMatchObject({ code: code.typeNotAllowed });
  });
});

describe('a frame is answered with 400, and the session goes on', () => {
  test.each([
    ['that is no JSON', { body: '{' }],
    ['in an unknown codec', { codec: 'p' }],
    ['in no codec at all', { codec: '\0' }],
  ])('%s', async (_, some) => {
    const { raw, heard } = await stranger();
    raw.write(Buffer.concat([frame(some), frame({ sequence: 2 })]));
    await until(() => heard().includes('j1'));
    expect(heard()).toContain('code=400&msg=Bad%20Message&cause=');
  });
});

test('replies to nobody, pushes to nobody and odd bytes are dropped', async () => {
  const { raw, heard } = await stranger();
  const odd = frame({ type: REPLY, sequence: -5, status: 'code=%zz&%', meta: '%&&==?' });
  const notText = Buffer.from(frame({ type: PUSH, method: 'xxxxx' }));
  notText.fill(0xff, notText.indexOf('xxxxx'), notText.indexOf('xxxxx') + 5);
  raw.write(Buffer.concat([odd, notText, frame({ method: '__proto__' }), frame({ sequence: 7 })]));
  await until(() => heard().includes('j1'));
  expect(heard()).toContain('code=404');
});

test('one byte at a time is understood, as long as it does not take for ever', async () => {
  const { raw, heard, session } = await stranger();
  for (const byte of frame({ body: '"drop by drop"' })) {
    raw.write(Buffer.of(byte));
    await new Promise(setImmediate);
  }
  await until(() => heard().includes('drop by drop'));
  expect(session.isOpen).toBe(true);
});

test('one byte at a time, slower than patience allows, ends the session', async () => {
  const { raw, session } = await stranger();
  const bytes = frame({ body: `"${'x'.repeat(1000)}"` });
  let sent = 0;
  const timer = setInterval(() => raw.write(bytes.subarray(sent, ++sent)), patience / 20);
  expect(await session.closed).toMatchObject(badMessage(`the rest of a frame did not come within ${patience} ms`));
  clearInterval(timer);
  expect(sent).toBeGreaterThan(5);
});

test('half a frame and then nothing ends the session when patience ends', async () => {
  const { raw, session, heard } = await stranger();
  raw.write(Buffer.concat([frame(), frame({ sequence: 2 }).subarray(0, 20)]));
  expect(await session.closed).toMatchObject(badMessage(`the rest of a frame did not come within ${patience} ms`));
  expect(heard()).toContain('j1');
});

test('silence between frames is no offence', async () => {
  const { raw, session, heard } = await stranger();
  raw.write(frame({ body: '"one"' }));
  await sleep(patience * 2);
  raw.write(frame({ body: '"two"' }));
  await until(() => heard().includes('two'));
  expect(session.isOpen).toBe(true);
});

test('half a frame and then the end ends the session', async () => {
  const { raw, session } = await stranger();
  raw.end(frame().subarray(0, 10));
  expect(await session.closed).toMatchObject({ code: code.closed, cause: 'in the middle of a frame' });
});

test('a connection that is reset ends its session, in the middle of a call or before anything', async () => {
  const reset = async (bytes: Buffer) => {
    const number = accepted.length;
    const raw = await Socket.connect({ host: '127.0.0.1', port });
    await raw.sendAll(bytes);
    const off = new linger();
    off.l_onoff = 1;
    setsockopt(raw.fd, SOL_SOCKET, SO_LINGER, off);
    if (bytes.length > 0) await until(() => accepted.length > number && handled > 0);
    raw.close();
    await until(() => accepted.length > number);
    return (accepted[number] as Session).closed;
  };
  expect(await reset(Buffer.alloc(0))).toMatchObject({ code: code.closed });
  expect(await reset(frame({ method: '/slow' }))).toMatchObject({ code: code.closed });
});

test('who does not read the answers is read no further, and ended when patience ends', async () => {
  const { raw, session } = await stranger();
  raw.pause();
  const call = frame({ body: JSON.stringify('x'.repeat(limit / 4)) });
  let taken = 0;
  const feed = () => {
    while (!raw.destroyed && taken < 1000) {
      taken++;
      if (!raw.write(call)) return void raw.once('drain', feed);
    }
  };
  feed();
  expect(await session.closed).toMatchObject({ code: code.writeFailed });
  expect(taken).toBeLessThan(1000);
});

test('who calls faster than handlers can answer is read no further until they have', async () => {
  const { raw, heard } = await stranger();
  const count = 3000;
  for (let sequence = 1; sequence <= count; sequence++) raw.write(frame({ sequence, method: '/slow' }));
  const ask = async () => (await bystander.call('/count')) as number;
  let seen = -1;
  while (seen !== handled || handled === 0) {
    seen = await ask();
    await sleep(50);
  }
  // Each counts for its bytes and about a kibibyte.
  expect(handled).toBeGreaterThan(200);
  expect(handled).toBeLessThan(300);
  release();
  const answers = () => heard().split('code=0').length - 1;
  await until(() => answers() === count);
});

test('a flood that comes faster than it can be handled leaves the others their turn', async () => {
  const flood = `
import socket, sys
s = socket.create_connection(('127.0.0.1', int(sys.argv[1])))
frames = bytes.fromhex(sys.argv[2]) * 4000
print('flooding', flush=True)
try:
    while True: s.sendall(frames)
except OSError: pass
`;
  const bytes = frame({ type: PUSH, method: '/work' }).toString('hex');
  const flooding = spawn('python3', ['-c', flood, String(port), bytes], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(flooding.stdout, 'data');
  await until(() => accepted.length > 1);
  for (let i = 0; i < 20; i++) expect(await bystander.call('/echo', i, { timeout: 5000 })).toBe(i);
  const [session] = accepted.slice(1);
  expect(session?.isOpen).toBe(true);
  session?.end();
  await once(flooding, 'exit');
});

test('on a seqpacket socket, a packet that is too long or empty ends the session', async () => {
  const path = join(folder, 'packets');
  await server.listen(path, { type: SOCK_SEQPACKET });
  const send = async (bytes: Buffer) => {
    const number = accepted.length;
    const raw = await Socket.connect(path, { type: SOCK_SEQPACKET });
    await raw.send(bytes);
    await until(() => accepted.length > number);
    const status = await (accepted[number] as Session).closed;
    raw.close();
    return status;
  };
  const long = Buffer.concat(Array(6000).fill(frame({ type: PUSH })));
  expect(long.length).toBeGreaterThan(131_072);
  expect(await send(long)).toMatchObject(badMessage(`a packet of ${long.length} bytes`));
  expect(await send(Buffer.alloc(0))).toMatchObject({ code: code.closed });
});

test('whatever bytes come, nothing is thrown but at their own session', { timeout: 60_000 }, async () => {
  const mutated = fc
    .array(fc.constantFrom(frame(), packed('mg', Buffer.from('x')), frame({ type: PUSH })), {
      minLength: 1,
      maxLength: 4,
    })
    .chain((frames) => {
      const bytes = Buffer.concat(frames);
      return fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { maxLength: 5 }).map((changes) => {
        for (const [at, byte] of changes) bytes[at] = byte;
        return bytes;
      });
    });
  await fc.assert(
    fc.asyncProperty(fc.oneof(fc.uint8Array({ maxLength: 200 }), mutated), async (bytes) => {
      const { raw, session } = await stranger();
      raw.end(bytes);
      raw.resume();
      expect((await session.closed).name).toBe('Status');
    }),
    { numRuns: 150 },
  );
  expect(server.sessions.size).toBe(1);
});

describe('memory', () => {
  let child: ChildProcess;
  let childPort: number;

  /** What /proc says of the most that the process ever held, in MiB. */
  const peak = () => {
    const line = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'));
    return Number(line?.[1]) / 1024;
  };

  /** The same, once it has stopped growing. */
  const settledPeak = async () => {
    for (let last = 0; ; ) {
      const now = peak();
      if (now === last) return now;
      last = now;
      await sleep(300);
    }
  };

  const talk = async (bytes: Buffer, ended: boolean) => {
    const raw = connect(childPort, '127.0.0.1');
    raws.push(raw);
    raw.on('error', () => {});
    raw.pause();
    await once(raw, 'connect');
    raw.write(bytes);
    if (ended) {
      raw.resume();
      await once(raw, 'close');
    }
  };

  beforeEach(async () => {
    const peer = new URL('../dist/examples/teleport/peer.js', import.meta.url);
    const filters = new URL('../dist/examples/teleport/filters.js', import.meta.url);
    const script = `
      import { Peer } from ${JSON.stringify(peer)};
      import { gzip } from ${JSON.stringify(filters)};
      const server = new Peer({ limit: ${limit}, filters: [gzip('g')], patience: 10_000, calls: { '/much': () => 'x'.repeat(${limit / 2}) } });
      console.log((await server.listen({ host: '127.0.0.1', port: 0 })).localAddress.port);`;
    child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    childPort = Number(String((await once(child.stdout as NodeJS.ReadableStream, 'data'))[0]));
  });
  afterEach(async () => {
    child.kill();
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  });

  test('stays within the limit when bombs go off, one after the other and together', async () => {
    await talk(packed('g', bomb), true);
    const first = peak();
    for (let i = 0; i < 10; i++) await talk(packed('g', bomb), true);
    await Promise.all(Array.from({ length: 50 }, () => talk(packed('g', bomb), true)));
    // Each of them would be 64 MiB.
    expect(peak() - first).toBeLessThan(64);
  });

  test('follows what came, not what was announced', async () => {
    await talk(announcing(limit), false);
    const first = peak();
    for (let i = 0; i < 1000; i++) await talk(announcing(limit), false);
    // Announced were 250 MiB.
    expect(peak() - first).toBeLessThan(100);
  });

  test('is not filled by peers that ask much and read nothing', async () => {
    const calls = Buffer.concat(Array(500).fill(frame({ method: '/much' })));
    await talk(calls, false);
    const first = await settledPeak();
    for (let i = 0; i < 20; i++) await talk(calls, false);
    // Asked for were 20 times 62 MiB, of which the kernel buffers a few.
    expect((await settledPeak()) - first).toBeLessThan(90);
  });
});
