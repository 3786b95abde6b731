import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import {
  AF_UNIX,
  CMSG_ALIGN,
  CMSG_LEN,
  CMSG_SPACE,
  ControlBuffer,
  type ControlName,
  controlKinds,
  EBADF,
  IP_TTL,
  IPPROTO_IP,
  linger,
  MSG_CTRUNC,
  raw,
  SCM_CREDENTIALS,
  SCM_RIGHTS,
  SO_PASSCRED,
  SOCK_DGRAM,
  SOL_SOCKET,
  setsockopt,
  socketpair,
  timespec,
  ucred,
} from 'posix-sockets';
import { describe, expect, test } from 'vitest';
import { inPython, pythonReceives, receive, sendWith } from './message-support.js';
import { bytes, havePython, haveStrace, opened, run } from './support.js';

describe('the buffer', () => {
  test.skipIf(!havePython)('CMSG_LEN and CMSG_SPACE are those of C (needs python3)', () => {
    const lengths = Array.from({ length: 40 }, (_, i) => i);
    const code = `import json, socket; print(json.dumps([[socket.CMSG_LEN(i), socket.CMSG_SPACE(i)] for i in range(40)]))`;
    expect(lengths.map((i) => [CMSG_LEN(i), CMSG_SPACE(i)])).toEqual(JSON.parse(inPython(code, 0)));
    expect([0, 1, 8, 9].map(CMSG_ALIGN)).toEqual([0, 1, 8, 9].map((i) => CMSG_SPACE(i) - CMSG_SPACE(0)));
  });

  test('takes messages until there is no room', () => {
    const control = new ControlBuffer(CMSG_SPACE(4) + CMSG_SPACE(1));
    control.add('IP_TTL', 3);
    expect(() => control.add('SCM_CREDENTIALS', { pid: 1 })).toThrow(RangeError);
    control.push(IPPROTO_IP, 99, Uint8Array.of(7));
    expect(control.length).toBe(control.storage.length);
    expect(Array.from(control, ({ type }) => type)).toEqual([IP_TTL, 99]);
    expect(() => control.push(0, 0, new Uint8Array(0))).toThrow(RangeError);
    expect(control.clear().length).toBe(0);
    expect([...control]).toEqual([]);
  });

  test('of() is as long as its messages are, and the padding is zero', () => {
    const control = ControlBuffer.of({ IP_TOS: 255, SCM_RIGHTS: [1, 2, 3] });
    expect(control.length).toBe(CMSG_SPACE(1) + CMSG_SPACE(12));
    expect(control.bytes).toHaveLength(control.length);
    const reused = new ControlBuffer(new Uint8Array(CMSG_SPACE(1)).fill(0xee)).clear().add('IP_TOS', 1);
    expect(reused.bytes).toEqual(ControlBuffer.of({ IP_TOS: 1 }).bytes);
  });

  test('gives room for the longest of each kind', () => {
    expect(new ControlBuffer(['IP_TTL', 'SCM_RIGHTS']).storage).toHaveLength(CMSG_SPACE(4) + CMSG_SPACE(253 * 4));
  });

  test('a kind it does not know stays readable as bytes', () => {
    const control = new ControlBuffer(100).push(12345, -1, bytes('xyz')).add('IP_TTL', 9);
    const [unknown, known] = control;
    expect(unknown).toMatchObject({ kind: undefined, level: 12345, type: -1, data: bytes('xyz'), value: bytes('xyz') });
    expect(known).toMatchObject({ kind: 'IP_TTL', level: IPPROTO_IP, type: IP_TTL, value: 9 });
  });

  test('data too short for its kind is no message of that kind', () => {
    const control = new ControlBuffer(100).push(IPPROTO_IP, IP_TTL, Uint8Array.of(1, 2));
    expect(control.get('IP_TTL')).toBeUndefined();
    expect([...control]).toMatchObject([{ kind: undefined, value: Uint8Array.of(1, 2) }]);
  });

  test('a received and a sent kind that share level and type are told apart by their length', () => {
    const sent = ControlBuffer.of({ SO_TIMESTAMPING: 5 });
    const received = ControlBuffer.of({ SCM_TIMESTAMPING: { ts: [new timespec({ tv_sec: 5 })] } });
    expect([...sent].map(({ kind }) => kind)).toEqual(['SO_TIMESTAMPING']);
    expect([...received].map(({ kind }) => kind)).toEqual(['SCM_TIMESTAMPING']);
    expect([sent.get('SCM_TIMESTAMPING'), received.get('SO_TIMESTAMPING')]).toEqual([undefined, undefined]);
  });

  test('get gives the first of a kind, iteration all', () => {
    const control = new ControlBuffer(200).add('SCM_RIGHTS', [5]).add('IP_TTL', 1).add('SCM_RIGHTS', [6, 7]);
    expect(control.get('SCM_RIGHTS')).toEqual([5]);
    expect([...control].flatMap((message) => (message.kind === 'SCM_RIGHTS' ? message.value : []))).toEqual([5, 6, 7]);
  });

  test('TypeScript knows what a kind holds', () => {
    const control = ControlBuffer.of({ IP_TTL: 1 });
    const ttl: number | undefined = control.get('IP_TTL');
    // @ts-expect-error: a time to live is no text
    const text: string | undefined = control.get('IP_TTL');
    expect([ttl, text]).toEqual([1, 1]);
    for (const message of control) {
      if (message.kind === 'IP_TTL') expect(message.value.toFixed(1)).toBe('1.0');
      // @ts-expect-error: not before its kind is known
      expect(() => message.value.toFixed(1)).not.toThrow();
    }
  });

  test('refuses what makes no sense', () => {
    const wrong = (call: (control: ControlBuffer) => unknown) => expect(() => call(new ControlBuffer(64)));
    wrong((control) => control.add('IP_TTLL' as ControlName, 1 as never)).toThrow(TypeError);
    wrong((control) => control.get('toString' as ControlName)).toThrow(TypeError);
    wrong((control) => control.add('IP_TTL', 'x' as never)).toThrow(new TypeError("IP_TTL must be a number, not 'x'"));
    wrong((control) => control.add('IP_TTL', 2 ** 31)).toThrow(RangeError);
    wrong((control) => control.add('SCM_RIGHTS', 5 as never)).toThrow(TypeError);
    wrong((control) => control.add('SCM_RIGHTS', [0, 0.5])).toThrow(/^SCM_RIGHTS\[1\] must be an integer/);
    wrong((control) => control.add('SCM_CREDENTIALS', new linger({ l_onoff: 1 }) as never)).toThrow(TypeError);
    wrong((control) => control.add('IP_ORIGDSTADDR', 'localhost' as never)).toThrow(TypeError);
    wrong((control) => {
      control.length = 65;
    }).toThrow(RangeError);
    wrong(() => new ControlBuffer(-1)).toThrow(RangeError);
    wrong(() => new ControlBuffer('x' as never)).toThrow(TypeError);
    wrong(() => new ControlBuffer(['nothing' as ControlName])).toThrow(TypeError);
    const untouched = new ControlBuffer(64);
    expect(() => untouched.add('IP_TTL', 0.5)).toThrow(RangeError);
    expect(untouched.length).toBe(0);
  });

  test('shows its messages as people read them', async () => {
    const { inspect } = await import('node:util');
    const control = ControlBuffer.of({ IP_TTL: 3, SCM_CREDENTIALS: { pid: 7 } }).bytes;
    const more = new ControlBuffer(200);
    more.storage.set(control);
    more.length = control.length;
    expect(inspect(more.push(9, 8, Uint8Array.of(1)), { breakLength: Number.POSITIVE_INFINITY })).toBe(
      'ControlBuffer [ IP_TTL 3, SCM_CREDENTIALS ucred { pid: 7, uid: 0, gid: 0 }, level 9 type 8 Uint8Array(1) [ 1 ] ]',
    );
  });
});

