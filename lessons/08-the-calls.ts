// Each of the fourteen calls, its result, and the errors that people meet first.
import { readdirSync } from 'node:fs';
import {
  AF_INET,
  AF_UNIX,
  accept,
  bind,
  close,
  connect,
  getsockname,
  listen,
  MSG_DONTWAIT,
  MsgHdr,
  read,
  recv,
  recvfrom,
  recvmsg,
  SHUT_RDWR,
  SOCK_DGRAM,
  SOCK_STREAM,
  SockAddr,
  type SystemError,
  send,
  sendmsg,
  sendto,
  shutdown,
  sockaddr_in,
  socket,
  socketpair,
  write,
} from 'posix-sockets';
import { explain } from 'posix-sockets/trace';
import { lesson } from './frame/lesson.js';

const bytes = Buffer.alloc(64);
const closed = 1023; // a number that no descriptor has here

// What goes wrong first with each call, and the error that says so.
function mistakes(server: SockAddr): [code: string, call: () => unknown][] {
  return [
    ['EAFNOSUPPORT', () => socket(250, SOCK_STREAM)],
    ['EADDRINUSE', () => using((fd) => bind(fd, server))],
    ['EOPNOTSUPP', () => using((fd) => listen(fd, 1), SOCK_DGRAM)],
    ['EINVAL', () => using((fd) => accept(fd))],
    ['ECONNREFUSED', () => using((fd) => connect(fd, sockaddr_in('127.0.0.1', 1)))],
    ['EBADF', () => read(closed, bytes)],
    ['EPIPE', () => broken((fd) => write(fd, bytes))],
    ['EDESTADDRREQ', () => using((fd) => send(fd, bytes), SOCK_DGRAM)],
    ['EAGAIN', () => pair((fd) => recv(fd, bytes, MSG_DONTWAIT))],
    ['EMSGSIZE', () => using((fd) => sendto(fd, Buffer.alloc(65_508), 0, server), SOCK_DGRAM)],
    ['ENOTCONN', () => using((fd) => recvfrom(fd, bytes, 0))],
    ['EPIPE', () => broken((fd) => sendmsg(fd, new MsgHdr({ iov: bytes })))],
    ['EAGAIN', () => pair((fd) => recvmsg(fd, new MsgHdr({ iov: bytes }), MSG_DONTWAIT))],
    ['EBADF', () => close(closed)],
  ];
}

// What `explain` says of them, which it says in English.
const inChinese: Readonly<Record<string, string>> = {
  EAFNOSUPPORT:
    '内核没有这个地址族：编译时没有包含，或者模块没有加载、在这里不允许使用。事先用 `supports` 询问；若有对应的模块，就加载它。',
  EADDRINUSE:
    '这个地址已经有人在用：另一个套接字在那里监听，或者这个端口上的旧连接还处于 TIME_WAIT，或者 Unix 套接字的文件还留在那里。对 TIME_WAIT，在 bind 之前设置 SO_REUSEADDR；也可以用端口 0；如果没有进程在用那个文件，就删除它。',
  EOPNOTSUPP:
    '这种套接字不接受连接：它是数据报套接字或原始套接字。请用 SOCK_STREAM 或 SOCK_SEQPACKET；数据报套接字可以直接接收。',
  EINVAL:
    '套接字没有在监听，或者有不认识的标志：没有对它调用过 `listen`，或者它已被 shutdown。先调用 `listen`；标志只能是 SOCK_NONBLOCK 和 SOCK_CLOEXEC。',
  ECONNREFUSED:
    '对方的机器回答说那里没有人监听：服务器没有启动，或者监听在别的地址或端口，或者（Unix 套接字）它已经退出，只留下了文件。用 `ss -ltn`（或 `ss -lx`）看看谁在监听，再核对地址。',
  EBADF:
    '这个数字不是本进程打开的描述符，或者不是以这种方式打开的：它早已被关闭（常常是程序的另一部分关的），或者传错了，例如把结果 -1 接着传了下去。找出它是在哪里关闭的；跟踪运行会显示那次 close。',
  EPIPE:
    '不会再有人读这些数据了：本端已经关闭了写方向，或者对端关闭了连接并且通知过我们。（C 程序还会收到 SIGPIPE；Node 忽略它。）不要再发送，关闭它。',
  EDESTADDRREQ:
    '套接字没有对端，也没有给出地址：这是一个没有连接的数据报套接字。用 sendto 并给出地址，或者先 connect。',
  EAGAIN:
    '没有可读的数据，要读就得等待：对端还没有发送，而套接字是非阻塞的，或者给了 MSG_DONTWAIT，或者 SO_RCVTIMEO 到时了。等到可读（poll、epoll），再接收一次。',
  EMSGSIZE:
    '消息太长，无法作为一条发送：数据报超过 65,507 字节（IPv4 上的 UDP），或者在禁止分片时超过了路径 MTU，或者超过了发送缓冲区（Unix）。发送较小的数据报；对 Unix 套接字，调大 SO_SNDBUF。',
  ENOTCONN:
    '这个流没有连接：没有调用 connect，或者连接尚未完成；或者这是监听套接字，而不是连接。请从 accept 返回的描述符接收，或者先 connect。',
};

