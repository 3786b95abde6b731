import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  AF_INET,
  AF_UNIX,
  bind,
  ControlBuffer,
  close,
  ECONNREFUSED,
  EPOLLET,
  EPOLLIN,
  EPOLLOUT,
  F_GETFD,
  F_GETFL,
  FD_CLOEXEC,
  fcntl,
  getsockopt,
  IPPROTO_TCP,
  linger,
  listen,
  MSG_ERRQUEUE,
  MsgHdr,
  O_NONBLOCK,
  pipe2,
  SHUT_WR,
  SO_ACCEPTCONN,
  SO_LINGER,
  SOCK_DGRAM,
  SOCK_SEQPACKET,
  SOCK_STREAM,
  SOL_SOCKET,
  SockAddr,
  Socket,
  setsockopt,
  sockaddr_in,
  sockaddr_un,
  socket,
  socketpair,
  TCP_NODELAY,
} from 'posix-sockets';
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';

const openFds = () => readdirSync('/proc/self/fd').length;

// The reactor's own descriptors are made with its first use and stay.
beforeAll(async () => {
  const listener = await Socket.listen({ host: 'localhost', port: 0 });
  await listener.accept({ timeout: 1 }).catch(() => {});
  listener.close();
});

let folder: string;
let before: number;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'posix-sockets-'));
  before = openFds();
});
afterEach(() => {
  for (const { fd } of Socket.list()) throw new Error(`the test left descriptor ${fd} open`);
  rmSync(folder, { recursive: true, force: true });
});

/** A listener on loopback whose connections echo until the peer is done. */
async function echoServer(
  where: Parameters<typeof Socket.listen>[0] = { host: '127.0.0.1', port: 0 },
  type = SOCK_STREAM,
) {
  const listener = await Socket.listen(where, { type });
  const done = (async () => {
    const sessions: Promise<void>[] = [];
    for await (const connection of listener) {
      sessions.push(
        (async () => {
          using _ = connection;
          for (let chunk = await connection.recvBuffer(); chunk; chunk = await connection.recvBuffer()) {
            await connection.sendAll(chunk);
          }
        })(),
      );
    }
    await Promise.all(sessions);
  })();
  return { listener, done, address: listener.localAddress as SockAddr };
}

test('a TCP exchange: connect by name, echo, half-close, end of stream', async () => {
  const { listener, done, address } = await echoServer();
  const client = await Socket.connect({ host: 'localhost', port: address.port as number });
  expect(client.remoteAddress?.equals(address)).toBe(true);
  await client.sendAll(Buffer.from('hello'));
  const bytes = Buffer.alloc(16);
  expect(await client.recv(bytes)).toBe(5);
  expect(bytes.toString('utf8', 0, 5)).toBe('hello');
  client.shutdown(SHUT_WR);
  expect(await client.recv(bytes)).toBe(0);
  client.close();
  listener.close();
  await done;
  expect(openFds()).toBe(before);
});

test('ten megabytes in odd pieces arrive whole and in order, past every short write', async () => {
  const [one, other] = Socket.pair();
  const sent = Buffer.alloc(10_000_001);
  for (let i = 0; i < sent.length; i++) sent[i] = (i * 31 + (i >> 9)) & 0xff;
  const sending = one.sendAll([sent.subarray(0, 1), Buffer.alloc(0), sent.subarray(1, 77_777), sent.subarray(77_777)]);
  const parts: Buffer[] = [];
  let length = 0;
  while (length < sent.length) {
    const part = (await other.recvBuffer()) as Buffer;
    parts.push(part);
    length += part.length;
  }
  await sending;
  expect(Buffer.concat(parts).equals(sent)).toBe(true);
  one.close();
  other.close();
});

