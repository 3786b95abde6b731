// All four cells of the table side by side, with a picture of who waited when.
import { once } from 'node:events';
import { threadId } from 'node:worker_threads';
import {
  AF_UNIX,
  close,
  EAGAIN,
  EPOLL_CTL_ADD,
  EPOLLIN,
  EpollEvents,
  epoll_create1,
  epoll_ctl,
  MSG_DONTWAIT,
  Reactor,
  raw,
  SOCK_STREAM,
  socketpair,
} from 'posix-sockets';
import { type Timeline, timelineOf, timelinePage } from 'posix-sockets/timeline';
import { type TraceRecord, trace } from 'posix-sockets/trace';
import { lesson } from './frame/lesson.js';
import { cpuTime, ended, type Sender, sender } from './frame/thread.js';

const delay = 200;
const bytes = new Uint8Array(16);
const width = 50;

/** What a thread did at a time: its own work, asking, sleeping in a call. */
type Doing = 'works' | 'asks' | 'sleeps';

class Diary {
  readonly start = performance.now();
  readonly entries: [doing: Doing, from: number, to: number][] = [];
  calls = 0;

  /** Notes what is done, and for how long. */
  while<T>(doing: Doing, act: () => T): T {
    const from = performance.now() - this.start;
    const result = act();
    this.entries.push([doing, from, performance.now() - this.start]);
    if (doing !== 'works') this.calls++;
    return result;
  }

  /** When the thread did something else: in milliseconds since 1970. */
  get otherWork() {
    const start = performance.timeOrigin + this.start;
    const work = this.entries.filter(([doing]) => doing === 'works');
    return work.map(([, from, to]) => ({ thread: threadId, from: start + from, to: start + to }));
  }

  /** A bar: what was done for most of each stretch of time; a blank where the thread had gone away. */
  bar(until: number): string {
    const marks = { works: '▒', asks: '█', sleeps: '░' };
    return Array.from({ length: width }, (_, i) => {
      const [from, to] = [(i * until) / width, ((i + 1) * until) / width];
      const spent = new Map<Doing, number>();
      for (const [doing, a, b] of this.entries) {
        const overlap = Math.min(b, to) - Math.max(a, from);
        if (overlap > 0) spent.set(doing, (spent.get(doing) ?? 0) + overlap);
      }
      const [most] = [...spent].sort((a, b) => b[1] - a[1]);
      return most === undefined || most[1] < (to - from) / 8 ? ' ' : marks[most[0]];
    }).join('');
  }
}

/** The peer, which tells in the end which calls it made. */
const tracedSender = (fd: number) =>
  sender(fd, 'the message', delay, {
    before: `const { trace } = await import(${JSON.stringify(import.meta.resolve('posix-sockets/trace'))});
      const calls = [];
      const tracing = trace((event) => calls.push(event.toJSON()), { files: true });`,
    after: 'tracing.stop(); parentPort.postMessage(calls);',
  });

/** What happened in a cell. */
interface Result {
  readonly name: string;
  readonly diary: Diary;
  readonly cpu: number;
  readonly took: number;
  readonly timeline: Timeline;
}

/** How a message is waited for. It does not come before the caller has let the peer send. */
type Cell = (fd: number, diary: Diary, peer: Sender) => void | Promise<void>;

/** So often a caller that does not block shows what it does meanwhile. */
const least = 12;

async function play(name: string, run: Cell): Promise<Result> {
  const [one, other] = socketpair(AF_UNIX, SOCK_STREAM);
  const peer = await tracedSender(one);
  const told = once(peer.worker, 'message');
  const records: TraceRecord[] = [];
  const cpu = cpuTime();
  const diary = new Diary();
  {
    using _ = trace((event) => records.push(event), { files: true });
    await run(other, diary, peer);
  }
  const result = { name, diary, cpu: cpuTime() - cpu, took: performance.now() - diary.start };
  const [calls] = (await told) as [TraceRecord[]];
  await ended(peer.worker);
  close(one);
  close(other);
  return { ...result, timeline: timelineOf([...records, ...calls], diary.otherWork) };
}

/** Something else to do, for about a millisecond. */
function work(): void {
  const end = performance.now() + 1;
  while (performance.now() < end);
}

