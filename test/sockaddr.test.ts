import { inspect } from 'node:util';
import fc from 'fast-check';
import {
  AF_ALG,
  AF_CAN,
  AF_INET,
  AF_INET6,
  AF_NETLINK,
  AF_PACKET,
  AF_TIPC,
  AF_UNIX,
  AF_UNSPEC,
  AF_VSOCK,
  AF_XDP,
  CAN_EFF_FLAG,
  ETH_P_IP,
  INADDR_ANY,
  if_nametoindex,
  SockAddr,
  sockaddr_alg,
  sockaddr_can,
  sockaddr_in,
  sockaddr_in6,
  sockaddr_ll,
  sockaddr_nl,
  sockaddr_tipc,
  sockaddr_un,
  sockaddr_unspec,
  sockaddr_vm,
  sockaddr_xdp,
  TIPC_NODE_SCOPE,
  XDP_COPY,
} from 'posix-sockets';
import { describe, expect, test } from 'vitest';
import { bytes, havePython, run } from './support.js';

const hex = (address: SockAddr) => Buffer.from(address.bytes).toString('hex');

describe('the bytes are those of C', () => {
  // Written down from the man pages, for a little-endian machine.
  test.each<[string, SockAddr, string]>([
    ['sockaddr_in', sockaddr_in('1.2.3.4', 80), '0200 0050 01020304 0000000000000000'],
    ['sockaddr_in of a number', sockaddr_in(0x7f000001, 0), '0200 0000 7f000001 0000000000000000'],
    ['sockaddr_in6', sockaddr_in6('fe80::1', 0x1234), `0a00 1234 00000000 fe80${'0'.repeat(27)}1 00000000`],
    [
      'sockaddr_in6 with all',
      sockaddr_in6('::', 1, { flowinfo: 0x12345, scopeId: 7 }),
      `0a00 0001 00012345 ${'0'.repeat(32)} 07000000`,
    ],
    ['sockaddr_un of a path', sockaddr_un('/a'), '0100 2f61 00'],
    ['sockaddr_un of bytes', sockaddr_un(Uint8Array.of(0x2f, 0xff)), '0100 2fff 00'],
    ['sockaddr_un of an abstract name', sockaddr_un('\0a\0b'), '0100 00610062'],
    ['sockaddr_un without a name', sockaddr_un(''), '0100'],
    ['sockaddr_un of 108 bytes', sockaddr_un('x'.repeat(108)), `0100 ${'78'.repeat(108)}`],
    ['sockaddr_un of 107 bytes', sockaddr_un('x'.repeat(107)), `0100 ${'78'.repeat(107)} 00`],
    ['sockaddr_nl', sockaddr_nl(258, 2 ** 31), '1000 0000 02010000 00000080'],
    [
      'sockaddr_ll',
      sockaddr_ll(ETH_P_IP, 3, { hatype: 1, pkttype: 4, address: '02:00:0a:ff:00:01' }),
      '1100 0800 03000000 0100 04 06 02000aff00010000',
    ],
    ['sockaddr_vm', sockaddr_vm(3, 258), '2800 0000 02010000 03000000 00000000'],
    ['sockaddr_can', sockaddr_can(3), `1d00 0000 03000000 ${'0'.repeat(32)}`],
    [
      'sockaddr_can of ISO 15765-2',
      sockaddr_can(3, { rx_id: 0x123, tx_id: CAN_EFF_FLAG | 0x456 }),
      `1d00 0000 03000000 23010000 56040080 ${'0'.repeat(16)}`,
    ],
    [
      'sockaddr_can of J1939',
      sockaddr_can(3, { name: 0x0102030405060708n, pgn: 0x12300, addr: 0x20 }),
      '1d00 0000 03000000 0807060504030201 00230100 20 000000',
    ],
    [
      'sockaddr_can of J1939, with what is not given left open',
      sockaddr_can(3, { addr: 7 }),
      '1d00 0000 03000000 0000000000000000 00000400 07 000000',
    ],
    ['sockaddr_tipc of a socket', sockaddr_tipc({ ref: 1, node: 2 }), '1e00 03 02 01000000 02000000 00000000'],
    [
      'sockaddr_tipc of a service',
      sockaddr_tipc({ type: 1, instance: 2, domain: 3 }),
      '1e00 02 02 01000000 02000000 03000000',
    ],
    [
      'sockaddr_tipc of a range, taken back',
      sockaddr_tipc({ type: 1, lower: 2, upper: 3 }, -TIPC_NODE_SCOPE),
      '1e00 01 fd 01000000 02000000 03000000',
    ],
    [
      'sockaddr_xdp',
      sockaddr_xdp(3, 1, { flags: XDP_COPY, shared_umem_fd: 9 }),
      '2c00 0200 03000000 01000000 09000000',
    ],
    [
      'sockaddr_alg',
      sockaddr_alg('hash', 'sha256', { feat: 1, mask: 2 }),
      `2600 ${Buffer.from('hash').toString('hex')} ${'0'.repeat(20)} 01000000 02000000 ${Buffer.from('sha256').toString('hex')} ${'0'.repeat(116)}`,
    ],
    ['sockaddr_unspec', sockaddr_unspec(), '0'.repeat(32)],
  ])('%s', (_, address, expected) => {
    expect(hex(address)).toBe(expected.replaceAll(' ', ''));
    expect(address.length).toBe(address.bytes.length);
  });

  test.skipIf(!havePython)('Python passes the same to the kernel (needs python3)', async () => {
    // ctypes reads back what Python's own socket module bound.
    const { stdout, stderr } = await run('python3', [
      '-c',
      `
import ctypes, socket
libc = ctypes.CDLL(None)
def name(family, address):
    s = socket.socket(family, socket.SOCK_DGRAM)
    s.bind(address)
    room, size = ctypes.create_string_buffer(128), ctypes.c_uint32(128)
    libc.getsockname(s.fileno(), room, ctypes.byref(size))
    print(room.raw[:size.value].hex(), str(s.getsockname()[1] if family == socket.AF_INET else ''))
name(socket.AF_INET, ('127.0.0.1', 0))
name(socket.AF_UNIX, b'\\0posix\\0sockets')
`,
    ]);
    expect(stderr).toBe('');
    const [inet = '', unix = ''] = stdout.trim().split('\n');
    const [packed, port] = inet.split(' ');
    expect(hex(sockaddr_in('127.0.0.1', Number(port)))).toBe(packed);
    expect(hex(sockaddr_un('\0posix\0sockets'))).toBe(unix.trim());
  });
});