test('data and the end of the stream that came together are both seen', async () => {
  const { listener, done, address } = await echoServer();
  const raw = socket(AF_INET, SOCK_STREAM);
  const client = await Socket.connect(address);
  const bytes = new Uint8Array(100);
  const waiting = client.recv(bytes);
  await client.sendAll(new Uint8Array(10));
  client.shutdown(SHUT_WR);
  let received = await waiting;
  for (let n = -1; n !== 0; received += n) n = await client.recv(bytes, { timeout: 5000 });
  expect(received).toBe(10);
  client.close();
  close(raw);
  listener.close();
  await done;
});

test('a peek leaves the bytes, also for the wait that follows', async () => {
  const [one, other] = Socket.pair();
  await one.send(Buffer.from('abc'));
  const bytes = Buffer.alloc(10);
  expect(await other.recv(bytes, { flags: 2 /* MSG_PEEK */ })).toBe(3);
  expect(await other.recv(bytes, { timeout: 5000 })).toBe(3);
  one.close();
  other.close();
});

test.each([
  ['SOCK_SEQPACKET', SOCK_SEQPACKET],
  ['SOCK_DGRAM', SOCK_DGRAM],
])('%s on a Unix path keeps messages apart', async (_, type) => {
  const path = join(folder, 'socket');
  const server = new Socket(AF_UNIX, type);
  server.bind(sockaddr_un(path));
  if (type === SOCK_SEQPACKET) server.listen();
  const client = await Socket.connect(path, { type });
  await client.send(Buffer.from('one'));
  await client.send(Buffer.from('three'));
  const end = type === SOCK_SEQPACKET ? await server.accept() : server;
  expect(String(await end.recvBuffer())).toBe('one');
  expect(String(await end.recvBuffer())).toBe('three');
  for (const open of new Set([server, client, end])) open.close();
});

test('datagrams: sendto, recvfrom with the sender, recvmsg and sendmsg', async () => {
  const [one, other] = [new Socket(AF_INET, SOCK_DGRAM), new Socket(AF_INET, SOCK_DGRAM)];
  for (const end of [one, other]) end.bind(sockaddr_in('127.0.0.1', 0));
  const bytes = Buffer.alloc(100);
  const from = new SockAddr();
  const waiting = other.recvfrom(bytes, from);
  expect(await one.sendto(Buffer.from('datagram'), other.localAddress as SockAddr)).toBe(8);
  expect(await waiting).toBe(8);
  expect(from.equals(one.localAddress as SockAddr)).toBe(true);
  const message = new MsgHdr({ name: new SockAddr(), iov: [bytes.subarray(0, 2), bytes.subarray(2)] });
  const answer = one.recvmsg(message);
  await other.sendmsg(new MsgHdr({ name: from, iov: [Buffer.from('ab'), Buffer.from('cd')] }));
  expect(await answer).toBe(4);
  expect(bytes.toString('utf8', 0, 4)).toBe('abcd');
  expect(message.name?.equals(other.localAddress as SockAddr)).toBe(true);
  one.close();
  other.close();
});

test('the error queue is waited for apart from data', async () => {
  const receiver = new Socket(AF_INET, SOCK_DGRAM);
  receiver.bind(sockaddr_in('127.0.0.1', 0));
  receiver.option('IP_RECVERR', true);
  const control = new ControlBuffer(['IP_RECVERR']);
  const errors = (timeout: number) =>
    receiver.recvmsg(new MsgHdr({ iov: new Uint8Array(64), control }), { flags: MSG_ERRQUEUE, timeout });

  // Data that is there stays known to be there, whatever the error queue has not.
  await receiver.sendto(Buffer.from('data'), receiver.localAddress as SockAddr);
  await expect(errors(1)).rejects.toThrow('ETIMEDOUT');
  expect(String(await receiver.recvBuffer({ timeout: 5000 }))).toBe('data');

  // And who waits for data is not in the way of an error.
  const data = receiver.recvBuffer({ timeout: 5000 });
  const error = errors(5000);
  await receiver.sendto(Buffer.from('to nobody'), sockaddr_in('127.0.0.1', 1));
  await expect(data).rejects.toThrow('ECONNREFUSED'); // it ends the wait for data, too, as it would a recv in C
  expect(await error).toBe(9);
  expect(control.get('IP_RECVERR')?.ee_errno).toBe(ECONNREFUSED);

  const waiting = errors(5000);
  receiver.unref().ref();
  receiver.close();
  await expect(waiting).rejects.toThrow('ECANCELED');
});

