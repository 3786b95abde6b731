// `node dist/examples/hand-over.js PORT CONTROL`: a web server. Start it a second time, and the new process takes over
// from the old one without a connection lost.
//
// A listening socket lives as long as anybody has a descriptor of it, and its backlog with it. So the old process sends
// the socket itself, over the Unix socket CONTROL, and ends only when the new one says that it accepts. Who connects
// meanwhile is accepted by one or the other; nobody is refused, as between a close and a bind.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { Socket, type SystemError } from 'posix-sockets';

const [port, control] = process.argv.slice(2);
if (port === undefined || control === undefined) {
  console.error('usage: node dist/examples/hand-over.js PORT CONTROL');
  process.exit(2);
}

/** A connection to the process that serves now; undefined if there is none. */
async function predecessor(path: string): Promise<Socket | undefined> {
  try {
    return await Socket.connect(path);
  } catch (error) {
    if (!['ENOENT', 'ECONNREFUSED'].includes((error as SystemError).code)) throw error;
    return undefined;
  }
}

const old = await predecessor(control);
// Both ways give a descriptor that listens, and Node takes it over: from here on its `server` owns it.
const listener = old ? (await old.recvFds(1)).fds[0] : (await Socket.listen({ host: '127.0.0.1', port })).detach();
if (listener === undefined) throw new Error('the old process sent no socket');

// One request for each connection, so that none is kept alive in the hope of a next one that nobody would answer.
const server = createServer((_, response) => response.setHeader('connection', 'close').end(`${process.pid}\n`));
server.listen({ fd: listener });
await once(server, 'listening');

if (old) {
  await old.sendAll(Buffer.from('I accept'));
  await old.recvBuffer(); // until the old process has given up CONTROL, too
  old.close();
}
console.log(`${process.pid} serves`);

/** Sends the listener to a successor. @returns whether it accepts now; one that ended before that is none */
async function handOver(fd: number, successor: Socket): Promise<boolean> {
  try {
    await successor.sendFds([fd]);
    return (await successor.recvBuffer()) !== null;
  } catch {
    return false;
  }
}

// Now it is our turn to wait for a successor.
const successors = await Socket.listen(control);
for await (const successor of successors) {
  if (await handOver(listener, successor)) successors.close();
  successor.close();
}
server.close(); // accepts no more, and lets those that were accepted finish