describe('fields', () => {
  test('each family has its own, and the others read as undefined', () => {
    const fields = (address: SockAddr) => {
      const names = [
        'address',
        'port',
        'path',
        'flowinfo',
        'scopeId',
        'pid',
        'groups',
        'protocol',
        'ifindex',
        'hatype',
        'pkttype',
        'cid',
        'tp',
        'j1939',
        'tipc',
        'scope',
        'queue_id',
        'flags',
        'shared_umem_fd',
        'algorithm',
      ] as const;
      return Object.fromEntries(
        names.filter((name) => address[name] !== undefined).map((name) => [name, address[name]]),
      );
    };
    expect(fields(sockaddr_in('1.2.3.4', 80))).toEqual({ address: '1.2.3.4', port: 80 });
    expect(fields(sockaddr_in6('fe80::1%lo', 80, { flowinfo: 5 }))).toEqual({
      address: 'fe80::1',
      port: 80,
      flowinfo: 5,
      scopeId: if_nametoindex('lo'),
    });
    expect(fields(sockaddr_un('/x'))).toEqual({ path: '/x' });
    expect(fields(sockaddr_nl(1, 2))).toEqual({ pid: 1, groups: 2 });
    expect(fields(sockaddr_ll(1, 2, { address: Uint8Array.of(1, 2) }))).toEqual({
      protocol: 1,
      ifindex: 2,
      hatype: 0,
      pkttype: 0,
      address: '01:02',
    });
    expect(fields(sockaddr_vm(1, 2))).toEqual({ cid: 1, port: 2 });
    expect(fields(sockaddr_can(3, { rx_id: 1, tx_id: 2 }))).toEqual({
      ifindex: 3,
      tp: { rx_id: 1, tx_id: 2 },
      j1939: { name: 0x2_0000_0001n, pgn: 0, addr: 0 },
    });
    expect(sockaddr_can(3, { name: 5n, pgn: 6, addr: 7 }).j1939).toEqual({ name: 5n, pgn: 6, addr: 7 });
    for (const tipc of [
      { ref: 1, node: 2 },
      { type: 1, instance: 2, domain: 3 },
      { type: 1, lower: 2, upper: 3 },
    ]) {
      expect(fields(sockaddr_tipc(tipc, TIPC_NODE_SCOPE))).toEqual({ tipc, scope: TIPC_NODE_SCOPE });
    }
    expect(fields(sockaddr_xdp(3, 1, { flags: 2, shared_umem_fd: 9 }))).toEqual({
      ifindex: 3,
      queue_id: 1,
      flags: 2,
      shared_umem_fd: 9,
    });
    expect(fields(sockaddr_alg('hash', 'sha256'))).toEqual({ algorithm: ['hash', 'sha256'] });
    const long = `authenc(${'x'.repeat(100)})`; // longer than the struct's own field
    expect(sockaddr_alg('aead', long).algorithm).toEqual(['aead', long]);
    expect(fields(sockaddr_unspec())).toEqual({});
    expect(fields(SockAddr.from(Uint8Array.of(99, 0, 1)))).toEqual({});
    expect(sockaddr_in(INADDR_ANY, 0).address).toBe('0.0.0.0');
  });

  test('what is cut off reads as undefined, at every length', () => {
    for (const whole of [
      sockaddr_in('1.2.3.4', 80),
      sockaddr_in6('::1', 80),
      sockaddr_nl(1, 2),
      sockaddr_ll(1, 2),
      sockaddr_vm(1, 2),
      sockaddr_can(1, { name: 1n, pgn: 2, addr: 3 }),
      sockaddr_tipc({ ref: 1, node: 2 }),
      sockaddr_xdp(1, 2),
      sockaddr_alg('hash', 'sha256'),
    ]) {
      for (let length = 0; length <= whole.length; length++) {
        const cut = SockAddr.from(whole.bytes.subarray(0, length));
        expect(cut.family).toBe(length < 2 ? AF_UNSPEC : whole.family);
        for (const name of [
          'address',
          'port',
          'path',
          'flowinfo',
          'scopeId',
          'pid',
          'groups',
          'protocol',
          'ifindex',
          'hatype',
          'pkttype',
          'cid',
          'tp',
          'j1939',
          'tipc',
          'scope',
          'queue_id',
          'flags',
          'shared_umem_fd',
          'algorithm',
        ] as const) {
          if (cut[name] !== undefined) expect(cut[name]).toEqual(whole[name]);
        }
        const back = SockAddr.parse(`${cut}`);
        expect(back.equals(cut)).toBe(true);
        // Zeros that the kernel may leave out come back.
        if (whole.family === AF_PACKET || whole.family === AF_CAN)
          expect(hex(back).slice(0, 2 * length)).toBe(hex(cut));
        else expect(hex(back)).toBe(hex(cut));
      }
    }
  });

  test('the place for an address: empty at first, and no larger than it was made', () => {
    const place = new SockAddr();
    expect({ length: place.length, family: place.family, text: `${place}` }).toEqual({
      length: 0,
      family: 0,
      text: 'bytes:',
    });
    expect(place.storage).toHaveLength(128);
    expect(new SockAddr(4).storage).toHaveLength(4);
    for (const room of [-1, 1.5, 65537]) expect(() => new SockAddr(room)).toThrow(RangeError);
    for (const room of [Number.NaN, '4']) expect(() => new SockAddr(room as number)).toThrow(TypeError);
  });

  test('from copies', () => {
    const source = Uint8Array.of(1, 0, 0x2f);
    const address = SockAddr.from(source);
    source[2] = 0x41;
    expect(address.path).toBe('/');
  });
});