test('calls that wait are made in the order in which they were asked for', async () => {
  const [one, other] = Socket.pair(SOCK_SEQPACKET);
  const received = [1, 2, 3].map(() => other.recvBuffer());
  for (const text of ['first', 'second', 'third']) await one.send(Buffer.from(text));
  expect((await Promise.all(received)).map(String)).toEqual(['first', 'second', 'third']);
  one.close();
  other.close();
});

test('a timeout rejects with ETIMEDOUT and loses nothing', async () => {
  const [one, other] = Socket.pair();
  const bytes = Buffer.alloc(10);
  await expect(other.recv(bytes, { timeout: 20 })).rejects.toMatchObject({ code: 'ETIMEDOUT', syscall: 'recv' });
  await one.send(Buffer.from('late'));
  expect(await other.recv(bytes)).toBe(4);
  one.close();
  other.close();
});

test('an AbortSignal rejects with its reason, before the wait and during it', async () => {
  const [one, other] = Socket.pair();
  const bytes = Buffer.alloc(10);
  const controller = new AbortController();
  const waiting = other.recv(bytes, { signal: controller.signal });
  const reason = new Error('enough');
  controller.abort(reason);
  await expect(waiting).rejects.toBe(reason);
  await expect(other.recv(bytes, { signal: controller.signal })).rejects.toBe(reason);
  await one.send(Buffer.from('still here'));
  expect(await other.recv(bytes)).toBe(10);
  one.close();
  other.close();
});

test('what is no AbortSignal is refused, and is in nobody’s way', async () => {
  const [one, other] = Socket.pair();
  const waiting = other.recvBuffer();
  await expect(other.recvBuffer({ signal: {} as never })).rejects.toThrow(TypeError);
  await one.send(Buffer.from('to the first'));
  expect(String(await waiting)).toBe('to the first');
  one.close();
  other.close();
});

test('of many that wait, any may give up, and the others keep their order', async () => {
  const [one, other] = Socket.pair(SOCK_SEQPACKET);
  const controllers = Array.from({ length: 5 }, () => new AbortController());
  const waiting = controllers.map(({ signal }) => other.recvBuffer({ signal }).then(String, () => 'gave up'));
  for (const i of [2, 4, 0]) controllers[i]?.abort();
  waiting.push(other.recvBuffer().then(String));
  for (const text of ['first', 'second', 'third']) await one.send(Buffer.from(text));
  expect(await Promise.all(waiting)).toEqual(['gave up', 'first', 'gave up', 'second', 'gave up', 'third']);
  one.close();
  other.close();
});

test('sendAll refuses what is no bytes, by name, and sends nothing of it', async () => {
  const [one, other] = Socket.pair();
  using _one = one;
  using _other = other;
  for (const [value, name] of [
    ['text', 'bytes'],
    [5, 'bytes'],
    [[Buffer.from('x'), 'text'], 'bytes[1]'],
    [new Array(2 ** 32 - 1), 'bytes[0]'],
  ] as const) {
    expect(() => one.sendAll(value as never)).toThrow(`${name} must be a Uint8Array`);
  }
  await one.sendAll(new DataView(new ArrayBuffer(3)));
  expect(await other.recv(new Uint8Array(9))).toBe(3);
});

