import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as exported from 'posix-sockets';
import {
  AF_INET,
  AF_UNIX,
  close,
  getsockopt,
  IPPROTO_MPTCP,
  IPPROTO_TCP,
  SO_PASSRIGHTS,
  SO_RCVPRIORITY,
  SOCK_STREAM,
  SOL_SOCKET,
  SystemError,
  socket,
  TCP_DELACK_MAX_US,
  TCP_IS_MPTCP,
  TCP_RTO_MAX_MS,
} from 'posix-sockets';
import { afterAll, describe, expect, test } from 'vitest';

const root = join(import.meta.dirname, '..');
const definitions = [
  ...readFileSync(join(root, 'native/constants.def'), 'utf8').matchAll(
    /^(NEWER_)?(?:CONSTANT|OPTION)\((\w+)(?:, [\w-]+)?\)/gm,
  ),
].map((match) => ({ name: match[2] as string, newer: match[1] !== undefined }));
const names = definitions.map(({ name }) => name);

const values = exported as unknown as Readonly<Record<string, unknown>>;
const have = (command: string) => spawnSync(command, ['--version'], { timeout: 20_000 }).status === 0;

/** Those of `theirs` that we have too, ours and theirs. */
function shared(theirs: Readonly<Record<string, number>>) {
  const both = Object.keys(theirs).filter((name) => typeof values[name] === 'number');
  const pick = (from: Readonly<Record<string, unknown>>) => Object.fromEntries(both.map((name) => [name, from[name]]));
  return { ours: pick(values), theirs: pick(theirs), count: both.length };
}

test('every name of constants.def is exported as an integer', () => {
  expect(names.length).toBeGreaterThan(3000);
  expect(names.filter((name) => !Number.isSafeInteger(values[name]))).toEqual([]);
});

test('values that a 32-bit int would spoil come out as they are', () => {
  expect(values).toMatchObject({ EPOLLET: 2 ** 31, VMADDR_CID_ANY: 2 ** 32 - 1, EAI_AGAIN: -3, SKF_AD_OFF: -4096 });
});

test.skipIf(!have('python3'))('Python has the same values (needs python3)', () => {
  const program = `
import errno, fcntl, json, mmap, os, select, signal, socket, time
theirs = {}
for module in (errno, fcntl, mmap, os, select, signal, socket, time):
    for name in dir(module):
        value = getattr(module, name)
        if name.isupper() and isinstance(value, int): theirs[name] = int(value)
        # Python puts a prefix of its own before the names of linux/can/bcm.h.
        if name.startswith('CAN_BCM_'): theirs[name.removeprefix('CAN_BCM_')] = int(value)
print(json.dumps(theirs))`;
  const { ours, theirs, count } = shared(JSON.parse(execFileSync('python3', ['-c', program], { encoding: 'utf8' })));
  expect(ours).toEqual(theirs);
  expect(count).toBeGreaterThan(500);
});

// What Linux answers for a fresh socket: numbers that headers as old as ours may not know yet.
describe('the kernel takes the newest options for what they are', () => {
  const cases: [name: string, level: number, option: number, domain: number, protocol: number, answer: number][] = [
    ['SO_RCVPRIORITY', SOL_SOCKET, SO_RCVPRIORITY, AF_INET, 0, 0],
    ['SO_PASSRIGHTS', SOL_SOCKET, SO_PASSRIGHTS, AF_UNIX, 0, 1],
    ['TCP_IS_MPTCP without', IPPROTO_TCP, TCP_IS_MPTCP, AF_INET, 0, 0],
    ['TCP_IS_MPTCP with', IPPROTO_TCP, TCP_IS_MPTCP, AF_INET, IPPROTO_MPTCP, 1],
    ['TCP_RTO_MAX_MS', IPPROTO_TCP, TCP_RTO_MAX_MS, AF_INET, 0, 120_000],
    ['TCP_DELACK_MAX_US', IPPROTO_TCP, TCP_DELACK_MAX_US, AF_INET, 0, 200_000],
  ];
  test.for(cases)('%s', ([, level, option, domain, protocol, answer], { skip }) => {
    try {
      const fd = socket(domain, SOCK_STREAM, protocol);
      try {
        expect(getsockopt(fd, level, option)).toBe(answer);
      } finally {
        close(fd);
      }
    } catch (error) {
      const absent = ['ENOPROTOOPT', 'EPROTONOSUPPORT', 'EOPNOTSUPP'];
      if (error instanceof SystemError && absent.includes(error.code)) skip('this kernel is older');
      throw error;
    }
  });
});

