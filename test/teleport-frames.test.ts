// Teleport's wire, as bytes: against frames captured from the original, and against bytes that are no frames.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { GrowingBytes, ShiftingBytes } from '../examples/teleport/bytes.js';
import { form, json, plain } from '../examples/teleport/codecs.js';
import { type Filter, gzip, md5, packThrough, unpackThrough } from '../examples/teleport/filters.js';
import {
  CALL,
  type Frame,
  frameFilters,
  frameLength,
  mostFilters,
  noCodec,
  PUSH,
  REPLY,
  readPayload,
  writeFrame,
  writePacked,
  writePayload,
} from '../examples/teleport/frame.js';
import { decodeQuery, encodeMeta, quote, quoteForm } from '../examples/teleport/query.js';
import { code, decodeStatus, Status, success } from '../examples/teleport/status.js';

const limit = 1 << 20;

function encode(frame: Frame): Buffer {
  const out = new GrowingBytes(4);
  writeFrame(out, frame);
  return out.bytes;
}

function decode(bytes: Buffer): Frame {
  const length = frameLength(bytes, 0, bytes.length, limit);
  const filters = frameFilters(bytes, 0);
  return readPayload(bytes, 5 + filters.length, length, filters);
}

function payloadOf(frame: Frame): Buffer {
  const out = new GrowingBytes(16);
  writePayload(out, frame);
  return out.bytes;
}

const usual = { filters: '', type: CALL, method: '/a', status: success, meta: '', codec: 'j', body: '' };

interface Captured {
  readonly what: string;
  readonly from: string;
  readonly frame: string;
}

const captured: Captured[] = JSON.parse(
  readFileSync(new URL('fixtures/teleport-frames.json', import.meta.url), 'utf8'),
);

// What each captured frame says, in the order of the capture.
const failed = new Status(1001, 'divide by zero', 'b & c=0 ü');
const said: Frame[] = [
  {
    ...usual,
    sequence: 1,
    method: '/math/add',
    meta: encodeMeta({ author: 'henry lee&co', push: 'yes' }),
    body: json.encode([1, 2, 3, 4, 5]),
  },
  { ...usual, sequence: 1, type: PUSH, method: '/push/status', body: json.encode('hello 15') },
  { ...usual, sequence: 1, type: REPLY, method: '', body: json.encode(15) },
  { ...usual, sequence: 2, method: '/math/divide', body: json.encode([1, 0]) },
  { ...usual, sequence: 2, type: REPLY, method: '', status: failed.encode(), codec: noCodec },
  { ...usual, sequence: 3, method: '/no/such', body: json.encode([1]) },
  { ...usual, sequence: 3, type: REPLY, method: '', status: new Status(code.notFound).encode(), codec: noCodec },
  { ...usual, sequence: 4, method: '/text/echo', codec: 's', body: plain.encode('héllo') },
  {
    ...usual,
    sequence: 4,
    type: REPLY,
    method: '',
    meta: encodeMeta({ 'x-from': 'go peer' }),
    codec: 's',
    body: plain.encode('héllo'),
  },
];

describe('the captured frames', () => {
  test('are nine', () => expect(captured).toHaveLength(said.length));

  test.each(captured.map((frame, i) => ({ ...frame, said: said[i] as Frame })))(
    '$what: is written so',
    ({ frame, said }) => {
      expect(encode(said).toString('hex')).toBe(frame);
    },
  );

  test.each(captured.map((frame, i) => ({ ...frame, said: said[i] as Frame })))(
    '$what: is read so',
    ({ frame, said }) => {
      expect(decode(Buffer.from(frame, 'hex'))).toEqual({ ...said, body: Buffer.from(said.body) });
    },
  );

  test.each(captured)('$what: goes round', ({ frame }) => {
    expect(encode(decode(Buffer.from(frame, 'hex'))).toString('hex')).toBe(frame);
  });

  test('their statuses are read', () => {
    const status = decodeStatus(decode(Buffer.from(captured[4]?.frame ?? '', 'hex')).status);
    expect(status).toMatchObject({ code: 1001, message: 'divide by zero', cause: 'b & c=0 ü' });
    expect(decodeStatus(decode(Buffer.from(captured[2]?.frame ?? '', 'hex')).status)).toBeUndefined();
  });
});

