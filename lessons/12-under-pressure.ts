// "Unstable under many connections, and big packets fail with no error": what really happens.
import {
  AF_UNIX,
  accept,
  bind,
  close,
  connect,
  EAGAIN,
  getsockname,
  listen,
  MSG_DONTWAIT,
  POLLOUT,
  PollFds,
  poll,
  raw,
  recv,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  type SystemError,
  send,
  setOption,
  sockaddr_un,
  socket,
  socketpair,
} from 'posix-sockets';
import { lesson } from './frame/lesson.js';

export default lesson({
  number: 12,
  rows: [12],
  title: { en: 'Under pressure', zh: '压力之下' },
  teach({ part, say, print, show, check }) {
    say(
      'The notes say that Unix sockets are unstable under many connections, and that big packets fail with no error. ' +
        'Let us fill everything that can be full.',
      '笔记说 Unix 套接字在连接多时不稳定，大数据包会无声地失败。让我们把能填满的都填满。',
    );

    part('The queue of connections', '连接队列');
    const server = socket(AF_UNIX, SOCK_STREAM);
    bind(server, sockaddr_un(''));
    listen(server, 2);
    const clients: number[] = [];
    let refusal = 0;
    while (refusal === 0 && clients.length < 100) {
      const fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK);
      refusal = raw.connect(fd, getsockname(server).bytes);
      if (refusal === 0) clients.push(fd);
      else close(fd);
    }
    check(
      refusal === -EAGAIN && clients.length === 3,
      'listen(fd, 2) let three wait. The fourth is told EAGAIN at once; a blocking connect would simply wait.',
      'listen(fd, 2) 让三个连接等待。第四个立刻得到 EAGAIN；换成阻塞的 connect，就只是等待而已。',
    );
    const accepted = show(() => accept(server));
    const next = socket(AF_UNIX, SOCK_STREAM);
    show(() => connect(next, getsockname(server)));
    check(true, 'One accept, and there is room for one more.', '一次 accept，就又空出一个位置。');
    const crowd = Array.from({ length: 300 }, () => {
      const fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK);
      while (raw.connect(fd, getsockname(server).bytes) === -EAGAIN) clients.push(accept(server));
      return fd;
    });
    check(
      crowd.length === 300,
      '300 connections through a queue of three, and none was lost.',
      '300 个连接通过长度为三的队列，一个也没丢。',
    );
    for (const fd of [...crowd, ...clients, accepted, next, server]) close(fd);

    part('The send buffer', '发送缓冲区');
    const [one, other] = socketpair(AF_UNIX, SOCK_STREAM);
    let sent = 0;
    let answer = 0;
    const block = Buffer.alloc(10_000);
    while (answer >= 0) {
      block.fill(sent & 0xff);
      answer = raw.send(one, block, MSG_DONTWAIT);
      if (answer > 0) sent += answer;
    }
    print(`    send(${one}, ..., 10000, MSG_DONTWAIT) = -1 EAGAIN, after ${sent} bytes`);
    check(answer === -EAGAIN, 'Full, and it says so: EAGAIN.', '满了，而且明确告知：EAGAIN。');
    let received = 0;
    const bytes = Buffer.alloc(65_536);
    while (received < sent) received += recv(other, bytes);
    check(
      received === sent,
      'Every byte that send said it took has arrived. Nothing was lost.',
      'send 报告已接收的每个字节都到达了，什么也没丢。',
    );
    const fds = new PollFds(1).set(0, one, POLLOUT);
    check(show(() => poll(fds, 1000)) === 1, 'And now poll says: writable again.', '现在 poll 说：又可写了。');
    close(one);
    close(other);

    part('A packet that is too big', '太大的数据包');
    const [from, to] = socketpair(AF_UNIX, SOCK_DGRAM);
    setOption(from, 'SO_SNDBUF', 20_000);
    const big = Buffer.alloc(100_000);
    const code = show(() => {
      try {
        return String(send(from, big));
      } catch (error) {
        return (error as SystemError).code;
      }
    });
    check(code === 'EMSGSIZE', 'It fails with an error: EMSGSIZE.', '它失败了，并且有错误：EMSGSIZE。');
    setOption(from, 'SO_SNDBUF', 400_000);
    const whole = show(() => send(from, big));
    check(
      whole === big.length && recv(to, Buffer.alloc(big.length)) === big.length,
      'With a larger send buffer the same packet goes through, whole.',
      '发送缓冲区大一些，同样的包就完整地通过了。',
    );
    const short = Buffer.alloc(100);
    send(from, big);
    check(
      show(() => recv(to, short)) === 100,
      'What can be lost silently is the rest of a datagram that the receiver gave too small a buffer. recvmsg tells, by MSG_TRUNC.',
      '可能无声丢失的是：接收方缓冲区太小时，数据报的剩余部分。recvmsg 会用 MSG_TRUNC 告知。',
    );
    close(from);
    close(to);
  },
  verdict: {
    right: {
      en: 'Queues and buffers are finite, and a program must expect to find them full.',
      zh: '队列和缓冲区是有限的，程序必须预料到它们会满。',
    },
    folklore: {
      en:
        'Unstable they are not, and nothing fails without an error: a full queue is EAGAIN or a wait, a full buffer ' +
        'likewise and without loss, and a packet that is too big is EMSGSIZE. Only those who ignore what send returns make ' +
        'the folklore come true.',
      zh: '它们并非不稳定，也没有什么会无声地失败：队列满是 EAGAIN 或等待，缓冲区满也一样而且不丢数据，包太大是 EMSGSIZE。只有忽略 send 返回值的人，才会让传言成真。',
    },
  },
});
