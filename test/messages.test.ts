import {
  AF_INET,
  AF_UNIX,
  bind,
  getsockname,
  MSG_DONTWAIT,
  MSG_PEEK,
  MSG_TRUNC,
  MsgHdr,
  raw,
  recvmsg,
  SOCK_DGRAM,
  SOCK_SEQPACKET,
  SOCK_STREAM,
  SockAddr,
  sendmsg,
  sockaddr_un,
  socket,
  socketpair,
} from 'posix-sockets';
import { describe, expect, test } from 'vitest';
import { bound, bytes, closedFd, datagramKinds, errorOf, folder, opened } from './support.js';

const pair = (type: number) => socketpair(AF_UNIX, type).map(opened) as [number, number];
const udp = datagramKinds.find(([name]) => name === 'UDP over IPv4')?.[1];

describe('sendmsg and recvmsg', () => {
  test('gather from many buffers, and scatter into many', () => {
    const [one, other] = pair(SOCK_STREAM);
    expect(sendmsg(one, new MsgHdr({ iov: [bytes('ab'), new Uint8Array(0), bytes('cdef')] }))).toBe(6);
    const iov = [new Uint8Array(3), new Uint8Array(1), new Uint8Array(10)];
    const message = new MsgHdr({ iov });
    expect(recvmsg(other, message)).toBe(6);
    expect(iov.map((each) => Buffer.from(each).toString('latin1').replaceAll('\0', ''))).toEqual(['abc', 'd', 'ef']);
    expect(message.flags).toBe(0);
  });

  test('name: where it goes, and where it came from', () => {
    if (!udp) throw new Error('no UDP');
    const [from, to] = [bound(udp), bound(udp)];
    expect(sendmsg(from.fd, new MsgHdr({ name: to.address, iov: bytes('hello') }))).toBe(5);
    const message = new MsgHdr({ name: new SockAddr(), iov: new Uint8Array(8) });
    expect(recvmsg(to.fd, message)).toBe(5);
    expect(message.name?.equals(from.address)).toBe(true);
    expect(message.name).toMatchObject({ family: AF_INET, length: 16 });
  });

  test('name: also a path of all 108 bytes, of which getsockname tells one more', () => {
    const directory = folder();
    const [from, to] = [opened(socket(AF_UNIX, SOCK_DGRAM)), opened(socket(AF_UNIX, SOCK_DGRAM))];
    bind(to, sockaddr_un(`${directory}/${'x'.repeat(107 - directory.length)}`));
    expect(sendmsg(from, new MsgHdr({ name: getsockname(to), iov: bytes('x') }))).toBe(1);
    expect(recvmsg(to, new MsgHdr({ iov: new Uint8Array(2) }))).toBe(1);
  });

  test.each([
    ['datagram', SOCK_DGRAM],
    ['seqpacket', SOCK_SEQPACKET],
  ])('flags: a Unix %s that is longer than the room is cut, and says so', (_, type) => {
    const [one, other] = pair(type);
    sendmsg(one, new MsgHdr({ iov: bytes('longer') }));
    const message = new MsgHdr({ iov: new Uint8Array(4) });
    expect(recvmsg(other, message, MSG_PEEK | MSG_TRUNC)).toBe(6);
    expect(recvmsg(other, message)).toBe(4);
    expect(message.flags & MSG_TRUNC).toBe(MSG_TRUNC);
    expect(errorOf(() => recvmsg(other, message, MSG_DONTWAIT)).code).toBe('EAGAIN');
    expect(message.flags & MSG_TRUNC).toBe(MSG_TRUNC); // a call that fails leaves the message as it was
  });

  test('one buffer alone may stand without its array', () => {
    const [one, other] = pair(SOCK_STREAM);
    sendmsg(one, new MsgHdr({ iov: bytes('x') }));
    const buffer = new Uint8Array(1);
    expect(recvmsg(other, new MsgHdr({ iov: buffer }))).toBe(1);
    expect(buffer).toEqual(bytes('x'));
  });

  test('raw: lengths and flags land in out', () => {
    const [one, other] = pair(SOCK_DGRAM);
    expect(raw.sendmsg(one, [bytes('abc')], null, null, 0)).toBe(3);
    expect(raw.recvmsg(other, [new Uint8Array(2)], new Uint8Array(128), new Uint8Array(64), 0)).toBe(2);
    expect(Array.from(raw.out.subarray(0, 3))).toEqual([0, 0, MSG_TRUNC]);
  });

  test('errors', () => {
    const [one, other] = pair(SOCK_STREAM);
    const message = new MsgHdr({ iov: bytes('x') });
    expect(errorOf(() => recvmsg(other, message, MSG_DONTWAIT))).toMatchObject({ code: 'EAGAIN', syscall: 'recvmsg' });
    expect(errorOf(() => sendmsg(closedFd, message))).toMatchObject({ code: 'EBADF', syscall: 'sendmsg' });
    raw.close(other);
    expect(errorOf(() => sendmsg(one, message)).code).toBe('EPIPE');
    expect(recvmsg(one, message)).toBe(0); // the end of the stream
    expect(() => new MsgHdr({ iov: bytes('x'), name: 'here' as never })).toThrow(TypeError);
    expect(() => sendmsg(one, {} as never)).toThrow('the message must be a MsgHdr');
    expect(() => new MsgHdr(undefined as never)).toThrow('init must be an object, not undefined');
    const control = new ArrayBuffer(64);
    expect(new MsgHdr({ iov: [], control }).control?.storage.buffer).toBe(control);
  });
});
