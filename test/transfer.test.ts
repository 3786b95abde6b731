import { ftruncateSync, readSync } from 'node:fs';
import {
  AF_INET,
  AF_UNIX,
  bind,
  close,
  connect,
  EAGAIN,
  EBADF,
  EDESTADDRREQ,
  EMSGSIZE,
  ENOTCONN,
  EPIPE,
  FIONREAD,
  getpeername,
  getsockname,
  ioctl,
  linger,
  MSG_DONTWAIT,
  MSG_NOSIGNAL,
  MSG_OOB,
  MSG_PEEK,
  MSG_TRUNC,
  MSG_WAITALL,
  O_NONBLOCK,
  pipe2,
  raw,
  read,
  readv,
  recv,
  recvfrom,
  SHUT_WR,
  SO_BROADCAST,
  SO_LINGER,
  SO_RCVTIMEO,
  SO_SNDBUF,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOCK_SEQPACKET,
  SOCK_STREAM,
  SOL_SOCKET,
  SockAddr,
  SPLICE_F_NONBLOCK,
  send,
  sendfile,
  sendto,
  setsockopt,
  shutdown,
  sockaddr_in,
  sockaddr_un,
  socket,
  socketpair,
  splice,
  timeval,
  write,
  writev,
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
  datagramPair,
  errorOf,
  havePython,
  type Kind,
  opened,
  openedFile,
  python,
  runNode,
} from './support.js';

const tcp: Kind = { domain: AF_INET, type: SOCK_STREAM, protocol: 0, address: () => sockaddr_in('127.0.0.1', 0) };
const udp: Kind = { ...tcp, type: SOCK_DGRAM };
const pair = (type = SOCK_STREAM) => socketpair(AF_UNIX, type).map(opened) as [number, number];
const pipe = (flags = 0) => pipe2(flags).map(opened) as [number, number];

/** What a call received, as text. */
function received(receive: (buffer: Uint8Array) => number, room = 64): string {
  const buffer = new Uint8Array(room);
  return new TextDecoder().decode(buffer.subarray(0, receive(buffer)));
}

const all = [
  ...connectedKinds.map(([name, kind]) => [name, () => connected(kind)] as const),
  ...datagramKinds.map(([name, kind]) => [name, () => datagramPair(kind)] as const),
];

describe.each(all)('%s', (_, makePair) => {
  test('what one end sends, by any call, the other receives, by any call', () => {
    const [one, other] = makePair();
    const senders: Record<string, (fd: number, data: Uint8Array) => number> = {
      write,
      send,
      sendto: (fd, data) => sendto(fd, data, 0, null),
      writev: (fd, data) => writev(fd, [data.subarray(0, 1), data.subarray(1)]),
      'raw.write': (fd, data) => raw.write(fd, data),
      'raw.send': (fd, data) => raw.send(fd, data, 0),
      'raw.sendto': (fd, data) => raw.sendto(fd, data, 0, null),
      'raw.writev': (fd, data) => raw.writev(fd, [data]),
    };
    const receivers: Record<string, (fd: number, room: Uint8Array) => number> = {
      read,
      recv,
      recvfrom: (fd, room) => recvfrom(fd, room, 0),
      readv: (fd, room) => readv(fd, [room.subarray(0, 2), room.subarray(2)]),
      'raw.read': (fd, room) => raw.read(fd, room),
      'raw.recv': (fd, room) => raw.recv(fd, room, 0),
      'raw.recvfrom': (fd, room) => raw.recvfrom(fd, room, 0, null),
      'raw.readv': (fd, room) => raw.readv(fd, [room]),
    };
    for (const [sender, transmit] of Object.entries(senders)) {
      for (const [receiver, receive] of Object.entries(receivers)) {
        const text = `${sender} to ${receiver}`;
        expect(transmit(one, bytes(text))).toBe(text.length);
        expect(received((room) => receive(other, room))).toBe(text);
        expect(transmit(other, bytes('and back'))).toBe(8);
        expect(received((room) => receive(one, room))).toBe('and back');
      }
    }
  });

  test('EAGAIN: nothing is there, and the buffer is left as it was', () => {
    const [one] = makePair();
    const buffer = new Uint8Array(4).fill(7);
    expect(errorOf(() => recv(one, buffer, MSG_DONTWAIT))).toMatchObject({ code: 'EAGAIN', syscall: 'recv' });
    expect(errorOf(() => recvfrom(one, buffer, MSG_DONTWAIT)).syscall).toBe('recvfrom');
    expect(raw.recv(one, buffer, MSG_DONTWAIT)).toBe(-EAGAIN);
    expect(buffer).toEqual(new Uint8Array(4).fill(7));

    setsockopt(one, SOL_SOCKET, SO_RCVTIMEO, new timeval({ tv_usec: 1 }));
    expect(errorOf(() => read(one, buffer)).code).toBe('EAGAIN');
    expect(errorOf(() => readv(one, [buffer])).code).toBe('EAGAIN');
  });

  test('MSG_PEEK leaves it there; FIONREAD says how much that is', () => {
    const [one, other] = makePair();
    send(one, bytes('peek'));
    expect(received((room) => recv(other, room, MSG_PEEK))).toBe('peek');
    expect(ioctl(other, FIONREAD)).toBe(4);
    expect(received((room) => recv(other, room))).toBe('peek');
  });
});

