// Unix domain sockets beside a pipe: bytes or messages, names, descriptors and credentials.
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  AF_UNIX,
  accept,
  bind,
  close,
  connect,
  EADDRINUSE,
  getOption,
  listen,
  MSG_DONTWAIT,
  pipe2,
  raw,
  read,
  recv,
  recvFds,
  SOCK_DGRAM,
  SOCK_SEQPACKET,
  SOCK_STREAM,
  type SystemError,
  send,
  sendFds,
  sockaddr_un,
  socket,
  socketpair,
  write,
} from 'posix-sockets';
import { lesson } from './frame/lesson.js';

const bytes = Buffer.alloc(100);
const text = (length: number) => bytes.toString('utf8', 0, length);

export default lesson({
  number: 9,
  rows: [9],
  title: { en: 'Inside one machine', zh: '在一台机器之内' },
  teach({ part, say, show, check }) {
    part('A pipe, and three kinds of Unix sockets', '管道，与三种 Unix 套接字');
    const [reader, writer] = pipe2();
    const piped = show(() => {
      write(writer, Buffer.from('one'));
      write(writer, Buffer.from('two'));
      return text(read(reader, bytes));
    });
    check(
      piped === 'onetwo',
      'A pipe has bytes only: two writes became one read.',
      '管道里只有字节：两次写入，一次就读了出来。',
    );
    const answered = show(() => {
      try {
        return String(write(reader, Buffer.from('x')));
      } catch (error) {
        return (error as SystemError).code;
      }
    });
    check(answered === 'EBADF', 'And it runs one way.', '而且只有一个方向。');
    for (const [name, type, whole] of [
      ['SOCK_STREAM', SOCK_STREAM, 'onetwo'],
      ['SOCK_DGRAM', SOCK_DGRAM, 'one'],
      ['SOCK_SEQPACKET', SOCK_SEQPACKET, 'one'],
    ] as const) {
      const [one, other] = socketpair(AF_UNIX, type);
      const heard = show(() => {
        send(one, Buffer.from('one'));
        send(one, Buffer.from('two'));
        return text(recv(other, bytes));
      });
      check(
        heard === whole,
        whole === 'one' ? `${name} keeps messages apart.` : `${name} has bytes, like the pipe, but both ways.`,
        whole === 'one' ? `${name} 保留消息边界。` : `${name} 和管道一样是字节流，但是双向的。`,
      );
      close(one);
      close(other);
    }
    say(
      'A datagram socket needs no connection, a SEQPACKET socket has one: it knows when its peer has gone.',
      '数据报套接字不需要连接；SEQPACKET 套接字是有连接的，因而知道对方何时离开。',
    );

    part('Named by a path, or by no file at all', '以路径命名，或完全没有文件');
    const folder = mkdtempSync(join(tmpdir(), 'posix-sockets-lesson-'));
    try {
      const path = join(folder, 'socket');
      const server = socket(AF_UNIX, SOCK_STREAM);
      show(() => {
        bind(server, sockaddr_un(path));
        listen(server, 4);
      });
      check(statSync(path).isSocket(), 'A file of type socket stands at the path.', '路径处有一个套接字类型的文件。');
      const client = socket(AF_UNIX, SOCK_STREAM);
      show(() => connect(client, sockaddr_un(path)));
      const connection = accept(server);

      part('Who is there', '对面是谁');
      const { pid, uid } = show(() => getOption(connection, 'SO_PEERCRED'));
      check(
        pid === process.pid && uid === process.geteuid?.(),
        `The kernel vouches for the peer: process ${pid}, user ${uid}. Nobody can lie about it.`,
        `内核为对方担保：进程 ${pid}，用户 ${uid}。谁也无法伪造。`,
      );

      part('A descriptor travels', '传递描述符');
      const received = show(() => {
        sendFds(client, [writer]);
        return recvFds(connection, 1);
      });
      const [passed = -1] = received.fds;
      close(writer);
      show(() => write(passed, Buffer.from('by another number')));
      check(
        text(read(reader, bytes)) === 'by another number',
        'What arrived is no number but the open pipe itself, under a new number. It lives on though the sender closed its own.',
        '送达的不是一个数字，而是那个打开的管道本身，只是换了编号。即使发送方关闭了自己的描述符，它依然可用。',
      );
      for (const fd of [passed, connection, client, server]) close(fd);
      const next = socket(AF_UNIX, SOCK_STREAM);
      const again = show(() => raw.bind(next, sockaddr_un(path).bytes));
      close(next);
      check(
        again === -EADDRINUSE,
        'The file outlives its socket: a program must remove it, or the next bind says EADDRINUSE.',
        '套接字没了，文件还在：程序必须自己删除它，否则下次 bind 返回 EADDRINUSE。',
      );
    } finally {
      rmSync(folder, { recursive: true });
    }

    part('An abstract name', '抽象名字');
    const name = sockaddr_un(`\0posix-sockets lesson ${process.pid}`);
    const named = socket(AF_UNIX, SOCK_DGRAM);
    show(() => bind(named, name));
    const visitor = socket(AF_UNIX, SOCK_DGRAM);
    show(() => {
      connect(visitor, name);
      send(visitor, Buffer.from('no file needed'));
    });
    check(text(recv(named, bytes)) === 'no file needed', 'It works without a file.', '没有文件也能工作。');
    close(named);
    const gone = show(() => {
      try {
        return String(send(visitor, Buffer.from('still there?'), MSG_DONTWAIT));
      } catch (error) {
        return (error as SystemError).code;
      }
    });
    check(gone === 'ECONNREFUSED', 'And the name has gone with its socket.', '名字随套接字一起消失。');
    for (const fd of [visitor, reader]) close(fd);
  },
  verdict: {
    right: {
      en:
        'Unix domain sockets join processes of one machine through the kernel, named by a path, as bytes or as ' +
        'messages, where a pipe has bytes only.',
      zh: 'Unix 域套接字通过内核连接同一台机器上的进程，以路径命名，可以是字节流也可以是消息，而管道只有字节。',
    },
    changed: {
      en:
        'Linux pipes can keep packets apart as well, with O_DIRECT since Linux 3.4. Descriptors and credentials they ' +
        'still cannot carry.',
      zh: '自 Linux 3.4 起，带 O_DIRECT 的管道也能保留数据包边界，但仍然不能传递描述符和凭证。',
    },
  },
});
