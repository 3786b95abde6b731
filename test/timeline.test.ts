// What a timeline is made of: found in the traces of real scripts.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EINVAL, io_uring_params, raw } from 'posix-sockets';
import { type Arrow, type Lane, type Timeline, timelineOf, timelinePage, timelineSvg } from 'posix-sockets/timeline';
import type { TraceRecord } from 'posix-sockets/trace';
import { describe, expect, test } from 'vitest';
import { folder, run } from './support.js';

const root = join(import.meta.dirname, '..');
const { bin } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const command = (...args: string[]) => run(process.execPath, [join(root, bin['posix-sockets']), ...args]);
const fixture = (name: string) => join(import.meta.dirname, 'fixtures/timeline', name);
const echo = join(root, 'dist/examples/echo.js');

async function record(script: string): Promise<TraceRecord[]> {
  const output = join(folder(), 'trace');
  const { code, stderr } = await command('trace', '--json', '--files', '-o', output, script);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const lines = readFileSync(output, 'utf8').trim().split('\n');
  return lines.map((line) => JSON.parse(line));
}

const timelineFor = async (script: string) => timelineOf(await record(script));

/** The lane of a kind, by what it says that it is. */
function laneOf({ lanes }: Timeline, detail: string | RegExp, nth = 0): Lane {
  const found = lanes.filter((lane) => (typeof detail === 'string' ? lane.title === detail : detail.test(lane.detail)));
  expect(found.length, `lanes that are ${detail}`).toBeGreaterThan(nth);
  return found[nth] as Lane;
}

const spoken = ({ kind, from, to, label }: Arrow) =>
  `${kind} ${from.step.call.call} > ${to.step.call.call} ${label}`.trimEnd();

const statesOf = ({ states }: Lane) => states.map(({ state }) => state);

describe('a conversation over TCP between two threads', () => {
  test('its lanes, arrows and states', async () => {
    const timeline = await timelineFor(echo);
    expect(timeline.lanes.slice(0, 2)).toMatchObject([{ title: 'main thread' }, { title: 'thread 1' }]);
    const listener = laneOf(timeline, /^TCP listening on 127\.0\.0\.1:\d+$/);
    const [client, server] = [0, 1].map((i) => laneOf(timeline, /^TCP 127\.0\.0\.1:\d+ → /, i)) as [Lane, Lane];
    expect(timeline.lanes.slice(2)).toEqual([listener, client, server]);
    expect(client.detail).toBe(server.detail.replace(/^TCP (.*) → (.*)$/, 'TCP $2 → $1'));
    for (const lane of [listener, client, server]) expect(lane).toMatchObject({ made: true, closed: true });

    expect(timeline.arrows.map(spoken).sort()).toEqual([
      'bytes send > recv 5 B',
      'bytes send > recv 5 B',
      'connection connect > accept',
      'end close > recv',
      'end shutdown > recv',
    ]);
    for (const { kind, from, to } of timeline.arrows) {
      const isDown = ['send', 'connect', 'shutdown'].includes(from.step.call.call) && from.step.thread.index === 0;
      expect([from.lane, to.lane], kind).toEqual(isDown ? [client, server] : [server, client]);
      expect(to.step.to).toBeGreaterThan(from.step.from);
    }

    expect(statesOf(listener)).toEqual(['TCP_CLOSE', 'TCP_LISTEN']);
    expect(statesOf(server)).toEqual(['TCP_ESTABLISHED', 'TCP_CLOSE_WAIT']);
    expect(statesOf(client).slice(0, 3)).toEqual([
      'TCP_CLOSE',
      'TCP_ESTABLISHED',
      expect.stringMatching(/^TCP_FIN_WAIT[12]$/),
    ]);
    for (const lane of [listener, client, server]) {
      for (const [i, { from, to }] of lane.states.entries()) {
        expect(to).toBeGreaterThanOrEqual(from);
        expect(to).toBe(lane.states[i + 1]?.from ?? lane.to);
      }
    }
  });

  test('who slept, and who only asked', async () => {
    const { steps } = await timelineFor(echo);
    // The server thinks for 30 ms: meanwhile the client sleeps in its first recv that waits.
    const waits = steps.find(({ call, thread }) => thread.index === 0 && call.text.includes('"hello", 64, 0) = 5'));
    expect(waits?.slept).toBeGreaterThan(0);
    expect((waits?.slept ?? 0) + (waits?.queued ?? 0)).toBeLessThanOrEqual(
      (waits?.to ?? 0) - (waits?.from ?? 0) + 0.01,
    );
    const asks = steps.find(({ outcome }) => outcome === 'would block');
    expect(asks).toMatchObject({ call: { call: 'recv', error: 'EAGAIN' }, count: 1 });
    expect(asks?.slept).toBeLessThan(waits?.slept ?? 0);
  });
});

