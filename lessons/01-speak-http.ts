// A socket is an interface to protocols, not a protocol itself.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  AF_INET,
  close,
  connect,
  getsockopt,
  IPPROTO_TCP,
  recv,
  SO_PROTOCOL,
  SOCK_STREAM,
  SOL_SOCKET,
  send,
  sockaddr_in,
  socket,
} from 'posix-sockets';
import { lesson } from './frame/lesson.js';

// Somebody else's HTTP server: node:http, in a process of its own.
async function startServer(): Promise<{ port: number; stop: () => void }> {
  const program = `
    require('node:http')
      .createServer((request, response) => response.end('You asked for ' + request.url + '\\n'))
      .listen(0, '127.0.0.1', function () { console.log(this.address().port); });`;
  const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  return { port: Number(String(line)), stop: () => child.kill() };
}

export default lesson({
  number: 1,
  rows: [1],
  title: { en: 'The engine and the car', zh: '发动机与汽车' },
  async teach({ part, say, print, show, check }) {
    const server = await startServer();
    try {
      say(
        'HTTP is a language, a socket is the telephone. A web server is running on this machine; we shall talk to it ' +
          'with nothing but four system calls.',
        'HTTP 是语言，套接字是电话。本机上正运行着一个网页服务器；我们只用四个系统调用就能与它对话。',
      );

      part('Four calls', '四个调用');
      say(
        'Every lesson shows calls like this: name and arguments as in C, and after the = what the kernel answered. To ' +
          'socket it answers with a small number, the descriptor, by which later calls name this socket.',
        '每一课都这样展示调用：名字和参数与 C 中相同，等号之后是内核的回答。对 socket，内核回答一个小整数，即描述符；之后的调用就用它来指明是哪个套接字。',
      );
      const { fd, reply } = show(() => {
        const fd = socket(AF_INET, SOCK_STREAM);
        connect(fd, sockaddr_in('127.0.0.1', server.port));
        send(fd, Buffer.from('GET /lesson HTTP/1.0\r\n\r\n'));
        const bytes = Buffer.alloc(4096);
        let length = 0;
        // A stream has no messages: what the server wrote at once may come in pieces, until it closes.
        for (let n = -1; n !== 0; length += n) n = recv(fd, bytes.subarray(length));
        return { fd, reply: bytes.toString('utf8', 0, length) };
      });
      print('');
      print(reply.trimEnd());
      print('');
      check(reply.startsWith('HTTP/1.1 200 OK'), 'The server understood us.', '服务器听懂了。');
      check(reply.includes('You asked for /lesson'), 'And it answered what we asked.', '它回答了我们的请求。');

      part('What the kernel knows of it', '内核知道些什么');
      const protocol = show(() => getsockopt(fd, SOL_SOCKET, SO_PROTOCOL));
      check(
        protocol === IPPROTO_TCP,
        'For the kernel this is TCP, a stream of bytes. Of HTTP it knows nothing: the word GET was ours.',
        '对内核来说这是 TCP，一个字节流。它对 HTTP 一无所知：GET 这个词是我们自己写的。',
      );
      show(() => close(fd));
    } finally {
      server.stop();
    }
  },
  verdict: {
    right: {
      en: 'A socket is an interface to the protocols, not a protocol. HTTP is the car, the socket the engine.',
      zh: '套接字是使用协议的接口，它本身不是协议。HTTP 是汽车，套接字是发动机。',
    },
    changed: {
      en:
        'HTTP/3 does not run on TCP any more but on QUIC over UDP, which the program itself implements: another engine, ' +
        'the same interface.',
      zh: 'HTTP/3 不再使用 TCP，而是使用 UDP 之上的 QUIC，由程序自己实现：发动机换了，接口没变。',
    },
  },
});
