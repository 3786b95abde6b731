// Sockets that Node made, and descriptors made here that Node takes over.
import { spawnSync } from 'node:child_process';
import dgram from 'node:dgram';
import { once } from 'node:events';
import { readFileSync, readlinkSync } from 'node:fs';
import http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import net from 'node:net';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import tls from 'node:tls';
import {
  AF_INET,
  AF_NETLINK,
  AF_UNIX,
  accept,
  bind,
  close,
  connect,
  dup,
  fdOf,
  getOption,
  getpeername,
  getsockname,
  IPPROTO_MPTCP,
  listen,
  MSG_OOB,
  MsgHdr,
  recv,
  recvmsg,
  SOCK_DGRAM,
  SOCK_RAW,
  SOCK_STREAM,
  type SockAddr,
  Socket,
  send,
  setOption,
  sockaddr_in,
  socket,
  socketpair,
  TCP_ESTABLISHED,
} from 'posix-sockets';
import { beforeAll, describe, expect, test } from 'vitest';
import { ownNetwork } from './network-support.js';
import { bytes, errorOf, folder, haveNamespaces, isRoot, opened, run, until, whenDone } from './support.js';

if (haveNamespaces) ownNetwork();

// The first wait opens an epoll instance, which stays: before the tests count descriptors.
beforeAll(async () => {
  const [one, other] = Socket.pair();
  const waiting = one.recv(new Uint8Array(1));
  await other.send(bytes('x'));
  await waiting;
  one.close();
  other.close();
});

const works = (...command: [string, string]) => spawnSync(command[0], [command[1]], { timeout: 20_000 }).status === 0;
const haveOpenssl = works('openssl', 'version');
const isOpen = (fd: number) => {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return undefined;
  }
};

/** Has a server listen, and closes it and its connections when the test ends. */
async function listening<S extends net.Server>(
  server: S,
  where: net.ListenOptions & { fd?: number } = { port: 0, host: '127.0.0.1' },
): Promise<S> {
  const connections = new Set<net.Socket>();
  server.on('connection', (connection) => connections.add(connection.on('error', () => {})));
  server.listen(where);
  await once(server, 'listening');
  whenDone(async () => {
    for (const connection of connections) connection.destroy();
    if (server.listening) await new Promise((resolve) => server.close(resolve));
  });
  return server;
}

const portOf = (server: net.Server) => (server.address() as net.AddressInfo).port;

/** Both ends of a connection, as Node has them. */
async function nodePair(): Promise<[client: net.Socket, server: net.Socket]> {
  const server = await listening(net.createServer());
  const client = net.connect(portOf(server), '127.0.0.1');
  whenDone(() => client.destroy());
  const [[other]] = await Promise.all([once(server, 'connection'), once(client, 'connect')]);
  return [client, other as net.Socket];
}

/** A key and a certificate for localhost. */
function identity(): { key: Buffer; cert: Buffer } {
  const place = folder();
  const [key, cert] = [join(place, 'key.pem'), join(place, 'cert.pem')];
  const request = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const { status } = spawnSync('openssl', [...request, '-keyout', key, '-out', cert, '-subj', '/CN=localhost'], {
    timeout: 20_000,
  });
  expect(status).toBe(0);
  return { key: readFileSync(key), cert: readFileSync(cert) };
}