describe('a non-blocking client', () => {
  test('what would block and what fails is marked, and asking again and again is one step', async () => {
    const timeline = await timelineFor(fixture('nonblocking.mjs'));
    const marked = timeline.steps.filter(({ outcome }) => outcome !== 'done');
    expect(marked.map(({ call, count, outcome }) => [call.call, call.error, count, outcome])).toEqual([
      ['connect', 'EINPROGRESS', 1, 'would block'],
      ['recv', 'EAGAIN', 5, 'would block'],
      ['recv', 'ECONNRESET', 1, 'error'],
      ['connect', 'ECONNREFUSED', 1, 'error'],
    ]);
    const again = marked[1];
    expect(again?.to).toBeGreaterThan((again?.from ?? 0) + (again?.call.duration ?? 0));
  });

  test('a reset reaches the other end, and epoll has a lane of its own', async () => {
    const timeline = await timelineFor(fixture('nonblocking.mjs'));
    expect(timeline.arrows.map(spoken).sort()).toEqual([
      'bytes send > recv 5 B',
      'connection connect > accept',
      'reset close > recv',
    ]);
    const epoll = laneOf(timeline, /^epoll$/);
    const control = timeline.steps.filter(({ call }) => call.call === 'epoll_ctl');
    expect(control).toHaveLength(2);
    for (const { files } of control) expect(files[0]).toBe(epoll);
    expect(control[0]?.files[1]).toBe(laneOf(timeline, / → /));
  });

  test('a number that is used again is another lane', async () => {
    const { lanes } = await timelineFor(fixture('nonblocking.mjs'));
    const titles = lanes.map(({ title }) => title);
    const twice = lanes.filter(({ title }) => titles.indexOf(title) !== titles.lastIndexOf(title));
    expect(twice).toHaveLength(2);
    expect(twice[1]?.from).toBeGreaterThan(twice[0]?.to ?? Infinity);
  });
});

describe('what passes between other files', () => {
  test('descriptors, datagrams and the bytes of a pipe', async () => {
    const timeline = await timelineFor(fixture('passing.mjs'));
    expect(timeline.arrows.map(spoken)).toEqual([
      expect.stringMatching(/^descriptors sendmsg > recvmsg 1 B, fd \d+ as fd \d+$/),
      'bytes write > read 13 B',
      'bytes sendto > recvfrom 4 B',
      'bytes sendmmsg > recvmmsg 2 B',
      'bytes sendmmsg > recvmmsg 4 B',
      'bytes sendto > recv 7 B',
    ]);
    const [passing, through] = timeline.arrows as [Arrow, Arrow];
    expect([passing.from.lane.detail, passing.to.lane.detail]).toEqual(['Unix stream', 'Unix stream']);
    expect(passing.from.lane).not.toBe(passing.to.lane);
    // The descriptor that arrived is the same end of the same pipe, in the other thread.
    const writer = laneOf(timeline, /^pipe, write end$/);
    expect(writer.title).toMatch(/^fd \d+, \d+$/);
    expect(through).toMatchObject({ from: { lane: writer, step: { thread: { title: 'thread 1' } } } });
    expect(through.to.lane).toBe(laneOf(timeline, /^pipe, read end$/));
  });
});

const haveRings = raw.io_uring_setup(0, new io_uring_params().bytes) === -EINVAL;

