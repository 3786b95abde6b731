// SCTP (RFC 9260, RFC 6458, sctp(7)): messages on associations, over the same calls as everything else. Its control
// messages are none of the kinds that this package names, so they are built and read as bytes.
import {
  AF_INET,
  AF_INET6,
  accept,
  bind,
  ControlBuffer,
  connect,
  ECONNREFUSED,
  getpeername,
  getsockname,
  getsockopt,
  IPPROTO_SCTP,
  listen,
  MSG_EOR,
  MsgHdr,
  raw,
  recvmsg,
  SHUT_WR,
  SOCK_SEQPACKET,
  SOCK_STREAM,
  SOL_SCTP,
  SockAddr,
  send,
  sendmsg,
  setsockopt,
  shutdown,
  sockaddr_in,
  sockaddr_in6,
  socket,
} from 'posix-sockets';
import { describe, expect, test } from 'vitest';
import { patient, plain, pythonReceives } from './message-support.js';
import { bytes, errorOf, havePython } from './support.js';

// linux/sctp.h
const [SCTP_STATUS, SCTP_RECVRCVINFO] = [14, 32]; // options
const [SCTP_SNDINFO, SCTP_RCVINFO] = [2, 3]; // control messages
const SCTP_ESTABLISHED = 4;

const haveSctp = (() => {
  const fd = raw.socket(AF_INET, SOCK_STREAM, IPPROTO_SCTP);
  return fd >= 0 && raw.close(fd) === 0;
})();

/** A socket of SCTP that listens on loopback. */
function listening(type: number, family: number = AF_INET): { fd: number; address: SockAddr } {
  const fd = patient(socket(family, type, IPPROTO_SCTP));
  bind(fd, family === AF_INET ? sockaddr_in('127.0.0.1', 0) : sockaddr_in6('::1', 0));
  listen(fd, 4);
  return { fd, address: getsockname(fd) };
}

interface Message {
  text: string;
  whole: boolean;
  from: SockAddr;
  control: ControlBuffer;
}

function next(fd: number, room = 64): Message {
  const [from, iov, control] = [new SockAddr(), new Uint8Array(room), new ControlBuffer(128)];
  const message = new MsgHdr({ name: from, iov, control });
  const text = new TextDecoder().decode(iov.subarray(0, recvmsg(fd, message)));
  return { text, whole: (message.flags & MSG_EOR) !== 0, from, control };
}

/** struct sctp_sndinfo: the stream, no flags, a number for the peer's program, none for our own, any association. */
function sendInfo(stream: number, protocol: number): ControlBuffer {
  const info = Buffer.alloc(16);
  info.writeUInt16LE(stream, 0);
  info.writeUInt32BE(protocol, 4);
  const control = new ControlBuffer(64);
  control.push(SOL_SCTP, SCTP_SNDINFO, info);
  return control;
}

/** The first fields of a struct sctp_rcvinfo, and the last: the association. */
function receiveInfo(control: ControlBuffer) {
  const [message, ...others] = [...control];
  expect(others).toEqual([]);
  expect(message).toMatchObject({ level: SOL_SCTP, type: SCTP_RCVINFO, kind: undefined });
  const info = Buffer.from(message?.data ?? []);
  expect(info.length).toBe(28);
  return {
    stream: info.readUInt16LE(0),
    sequence: info.readUInt16LE(2),
    protocol: info.readUInt32BE(8),
    association: info.readInt32LE(24),
  };
}

/** Of a struct sctp_status the state of the association, and on how many streams this end can send. */
function statusOf(fd: number, association = 0): { state: number; outgoing: number } {
  const status = Buffer.alloc(256);
  status.writeInt32LE(association, 0);
  getsockopt(fd, SOL_SCTP as number, SCTP_STATUS, status);
  return { state: status.readInt32LE(4), outgoing: status.readUInt16LE(18) };
}