describe.each(connectedKinds)('%s', (_, kind) => {
  test('the end of the stream reads as 0, sending after one’s own end is EPIPE, and no signal kills', () => {
    const [client, server] = connected(kind);
    shutdown(client, SHUT_WR);
    expect(read(server, new Uint8Array(4))).toBe(0);
    expect(recv(server, new Uint8Array(4))).toBe(0);
    for (const sender of [
      () => send(client, bytes('x')),
      () => write(client, bytes('x')),
      () => writev(client, [bytes('x')]),
      () => sendto(client, bytes('x'), MSG_NOSIGNAL, null),
    ]) {
      expect(errorOf(sender).code).toBe('EPIPE');
    }
    expect(raw.send(client, bytes('x'), 0)).toBe(-EPIPE);
  });

  test('EAGAIN: the send buffer is full, and what was taken arrives', () => {
    const [client, server] = connected(kind);
    const piece = new Uint8Array(10_000).fill(1);
    let sent = 0;
    for (;;) {
      const taken = raw.send(client, piece, MSG_DONTWAIT);
      if (taken < 0) {
        expect(taken).toBe(-EAGAIN);
        break;
      }
      sent += taken;
    }
    expect(errorOf(() => send(client, piece, MSG_DONTWAIT))).toMatchObject({ code: 'EAGAIN', syscall: 'send' });
    close(client);
    let arrived = 0;
    for (let taken = 1; taken > 0; arrived += taken) taken = recv(server, piece);
    expect(arrived).toBe(sent);
  });
});

describe.each(datagramKinds)('%s', (_, kind) => {
  test('sendto and recvfrom: each datagram with its sender', () => {
    const [one, two, three] = [bound(kind), bound(kind), bound(kind)];
    expect(sendto(two.fd, bytes('from two'), 0, one.address)).toBe(8);
    expect(raw.sendto(three.fd, bytes('from three'), 0, one.address.bytes)).toBe(10);
    const from = new SockAddr();
    expect(received((room) => recvfrom(one.fd, room, 0, from))).toBe('from two');
    expect(from.equals(two.address)).toBe(true);

    const room = new Uint8Array(128);
    expect(received((buffer) => raw.recvfrom(one.fd, buffer, 0, room))).toBe('from three');
    expect(room.subarray(0, raw.out[0])).toEqual(three.address.bytes);
  });

  test('an empty datagram is received as one; what a buffer has no room for is lost, and MSG_TRUNC tells', () => {
    const [one, other] = datagramPair(kind);
    send(one, new Uint8Array(0));
    send(one, bytes('too long'));
    send(one, bytes('too long'));
    expect(recv(other, new Uint8Array(4))).toBe(0);
    expect(received((room) => recv(other, room), 3)).toBe('too');
    expect(recv(other, new Uint8Array(3), MSG_TRUNC)).toBe(8);
    expect(raw.recv(other, new Uint8Array(3), MSG_DONTWAIT)).toBe(-EAGAIN);
  });

  test('EMSGSIZE: longer than a datagram can be', () => {
    const [one] = datagramPair(kind);
    const long = new Uint8Array(8_000_000);
    expect(errorOf(() => send(one, long))).toMatchObject({ code: 'EMSGSIZE' });
    expect(raw.writev(one, [long])).toBe(-EMSGSIZE);
  });

  test('no peer: ENOTCONN from Unix, EDESTADDRREQ from UDP', () => {
    const { fd } = bound(kind);
    const code = kind.domain === AF_UNIX ? 'ENOTCONN' : 'EDESTADDRREQ';
    expect(errorOf(() => send(fd, bytes('x'))).code).toBe(code);
    expect(errorOf(() => sendto(fd, bytes('x'), 0, null))).toMatchObject({ code, syscall: 'sendto' });
    expect(raw.write(fd, bytes('x'))).toBe(kind.domain === AF_UNIX ? -ENOTCONN : -EDESTADDRREQ);
  });
});

