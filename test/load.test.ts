import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import {
  CMSG_SPACE,
  ControlBuffer,
  MsgHdr,
  SCM_RIGHTS,
  SHUT_WR,
  SOCK_SEQPACKET,
  SOL_SOCKET,
  Socket,
  terminate,
} from 'posix-sockets';
import { afterEach, expect, test } from 'vitest';

const clientsProgram = fileURLToPath(new URL('fixtures/clients.mjs', import.meta.url));
const openFds = () => readdirSync('/proc/self/fd').length;

afterEach(() => {
  for (const { fd } of Socket.list()) throw new Error(`the test left descriptor ${fd} open`);
});

/** Runs checking clients in a process of their own. */
async function clients(port: number, count: number, rounds: number, manners: string) {
  const child = spawn(process.execPath, [clientsProgram, ...[port, count, rounds].map(String), manners], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
  });
  await once(child, 'close');
  return JSON.parse(output) as { served: number; errors: Record<string, number> };
}

/** Echoes on every connection; counts those that are open. */
function echo(listener: Socket) {
  const state = { open: 0, most: 0, total: 0, failed: 0 };
  const finished = (async () => {
    for await (const connection of listener) {
      state.most = Math.max(state.most, ++state.open);
      state.total++;
      serve(connection).finally(() => state.open--);
    }
  })();
  async function serve(connection: Socket) {
    const bytes = Buffer.allocUnsafe(65536);
    try {
      for (let n = await connection.recv(bytes); n > 0; n = await connection.recv(bytes)) {
        await connection.sendAll(bytes.subarray(0, n));
      }
      connection.shutdown(SHUT_WR);
    } catch {
      state.failed++; // a peer that vanished
    } finally {
      connection.close();
    }
  }
  return { state, finished };
}

async function until(condition: () => boolean) {
  for (let tries = 0; !condition(); tries++) {
    if (tries > 500) throw new Error('it did not happen within ten seconds');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

test('ten thousand connections, open at once, each echoing, then closed: all is as before', {
  timeout: 120_000,
}, async () => {
  const listener = await Socket.listen({ host: '127.0.0.1', port: 0 }, { backlog: 4096 });
  const { state, finished } = echo(listener);
  const port = listener.localAddress?.port as number;
  await clients(port, 100, 1, 'plain'); // warm
  await until(() => state.open === 0);
  const fds = openFds();
  const memory = process.memoryUsage().rss;
  expect(await clients(port, 10_000, 3, 'plain')).toEqual({ served: 10_000, errors: {} });
  await until(() => state.open === 0);
  expect(state.most).toBe(10_000);
  expect(openFds()).toBe(fds);
  // The heap may keep pages of what it held at its peak, and no more than that.
  expect(process.memoryUsage().rss - memory).toBeLessThan(250e6);
  listener.close();
  await finished;
});

test('peers that vanish, stall, half-close and send byte by byte disturb nobody', { timeout: 120_000 }, async () => {
  const listener = await Socket.listen({ host: '127.0.0.1', port: 0 });
  const { state, finished } = echo(listener);
  const fds = openFds();
  const port = listener.localAddress?.port as number;
  const result = await clients(port, 200, 50, 'plain,vanish,byteByByte,halfClose,plain,plain,plain,stall');
  expect(result).toEqual({ served: 200, errors: {} });
  await until(() => state.open === 0);
  expect(state.total).toBe(200);
  expect(state.failed).toBeGreaterThan(0);
  expect(openFds()).toBe(fds);
  listener.close();
  await finished;
});

test('four workers share a port by SO_REUSEPORT', { timeout: 60_000 }, async () => {
  // Bound without listening: it keeps the port for the workers.
  const keeper = await Socket.listen({ host: '127.0.0.1', port: 0 }, { reusePort: true });
  const port = keeper.localAddress?.port as number;
  const program = `
    const { parentPort } = require('node:worker_threads');
    import('posix-sockets').then(async ({ Socket }) => {
      const listener = await Socket.listen({ host: '127.0.0.1', port: ${port} }, { reusePort: true });
      let served = 0;
      parentPort.on('message', () => { parentPort.postMessage(served); });
      parentPort.postMessage('listening');
      for await (const connection of listener) {
        served++;
        (async () => {
          for (let chunk = await connection.recvBuffer(); chunk; chunk = await connection.recvBuffer()) await connection.sendAll(chunk);
          connection.close();
        })();
      }
    });`;
  const workers = Array.from({ length: 4 }, () => new Worker(program, { eval: true }));
  await Promise.all(workers.map((worker) => once(worker, 'message')));
  keeper.close();
  const fds = openFds();
  expect(await clients(port, 400, 5, 'plain')).toEqual({ served: 400, errors: {} });
  const served = await Promise.all(
    workers.map(async (worker) => {
      worker.postMessage('how many?');
      return (await once(worker, 'message'))[0] as number;
    }),
  );
  expect(served.reduce((sum, n) => sum + n)).toBe(400);
  expect(Math.min(...served)).toBeGreaterThan(0);
  await Promise.all(workers.map(terminate));
  expect(openFds()).toBeLessThanOrEqual(fds);
});

test('a listener is handed to another process under load, and no connection is refused', {
  timeout: 60_000,
}, async () => {
  const listener = await Socket.listen({ host: '127.0.0.1', port: 0 });
  const port = listener.localAddress?.port as number;
  const { state, finished } = echo(listener);
  const [here, there] = Socket.pair(SOCK_SEQPACKET);
  const successor = spawn(
    process.execPath,
    [
      '--input-type=module',
      '-e',
      `import { ControlBuffer, CMSG_SPACE, MsgHdr, Socket } from 'posix-sockets';
       const channel = Socket.from(3);
       const message = new MsgHdr({ iov: Buffer.alloc(1), control: CMSG_SPACE(4) });
       await channel.recvmsg(message);
       const [{ data }] = message.control;
       const listener = Socket.from(Buffer.from(data).readInt32LE());
       let served = 0;
       channel.recvBuffer().then(async () => { await channel.send(Buffer.from(String(served))); process.exit(0); });
       await channel.send(Buffer.from('ready'));
       for await (const connection of listener) {
         served++;
         (async () => {
           for (let chunk = await connection.recvBuffer(); chunk; chunk = await connection.recvBuffer()) await connection.sendAll(chunk);
           connection.close();
         })();
       }`,
    ],
    { stdio: ['ignore', 'inherit', 'inherit', there.detach()] },
  );
  const load = clients(port, 2_000, 20, 'plain');
  await until(() => state.total > 200);
  const control = new ControlBuffer(CMSG_SPACE(4));
  control.push(SOL_SOCKET, SCM_RIGHTS, new Uint8Array(Int32Array.of(listener.fd).buffer));
  await here.sendmsg(new MsgHdr({ iov: Buffer.from('!'), control }));
  expect(String(await here.recvBuffer())).toBe('ready');
  listener.close();
  expect(await load).toEqual({ served: 2_000, errors: {} });
  await here.send(Buffer.from('stop'));
  const served = Number(String(await here.recvBuffer()));
  expect(served).toBeGreaterThan(0);
  expect(served + state.total).toBe(2_000);
  await once(successor, 'exit');
  await finished;
  await until(() => state.open === 0);
  here.close();
});
