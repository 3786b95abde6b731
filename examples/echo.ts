// A client in the main thread, an echo server in another, both with blocking calls. To see who waits for whom:
//   npx posix-sockets timeline -o echo.html dist/examples/echo.js
import { once } from 'node:events';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import {
  AF_INET,
  accept,
  bind,
  close,
  connect,
  getsockname,
  listen,
  MSG_DONTWAIT,
  raw,
  recv,
  SHUT_WR,
  SOCK_STREAM,
  send,
  shutdown,
  sockaddr_in,
  socket,
} from 'posix-sockets';

const bytes = Buffer.alloc(64);

/** Does nothing for so long, as if it had to think. */
function think(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

async function client(): Promise<void> {
  const listener = socket(AF_INET, SOCK_STREAM);
  bind(listener, sockaddr_in('127.0.0.1', 0));
  listen(listener, 8);
  const address = getsockname(listener);
  const server = new Worker(new URL(import.meta.url), { workerData: listener });
  await once(server, 'message');
  think(20); // by now it waits for somebody to come

  const fd = socket(AF_INET, SOCK_STREAM);
  connect(fd, address);
  raw.recv(fd, bytes, MSG_DONTWAIT); // nothing is there yet, and it does not wait
  send(fd, Buffer.from('hello'));
  const length = recv(fd, bytes); // waits
  console.log(bytes.toString('utf8', 0, length));
  shutdown(fd, SHUT_WR);
  recv(fd, bytes); // until the server has closed, too
  close(fd);
  await once(server, 'exit');
  close(listener);
}

function echo(listener: number): void {
  parentPort?.postMessage('ready');
  const fd = accept(listener);
  for (let length = recv(fd, bytes); length > 0; length = recv(fd, bytes)) {
    think(30);
    send(fd, bytes.subarray(0, length));
  }
  close(fd);
}

if (isMainThread) await client();
else echo(workerData);