test('sendAll that is aborted says how much the kernel took', async () => {
  const [one, other] = Socket.pair();
  const error = await one.sendAll(Buffer.alloc(50_000_000), { timeout: 30 }).catch((e) => e);
  expect(error).toMatchObject({ code: 'ETIMEDOUT' });
  one.shutdown(SHUT_WR);
  let received = 0;
  for (let part = await other.recvBuffer(); part; part = await other.recvBuffer()) received += part.length;
  expect(error.sent).toBe(received);
  one.close();
  other.close();
});

test('close ends every call that waits, with ECANCELED, and later calls too', async () => {
  const listener = await Socket.listen({ host: '127.0.0.1', port: 0 });
  const [one, other] = Socket.pair();
  const filling = one.sendAll(Buffer.alloc(10_000_000)).catch((e) => e.code);
  const calls = [listener.accept(), other.recv(Buffer.alloc(0)), one.recv(Buffer.alloc(1))];
  await calls[1];
  listener.close();
  one.close();
  expect(await filling).toBe('ECANCELED');
  await expect(calls[0]).rejects.toMatchObject({
    code: 'ECANCELED',
    message: 'accept4 ECANCELED (the socket was closed)',
  });
  await expect(calls[2]).rejects.toMatchObject({ code: 'ECANCELED' });
  await expect(one.recv(Buffer.alloc(1))).rejects.toMatchObject({ code: 'ECANCELED' });
  one.close(); // again: nothing
  other.close();
  expect(openFds()).toBe(before);
});

test('errors are those of the kernel', async () => {
  await expect(Socket.connect(sockaddr_in('127.0.0.1', 1))).rejects.toMatchObject({
    code: 'ECONNREFUSED',
    address: '127.0.0.1',
    port: 1,
  });
  await expect(Socket.connect(join(folder, 'nobody'))).rejects.toMatchObject({ code: 'ENOENT' });
  await expect(Socket.connect({ host: 'no-such-host.invalid', port: 1 })).rejects.toMatchObject({ name: 'GaiError' });
  const [one, other] = Socket.pair();
  other.close();
  await expect(one.send(Buffer.from('x'))).rejects.toMatchObject({ code: 'EPIPE' });
  await expect(one.recv('text' as never)).rejects.toThrow(TypeError);
  one.close();
  expect(openFds()).toBe(before);
});

test('a reset by the peer reaches a call that waits', async () => {
  const listener = await Socket.listen({ host: '127.0.0.1', port: 0 });
  const client = await Socket.connect(listener.localAddress as SockAddr);
  const connection = await listener.accept();
  const waiting = connection.recv(Buffer.alloc(1));
  setsockopt(client.fd, SOL_SOCKET, SO_LINGER, new linger({ l_onoff: 1, l_linger: 0 }));
  client.close();
  await expect(waiting).rejects.toMatchObject({ code: 'ECONNRESET' });
  connection.close();
  listener.close();
});

test('a name with several addresses: the next is tried when one fails, and when one does not answer', async () => {
  const { listener, done, address } = await echoServer();
  const refused = sockaddr_in('127.0.0.1', 1);
  (await Socket.connect([refused, address])).close();
  await expect(Socket.connect([refused, refused])).rejects.toMatchObject({
    name: 'AggregateError',
    code: 'ECONNREFUSED',
  });

  // A listener whose backlog is full drops SYNs, so a connect to it gets no answer.
  const full = socket(AF_INET, SOCK_STREAM);
  bind(full, sockaddr_in('127.0.0.1', 0));
  listen(full, 0);
  const silent = (() => {
    const room = new Socket(AF_INET, SOCK_STREAM);
    room.bind(sockaddr_in('127.0.0.1', 0));
    room.close();
    return Socket.from(full);
  })();
  const filler = await Socket.connect(silent.localAddress as SockAddr);
  const quick = await Socket.connect([silent.localAddress as SockAddr, address], { attemptDelay: 20 });
  expect(quick.remoteAddress?.equals(address)).toBe(true);
  await expect(Socket.connect(silent.localAddress as SockAddr, { timeout: 50 })).rejects.toMatchObject({
    code: 'ETIMEDOUT',
    syscall: 'connect',
  });
  for (const open of [quick, filler, silent, listener]) open.close();
  await done;
  expect(openFds()).toBe(before);
});

