// Every row of the table of options, tried on the kernel: read, set, read back.
import { spawnSync } from 'node:child_process';
import {
  findOption,
  getOption,
  getsockopt,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPPROTO_TCP,
  linger,
  type Option,
  optionTable,
  raw,
  SO_GET_FILTER,
  SO_LINGER,
  SO_REUSEADDR,
  SO_TYPE,
  SOL_SOCKET,
  Struct,
  setOption,
  setsockopt,
  TCP_INFO,
  tcp_info,
  timeval,
} from 'posix-sockets';
import { describe, expect, test } from 'vitest';
import { ownNetwork } from './network-support.js';
import type { Exercise, Exercises } from './options/exercise.js';
import { familyExercises } from './options/families.js';
import { ipExercises } from './options/ip.js';
import { absence, Lacking, namesOf, type Place, placeOf, places } from './options/places.js';
import { samples } from './options/samples.js';
import { sctpExercises } from './options/sctp.js';
import { socketExercises } from './options/socket.js';
import { tcpExercises } from './options/tcp.js';
import { haveNamespaces, havePython } from './support.js';

if (haveNamespaces) ownNetwork();

const options = Object.values<Option>(optionTable);

// By any name, as JavaScript lets one.
const read = getOption as (fd: number, name: string, question?: unknown) => unknown;
const set = setOption as (fd: number, name: string, value: unknown) => void;

/** Why an option of the headers has no row. */
const without: Record<string, string> = {
  SO_SECURITY_AUTHENTICATION: 'reserved, and no kernel knows it',
  SO_SECURITY_ENCRYPTION_TRANSPORT: 'reserved, and no kernel knows it',
  SO_SECURITY_ENCRYPTION_NETWORK: 'reserved, and no kernel knows it',
  IPV6_AUTHHDR: 'no kernel knows it',
  IPV6_HOPLIMIT: 'a control message only',
  IPV6_NEXTHOP: 'no kernel knows it',
  PACKET_TX_TIMESTAMP: 'a control message only',
  PACKET_RECV_OUTPUT: 'no kernel knows it',
  NETLINK_RX_RING: 'gone since Linux 4.6',
  NETLINK_TX_RING: 'gone since Linux 4.6',
  SO_VM_SOCKETS_PEER_HOST_VM_ID: 'of VMware, not of Linux',
  SO_VM_SOCKETS_TRUSTED: 'of VMware, not of Linux',
  SO_VM_SOCKETS_NONBLOCK_TXRX: 'of VMware, not of Linux',
  TCP_ZEROCOPY_RECEIVE: 'its struct holds pointers',
  MPTCP_FULL_INFO: 'its struct holds pointers',
  SCTP_SOCKOPT_CONNECTX3: 'its struct holds a pointer',
  XDP_UMEM_REG: 'its struct holds pointers',
};

describe('the table', () => {
  test('has a row for every option of the headers, and for nothing else', () => {
    const inHeaders = [...namesOf('OPTION'), ...namesOf('NEWER_OPTION')];
    expect([...Object.keys(optionTable), ...Object.keys(without)].sort()).toEqual(inHeaders.sort());
  });

  test('says of each its number and what it is', () => {
    expect(options.filter(({ number }) => !Number.isInteger(number))).toEqual([]);
    expect(options.filter(({ doc }) => !doc)).toEqual([]);
    expect(optionTable.SO_LINGER).toMatchObject({ name: 'SO_LINGER', levels: [SOL_SOCKET], number: SO_LINGER });
  });

  test('is searched by level and number, for reading and for setting', () => {
    expect(findOption(SOL_SOCKET, SO_LINGER)).toBe(optionTable.SO_LINGER);
    expect(findOption(IPPROTO_TCP, TCP_INFO)).toBe(optionTable.TCP_INFO);
    expect(findOption(SOL_SOCKET, SO_GET_FILTER)).toBe(optionTable.SO_GET_FILTER);
    expect(findOption(SOL_SOCKET, SO_GET_FILTER, true)).toBe(optionTable.SO_ATTACH_FILTER);
    expect(findOption(SOL_SOCKET, SO_TYPE, true)).toBeUndefined();
    expect(findOption(IPPROTO_IP, 42)).toBeUndefined(); // MCAST_JOIN_GROUP can only be set
    expect(findOption(IPPROTO_IP, 42, true)).toBe(optionTable.MCAST_JOIN_GROUP);
    expect(findOption(IPPROTO_IPV6, 42, true)).toBe(optionTable.MCAST_JOIN_GROUP);
    expect(findOption(-1, -1)).toBeUndefined();
  });
});