function using(work: (fd: number) => unknown, type: number = SOCK_STREAM): void {
  const fd = socket(AF_INET, type);
  try {
    work(fd);
  } finally {
    close(fd);
  }
}

function pair(work: (fd: number) => unknown): void {
  const fds = socketpair(AF_UNIX, SOCK_STREAM);
  try {
    work(fds[0]);
  } finally {
    for (const fd of fds) close(fd);
  }
}

function broken(work: (fd: number) => unknown): void {
  pair((fd) => {
    shutdown(fd, SHUT_RDWR);
    work(fd);
  });
}

export default lesson({
  number: 8,
  rows: [8],
  title: { en: 'Fourteen calls', zh: '十四个调用' },
  teach({ part, print, show, check, language }) {
    const before = readdirSync('/proc/self/fd').length;
    part('All of them, in order', '全部调用，依次进行');
    const heard = show(() => {
      const server = socket(AF_INET, SOCK_STREAM);
      bind(server, sockaddr_in('127.0.0.1', 0));
      listen(server, 1);
      const client = socket(AF_INET, SOCK_STREAM);
      connect(client, getsockname(server));
      const connection = accept(server);
      const texts: string[] = [];
      const hear = (length: number) => texts.push(bytes.toString('utf8', 0, length));
      write(client, Buffer.from('write'));
      hear(read(connection, bytes));
      send(client, Buffer.from('send'));
      hear(recv(connection, bytes));
      sendto(client, Buffer.from('sendto'), 0, null);
      hear(recvfrom(connection, bytes, 0, new SockAddr()));
      sendmsg(client, new MsgHdr({ iov: [Buffer.from('send'), Buffer.from('msg')] }));
      hear(recvmsg(connection, new MsgHdr({ iov: bytes })));
      for (const fd of [connection, client, server]) close(fd);
      return texts;
    });
    check(
      heard.join(' ') === 'write send sendto sendmsg',
      'Four ways to send, four to receive, and they mix: the first three are special cases of the last.',
      '四种发送，四种接收，可以混用：前三种都是最后一种的特例。',
    );

    part('What goes wrong first', '最先遇到的错误');
    const server = socket(AF_INET, SOCK_STREAM);
    bind(server, sockaddr_in('127.0.0.1', 0));
    listen(server, 1);
    for (const [code, call] of mistakes(getsockname(server))) {
      let error: unknown;
      try {
        show(call);
      } catch (thrown) {
        error = thrown;
      }
      const { syscall } = error as SystemError;
      check((error as SystemError).code === code, `${syscall} says ${code}.`, `${syscall} 返回 ${code}。`);
      print(`      ${language === 'en' ? explain(error as SystemError) : inChinese[code]}`);
    }
    close(server);
    check(
      readdirSync('/proc/self/fd').length === before,
      'No call that failed left a descriptor behind.',
      '失败的调用都没有留下描述符。',
    );
  },
  verdict: {
    right: {
      en: 'These fourteen calls are what one needs. A simple server and its client together use eight of them: socket, bind, listen, accept, connect, send, recv and close.',
      zh: '有这十四个调用就够了。一个简单的服务器加上它的客户端总共只用到八个：socket、bind、listen、accept、connect、send、recv 和 close。',
    },
    changed: {
      en:
        'Linux has added accept4 (flags of the new descriptor), recvmmsg and sendmmsg (many messages in one call), and ' +
        'io_uring, which makes them all without a call each.',
      zh: 'Linux 后来增加了 accept4（新描述符的标志）、recvmmsg 和 sendmmsg（一次调用收发多条消息），以及 io_uring：不必逐个调用就能完成这一切。',
    },
  },
});