test('connecting to a Unix listener with a full backlog waits for room', async () => {
  const path = join(folder, 'full');
  const listener = await Socket.listen(path, { backlog: 0 });
  const first = await Socket.connect(path);
  const second = Socket.connect(path);
  await expect(Socket.connect(path, { timeout: 30 })).rejects.toMatchObject({ code: 'ETIMEDOUT' });
  const [reason, controller] = [new Error('enough'), new AbortController()];
  const third = Socket.connect(path, { signal: controller.signal });
  const fourth = new Socket(AF_UNIX, SOCK_STREAM);
  const connecting = fourth.connect(sockaddr_un(path));
  setTimeout(() => {
    controller.abort(reason);
    fourth.close();
  }, 5);
  await Promise.all([
    expect(third).rejects.toBe(reason),
    expect(connecting).rejects.toMatchObject({ code: 'ECANCELED', syscall: 'connect' }),
  ]);
  const accepted = [await listener.accept(), await listener.accept()];
  for (const open of [first, await second, ...accepted, listener]) open.close();
});

test('listening on a path: a live one is left alone, a stale one replaced, and close removes only its own', async () => {
  const path = join(folder, 'path');
  const first = await Socket.listen(path);
  await expect(Socket.listen(path)).rejects.toMatchObject({ code: 'EADDRINUSE', path });
  close(first.detach()); // as a process that died: the file stays
  expect(statSync(path).isSocket()).toBe(true);
  const second = await Socket.listen(path);
  rmSync(path);
  const third = await Socket.listen(path);
  second.close();
  expect(statSync(path).isSocket()).toBe(true);
  third.close();
  expect(existsSync(path)).toBe(false);
  writeFileSync(path, 'somebody else’s');
  await expect(Socket.listen(path)).rejects.toMatchObject({ code: 'EADDRINUSE' });
  expect(statSync(path).isFile()).toBe(true);
  expect(openFds()).toBe(before);
});

test('a wildcard listener takes IPv4 and IPv6', async () => {
  const { listener, done, address } = await echoServer({ port: 0 });
  for (const host of ['127.0.0.1', '::1']) (await Socket.connect({ host, port: address.port as number })).close();
  listener.close();
  await done;
});

test('from finds out what a descriptor is, detach gives it back', async () => {
  const [fd, peer] = socketpair(AF_UNIX, SOCK_SEQPACKET);
  const taken = Socket.from(fd);
  expect(taken).toMatchObject({ domain: AF_UNIX, type: SOCK_SEQPACKET, fd });
  expect(fcntl(fd, F_GETFL) & O_NONBLOCK).toBe(O_NONBLOCK);
  expect(fcntl(fd, F_GETFD)).toBe(FD_CLOEXEC);
  const waiting = taken.recvBuffer();
  expect(taken.detach()).toBe(fd);
  await expect(waiting).rejects.toMatchObject({ code: 'ECANCELED' });
  taken.close(); // not its own any more
  expect(fcntl(fd, F_GETFD)).toBe(FD_CLOEXEC);
  const [reader, writer] = pipe2();
  expect(() => Socket.from(reader)).toThrow(/ENOTSOCK/);
  for (const end of [reader, writer]) close(end);
  close(fd);
  close(peer);
});

test('the constructor makes a socket, and takes nobody’s descriptor', () => {
  for (const domain of [null, {}, 'AF_INET', 2.5]) expect(() => new Socket(domain as never, 1)).toThrow(/domain/);
  expect(() => new Socket(-1, SOCK_STREAM)).toThrow('EAFNOSUPPORT');
});