describe('as people write them', () => {
  test.each<[string, SockAddr]>([
    ['127.0.0.1:80', sockaddr_in('127.0.0.1', 80)],
    ['[::1]:80', sockaddr_in6('::1', 80)],
    ['[fe80::1%2]:80', sockaddr_in6('fe80::1', 80, { scopeId: 2 })],
    ['[::]:0,flowinfo=9', sockaddr_in6('::', 0, { flowinfo: 9 })],
    ['/run/x.sock', sockaddr_un('/run/x.sock')],
    ['./x.sock', sockaddr_un('./x.sock')],
    ['unix:x.sock', sockaddr_un('x.sock')],
    ['unix:127.0.0.1:80', sockaddr_un('127.0.0.1:80')],
    ['unix:unspecified', sockaddr_un('unspecified')],
    ['@abstract', sockaddr_un('\0abstract')],
    ['@', sockaddr_un('\0')],
    ['unix:@path', sockaddr_un('@path')],
    ['@with\\x00NUL\\x0aand\\x5c', sockaddr_un('\0with\0NUL\nand\\')],
    ['/\\xff', sockaddr_un(Uint8Array.of(0x2f, 0xff))],
    ['/größe', sockaddr_un('/größe')],
    ['(unnamed)', sockaddr_un('')],
    ['netlink:pid=7,groups=3', sockaddr_nl(7, 3)],
    [
      'packet:protocol=0x800,ifindex=2,hatype=1,pkttype=0,address=02:00:00:00:00:01',
      sockaddr_ll(0x800, 2, { hatype: 1, address: '02:00:00:00:00:01' }),
    ],
    ['vsock:2:1234', sockaddr_vm(2, 1234)],
    ['can:3', sockaddr_can(3)],
    ['can:3', SockAddr.from(sockaddr_can(3).bytes.subarray(0, 8))], // as the kernel answers
    ['can:3,rx_id=0x123,tx_id=0x80000456', sockaddr_can(3, { rx_id: 0x123, tx_id: 0x80000456 })],
    ['can:3,name=0x5,pgn=0x12300,addr=32', sockaddr_can(3, { name: 5n, pgn: 0x12300, addr: 32 })],
    ['tipc:ref=1,node=2,scope=2', sockaddr_tipc({ ref: 1, node: 2 })],
    ['tipc:type=1,instance=2,domain=0,scope=-3', sockaddr_tipc({ type: 1, instance: 2 }, -3)],
    ['tipc:type=1,lower=2,upper=3,scope=2', sockaddr_tipc({ type: 1, lower: 2, upper: 3 })],
    ['xdp:ifindex=3,queue_id=1,flags=2,shared_umem_fd=9', sockaddr_xdp(3, 1, { flags: 2, shared_umem_fd: 9 })],
    ['alg:skcipher/cbc(aes)', sockaddr_alg('skcipher', 'cbc(aes)')],
    ['unspecified', sockaddr_unspec()],
    ['bytes:6300aabb', SockAddr.from(Uint8Array.of(99, 0, 0xaa, 0xbb))],
    ['bytes:', new SockAddr()],
    ['/', SockAddr.from(Uint8Array.of(1, 0, 0x2f, 0, 0x2f))],
  ])('%s', (text, address) => {
    expect(`${address}`).toBe(text);
    expect(inspect(address)).toBe(`SockAddr { ${text} }`);
    const back = SockAddr.parse(text);
    expect(back.equals(address)).toBe(true);
    expect(`${back}`).toBe(text);
  });

  test.each([
    'localhost:80',
    '127.0.0.1',
    '1.2.3:80',
    '127.0.0.1:',
    '::1:80',
    '[::1]',
    '[1.2.3.4]:80',
    'x.sock',
    '',
    'unix:',
    'vsock:1',
    'bytes:0',
    'bytes:xy',
    'netlink:7',
    'can:x',
    'can:3,rx_id=1',
    'tipc:ref=1',
    'tipc:scope=2',
    'tipc:ref=1,node=x,scope=2',
    'xdp:3',
    'alg:hash',
  ])('parse refuses %j', (text) => {
    expect(() => SockAddr.parse(text)).toThrow(TypeError);
  });

  test('parse says why: a port, a number or a path that does not fit', () => {
    expect(() => SockAddr.parse('127.0.0.1:70000')).toThrow(
      new RangeError('port must be an integer from 0 to 65535, not 70000'),
    );
    expect(() => SockAddr.parse('256.0.0.1:80')).toThrow(new TypeError("'256.0.0.1' is no IPv4 address"));
    expect(() => SockAddr.parse('[::1%4294967296]:80')).toThrow(RangeError);
    expect(() => SockAddr.parse(`/${'x'.repeat(108)}`)).toThrow(/holds 108 bytes, and this path has 109/);
    expect(() => SockAddr.parse('[::1%nobody]:80')).toThrow("there is no interface 'nobody'");
    expect(() => SockAddr.parse(5 as never)).toThrow(TypeError);
  });
});

