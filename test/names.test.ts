import { lookup } from 'node:dns/promises';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import {
  AF_INET,
  AF_INET6,
  AF_PACKET,
  AF_UNIX,
  AF_UNSPEC,
  AI_CANONNAME,
  AI_NUMERICHOST,
  AI_NUMERICSERV,
  AI_PASSIVE,
  EAFNOSUPPORT,
  EAI_BADFLAGS,
  EAI_FAMILY,
  EAI_NONAME,
  ENODEV,
  ENOENT,
  ENOSPC,
  ENXIO,
  GaiError,
  gai_strerror,
  getaddrinfo,
  getaddrinfoAsync,
  getifaddrs,
  getnameinfo,
  getprotobyname,
  getservbyname,
  htonl,
  htons,
  IFF_LOOPBACK,
  IPPROTO_TCP,
  IPPROTO_UDP,
  if_indextoname,
  if_nameindex,
  if_nametoindex,
  inet_ntop,
  inet_pton,
  NI_DGRAM,
  NI_NAMEREQD,
  NI_NUMERICHOST,
  NI_NUMERICSERV,
  ntohl,
  ntohs,
  raw,
  SOCK_DGRAM,
  SOCK_STREAM,
  SockAddr,
  sockaddr_in,
  sockaddr_in6,
  sockaddr_un,
} from 'posix-sockets';
import { describe, expect, test } from 'vitest';
import { bytes, errorOf, folder, haveCompiler, haveNamespaces, havePython, run, runInNamespace } from './support.js';

const utf8 = (room: Uint8Array, length: number) => new TextDecoder().decode(room.subarray(0, length));

/** The GaiError that a call throws. */
function gaiErrorOf(call: () => unknown): GaiError {
  try {
    call();
  } catch (error) {
    if (error instanceof GaiError) return error;
    throw error;
  }
  throw new Error('the call did not fail');
}

/** What Python's socket module answers, as JSON. */
async function pythonSays(expression: string): Promise<unknown> {
  const { stdout, stderr } = await run('python3', ['-c', `import json, socket\nprint(json.dumps(${expression}))`]);
  expect(stderr).toBe('');
  return JSON.parse(stdout);
}

/** Debian's package netbase. */
const haveServices = existsSync('/etc/services');