test('every descriptor is close-on-exec: a program that is started finds none of them', async () => {
  const path = join(folder, 'exec');
  const listener = await Socket.listen(path);
  const client = await Socket.connect(path);
  const all = [listener, client, await listener.accept(), ...Socket.pair(), new Socket(AF_INET, SOCK_DGRAM)];
  const found = execFileSync('ls', ['-l', '/proc/self/fd']).toString();
  for (const { fd } of all) {
    expect(fcntl(fd, F_GETFD) & FD_CLOEXEC).toBe(FD_CLOEXEC);
    expect(found).not.toContain(readlinkSync(`/proc/self/fd/${fd}`));
  }
  for (const open of all) open.close();
});

test('sendfile sends a file, awaiting room', async () => {
  const path = join(folder, 'file');
  const content = Buffer.alloc(3_000_000, 'file ');
  writeFileSync(path, content);
  const { open } = await import('node:fs/promises');
  const file = await open(path);
  const [one, other] = Socket.pair();
  const sending = one.sendfile(file.fd, 1, content.length);
  const parts: Buffer[] = [];
  sending.then(() => one.shutdown(SHUT_WR));
  for (let part = await other.recvBuffer(); part; part = await other.recvBuffer()) parts.push(part);
  expect(await sending).toBe(content.length - 1);
  expect(Buffer.concat(parts).equals(content.subarray(1))).toBe(true);
  await file.close();
  one.close();
  other.close();
});

test('splice moves bytes from socket to pipe to socket, awaiting each end', async () => {
  const [source, entry] = Socket.pair();
  const [exit, sink] = Socket.pair();
  const [reader, writer] = pipe2(O_NONBLOCK);
  const content = Buffer.alloc(1_000_000, 'splice ');
  const sending = source.sendAll(content).then(() => source.shutdown(SHUT_WR));
  const filling = (async () => {
    while ((await entry.spliceTo(writer, 1 << 20)) > 0);
    close(writer);
  })();
  const draining = (async () => {
    while ((await exit.spliceFrom(reader, 1 << 20)) > 0);
    exit.shutdown(SHUT_WR);
  })();
  const parts: Buffer[] = [];
  for (let part = await sink.recvBuffer(); part; part = await sink.recvBuffer()) parts.push(part);
  await Promise.all([sending, filling, draining]);
  expect(Buffer.concat(parts).equals(content)).toBe(true);
  const [idle, held] = pipe2();
  await expect(exit.spliceFrom(idle, 1, { signal: AbortSignal.timeout(20) })).rejects.toMatchObject({
    name: 'TimeoutError',
  });
  for (const fd of [reader, idle, held]) close(fd);
  for (const open of [source, entry, exit, sink]) open.close();
  expect(openFds()).toBe(before);
});

test('descriptors are sent and received, awaiting them', async () => {
  const [one, other] = Socket.pair();
  const [reader, writer] = pipe2();
  const waiting = other.recvFds(2);
  expect(await one.sendFds([reader, writer], Buffer.from('p'))).toBe(1);
  const { fds, length, flags } = await waiting;
  expect([length, fds.length, flags & 8 /* MSG_CTRUNC */]).toEqual([1, 2, 0]);
  for (const fd of fds) expect(fcntl(fd, F_GETFD)).toBe(FD_CLOEXEC);
  const ends = ['reader', 'writer'].map((_, i) => readlinkSync(`/proc/self/fd/${fds[i]}`));
  expect(ends).toEqual([reader, writer].map((fd) => readlinkSync(`/proc/self/fd/${fd}`)));
  for (const fd of [reader, writer, ...fds]) close(fd);
  await expect(one.sendFds([reader])).rejects.toMatchObject({ code: 'EBADF', syscall: 'sendmsg' });
  await expect(one.recvFds(1, undefined, { timeout: 20 })).rejects.toMatchObject({ code: 'ETIMEDOUT' });
  one.close();
  other.close();
  expect(openFds()).toBe(before);
});

