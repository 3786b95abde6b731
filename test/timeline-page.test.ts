// The page of a timeline, in a browser.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { timelineOf, timelinePage } from 'posix-sockets/timeline';
import type { TraceRecord } from 'posix-sockets/trace';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { widthOf } from '../lib/tools/timeline/labels.js';
import { Browser, haveChromium } from './browser.js';
import { folder, run } from './support.js';

const root = join(import.meta.dirname, '..');
const cli = join(root, JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).bin['posix-sockets']);
const nonblocking = join(import.meta.dirname, 'fixtures/timeline/nonblocking.mjs');

describe.skipIf(!haveChromium)('the page, in a browser (needs Chromium)', () => {
  let browser: Browser;
  const asked: string[] = [];
  const complaints: unknown[] = [];
  beforeAll(async () => {
    browser = await Browser.open();
    browser.listen((method, parameters) => {
      if (method === 'Network.requestWillBeSent') asked.push((parameters.request as { url: string }).url);
      if (method === 'Runtime.exceptionThrown' || method === 'Log.entryAdded') complaints.push(parameters);
    });
  });
  afterAll(() => browser.close());

  async function show(script: string, options = {}): Promise<string> {
    const output = join(folder(), 'out.html');
    expect(await run(process.execPath, [cli, 'timeline', '-o', output, script])).toMatchObject({ code: 0, stderr: '' });
    asked.length = 0;
    await browser.show(output, options);
    return output;
  }

  const panel = () => browser.evaluate<string>("document.querySelector('.panel').innerText");
  const chosen = () => browser.evaluate<string>("document.activeElement.getAttribute('aria-label')");
  const count = (selector: string) => browser.evaluate<number>(`document.querySelectorAll('${selector}').length`);
  const failed = '.step.error[aria-label*="ECONNREFUSED"]';

  test('opens from a disk, asks for nothing else, and complains of nothing', async () => {
    const file = await show(nonblocking);
    expect(asked).toEqual([`file://${file}`]);
    expect(complaints).toEqual([]);
    expect(await count('figure')).toBe(1);
    expect(await browser.evaluate('document.title')).toBe('nonblocking.mjs');
  });

  test('every call is a bar in its thread and in its files, and a row of the table', async () => {
    await show(nonblocking);
    const calls = await browser.evaluate<string[]>(
      "Array.from(document.querySelectorAll('tbody tr'), (row) => row.querySelector('.call').textContent)",
    );
    expect(calls.filter((call) => call.startsWith('epoll_ctl('))).toHaveLength(2);
    const bars = await browser.evaluate<string[]>(
      "Array.from(document.querySelectorAll('.step'), (step) => step.getAttribute('aria-label'))",
    );
    for (const call of calls) expect(bars.filter((bar) => bar.startsWith(call)).length, call).toBeGreaterThan(1);
    // An epoll_ctl is in three lanes: the thread's, the epoll instance's and the socket's.
    expect(bars.filter((bar) => bar.startsWith('epoll_ctl('))).toHaveLength(6);
  });

  test('bars, arrows and marks lie where they should', async () => {
    await show(nonblocking);
    const boxes = await browser.evaluate<{ left: number; right: number; width: number }[]>(
      "Array.from(document.querySelectorAll('.whole .step .bar'), (bar) => bar.getBoundingClientRect().toJSON())",
    );
    const plot = await browser.evaluate<DOMRectLike>(
      "document.querySelector('.whole').getBoundingClientRect().toJSON()",
    );
    expect(boxes.length).toBeGreaterThan(40);
    for (const { left, right, width } of boxes) {
      expect(width).toBeGreaterThan(0); // or it would not be drawn
      expect(left).toBeGreaterThanOrEqual(plot.left - 2);
      expect(right).toBeLessThanOrEqual(plot.right + 2);
    }
    expect(await count('.arrow.bytes')).toBe(1);
    expect(await count('.arrow.reset')).toBe(1);
    expect(await count('.step.would-block .mark')).toBe(4);
    expect(await count('.step.error .mark')).toBe(4);
    expect(await count('.state.TCP_ESTABLISHED')).toBe(2);
  });

  test('no label lies on another in its row, however wide the picture is', async () => {
    await show(nonblocking);
    for (let presses = 0; presses < 3; presses++) {
      for (const kind of ['name', 'tick', 'state-name']) {
        const overlapping = await browser.evaluate<string[]>(`(() => {
          const boxes = Array.from(document.querySelectorAll('.whole .${kind}'), (label) => [label.textContent, label.getBoundingClientRect()])
            .filter(([, { width }]) => width > 0);
          return boxes.flatMap(([text, a], i) => boxes.slice(i + 1)
            .filter(([, b]) => Math.abs(a.top - b.top) < 2 && a.left < b.right && b.left < a.right)
            .map(([other]) => text + ' and ' + other));
        })()`);
        expect(overlapping, kind).toEqual([]);
      }
      await browser.click('[data-act=larger]');
    }
  });

  test('a long picture that is fitted into the window still has times and names', async () => {
    const records = Array.from({ length: 600 }, (_, i): TraceRecord => {
      const call = i % 2 === 0 ? 'poll' : 'select';
      return { time: i, duration: 0.1, thread: 0, call, arguments: {}, result: 1, text: `${call}() = 1` };
    });
    const file = join(folder(), 'out.html');
    writeFileSync(file, timelinePage([{ timeline: timelineOf(records) }]));
    await browser.show(file);
    await browser.click('[data-act=fit]');
    for (const kind of ['tick', 'name']) {
      const boxes = await browser.evaluate<DOMRectLike[]>(
        `Array.from(document.querySelectorAll('.whole .${kind}'), (label) => label.getBoundingClientRect().toJSON())
          .filter(({ width }) => width > 0).sort((one, other) => one.left - other.left)`,
      );
      expect(boxes.length, kind).toBeGreaterThan(3);
      for (const [i, { left }] of boxes.entries()) expect(left).toBeGreaterThan(boxes[i - 1]?.right ?? 0);
    }
  });

  test('no mark lies on a title, or on a label that is not its own', async () => {
    const call = (time: number, text: string, fd?: number): TraceRecord => {
      const error = /E[A-Z]+$/.exec(text)?.[0];
      const socket = { name: 'socket:[1]', family: 'AF_INET', type: 'SOCK_DGRAM' };
      return {
        time,
        duration: 0.01,
        thread: 0,
        call: text.split('(')[0] as TraceRecord['call'],
        arguments: {},
        result: error ? -1 : 1,
        text,
        ...(error && { error }),
        files: fd === undefined ? [] : [{ fd, before: socket, after: socket }],
      };
    };
    const file = join(folder(), 'out.html');
    const figures = [
      [call(1000, 'recv() = -1 EAGAIN', 5), call(1003, 'recv() = 1', 5)],
      [call(1000, 'if_nametoindex() = 1'), call(1000.02, 'recv() = -1 EAGAIN', 5), call(1100, 'recv() = 1', 5)],
    ].map((records) => ({ timeline: timelineOf(records) }));
    writeFileSync(file, timelinePage(figures));
    await browser.show(file);
    const overlapping = await browser.evaluate<string[]>(`(() => {
      const boxes = (selector) => Array.from(document.querySelectorAll(selector), (one) => [one, one.getBoundingClientRect()]);
      const texts = boxes('.titles .title, .whole .name');
      return boxes('.whole .mark path').flatMap(([mark, a]) => texts
        .filter(([text, b]) => mark.closest('.step') !== text.closest('.step') && a.left < b.right && b.left < a.right && a.top < b.bottom - 3 && b.top + 3 < a.bottom)
        .map(([text]) => text.textContent));
    })()`);
    expect(await count('.whole .mark')).toBe(4);
    expect(overlapping).toEqual([]);
  });

  test('labels are no wider than the room that is made for them', async () => {
    await show(nonblocking);
    const labels = await browser.evaluate<[text: string, width: number, size: number][]>(
      `Array.from(document.querySelectorAll('.whole text'), (label) =>
        [label.textContent, label.getComputedTextLength(), parseFloat(getComputedStyle(label).fontSize)])
        .filter(([, width]) => width > 0)`,
    );
    expect(labels.map(([text]) => text)).toContain('connect ECONNREFUSED');
    // Between two labels are 7 pixels.
    for (const [text, width, size] of labels) expect(width, text).toBeLessThan(widthOf(text, size) + 6);
  });

  test('a call that is pointed at is told of, and explained', async () => {
    await show(nonblocking);
    await browser.point(failed);
    expect(await panel()).toMatch(/^connect\(\d+, .* = -1 ECONNREFUSED \(Connection refused\)/);
    expect(await panel()).toMatch(/nobody listens/i);
    expect(await panel()).toContain('connect(2)');
    expect(await browser.evaluate("document.querySelectorAll('.step.on').length")).toBe(2);
    await browser.point('h1');
    expect(await panel()).toMatch(/^Point at a call/);
  });

  test('a click keeps it, Escape lets it go', async () => {
    await show(nonblocking);
    await browser.click(failed);
    await browser.point('h1');
    expect(await panel()).toContain('ECONNREFUSED');
    await browser.press('Escape');
    expect(await panel()).toMatch(/^Point at a call/);
    await browser.click('tbody tr:nth-child(2)');
    expect(await panel()).toMatch(/^bind\(/);
  });

  test('the keyboard reaches every call, in the order of time', async () => {
    await show(nonblocking);
    const rows = await count('tbody tr');
    for (let presses = 0; presses < 10 && !(await chosen())?.startsWith('socket('); presses++)
      await browser.press('Tab');
    expect(await panel()).toMatch(/^socket\(/);
    await browser.press('ArrowRight');
    expect(await chosen()).toMatch(/^bind\(/);
    expect(await panel()).toMatch(/^bind\(/);
    await browser.press('End');
    expect(await panel()).toMatch(/^close\(/);
    const seen = new Set([await chosen()]);
    for (let presses = 1; presses < rows; presses++) {
      await browser.press('ArrowLeft');
      seen.add(await chosen());
    }
    expect(await chosen()).toMatch(/^socket\(/);
    expect(seen.size).toBe(rows);
  });

  test('it can be stretched and fitted, and its titles stay', async () => {
    await show(nonblocking, { width: 600 });
    const width = () => browser.evaluate<number>("document.querySelector('.whole').getBoundingClientRect().width");
    const before = await width();
    const labels = () =>
      browser.evaluate<number>(
        "[...document.querySelectorAll('.whole text')].filter((text) => text.getBoundingClientRect().width > 0).length",
      );
    const few = await labels();
    expect(before).toBeGreaterThan(900);
    await browser.click('[data-act=larger]');
    await browser.click('[data-act=larger]');
    expect(await width()).toBeCloseTo(before * 2.25, 0);
    expect(await labels()).toBeGreaterThan(few);
    await browser.evaluate("document.querySelector('.scroll').scrollLeft = 500");
    const title = await browser.evaluate<DOMRectLike>(
      "document.querySelector('.titles .title').getBoundingClientRect().toJSON()",
    );
    expect(title.left).toBeGreaterThanOrEqual(0);
    expect(title.left).toBeLessThan(60);
    await browser.click('[data-act=fit]');
    expect(await width()).toBeLessThan(600);
  });

  test.each([1000, 390])('a window %d pixels wide is wide enough for all but the picture itself', async (width) => {
    await show(nonblocking, { width });
    expect(await browser.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
  });

  test('light and dark, and every text can be read on its ground', async () => {
    const colours: string[] = [];
    for (const dark of [false, true]) {
      await show(nonblocking, { dark });
      const [ground, ...texts] = await browser.evaluate<string[]>(`[
        getComputedStyle(document.body).backgroundColor,
        ...Array.from(document.querySelectorAll('.whole text, .titles tspan, .whole .sleep'), (text) => getComputedStyle(text).fill),
        ...Array.from(document.querySelectorAll('p, td, th, li, h1'), (text) => getComputedStyle(text).color),
      ]`);
      colours.push(ground as string);
      for (const text of new Set(texts))
        expect(contrast(text, ground as string), `${text} on ${ground}`).toBeGreaterThan(4.5);
    }
    expect(luminance(colours[0] as string)).toBeGreaterThan(0.9);
    expect(luminance(colours[1] as string)).toBeLessThan(0.05);
  });

  test('in Chinese, with several pictures on one scale', async () => {
    const call = (time: number, duration: number): TraceRecord => ({
      time,
      duration,
      thread: 0,
      call: 'poll',
      arguments: {},
      result: 0,
      text: 'poll([], 0, 10) = 0 (Timeout)',
    });
    const file = join(folder(), 'out.html');
    const figures = [
      { title: '一', timeline: timelineOf([call(1000, 10), call(1010, 10)], [{ thread: 0, from: 1002, to: 1004 }]) },
      { title: '二', timeline: timelineOf([call(5000, 40)]) },
    ];
    writeFileSync(file, timelinePage(figures, { title: '四个格子', language: 'zh', pace: 'even' }));
    await browser.show(file);
    expect(await browser.evaluate("[...document.querySelectorAll('h2')].map((h) => h.textContent).join()")).toBe(
      '一,二',
    );
    expect(await browser.evaluate("document.querySelector('.titles .title').textContent")).toBe('主线程');
    const [one, two] = await browser.evaluate<[number, number]>(
      "Array.from(document.querySelectorAll('figure'), (figure) => figure.querySelector('.whole .step').querySelector('.hit').getBoundingClientRect().width)",
    );
    expect(one / two).toBeCloseTo(0.5, 1);
    expect(await count('.whole .activity')).toBe(1);
  });
});

interface DOMRectLike {
  readonly left: number;
  readonly right: number;
}

/** Relative luminance and contrast, as WCAG 2 defines them. */
function luminance(colour: string): number {
  const [red, green, blue] = (colour.match(/[\d.]+/g) ?? []).map((text) => {
    const value = Number(text) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one: string, other: string): number {
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}
