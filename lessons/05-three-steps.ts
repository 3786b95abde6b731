// How a connection is made: the calls, and the state of each end after each of them.
import {
  AF_INET,
  accept,
  bind,
  close,
  connect,
  EINPROGRESS,
  getsockname,
  getsockopt,
  IPPROTO_TCP,
  listen,
  POLLOUT,
  PollFds,
  poll,
  raw,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  sockaddr_in,
  socket,
  TCP_CLOSE,
  TCP_ESTABLISHED,
  TCP_INFO,
  TCP_LISTEN,
  TCP_SYN_SENT,
  tcp_info,
} from 'posix-sockets';
import { lesson } from './frame/lesson.js';

const stateNames = new Map([
  [TCP_ESTABLISHED, 'ESTABLISHED'],
  [TCP_SYN_SENT, 'SYN_SENT'],
  [TCP_CLOSE, 'CLOSE'],
  [TCP_LISTEN, 'LISTEN'],
]);

function info(fd: number): tcp_info {
  const info = new tcp_info();
  getsockopt(fd, IPPROTO_TCP, TCP_INFO, info);
  return info;
}

export default lesson({
  number: 5,
  rows: [5],
  title: { en: 'Three steps', zh: '三个步骤' },
  teach({ part, say, print, show, check }) {
    const stateOf = (fd: number) => stateNames.get(info(fd).tcpi_state) ?? String(info(fd).tcpi_state);
    const states = (who: Record<string, number>) =>
      print(
        `        ${Object.entries(who)
          .map(([name, fd]) => `${name}: ${stateOf(fd)}`)
          .join('   ')}`,
      );

    part('Step by step', '一步一步');
    const server = show(() => socket(AF_INET, SOCK_STREAM));
    states({ server });
    show(() => bind(server, sockaddr_in('127.0.0.1', 0)));
    states({ server });
    check(stateOf(server) === 'CLOSE', 'A name alone changes no state.', '只是有了名字，状态不变。');
    show(() => listen(server, 1));
    states({ server });
    check(stateOf(server) === 'LISTEN', 'First step: the server listens.', '第一步：服务器监听。');

    const client = show(() => socket(AF_INET, SOCK_STREAM));
    states({ client, server });
    show(() => connect(client, getsockname(server)));
    states({ client, server });
    check(
      stateOf(client) === 'ESTABLISHED' && stateOf(server) === 'LISTEN',
      'Second step: the client asks, and is connected, though nobody has called accept.',
      '第二步：客户端请求，并且已经连上了，虽然还没有人调用 accept。',
    );
    check(info(server).tcpi_unacked === 1, 'One connection waits at the listener.', '监听套接字上有一个连接在等待。');
    const connection = show(() => accept(server));
    states({ client, server, connection });
    check(
      stateOf(connection) === 'ESTABLISHED' && stateOf(server) === 'LISTEN' && info(server).tcpi_unacked === 0,
      'Third step: the server takes the connection as a new descriptor, and goes on listening.',
      '第三步：服务器以新的描述符取走这个连接，并继续监听。',
    );

    part('A backlog that is full', '队列满了');
    say(
      'listen(fd, 1) lets one connection wait, and Linux takes one more. A third one gets no answer at all: its SYN is ' +
        'dropped, and the client asks again after a second, in the hope of room.',
      'listen(fd, 1) 允许一个连接等待，Linux 还会多收一个。第三个得不到任何回答：它的 SYN 被丢弃，客户端一秒后重传，指望那时有空位。',
    );
    const waiting = show(() =>
      [1, 2, 3].map(() => {
        const fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK);
        const answer = raw.connect(fd, getsockname(server).bytes);
        return { fd, answer };
      }),
    );
    // Loopback is quick, but not done when connect returns.
    const fds = new PollFds(2);
    for (const [i, { fd }] of waiting.slice(0, 2).entries()) fds.set(i, fd, POLLOUT);
    for (let tries = 0; tries < 50 && poll(fds, 100) < 2; tries++);
    states({ first: waiting[0]?.fd ?? -1, second: waiting[1]?.fd ?? -1, third: waiting[2]?.fd ?? -1 });
    check(
      waiting.every(({ answer }) => answer === -EINPROGRESS || answer === 0),
      'A connect that does not block says EINPROGRESS: the kernel goes on by itself.',
      '非阻塞的 connect 返回 EINPROGRESS：连接由内核继续建立。',
    );
    check(
      stateOf(waiting[0]?.fd ?? -1) === 'ESTABLISHED' &&
        stateOf(waiting[1]?.fd ?? -1) === 'ESTABLISHED' &&
        stateOf(waiting[2]?.fd ?? -1) === 'SYN_SENT',
      'Two are connected without anybody accepting them, and the third still asks.',
      '还没有人调用 accept，前两个就已经连上，第三个仍在请求。',
    );
    const taken = show(() => accept(server));
    fds.set(0, waiting[2]?.fd ?? -1, POLLOUT).set(1, -1, 0);
    show(() => poll(fds, 5000));
    check(
      stateOf(waiting[2]?.fd ?? -1) === 'ESTABLISHED',
      'One accept made room, and the next SYN of the third found it.',
      '一次 accept 腾出了一个位置，第三个重传的 SYN 就占上了它。',
    );
    for (const fd of [client, server, connection, taken, ...waiting.map(({ fd }) => fd)]) close(fd);
  },
  verdict: {
    right: {
      en: 'The server listens, the client asks, the server confirms and goes on listening.',
      zh: '服务器监听，客户端请求，服务器确认并继续监听。',
    },
    folklore: {
      en:
        'accept confirms nothing. The kernel does the three-way handshake by itself, before the program hears of it; accept only takes ' +
        'what is done out of a queue. A client can be connected, and even send, to a server that never calls accept.',
      zh: 'accept 并不确认什么。三次握手由内核自己完成，程序事后才知道；accept 只是从队列里取走已完成的连接。客户端可以连接、甚至向一个从不调用 accept 的服务器发送数据。',
    },
    changed: {
      en: 'Since Linux 5.4 a backlog is cut to 4096 by default (net.core.somaxconn); before, it was cut to 128.',
      zh: '自 Linux 5.4 起，listen 的队列长度上限（net.core.somaxconn）默认是 4096；以前是 128。',
    },
  },
});