describe('what does not fit is refused, and the error says why', () => {
  test.each<[string, () => SockAddr, new (message: string) => Error, RegExp]>([
    [
      'a port of 70000',
      () => sockaddr_in('1.2.3.4', 70000),
      RangeError,
      /port must be an integer from 0 to 65535, not 70000/,
    ],
    ['a negative port', () => sockaddr_in6('::', -1), RangeError, /port/],
    ['a port with a fraction', () => sockaddr_in('1.2.3.4', 1.5), RangeError, /port/],
    ['a port that is NaN', () => sockaddr_in('1.2.3.4', Number.NaN), TypeError, /port must be a number, not NaN/],
    ['a port as text', () => sockaddr_in('1.2.3.4', '80' as never), TypeError, /port must be a number, not '80'/],
    [
      'a host name',
      () => sockaddr_in('localhost', 80),
      TypeError,
      /^'localhost' is no IPv4 address: getaddrinfo looks up/,
    ],
    ['a host name for IPv6', () => sockaddr_in6('a.example', 80), TypeError, /getaddrinfo looks up names/],
    ['1.2.3', () => sockaddr_in('1.2.3', 80), TypeError, /'1.2.3' is no IPv4 address$/],
    ['an IPv6 address as IPv4', () => sockaddr_in('::1', 80), TypeError, /'::1' is no IPv4 address/],
    ['an address with a NUL', () => sockaddr_in('1.2.3.4\0', 80), TypeError, /is no IPv4 address/],
    [
      'an address that is no text',
      () => sockaddr_in6(null as never, 80),
      TypeError,
      /an IPv6 address must be text, not null/,
    ],
    ['a number of 33 bits as an address', () => sockaddr_in(2 ** 32, 80), RangeError, /address/],
    ['a flow label of 33 bits', () => sockaddr_in6('::', 0, { flowinfo: 2 ** 32 }), RangeError, /flowinfo/],
    ['an empty zone', () => sockaddr_in6('fe80::1%', 0), TypeError, /there is no interface ''/],
    ['a path of 109 bytes', () => sockaddr_un('x'.repeat(109)), RangeError, /holds 108 bytes, and this path has 109/],
    ['a path of 55 characters that take two bytes', () => sockaddr_un('ü'.repeat(55)), RangeError, /has 110/],
    ['a path with a NUL inside', () => sockaddr_un('/a\0b'), TypeError, /a path cannot have a NUL byte inside/],
    ['a path that is no text', () => sockaddr_un(7 as never), TypeError, /path must be text or bytes/],
    ['a netlink port of 33 bits', () => sockaddr_nl(2 ** 32), RangeError, /pid/],
    ['a negative interface', () => sockaddr_ll(1, -1), RangeError, /ifindex/],
    [
      'a hardware address of nine bytes',
      () => sockaddr_ll(1, 1, { address: new Uint8Array(9) }),
      RangeError,
      /holds 8 bytes, and this has 9/,
    ],
    [
      'a hardware address that is none',
      () => sockaddr_ll(1, 1, { address: '1:2' }),
      TypeError,
      /'1:2' is no hardware address/,
    ],
    ['an interface that is no number', () => sockaddr_can('can0' as never), TypeError, /ifindex must be a number/],
    [
      'one identifier without the other',
      () => sockaddr_can(1, { rx_id: 1 } as never),
      TypeError,
      /tx_id must be a number/,
    ],
    ['an identifier of 33 bits', () => sockaddr_can(1, { rx_id: 0, tx_id: 2 ** 32 }), RangeError, /tx_id/],
    [
      'a name that is no bigint',
      () => sockaddr_can(1, { name: 5 as never }),
      TypeError,
      /name must be a bigint, not 5/,
    ],
    [
      'a CAN address of nine bits',
      () => sockaddr_can(1, { addr: 256 }),
      RangeError,
      /addr must be an integer from 0 to 255/,
    ],
    ['a CAN address made of null', () => sockaddr_can(1, null as never), TypeError, /more must be an object/],
    ['a TIPC address of nothing', () => sockaddr_tipc({} as never), TypeError, /type must be a number, not undefined/],
    ['a TIPC range without an end', () => sockaddr_tipc({ type: 1, lower: 1 } as never), TypeError, /upper must be/],
    ['a scope of nine bits', () => sockaddr_tipc({ ref: 1, node: 1 }, 128), RangeError, /scope/],
    ['a queue of 33 bits', () => sockaddr_xdp(1, 2 ** 32), RangeError, /queue_id/],
    ['a type of cipher of 14 bytes', () => sockaddr_alg('x'.repeat(14), 'y'), RangeError, /type must have at most 13/],
    ['a cipher with a NUL', () => sockaddr_alg('hash', 'sha\0'), TypeError, /name cannot have a NUL byte inside/],
    ['a context id of 33 bits', () => sockaddr_vm(2 ** 32, 0), RangeError, /cid/],
  ])('%s', (_, make, type, message) => {
    expect(make).toThrow(type);
    expect(make).toThrow(message);
  });
});

