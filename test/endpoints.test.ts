import { chmodSync, existsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  AF_INET,
  AF_INET6,
  AF_NETLINK,
  AF_PACKET,
  AF_UNIX,
  AF_VSOCK,
  accept,
  accept4,
  bind,
  close,
  connect,
  EAGAIN,
  EBADF,
  ECONNREFUSED,
  EINPROGRESS,
  EISCONN,
  ENOTCONN,
  ENOTSOCK,
  EOPNOTSUPP,
  ETH_P_ALL,
  F_GETFD,
  F_GETFL,
  FD_CLOEXEC,
  fcntl,
  getpeername,
  getsockname,
  getsockopt,
  htons,
  IPPROTO_TCP,
  IPPROTO_UDP,
  if_nametoindex,
  listen,
  NETLINK_ROUTE,
  O_NONBLOCK,
  POLLIN,
  POLLOUT,
  PollFds,
  poll,
  raw,
  recv,
  SHUT_RD,
  SHUT_RDWR,
  SHUT_WR,
  SO_ACCEPTCONN,
  SO_DOMAIN,
  SO_ERROR,
  SO_PROTOCOL,
  SO_TYPE,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOCK_RAW,
  SOCK_SEQPACKET,
  SOCK_STREAM,
  SOL_SOCKET,
  SockAddr,
  SystemError,
  send,
  shutdown,
  sockaddr_in,
  sockaddr_ll,
  sockaddr_nl,
  sockaddr_un,
  sockaddr_unspec,
  sockaddr_vm,
  socket,
  socketpair,
  supports,
  TCP_CLOSE,
  TCP_CLOSE_WAIT,
  TCP_ESTABLISHED,
  TCP_FIN_WAIT2,
  TCP_INFO,
  TCP_LISTEN,
  tcp_info,
  VMADDR_CID_ANY,
  VMADDR_PORT_ANY,
  write,
} from 'posix-sockets';
import { describe, expect, test } from 'vitest';
import {
  abstractAddress,
  bound,
  bytes,
  closedFd,
  connected,
  connectedKinds,
  datagramKinds,
  errorOf,
  folder,
  havePython,
  isRoot,
  type Kind,
  listening,
  opened,
  openedFile,
  python,
  run,
  until,
} from './support.js';

const tcp: Kind = { domain: AF_INET, type: SOCK_STREAM, protocol: 0, address: () => sockaddr_in('127.0.0.1', 0) };
const udp: Kind = { ...tcp, type: SOCK_DGRAM };

function state(fd: number): number {
  const info = new tcp_info();
  getsockopt(fd, IPPROTO_TCP, TCP_INFO, info);
  return info.tcpi_state;
}