describe('streams', () => {
  test('MSG_WAITALL waits for all of it', () => {
    const [one, other] = pair();
    write(one, bytes('half'));
    write(one, bytes('whole'));
    expect(received((room) => recv(other, room, MSG_WAITALL), 9)).toBe('halfwhole');
  });

  test('MSG_TRUNC throws TCP’s bytes away and leaves the buffer alone', () => {
    const [client, server] = connected(tcp);
    send(client, bytes('thrown away'));
    const buffer = new Uint8Array(11);
    expect(recv(server, buffer, MSG_TRUNC | MSG_WAITALL)).toBe(11);
    expect(buffer).toEqual(new Uint8Array(11));
  });

  test('MSG_OOB: one urgent byte, beside the stream', () => {
    const [client, server] = connected(tcp);
    expect(errorOf(() => recv(server, new Uint8Array(1), MSG_OOB)).code).toBe('EINVAL');
    send(client, bytes('ab'));
    send(client, bytes('!'), MSG_OOB);
    expect(received((room) => recv(server, room, MSG_OOB))).toBe('!');
    expect(received((room) => recv(server, room))).toBe('ab');
  });

  test('ECONNRESET: the peer broke off', () => {
    const [client, server] = connected(tcp);
    setsockopt(client, SOL_SOCKET, SO_LINGER, new linger({ l_onoff: 1, l_linger: 0 }));
    close(client);
    expect(errorOf(() => recv(server, new Uint8Array(4)))).toMatchObject({ code: 'ECONNRESET', syscall: 'recv' });
    expect(recv(server, new Uint8Array(4))).toBe(0); // the error is told once
  });

  test('ENOTCONN: receiving on a stream that is not connected', () => {
    const fd = opened(socket(AF_INET, SOCK_STREAM));
    expect(errorOf(() => recv(fd, new Uint8Array(1))).code).toBe('ENOTCONN');
    expect(errorOf(() => send(fd, bytes('x'))).code).toBe('EPIPE');
  });

  test('EISCONN: a connected Unix stream is given an address', () => {
    const [one] = pair();
    const somebody = bound({ domain: AF_UNIX, type: SOCK_STREAM, protocol: 0, address: abstractAddress });
    const error = errorOf(() => sendto(one, bytes('x'), 0, somebody.address));
    expect(error).toMatchObject({ code: 'EISCONN', path: somebody.address.path });
  });
});