describe('getaddrinfo', () => {
  test('an address and a port as text', () => {
    const [answer, ...rest] = getaddrinfo('127.0.0.1', '80', { socktype: SOCK_STREAM, flags: AI_NUMERICHOST });
    expect(rest).toEqual([]);
    expect(answer).toMatchObject({ family: AF_INET, socktype: SOCK_STREAM, protocol: IPPROTO_TCP });
    expect(`${answer?.address}`).toBe('127.0.0.1:80');
    expect(answer).not.toHaveProperty('canonname');
  });

  test('null for a node is the wildcard, or loopback; null for a service is port 0', () => {
    const hints = { family: AF_INET, socktype: SOCK_DGRAM };
    expect(`${getaddrinfo(null, '53', { ...hints, flags: AI_PASSIVE })[0]?.address}`).toBe('0.0.0.0:53');
    expect(`${getaddrinfo(null, '53', hints)[0]?.address}`).toBe('127.0.0.1:53');
    expect(`${getaddrinfo('10.1.2.3', null, hints)[0]?.address}`).toBe('10.1.2.3:0');
  });

  test('null for hints is none, as in C; what is no object is refused', async () => {
    expect(getaddrinfo('127.0.0.1', '7', null)).toHaveLength(3);
    expect(await getaddrinfoAsync('127.0.0.1', '7', null)).toHaveLength(3);
    expect(() => getaddrinfo('127.0.0.1', '7', 5 as never)).toThrow('hints must be an object, not 5');
    await expect(getaddrinfoAsync('127.0.0.1', '7', 5 as never)).rejects.toThrow('hints must be an object, not 5');
    expect(() => getaddrinfo(null, null)).toThrow('getaddrinfo EAI_NONAME * (');
  });

  test('without hints: each socket type, and a scoped IPv6 address', () => {
    expect(getaddrinfo('127.0.0.1', '7').map(({ socktype }) => socktype)).toEqual([SOCK_STREAM, SOCK_DGRAM, 3]);
    const [answer] = getaddrinfo('fe80::1%lo', '7');
    expect(answer?.address).toMatchObject({
      family: AF_INET6,
      address: 'fe80::1',
      scopeId: if_nametoindex('lo'),
      port: 7,
    });
  });

  test('AI_CANONNAME names the host in the first answer', () => {
    const [first, ...rest] = getaddrinfo('localhost', null, { flags: AI_CANONNAME });
    expect(first?.canonname).toMatch(/^\S+$/);
    for (const other of rest) expect(other).not.toHaveProperty('canonname');
  });

  test('the async form answers the same, off the main thread', async () => {
    const questions: [string | null, string | null][] = [
      ['127.0.0.1', '80'],
      ['localhost', null],
      [null, '9'],
    ];
    for (const [node, service] of questions) {
      const plain = (list: ReturnType<typeof getaddrinfo>) =>
        list.map((entry) => ({ ...entry, address: `${entry.address}` }));
      expect(plain(await getaddrinfoAsync(node, service))).toEqual(plain(getaddrinfo(node, service)));
    }
    const many = await Promise.all(Array.from({ length: 200 }, (_, i) => getaddrinfoAsync(`10.0.0.${i}`, '1')));
    expect(many.map(([answer]) => answer?.address.address)).toEqual(
      Array.from({ length: 200 }, (_, i) => `10.0.0.${i}`),
    );
  });

  test.skipIf(!havePython)('Python has the same answers (needs python3)', async () => {
    for (const [node, service, family] of [
      ['localhost', '80', AF_INET],
      ['::1', haveServices ? 'http' : '80', AF_UNSPEC],
      ['1.2.3', null, AF_UNSPEC], // 1.2.0.3: inet_aton's short forms
      ['0x7f.1', '1', AF_UNSPEC],
    ] as const) {
      const theirs = await pythonSays(
        `[[f, t, p, c, a[0], a[1]] for f, t, p, c, a in socket.getaddrinfo(${node ? `'${node}'` : 'None'}, ${service ? `'${service}'` : 'None'}, ${family})]`,
      );
      const ours = getaddrinfo(node, service, { family }).map(
        ({ family, socktype, protocol, address, canonname = '' }) => {
          return [family, socktype, protocol, canonname, address.address, address.port];
        },
      );
      expect(ours).toEqual(theirs);
    }
  });

  test('EAI_NONAME, EAI_SERVICE, EAI_FAMILY, EAI_SOCKTYPE, EAI_BADFLAGS', async () => {
    const numeric = { flags: AI_NUMERICHOST };
    const error = gaiErrorOf(() => getaddrinfo('nobody', '80', numeric));
    expect({ ...error, message: error.message }).toEqual({
      code: 'EAI_NONAME',
      errno: EAI_NONAME,
      syscall: 'getaddrinfo',
      reason: 'Name or service not known',
      message: 'getaddrinfo EAI_NONAME nobody:80 (Name or service not known)',
      name: 'GaiError',
    });
    expect(gaiErrorOf(() => getaddrinfo(null, null)).code).toBe('EAI_NONAME');
    expect(gaiErrorOf(() => getaddrinfo('::1', null, { ...numeric, family: AF_INET })).code).toMatch(
      /EAI_(ADDRFAMILY|NONAME)/,
    );
    expect(gaiErrorOf(() => getaddrinfo('127.0.0.1', 'no such service')).code).toBe('EAI_SERVICE');
    expect(gaiErrorOf(() => getaddrinfo('127.0.0.1', 'http', { flags: AI_NUMERICSERV })).code).toBe('EAI_NONAME');
    expect(gaiErrorOf(() => getaddrinfo('127.0.0.1', '1', { family: AF_PACKET })).code).toBe('EAI_FAMILY');
    expect(gaiErrorOf(() => getaddrinfo('127.0.0.1', '1', { socktype: 77 })).code).toBe('EAI_SOCKTYPE');
    expect(gaiErrorOf(() => getaddrinfo('127.0.0.1', '1', { flags: 0x8000 })).code).toBe('EAI_BADFLAGS');
    await expect(getaddrinfoAsync('nobody', null, numeric)).rejects.toMatchObject({
      code: 'EAI_NONAME',
      syscall: 'getaddrinfo',
    });
  });

  test('raw: records in a buffer, and how large one would do', async () => {
    const ask = (room: Uint8Array) =>
      raw.getaddrinfo(bytes('127.0.0.1'), null, AI_NUMERICHOST, 0, SOCK_STREAM, 0, room);
    const size = ask(new Uint8Array(0));
    expect(size).toBe(6 * 4 + 16);
    const room = new Uint8Array(100).fill(0xee);
    expect(ask(room)).toBe(size);
    expect(room.subarray(size)).toEqual(new Uint8Array(60).fill(0xee));
    expect(await raw.getaddrinfoAsync(bytes('127.0.0.1'), null, AI_NUMERICHOST, 0, SOCK_STREAM, 0)).toEqual(
      room.subarray(0, size),
    );
    expect(raw.getaddrinfo(bytes('x'), null, AI_NUMERICHOST, 0, 0, 0, room)).toBe(EAI_NONAME);
    expect(await raw.getaddrinfoAsync(bytes('x'), null, AI_NUMERICHOST, 0, 0, 0)).toBe(EAI_NONAME);
    expect(raw.getaddrinfo(null, null, 0x8000, 0, 0, 0, room)).toBe(EAI_NONAME); // looked at first
    expect(raw.getaddrinfo(bytes('x'), null, 0x8000, 0, 0, 0, room)).toBe(EAI_BADFLAGS);
  });

  test.skipIf(!haveCompiler)('EAI_SYSTEM is the system error behind it (needs g++)', async () => {
    // glibc answers it seldom, so here is a getaddrinfo that does.
    const directory = folder();
    const source = join(directory, 'failing.cc');
    writeFileSync(
      source,
      `#include <cerrno>
       #include <netdb.h>
       extern "C" int getaddrinfo(const char*, const char*, const addrinfo*, addrinfo**) { errno = EMFILE; return EAI_SYSTEM; }`,
    );
    const library = join(directory, 'failing.so');
    expect((await run('g++', ['-shared', '-fPIC', '-o', library, source])).stderr).toBe('');
    const preload = `LD_PRELOAD="$LD_PRELOAD \${0}" exec "$1" --input-type=module --eval "$2"`;
    const code = `
      import { EAI_SYSTEM, getaddrinfo, getaddrinfoAsync, raw } from 'posix-sockets';
      const tell = (error) => console.log(error.name, error.code, error.syscall);
      try { getaddrinfo('x', null); } catch (error) { tell(error); }
      await getaddrinfoAsync('x', null).catch(tell);
      console.log(raw.getaddrinfo(null, null, 0, 0, 0, 0, new Uint8Array(1)) === EAI_SYSTEM, raw.out[0]);
      console.log(await raw.getaddrinfoAsync(null, null, 0, 0, 0, 0));`;
    const { stdout, stderr } = await run('sh', ['-c', preload, library, process.execPath, code]);
    const told = 'SystemError EMFILE getaddrinfo\n';
    expect({ stdout, stderr }).toEqual({ stdout: `${told}${told}true 24\n24\n`, stderr: '' });
  });

  test('text with a NUL inside, and what is no text', () => {
    expect(() => getaddrinfo('a\0b', null)).toThrow('node cannot have a NUL byte inside');
    expect(() => getaddrinfo(5 as never, null)).toThrow(TypeError);
    expect(() => raw.getaddrinfo(bytes('a\0b'), null, 0, 0, 0, 0, new Uint8Array(1))).toThrow(
      /'node' must be text without a NUL/,
    );
    expect(() => raw.getaddrinfo(new Uint8Array(65536), null, 0, 0, 0, 0, new Uint8Array(1))).toThrow(
      /'node' must be at most/,
    );
  });
});