describe('socket', () => {
  test.each([...connectedKinds, ...datagramKinds])(
    '%s: is what it was asked to be',
    (_, { domain, type, protocol }) => {
      const fd = opened(socket(domain, type, protocol));
      expect([SO_DOMAIN, SO_TYPE].map((option) => getsockopt(fd, SOL_SOCKET, option))).toEqual([domain, type]);
      if (protocol !== 0) expect(getsockopt(fd, SOL_SOCKET, SO_PROTOCOL)).toBe(protocol);
    },
  );

  test('gives the lowest number that is free', () => {
    const [one, two] = [opened(socket(AF_INET, SOCK_STREAM)), opened(socket(AF_INET, SOCK_STREAM))];
    close(one);
    expect(opened(socket(AF_UNIX, SOCK_DGRAM))).toBe(one);
    expect(raw.close(two)).toBe(0);
  });

  test('is blocking and stays open across exec unless asked otherwise', () => {
    const flags = (fd: number) => [fcntl(fd, F_GETFL) & O_NONBLOCK, fcntl(fd, F_GETFD) & FD_CLOEXEC];
    expect(flags(opened(socket(AF_INET, SOCK_STREAM)))).toEqual([0, 0]);
    const both = opened(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC));
    expect(flags(both)).toEqual([O_NONBLOCK, FD_CLOEXEC]);
  });

  test.each([
    ['EAFNOSUPPORT', 'a family that does not exist', [45, SOCK_STREAM, 0]],
    ['EAFNOSUPPORT', 'a negative family', [-1, SOCK_STREAM, 0]],
    ['EINVAL', 'a type that does not exist', [AF_INET, 77, 0]],
    ['EINVAL', 'an unknown flag', [AF_INET, SOCK_STREAM | 0x100000, 0]],
    ['EPROTONOSUPPORT', "another type's protocol", [AF_INET, SOCK_DGRAM, IPPROTO_TCP]],
    ['EPROTONOSUPPORT', 'a protocol that Unix sockets do not have', [AF_UNIX, SOCK_STREAM, 5]],
    ['ESOCKTNOSUPPORT', 'a type that the family does not have', [AF_INET, SOCK_SEQPACKET, 0]],
  ] as const)('%s: %s', (code, _, [domain, type, protocol]) => {
    expect(errorOf(() => socket(domain, type, protocol))).toMatchObject({ code, syscall: 'socket' });
    expect(raw.socket(domain, type, protocol)).toBe(errorOf(() => socket(domain, type, protocol)).errno);
  });

  test.skipIf(isRoot)('EPERM: raw and packet sockets (not as root)', () => {
    expect(errorOf(() => socket(AF_INET, SOCK_RAW, IPPROTO_UDP)).code).toBe('EPERM');
    expect(errorOf(() => socket(AF_PACKET, SOCK_RAW, 0)).code).toBe('EPERM');
  });

  test('EMFILE: no descriptor is left; a connection stays waiting for accept', async () => {
    // In a shell of its own, whose limit is small.
    const code = `
      const { raw, sockaddr_un } = await import('posix-sockets');
      const { bytes } = sockaddr_un('\\0full/' + process.pid);
      const [listener, client] = [raw.socket(1, 1, 0), raw.socket(1, 1, 0)];
      raw.bind(listener, bytes); raw.listen(listener, 1); raw.connect(client, bytes);
      let last = 0; while ((last = raw.socket(1, 1, 0)) >= 0);
      console.log(last, raw.socketpair(1, 1, 0), raw.pipe2(0), raw.dup(0), raw.accept(listener, null));
      raw.close(client);
      console.log(raw.accept(listener, null) === client);`;
    const { stdout, stderr } = await run('sh', [
      '-c',
      'ulimit -n 200; exec "$0" --input-type=module -e "$1"',
      process.execPath,
      code,
    ]);
    expect({ stdout, stderr }).toEqual({ stdout: '-24 -24 -24 -24 -24\ntrue\n', stderr: '' });
  });
});

describe('socketpair', () => {
  test.each([
    ['stream', SOCK_STREAM],
    ['datagram', SOCK_DGRAM],
    ['seqpacket', SOCK_SEQPACKET],
  ])('Unix %s: two ends, connected to each other', (_, type) => {
    const [one, other] = socketpair(AF_UNIX, type).map(opened) as [number, number];
    write(one, bytes('ping'));
    const buffer = new Uint8Array(8);
    expect([recv(other, buffer), buffer.subarray(0, 4)]).toEqual([4, bytes('ping')]);
    expect(getpeername(one).path).toBe('');
  });

  test('raw: both descriptors are in out', () => {
    expect(raw.socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)).toBe(0);
    const ends = Array.from(raw.out.subarray(0, 2), opened);
    expect(ends.map((fd) => fcntl(fd, F_GETFD))).toEqual([FD_CLOEXEC, FD_CLOEXEC]);
  });

  test.each([
    ['EOPNOTSUPP', AF_INET, SOCK_STREAM, 0],
    ['EAFNOSUPPORT', 45, SOCK_STREAM, 0],
    ['EPROTONOSUPPORT', AF_UNIX, SOCK_STREAM, 9],
    ['EINVAL', AF_UNIX, 77, 0],
  ] as const)('%s', (code, domain, type, protocol) => {
    const error = errorOf(() => socketpair(domain, type, protocol));
    expect(error).toMatchObject({ code, syscall: 'socketpair' });
    expect(raw.socketpair(domain, type, protocol)).toBe(error.errno);
  });
});

