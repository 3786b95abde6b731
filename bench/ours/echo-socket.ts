// A TCP echo server on Socket: an async function for each connection.
import { SOMAXCONN, Socket } from 'posix-sockets';
import { announce, collectOnRequest } from '../harness/server.js';

const listener = await Socket.listen({ host: '127.0.0.1', port: 0 }, { backlog: SOMAXCONN });
announce(listener.localAddress?.port ?? 0);
collectOnRequest();
for await (const connection of listener) void serve(connection);

async function serve(connection: Socket): Promise<void> {
  try {
    connection.option('TCP_NODELAY', true);
    for (;;) {
      const bytes = await connection.recvBuffer();
      if (bytes === null) break;
      await connection.sendAll(bytes);
    }
  } catch {
    // The peer broke off.
  } finally {
    connection.close();
  }
}