describe('fdOf gives the descriptor', () => {
  test('of both ends of a net connection', async () => {
    const [client, server] = await nodePair();
    expect(getsockname(fdOf(client)).port).toBe(client.localPort);
    expect(getpeername(fdOf(client)).port).toBe(client.remotePort);
    expect(getsockname(fdOf(server)).port).toBe(server.localPort);
  });

  test('of a net.Server, by TCP and by path', async () => {
    const server = await listening(net.createServer());
    expect(getsockname(fdOf(server)).port).toBe(portOf(server));
    expect(getOption(fdOf(server), 'SO_ACCEPTCONN')).toBe(true);
    const path = join(folder(), 'server');
    expect(getsockname(fdOf(await listening(net.createServer(), { path }))).path).toBe(path);
  });

  test('of a dgram.Socket, without a deprecation warning', async () => {
    const warnings: Error[] = [];
    const warned = (warning: Error) => warnings.push(warning);
    process.on('warning', warned);
    const udp = dgram.createSocket('udp4');
    whenDone(() => udp.close());
    udp.bind(0, '127.0.0.1');
    await once(udp, 'listening');
    expect(getsockname(fdOf(udp)).port).toBe(udp.address().port);
    await new Promise(setImmediate);
    process.off('warning', warned);
    expect(warnings).toEqual([]);
  });

  test('of an http server and the socket of a request', async () => {
    const seen: [number, number | undefined][] = [];
    const server = await listening(
      http.createServer((request, response) => {
        seen.push([getpeername(fdOf(request.socket)).port as number, request.socket.remotePort]);
        response.end('done', () => request.socket.destroy());
      }),
    );
    expect(getsockname(fdOf(server)).port).toBe(portOf(server));
    const [response] = await once(http.get({ port: portOf(server), host: '127.0.0.1', agent: false }), 'response');
    expect(await text(response)).toBe('done');
    expect(seen).toEqual([[seen[0]?.[1], seen[0]?.[1]]]);
  });

  test.skipIf(!haveOpenssl)('of tls, https and http2, each end (needs openssl)', async () => {
    const mine = identity();
    const server = await listening(tls.createServer(mine));
    expect(getsockname(fdOf(server)).port).toBe(portOf(server));
    const client = tls.connect({ port: portOf(server), host: '127.0.0.1', ca: mine.cert, servername: 'localhost' });
    whenDone(() => client.destroy());
    const [[secured]] = await Promise.all([once(server, 'secureConnection'), once(client, 'secureConnect')]);
    expect(getsockname(fdOf(client)).port).toBe(client.localPort);
    expect(getpeername(fdOf(secured)).port).toBe(client.localPort);
    expect(getOption(fdOf(secured), 'TCP_INFO').tcpi_state).toBe(TCP_ESTABLISHED);

    const web = await listening(https.createServer(mine));
    expect(getsockname(fdOf(web)).port).toBe(portOf(web));
  });

  test('of an http2 server, and of the sockets of its sessions', async () => {
    const server = await listening(http2.createServer());
    expect(getsockname(fdOf(server)).port).toBe(portOf(server));
    const client = http2.connect(`http://127.0.0.1:${portOf(server)}`);
    whenDone(() => client.destroy());
    const [[session]] = await Promise.all([once(server, 'session'), once(client, 'connect')]);
    expect(getsockname(fdOf(client.socket)).port).toBe(client.socket.localPort);
    expect(getpeername(fdOf((session as http2.ServerHttp2Session).socket)).port).toBe(client.socket.localPort);
  });

  test('of TLS that begins on a connection that is there (STARTTLS)', async () => {
    const [client] = await nodePair();
    const fd = fdOf(client);
    const secured = tls.connect({ socket: client });
    secured.on('error', () => {});
    expect(fdOf(secured)).toBe(fd);
    secured.destroy();
  });

  test('of whatever has a number fd: a Socket of this package, standard output', () => {
    const [one, other] = socketpair(AF_UNIX, SOCK_STREAM) as [number, number];
    opened(other);
    using mine = Socket.from(one);
    expect(fdOf(mine)).toBe(one);
    expect(fdOf({ fd: 1 })).toBe(1);
  });
});

