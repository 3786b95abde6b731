// Non-blocking and asynchronous: to go away, and to be phoned.
import {
  AF_UNIX,
  close,
  EPOLLIN,
  IORING_OP_RECV,
  Reactor,
  Ring,
  raw,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  Socket,
  send,
  socketpair,
} from 'posix-sockets';
import { lesson } from './frame/lesson.js';
import { cpuTime, ended, sender } from './frame/thread.js';

function haveRings(): boolean {
  try {
    new Ring(1).close();
    return true;
  } catch {
    return false;
  }
}

export default lesson({
  number: 16,
  rows: [16],
  title: { en: 'Go away, and be phoned', zh: '走开，等电话' },
  async teach({ part, say, show, check }) {
    const delay = 200;

    part('The reactor', '反应器');
    say(
      `The peer sends after ${delay} ms. We tell the reactor whom to phone, and go on: a timer ticks in this same thread.`,
      `对方在 ${delay} 毫秒后发送。我们告诉反应器（reactor）到时给谁打电话，然后继续做别的：同一个线程里有一个定时器在走。`,
    );
    const [one, other] = socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK);
    const peer = await sender(one, 'ring', delay);
    let ticks = 0;
    const timer = setInterval(() => {
      if (++ticks > 5) peer.allow();
    }, 5);
    const cpu = cpuTime();
    const heard = await show(
      () =>
        new Promise<string>((resolve) => {
          const bytes = Buffer.alloc(16);
          Reactor.default.add(other, EPOLLIN, (_, fd) => {
            const length = raw.recv(fd, bytes, 0);
            Reactor.default.remove(fd);
            resolve(bytes.toString('utf8', 0, length));
          });
        }),
    );
    const used = cpuTime() - cpu;
    clearInterval(timer);
    await ended(peer.worker);
    check(
      heard === 'ring',
      'One call was made when the news came, and it found what it wanted.',
      '消息到来时只调用了一次，就得到了想要的。',
    );
    check(
      ticks > 5,
      `Meanwhile the thread did other things: the timer ticked ${ticks} times, in ${used.toFixed(0)} ms of a processor.`,
      `其间线程做了别的事：定时器走了 ${ticks} 下，用了 ${used.toFixed(0)} 毫秒 CPU 时间。`,
    );
    close(one);
    close(other);

    part('With await', '使用 await');
    say(
      'Socket is the same with a promise for the phone call. It tries first, and waits only on EAGAIN:',
      'Socket 也是如此，只是用 promise 来代替电话。它先尝试，遇到 EAGAIN 才等待：',
    );
    const ends = Socket.pair();
    const answer = await show(async () => {
      const received = ends[0].recvBuffer();
      await ends[1].sendAll(Buffer.from('by a promise'));
      return String(await received);
    });
    const mine = Socket.list().find(({ fd }) => fd === ends[0].fd);
    check(
      answer === 'by a promise' && mine?.calls === 2 && mine.waits === 1,
      'One EAGAIN, one wait, one recv.',
      '一次 EAGAIN，一次等待，一次 recv。',
    );
    for (const end of ends) end.close();

    part('One step further', '再进一步');
    say(
      'A reactor phones when the goods are ready to be fetched; the fetching is still ours. With io_uring we hand the ' +
        'kernel the order itself, "receive into these bytes", and are phoned when it is done:',
      '反应器在货物可取时打电话；取货仍是我们自己的事。使用 io_uring 则是把订单本身交给内核：“把数据收到这块内存里”，办完了再来电话：',
    );
    if (!haveRings()) {
      say('(This system forbids io_uring, so there is nothing to show.)', '（此系统禁用了 io_uring，无法演示。）');
      return;
    }
    const ring = new Ring(4);
    const [near, far] = socketpair(AF_UNIX, SOCK_STREAM);
    const delivered = await show(
      () =>
        new Promise<string>((resolve) => {
          Reactor.default.add(ring.fd, EPOLLIN, (_, fd) => {
            if (ring.submit() === 0) return;
            Reactor.default.remove(fd);
            resolve(String(Buffer.from(ring.memory.subarray(0, ring.res(0)))));
          });
          ring.prepare({ opcode: IORING_OP_RECV, fd: far, addr: 0, len: 16 });
          ring.submit();
          send(near, Buffer.from('delivered'));
        }),
    );
    check(
      delivered === 'delivered',
      'No recv was called: when the phone rang, the bytes lay in our memory.',
      '没有调用过 recv：电话响时，数据已经在我们的内存里了。',
    );
    ring.close();
    close(near);
    close(far);
  },
  verdict: {
    right: {
      en: 'Non-blocking and asynchronous: go away, and be phoned when it is ready.',
      zh: '非阻塞异步：走开去做别的，就绪时会有电话来。',
    },
    changed: {
      en:
        'Since Linux 5.1 there is io_uring, where the kernel does the work before it phones. Strictly, only that is ' +
        'asynchronous input and output; epoll tells of readiness.',
      zh: '自 Linux 5.1 起有了 io_uring，内核先把活干完再打电话。严格说来，只有这才是异步 I/O；epoll 只是告知就绪。',
    },
  },
});