describe.skipIf(!haveRings)('operations of an io_uring (skipped where it is forbidden)', () => {
  test('have arrows as the calls have that do the same', async () => {
    const timeline = await timelineFor(fixture('ring.mjs'));
    const client = laneOf(timeline, /^TCP 127\.0\.0\.1:\d+ → /, 0);
    const server = laneOf(timeline, /^TCP 127\.0\.0\.1:\d+ → /, 1);
    const [from, to] = [0, 1].map((i) => laneOf(timeline, /^UDP /, i)) as [Lane, Lane];
    expect(timeline.arrows.map(({ kind, from, to, label }) => [kind, from.lane, to.lane, label])).toEqual([
      ['bytes', client, server, '5 B'],
      ['end', client, server, ''],
      ['bytes', from, to, '4 B'],
      ['connection', client, server, ''],
    ]);
    for (const { from, to } of timeline.arrows) {
      expect([from.step.call.call, to.step.call.call]).toEqual(['io_uring_enter', 'io_uring_enter']);
      expect(to.step.files).toContain(to.lane);
      expect(to.step.to).toBeGreaterThan(from.step.from);
    }
    // The one that CONNECT found, ACCEPT made; both were closed by CLOSE.
    expect(server).toMatchObject({ made: true, closed: true });
    expect(client).toMatchObject({ made: true, closed: true });
  });

  test('begin with the call that submits them and end with the one that fetches what they answer', async () => {
    const { operations } = await timelineFor(fixture('ring.mjs'));
    const told = operations.map(({ name, begun, answers }) => [
      name,
      answers.map(({ step, outcome, error }) => [step === begun, error ?? outcome]),
    ]);
    const [here, later] = [[[true, 'done']], [[false, 'done']]];
    expect(told).toEqual([
      ['ACCEPT', later],
      ['CONNECT', here],
      ['RECV', later],
      ['SEND', here],
      ['SHUTDOWN', here],
      ['RECV', here],
      ['CLOSE', here],
      ['CLOSE', here],
      ['CLOSE', here],
      ['SEND', here],
      ['RECV', here],
      ['CLOSE', here],
      ['CLOSE', here],
      ['CONNECT', [[true, 'ECONNREFUSED']]],
      ['CLOSE', here],
    ]);
    for (const { begun, answers } of operations)
      for (const { step } of answers) expect(step.to).toBeGreaterThanOrEqual(begun.to);
  });

  test('are drawn in the lanes of their files, as what they are', async () => {
    const svg = timelineSvg(await timelineFor(fixture('ring.mjs')));
    for (const name of ['ACCEPT …', '… RECV', 'SHUTDOWN', 'CONNECT ECONNREFUSED']) expect(svg).toContain(`>${name}<`);
    // The ACCEPT, and the RECV that was there before what was sent.
    expect(svg.match(/class="under-way"/g)).toHaveLength(2);
    expect(svg).toMatch(/class="step error"><title>io_uring_enter/);
  });

  test('about a descriptor that is not open fail in the lane of the ring', async () => {
    const timeline = await timelineFor(fixture('ring-closed.mjs'));
    const ring = timeline.lanes.findLast(({ detail }) => detail === 'io_uring');
    expect(timeline.operations).toMatchObject([{ name: 'RECV', lane: ring, answers: [{ error: 'EBADF' }] }]);
    expect(timelineSvg(timeline)).toContain('>RECV EBADF<');
    expect(timelinePage([{ timeline }])).toMatch(/<li>.*error<\/li>/);
  });

  test('of which several carry the same number are not told apart', async () => {
    const records = await record(fixture('ring.mjs'));
    const unnumbered = JSON.parse(JSON.stringify(records), (key, value) => (key === 'user_data' ? 0 : value));
    const { arrows, operations } = timelineOf(unnumbered);
    // While ACCEPT and CONNECT are both under way, who knows which of them is done?
    expect(arrows.map(({ kind }) => kind)).not.toContain('connection');
    expect(operations.filter(({ name }) => name === 'ACCEPT')).toMatchObject([{ answers: [] }]);
    expect(arrows.map(({ label }) => label)).toContain('4 B');
  });
});

describe('descriptors and what they stand for', () => {
  test('bytes that the kernel moves, and a socket under several numbers', async () => {
    const timeline = await timelineFor(fixture('moving.mjs'));
    expect(timeline.arrows.map(spoken).sort()).toEqual([
      'bytes sendfile > recv 20 B',
      'bytes splice > recv 9 B',
      'bytes write > recv 7 B',
      'bytes write > splice 9 B',
    ]);
    const one = laneOf(timeline, /^Unix stream$/);
    const reader = laneOf(timeline, /^pipe, read end$/);
    expect(one.title).toMatch(/^fd \d+, \d+, \d+$/);
    // dup2 closed the pipe's end; the socket is closed with its last number.
    const dup2 = timeline.steps.find(({ call }) => call.call === 'dup2');
    expect(dup2?.files).toEqual([one, reader]);
    expect(reader).toMatchObject({ closed: true, to: dup2?.to });
    const last = timeline.steps.filter(({ call, files }) => call.call === 'close' && files[0] === one).at(-1);
    expect(one).toMatchObject({ closed: true, to: last?.to });
  });

  test('a stream ends with the last number of its end', async () => {
    const timeline = await timelineFor(fixture('last-number.mjs'));
    expect(timeline.arrows.map(spoken)).toEqual(['bytes write > read 10 B', 'end close > read']);
    const [first, last] = timeline.steps.filter(({ call }) => call.call === 'close');
    expect(first?.files).toEqual(last?.files);
    expect(timeline.arrows[1]?.from.step).toBe(last);
  });
});