describe('getnameinfo', () => {
  const numeric = NI_NUMERICHOST | NI_NUMERICSERV;

  test('an address as text', () => {
    expect(getnameinfo(sockaddr_in('10.1.2.3', 80), numeric)).toEqual({ host: '10.1.2.3', service: '80' });
    expect(getnameinfo(sockaddr_in6('fe80::1', 80, { scopeId: 1 }), numeric)).toEqual({
      host: 'fe80::1%lo',
      service: '80',
    });
  });

  test.skipIf(!haveServices)('a service by its name (needs /etc/services)', () => {
    expect(getnameinfo(sockaddr_in('127.0.0.1', 80), NI_NUMERICHOST).service).toBe('http');
    expect(getnameinfo(sockaddr_in('127.0.0.1', 514), NI_NUMERICHOST | NI_DGRAM).service).toBe('syslog');
  });

  test('a Unix address, whose path need not end with a NUL', () => {
    const path = `/${'x'.repeat(107)}`;
    expect(getnameinfo(sockaddr_un(path), NI_NUMERICHOST).service).toBe(path);
    expect(getnameinfo(sockaddr_un('/a'), NI_NUMERICHOST).service).toBe('/a');
    const room = new Uint8Array(4); // too short: EAI_OVERFLOW, or an older glibc's text without a NUL
    expect([0, -12]).toContain(raw.getnameinfo(sockaddr_un(path).bytes, null, room, NI_NUMERICHOST));
    expect([0, 4]).toContain(raw.out[1]);
  });

  test('EAI_FAMILY, EAI_NONAME, EAI_BADFLAGS, EAI_OVERFLOW', () => {
    expect(gaiErrorOf(() => getnameinfo(SockAddr.from(Uint8Array.of(99, 0, 0, 0))))).toMatchObject({
      code: 'EAI_FAMILY',
      syscall: 'getnameinfo',
    });
    expect(gaiErrorOf(() => getnameinfo(SockAddr.from(new Uint8Array(0)))).code).toBe('EAI_FAMILY');
    expect(gaiErrorOf(() => getnameinfo(sockaddr_in('10.1.2.3', 1), NI_NAMEREQD | NI_NUMERICHOST)).code).toBe(
      'EAI_NONAME',
    );
    expect(gaiErrorOf(() => getnameinfo(sockaddr_in('10.1.2.3', 1), 0x8000)).code).toBe('EAI_BADFLAGS');
    const address = sockaddr_in('10.1.2.3', 1).bytes;
    expect(raw.getnameinfo(address, new Uint8Array(3), null, numeric)).toBe(-12); // EAI_OVERFLOW
    expect(raw.getnameinfo(address.subarray(0, 15), new Uint8Array(64), null, numeric)).toBe(EAI_FAMILY);
  });
});

