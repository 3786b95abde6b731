// The tracer's lines against those of strace(1), which nobody here wrote: programs run under both at once.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { constants, type Option, optionTable, raw } from 'posix-sockets';
import { calls, type RawCall } from 'posix-sockets/trace';
import { describe, expect, test } from 'vitest';
import { folder, haveStrace, run } from './support.js';

/** A call as the tracer shows it, and the system call that strace saw there. */
interface Pair {
  readonly call: RawCall;
  readonly ours: string;
  readonly theirs: string;
}

const traced =
  'desc,network,rt_sigprocmask,gettid,pidfd_open,pidfd_getfd,pidfd_send_signal,memfd_create,mmap,munmap,unshare,setns,' +
  'io_uring_setup,io_uring_enter';

/** Runs a fixture under strace with the tracer on; marked.mjs says how the two are joined. */
async function runBoth(fixture: string): Promise<Pair[]> {
  const [output, ourLines] = [folder(), join(folder(), 'lines')];
  const node = [process.execPath, join(import.meta.dirname, 'fixtures/strace', fixture), ourLines];
  const strace = ['-ff', '-qq', '-a1', '-esignal=none', `-etrace=${traced}`, '-o', join(output, 'of')];
  const { code, stderr } = await run('strace', [...strace, ...node], 60_000);
  expect(stderr).toBe('');
  expect(code).toBe(0);
  const ours = JSON.parse(readFileSync(ourLines, 'utf8')) as [RawCall, string][];
  const theirs = readdirSync(output)
    .flatMap((name) => marked(readFileSync(join(output, name), 'latin1')))
    .filter((lines) => lines.length > 0); // arguments may be refused, and then there is no call
  expect(theirs).toHaveLength(ours.length);
  return ours.map(([call, line], i) => ({ call, ours: line, theirs: select(call, theirs[i] ?? []) ?? '' }));
}

/** What stands between two marks. A call that was refused has but the first. */
function marked(log: string): string[][] {
  const parts = log.split('close(-1001) ').slice(1);
  return parts
    .filter((part) => part.includes('close(-1002) '))
    .map((part) => part.slice(0, part.indexOf('close(-1002) ')).trimEnd().split('\n').slice(1));
}

const memoryCall = /^(m(un)?map|newfstatat|fstat)\(/;

/** The call itself among what stands between its marks: its arguments may have needed memory. */
function select(call: RawCall, lines: readonly string[]): string | undefined {
  if (call === 'mmap') return lines.find((line) => /^mmap\((?!.*MAP_ANONYMOUS)/.test(line));
  return lines.find((line) => (call === 'munmap') === memoryCall.test(line));
}

// The tracer speaks of the C library's functions, strace of the kernel's system calls. Each is here what the C library
// makes of the function, turned back.
const flagsOf = (text: string) =>
  (text.match(/\w+/g) ?? []).reduce((all, flag) => all + (constants[flag] ?? (Number(flag) || 0)), 0);
const sigsetSize = /, 8\) = /;
const timeLeft = /(, left \{.*?\})/;
const asCalled: Partial<Record<RawCall, (line: string, ours: string) => string>> = {
  send: (line) => line.replace(/^sendto\((.*), NULL, 0\) = /, 'send($1) = '),
  recv: (line) => line.replace(/^recvfrom\((.*), NULL, NULL\) = /, 'recv($1) = '),
  eventfd: (line) => line.replace(/^eventfd2/, 'eventfd'),
  signalfd: (line) => line.replace(/^signalfd4(.*\]), 8, /, 'signalfd$1, '),
  sockatmark: (line) =>
    line
      .replace(/^ioctl\((\d+), SIOCATMARK, \[(\d)\]\) = 0/, 'sockatmark($1) = $2')
      .replace(/^ioctl\((\d+), SIOCATMARK, \w+\) = -1/, 'sockatmark($1) = -1'),
  fcntl: (line, ours) =>
    !ours.includes('F_GETOWN)')
      ? line
      : line
          .replace(/F_GETOWN_EX, \{type=F_OWNER_PID, pid=(\d+)\}\) = 0/, 'F_GETOWN) = $1')
          .replace(/F_GETOWN_EX, 0x\w+\) = -1/, 'F_GETOWN) = -1'),
  select: (line) =>
    line
      .replace(/^pselect6\((.*), NULL\) = /, 'select($1) = ')
      .replace(/tv_nsec=(\d+)/g, (_, nanos) => `tv_usec=${Math.floor(Number(nanos) / 1000)}`),
  pselect: (line) =>
    line.replace(/^pselect6\((.*), \{sigmask=(.*), sigsetsize=8\}\) = /, 'pselect($1, $2) = ').replace(timeLeft, ''),
  ppoll: (line) => line.replace(sigsetSize, ') = ').replace(timeLeft, ''),
  epoll_wait: (line) => line.replace(/^epoll_pwait\((.*), NULL, 0\) = /, 'epoll_wait($1) = '),
  epoll_pwait: (line) => line.replace(sigsetSize, ') = '),
  epoll_pwait2: (line) => line.replace(sigsetSize, ') = '),
  recvmmsg: (line) => line.replace(/ \(left \{.*?\}\)$/, ''),
  // An older strace gives a number for the features that it does not know, and for the flags.
  io_uring_setup: (line, ours) => {
    for (const field of ['flags', 'features']) {
      const [mine, its] = [ours, line].map(
        (text) => new RegExp(`${field}=([\\w|]+(?: /\\* \\w+\\?+ \\*/)?)`).exec(text)?.[1] ?? '',
      );
      if (flagsOf(mine as string) === flagsOf(its as string)) line = line.replace(its as string, mine as string);
    }
    return line;
  },
  // It looks neither at the extended argument nor into the queues.
  io_uring_enter: (line, ours) =>
    line.replace(/0x\w+(?=, 24\))/, /\{sigmask=.*\}(?=, 24\))/.exec(ours)?.[0] ?? '') +
    (/ \((sqes|cqes)=.*\)$/.exec(ours)?.[0] ?? ''),
  pthread_sigmask: (line) => line.replace(/^rt_sigprocmask/, 'pthread_sigmask').replace(sigsetSize, ') = '),
};