describe('fdOf refuses', () => {
  const none = /^there is no descriptor/;
  test('a socket that is not connected yet, a server that does not listen, UDP that was closed', async () => {
    expect(() => fdOf(new net.Socket())).toThrow(none);
    expect(() => fdOf(net.createServer())).toThrow(none);
    const udp = dgram.createSocket('udp4');
    udp.close();
    await once(udp, 'close');
    expect(() => fdOf(udp)).toThrow(none);
  });

  test('a socket that was closed', async () => {
    const [client, server] = await nodePair();
    client.destroy();
    expect(() => fdOf(client)).toThrow(none);
    await once(server.resume(), 'close');
    expect(() => fdOf(server)).toThrow(none);
  });

  test.skipIf(!haveOpenssl)('tls over a stream that is no socket (needs openssl)', () => {
    const secured = tls.connect({ socket: new Duplex({ read() {}, write() {} }) });
    secured.on('error', () => {});
    expect(() => fdOf(secured)).toThrow(none);
    secured.destroy();
  });

  test("a server in a cluster's worker, though not its connections", async () => {
    const { stdout, stderr } = await run(process.execPath, [join(import.meta.dirname, 'fixtures/cluster.mjs')]);
    expect([stdout, stderr]).toEqual(['TypeError\ntrue\n', '']);
  });

  test.for([null, undefined, 1, 'x', {}, { fd: '1' }, { fd: -1 }, { _handle: {} }])('%o', (what) => {
    expect(() => fdOf(what as never)).toThrow(none);
  });
});

describe('on a socket of Node', () => {
  test('options are set and read', async () => {
    const [client, server] = await nodePair();
    setOption(fdOf(client), 'TCP_USER_TIMEOUT', 4321);
    expect(getOption(fdOf(client), 'TCP_USER_TIMEOUT')).toBe(4321);
    client.setNoDelay(true);
    expect(getOption(fdOf(client), 'TCP_NODELAY')).toBe(true);

    client.write('x'.repeat(1000));
    await once(server, 'data');
    const info = getOption(fdOf(server), 'TCP_INFO');
    expect(info.tcpi_bytes_received).toBe(BigInt(server.bytesRead));
    expect(info.tcpi_state).toBe(TCP_ESTABLISHED);
  });

  test.skipIf(!isRoot)('SO_MARK is set (needs root)', async () => {
    const [client] = await nodePair();
    setOption(fdOf(client), 'SO_MARK', 77);
    expect(getOption(fdOf(client), 'SO_MARK')).toBe(77);
  });

  test('IP_TOS is what the receiver sees', async () => {
    const receiver = opened(socket(AF_INET, SOCK_DGRAM));
    bind(receiver, sockaddr_in('127.0.0.1', 0));
    setOption(receiver, 'IP_RECVTOS', true);
    const udp = dgram.createSocket('udp4');
    whenDone(() => udp.close());
    udp.bind(0, '127.0.0.1');
    await once(udp, 'listening');
    setOption(fdOf(udp), 'IP_TOS', 0x48);
    udp.send('x', getsockname(receiver).port as number, '127.0.0.1');
    const message = new MsgHdr({ iov: new Uint8Array(8), control: 64 });
    setOption(receiver, 'SO_RCVTIMEO', { tv_sec: 5 });
    await new Promise(setImmediate);
    recvmsg(receiver, message);
    expect([...(message.control ?? [])].map(({ data }) => data[0])).toEqual([0x48]);
  });

  test('out-of-band data is sent and received', async () => {
    const [client, server] = await nodePair();
    server.pause();
    send(fdOf(client), bytes('!'), MSG_OOB);
    const urgent = new Uint8Array(1);
    await until(() => {
      try {
        return recv(fdOf(server), urgent, MSG_OOB) === 1;
      } catch {
        return false; // EINVAL, EAGAIN: not there yet
      }
    }, 'the urgent byte has come');
    expect(urgent).toEqual(bytes('!'));
  });

  test('calls do not wait, on a copy neither', async () => {
    const [client, server] = await nodePair();
    for (const fd of [fdOf(client), opened(dup(fdOf(client)))]) {
      expect(errorOf(() => recv(fd, new Uint8Array(1))).code).toBe('EAGAIN');
    }
    server.destroy();
  });

  test('the descriptor goes with it, and a copy stays', async () => {
    const [client, server] = await nodePair();
    const fd = fdOf(client);
    const mine = opened(dup(fd));
    const its = isOpen(fd);
    client.destroy();
    await once(client, 'close');
    expect(isOpen(fd)).not.toBe(its);
    expect(isOpen(mine)).toBe(its);
    expect(getOption(mine, 'SO_ERROR')).toBe(0);
    server.destroy();
  });
});