describe('bytes of any kind', () => {
  const path = bytes('/a');
  test.each<[string, ArrayBuffer | ArrayBufferView]>([
    ['an ArrayBuffer', path.slice().buffer],
    ['a DataView', new DataView(path.slice().buffer)],
    ['a Uint16Array', new Uint16Array(path.slice().buffer)],
    ['a Uint8Array over shared memory', new Uint8Array(new SharedArrayBuffer(2)).fill(0x2f)],
  ])('%s', (_, view) => {
    const same = new Uint8Array(ArrayBuffer.isView(view) ? view.buffer : view);
    expect(sockaddr_un(view).pathBytes).toEqual(same);
    expect(SockAddr.from(view).bytes).toEqual(same);
    expect(new SockAddr(view).storage.buffer).toBe(same.buffer);
    expect(sockaddr_ll(1, 2, { address: view }).bytes.subarray(11, 14)).toEqual(Uint8Array.of(2, ...same));
  });

  test('and nothing that is none', () => {
    for (const none of [5, null, 'x', [1, 0], {}]) {
      expect(() => SockAddr.from(none as never)).toThrow('bytes must be a Uint8Array, another view or an ArrayBuffer');
      if (typeof none === 'string') continue;
      expect(() => sockaddr_ll(1, 2, { address: none as never })).toThrow('address must be a Uint8Array');
    }
    expect(() => sockaddr_ll(1, 2, null as never)).toThrow('more must be an object, not null');
    expect(() => sockaddr_in6('::', 1, 5 as never)).toThrow('more must be an object, not 5');
    expect(() => new SockAddr(4, 0 as never)).toThrow('length must be an Int32Array, not 0');
  });
});

