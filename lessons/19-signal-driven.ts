// Signal-driven I/O: the kernel phones by a signal.
import {
  AF_UNIX,
  close,
  EAGAIN,
  F_GETFL,
  F_GETOWN,
  F_OWNER_TID,
  F_SETFL,
  F_SETOWN,
  F_SETOWN_EX,
  F_SETSIG,
  f_owner_ex,
  fcntl,
  gettid,
  O_ASYNC,
  O_NONBLOCK,
  POLLIN,
  PollFds,
  poll,
  pthread_sigmask,
  raw,
  read,
  recv,
  SFD_NONBLOCK,
  SIG_BLOCK,
  SIG_UNBLOCK,
  SIGIO,
  SIGUSR2,
  SigSet,
  SOCK_STREAM,
  send,
  signalfd,
  signalfd_siginfo,
  socketpair,
} from 'posix-sockets';
import { lesson } from './frame/lesson.js';

/** The next such signal, within five seconds. A listener for signals alone would not keep the process waiting. */
function signalled(name: NodeJS.Signals): Promise<string> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no ${name} came`)), 5000);
    process.once(name, (signal) => {
      clearTimeout(timer);
      resolve(signal);
    });
  });
}

export default lesson({
  number: 19,
  rows: [19],
  title: { en: 'Phoned by a signal', zh: '用信号来通知' },
  async teach({ part, say, show, check }) {
    part('SIGIO for the process', '发给进程的 SIGIO');
    say(
      'F_SETOWN says who is to be phoned, O_ASYNC that anybody is. Node hands the signal to JavaScript like any other.',
      'F_SETOWN 指定通知谁，O_ASYNC 打开通知。Node 把这个信号像其他信号一样交给 JavaScript。',
    );
    const [one, other] = socketpair(AF_UNIX, SOCK_STREAM);
    const arrived = signalled('SIGIO');
    show(() => {
      fcntl(other, F_SETOWN, process.pid);
      fcntl(other, F_SETFL, fcntl(other, F_GETFL) | O_ASYNC | O_NONBLOCK);
      send(one, Buffer.from('ring'));
    });
    check((await arrived) === 'SIGIO', 'SIGIO came.', 'SIGIO 来了。');
    check(fcntl(other, F_GETOWN) === process.pid, 'To its owner, this process.', '发给了它的主人，即本进程。');
    const bytes = Buffer.alloc(16);
    check(
      show(() => recv(other, bytes)) === 4,
      'It says that something happened, and not where: the program must look.',
      '它说明有事发生，却不说在哪里：程序必须自己去看。',
    );

    part('A signal of our own, for one thread, that names the descriptor', '自选的信号，发给一个线程，并指明描述符');
    say(
      'F_SETSIG chooses the signal, and then it carries the descriptor and what it is ready for. F_SETOWN_EX sends it to ' +
        'one thread; there it is blocked, and waits in a signalfd to be read like bytes.',
      'F_SETSIG 选择信号，此后信号就带着是哪个描述符、因何就绪。F_SETOWN_EX 把它发给一个线程；该线程阻塞了这个信号，它便在 signalfd 里等着，像字节一样被读出。',
    );
    const mask = new SigSet([SIGUSR2]);
    const { info, second } = show(() => {
      pthread_sigmask(SIG_BLOCK, mask);
      const signals = signalfd(-1, mask, SFD_NONBLOCK);
      fcntl(other, F_SETSIG, SIGUSR2);
      fcntl(other, F_SETOWN_EX, new f_owner_ex({ type: F_OWNER_TID, pid: gettid() }));
      send(one, Buffer.from('again'));
      send(one, Buffer.from('and again'));
      poll(new PollFds(1).set(0, signals, POLLIN), 5000);
      const info = new signalfd_siginfo();
      read(signals, info.bytes);
      const second = raw.read(signals, new signalfd_siginfo().bytes);
      close(signals);
      return { info, second };
    });
    check(info.ssi_signo === SIGUSR2 && info.ssi_signo !== SIGIO, 'The signal that we chose.', '是我们选择的信号。');
    check(
      info.ssi_fd === other && (info.ssi_band & POLLIN) !== 0,
      `It names descriptor ${other}, which can be read.`,
      `它指明描述符 ${other} 可读。`,
    );
    check(
      second === -EAGAIN,
      'Two messages, and one signal: what is pending already is not queued again.',
      '两条消息，却只有一个信号：已经在等待处理的信号不会再排队。',
    );
    show(() => fcntl(other, F_SETFL, fcntl(other, F_GETFL) & ~O_ASYNC));
    pthread_sigmask(SIG_UNBLOCK, mask);
    close(one);
    close(other);
  },
  verdict: {
    right: {
      en: 'With O_ASYNC the kernel sends a signal when a socket becomes ready.',
      zh: '信号驱动式 I/O：设置 O_ASYNC 后，套接字就绪时内核会发送信号。',
    },
    folklore: {
      en:
        'It is seldom the way to wait for many sockets: a second SIGIO is lost while one is pending, the queue of ' +
        'real-time signals can overflow, and TCP sends them for almost everything that happens. epoll took its place.',
      zh: '很少用这种方式等待许多套接字：一个 SIGIO 还未处理时，后来的就丢了；实时信号的队列会溢出；而 TCP 几乎事事都发信号。epoll 取代了它。',
    },
    changed: {
      en: 'signalfd (Linux 2.6.22) made signals something to read and to poll; F_SETOWN_EX (2.6.32) can name one thread.',
      zh: 'signalfd（Linux 2.6.22）让信号可以被读取和轮询；F_SETOWN_EX（2.6.32）可以指定一个线程。',
    },
  },
});
