// Blocking: to stand at the counter. With a recv of one's own, and with a call that only brings the news.
import { once } from 'node:events';
import { AF_UNIX, close, SOCK_STREAM, send, socketpair } from 'posix-sockets';
import { lesson } from './frame/lesson.js';
import { ended, thread } from './frame/thread.js';
import { pause } from './frame/until.js';

interface Wait {
  text: string;
  waited: number;
  cpu: number;
  calls: string[];
}

// The thread that stands there. It prints through the tracer's own lines, which it sends over.
const waiting = (body: string) => `
  const { trace } = await import(workerData.trace);
  const calls = [];
  const [start, cpu] = [performance.now(), cpuTime()];
  parentPort.postMessage('ready');
  const tracing = trace((event) => calls.push(String(event)));
  const bytes = Buffer.alloc(64);
  let length;
  ${body}
  tracing.stop();
  parentPort.postMessage({
    text: bytes.toString('utf8', 0, length), waited: performance.now() - start, cpu: cpuTime() - cpu, calls,
  });`;

async function watch(body: string, delay: number): Promise<Wait> {
  const [one, other] = socketpair(AF_UNIX, SOCK_STREAM);
  const worker = thread(waiting(body), { fd: other, trace: import.meta.resolve('posix-sockets/trace') });
  await once(worker, 'message');
  const answer = once(worker, 'message');
  pause(delay);
  send(one, Buffer.from('your order'));
  const [wait] = (await answer) as [Wait];
  await ended(worker);
  close(one);
  close(other);
  return wait;
}

export default lesson({
  number: 13,
  rows: [13, 14],
  title: { en: 'Standing at the counter', zh: '站在柜台前' },
  async teach({ part, say, print, check }) {
    const delay = 300;

    part('Blocking and synchronous', '阻塞、同步');
    say(
      `A thread calls recv on a socket where nothing is, and its peer sends after ${delay} ms. A second thread is needed ` +
        'for this: the one that stands there can do nothing else.',
      `一个线程在没有数据的套接字上调用 recv，对方在 ${delay} 毫秒后才发送。为此需要第二个线程：站在那里的线程什么别的也做不了。`,
    );
    const direct = await watch('length = posix.recv(workerData.fd, bytes);', delay);
    for (const line of direct.calls) print(`    ${line}`);
    check(direct.text === 'your order', 'It got what it waited for.', '它得到了所等的东西。');
    check(
      direct.waited > delay * 0.8 && direct.cpu < direct.waited / 3,
      `It stood there for ${direct.waited.toFixed(0)} ms, and used ${direct.cpu.toFixed(1)} ms of a processor: it slept.`,
      `它站了 ${direct.waited.toFixed(0)} 毫秒，只用了 ${direct.cpu.toFixed(1)} 毫秒 CPU 时间：它在睡眠。`,
    );

    part('Blocking and asynchronous', '阻塞、异步');
    say(
      'Now the news is brought: epoll_wait says when the socket is ready, and recv fetches. But the thread waits for the ' +
        'phone with its hand on it.',
      '这次有人送消息来：epoll_wait 告知套接字何时就绪，再用 recv 取走数据。但线程一直手握听筒在等。',
    );
    const told = await watch(
      `const epfd = posix.epoll_create1();
       posix.epoll_ctl(epfd, posix.EPOLL_CTL_ADD, workerData.fd, posix.EPOLLIN);
       posix.epoll_wait(epfd, new posix.EpollEvents(1), -1);
       length = posix.recv(workerData.fd, bytes);
       posix.close(epfd);`,
      delay,
    );
    for (const line of told.calls) print(`    ${line}`);
    check(
      told.text === 'your order' && told.waited > delay * 0.8,
      `The same ${told.waited.toFixed(0)} ms of standing there.`,
      `同样站了 ${told.waited.toFixed(0)} 毫秒。`,
    );
    check(
      told.calls.length > direct.calls.length,
      `And ${told.calls.length} calls instead of ${direct.calls.length}.`,
      `而且用了 ${told.calls.length} 次调用，而不是 ${direct.calls.length} 次。`,
    );
  },
  verdict: {
    right: {
      en: 'Blocking and synchronous is to stand and watch. For one socket, to block and wait for the phone is only for fools.',
      zh: '阻塞同步就是站在那里看着。若只有一个套接字，阻塞着等电话是傻瓜才做的事。',
    },
    folklore: {
      en:
        'For a thousand sockets it is what every server does: one thread, blocked in one epoll_wait, told of whichever ' +
        'is ready. Row 14 is foolish only while there is one thing to wait for.',
      zh: '若有一千个套接字，每个服务器都这么做：一个线程阻塞在一个 epoll_wait 里，哪个就绪就通知哪个。只等一件事时，这样做才是犯傻。',
    },
  },
});