describe('bind', () => {
  test.each([...connectedKinds, ...datagramKinds])('%s: gives the name that getsockname tells', (_, kind) => {
    const { address } = bound(kind);
    const again = opened(socket(kind.domain, kind.type, kind.protocol));
    expect(errorOf(() => bind(again, address)).code).toBe('EADDRINUSE');
    expect(raw.bind(again, address.bytes)).toBe(errorOf(() => bind(again, address)).errno);
    expect(address.family).toBe(kind.domain);
    if (kind.domain !== AF_UNIX) expect(address.port).toBeGreaterThan(0);
  });

  test('Unix: makes a file of type socket, which stays', () => {
    const path = join(folder(), 'socket');
    const fd = opened(socket(AF_UNIX, SOCK_STREAM));
    bind(fd, sockaddr_un(path));
    expect(statSync(path).isSocket()).toBe(true);
    expect(`${getsockname(fd)}`).toBe(path);
    close(fd);
    expect(existsSync(path)).toBe(true);
    const other = opened(socket(AF_UNIX, SOCK_STREAM));
    expect(errorOf(() => bind(other, sockaddr_un(path)))).toMatchObject({ code: 'EADDRINUSE', path });
  });

  test('Unix: a path of all 108 bytes, an abstract name with NULs, and the unnamed address', () => {
    const directory = folder();
    const long = join(directory, 'x'.repeat(107 - directory.length));
    expect(long).toHaveLength(108);
    const [one, two, three] = Array.from({ length: 3 }, () => opened(socket(AF_UNIX, SOCK_DGRAM))) as [
      number,
      number,
      number,
    ];
    bind(one, sockaddr_un(long));
    expect(existsSync(long)).toBe(true);
    expect(getsockname(one).path).toBe(long);
    // Its length is one more than the kernel takes, because of the NUL: unix(7).
    expect(getsockname(one).length).toBe(111);
    connect(two, getsockname(one));
    expect(getpeername(two).equals(sockaddr_un(long))).toBe(true);
    expect(SockAddr.parse(`${getsockname(one)}`).equals(getsockname(one))).toBe(true);
    send(two, bytes('x'));
    expect(recv(one, new Uint8Array(2))).toBe(1);

    const name = `\0a\0b${process.pid}`;
    bind(two, sockaddr_un(name));
    expect(getsockname(two).pathBytes).toEqual(bytes(name));

    bind(three, sockaddr_un('')); // the kernel chooses
    expect(getsockname(three).path).toMatch(/^@[0-9a-f]{5}$/);
  });

  test('netlink: the kernel gives the first socket the number of the process', () => {
    const fd = opened(socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE));
    bind(fd, sockaddr_nl());
    expect(getsockname(fd)).toMatchObject({ family: AF_NETLINK, groups: 0 });
    expect(getsockname(fd).pid).toBeGreaterThan(0);
  });

  test.skipIf(!isRoot)('packet: to one interface (needs root)', () => {
    const fd = opened(socket(AF_PACKET, SOCK_RAW, 0));
    bind(fd, sockaddr_ll(ETH_P_ALL, if_nametoindex('lo')));
    const { family, protocol, ifindex, address } = getsockname(fd);
    expect({ family, protocol, ifindex, address }).toEqual({
      family: AF_PACKET,
      protocol: ETH_P_ALL,
      ifindex: if_nametoindex('lo'),
      address: '00:00:00:00:00:00',
    });
    expect(raw.socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL))).toBeGreaterThan(0);
    opened(fd + 1);
  });

  test.skipIf(supports('AF_VSOCK') !== 'yes')('vsock: to a port of the kernel (needs vsock)', () => {
    const fd = opened(socket(AF_VSOCK, SOCK_STREAM));
    bind(fd, sockaddr_vm(VMADDR_CID_ANY, VMADDR_PORT_ANY));
    const { family, cid, port } = getsockname(fd);
    expect({ family, cid }).toEqual({ family: AF_VSOCK, cid: VMADDR_CID_ANY });
    expect(port).toBeGreaterThan(1023);
  });

  test.each<[string, string, (fd: number) => SockAddr]>([
    ['EADDRNOTAVAIL', 'an address of nobody here', () => sockaddr_in('192.0.2.1', 0)],
    ['EAFNOSUPPORT', "another family's address", () => sockaddr_un('/tmp/a/longer/path')],
    ['EINVAL', 'an address that is too short', () => SockAddr.from(sockaddr_in('127.0.0.1', 0).bytes.subarray(0, 8))],
    ['EINVAL', 'no bytes at all', () => SockAddr.from(new Uint8Array(0))],
  ])('%s: %s', (code, _, address) => {
    const fd = opened(socket(AF_INET, SOCK_STREAM));
    const error = errorOf(() => bind(fd, address(fd)));
    expect(error).toMatchObject({ code, syscall: 'bind' });
    expect(raw.bind(fd, address(fd).bytes)).toBe(error.errno);
  });

  test('EINVAL: bound already; ENOENT, ENOTDIR: no such folder', () => {
    const { fd } = bound(tcp);
    expect(errorOf(() => bind(fd, sockaddr_in('127.0.0.1', 0))).code).toBe('EINVAL');
    const unix = opened(socket(AF_UNIX, SOCK_STREAM));
    expect(errorOf(() => bind(unix, sockaddr_un('/nowhere/at/all'))).code).toBe('ENOENT');
    expect(errorOf(() => bind(unix, sockaddr_un('/dev/null/x'))).code).toBe('ENOTDIR');
  });

  test.skipIf(isRoot)('EACCES: a port below 1024, a folder that one may not write to (not as root)', () => {
    const fd = opened(socket(AF_INET, SOCK_STREAM));
    expect(errorOf(() => bind(fd, sockaddr_in('127.0.0.1', 1)))).toMatchObject({ code: 'EACCES', port: 1 });
    const unix = opened(socket(AF_UNIX, SOCK_STREAM));
    expect(errorOf(() => bind(unix, sockaddr_un('/socket'))).code).toMatch(/EACCES|EROFS/);
  });
});

