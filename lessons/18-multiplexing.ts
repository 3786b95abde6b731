// select, poll and epoll on the same thousand connections: what a wait costs as their number grows.
import {
  AF_UNIX,
  close,
  EPOLL_CTL_ADD,
  EPOLLIN,
  EpollEvents,
  epoll_create1,
  epoll_ctl,
  F_DUPFD_CLOEXEC,
  FdSet,
  fcntl,
  POLLIN,
  PollFds,
  raw,
  SOCK_STREAM,
  send,
  socketpair,
  timeval,
} from 'posix-sockets';
import { lesson } from './frame/lesson.js';

const rounds = 200;

/** A thousand, or as many as have numbers that select takes: other descriptors that are open have some of them. */
function mostThatFit(): number {
  const [lowest, other] = socketpair(AF_UNIX, SOCK_STREAM);
  for (const fd of [lowest, other]) close(fd);
  return Math.min(1000, 1024 - lowest);
}

/** Connections whose near ends have small numbers, for select takes no descriptor of 1024 or more. */
function connections(count: number): { near: number[]; far: number[] } {
  const near: number[] = [];
  const far: number[] = [];
  for (let i = 0; i < count; i++) {
    const [one, other] = socketpair(AF_UNIX, SOCK_STREAM);
    far.push(fcntl(other, F_DUPFD_CLOEXEC, 1100));
    close(other);
    near.push(one);
  }
  return { near, far };
}

const median = (values: number[]) => values.sort((a, b) => a - b)[values.length >> 1] as number;

/** Microseconds for one call, the median of many. */
function cost(call: () => number): number {
  const times = Array.from({ length: rounds }, () => {
    const start = process.hrtime.bigint();
    if (call() !== 1) throw new Error('one connection is ready, and no other');
    return Number(process.hrtime.bigint() - start) / 1000;
  });
  return median(times);
}

/** The three ways to wait for some descriptors, of which the last is ready. */
function waits(fds: number[]): Record<string, () => number> {
  const set = new FdSet(fds);
  const copy = new FdSet();
  const nfds = Math.max(...fds) + 1;
  const now = new timeval();
  const pollFds = new PollFds(fds.length);
  fds.forEach((fd, i) => {
    pollFds.set(i, fd, POLLIN);
  });
  const events = new EpollEvents(16);
  const epfd = epoll_create1();
  for (const fd of fds) epoll_ctl(epfd, EPOLL_CTL_ADD, fd, EPOLLIN);
  return {
    select() {
      // select leaves only what is ready in its set: it must be told everything again each time.
      copy.bytes.set(set.bytes);
      return raw.select(nfds, copy.bytes, null, null, now.bytes);
    },
    poll: () => raw.poll(pollFds.bytes, 0),
    epoll: () => raw.epoll_wait(epfd, events.bytes, 0),
    done: () => raw.close(epfd),
  };
}

export default lesson({
  number: 18,
  rows: [18],
  title: { en: 'A thousand connections', zh: '一千个连接' },
  teach({ part, say, print, show, check }) {
    const most = mostThatFit();
    const counts = [10, 30, 100, 300, most];
    const { near, far } = connections(most);
    const ready = near.at(-1) as number;
    send(far.at(-1) as number, Buffer.from('x'));

    part("select's limit", 'select 的上限');
    const high = far.at(-1) as number;
    let refused = '';
    try {
      show(() => new FdSet([high]));
    } catch (error) {
      refused = (error as Error).message;
      print(`    ${refused}`);
    }
    check(
      refused.includes('1023'),
      `Descriptor ${high} does not fit: an fd_set has 1024 bits, and C would write past its end.`,
      `描述符 ${high} 放不下：fd_set 只有 1024 位，在 C 里就会越界写。`,
    );

    part('What one wait costs', '一次等待的代价');
    say(
      'One connection is ready and the others are idle. The same connections, watched by each; microseconds for a call.',
      '一个连接就绪，其余空闲。同样的连接分别由三者监视；单位是每次调用的微秒数。',
    );
    const rows = counts.map((count) => {
      const fds = [...near.slice(0, count - 1), ready];
      const { done, ...calls } = waits(fds);
      const costs = Object.entries(calls).map(([name, call]) => [name, cost(call)] as const);
      done?.();
      return { count, costs: Object.fromEntries(costs) as Record<'select' | 'poll' | 'epoll', number> };
    });
    const highest = Math.max(...rows.map(({ costs }) => Math.max(costs.select, costs.poll)));
    for (const { count, costs } of rows) {
      for (const name of ['select', 'poll', 'epoll'] as const) {
        const bar = '█'.repeat(Math.max(1, Math.round((costs[name] / highest) * 48)));
        print(
          `    ${name === 'select' ? String(count).padStart(4) : '    '} ${name.padEnd(6)} ${costs[name].toFixed(1).padStart(6)} ${bar}`,
        );
      }
    }
    const [fewest, largest] = [rows[0]?.costs, rows.at(-1)?.costs];
    if (fewest === undefined || largest === undefined) return;
    check(
      largest.poll > 5 * fewest.poll && largest.select > 2 * fewest.select,
      'select and poll look at every connection each time: the cost grows with the number.',
      'select 和 poll 每次都要检查每个连接：代价随数量增长。',
    );
    check(
      largest.epoll < largest.poll / 5,
      'epoll was told once whom to watch, and pays only for what is ready.',
      'epoll 只需告诉一次要监视谁，此后只为就绪的付出代价。',
    );
    for (const fd of [...near, ...far]) close(fd);
  },
  verdict: {
    right: {
      en: 'First select, then poll, then epoll, and the first two do not carry a large chat service.',
      zh: '先有 select，再有 poll，然后是 epoll；前两者支撑不了大型聊天服务。',
    },
    folklore: {
      en:
        'For ten descriptors it makes no difference which one waits, and for a thousand that are all busy, little: poll ' +
        'then finds work wherever it looks. It is idle connections that epoll makes cheap.',
      zh: '对十个描述符，用哪个都没有区别；一千个都很忙时差别也不大：poll 看哪里，哪里都有活。epoll 让空闲连接几乎不花代价。',
    },
    changed: {
      en: 'Since Linux 5.11 epoll_pwait2 takes its timeout in nanoseconds, and io_uring can wait and receive in one.',
      zh: '自 Linux 5.11 起 epoll_pwait2 的超时可以精确到纳秒，io_uring 则把等待和接收合而为一。',
    },
  },
});