// ---- each row of it, on the kernel

const exercises: Exercises = {
  ...socketExercises,
  ...ipExercises,
  ...tcpExercises,
  ...sctpExercises,
  ...familyExercises,
};

/** A value as the test compares it. */
const plain = (value: unknown): unknown =>
  Array.isArray(value) ? value.map(plain) : value instanceof Struct ? value.toJSON() : value;

/** What to do with an option of which nothing else is said: set it, and read it back. */
function exerciseOf(option: Option): Exercise | undefined {
  const { name, access } = option;
  const place = placeOf(option);
  const own = exercises[name as keyof Exercises];
  if (own || !place || access !== 'both') return own;
  return () => {
    const fd = places[place]();
    const before = read(fd, name);
    const { set: value, back = value } = samples[name] ?? { set: !before };
    if (!samples[name]) expect(before).toBeTypeOf('boolean'); // anything but a switch needs a sample
    set(fd, name, value);
    expect(plain(read(fd, name))).toEqual(plain(back));
    expect(plain(before)).not.toEqual(plain(back));
  };
}

/** Does an exercise while the kernel is not told of an option, or not asked for it. @returns whether that was noticed */
async function isMissed(
  { levels, number }: Option,
  call: 'getsockopt' | 'setsockopt',
  exercise: Exercise,
): Promise<boolean> {
  const { [call]: honest } = raw;
  raw[call] = (fd: number, level: number, name: number, value: never) => {
    if (!levels.includes(level) || name !== number) return honest(fd, level, name, value);
    raw.out[0] = 0;
    return 0;
  };
  try {
    await exercise();
    return false;
  } catch (error) {
    return !(error instanceof Lacking);
  } finally {
    raw[call] = honest;
  }
}

describe('each option does what it is for, and its test would miss it', () => {
  test('there is a test of every option, and of nothing else', () => {
    expect(options.filter((option) => !exerciseOf(option)).map(({ name }) => name)).toEqual([]);
    expect(Object.keys({ ...exercises, ...samples }).filter((name) => !Object.hasOwn(optionTable, name))).toEqual([]);
    expect(Object.keys(samples).filter((name) => Object.hasOwn(exercises, name))).toEqual([]);
  });

  test.for(options.map((option) => [option.name, option] as const))('%s', async ([name, option], { skip }) => {
    const exercise = exerciseOf(option) as Exercise;
    try {
      await exercise();
    } catch (error) {
      const why = absence(error, name);
      if (why) skip(why);
      throw error;
    }
    if (option.access !== 'read') expect(await isMissed(option, 'setsockopt', exercise)).toBe(true);
    if (option.access !== 'write') expect(await isMissed(option, 'getsockopt', exercise)).toBe(true);
    await exercise(); // so it was the option that was missed, and nothing that the exercise had left behind
  });
});

// ---- the same bytes as somebody else reads