// strace prints what it finds in the bytes, which nobody here wrote.
test.skipIf(!haveStrace)('strace reads the messages that we build (needs strace)', async () => {
  const code = `
    import { ControlBuffer, raw, sockaddr_in, sock_extended_err, timespec } from 'posix-sockets';
    const offended = new Uint8Array(32);
    offended.set(new sock_extended_err({ ee_errno: 111, ee_origin: 2, ee_type: 3, ee_code: 1, ee_info: 5, ee_data: 6 }).bytes);
    offended.set(sockaddr_in('10.0.0.9', 80).bytes, 16);
    const control = ControlBuffer.of({
      SCM_RIGHTS: [0, 2],
      SCM_CREDENTIALS: { pid: 1, uid: 2, gid: 3 },
      SCM_SECURITY: 'context',
      SCM_TIMESTAMP: { tv_sec: 5, tv_usec: 6 },
      SCM_TIMESTAMPNS: { tv_sec: 5, tv_nsec: 6 },
      SCM_TIMESTAMPING: { ts: [new timespec({ tv_sec: 7, tv_nsec: 8 })] },
      IP_PKTINFO: { ipi_ifindex: 1, ipi_spec_dst: '10.0.0.1', ipi_addr: '10.0.0.2' },
      IP_TTL: 64,
      IP_TOS: 8,
      IP_RETOPTS: Uint8Array.of(1, 1, 1, 0),
      IP_ORIGDSTADDR: sockaddr_in('10.0.0.3', 80),
    });
    raw.sendmsg(-1, [], null, control.bytes, 0);
    raw.sendmsg(-1, [], null, new ControlBuffer(100).push(0, 11, offended).bytes, 0);`;
  const { stderr } = await run('strace', [
    ...['-qq', '-v', '-e', 'trace=sendmsg'],
    ...[process.execPath, '--input-type=module', '--eval', code],
  ]);
  const found = [...stderr.matchAll(/cmsg_type=(\w+), cmsg_data=(.*?)}(?=, \{cmsg_len|\], msg_controllen)/g)].map(
    ([, type, data]) => [type, data],
  );
  expect(found).toEqual([
    ['SCM_RIGHTS', '[0, 2]'],
    ['SCM_CREDENTIALS', '{pid=1, uid=2, gid=3}'],
    ['SCM_SECURITY', '"context"'],
    [expect.stringMatching(/^SO_TIMESTAMP(_OLD)?$/), '{tv_sec=5, tv_usec=6}'],
    [expect.stringMatching(/^SO_TIMESTAMPNS(_OLD)?$/), '{tv_sec=5, tv_nsec=6}'],
    [
      expect.stringMatching(/^SO_TIMESTAMPING(_OLD)?$/),
      '[{tv_sec=7, tv_nsec=8}, {tv_sec=0, tv_nsec=0}, {tv_sec=0, tv_nsec=0}]',
    ],
    [
      'IP_PKTINFO',
      '{ipi_ifindex=if_nametoindex("lo"), ipi_spec_dst=inet_addr("10.0.0.1"), ipi_addr=inet_addr("10.0.0.2")}',
    ],
    ['IP_TTL', '[64]'],
    ['IP_TOS', '[0x8]'],
    ['IP_RETOPTS', '[0x1, 0x1, 0x1, 0]'],
    ['IP_ORIGDSTADDR', '{sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("10.0.0.3")}'],
    [
      'IP_RECVERR',
      '{ee_errno=111, ee_origin=2, ee_type=3, ee_code=1, ee_info=5, ee_data=6, ' +
        'offender={sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("10.0.0.9")}}',
    ],
  ]);
});