test('gai_strerror says what an EAI number means', () => {
  expect(gai_strerror(EAI_NONAME)).toBe('Name or service not known');
  expect(gai_strerror(12345)).toBe('Unknown error');
  const room = new Uint8Array(4);
  expect(raw.gai_strerror(EAI_NONAME, room)).toBe(25); // and four of them are here
  expect(utf8(room, 4)).toBe('Name');
});

describe('inet_pton and inet_ntop', () => {
  test.each([
    [AF_INET, '127.0.0.1', [127, 0, 0, 1]],
    [AF_INET, '255.255.255.255', [255, 255, 255, 255]],
    [AF_INET6, '::', new Array(16).fill(0)],
    [AF_INET6, '1:2:3:4:5:6:7:8', [0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8]],
    [AF_INET6, '::ffff:1.2.3.4', [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 1, 2, 3, 4]],
  ])('%d %s', (family, text, address) => {
    expect(inet_pton(family, text)).toEqual(Uint8Array.from(address));
    expect(inet_ntop(family, Uint8Array.from(address))).toBe(text);
    expect(inet_ntop(family, Uint8Array.from(address).buffer)).toBe(text);
  });

  test.each([
    [AF_INET, ['1.2.3', '1.2.3.4.5', '256.1.1.1', '01.2.3.4', '', ' 1.2.3.4', '1.2.3.4 ', '0x7f.0.0.1', '::1']],
    [AF_INET6, ['1.2.3.4', ':::', '1:2:3:4:5:6:7', '1:2:3:4:5:6:7:8:9', 'g::', '::1%lo', '12345::', '']],
  ])('%d refuses what is no address', (family, texts) => {
    for (const text of texts) {
      expect(() => inet_pton(family, text)).toThrow(TypeError);
      expect(raw.inet_pton(family, bytes(text), new Uint8Array(16))).toBe(0);
    }
    expect(() => inet_pton(family, '1.2.3.4\0')).toThrow('NUL');
  });

  test('EAFNOSUPPORT: another family; ENOSPC: no room for the text', () => {
    expect(errorOf(() => inet_pton(AF_UNIX, '1.2.3.4'))).toMatchObject({ code: 'EAFNOSUPPORT', syscall: 'inet_pton' });
    expect(errorOf(() => inet_ntop(AF_UNIX, new Uint8Array(16)))).toMatchObject({
      code: 'EAFNOSUPPORT',
      syscall: 'inet_ntop',
    });
    expect(raw.inet_pton(AF_UNIX, bytes('1.2.3.4'), new Uint8Array(0))).toBe(-EAFNOSUPPORT);
    expect(raw.inet_ntop(AF_INET, new Uint8Array(4), new Uint8Array(7))).toBe(-ENOSPC); // with the NUL it is 8
    expect(raw.inet_ntop(AF_INET, new Uint8Array(4), new Uint8Array(8))).toBe(7);
    expect(() => raw.inet_pton(AF_INET, bytes('1.2.3.4'), new Uint8Array(3))).toThrow(/'address' must be 4 bytes long/);
    expect(() => raw.inet_pton(AF_INET6, bytes('::'), new Uint8Array(15))).toThrow(/'address' must be 16 bytes long/);
    expect(() => inet_ntop(AF_INET6, new Uint8Array(15))).toThrow(/'address' must be 16 bytes long/);
    expect(() => inet_ntop(AF_INET, new Uint8Array(3))).toThrow(/'address' must be 4 bytes long/);
  });
});