// ---- the other way round

/** A listener of this package, and where it is. */
function ownListener(protocol = 0): { fd: number; address: SockAddr } {
  const fd = opened(socket(AF_INET, SOCK_STREAM, protocol));
  bind(fd, sockaddr_in('127.0.0.1', 0));
  listen(fd, 8);
  return { fd, address: getsockname(fd) };
}

describe('Node takes over', () => {
  test('a connected descriptor, with new net.Socket({ fd })', async () => {
    const { fd: listener, address } = ownListener();
    const fd = socket(AF_INET, SOCK_STREAM);
    connect(fd, address);
    const peer = opened(accept(listener));
    const adopted = new net.Socket({ fd });
    expect(fdOf(adopted)).toBe(fd);
    expect(adopted.remotePort).toBe(address.port);
    adopted.end('from Node');
    send(peer, bytes('to Node'));
    close(peer);
    expect(await text(adopted)).toBe('to Node');
    if (!adopted.closed) await once(adopted, 'close');
    // It was Node's, and Node has closed it.
    expect(isOpen(fd)).toBeUndefined();
  });

  test('a Unix socket, and a stream of Multipath TCP', async ({ skip }) => {
    const [one, other] = socketpair(AF_UNIX, SOCK_STREAM) as [number, number];
    const adopted = new net.Socket({ fd: one });
    adopted.write('over Unix');
    const buffer = new Uint8Array(16);
    await until(() => recv(opened(other), buffer) > 0, 'it has come');
    expect(new TextDecoder().decode(buffer.subarray(0, 9))).toBe('over Unix');
    adopted.destroy();
    await once(adopted, 'close');

    let fd: number;
    try {
      fd = socket(AF_INET, SOCK_STREAM, IPPROTO_MPTCP);
    } catch {
      return skip('this kernel has no Multipath TCP');
    }
    const { fd: listener, address } = ownListener(IPPROTO_MPTCP);
    connect(fd, address);
    const peer = opened(accept(listener));
    const multipath = new net.Socket({ fd });
    multipath.write('many paths');
    expect(recv(peer, buffer)).toBe(10);
    expect(getOption(fdOf(multipath), 'MPTCP_INFO').mptcpi_flags).toBeTypeOf('number');
    multipath.destroy();
    await once(multipath, 'close');
  });

  test('a listener, with server.listen({ fd })', async () => {
    const fd = socket(AF_INET, SOCK_STREAM);
    bind(fd, sockaddr_in('127.0.0.1', 0));
    setOption(fd, 'TCP_SAVE_SYN', 1);
    const server = await listening(net.createServer(), { fd });
    expect(fdOf(server)).toBe(fd);
    const client = net.connect(portOf(server), '127.0.0.1');
    const [connection] = (await once(server, 'connection')) as [net.Socket];
    // What was set before is in force: the SYN was kept, an IPv4 header first.
    const syn = getOption(fdOf(connection), 'TCP_SAVED_SYN');
    expect((syn[0] as number) >> 4).toBe(4);
    expect(syn.length).toBeGreaterThanOrEqual(40);
    client.destroy();
    await new Promise((resolve) => server.close(resolve));
    expect(isOpen(fd)).toBeUndefined();
  });

  test('a listener for http, where two servers share a port (SO_REUSEPORT)', async () => {
    const shared = (port: number) => {
      const fd = socket(AF_INET, SOCK_STREAM);
      setOption(fd, 'SO_REUSEPORT', true);
      bind(fd, sockaddr_in('127.0.0.1', port));
      return fd;
    };
    const first = await listening(
      http.createServer((_, response) => response.end('served')),
      { fd: shared(0) },
    );
    const second = await listening(
      http.createServer((_, response) => response.end('served')),
      { fd: shared(portOf(first)) },
    );
    expect(portOf(second)).toBe(portOf(first));
    const [response] = await once(http.get({ port: portOf(first), host: '127.0.0.1', agent: false }), 'response');
    expect(await text(response)).toBe('served');
  });

  test('a UDP socket, with dgram bind({ fd })', async () => {
    const fd = socket(AF_INET, SOCK_DGRAM);
    bind(fd, sockaddr_in('127.0.0.1', 0));
    const udp = dgram.createSocket('udp4');
    udp.bind({ fd }); // which listens at once
    expect(fdOf(udp)).toBe(fd);
    const sender = opened(socket(AF_INET, SOCK_DGRAM));
    connect(sender, getsockname(fd));
    send(sender, bytes('datagram'));
    expect(String((await once(udp, 'message'))[0])).toBe('datagram');
    udp.close();
    await once(udp, 'close');
    expect(isOpen(fd)).toBeUndefined();
  });

  test('and refuses what it does not know: a netlink socket, a Unix datagram socket', () => {
    expect(() => new net.Socket({ fd: opened(socket(AF_NETLINK, SOCK_RAW)) })).toThrow(TypeError);
    expect(() => new net.Socket({ fd: opened(socket(AF_UNIX, SOCK_DGRAM)) })).toThrow(TypeError);
  });
});