describe('listen and accept', () => {
  test.each(connectedKinds)('%s: a connection, and the name of the peer', (_, kind) => {
    const { fd: listener, address } = listening(kind);
    expect(getsockopt(listener, SOL_SOCKET, SO_ACCEPTCONN)).toBe(1);
    const client = opened(socket(kind.domain, kind.type, kind.protocol));
    if (kind.domain === AF_UNIX) bind(client, abstractAddress());
    connect(client, address);
    const peer = new SockAddr();
    const server = opened(accept(listener, peer));

    expect(peer.equals(getsockname(client))).toBe(true);
    expect(peer.equals(getpeername(server))).toBe(true);
    expect(getpeername(client).equals(address)).toBe(true);
    expect(getsockname(server).equals(address)).toBe(true);
  });

  test.each(connectedKinds)('%s: accept without a place for the name, accept4 with flags, raw', (_, kind) => {
    const { fd: listener, address } = listening(kind);
    const flags = (fd: number) => [fcntl(fd, F_GETFL) & O_NONBLOCK, fcntl(fd, F_GETFD)];
    for (let i = 0; i < 4; i++) connect(opened(socket(kind.domain, kind.type, kind.protocol)), address);
    expect(flags(opened(accept(listener)))).toEqual([0, 0]);
    expect(flags(opened(accept4(listener, null, SOCK_NONBLOCK | SOCK_CLOEXEC)))).toEqual([O_NONBLOCK, FD_CLOEXEC]);

    const room = new Uint8Array(128);
    const third = opened(raw.accept(listener, room));
    expect(raw.out[0]).toBe(getpeername(third).length);
    expect(room.subarray(0, raw.out[0])).toEqual(getpeername(third).bytes);
    expect(flags(opened(raw.accept4(listener, null, SOCK_NONBLOCK)))).toEqual([O_NONBLOCK, 0]);
  });

  test('EAGAIN: nobody waits', () => {
    const { fd } = listening({ ...tcp, type: SOCK_STREAM | SOCK_NONBLOCK });
    expect(errorOf(() => accept(fd))).toMatchObject({ code: 'EAGAIN', syscall: 'accept' });
    expect(errorOf(() => accept4(fd, null, 0))).toMatchObject({ code: 'EAGAIN', syscall: 'accept4' });
    expect(raw.accept(fd, null)).toBe(-EAGAIN);
  });

  test('EINVAL: it does not listen, or an unknown flag; EOPNOTSUPP: it never could; ENOTSOCK, EBADF', () => {
    const { fd } = bound(tcp);
    expect(errorOf(() => accept(fd)).code).toBe('EINVAL');
    expect(errorOf(() => accept4(listening(tcp).fd, null, 0x4000_0000)).code).toBe('EINVAL');
    expect(errorOf(() => accept(bound(udp).fd)).code).toBe('EOPNOTSUPP');
    expect(errorOf(() => listen(bound(udp).fd, 1)).code).toBe('EOPNOTSUPP');
    expect(raw.listen(bound(udp).fd, 1)).toBe(-EOPNOTSUPP);
    expect(errorOf(() => listen(openedFile(), 1)).code).toBe('ENOTSOCK');
    expect(errorOf(() => listen(closedFd, 1)).code).toBe('EBADF');
  });

  test('a name that is longer than its place is cut, and its whole length is told', () => {
    const { fd: listener, address } = listening(tcp);
    const client = opened(socket(AF_INET, SOCK_STREAM));
    connect(client, address);
    const peer = new SockAddr(6);
    opened(accept(listener, peer));
    expect(peer.length).toBe(16);
    expect(peer.bytes).toEqual(getsockname(client).bytes.subarray(0, 6));
    expect(peer.port).toBe(getsockname(client).port);
    expect(peer.address).toBeUndefined();
  });

  test('a full backlog: a Unix client is told EAGAIN, or waits', () => {
    const kind = { domain: AF_UNIX, type: SOCK_STREAM, protocol: 0, address: abstractAddress };
    const { address } = listening(kind, 0); // 0 lets one wait
    connect(opened(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK)), address);
    const second = opened(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK));
    expect(errorOf(() => connect(second, address)).code).toBe('EAGAIN');
    expect(raw.connect(second, address.bytes)).toBe(-EAGAIN);
  });

  test('ECONNABORTED does not come on Linux: a connection that was reset is accepted, and the first call tells', () => {
    const { fd: listener, address } = listening(tcp);
    const client = opened(socket(AF_INET, SOCK_STREAM));
    connect(client, address);
    connect(client, sockaddr_unspec()); // breaks it off with a reset
    const server = opened(accept(listener));
    expect(errorOf(() => recv(server, new Uint8Array(1))).code).toBe('ECONNRESET');
  });
});

