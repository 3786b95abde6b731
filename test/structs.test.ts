import { inspect } from 'node:util';
import {
  icmp6_filter,
  ifreq,
  in_pktinfo,
  ip_mreqn,
  itimerspec,
  j1939_filter,
  linger,
  sock_filter,
  tcp_info,
  timespec,
  timeval,
  ucred,
} from 'posix-sockets';
import { describe, expect, test } from 'vitest';
import { havePython, run } from './support.js';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

describe('a struct', () => {
  test.skipIf(!havePython)("has the bytes that Python's struct packs (needs python3)", async () => {
    const ours: [string, Uint8Array][] = [
      ['struct.pack("ii", 1, 30)', new linger({ l_onoff: 1, l_linger: 30 }).bytes],
      ['struct.pack("ll", 5, 250000)', new timeval({ tv_sec: 5, tv_usec: 250_000 }).bytes],
      ['struct.pack("ll", -1, 999999999)', new timespec({ tv_sec: -1, tv_nsec: 999_999_999 }).bytes],
      ['struct.pack("iII", 1, 1000, 4294967295)', new ucred({ pid: 1, uid: 1000, gid: 2 ** 32 - 1 }).bytes],
      ['struct.pack("HBBI", 0x15, 1, 2, 0x800)', new sock_filter({ code: 0x15, jt: 1, jf: 2, k: 0x800 }).bytes],
      [
        'socket.inet_aton("239.1.2.3") + socket.inet_aton("127.0.0.1") + struct.pack("i", 7)',
        new ip_mreqn({ imr_multiaddr: '239.1.2.3', imr_address: '127.0.0.1', imr_ifindex: 7 }).bytes,
      ],
    ];
    const program = `import socket, struct\nfor each in (${ours.map(([text]) => text).join(', ')}): print(each.hex())`;
    const { stdout } = await run('python3', ['-c', program]);
    expect(ours.map(([, bytes]) => hex(bytes))).toEqual(stdout.trim().split('\n'));
  });

  test('is a view over bytes: what is written to one is read from the other', () => {
    const bytes = new Uint8Array(linger.size);
    const view = new linger(bytes);
    view.l_linger = 7;
    expect(new Int32Array(bytes.buffer)[1]).toBe(7);
    bytes[0] = 1;
    expect(view.l_onoff).toBe(1);
    expect(view.bytes).toBe(bytes);
  });

  test('shows its fields, as JSON and to inspect', () => {
    const value = new linger({ l_onoff: 1 });
    expect(JSON.stringify(value)).toBe('{"l_onoff":1,"l_linger":0}');
    expect(inspect(value)).toBe('linger { l_onoff: 1, l_linger: 0 }');
  });

  test('holds structs, which are views into it when read and copied when written', () => {
    const timer = new itimerspec({ it_value: new timespec({ tv_sec: 3 }) });
    timer.it_value.tv_nsec = 5;
    expect([timer.it_value.tv_sec, timer.it_value.tv_nsec, timer.it_interval.tv_sec]).toEqual([3, 5, 0]);
    const given = new timespec({ tv_sec: 9 });
    timer.it_interval = given;
    given.tv_sec = 1;
    expect(timer.it_interval.tv_sec).toBe(9);
  });

  test('of which the kernel wrote less has undefined for the rest', () => {
    const info = new tcp_info();
    info.length = 8; // as an old kernel would
    expect(info.tcpi_state).toBe(0);
    expect(info.tcpi_rto).toBeUndefined();
    expect(info.toJSON()).toMatchObject({ tcpi_state: 0, tcpi_rtt: undefined });
  });

  test('never reaches beyond its bytes', () => {
    const all = new Uint8Array(64).fill(0xee);
    const short = new icmp6_filter(all.subarray(8, 12)); // it has 32
    expect(() => short.pass(200)).toThrow(RangeError);
    expect(() => {
      short.icmp6_filt = new Uint8Array(32);
    }).toThrow(RangeError);
    short.length = 32;
    expect(() => short.icmp6_filt).toThrow(RangeError);
    const half = new linger(all.subarray(8, 12));
    expect(() => {
      half.l_linger = 1;
    }).toThrow(RangeError);
    expect(all).toEqual(new Uint8Array(64).fill(0xee));
  });

  test('refuses fields that it has not, and values that they do not hold', () => {
    expect(() => new linger({ l_on: 1 } as never)).toThrow("struct linger has no field 'l_on'");
    const value = new linger();
    for (const wrong of ['1', 1n, null, undefined, Number.NaN, { valueOf: () => 1 }]) {
      expect(() => {
        value.l_onoff = wrong as never;
      }).toThrow(TypeError);
    }
    for (const wrong of [2 ** 31, -(2 ** 31) - 1, 0.5]) {
      expect(() => {
        value.l_onoff = wrong;
      }).toThrow(RangeError);
    }
    expect(() => {
      new ucred().uid = -1;
    }).toThrow(RangeError);
    expect(() => {
      new in_pktinfo().ipi_addr = 'localhost';
    }).toThrow(TypeError);
    expect(hex(value.bytes)).toBe('00'.repeat(8));
  });

  test.each<[string, () => unknown, string]>([
    [
      'an int',
      () => new linger({ l_onoff: 2 ** 31 }),
      'linger.l_onoff must be an integer from -2147483648 to 2147483647',
    ],
    ['an unsigned one', () => new ucred({ uid: null as never }), 'ucred.uid must be a number, not null'],
    ['64 bits', () => new j1939_filter({ name: 1 as never }), 'j1939_filter.name must be a bigint, not 1'],
    ['text', () => new ifreq({ ifr_name: 5 as never }), 'ifreq.ifr_name must be text, not 5'],
    ['longer text', () => new ifreq({ ifr_name: 'x'.repeat(16) }), 'ifreq.ifr_name has room for 15 bytes'],
    ['a struct', () => new itimerspec({ it_value: 5 as never }), 'itimerspec.it_value must be a timespec, not 5'],
    ['no fields', () => new linger(null as never), 'a struct linger is made of its fields or of bytes, not of null'],
    ['a number', () => new linger(5 as never), 'a struct linger is made of its fields or of bytes, not of 5'],
  ])('names what it refuses: %s', (_, make, message) => {
    expect(make).toThrow(message);
  });

  test('is a view over any bytes: another view, an ArrayBuffer', () => {
    const memory = new ArrayBuffer(16);
    const views = [memory, new DataView(memory), new Float64Array(memory), new Uint8Array(memory)];
    for (const [i, view] of views.entries()) {
      new linger(view).l_linger = i + 1;
      expect(new Int32Array(memory)[1]).toBe(i + 1);
    }
    new linger(new DataView(memory, 8)).l_onoff = 7;
    expect(new Int32Array(memory)[2]).toBe(7);
    const shared = new Uint8Array(new SharedArrayBuffer(8));
    new linger(shared).l_onoff = 9;
    expect(shared[0]).toBe(9);
  });

  test('a span in milliseconds is rounded up, so that no wait is shorter than asked for', () => {
    const { tv_sec, tv_nsec } = timespec.fromMilliseconds(1500.0000001);
    expect([tv_sec, tv_nsec]).toEqual([1, 500_000_001]);
    expect(timeval.fromMilliseconds(0.0001).tv_usec).toBe(1);
    expect(timeval.fromMilliseconds(999.9999).toJSON()).toEqual({ tv_sec: 1, tv_usec: 0 });
    for (const wrong of [-1, Number.POSITIVE_INFINITY])
      expect(() => timespec.fromMilliseconds(wrong)).toThrow(RangeError);
    for (const wrong of [Number.NaN, '1']) expect(() => timespec.fromMilliseconds(wrong as number)).toThrow(TypeError);
  });
});