test('options before connect: make, set, connect, hand over', async () => {
  const { fd: listener, address } = ownListener();
  setOption(listener, 'TCP_SAVE_SYN', 1);

  using mine = new Socket(AF_INET, SOCK_STREAM);
  setOption(mine.fd, 'TCP_MAXSEG', 1000);
  setOption(mine.fd, 'TCP_USER_TIMEOUT', 3000);
  setOption(mine.fd, 'IP_BIND_ADDRESS_NO_PORT', true);
  bind(mine.fd, sockaddr_in('127.0.0.2', 0));
  await mine.connect(address);
  const node = new net.Socket({ fd: mine.detach() });

  const peer = opened(accept(listener));
  expect(node.localAddress).toBe('127.0.0.2');
  expect(getOption(fdOf(node), 'TCP_USER_TIMEOUT')).toBe(3000);
  // The peer has seen it: the maximum segment size is the first option of the SYN, after 40 bytes of headers.
  expect(Array.from(getOption(peer, 'TCP_SAVED_SYN').subarray(40, 44))).toEqual([2, 4, 1000 >> 8, 1000 & 255]);
  node.end('hello');
  const buffer = new Uint8Array(8);
  expect(recv(peer, buffer)).toBe(5);
  close(peer);
  await once(node.resume(), 'close');
});

test.skipIf(!haveNamespaces || !works('nft', '--version'))(
  'SO_ORIGINAL_DST tells where a redirected connection was going (needs root and nft)',
  async () => {
    const server = await listening(net.createServer());
    const rules = `
table ip redirected {
  chain output { type nat hook output priority -100; ip daddr 127.9.9.9 tcp dport 80 redirect to :${portOf(server)}; }
}`;
    expect(spawnSync('nft', ['-f', '-'], { input: rules, encoding: 'utf8' }).stderr).toBe('');
    const client = net.connect(80, '127.9.9.9');
    const [[connection]] = await Promise.all([once(server, 'connection'), once(client, 'connect')]);
    expect(`${getOption(fdOf(connection as net.Socket), 'SO_ORIGINAL_DST')}`).toBe('127.9.9.9:80');
    client.destroy();
  },
);