describe('connect', () => {
  test('TCP: both ends are established, each with the name of the other', () => {
    const [client, server] = connected(tcp);
    expect([state(client), state(server)]).toEqual([TCP_ESTABLISHED, TCP_ESTABLISHED]);
    expect(`${getsockname(client)} ${getpeername(client)}`).toBe(`${getpeername(server)} ${getsockname(server)}`);
    expect(errorOf(() => connect(client, getsockname(server))).code).toBe('EISCONN');
    expect(raw.connect(client, getsockname(server).bytes)).toBe(-EISCONN);
  });

  test('non-blocking: EINPROGRESS, then writable, then SO_ERROR', async () => {
    const { address } = listening(tcp);
    const client = opened(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK));
    expect(raw.connect(client, address.bytes)).toBe(-EINPROGRESS);
    expect(poll(new PollFds(1).set(0, client, POLLOUT), 5000)).toBe(1);
    expect(getsockopt(client, SOL_SOCKET, SO_ERROR)).toBe(0);

    const { fd, address: nobody } = bound(tcp); // bound, and not listening
    const refused = opened(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK));
    expect(errorOf(() => connect(refused, nobody)).code).toBe('EINPROGRESS');
    expect(poll(new PollFds(1).set(0, refused, POLLOUT), 5000)).toBe(1);
    expect(getsockopt(refused, SOL_SOCKET, SO_ERROR)).toBe(ECONNREFUSED);
    expect(state(fd)).toBe(TCP_CLOSE);
  });

  test.each(datagramKinds)('%s: chooses the peer, and sockaddr_unspec gives it up', (_, kind) => {
    const [one, other] = [bound(kind), bound(kind)];
    connect(one.fd, other.address);
    expect(getpeername(one.fd).equals(other.address)).toBe(true);
    send(one.fd, bytes('x'));
    expect(recv(other.fd, new Uint8Array(4))).toBe(1);
    connect(one.fd, sockaddr_unspec());
    expect(errorOf(() => getpeername(one.fd)).code).toBe('ENOTCONN');
  });

  test('ECONNREFUSED: the error says who', () => {
    const { address } = bound(tcp);
    const client = opened(socket(AF_INET, SOCK_STREAM));
    const error = errorOf(() => connect(client, address));
    expect(error).toBeInstanceOf(SystemError);
    expect({ ...error, message: error.message }).toEqual({
      code: 'ECONNREFUSED',
      errno: -111,
      syscall: 'connect',
      address: '127.0.0.1',
      port: address.port,
      message: `connect ECONNREFUSED 127.0.0.1:${address.port}`,
      name: 'SystemError',
    });
    expect(raw.connect(client, address.bytes)).toBe(-ECONNREFUSED);
  });

  test('ECONNREFUSED, ENOENT, EPROTOTYPE: a Unix path of nobody, of nothing, of another type', () => {
    const directory = folder();
    const path = join(directory, 'datagrams');
    const other = opened(socket(AF_UNIX, SOCK_DGRAM));
    bind(other, sockaddr_un(path));
    const client = opened(socket(AF_UNIX, SOCK_STREAM));
    expect(errorOf(() => connect(client, sockaddr_un(path)))).toMatchObject({ code: 'EPROTOTYPE', path });
    close(other);
    expect(errorOf(() => connect(client, sockaddr_un(path)))).toMatchObject({
      code: 'ECONNREFUSED',
      message: `connect ECONNREFUSED ${path}`,
    });
    expect(errorOf(() => connect(client, sockaddr_un(join(directory, 'none')))).code).toBe('ENOENT');
    writeFileSync(join(directory, 'file'), '');
    expect(errorOf(() => connect(client, sockaddr_un(join(directory, 'file')))).code).toBe('ECONNREFUSED');
    expect(errorOf(() => connect(client, abstractAddress())).code).toBe('ECONNREFUSED');
  });

  test.skipIf(isRoot)('EACCES: a socket file that one may not write to (not as root)', () => {
    const path = join(folder(), 'socket');
    const listener = opened(socket(AF_UNIX, SOCK_STREAM));
    bind(listener, sockaddr_un(path));
    listen(listener, 1);
    chmodSync(path, 0o000);
    const client = opened(socket(AF_UNIX, SOCK_STREAM));
    expect(errorOf(() => connect(client, sockaddr_un(path))).code).toBe('EACCES');
  });

  test("EAFNOSUPPORT, EINVAL: another family's address, one that is too short; ENOTSOCK, EBADF", () => {
    const client = opened(socket(AF_INET, SOCK_STREAM));
    const address = sockaddr_in('127.0.0.1', 9);
    expect(errorOf(() => connect(client, abstractAddress())).code).toBe('EAFNOSUPPORT');
    expect(errorOf(() => connect(client, SockAddr.from(address.bytes.subarray(0, 6)))).code).toBe('EINVAL');
    expect(errorOf(() => connect(openedFile(), address)).code).toBe('ENOTSOCK');
    expect(errorOf(() => connect(closedFd, address)).code).toBe('EBADF');
  });

  test.skipIf(!havePython)("to Python's server, and Python to ours (needs python3)", async () => {
    const theirs = python(`
import socket
with socket.create_server(('127.0.0.1', 0)) as server:
    print(server.getsockname()[1])
    connection, peer = server.accept()
    print(peer[1], connection.recv(64).decode())
    connection.close()
    port = int(input())
with socket.create_connection(('127.0.0.1', port)) as client:
    client.sendall(b'from Python')
    print(client.getsockname()[1])
    client.recv(1)
`);
    const client = opened(socket(AF_INET, SOCK_STREAM));
    connect(client, sockaddr_in('127.0.0.1', Number(await theirs.line())));
    send(client, bytes('to Python'));
    expect(await theirs.line()).toBe(`${getsockname(client).port} to Python`);

    const { fd: listener, address } = listening({ ...tcp, type: SOCK_STREAM | SOCK_NONBLOCK });
    theirs.child.stdin?.write(`${address.port}\n`);
    const peer = new SockAddr();
    await until(() => poll(new PollFds(1).set(0, listener, POLLIN), 0) === 1, 'Python connects');
    const server = opened(accept4(listener, peer, SOCK_NONBLOCK));
    expect(`${peer.port}`).toBe(await theirs.line());
    await until(() => raw.recv(server, new Uint8Array(64), 0) === 11, 'it sends');
  });
});