describe('equals', () => {
  test('is false of what is no address', () => {
    for (const other of [null, undefined, '1.2.3.4:5', {}]) {
      expect(sockaddr_in('1.2.3.4', 5).equals(other as never)).toBe(false);
    }
  });

  test('compares what counts: not what follows the NUL of a path', () => {
    const padded = sockaddr_in('1.2.3.4', 5);
    expect(padded.equals(sockaddr_in('1.2.3.4', 5))).toBe(true);
    padded.bytes[12] = 1; // the kernel would not look at it, but it is there
    expect(`${padded}`).toMatch(/^bytes:/);
    expect(padded.equals(sockaddr_in('1.2.3.4', 5))).toBe(false);
    expect(sockaddr_un('/a').equals(SockAddr.from(Uint8Array.of(1, 0, 0x2f, 0x61)))).toBe(true);
    expect(sockaddr_in('1.2.3.4', 5).equals(sockaddr_in('1.2.3.4', 6))).toBe(false);
    expect(sockaddr_un('@a').equals(sockaddr_un('\0a'))).toBe(false);
  });
});

// ---- properties

const bits = (count: number) => fc.nat({ max: 2 ** count - 1 });

/** Addresses of every family, as they can be made. */
const anyAddress = fc.oneof(
  fc.record({ address: bits(32), port: bits(16) }).map(({ address, port }) => sockaddr_in(address, port)),
  fc
    .record({
      address: fc.ipV6(),
      port: bits(16),
      flowinfo: fc.oneof(fc.constant(0), bits(32)),
      scopeId: fc.oneof(fc.constant(0), bits(32)),
    })
    .map(({ address, port, ...more }) => sockaddr_in6(address, port, more)),
  fc
    .string({ unit: 'binary', maxLength: 100 })
    .map((path) => (Buffer.byteLength(path) > 108 || /^[^\0].*\0/s.test(path) ? '/x' : path))
    .map(sockaddr_un),
  fc.uint8Array({ maxLength: 107 }).map((name) => sockaddr_un(Uint8Array.of(0, ...name))),
  fc.uint8Array({ minLength: 1, maxLength: 108 }).map((path) => sockaddr_un(path.map((byte) => byte || 1))),
  fc.record({ pid: bits(32), groups: bits(32) }).map(({ pid, groups }) => sockaddr_nl(pid, groups)),
  fc
    .record({
      protocol: bits(16),
      ifindex: bits(31),
      hatype: bits(16),
      pkttype: bits(8),
      address: fc.uint8Array({ maxLength: 8 }),
    })
    .map(({ protocol, ifindex, ...more }) => sockaddr_ll(protocol, ifindex, more)),
  fc.record({ cid: bits(32), port: bits(32) }).map(({ cid, port }) => sockaddr_vm(cid, port)),
  fc.record({ rx_id: bits(32), tx_id: bits(32) }).chain((tp) => bits(31).map((ifindex) => sockaddr_can(ifindex, tp))),
  fc
    .record({ name: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), pgn: bits(32), addr: bits(8) })
    .map((j1939) => sockaddr_can(1, j1939)),
  fc.record({ type: bits(32), lower: bits(32), upper: bits(32) }).map((range) => sockaddr_tipc(range, -1)),
  fc.record({ flags: bits(16), shared_umem_fd: bits(31) }).map((more) => sockaddr_xdp(2, 3, more)),
  fc.constantFrom('sha256', 'authenc(hmac(sha256),cbc(aes))', 'x'.repeat(90)).map((name) => sockaddr_alg('hash', name)),
  fc.constant(sockaddr_unspec()),
);