describe('a frame', () => {
  // Python's int() reads any base, and nobody here wrote it.
  test('counts in base 36', () => {
    const numbers = [1, 9, 10, 35, 36, 37, 1295, 1296, 46655, 46656, 2 ** 31 - 1, -1, -36, -(2 ** 31), 0];
    const digits = numbers.map((sequence) => {
      const bytes = encode({ ...usual, sequence });
      return bytes.toString('latin1', 6, 6 + (bytes[5] as number));
    });
    const script = 'import sys; print(*[int(text, 36) for text in sys.argv[1:]])';
    // A negative number would be taken for an option of Python's own.
    const read = execFileSync('python3', ['-c', script, ...digits], { encoding: 'utf8' });
    expect(read.trim().split(' ').map(Number)).toEqual(numbers);
    for (const text of digits) expect(text).toBe(text.toLowerCase());
    for (const sequence of numbers) expect(decode(encode({ ...usual, sequence })).sequence).toBe(sequence);
  });

  const texts = fc.string({ unit: 'grapheme', maxLength: 60 });
  const frames: fc.Arbitrary<Frame> = fc.record({
    filters: fc.constant(''),
    sequence: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
    type: fc.integer({ min: 0, max: 255 }),
    method: texts.filter((text) => Buffer.byteLength(text) < 256),
    status: texts,
    meta: texts,
    codec: fc.integer({ min: 0, max: 255 }).map((byte) => String.fromCharCode(byte)),
    body: fc.oneof(fc.uint8Array(), texts),
  });

  test('says the same when it has arrived', () => {
    fc.assert(
      fc.property(frames, (frame) => {
        expect(decode(encode(frame))).toEqual({ ...frame, body: Buffer.from(frame.body as Uint8Array) });
      }),
    );
  });

  test('has its length in its first four bytes', () => {
    const bytes = encode({ ...usual, sequence: 1, body: 'ü'.repeat(1000) });
    expect(bytes.readUInt32BE(0)).toBe(bytes.length);
    expect(frameLength(bytes, 0, 3, limit)).toBe(0);
    expect(frameLength(bytes, 0, 4, limit)).toBe(bytes.length);
  });

  test('takes no method of more than 255 bytes, and no metadata of more than 65,535', () => {
    expect(decode(encode({ ...usual, sequence: 1, method: 'ü'.repeat(127) })).method).toBe('ü'.repeat(127));
    expect(() => encode({ ...usual, sequence: 1, method: 'ü'.repeat(128) })).toThrow(RangeError);
    expect(decode(encode({ ...usual, sequence: 1, meta: 'a'.repeat(65_535) })).meta).toHaveLength(65_535);
    expect(() => encode({ ...usual, sequence: 1, meta: 'a'.repeat(65_536) })).toThrow(RangeError);
  });

  test('cut anywhere, or with bytes changed, it is another frame or a bad message, and nothing is read past its end', () => {
    const arbitrary = fc.oneof(
      fc.uint8Array({ maxLength: 100 }),
      frames.map(encode).chain((whole) =>
        fc.tuple(fc.nat(whole.length), fc.nat(whole.length - 1), fc.nat(255)).map(([cut, at, byte]) => {
          const bytes = Buffer.from(whole.subarray(0, cut));
          if (at < bytes.length) bytes[at] = byte;
          return bytes;
        }),
      ),
    );
    fc.assert(
      fc.property(arbitrary, (bytes) => {
        // What lies behind it in memory looks like more of it.
        const memory = Buffer.concat([bytes, Buffer.alloc(300, 1)]);
        try {
          const { body } = readPayload(memory, 0, bytes.length, '');
          expect((body as Buffer).byteOffset + body.length - memory.byteOffset).toBe(bytes.length);
        } catch (error) {
          expect(error).toMatchObject({ name: 'Status', code: code.badMessage });
        }
      }),
      { numRuns: 2000 },
    );
  });

  const bad = (hex: string) => () => decode(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
  test.each([
    ['shorter than any frame', `0000000d${'00'.repeat(9)}`],
    ['longer than the limit', '00100001'],
    ['2 GiB and more', 'ffffffff'],
    ['of no digits', '0000000e 00 00 01 00 0000 0000 6a 00'],
    ['of digits beyond the end', '0000000e 00 ff 01 00 0000 0000 6a 00'],
    ['numbered in another base', '0000000e 00 012a 01 00 0000 0000 6a'],
    ['numbered beyond 32 bits', '00000014 00 077a696b307a6b 01 00 0000 0000 6a'],
    ['with a method beyond the end', '0000000e 00 0131 01 09 0000 0000 6a'],
    ['with a status beyond the end', '0000000e 00 0131 01 00 0005 0000 6a'],
    ['with metadata beyond the end', '0000000e 00 0131 01 00 0000 0002 6a'],
    ['without a codec', '0000000e 00 0131 01 00 0000 0001 61'],
    ['with more filters than are allowed', `0000000e09${'ff'.repeat(9)}`],
  ])('%s is a bad message', (_, hex) => {
    expect(bad(hex)).toThrow(expect.objectContaining({ name: 'Status', code: code.badMessage }));
  });
});

describe('filters', () => {
  const [g, m] = [gzip('g'), md5('m')];
  const payload = payloadOf({ ...usual, sequence: 1, body: 'body '.repeat(100) });

  test('gzip writes what gunzip reads, and reads what gzip wrote', () => {
    const gunzipped = execFileSync('gunzip', ['-c'], { input: g.pack(payload) as Uint8Array });
    expect(gunzipped.equals(payload)).toBe(true);
    const gzipped = execFileSync('gzip', ['-c'], { input: payload });
    expect(g.unpack(gzipped, limit)).toEqual(payload);
  });

  test('md5 appends what md5sum says', () => {
    const packed = m.pack(payload) as Buffer;
    const sum = execFileSync('md5sum', { input: payload, encoding: 'latin1' }).slice(0, 32);
    expect(packed.subarray(0, -16).equals(payload)).toBe(true);
    expect(packed.subarray(-16).toString('hex')).toBe(sum);
    expect(m.unpack(packed, limit)).toEqual(payload);
  });

  test('`m g` was compressed first, then signed, and says so in the frame', async () => {
    const packed = (await packThrough([m, g], payload)) as Buffer;
    const inner = packed.subarray(0, -16);
    expect(createHash('md5').update(inner).digest().equals(packed.subarray(-16))).toBe(true);
    expect(gunzipSync(inner).equals(payload)).toBe(true);
    const out = new GrowingBytes(1);
    writePacked(out, 'mg', packed);
    expect(out.bytes.subarray(0, 7)).toEqual(Buffer.from([0, 0, 0, 0, 2, 0x6d, 0x67]).fill(out.length, 3, 4));
    expect(frameLength(out.bytes, 0, out.length, limit)).toBe(out.length);
    expect(frameFilters(out.bytes, 0)).toBe('mg');
    expect(await unpackThrough([m, g], packed, limit)).toEqual(payload);
  });

  test('take any bytes and give them back, whatever they are and however many filters', async () => {
    const filters = fc.array(fc.constantFrom(g, m), { maxLength: mostFilters });
    await fc.assert(
      fc.asyncProperty(filters, fc.uint8Array({ minLength: 1, maxLength: 200 }), async (through, bytes) => {
        const packed = await packThrough(through, bytes);
        expect(Buffer.from(await unpackThrough(through, packed, limit))).toEqual(Buffer.from(bytes));
      }),
      { numRuns: 50 },
    );
  });

  test('long work is done off the thread, and comes out the same', async () => {
    const long = Buffer.alloc(300_000, 'some text');
    const packed = g.pack(long);
    expect(packed).toBeInstanceOf(Promise);
    expect(gunzipSync(await packed).equals(long)).toBe(true);
    const random = Buffer.from(Array.from({ length: 20_000 }, (_, i) => (i * 7919) % 251));
    const unpacked = g.unpack(gzipSync(random, { level: 0 }), limit);
    expect(unpacked).toBeInstanceOf(Promise);
    expect(random.equals(await unpacked)).toBe(true);
  });

  test('no gzip unpacks to more than it may, a small one or a large one', async () => {
    const small = gzipSync(Buffer.alloc(1 << 20));
    expect(small.length).toBeLessThan(4096);
    expect(() => g.unpack(small, 1 << 19)).toThrow(RangeError);
    const large = gzipSync(Buffer.alloc(64 << 20));
    await expect(g.unpack(large, limit)).rejects.toThrow(RangeError);
    expect(() => g.unpack(small, 0)).toThrow(RangeError);
  });

  test('all filters together unpack to no more than they may', async () => {
    const inner = gzipSync(Buffer.alloc(3000), { level: 0 });
    const outer = gzipSync(inner, { level: 0 });
    expect(Buffer.from(await unpackThrough([g, g], outer, 7000))).toEqual(Buffer.alloc(3000));
    await expect((async () => unpackThrough([g, g], outer, 6000))()).rejects.toThrow(RangeError);
  });

  test('bytes that were not packed do not unpack', () => {
    expect(() => g.unpack(payload, limit)).toThrow();
    expect(() => g.unpack(new Uint8Array(0), limit)).toThrow();
    expect(() => m.unpack(payload, limit)).toThrow('the MD5 does not match');
    expect(() => m.unpack(new Uint8Array(15), limit)).toThrow('the MD5 does not match');
    const changed = Buffer.from(m.pack(payload) as Uint8Array);
    changed[3] = (changed[3] as number) ^ 1;
    expect(() => m.unpack(changed, limit)).toThrow('the MD5 does not match');
  });

  test("one of one's own may answer later", async () => {
    const reversed: Filter = {
      id: 'r',
      pack: async (bytes) => Uint8Array.from(bytes).reverse(),
      unpack: async (bytes) => Uint8Array.from(bytes).reverse(),
    };
    const packed = await packThrough([m, reversed, g], payload);
    expect(Buffer.from(await unpackThrough([m, reversed, g], packed, limit))).toEqual(payload);
  });
});

describe('codecs', () => {
  const round = (codec: typeof json, body: unknown) => codec.decode(Buffer.from(codec.encode(body) as string));

  test('json: what JSON can say, with < > & as Go writes them', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(round(json, value)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
    expect(json.encode('<a & b>\u2028')).toBe('"\\u003ca \\u0026 b\\u003e\\u2028"');
    expect(json.encode(undefined)).toBe('');
    expect(json.encode(null)).toBe('null');
    expect(json.decode(Buffer.alloc(0))).toBeUndefined();
    expect(() => json.decode(Buffer.from('{'))).toThrow(SyntaxError);
    expect(() => json.encode(1n)).toThrow(TypeError);
  });

  test('plain: text, and what prints as text', () => {
    expect(['héllo', 12, 1.5, true, 7n, null, undefined].map(plain.encode)).toEqual([
      'héllo',
      '12',
      '1.5',
      'true',
      '7',
      '',
      '',
    ]);
    expect(plain.encode(Buffer.from('x'))).toEqual(Buffer.from('x'));
    expect(round(plain, 'héllo')).toBe('héllo');
    for (const body of [{}, [1], Symbol('s'), () => 1]) expect(() => plain.encode(body)).toThrow(TypeError);
  });

  test('form: as Python writes and reads forms', () => {
    const fields = { b: ["it's (so)!*", '~'], a: 'x y+z&ü', n: 5 };
    const encoded = form.encode(fields) as string;
    const script = 'import sys, urllib.parse as u, json; print(json.dumps(u.parse_qs(sys.argv[1])))';
    const read = execFileSync('python3', ['-c', script, encoded], { encoding: 'utf8' });
    expect(JSON.parse(read)).toEqual({ a: ['x y+z&ü'], b: ["it's (so)!*", '~'], n: ['5'] });
    expect(encoded).toBe('a=x+y%2Bz%26%C3%BC&b=it%27s+%28so%29%21%2A&b=~&n=5');
    expect([...(round(form, fields) as URLSearchParams)]).toEqual([
      ['a', 'x y+z&ü'],
      ['b', "it's (so)!*"],
      ['b', '~'],
      ['n', '5'],
    ]);
    expect(form.encode(new URLSearchParams('z=1&y=2'))).toBe('y=2&z=1');
    expect(form.encode(undefined)).toBe('');
    expect(() => form.encode('text')).toThrow(TypeError);
  });
});

describe('URL-encoded text', () => {
  test('is what Python unquotes, whatever the text', () => {
    const texts = ["a b*c-d.e_f~g!h'i(j)k", 'ü€😀', '%41', 'a=b&c+d', '\0\x7f', '/?#[]@$,;:"<>'];
    expect(quote(texts[0] as string)).toBe('a%20b*c-d.e_f%7Eg%21h%27i%28j%29k');
    const script = 'import sys, urllib.parse as u, json; print(json.dumps([u.unquote(t) for t in sys.argv[1:]]))';
    const read = execFileSync('python3', ['-c', script, ...texts.map(quote)], { encoding: 'utf8' });
    expect(JSON.parse(read)).toEqual(texts);
    expect(quoteForm('a b*~')).toBe('a+b%2A~');
  });

  test('a lone surrogate becomes U+FFFD instead of an error', () => {
    expect(quote('a\ud800b')).toBe('a%EF%BF%BDb');
  });

  test('metadata keeps its order and its double keys, and is read with + as a space', () => {
    const meta = new URLSearchParams([
      ['b', '1'],
      ['a', ''],
      ['b', 'x y'],
    ]);
    expect(encodeMeta(meta)).toBe('b=1&a&b=x%20y');
    expect([...decodeQuery('b=1&a&b=x+y&?c=%zz')]).toEqual([
      ['b', '1'],
      ['a', ''],
      ['b', 'x y'],
      ['?c', '%zz'],
    ]);
    expect([...decodeQuery('?a=1')]).toEqual([['?a', '1']]);
    expect([...decodeQuery('')]).toEqual([]);
  });
});

describe('a status', () => {
  test('goes round', () => {
    fc.assert(
      fc.property(
        fc.integer(),
        fc.string({ unit: 'grapheme' }),
        fc.string({ unit: 'grapheme' }),
        (number, message, cause) => {
          fc.pre(number !== 0);
          expect(decodeStatus(new Status(number, message, cause).encode())).toMatchObject({
            code: number,
            message,
            cause,
          });
        },
      ),
    );
  });

  test('says what its code means unless told otherwise, and carries the message of an error', () => {
    expect(new Status(code.notFound)).toMatchObject({ message: 'Not Found', cause: '' });
    expect(new Status(4711).message).toBe('Unknown Error');
    const status = new Status(code.internal, undefined, new TypeError('no such thing'));
    expect(status.cause).toBeInstanceOf(TypeError);
    expect(status.encode()).toBe('code=500&msg=Internal%20Server%20Error&cause=no%20such%20thing');
  });

  test('fits in a frame however long its texts', () => {
    const long = new Status(1001, '😀'.repeat(5000), 'ü'.repeat(70_000));
    expect(encode({ ...usual, sequence: 1, status: long.encode() }).length).toBeLessThan(65_600);
  });

  test.each([
    ['', undefined],
    ['code=0&msg=&cause=', undefined],
    ['msg=odd', undefined],
    ['code=7', 7],
    ['code=-1', -1],
    ['code=x', code.unknown],
    ['code=1.5', code.unknown],
  ])('%j is read as %s', (text, number) => {
    expect(decodeStatus(text)?.code).toBe(number);
  });
});

describe('bytes', () => {
  test('grow as they are written, and give large memory back', () => {
    const bytes = new GrowingBytes(4);
    bytes.reserve(3 << 20);
    bytes.append(Buffer.alloc(3 << 20, 1));
    expect(bytes.bytes.every((byte) => byte === 1)).toBe(true);
    bytes.clear();
    expect([bytes.length, bytes.buffer.length]).toEqual([0, 4]);
  });

  test('room grows with what came and never loses a byte', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 0, max: 60 }))), (steps) => {
        const bytes = new ShiftingBytes(8);
        let written = 0;
        let read = 0;
        for (const [write, take] of steps) {
          const room = bytes.room(write);
          expect(room.length).toBeGreaterThanOrEqual(write);
          for (let i = 0; i < write; i++) room[i] = written++ & 0xff;
          bytes.end += write;
          for (let i = 0; i < take && bytes.start < bytes.end; i++)
            expect(bytes.buffer[bytes.start++]).toBe(read++ & 0xff);
          expect(bytes.end - bytes.start).toBe(written - read);
        }
      }),
    );
  });
});