describe('interfaces', () => {
  const fromKernel = () =>
    readdirSync('/sys/class/net')
      .filter((name) => name !== 'bonding_masters')
      .map((name) => ({ index: Number(readFileSync(`/sys/class/net/${name}/ifindex`, 'utf8')), name }))
      .sort((one, other) => one.index - other.index);

  test('if_nameindex, if_nametoindex and if_indextoname say what the kernel’s own files say', () => {
    const interfaces = fromKernel();
    expect(if_nameindex().sort((one, other) => one.index - other.index)).toEqual(interfaces);
    for (const { index, name } of interfaces) {
      expect(if_nametoindex(name)).toBe(index);
      expect(if_indextoname(index)).toBe(name);
    }
    expect(raw.if_nametoindex(bytes('lo'))).toBe(if_nametoindex('lo'));
    const room = new Uint8Array(1);
    expect(raw.if_indextoname(if_nametoindex('lo'), room)).toBe(2); // and one byte of it is here
    expect(utf8(room, 1)).toBe('l');
  });

  test('ENODEV, ENXIO: no such interface', () => {
    expect(errorOf(() => if_nametoindex('nobody'))).toMatchObject({ code: 'ENODEV', syscall: 'if_nametoindex' });
    expect(errorOf(() => if_nametoindex('a name that is much too long')).code).toBe('ENODEV');
    expect(errorOf(() => if_nametoindex('')).code).toBe('ENODEV');
    expect(errorOf(() => if_indextoname(2 ** 31))).toMatchObject({ code: 'ENXIO', syscall: 'if_indextoname' });
    expect([raw.if_nametoindex(bytes('nobody')), raw.if_indextoname(0, new Uint8Array(16))]).toEqual([-ENODEV, -ENXIO]);
  });

  test('getifaddrs says what Node says, and more', () => {
    const ours = getifaddrs();
    const inet = (family: number) =>
      ours
        .filter(({ address }) => address?.family === family)
        .map(({ name, address, netmask }) => `${name} ${address?.address} ${netmask?.address}`)
        .sort();
    const theirs = (family: string) =>
      Object.entries(networkInterfaces())
        .flatMap(([name, list]) => (list ?? []).map((entry) => ({ name, ...entry })))
        .filter((entry) => entry.family === family)
        .map(({ name, address, netmask }) => `${name} ${address} ${netmask}`)
        .sort();
    // Node leaves out interfaces that are not running.
    expect(inet(AF_INET)).toEqual(expect.arrayContaining(theirs('IPv4')));
    expect(inet(AF_INET6)).toEqual(expect.arrayContaining(theirs('IPv6')));

    const link = ours.find(({ name, address }) => name === 'lo' && address?.family === AF_PACKET);
    expect(link?.flags).toBe((link?.flags ?? 0) | IFF_LOOPBACK);
    expect(link?.address).toMatchObject({ ifindex: if_nametoindex('lo'), hatype: 772, address: '00:00:00:00:00:00' });
    expect(link?.data).toHaveLength(96); // struct rtnl_link_stats
  });

  test('raw: records are counted, not written, where there is no room', () => {
    const size = raw.getifaddrs(new Uint8Array(0));
    expect(size).toBeGreaterThan(0);
    const room = new Uint8Array(size);
    expect(raw.getifaddrs(room)).toBe(size);
    expect(raw.if_nameindex(new Uint8Array(0))).toBeGreaterThan(8);
  });

  test.skipIf(!haveNamespaces)(
    'more addresses than a first guess has room for (needs a network namespace)',
    async () => {
      const { stdout, stderr } = await runInNamespace(`
      import { execSync } from 'node:child_process';
      import { getifaddrs } from 'posix-sockets';
      const lines = Array.from({ length: 250 }, (_, i) => \`addr add 10.0.0.\${i + 1}/24 dev lo\\n\`);
      execSync('ip -batch -', { input: lines.join('') });
      console.log(getifaddrs().filter(({ address }) => address?.address?.startsWith('10.0.0.')).length);`);
      expect({ stdout, stderr }).toEqual({ stdout: '250\n', stderr: '' });
    },
  );
});