describe('shutdown', () => {
  test('TCP: SHUT_WR ends one direction, and the other goes on', async () => {
    const [client, server] = connected(tcp);
    shutdown(client, SHUT_WR);
    await until(() => state(client) === TCP_FIN_WAIT2 || state(server) === TCP_CLOSE_WAIT, 'the FIN has come');
    expect(recv(server, new Uint8Array(1))).toBe(0);
    expect(errorOf(() => send(client, bytes('x'))).code).toBe('EPIPE');
    send(server, bytes('still'));
    expect(recv(client, new Uint8Array(8))).toBe(5);
  });

  test.each(connectedKinds)('%s: SHUT_RD reads the end at once; SHUT_RDWR is the end for both', (_, kind) => {
    const [client, server] = connected(kind);
    shutdown(client, SHUT_RD);
    expect(recv(client, new Uint8Array(1))).toBe(0);
    shutdown(server, SHUT_RDWR);
    expect(errorOf(() => send(server, bytes('x'))).code).toBe('EPIPE');
    expect(recv(server, new Uint8Array(1))).toBe(0);
  });

  test('ENOTCONN: not connected; EINVAL: an unknown way; ENOTSOCK, EBADF', () => {
    const fd = opened(socket(AF_INET, SOCK_STREAM));
    expect(errorOf(() => shutdown(fd, SHUT_WR))).toMatchObject({ code: 'ENOTCONN', syscall: 'shutdown' });
    expect(raw.shutdown(fd, SHUT_WR)).toBe(-ENOTCONN);
    expect(errorOf(() => shutdown(connected(tcp)[0], 3)).code).toBe('EINVAL');
    expect(errorOf(() => shutdown(openedFile(), SHUT_WR)).code).toBe('ENOTSOCK');
    expect(errorOf(() => shutdown(closedFd, SHUT_WR)).code).toBe('EBADF');
  });

  test('of a listener: it listens no more', () => {
    const { fd } = listening(tcp);
    expect(state(fd)).toBe(TCP_LISTEN);
    shutdown(fd, SHUT_RD);
    expect(state(fd)).toBe(TCP_CLOSE);
  });
});