describe('too little room (MSG_CTRUNC)', () => {
  const pair = () => {
    const [sender, receiver] = socketpair(AF_UNIX, SOCK_DGRAM).map(opened) as [number, number];
    setsockopt(receiver, SOL_SOCKET, SO_PASSCRED, 1);
    return { sender, receiver };
  };
  const own = { pid: process.pid, uid: process.getuid?.() ?? -1, gid: process.getgid?.() ?? -1 };

  test('whatever the room, what is there is whole, and no descriptor leaks', () => {
    const { sender, receiver } = pair();
    const whole = CMSG_SPACE(12) + CMSG_SPACE(8);
    for (let room = 0; room <= whole; room++) {
      sendWith(sender, { SCM_RIGHTS: [0, 0] });
      const { control, flags } = receive(receiver, 0, room);
      const credentials = room >= CMSG_LEN(12);
      const fds = Math.max(0, Math.min(2, Math.floor((room - CMSG_SPACE(12) - CMSG_LEN(0)) / 4)));
      expect(control.get('SCM_CREDENTIALS')?.toJSON(), `credentials in ${room} bytes`).toEqual(
        credentials ? own : undefined,
      );
      expect(control.get('SCM_RIGHTS') ?? [], `descriptors in ${room} bytes`).toHaveLength(fds);
      expect([...control], `messages in ${room} bytes`).toHaveLength(Number(credentials) + Number(fds > 0));
      const cut = !credentials || fds < 2;
      expect([control.truncated, (flags & MSG_CTRUNC) !== 0], `MSG_CTRUNC in ${room} bytes`).toEqual([cut, cut]);
      for (const fd of control.get('SCM_RIGHTS') ?? []) raw.close(opened(fd));
    }
  });

  test.skipIf(!havePython)('Python shows the half message that we do not (needs python3)', () => {
    const { sender, receiver } = pair();
    const room = CMSG_LEN(6);
    for (let i = 0; i < 2; i++) sendWith(sender, {});
    const half = Buffer.from(new ucred(own).bytes.subarray(0, 6)).toString('hex');
    expect(pythonReceives(receiver, 0, room)).toEqual([[SOL_SOCKET, SCM_CREDENTIALS, half]]);
    const { control } = receive(receiver, 0, room);
    expect(control.length).toBe(room);
    expect([...control]).toEqual([]);
  });

  test('of a kind whose length varies, one up to the very end counts as cut, but not descriptors', () => {
    const control = new ControlBuffer(CMSG_LEN(8)).push(SOL_SOCKET, SCM_RIGHTS, new Uint8Array(0)).clear();
    control.storage.set(ControlBuffer.of({ SCM_RIGHTS: [1, 2] }).bytes);
    control.length = control.storage.length;
    control.truncated = true;
    expect(control.get('SCM_RIGHTS')).toEqual([1, 2]);
    const unknown = new ControlBuffer(CMSG_SPACE(8)).push(9, 9, new Uint8Array(8));
    expect([...unknown]).toHaveLength(1);
    unknown.truncated = true;
    expect([...unknown]).toHaveLength(0);
    expect([...unknown.clear().push(9, 9, new Uint8Array(8))]).toHaveLength(1);
  });
});