// The four cells: each gets one message from a socket where it comes after a while.
const cells: Record<string, Cell> = {
  'blocking, synchronous': (fd, diary, peer) => {
    peer.allowAsleep();
    diary.while('sleeps', () => raw.recv(fd, bytes, 0));
  },
  'blocking, asynchronous': (fd, diary, peer) => {
    const epfd = epoll_create1();
    epoll_ctl(epfd, EPOLL_CTL_ADD, fd, EPOLLIN);
    peer.allowAsleep();
    diary.while('sleeps', () => raw.epoll_wait(epfd, new EpollEvents(1).bytes, -1));
    diary.while('asks', () => raw.recv(fd, bytes, 0));
    close(epfd);
  },
  'non-blocking, synchronous': (fd, diary, peer) => {
    while (diary.while('asks', () => raw.recv(fd, bytes, MSG_DONTWAIT)) === -EAGAIN) {
      diary.while('works', () => work());
      if (diary.calls >= least) peer.allow();
    }
  },
  'non-blocking, asynchronous': async (fd, diary, peer) => {
    // The reactor is there before anybody waits on it, as in any program that has one.
    const timer = setInterval(() => {
      diary.while('works', () => work());
      peer.allow();
    }, 4);
    await new Promise<void>((resolve) => {
      Reactor.default.add(fd, EPOLLIN, () => {
        diary.while('asks', () => raw.recv(fd, bytes, MSG_DONTWAIT));
        Reactor.default.remove(fd);
        resolve();
      });
    });
    clearInterval(timer);
  },
};

const inChinese: Record<string, string> = {
  'blocking, synchronous': '阻塞、同步',
  'blocking, asynchronous': '阻塞、异步',
  'non-blocking, synchronous': '非阻塞、同步',
  'non-blocking, asynchronous': '非阻塞、异步',
};

export default lesson({
  number: 17,
  rows: [17],
  title: { en: 'Four cells of a table', zh: '四个格子' },
  drawsPicture: true,
  async teach({ part, say, print, picture, check, language }) {
    say(
      `Four times the same: a message comes after ${delay} ms, and a thread wants it. Two questions make the table. Does ` +
        'the caller stand still (blocking)? And does the caller look for itself (synchronous), or does somebody bring ' +
        'the news (asynchronous)?',
      `四次都一样：${delay} 毫秒后来一条消息，一个线程要收它。两个问题构成这张表：调用者是否站着不动（阻塞）？是调用者自己去看（同步），还是有人送来消息（异步）？`,
    );

    const results: Result[] = [];
    for (const [name, run] of Object.entries(cells)) results.push(await play(name, run));
    const nameOf = (name: string) => (language === 'zh' ? (inChinese[name] as string) : name);

    part('Who waited when', '谁在何时等待');
    const until = Math.max(...results.map(({ took }) => took));
    for (const { name, diary, cpu } of results) {
      print(`  ${nameOf(name)}`);
      print(`    |${diary.bar(until)}|`);
      const slept = spent(diary, 'sleeps');
      const worked = spent(diary, 'works');
      print(
        language === 'zh'
          ? `     调用 ${diary.calls} 次；睡眠 ${slept} 毫秒；做了 ${worked} 毫秒别的事；CPU 时间 ${cpu.toFixed(0)} 毫秒`
          : `     ${diary.calls} ${diary.calls === 1 ? 'call' : 'calls'}; asleep ${slept} ms; other work ${worked} ms; processor ${cpu.toFixed(0)} ms`,
      );
    }
    print(
      language === 'zh'
        ? '    ░ 在调用中睡眠   █ 询问   ▒ 做别的事   空白：线程空闲，事件循环在等'
        : '    ░ asleep in a call   █ asking   ▒ other work   blank: free, and the event loop waits',
    );
    print('');
    picture(() =>
      timelinePage(
        results.map(({ name, timeline }) => ({ title: nameOf(name), timeline })),
        { title: language === 'zh' ? '四个格子：谁在何时等待' : 'Four cells: who waited when', language, pace: 'even' },
      ),
    );
    const [first, second, third, fourth] = results.map(({ diary }) => diary) as [Diary, Diary, Diary, Diary];
    check(
      spent(first, 'works') === 0 && spent(second, 'works') === 0,
      'Blocking, the caller gets nothing else done, whoever brings the news.',
      '阻塞时，无论谁送来消息，调用者都做不了别的事。',
    );
    check(
      spent(third, 'works') > 0 && spent(fourth, 'works') > 0,
      'Non-blocking, it works meanwhile.',
      '非阻塞时，其间可以工作。',
    );
    check(
      third.calls > least && fourth.calls === 1,
      `Who looks for itself asks in vain ${third.calls - 1} times; who is phoned calls once.`,
      `自己去看的人白问了 ${third.calls - 1} 次；等电话的人只调用一次。`,
    );
  },
  verdict: {
    right: {
      en: "Blocking is about the caller's state, synchronous about who brings the news. They are two questions.",
      zh: '阻塞说的是调用者的状态，同步说的是谁来送消息。这是两个不同的问题。',
    },
    folklore: {
      en: 'In everyday talk the two words are used for one another. The picture shows that all four combinations exist.',
      zh: '日常说话中这两个词常被混用。图中可见，四种组合都存在。',
    },
  },
});

function spent(diary: Diary, doing: Doing): number {
  const total = diary.entries.reduce((sum, [what, from, to]) => (what === doing ? sum + to - from : sum), 0);
  return Math.round(total);
}