describe('datagrams', () => {
  test('UDP: the refusal of an earlier datagram comes with the next call', () => {
    const { address, fd: nobody } = bound(udp);
    close(nobody);
    const fd = opened(socket(AF_INET, SOCK_DGRAM));
    connect(fd, address);
    send(fd, bytes('anybody?'));
    expect(errorOf(() => recv(fd, new Uint8Array(1))).code).toBe('ECONNREFUSED');
  });

  test('Unix: ECONNREFUSED and ENOENT come at once, with the path', () => {
    const fd = opened(socket(AF_UNIX, SOCK_DGRAM));
    const nobody = abstractAddress();
    expect(errorOf(() => sendto(fd, bytes('x'), 0, nobody))).toMatchObject({ code: 'ECONNREFUSED', path: nobody.path });
    expect(errorOf(() => sendto(fd, bytes('x'), 0, sockaddr_un('/nowhere'))).code).toBe('ENOENT');
  });

  test('Unix: EAGAIN: the receiver’s queue is full, and nothing is lost', () => {
    const [one, other] = socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK).map(opened) as [number, number];
    let sent = 0;
    while (raw.send(one, bytes('x'), 0) === 1) sent++;
    expect(raw.send(one, bytes('x'), 0)).toBe(-EAGAIN);
    let arrived = 0;
    while (raw.recv(other, new Uint8Array(1), 0) === 1) arrived++;
    expect(arrived).toBe(sent);
  });

  test('UDP: EACCES: a broadcast must be asked for', () => {
    const fd = opened(socket(AF_INET, SOCK_DGRAM));
    expect(errorOf(() => sendto(fd, bytes('x'), 0, sockaddr_in('255.255.255.255', 9))).code).toMatch(
      /EACCES|ENETUNREACH/,
    );
    setsockopt(fd, SOL_SOCKET, SO_BROADCAST, 1);
    expect(raw.sendto(fd, bytes('x'), 0, sockaddr_in('127.255.255.255', 9).bytes)).toBe(1);
  });

  test('an unnamed Unix sender has an address of length 2, and one that has none length 0', () => {
    const [one, other] = pair(SOCK_DGRAM);
    const { fd, address } = bound({ domain: AF_UNIX, type: SOCK_DGRAM, protocol: 0, address: abstractAddress });
    const from = new SockAddr();
    sendto(opened(socket(AF_UNIX, SOCK_DGRAM)), bytes('x'), 0, address);
    recvfrom(fd, new Uint8Array(1), 0, from);
    expect({ length: from.length, family: from.family }).toEqual({ length: 0, family: 0 });

    const [client, server] = connected(tcp);
    from.length = 5;
    send(client, bytes('x'));
    recvfrom(server, new Uint8Array(1), 0, from); // TCP tells no address
    expect(from.length).toBe(0);
    expect([one, other]).toHaveLength(2);
  });

  test('seqpacket: messages keep their bounds', () => {
    const [one, other] = pair(SOCK_SEQPACKET);
    write(one, bytes('one'));
    writev(one, [bytes('t'), bytes('wo')]);
    expect([received((room) => read(other, room)), received((room) => read(other, room))]).toEqual(['one', 'two']);
  });

  test.skipIf(!havePython)('with Python, each way (needs python3)', async () => {
    const theirs = python(`
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(('127.0.0.1', 0))
print(s.getsockname()[1])
data, peer = s.recvfrom(100)
print(data.hex(), peer[1])
s.sendto(bytes(reversed(data)), peer)
`);
    const { fd } = bound(udp);
    const there = sockaddr_in('127.0.0.1', Number(await theirs.line()));
    sendto(fd, Uint8Array.of(0, 1, 254, 255), 0, there);
    expect(await theirs.line()).toBe(`0001feff ${getsockname(fd).port}`);
    const from = new SockAddr();
    const buffer = new Uint8Array(8);
    expect(recvfrom(fd, buffer, 0, from)).toBe(4);
    expect(buffer.subarray(0, 4)).toEqual(Uint8Array.of(255, 254, 1, 0));
    expect(from.equals(there)).toBe(true);
  });
});

