// Exercise 1: ask the web server for the page /hello, by the one call that is missing at HERE.
// 练习 1：用 HERE 处缺少的一个调用，向网页服务器请求 /hello 页面。
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { AF_INET, close, connect, recv, SOCK_STREAM, send, sockaddr_in, socket } from 'posix-sockets';
import { check, hint } from 'posix-sockets/practice';

const server = new Worker(
  `const { parentPort } = require('node:worker_threads');
   require('node:http').createServer((q, r) => r.end('page ' + q.url))
     .listen(0, '127.0.0.1', function () { parentPort.postMessage(this.address().port); });`,
  { eval: true, execArgv: [] },
);
const [port] = await once(server, 'message');

const fd = socket(AF_INET, SOCK_STREAM);
connect(fd, sockaddr_in('127.0.0.1', port));
hint(
  'A request is text: "GET /hello HTTP/1.0", and an empty line after it. Lines end with \\r\\n. send takes bytes: Buffer.from(text).',
  '请求是文本：“GET /hello HTTP/1.0”，后面跟一个空行。每行以 \\r\\n 结束。send 接受字节：Buffer.from(text)。',
);
// HERE

const bytes = Buffer.alloc(4096);
let length = 0;
for (let n = -1; n !== 0; length += n) n = recv(fd, bytes.subarray(length));
check(bytes.toString('utf8', 0, length).includes('page /hello'), 'The server sent the page.', '服务器发来了页面。');
close(fd);
await server.terminate();