// Of two names for one number the tracer writes that of the man pages.
const otherNames: Readonly<Record<string, string>> = {
  FASYNC: 'O_ASYNC',
  SO_RCVTIMEO_OLD: 'SO_RCVTIMEO',
  SO_SNDTIMEO_OLD: 'SO_SNDTIMEO',
  SO_TIMESTAMP_OLD: 'SO_TIMESTAMP',
  SO_TIMESTAMPNS_OLD: 'SO_TIMESTAMPNS',
  SO_TIMESTAMPING_OLD: 'SO_TIMESTAMPING',
  IP_ORIGDSTADDR: 'IP_RECVORIGDSTADDR',
  IPV6_ORIGDSTADDR: 'IPV6_RECVORIGDSTADDR',
  SIOCGSTAMP_OLD: 'SIOCGSTAMP',
  SIOCGSTAMPNS_OLD: 'SIOCGSTAMPNS',
  SIOCPROTOPRIVATE: 'SIOCUNIXFILE',
  SO_VM_SOCKETS_CONNECT_TIMEOUT_OLD: 'SO_VM_SOCKETS_CONNECT_TIMEOUT',
};
const pointerNames = new Set([
  ...Object.values(calls).flatMap(({ parameters }) => parameters.flatMap(({ names }) => names)),
  'msg_name',
  'msg_control',
  'iov_base',
  'ifc_buf',
  'filter',
  'memory',
]);