describe('readv and writev', () => {
  test('fill each buffer before the next; kinds of buffers mix', () => {
    const [one, other] = pair();
    const words = new Uint16Array(2);
    const view = new DataView(new ArrayBuffer(8), 2, 3);
    const whole = new ArrayBuffer(2);
    expect(writev(one, [bytes('ab'), new Uint8Array(0), Buffer.from('cdefghi'), bytes('jk')])).toBe(11);
    expect(readv(other, [new Uint8Array(2), words, view, whole])).toBe(11);
    expect(Buffer.from(words.buffer).toString()).toBe('cdef');
    expect(Buffer.from(view.buffer).toString()).toBe('\0\0ghi\0\0\0');
    expect(Buffer.from(whole).toString()).toBe('jk');
  });

  test('no buffers, one, IOV_MAX, and IOV_MAX + 1', () => {
    const [one, other] = pair();
    const many = (count: number) => Array.from({ length: count }, () => Uint8Array.of(1));
    expect([writev(one, []), writev(one, many(1)), writev(one, many(1024))]).toEqual([0, 1, 1024]);
    expect(errorOf(() => writev(one, many(1025)))).toMatchObject({ code: 'EINVAL', syscall: 'writev' });
    expect(errorOf(() => writev(one, many(100_000))).code).toBe('EINVAL');
    expect([readv(other, []), readv(other, many(1024)), readv(other, many(1024))]).toEqual([0, 1024, 1]);
    expect(errorOf(() => readv(other, many(1025)))).toMatchObject({ code: 'EINVAL', syscall: 'readv' });
  });

  test('the same buffer twice is sent twice, and filled twice', () => {
    const [one, other] = pair();
    const buffer = bytes('ab');
    expect(writev(one, [buffer, buffer])).toBe(4);
    write(one, bytes('cd'));
    expect(readv(other, [buffer, buffer, buffer])).toBe(6);
    expect(Buffer.from(buffer).toString()).toBe('cd');
  });
});

describe('errors of all', () => {
  test('EBADF, and ENOTSOCK for a file', () => {
    const file = openedFile('content');
    const buffer = new Uint8Array(4);
    const calls: Record<string, (fd: number) => number> = {
      send: (fd) => send(fd, buffer),
      recv: (fd) => recv(fd, buffer),
      sendto: (fd) => sendto(fd, buffer, 0, null),
      recvfrom: (fd) => recvfrom(fd, buffer, 0),
    };
    for (const [syscall, call] of Object.entries(calls)) {
      expect(errorOf(() => call(closedFd))).toMatchObject({ code: 'EBADF', syscall });
      expect(errorOf(() => call(-1))).toMatchObject({ code: 'EBADF', syscall });
      expect(errorOf(() => call(file))).toMatchObject({ code: 'ENOTSOCK', syscall });
    }
    expect(errorOf(() => read(closedFd, buffer))).toMatchObject({ code: 'EBADF', syscall: 'read' });
    expect(errorOf(() => write(-1, buffer))).toMatchObject({ code: 'EBADF', syscall: 'write' });
    expect([raw.readv(closedFd, [buffer]), raw.writev(closedFd, buffer)]).toEqual([-EBADF, -EBADF]);
    expect(read(file, buffer)).toBe(4); // a file can be read
  });

  test('EBADF: the wrong end of a pipe; EPIPE: nobody reads it', () => {
    const [reading, writing] = pipe();
    expect(errorOf(() => write(reading, bytes('x'))).code).toBe('EBADF');
    expect(errorOf(() => read(writing, new Uint8Array(1))).code).toBe('EBADF');
    close(reading);
    expect(errorOf(() => write(writing, bytes('x')))).toMatchObject({ code: 'EPIPE', syscall: 'write' });
  });

  test('SIGPIPE does not end a process that never asked for it to be ignored', async () => {
    const outcome = await runNode(`
      import { raw, socketpair } from 'posix-sockets';
      const [a, b] = socketpair(1, 1);
      raw.close(b);
      console.log(raw.send(a, new Uint8Array(1), 0), raw.write(a, new Uint8Array(1)));`);
    expect(outcome).toEqual({ code: 0, signal: null, stdout: '-32 -32\n', stderr: '' });
  });

  test('EOPNOTSUPP: a flag that the family does not have', () => {
    const [one] = datagramPair(udp);
    expect(errorOf(() => send(one, bytes('x'), MSG_OOB)).code).toBe('EOPNOTSUPP');
  });
});