describe.skipIf(!havePython)('Python reads the same bytes (needs python3)', () => {
  const pairs: [place: Place, level: RegExp][] = [
    ['connectedTcp', /^(SO|IP|TCP)_/],
    ['udp', /^(SO|IP|UDP)_/],
    ['udp6', /^(SO|IPV6)_/],
    ['connectedUnix', /^SO_/],
    ['netlink', /^(SO|NETLINK)_/],
  ];
  // What changes between two looks, makes a descriptor, or reads in the buffer what is asked, which of Python's is anything.
  const changing =
    /^(TCP_INFO|TCP_CC_INFO|TCP_TIMESTAMP|SO_MEMINFO|SO_INCOMING_CPU|SO_PEERPIDFD|SO_VM_.*|SO_ORIGINAL_DST|TCP_QUEUE_SEQ|IPV6_FLOWLABEL_MGR|TCP_AO_.*)$/;

  test.for(pairs)('on a socket: %s', ([place, prefix]) => {
    const fd = places[place]();
    const asked = options.filter(
      ({ name, access, content }) =>
        prefix.test(name) && access !== 'write' && !changing.test(name) && content.room <= 1024,
    );
    const ours = Object.fromEntries(
      asked.map(({ name, levels: [level], number, content }): [string, string | number] => {
        const bytes = new Uint8Array(content.room);
        const answer = raw.getsockopt(fd, level as number, number, bytes);
        return [name, answer < 0 ? answer : Buffer.from(bytes.subarray(0, raw.out[0])).toString('hex')];
      }),
    );
    const program = `
import json, socket
asked = json.loads('''${JSON.stringify(asked.map(({ name, levels, number, content }) => [name, levels[0], number, content.room]))}''')
s = socket.socket(fileno=3)
theirs = {}
for name, level, number, room in asked:
    try: theirs[name] = s.getsockopt(level, number, room).hex()
    except OSError as e: theirs[name] = -e.errno
print(json.dumps(theirs))`;
    const { stdout, stderr } = spawnSync('python3', ['-c', program], {
      stdio: ['ignore', 'pipe', 'pipe', fd],
      encoding: 'utf8',
      timeout: 15_000,
    });
    expect(stderr).toBe('');
    expect(ours).toEqual(JSON.parse(stdout));
    expect(Object.values(ours).filter((value) => typeof value === 'string').length).toBeGreaterThan(25);
  });
});

// ---- what it refuses

describe('getOption and setOption', () => {
  test('refuse a name that is no option, or cannot be read or set', () => {
    const fd = places.tcp();
    expect(() => read(fd, 'SO_NONSENSE')).toThrow(new TypeError("'SO_NONSENSE' is no option that can be read"));
    expect(() => read(fd, 'toString')).toThrow(TypeError);
    expect(() => read(fd, 'SO_SNDBUFFORCE')).toThrow(new TypeError("'SO_SNDBUFFORCE' is no option that can be read"));
    expect(() => set(fd, 'SO_TYPE', 1)).toThrow(new TypeError("'SO_TYPE' is no option that can be set"));
  });

  test('name the option in the error', () => {
    const fd = places.tcp();
    expect(() => set(fd, 'SO_REUSEADDR', 1)).toThrow(new TypeError('SO_REUSEADDR must be true or false, not 1'));
    expect(() => set(fd, 'SO_LINGER', 1)).toThrow(new TypeError('SO_LINGER must be a linger, or its fields, not 1'));
  });

  const misfits: [name: string, value: unknown, error: typeof TypeError | typeof RangeError][] = [
    ['SO_REUSEADDR', 1, TypeError],
    ['SO_SNDBUF', '1', TypeError],
    ['SO_SNDBUF', 1.5, RangeError],
    ['SO_SNDBUF', 2 ** 31, RangeError],
    ['SO_MARK', -1, RangeError],
    ['SO_MAX_PACING_RATE', 1, TypeError],
    ['SO_MAX_PACING_RATE', -1n, RangeError],
    ['SO_LINGER', 1, TypeError],
    ['SO_LINGER', null, TypeError],
    ['SO_LINGER', new timeval(), TypeError],
    ['SO_LINGER', new Uint8Array(8), TypeError],
    ['SO_LINGER', { l_on: 1 }, TypeError],
    ['TCP_CONGESTION', 1, TypeError],
    ['TCP_CONGESTION', 'a\0b', TypeError],
    ['IP_OPTIONS', 'text', TypeError],
    ['IP_MULTICAST_IF', '1.2.3', TypeError],
    ['MCAST_JOIN_GROUP', { gr_group: '239.1.2.3' }, TypeError],
    ['SO_ATTACH_FILTER', 'text', TypeError],
    ['SCTP_SOCKOPT_BINDX_ADD', 'text', TypeError],
    ['SCTP_SOCKOPT_BINDX_ADD', ['127.0.0.1:7'], TypeError],
    ['SCTP_HMAC_IDENT', 1, TypeError],
    ['SCTP_HMAC_IDENT', [65_536], RangeError],
  ];
  test.for(misfits)('%s does not hold %o', ([name, value, error]) => {
    const fd = places.tcp();
    expect(() => set(fd, name, value)).toThrow(error);
  });

  test('throw what the kernel says', () => {
    const unix = places.unix();
    expect(() => getOption(unix, 'TCP_NODELAY')).toThrow(
      expect.objectContaining({ code: 'EOPNOTSUPP', syscall: 'getsockopt' }),
    );
    expect(() => setOption(unix, 'TCP_NODELAY', true)).toThrow(expect.objectContaining({ syscall: 'setsockopt' }));
    expect(() => setOption(places.tcp(), 'TCP_CONGESTION', 'none such')).toThrow(
      expect.objectContaining({ code: 'ENOENT' }),
    );
    expect(() => getOption(-1, 'SO_TYPE')).toThrow(expect.objectContaining({ code: 'EBADF' }));
    expect(() => setOption(-1, 'SO_KEEPALIVE', true)).toThrow(expect.objectContaining({ code: 'EBADF' }));
  });
});