/** Any bytes, many of them with a family that is known. */
const anyBytes = fc
  .tuple(
    fc.constantFrom(
      AF_UNSPEC,
      AF_UNIX,
      AF_INET,
      AF_INET6,
      AF_NETLINK,
      AF_PACKET,
      AF_VSOCK,
      AF_CAN,
      AF_TIPC,
      AF_XDP,
      AF_ALG,
      99,
    ),
    fc.uint8Array({ maxLength: 126 }),
    bits(7),
  )
  .map(([family, rest, length]) => SockAddr.from(Uint8Array.of(family, 0, ...rest).subarray(0, length)));

describe('parse is the inverse of toString', () => {
  test('for every address that can be made: all its bytes come back', () => {
    fc.assert(
      fc.property(anyAddress, (address) => {
        const text = `${address}`;
        expect(text.startsWith('bytes:')).toBe(false);
        expect(hex(SockAddr.parse(text))).toBe(hex(address));
      }),
      { numRuns: 2000 },
    );
  });

  test('for any bytes at all: an equal address comes back, with the same text', () => {
    fc.assert(
      fc.property(anyBytes, (address) => {
        const back = SockAddr.parse(`${address}`);
        expect(back.equals(address)).toBe(true);
        expect(`${back}`).toBe(`${address}`);
        const [given, read] = [address, back].map(({ pathBytes, bytes }) => pathBytes ?? bytes) as [
          Uint8Array,
          Uint8Array,
        ];
        expect(read.subarray(0, given.length)).toEqual(given);
        // Zeros that the kernel may leave out come back.
        expect(read.subarray(given.length).every((byte) => byte === 0)).toBe(true);
        if (address.family !== AF_PACKET && address.family !== AF_CAN) expect(read).toHaveLength(given.length);
      }),
      { numRuns: 2000 },
    );
  });

  test('different addresses have different texts', () => {
    fc.assert(
      fc.property(anyAddress, anyAddress, (one, other) => {
        expect(`${one}` === `${other}`).toBe(hex(one) === hex(other));
      }),
      { numRuns: 1000 },
    );
  });

  test('no text makes parse do anything but answer, or refuse', () => {
    const pieces = fc.constantFrom(
      '@',
      '/',
      '[',
      ']',
      ':',
      '.',
      '%',
      '1',
      '::',
      '127.0.0.1',
      'unix:',
      'bytes:',
      '\\x',
      'ff',
      '\0',
      'netlink:pid=',
      ',groups=',
      'vsock:',
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(pieces, fc.string({ maxLength: 3 })), { maxLength: 8 }), (parts) => {
        try {
          expect(SockAddr.parse(parts.join(''))).toBeInstanceOf(SockAddr);
        } catch (error) {
          expect(error instanceof TypeError || error instanceof RangeError).toBe(true);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

test('bytes of text are UTF-8', () => {
  expect(sockaddr_un('/ü').pathBytes).toEqual(bytes('/ü'));
});
