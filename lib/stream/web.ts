import { SHUT_WR } from '../constants.js';
import type { Socket } from '../socket/socket.js';

/** A socket as web streams, which own it: it is closed when both directions have ended, or one has failed. */
export interface WebStreams {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
}

/** What `Socket.toWeb` answers. */
export function toWebStreams(socket: Socket): WebStreams {
  let directions = 2;
  const ended = () => {
    if (--directions === 0) socket.close();
  };
  const failed = (error: unknown) => {
    directions = 0;
    socket.close();
    throw error;
  };
  const readable = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const chunk = await socket.recvBuffer().catch(failed);
        if (chunk) return controller.enqueue(chunk);
        controller.close();
        ended();
      },
      cancel: ended,
    },
    { highWaterMark: 0 }, // nothing is received before somebody asks
  );
  const writable = new WritableStream<Uint8Array>({
    write: (chunk) => socket.sendAll(chunk).catch(failed),
    close() {
      socket.shutdown(SHUT_WR);
      ended();
    },
    abort: () => socket.close(),
  });
  return { readable, writable };
}