// ---- what TypeScript knows

test('TypeScript knows what an option holds', () => {
  // Compiled with the rest, and not run: each line marked so must not compile.
  const unused = (fd: number) => {
    const on: boolean = getOption(fd, 'SO_REUSEADDR');
    const name: string = getOption(fd, 'TCP_CONGESTION');
    const rtt: number = getOption(fd, 'TCP_INFO').tcpi_rtt;
    const cookie: bigint = getOption(fd, 'SO_COOKIE');
    const groups: number[] = getOption(fd, 'SO_PEERGROUPS');
    setOption(fd, 'SO_LINGER', { l_onoff: 1 });
    setOption(fd, 'SO_LINGER', new linger());
    // @ts-expect-error it cannot be set
    setOption(fd, 'SO_TYPE', 1);
    // @ts-expect-error there is no such option
    getOption(fd, 'SO_NONSENSE');
    // @ts-expect-error it holds a struct linger
    setOption(fd, 'SO_LINGER', new timeval());
    // @ts-expect-error struct linger has no such field
    setOption(fd, 'SO_LINGER', { l_on: 1 });
    // @ts-expect-error it holds true or false
    setOption(fd, 'SO_REUSEADDR', 1);

    getsockopt(fd, SOL_SOCKET, SO_LINGER, new linger());
    getsockopt(fd, SOL_SOCKET, SO_LINGER, new Uint8Array(8));
    getsockopt(fd, IPPROTO_TCP, TCP_INFO, new tcp_info());
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    setsockopt(fd, SOL_SOCKET, SO_LINGER, new linger());
    setsockopt(fd, SOL_SOCKET, SO_LINGER as number, new timeval()); // a plain number takes anything
    // @ts-expect-error it holds a struct linger
    getsockopt(fd, SOL_SOCKET, SO_LINGER, new timeval());
    // @ts-expect-error it holds more than an int
    getsockopt(fd, SOL_SOCKET, SO_LINGER);
    // @ts-expect-error it holds a struct linger
    setsockopt(fd, SOL_SOCKET, SO_LINGER, 1);
    // @ts-expect-error it holds an int
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, new linger());
    return [on, name, rtt, cookie, groups];
  };
  expect(unused).toBeTypeOf('function');
});
