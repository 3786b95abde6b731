import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { timelineOf } from 'posix-sockets/timeline';
import type { TraceRecord } from 'posix-sockets/trace';
import ts from 'typescript';
import { afterAll, beforeAll, expect, test } from 'vitest';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const examples = new Map(
  Array.from(readme.matchAll(/<!-- example: (\w+) -->\n```ts\n(.*?)```/gs), ([, name, code]) => [name, code as string]),
);

// Below the ephemeral ports, where nothing else here listens.
const udpPorts = 20_000 + (process.pid % 5_000) * 2;

// Ports that the examples name, made ones that are free here.
let server: http.Server;
let port: number;
beforeAll(async () => {
  server = http.createServer((_, response) => response.end('hello from HTTP')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  port = (server.address() as { port: number }).port;
});
afterAll(() => server.close());

async function run(name: string): Promise<string> {
  const source = (examples.get(name) as string)
    .replaceAll('8080', String(port))
    .replaceAll(/\b500[01]\b/g, (n) => String(udpPorts + Number(n) - 5000));
  const { outputText } = ts.transpileModule(source, {
    compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 },
  });
  const child = spawn(process.execPath, ['--input-type=module', '-e', outputText], {
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd: new URL('..', import.meta.url),
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      output += chunk;
    });
  }
  const [status] = await once(child, 'close');
  expect(output).not.toMatch(/Error/);
  expect(status).toBe(0);
  return output;
}

test('the TCP example speaks HTTP', async () => {
  expect(await run('tcp')).toMatch(/^HTTP\/1\.1 200 OK\r\n(.*\r\n)*\r\nhello from HTTP\n$/);
});

test('the UDP example prints what it says', async () => {
  expect(await run('udp')).toBe(`127.0.0.1:${udpPorts}: a datagram\n`);
});

test('the Unix example prints what it says', async () => {
  expect(await run('unix')).toBe('true\n');
});

test('the Socket example prints what it says', async () => {
  expect(await run('socket')).toMatch(/^hello\n\d+ microseconds\n$/);
});

test('the Reactor example prints what it says', async () => {
  expect(await run('reactor')).toBe('true ready\n');
});

test('the trace example prints the call and explains it', async () => {
  const output = await run('trace');
  expect(output).toMatch(
    /^connect\(\d+, \{sa_family=AF_INET, sin_port=htons\(1\), sin_addr=inet_addr\("127.0.0.1"\)\}, 16\) = -1 ECONNREFUSED \(Connection refused\)$/m,
  );
  expect(output).toMatch(/nobody listens/i);
});

test('the Ring example prints what it says', async () => {
  expect((await run('ring')).split('\n').sort()).toEqual(['', '1 21', '2 21', 'both ways in one call']);
});

test('the example of a socket that Node adopts prints what it says', async () => {
  expect(await run('adopted')).toBe('true\n');
});

test('the teleport example prints what it says', async () => {
  expect(await run('teleport')).toBe('6\n');
});

test('the testing example meets its reset', async () => {
  expect(await run('testing')).toMatch(/^(ECONNRESET|UND_ERR_SOCKET)\n$/);
});

test('every example of the README is run here', () => {
  expect([...examples.keys()]).toEqual([
    'tcp',
    'udp',
    'unix',
    'socket',
    'reactor',
    'ring',
    'trace',
    'testing',
    'adopted',
    'teleport',
  ]);
});

test('its tables are those of the package, and its picture that of the recorded trace (npm run docs writes them)', () => {
  const script = fileURLToPath(new URL('../scripts/write-readme.mjs', import.meta.url));
  const { status, stdout } = spawnSync(process.execPath, [script, '--check'], { encoding: 'utf8' });
  expect({ status, stdout }).toEqual({ status: 0, stdout: '' });
});

test('the picture shows the example as it still is', () => {
  const at = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url));
  const folder = mkdtempSync(join(tmpdir(), 'posix-sockets-'));
  try {
    const trace = join(folder, 'trace.jsonl');
    const options = ['trace', '--json', '--files', '-o', trace, at('dist/examples/echo.js')];
    expect(spawnSync(process.execPath, [at('dist/lib/tools/cli.js'), ...options]).status).toBe(0);
    const [recorded, fresh] = [at('docs/timeline.jsonl'), trace].map(shapeOf);
    expect(fresh).toEqual(recorded);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

/** What is the same in every run: who calls what, and what passes between whom. */
function shapeOf(file: string) {
  const lines = readFileSync(file, 'utf8').trim().split('\n');
  const { arrows, steps } = timelineOf(lines.map((line) => JSON.parse(line) as TraceRecord));
  const calls = steps.map(({ call, thread, outcome }) => `${thread.title}: ${call.call} ${outcome}`);
  return { calls: calls.sort(), arrows: arrows.map(({ kind, label }) => `${kind} ${label}`).sort() };
}
