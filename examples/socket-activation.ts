// `systemd-socket-activate -l 8080 --fdname=web node dist/examples/socket-activation.js`: an echo server that opens no
// port of its own. Whoever started it had bound and listened, and left the sockets open as descriptors 3, 4, ... So a
// port below 1024 needs no root here, and who connects while the server starts (or restarts) waits and is not refused.
//
// It then tells the service manager how it is doing. Both protocols are a few environment variables: sd_listen_fds(3),
// sd_notify(3).
import { SOCK_DGRAM, Socket } from 'posix-sockets';

/** The sockets that were passed on, with their names. */
function inheritedSockets(): [name: string, socket: Socket][] {
  const { LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES = '' } = process.env;
  // Environments are inherited further than descriptors are: the variables may be meant for a parent of ours.
  if (Number(LISTEN_PID) !== process.pid) return [];
  const names = LISTEN_FDNAMES.split(':');
  return Array.from({ length: Number(LISTEN_FDS) }, (_, i) => [names[i] || 'unknown', Socket.from(3 + i)]);
}

/** Tells the service manager, if it wants to know: one datagram of NAME=VALUE lines to the socket that it named. */
async function notify(state: Record<string, string | number>): Promise<void> {
  const { NOTIFY_SOCKET } = process.env;
  if (!NOTIFY_SOCKET) return;
  // A name that begins with '@' is an abstract one, which has no file: Socket reads it so, too.
  using manager = await Socket.connect(NOTIFY_SOCKET, { type: SOCK_DGRAM });
  const lines = Object.entries(state).map(([name, value]) => `${name}=${value}`);
  await manager.send(Buffer.from(lines.join('\n')));
}

async function echo(name: string, connection: Socket): Promise<void> {
  using client = connection;
  for (let bytes = await client.recvBuffer(); bytes; bytes = await client.recvBuffer()) {
    await client.sendAll([Buffer.from(`${name}: `), bytes]);
  }
}

async function serve(name: string, listener: Socket): Promise<void> {
  for await (const connection of listener) {
    echo(name, connection).catch((error) => console.error(`${name}: ${error.message}`));
  }
}

const sockets = inheritedSockets();
if (sockets.length === 0) {
  console.error('usage: systemd-socket-activate -l ADDRESS node dist/examples/socket-activation.js');
  process.exit(2);
}
const serving = sockets.map(([name, listener]) => serve(name, listener));
const where = sockets.map(([name, { localAddress }]) => `${name} on ${localAddress}`).join(', ');
await notify({ READY: 1, STATUS: `Serving ${where}`, MAINPID: process.pid });

process.once('SIGTERM', async () => {
  await notify({ STOPPING: 1 });
  for (const [, listener] of sockets) listener.close();
});
await Promise.all(serving);
