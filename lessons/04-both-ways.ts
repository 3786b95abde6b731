// Traffic runs both ways, the server may speak first, and each direction ends by itself.
import {
  AF_INET,
  accept,
  bind,
  close,
  connect,
  getsockname,
  getsockopt,
  IPPROTO_TCP,
  listen,
  MSG_DONTWAIT,
  recv,
  SHUT_WR,
  SOCK_STREAM,
  type SystemError,
  send,
  shutdown,
  sockaddr_in,
  socket,
  TCP_CLOSE_WAIT,
  TCP_FIN_WAIT2,
  TCP_INFO,
  tcp_info,
} from 'posix-sockets';
import { lesson } from './frame/lesson.js';
import { until } from './frame/until.js';

function state(fd: number): number {
  const info = new tcp_info();
  getsockopt(fd, IPPROTO_TCP, TCP_INFO, info);
  return info.tcpi_state;
}

function text(fd: number): string {
  const bytes = Buffer.alloc(100);
  return bytes.toString('utf8', 0, recv(fd, bytes));
}

export default lesson({
  number: 4,
  rows: [4],
  title: { en: 'Both ways, until someone closes', zh: '双向通信，直到有人关闭' },
  teach({ part, say, show, check }) {
    const server = socket(AF_INET, SOCK_STREAM);
    bind(server, sockaddr_in('127.0.0.1', 0));
    listen(server, 8);
    const client = socket(AF_INET, SOCK_STREAM);
    connect(client, getsockname(server));
    const connection = accept(server);

    part('The server speaks first', '服务器先开口');
    say(
      'Who listened and who connected says nothing about who talks. Mail and chat servers greet before they are asked.',
      '谁监听、谁连接，与谁先说话无关。邮件和聊天服务器在被询问之前就先打招呼。',
    );
    const greeting = show(() => {
      send(connection, Buffer.from('220 hello, before you ask'));
      return text(client);
    });
    check(
      greeting.startsWith('220'),
      'The client has read what it never asked for.',
      '客户端读到了它从未请求过的内容。',
    );

    part('Both at once', '同时双向');
    const [atServer, atClient] = show(() => {
      send(client, Buffer.from('upwards'));
      send(connection, Buffer.from('downwards'));
      return [text(connection), text(client)];
    });
    check(
      atServer === 'upwards' && atClient === 'downwards',
      'Two streams in one connection, and neither waits for the other.',
      '一个连接里有两条流，互不等待。',
    );

    part('Half of it ends: the half-close', '先结束一半：半关闭');
    show(() => shutdown(client, SHUT_WR));
    const end = show(() => recv(connection, Buffer.alloc(10)));
    check(end === 0, 'The server reads the end of the stream: recv answers 0.', '服务器读到流的末尾：recv 返回 0。');
    check(
      until(() => state(client) === TCP_FIN_WAIT2) && state(connection) === TCP_CLOSE_WAIT,
      'The kernel says the same: FIN_WAIT2 at the client, CLOSE_WAIT at the server.',
      '内核也是这么说的：客户端是 FIN_WAIT2，服务器是 CLOSE_WAIT。',
    );
    const last = show(() => {
      send(connection, Buffer.from('but I am not done'));
      return text(client);
    });
    check(last === 'but I am not done', 'The other direction goes on.', '另一个方向继续工作。');
    const refused = show(() => {
      try {
        return String(send(client, Buffer.from('more')));
      } catch (error) {
        return (error as SystemError).code;
      }
    });
    check(
      refused === 'EPIPE',
      'In the direction that ended, nothing goes any more.',
      '在已关闭的方向上，什么也发不出去了。',
    );

    part('Until someone closes', '直到有人关闭');
    const still = show(() => {
      try {
        return recv(client, Buffer.alloc(1), MSG_DONTWAIT);
      } catch (error) {
        return (error as SystemError).code;
      }
    });
    check(
      still === 'EAGAIN',
      'Silence is no end: EAGAIN says that there is nothing yet, and the connection stands for as long as both keep it.',
      '沉默不是结束：EAGAIN 表示暂时没有数据，只要双方都不关闭，连接就一直存在。',
    );
    show(() => close(connection));
    check(recv(client, Buffer.alloc(1)) === 0, 'Now it has ended both ways.', '现在两个方向都结束了。');
    for (const fd of [client, server]) close(fd);
  },
  verdict: {
    right: {
      en: 'Both sides send and receive, either may begin, and the connection lasts until someone closes it.',
      zh: '双方都可以收发，谁都可以先开始，连接一直持续到有人关闭。',
    },
    folklore: {
      en:
        '"Until someone closes" is not the whole story: a peer that loses power closes nothing. Without traffic neither ' +
        'end learns of it; SO_KEEPALIVE or TCP_USER_TIMEOUT makes the kernel ask.',
      zh: '“直到有人关闭”并不完整：断电的对方什么也不会关闭。没有流量时，谁也不会知道；SO_KEEPALIVE 或 TCP_USER_TIMEOUT 让内核去询问。',
    },
  },
});