test('a socket is watched for room once somebody waited for room', async () => {
  const watchedFor = (fd: number) => {
    const infos = readdirSync('/proc/self/fdinfo').map((name) => {
      const path = `/proc/self/fdinfo/${name}`;
      return existsSync(path) ? readFileSync(path, 'utf8') : '';
    });
    const [, events = '0'] = new RegExp(`^tfd:\\s+${fd} events:\\s+([0-9a-f]+)`, 'm').exec(infos.join('\n')) ?? [];
    return Number.parseInt(events, 16) & (EPOLLIN | EPOLLOUT | EPOLLET);
  };
  const [one, other] = Socket.pair();
  const receiving = one.recvBuffer();
  expect(watchedFor(one.fd)).toBe(EPOLLIN | EPOLLET | 0);
  const sending = one.sendAll(Buffer.alloc(1_000_000));
  expect(watchedFor(one.fd)).toBe(EPOLLIN | EPOLLOUT | EPOLLET | 0);
  for (let left = 1_000_000; left > 0; ) left -= ((await other.recvBuffer()) as Buffer).length;
  await sending;
  await other.sendAll(Buffer.from('both'));
  expect(String(await receiving)).toBe('both');
  one.close();
  expect(watchedFor(one.fd)).toBe(0);
  other.close();
});

test('option reads and sets by name', async () => {
  const { listener, done, address } = await echoServer();
  const client = await Socket.connect(address);
  client.option('TCP_NODELAY', true);
  expect(client.option('TCP_NODELAY')).toBe(true);
  expect(getsockopt(client.fd, IPPROTO_TCP, TCP_NODELAY)).toBe(1);
  expect(client.option('TCP_INFO').tcpi_state).toBe(1);
  client.close();
  expect(() => client.option('TCP_INFO')).toThrow(/EBADF/);
  listener.close();
  await done;
});

test('list shows what is open, where it was made and what it did', async () => {
  const [one, other] = Socket.pair();
  await one.send(Buffer.from('12345'));
  await other.recvBuffer();
  const [first, second] = Socket.list();
  expect(first).toMatchObject({ fd: one.fd, domain: AF_UNIX, bytesSent: 5, bytesReceived: 0, calls: 1, waits: 0 });
  expect(second).toMatchObject({ fd: other.fd, bytesReceived: 5 });
  expect(first?.madeAt).toContain('socket.test');
  one.close();
  other.close();
  expect(Socket.list()).toEqual([]);
});

test('using closes at the end of the block', async () => {
  let fd: number;
  {
    using one = new Socket(AF_INET, SOCK_DGRAM);
    await using other = new Socket(AF_INET, SOCK_DGRAM);
    fd = one.fd;
    expect(other.fd).toBeGreaterThan(0);
  }
  expect(() => fcntl(fd, F_GETFD)).toThrow(/EBADF/);
  expect(openFds()).toBe(before);
});

test('a socket collected while open is closed, with one warning that names where it was made', () => {
  const program = `
    import { Socket, AF_INET, SOCK_DGRAM } from 'posix-sockets';
    import { readdirSync } from 'node:fs';
    import { setTimeout as sleep } from 'node:timers/promises';
    const before = readdirSync('/proc/self/fd').length;
    function forgetful() { for (let i = 0; i < 10; i++) new Socket(AF_INET, SOCK_DGRAM); }
    forgetful();
    for (let i = 0; i < 100 && readdirSync('/proc/self/fd').length > before + 1; i++) { gc(); await sleep(10); }
    console.log(readdirSync('/proc/self/fd').length - before);`;
  const result = spawnSync(process.execPath, ['--expose-gc', '--input-type=module', '-e', program], {
    encoding: 'utf8',
  });
  expect(Number(result.stdout)).toBeLessThanOrEqual(1); // a register may still hold the last one
  expect(result.stderr.match(/SocketLeakWarning/g)).toHaveLength(1);
  expect(result.stderr).toContain('forgetful');
});