describe('sendfile', () => {
  test('sends a stretch of a file; with an offset the file’s own position stays', () => {
    const file = openedFile('0123456789');
    const [one, other] = pair();
    expect(sendfile(one, file, 2, 3)).toBe(3);
    expect(sendfile(one, file, null, 4)).toBe(4);
    expect(sendfile(one, file, null, 100)).toBe(6);
    expect(sendfile(one, file, null, 100)).toBe(0);
    expect(sendfile(one, file, 20, 1)).toBe(0);
    expect(received((room) => read(other, room))).toBe('2340123456789');
    expect(raw.sendfile(one, file, 9, 9)).toBe(1);
    expect(received((room) => read(other, room))).toBe('9');
  });

  test('an offset beyond 32 bits', () => {
    const file = openedFile();
    ftruncateSync(file, 2 ** 33);
    const [one, other] = pair();
    expect(sendfile(one, file, 2 ** 33 - 5, 100)).toBe(5);
    expect(read(other, new Uint8Array(8))).toBe(5);
  });

  test('EINVAL from a socket or with a negative offset; EBADF; EAGAIN when the buffer is full', () => {
    const file = openedFile('content');
    const [one, other] = socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK).map(opened) as [number, number];
    expect(errorOf(() => sendfile(file, one, null, 1))).toMatchObject({ code: 'EINVAL', syscall: 'sendfile' });
    expect(errorOf(() => sendfile(one, file, -1, 1)).code).toBe('EINVAL');
    expect(errorOf(() => sendfile(one, closedFd, null, 1)).code).toBe('EBADF');
    setsockopt(one, SOL_SOCKET, SO_SNDBUF, 1);
    while (raw.send(one, new Uint8Array(1000), 0) > 0);
    expect(raw.sendfile(one, file, 0, 7)).toBe(-EAGAIN);
    expect(getpeername(other).path).toBe('');
  });
});

describe('splice', () => {
  test('moves bytes from a socket through a pipe to a socket', () => {
    const [one, other] = pair();
    const [reading, writing] = pipe();
    const [third, fourth] = pair();
    write(one, bytes('through the pipe'));
    expect(splice(other, null, writing, null, 100)).toBe(16);
    expect(raw.splice(reading, null, third, null, 7, 0)).toBe(7);
    expect(splice(reading, null, third, null, 100)).toBe(9);
    expect(received((room) => read(fourth, room))).toBe('through the pipe');
  });

  test('between a file and a pipe, at offsets', () => {
    const file = openedFile('0123456789');
    const [reading, writing] = pipe();
    expect(splice(file, 4, writing, null, 3)).toBe(3);
    expect(splice(reading, null, file, 1, 3)).toBe(3);
    const content = Buffer.alloc(10);
    readSync(file, content, 0, 10, 0);
    expect(content.toString()).toBe('0456456789');
  });

  test('EINVAL: no pipe at either end; ESPIPE: an offset for a pipe; EAGAIN; EBADF', () => {
    const [one, other] = pair();
    const [reading, writing] = pipe();
    expect(errorOf(() => splice(one, null, other, null, 1))).toMatchObject({ code: 'EINVAL', syscall: 'splice' });
    expect(errorOf(() => splice(reading, 0, one, null, 1)).code).toBe('ESPIPE');
    expect(raw.splice(reading, null, one, null, 1, SPLICE_F_NONBLOCK)).toBe(-EAGAIN);
    expect(errorOf(() => splice(closedFd, null, writing, null, 1)).code).toBe('EBADF');
    expect(splice(reading, null, one, null, 0)).toBe(0);
  });

  test('EAGAIN: an empty pipe that is non-blocking', () => {
    const [reading] = pipe(O_NONBLOCK);
    expect(errorOf(() => read(reading, new Uint8Array(1))).code).toBe('EAGAIN');
    expect(errorOf(() => splice(reading, null, pair()[0], null, 1)).code).toBe('EAGAIN');
  });
});

test('a datagram socket can write to itself', () => {
  const fd = opened(socket(AF_UNIX, SOCK_DGRAM));
  bind(fd, sockaddr_un(''));
  sendto(fd, bytes('to myself'), 0, getsockname(fd));
  expect(received((room) => recv(fd, room))).toBe('to myself');
});
