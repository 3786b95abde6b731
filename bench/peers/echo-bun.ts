// A TCP echo server on Bun.listen, run by Bun.
import { announce, collectOnRequest } from '../harness/server.js';

interface BunSocket {
  data: Uint8Array[];
  write(bytes: Uint8Array): number;
  end(): void;
}

declare const Bun: {
  listen(options: {
    hostname: string;
    port: number;
    socket: Record<'open' | 'drain' | 'close', (socket: BunSocket) => void> & {
      data(socket: BunSocket, bytes: Uint8Array): void;
    };
  }): { port: number };
};

/** Bun reads on while the peer does not, so what the peer has not taken waits here. */
function flush(socket: BunSocket): void {
  for (let first = socket.data[0]; first; first = socket.data[0]) {
    const taken = Math.max(socket.write(first), 0);
    if (taken < first.length) {
      socket.data[0] = first.subarray(taken);
      return;
    }
    socket.data.shift();
  }
}

const { port } = Bun.listen({
  hostname: '127.0.0.1',
  port: 0,
  socket: {
    open(socket) {
      socket.data = [];
    },
    data(socket, bytes) {
      const taken = socket.data.length ? 0 : Math.max(socket.write(bytes), 0);
      if (taken < bytes.length) socket.data.push(bytes.slice(taken));
    },
    drain: flush,
    close() {},
  },
});
announce(port);
collectOnRequest();