test('a socket that somebody waits on is not collected', () => {
  const program = `
    import { Socket } from 'posix-sockets';
    import { setTimeout as sleep } from 'node:timers/promises';
    let send;
    const received = (() => { const [one, other] = Socket.pair(); send = () => one.send(Buffer.from('x')); return other.recvBuffer(); })();
    for (let i = 0; i < 20; i++) { gc(); await sleep(5); }
    await send();
    console.log(String(await received));`;
  const result = spawnSync(process.execPath, ['--expose-gc', '--input-type=module', '-e', program], {
    encoding: 'utf8',
  });
  expect(result.stdout).toBe('x\n');
});

test('without a descriptor left, connections are shed and the listener stays quiet; or accept says EMFILE', async () => {
  const program = `
    import { AF_INET, MSG_DONTWAIT, SOCK_STREAM, Socket, close, connect, dup, recv, socket } from 'posix-sockets';
    import { setTimeout as sleep } from 'node:timers/promises';
    const listener = await Socket.listen({ host: '127.0.0.1', port: 0 }, { shedWhenFull: process.argv[1] === 'shed' });
    const accepted = listener.accept().catch(({ code }) => code);
    const client = socket(AF_INET, SOCK_STREAM);
    const held = [];
    try { for (;;) held.push(dup(0)); } catch {}
    connect(client, listener.localAddress);
    const cpu = process.cpuUsage();
    await sleep(500);
    const { user, system } = process.cpuUsage(cpu);
    let end;
    try { end = recv(client, new Uint8Array(1), MSG_DONTWAIT); } catch ({ code }) { end = code; }
    console.log(end, listener.connectionsShed, (user + system) / 1000 < 250 ? 'quiet' : 'busy');
    for (const fd of held) close(fd);
    listener.close();
    console.log(await accepted);`;
  const run = (how: string) =>
    execFileSync(
      'sh',
      ['-c', `ulimit -n 300; exec "$0" --input-type=module -e "$1" ${how}`, process.execPath, program],
      {
        encoding: 'utf8',
      },
    );
  expect(run('shed')).toBe('0 1 quiet\nECANCELED\n');
  expect(run('fail')).toBe('EAGAIN 0 quiet\nEMFILE\n');
});

test('only what waits keeps the process running, and unref lets it end', () => {
  const run = (program: string) =>
    spawnSync(process.execPath, ['--input-type=module', '-e', `import { Socket } from 'posix-sockets'; ${program}`], {
      encoding: 'utf8',
      timeout: 10_000,
    });
  expect(run('const [one] = Socket.pair(); globalThis.kept = one;').status).toBe(0);
  expect(run('const pair = Socket.pair(); globalThis.kept = pair; pair[0].recvBuffer(); pair[0].unref();').status).toBe(
    0,
  );
  const waits = spawn(process.execPath, [
    '--input-type=module',
    '-e',
    `import { Socket } from 'posix-sockets';
     const pair = Socket.pair(); globalThis.kept = pair; pair[0].recvBuffer(); process.on('exit', () => console.log('bye')); console.log('up');`,
  ]);
  return once(waits.stdout, 'data').then(async () => {
    const ended = once(waits, 'exit');
    expect(await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 300, 'running'))])).toBe('running');
    waits.kill('SIGKILL');
    await ended;
  });
});

test('an option is set before the connection is made', async () => {
  const { listener, done, address } = await echoServer();
  const client = await Socket.connect(address, { beforeConnect: (fd) => setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, 1) });
  expect(getsockopt(client.fd, IPPROTO_TCP, TCP_NODELAY)).toBe(1);
  expect(getsockopt(listener.fd, SOL_SOCKET, SO_ACCEPTCONN)).toBe(1);
  client.close();
  listener.close();
  await done;
});