describe('values stated in constants.def', () => {
  const folder = mkdtempSync(join(tmpdir(), 'posix-sockets-constants-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  // Compiles a program that prints these names' values as the headers define them.
  function compile(these: readonly string[], ...options: string[]) {
    const lines = these.map((name) => `  printf("${name} %.0f\\n", static_cast<double>(${name}));`);
    writeFileSync(
      join(folder, 'print.cc'),
      ['#include "uapi.h"', '#include <cstdio>', 'int main() {', ...lines, '}'].join('\n'),
    );
    const flags = ['-std=c++17', '-w', '-fmax-errors=0', `-I${join(root, 'native')}`, ...options, 'print.cc'];
    return spawnSync('g++', flags, { cwd: folder, encoding: 'utf8', timeout: 100_000 });
  }

  test.skipIf(!have('g++'))('agree with the headers that know them (needs g++)', { timeout: 200_000 }, () => {
    const newer = definitions.filter(({ newer }) => newer).map(({ name }) => name);
    // Line 4 prints the first name.
    const complaints = compile(newer, '-fsyntax-only').stderr.matchAll(/^print\.cc:(\d+):\d+: error/gm);
    const unknown = new Set([...complaints].map((complaint) => newer[Number(complaint[1]) - 4]));
    const known = newer.filter((name) => !unknown.has(name));

    expect(compile(known, '-o', 'print')).toMatchObject({ status: 0 });
    const printed = execFileSync(join(folder, 'print'), { encoding: 'utf8' }).matchAll(/^(\w+) (.+)$/gm);
    const { ours, theirs, count } = shared(
      Object.fromEntries([...printed].map(([, name, value]) => [name, Number(value)])),
    );
    expect(ours).toEqual(theirs);
    expect(count).toBeGreaterThan(50);
  });
});

/** Families of names that the package has whole. */
const families =
  /^((AF|PF|SOCK|IPPROTO|SOL|SO|TCP|UDP|UDPLITE|IP|IPV6|MSG|SHUT|F|O|SCM|AI|NI|EAI)_\w+|(FIO|SIOC)[A-Z0-9_]+|SOMAXCONN|E[A-Z0-9]+)$/;

/** Names that begin so and belong to something else. */
// access(3), lockf(3); an option that there is not; a number that depends on the byte order, of newer headers only
const others = /^(F_(OK|LOCK|ULOCK|TLOCK|TEST)|SCM_SRCRT|TCP_FLAG_AE)$/;

describe('every name of these families that the headers define is here', () => {
  /** What the preprocessor says of the headers that the addon is built with. */
  const preprocessed = (...options: string[]) => {
    const flags = ['-x', 'c++', '-E', ...options, '-w', join(root, 'native/uapi.h')];
    return execFileSync('g++', flags, { encoding: 'utf8', maxBuffer: 2 ** 26, timeout: 100_000 });
  };
  const lacking = (theirs: Iterable<string>) =>
    [...new Set(theirs)].filter((name) => families.test(name) && !others.test(name) && !names.includes(name));
  const version = (major: number, minor: number) => major * 65536 + minor * 256;
  const theirVersion = () =>
    Number(/LINUX_VERSION_CODE (\d+)/.exec(preprocessed('-dM', '-include', 'linux/version.h'))?.[1]);
  const known = have('g++') && theirVersion() < version(7, 3);
  const reason = '(needs g++, and headers of Linux 7.2 or older)';

  test.skipIf(!known)(`macros ${reason}`, () => {
    const macros = Array.from(preprocessed('-dM').matchAll(/^#define (\w+) /gm), ([, name]) => name as string);
    expect(macros.length).toBeGreaterThan(5000);
    expect(lacking(macros)).toEqual([]);
  });

  test.skipIf(!known)(`enumerators ${reason}`, () => {
    const bodies = preprocessed('-P').matchAll(/\benum\b[^{;()]*\{([^}]*)\}/g);
    const enumerators = Array.from(bodies).flatMap(([, body]) =>
      Array.from((body as string).matchAll(/(?:^|,)\s*(\w+)/g), ([, name]) => name as string),
    );
    expect(enumerators.length).toBeGreaterThan(1000);
    expect(lacking(enumerators)).toEqual([]);
  });
});

describe('generate-constants.mjs', () => {
  const folder = mkdtempSync(join(tmpdir(), 'posix-sockets-generate-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  for (const part of ['scripts', 'native', 'lib']) mkdirSync(join(folder, part));
  cpSync(join(root, 'scripts/generate-constants.mjs'), join(folder, 'scripts/generate-constants.mjs'));

  function generate(...lines: string[]) {
    writeFileSync(join(folder, 'native/constants.def'), ['// About this file.', '', ...lines, ''].join('\n'));
    return spawnSync('node', [join(folder, 'scripts/generate-constants.mjs')], { encoding: 'utf8', timeout: 20_000 });
  }

  test('gives each name its type, and its own comment before that of its group', () => {
    const lines = [
      '// Numbers: one(1)',
      'CONSTANT(ONE)',
      'NEWER_OPTION(TWO, 0x2)  // the second',
      '// Others',
      'OPTION(THREE)',
    ];
    expect(generate(...lines)).toMatchObject({ status: 0, stderr: '' });
    expect(readFileSync(join(folder, 'lib/constants.ts'), 'utf8').split('\n').slice(3)).toEqual([
      '/** Numbers: one(1) */',
      'export const ONE = constants.ONE as number;',
      '/** the second · Numbers: one(1) */',
      "export const TWO = constants.TWO as OptionName<'TWO'>;",
      '/** Others */',
      "export const THREE = constants.THREE as OptionName<'THREE'>;",
      '',
    ]);
  });

  const refused: [what: string, lines: string[], complaint: string][] = [
    ['a name that is there twice', ['CONSTANT(ONE)', 'OPTION(ONE)'], '5: ONE is there twice'],
    ['a line it cannot read', ['CONSTANT ONE'], '4: cannot read "CONSTANT ONE"'],
    ['a newer name without its value', ['NEWER_OPTION(ONE)'], '4: cannot read "NEWER_OPTION(ONE)"'],
    ['a value that the headers give', ['OPTION(ONE, 1)'], '4: cannot read "OPTION(ONE, 1)"'],
    ['a comment that would end its own', ['OPTION(ONE)  // */'], '4: cannot read "OPTION(ONE)  // */"'],
  ];
  test.for(refused)('refuses %s', ([, lines, complaint]) => {
    expect(generate('// Numbers', ...lines)).toMatchObject({
      status: 1,
      stderr: `native/constants.def:${complaint}.\n`,
    });
  });

  test('refuses a name outside every group', () => {
    expect(generate('CONSTANT(ONE)')).toMatchObject({
      status: 1,
      stderr: 'native/constants.def:3: ONE belongs to no group.\n',
    });
  });
});