describe('getsockname and getpeername', () => {
  test('ENOTCONN, ENOTSOCK, EBADF', () => {
    const fd = opened(socket(AF_INET6, SOCK_STREAM));
    expect(errorOf(() => getpeername(fd))).toMatchObject({ code: 'ENOTCONN', syscall: 'getpeername' });
    const other = openedFile();
    expect(errorOf(() => getsockname(other))).toMatchObject({ code: 'ENOTSOCK', syscall: 'getsockname' });
    expect(errorOf(() => getpeername(closedFd)).code).toBe('EBADF');
    const room = new Uint8Array(128);
    expect([raw.getpeername(fd, room), raw.getsockname(other, room), raw.getpeername(closedFd, room)]).toEqual([
      -ENOTCONN,
      -ENOTSOCK,
      -EBADF,
    ]);
  });

  test('before bind: the unnamed address of each family', () => {
    const name = (domain: number) => `${getsockname(opened(socket(domain, SOCK_STREAM)))}`;
    expect([AF_INET, AF_INET6, AF_UNIX].map(name)).toEqual(['0.0.0.0:0', '[::]:0', '(unnamed)']);
  });

  test('raw: writes no more than there is room for', () => {
    const { fd, address } = bound(tcp);
    const room = new Uint8Array(16).fill(0xee);
    expect(raw.getsockname(fd, room.subarray(0, 4))).toBe(0);
    expect(raw.out[0]).toBe(16);
    expect(room).toEqual(Uint8Array.of(...address.bytes.subarray(0, 4), ...new Array(12).fill(0xee)));
  });
});