describe('services and protocols', () => {
  test.skipIf(!haveServices)('getservbyname: the port, in host order (needs /etc/services)', () => {
    expect([getservbyname('http', 'tcp'), getservbyname('domain', 'udp'), getservbyname('https')]).toEqual([
      80, 53, 443,
    ]);
    expect(raw.getservbyname(bytes('ssh'), bytes('tcp'))).toBe(22);
    expect(errorOf(() => getservbyname('no such service'))).toMatchObject({ code: 'ENOENT', syscall: 'getservbyname' });
    expect(errorOf(() => getservbyname('http', 'ddp')).code).toBe('ENOENT');
    expect(raw.getservbyname(bytes('none'), null)).toBe(-ENOENT);
  });

  test.skipIf(!existsSync('/etc/protocols'))('getprotobyname: the number (needs /etc/protocols)', () => {
    expect([getprotobyname('tcp'), getprotobyname('udp'), getprotobyname('TCP')]).toEqual([
      IPPROTO_TCP,
      IPPROTO_UDP,
      IPPROTO_TCP,
    ]);
    expect(errorOf(() => getprotobyname('none'))).toMatchObject({ code: 'ENOENT', syscall: 'getprotobyname' });
    expect(raw.getprotobyname(bytes('none'))).toBe(-ENOENT);
  });
});

describe('byte order', () => {
  test('network order is big-endian', () => {
    const network = new DataView(new ArrayBuffer(4));
    new Uint16Array(network.buffer)[0] = htons(0x1234);
    expect(network.getUint16(0)).toBe(0x1234);
    new Uint32Array(network.buffer)[0] = htonl(0xdeadbeef);
    expect(network.getUint32(0)).toBe(0xdeadbeef);
    expect([ntohs(htons(0xfffe)), ntohl(htonl(0xfffffffe))]).toEqual([0xfffe, 0xfffffffe]);
    expect([raw.ntohs(raw.htons(1)), raw.ntohl(raw.htonl(1))]).toEqual([1, 1]);
  });

  test('what does not fit is refused', () => {
    for (const value of [65536, -1, 1.5, Number.NaN, '1']) expect(() => htons(value as number)).toThrow(/'value'/);
    for (const value of [2 ** 32, 1.5, Number.NaN, '1']) expect(() => htonl(value as number)).toThrow(/'value'/);
  });
});

test('the address that Node finds for a name is among ours', async () => {
  const { address } = await lookup('localhost');
  expect(getaddrinfo('localhost', null).map((answer) => answer.address.address)).toContain(address);
});