describe.skipIf(!haveSctp)('SCTP (needs a kernel with it)', () => {
  test.for([
    ['IPv4', AF_INET],
    ['IPv6', AF_INET6],
  ] as const)('one to one over %s: a connection that keeps messages apart', ([, family]) => {
    const listener = listening(SOCK_STREAM, family);
    const client = patient(socket(family, SOCK_STREAM, IPPROTO_SCTP));
    connect(client, listener.address);
    const peer = new SockAddr();
    const server = patient(accept(listener.fd, peer));
    expect(`${getpeername(server)}`).toBe(`${peer}`);
    expect(statusOf(client).state).toBe(SCTP_ESTABLISHED);

    for (const text of ['one', 'two']) send(client, bytes(text));
    expect([next(server), next(server)]).toMatchObject([
      { text: 'one', whole: true },
      { text: 'two', whole: true },
    ]);
    // What is too long for the buffer comes in parts, of which the last ends the message.
    send(client, bytes('three'));
    expect([next(server, 3), next(server, 3)]).toMatchObject([
      { text: 'thr', whole: false },
      { text: 'ee', whole: true },
    ]);
    shutdown(client, SHUT_WR);
    expect(next(server).text).toBe('');
  });

  test('nobody listens: ECONNREFUSED', () => {
    const client = patient(socket(AF_INET, SOCK_STREAM, IPPROTO_SCTP));
    expect(errorOf(() => connect(client, sockaddr_in('127.0.0.1', 1))).errno).toBe(-ECONNREFUSED);
  });

  test('one to many: associations come with their first message, which says on which it came', () => {
    const server = listening(SOCK_SEQPACKET);
    setsockopt(server.fd, SOL_SCTP as number, SCTP_RECVRCVINFO, 1);
    const clients = [0, 1].map(() => patient(socket(AF_INET, SOCK_SEQPACKET, IPPROTO_SCTP)));
    const say = (fd: number, text: string, stream: number, protocol: number) =>
      sendmsg(fd, new MsgHdr({ name: server.address, iov: bytes(text), control: sendInfo(stream, protocol) }));

    const heard = clients.map((fd, i) => {
      say(fd, `hello from ${i}`, i + 1, 0xfeed0000 + i);
      const { text, from, control, whole } = next(server.fd);
      expect({ text, whole }).toEqual({ text: `hello from ${i}`, whole: true });
      expect(from.port).toBe(getsockname(fd).port);
      const info = receiveInfo(control);
      expect(info).toMatchObject({ stream: i + 1, sequence: 0, protocol: 0xfeed0000 + i });
      expect(statusOf(server.fd, info.association).state).toBe(SCTP_ESTABLISHED);
      return { from, ...info };
    });
    expect(heard[0]?.association).not.toBe(heard[1]?.association);

    // Each stream counts its own messages; the answer goes to whom it is addressed.
    say(clients[0] as number, 'again', 1, 0);
    say(clients[0] as number, 'elsewhere', 2, 0);
    expect([next(server.fd), next(server.fd)].map(({ control }) => receiveInfo(control))).toMatchObject([
      { stream: 1, sequence: 1, association: heard[0]?.association },
      { stream: 2, sequence: 0, association: heard[0]?.association },
    ]);
    sendmsg(server.fd, new MsgHdr({ name: heard[1]?.from ?? null, iov: bytes('to the second') }));
    expect(next(clients[1] as number).text).toBe('to the second');
  });

  test('a stream that the association does not have: EINVAL', () => {
    const listener = listening(SOCK_STREAM);
    const client = patient(socket(AF_INET, SOCK_STREAM, IPPROTO_SCTP));
    connect(client, listener.address);
    const { outgoing } = statusOf(client);
    const send = (stream: number) => sendmsg(client, new MsgHdr({ iov: bytes('x'), control: sendInfo(stream, 0) }));
    expect(send(outgoing - 1)).toBe(1);
    expect(errorOf(() => send(outgoing)).code).toBe('EINVAL');
  });

  test.skipIf(!havePython)('its control message is to Python what it is to us (needs python3)', () => {
    const server = listening(SOCK_SEQPACKET);
    setsockopt(server.fd, SOL_SCTP as number, SCTP_RECVRCVINFO, 1);
    const client = patient(socket(AF_INET, SOCK_SEQPACKET, IPPROTO_SCTP));
    const control = sendInfo(3, 42);
    sendmsg(client, new MsgHdr({ name: server.address, iov: bytes('hello'), control }));
    sendmsg(client, new MsgHdr({ name: server.address, iov: bytes('hello'), control }));
    const [theirs] = pythonReceives(server.fd);
    const [ours] = [...next(server.fd).control].map(plain);
    expect(theirs?.slice(0, 2)).toEqual(ours?.slice(0, 2));
    // Between the two, the numbers of message (bytes 2, 3) and of transmission (12 to 20) went on.
    const rest = (data = '') => data.slice(0, 4) + data.slice(8, 24) + data.slice(40);
    expect(rest(theirs?.[2])).toBe(rest(ours?.[2]));
  });
});
