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
      // The explanations are the package's own, which it has in English.
      if (language === 'en') print(`      ${explain(error as SystemError)}`);
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