describe('a call that answers later', () => {
  test('is under way while the thread goes on, which does not sleep in it', async () => {
    const timeline = await timelineFor(fixture('lookup.mjs'));
    const [lookup, ...others] = timeline.steps;
    expect(lookup).toMatchObject({ call: { call: 'getaddrinfoAsync' }, slept: 0, queued: 0 });
    expect(lookup?.call).not.toHaveProperty('slept');
    for (const { call } of others) expect(call).toHaveProperty('slept');
    expect(lookup?.to).toBeGreaterThan(others.at(-1)?.to ?? Infinity);
    const svg = timelineSvg(timeline);
    expect(svg.match(/<rect class="under-way"/g)).toHaveLength(1);
    expect(timelinePage([{ timeline }])).toContain('under way, while the thread goes on');
  });
});

describe('a trace that shows only a part', () => {
  test('bytes whose sender was not seen have no arrow, and nothing is made up', async () => {
    const records = await record(echo);
    const { arrows, lanes } = timelineOf(records.filter(({ thread }) => thread === 0));
    expect(arrows).toEqual([]);
    expect(lanes.map(({ kind }) => kind)).toEqual(['thread', 'file', 'file']);
  });

  test('what was open before and still is has no beginning and no end', async () => {
    const records = await record(echo);
    const timeline = timelineOf(records.filter(({ call }) => call === 'send'));
    for (const lane of timeline.lanes.filter(({ kind }) => kind === 'file')) {
      expect(lane).toMatchObject({ made: false, closed: false });
    }
  });

  test('no calls at all', () => {
    const timeline = timelineOf([]);
    expect(timeline).toMatchObject({ lanes: [], steps: [], arrows: [] });
    const page = timelinePage([{ timeline }]);
    expect(page).toContain('<p class="facts">The script made no calls.</p>');
    expect(page).not.toMatch(/Point at a call|<table|<script/);
    expect(timelineSvg(timeline)).toContain('</svg>');
  });
});

describe('posix-sockets timeline', () => {
  test('a page that is one file and names no other', async () => {
    const output = join(folder(), 'out.html');
    expect(await command('timeline', '-o', output, echo)).toMatchObject({ code: 0, stdout: 'hello\n', stderr: '' });
    const page = readFileSync(output, 'utf8');
    expect(page).toContain('<h1>echo.js</h1>');
    expect(page).not.toMatch(/\b(src|href)=|@import|url\((?!#)|https?:(?!\/\/www\.w3\.org\/2000\/svg)/);
  });

  test("a picture; the script's arguments and exit code are its own", async () => {
    const output = join(folder(), 'out.svg');
    const conversation = join(import.meta.dirname, 'fixtures/cli/conversation.mjs');
    expect(await command('timeline', '-o', output, conversation, '7', '-o')).toMatchObject({
      code: 7,
      stdout: '7 -o\n',
    });
    expect(readFileSync(output, 'utf8')).toMatch(/^<svg [^>]*>.*hello.*<\/svg>\n$/s);
  });

  test('of a recorded trace it is always the same', async () => {
    const trace = join(folder(), 'trace.jsonl');
    writeFileSync(trace, (await record(echo)).map((one) => JSON.stringify(one)).join('\n'));
    const [one, other] = ['one.svg', 'other.svg'].map((name) => join(folder(), name)) as [string, string];
    for (const output of [one, other]) {
      expect(await command('timeline', '-o', output, '--record', trace)).toMatchObject({ code: 0, stdout: '' });
    }
    expect(readFileSync(one, 'utf8')).toBe(readFileSync(other, 'utf8'));
  });

  test('a command line that does not read', async () => {
    const output = join(folder(), 'out.html');
    const refused = async (...args: string[]) => {
      const { code, stderr } = await command('timeline', ...args);
      expect(code).toBe(2);
      return stderr;
    };
    expect(await refused(echo)).toContain('where to?');
    expect(await refused('-o', 'out.png', echo)).toContain("'out.png' is neither a .html nor a .svg");
    expect(await refused('-o', output)).toContain('which script?');
    const foreign = join(folder(), 'foreign.jsonl');
    for (const text of [readFileSync(echo, 'utf8'), '{}', 'null', '{"call":"toString"}']) {
      writeFileSync(foreign, text);
      expect(await refused('-o', output, '--record', foreign)).toContain('is not what posix-sockets trace --json');
    }
    const nowhere = join(folder(), 'nothing', 'out.html');
    expect(await refused('-o', nowhere, echo)).toBe(
      `posix-sockets: ENOENT: no such file or directory, open '${nowhere}'\n`,
    );
    expect(await refused('-o', output, '--record', nowhere)).toMatch(/^posix-sockets: ENOENT: .*\n$/);
  });
});
