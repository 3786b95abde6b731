// A headless Chromium, spoken to over two pipes: https://chromedevtools.github.io/devtools-protocol
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { pathToFileURL } from 'node:url';

const program = ['chromium', 'chromium-browser', 'google-chrome'].find(
  (name) => spawnSync(name, ['--version'], { timeout: 20_000 }).status === 0,
);
export const haveChromium = program !== undefined;

type Answer = Record<string, unknown>;

/** A page in a browser of its own. */
export class Browser {
  readonly #child: ChildProcess;
  readonly #profile: string;
  readonly #waiting = new Map<number, (message: { result?: Answer; error?: { message: string } }) => void>();
  readonly #listeners = new Set<(method: string, parameters: Answer) => void>();
  #session: string | undefined;
  #last = 0;

  private constructor() {
    this.#profile = mkdtempSync(join(tmpdir(), 'posix-sockets-browser-'));
    const switches = [
      '--headless',
      '--no-sandbox', // it opens nothing but our own files
      '--disable-gpu',
      '--disable-dev-shm-usage',
      '--hide-scrollbars',
      `--user-data-dir=${this.#profile}`,
      '--remote-debugging-pipe',
    ];
    this.#child = spawn(program as string, switches, { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] });
    let pending = '';
    (this.#child.stdio[4] as Readable).setEncoding('utf8').on('data', (text: string) => {
      const messages = (pending + text).split('\0');
      pending = messages.pop() as string;
      for (const message of messages) this.#receive(JSON.parse(message));
    });
  }

  static async open(): Promise<Browser> {
    const browser = new Browser();
    const { targetId } = await browser.send('Target.createTarget', { url: 'about:blank' });
    const { sessionId } = await browser.send('Target.attachToTarget', { targetId, flatten: true });
    browser.#session = sessionId as string;
    for (const domain of ['Page', 'Runtime', 'Network', 'Log']) await browser.send(`${domain}.enable`);
    return browser;
  }

  #receive(message: { id?: number; method?: string; params?: Answer; result?: Answer; error?: { message: string } }) {
    if (message.id !== undefined) this.#waiting.get(message.id)?.(message);
    else for (const listener of this.#listeners) listener(message.method as string, message.params as Answer);
  }

  /** Makes a request of the protocol. */
  send(method: string, params: Answer = {}): Promise<Answer> {
    const id = ++this.#last;
    const request = { id, method, params, ...(this.#session && { sessionId: this.#session }) };
    (this.#child.stdio[3] as Writable).write(`${JSON.stringify(request)}\0`);
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, ({ result, error }) => {
        this.#waiting.delete(id);
        if (error) reject(new Error(`${method}: ${error.message}`));
        else resolve(result as Answer);
      });
    });
  }

  /** Is given every event of the protocol. */
  listen(listener: (method: string, parameters: Answer) => void): void {
    this.#listeners.add(listener);
  }

  /** Opens a file in a window of this size, as a reader who prefers light or dark. */
  async show(file: string, { width = 1000, height = 800, dark = false } = {}): Promise<void> {
    await this.send('Emulation.setDeviceMetricsOverride', { width, height, deviceScaleFactor: 1, mobile: false });
    const features = [{ name: 'prefers-color-scheme', value: dark ? 'dark' : 'light' }];
    await this.send('Emulation.setEmulatedMedia', { features });
    const loaded = new Promise<void>((resolve) => {
      this.listen((method) => method === 'Page.loadEventFired' && resolve());
    });
    await this.send('Page.navigate', { url: pathToFileURL(file).href });
    await loaded;
  }

  /** What an expression gives in the page. */
  async evaluate<T>(expression: string): Promise<T> {
    const answer = await this.send('Runtime.evaluate', { expression, returnByValue: true, awaitPromise: true });
    if (answer.exceptionDetails) throw new Error(JSON.stringify(answer.exceptionDetails));
    return (answer.result as { value: T }).value;
  }

  /** The middle of the first element that a selector finds, scrolled into view. */
  async place(selector: string): Promise<{ x: number; y: number }> {
    return this.evaluate(`(() => {
      const element = document.querySelector(${JSON.stringify(selector)});
      element.scrollIntoView({ block: 'center', inline: 'center' });
      const { x, y, width, height } = element.getBoundingClientRect();
      return { x: x + width / 2, y: y + height / 2 };
    })()`);
  }

  async point(selector: string): Promise<void> {
    await this.send('Input.dispatchMouseEvent', { type: 'mouseMoved', ...(await this.place(selector)) });
  }

  async click(selector: string): Promise<void> {
    const place = { ...(await this.place(selector)), button: 'left', clickCount: 1 };
    for (const type of ['mousePressed', 'mouseReleased'])
      await this.send('Input.dispatchMouseEvent', { type, ...place });
  }

  async press(key: string): Promise<void> {
    const codes: Record<string, number> = {
      Tab: 9,
      Enter: 13,
      Escape: 27,
      End: 35,
      Home: 36,
      ArrowLeft: 37,
      ArrowRight: 39,
    };
    const event = { key, code: key, windowsVirtualKeyCode: codes[key] };
    for (const type of ['rawKeyDown', 'keyUp']) await this.send('Input.dispatchKeyEvent', { type, ...event });
  }

  /** A picture of the window, as PNG. */
  async screenshot(): Promise<Buffer> {
    const { data } = await this.send('Page.captureScreenshot');
    return Buffer.from(data as string, 'base64');
  }

  async close(): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#session = undefined; // this is for the browser, and not for its page
    await this.send('Browser.close');
    await ended;
    rmSync(this.#profile, { recursive: true, force: true, maxRetries: 5 });
  }
}