const everyKind = Object.keys(controlKinds) as ControlName[];

// A new kind wants a test of its own: one that sends it or receives it, in a file beside this one.
test('every kind is named by what a test does, and not only by what it says', () => {
  const code = [
    'control-inet',
    'control-link',
    'control-unix',
    'descriptor-passing',
    'timestamps',
    'sctp',
    'tls',
    'ciphers',
    'families',
  ]
    .map((name) => readFileSync(join(import.meta.dirname, `${name}.test.ts`), 'utf8'))
    .join('')
    .replace(/^import \{.*?\} from/gms, '')
    .replace(/\/\/.*$/gm, '')
    .replace(/\btest(\.skipIf\(.*?\))?\(\s*['"`].*?['"`],/g, '');
  const isUsed = (kind: string) => new RegExp(`'${kind}'|\\b${kind}:`).test(code);
  expect(everyKind.filter((kind) => !isUsed(kind))).toEqual([]);
  expect(isUsed('SCM_NONE')).toBe(false);
});

describe('bytes that nobody meant as control messages', () => {
  const isRoomFor = (control: ControlBuffer, data: Uint8Array) =>
    data.byteOffset >= control.storage.byteOffset &&
    data.byteOffset + data.length <= control.storage.byteOffset + control.length;

  function readAll(control: ControlBuffer): number {
    let count = 0;
    for (const { data, value } of control) {
      count++;
      expect(isRoomFor(control, data)).toBe(true);
      expect(value).toBeDefined();
    }
    for (const kind of everyKind) control.get(kind);
    return count;
  }

  test('any bytes read to their end, inside the buffer', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(300), fc.boolean(), (content, length, truncated) => {
        const control = new ControlBuffer(content);
        control.length = Math.min(length, content.length);
        control.truncated = truncated;
        expect(readAll(control)).toBeLessThanOrEqual(content.length / CMSG_LEN(0));
      }),
      { numRuns: 2000 },
    );
  });

  // Any header of a known kind, with any length that it may claim and any data behind it.
  const numbers = fc.constantFrom(...everyKind.map((kind) => controlKinds[kind])).chain(({ level, type }) =>
    fc.record({
      level: fc.constant(level),
      type: fc.oneof(fc.constant(type), fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })),
      claimed: fc.oneof(fc.nat(80), fc.bigInt(0n, 2n ** 64n - 1n).map(Number), fc.constant(2 ** 64)),
      data: fc.uint8Array({ maxLength: 60 }),
    }),
  );

  test('headers of known kinds that lie about their length', () => {
    fc.assert(
      fc.property(fc.array(numbers, { maxLength: 6 }), fc.boolean(), (messages, truncated) => {
        const control = new ControlBuffer(1000);
        for (const { level, type, claimed, data } of messages) {
          const start = CMSG_ALIGN(control.length);
          control.push(level, type, data);
          const view = new DataView(control.storage.buffer);
          view.setBigUint64(start, BigInt.asUintN(64, BigInt(claimed)), true);
        }
        control.truncated = truncated;
        readAll(control);
      }),
      { numRuns: 2000 },
    );
  });

  test('the kernel is given them too: it answers with a number', () => {
    const [one, other] = socketpair(AF_UNIX, SOCK_DGRAM).map(opened) as [number, number];
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), (content) => {
        const answer = raw.sendmsg(one, [Uint8Array.of(1)], null, content, 0);
        expect(Number.isInteger(answer)).toBe(true);
        if (answer < 0) return;
        const { control } = receive(other);
        for (const fd of control.get('SCM_RIGHTS') ?? []) raw.close(fd);
      }),
      { numRuns: 2000 },
    );
  });

  test('messages that hold a pointer are refused', () => {
    const control = new ControlBuffer(200).add('IP_TTL', 1).push(276, 1, new Uint8Array(40)); // SOL_RDS
    expect(() => raw.sendmsg(-1, [], null, control.bytes, 0)).toThrow(/sendmsg: 'control'.*pointers/);
    control.storage[0] = 0xff; // A header that lies ends the list for the kernel, too.
    expect(raw.sendmsg(-1, [], null, control.bytes, 0)).toBe(-EBADF);
  });
});
