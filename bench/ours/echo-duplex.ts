// A TCP echo server on Socket's node:stream: peers/echo-net.ts with another beginning.
import { SOMAXCONN, Socket } from 'posix-sockets';
import { announce, collectOnRequest } from '../harness/server.js';

const listener = await Socket.listen({ host: '127.0.0.1', port: 0 }, { backlog: SOMAXCONN });
announce(listener.localAddress?.port ?? 0);
collectOnRequest();
for await (const accepted of listener) {
  accepted.option('TCP_NODELAY', true);
  const connection = accepted.toDuplex();
  connection.on('data', (bytes) => {
    if (connection.write(bytes)) return;
    connection.pause();
    connection.once('drain', () => connection.resume());
  });
  connection.on('error', () => connection.destroy());
}