/** Whether the tracer says the same as strace in other words, or more. */
function sameValue(ours: string, theirs: string, before: string): boolean {
  if (otherNames[theirs] === ours) return true;
  if (ours === 'NULL' && theirs === '""') return true;
  // Control messages have names of their own for the numbers of options.
  if (before.endsWith('cmsg_type=') && theirs in constants) return constants[ours] === constants[theirs];
  const [, digits] = /^(0x[0-9a-f]+|\d+)(?: \/\* \w+\?+ \*\/)?$/.exec(theirs) ?? [];
  if (digits !== undefined) {
    // An address, where the tracer has the parameter's name; or a number for which strace knows no name, or no label.
    if (pointerNames.has(ours)) return Number(digits) > 0xffff;
    if (ours === 'NULL') return true; // of an empty buffer the address says nothing
    return (constants[ours] ?? Number(/^\w+/.exec(ours)?.[0])) >>> 0 === Number(digits);
  }
  const isOption = /^[gs]etsockopt\([^,]*, [^,]*, [^,]*, $/.test(before);
  // Bytes that strace leaves as they are, or takes for an int.
  if (isOption && /^"|^\[-?\d+\]$/.test(theirs)) return /^[[{]|^inet_addr/.test(ours);
  const [, type, number] = /^_IOC\(_IOC_NONE, (\w+), (\w+), 0\)$/.exec(theirs) ?? [];
  if (type !== undefined) return constants[ours] === Number(type) * 256 + Number(number);
  // What the tracer does not decode: where an interface card's memory lies.
  if (ours === 'argp') return /^\{ifr_name="", ifr_map=|^\{ifr_name=""\}$/.test(theirs);
  return before.endsWith('cmsg_data=') && theirs === '???';
}

/** Where the value ends that begins at `start`. */
function endOfValue(line: string, start: number): number {
  let depth = 0;
  for (let i = start; i < line.length; i++) {
    const character = line[i] as string;
    if (character === '"') {
      for (i++; line[i] !== '"'; i++) if (line[i] === '\\') i++;
    } else if ('([{'.includes(character)) depth++;
    else if (')]}'.includes(character) && depth-- === 0) return i;
    else if (',|'.includes(character) && depth === 0) return i;
  }
  return line.length;
}

/** Where the value begins that the character at `i` belongs to. */
function startOfValue(line: string, i: number): number {
  let start = i;
  while (start > 0 && !'([{=,| '.includes(line[start - 1] as string)) start--;
  return start;
}

/** Walks along both lines. Where they differ, the values that begin there must say the same. */
function agree(ours: string, theirs: string): boolean {
  let [i, j] = [0, 0];
  while (i < ours.length || j < theirs.length) {
    if (ours[i] === theirs[j]) {
      i++;
      j++;
      continue;
    }
    // Control messages of which strace does not show the content.
    if (theirs[j] === '}' && ours.startsWith(', cmsg_data=', i)) {
      i = endOfValue(ours, i + ', cmsg_data='.length);
      continue;
    }
    const start = startOfValue(ours, i);
    const [endOfOurs, endOfTheirs] = [endOfValue(ours, start), endOfValue(theirs, j - (i - start))];
    const [our, their] = [ours.slice(start, endOfOurs), theirs.slice(j - (i - start), endOfTheirs)];
    if (our === their || !sameValue(our, their, ours.slice(0, start))) return false;
    [i, j] = [endOfOurs, endOfTheirs];
  }
  return true;
}

/** Whether this package refuses a request, because its struct holds a pointer, or changes what mmap is asked for. */
function isRefused(name: string): boolean {
  const value = constants[name] as number;
  if (/^(PROT_|MAP_ANON)/.test(name)) return true; // an array is writable, and comes from a descriptor
  try {
    if (/^(SIOC|TUN)/.test(name)) raw.ioctl(-1, value, new Uint8Array(64), new Uint8Array(8));
    if (/^MAP_/.test(name)) raw.mmap(4096, 1, value, -1, 0);
    return false;
  } catch {
    return true;
  }
}

const fixtures = ['exchanges.mjs', 'names.mjs'];

describe.skipIf(!haveStrace)('the tracer and strace agree (skipped where strace cannot run)', () => {
  const seen = new Set<string>();
  const called = new Set<RawCall>();

  test.each(fixtures)(
    '%s: line for line',
    async (fixture) => {
      const pairs = await runBoth(fixture);
      for (const { call, ours } of pairs) {
        called.add(call);
        for (const [word] of ours.matchAll(/\b[A-Z][A-Za-z0-9_]+\b/g)) seen.add(word);
      }
      const translated = pairs.map(({ call, ours, theirs }) => ({
        ours,
        theirs: asCalled[call]?.(theirs, ours) ?? theirs,
      }));
      expect(translated.filter(({ ours, theirs }) => !agree(ours, theirs))).toEqual([]);
    },
    90_000,
  );

  test('every system call was among them', () => {
    const systemCalls = Object.keys(calls).filter((name) => calls[name as RawCall].page.endsWith('(2)'));
    expect(systemCalls.filter((name) => !called.has(name as RawCall))).toEqual([]);
  });

  test('every constant was among them that may stand as an argument', () => {
    const systemCalls = Object.values(calls).filter(({ page }) => page.endsWith('(2)'));
    const parameters = systemCalls.flatMap((call) => call.parameters);
    const levels = Object.values<Option>(optionTable).map(({ name, levels }) => [name, `${levels}`] as const);
    const families = [
      ...parameters.map(({ choices }) => choices?.([]) ?? []),
      ...new Set(levels.map(([, level]) => level)),
    ].map((family) =>
      typeof family === 'string' ? levels.filter(([, level]) => level === family).map(([n]) => n) : family,
    );
    // Of two names of one family for one number either will do.
    const missing = families.flatMap((family) => {
      const found = new Set(family.filter((name) => seen.has(name)).map((name) => constants[name]));
      return family.filter((name) => !found.has(constants[name]));
    });
    expect(missing.filter((name) => !isRefused(name))).toEqual([]);
  });

  test('a comparison that finds no difference would find one', () => {
    const line = 'send(3, "hi", 2, MSG_PEEK) = 2';
    expect(agree(line, line)).toBe(true);
    for (const other of ['send(3, "hi", 2, MSG_OOB) = 2', 'send(3, "ho", 2, MSG_PEEK) = 2', 'send(3, "hi", 2) = 2']) {
      expect(agree(line, other)).toBe(false);
      expect(agree(other, line)).toBe(false);
    }
    expect(agree('recv(3, buf, 2, 0) = -1', 'recv(3, 0x7ffd12345678, 2, 0) = -1')).toBe(true);
    expect(agree('recv(3, buf, 2, 0) = -1', 'recv(3, "", 2, 0) = -1')).toBe(false);
  });
});
