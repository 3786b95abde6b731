// SCTP (RFC 9260, RFC 6458, sctp(7)): messages on associations, over the same calls as everything else; what tells of them
// in control messages, and between the messages.
import { readFileSync } from 'node:fs';
import {
  AF_INET,
  AF_INET6,
  accept,
  bind,
  ControlBuffer,
  type ControlInputs,
  close,
  connect,
  ECONNREFUSED,
  getOption,
  getpeername,
  getsockname,
  IPPROTO_SCTP,
  listen,
  MSG_DONTWAIT,
  MSG_EOR,
  MSG_NOTIFICATION,
  MsgHdr,
  raw,
  recvmsg,
  SCTP_ABORT,
  SCTP_ADAPTATION_INDICATION,
  SCTP_ALL_ASSOC,
  SCTP_ASSOC_CHANGE,
  SCTP_AUTH_NEWKEY,
  SCTP_AUTHENTICATION_EVENT,
  SCTP_COMM_LOST,
  SCTP_COMM_UP,
  SCTP_ESTABLISHED,
  SCTP_PARTIAL_DELIVERY_EVENT,
  SCTP_PR_SCTP_PRIO,
  SCTP_REMOTE_ERROR,
  SCTP_SEND_FAILED,
  SCTP_SEND_FAILED_EVENT,
  SCTP_SENDER_DRY_EVENT,
  SCTP_SHUTDOWN_EVENT,
  SCTP_STREAM_RESET_EVENT,
  SCTP_STREAM_RESET_OUTGOING,
  SCTP_UNORDERED,
  SHUT_WR,
  SOCK_SEQPACKET,
  SOCK_STREAM,
  SockAddr,
  sctp_adaptation_event,
  sctp_assoc_change,
  sctp_authkey,
  sctp_authkey_event,
  type sctp_notification,
  sctp_pdapi_event,
  type sctp_rcvinfo,
  sctp_remote_error,
  sctp_reset_streams,
  sctp_send_failed,
  sctp_send_failed_event,
  sctp_sender_dry_event,
  sctp_shutdown_event,
  type sctp_stream_reset_event,
  sctpNotification,
  send,
  sendmsg,
  setOption,
  shutdown,
  sockaddr_in,
  sockaddr_in6,
  socket,
} from 'posix-sockets';
import { describe, expect, test } from 'vitest';
import { patient, plain, pythonReceives } from './message-support.js';
import { configure, ownNetwork } from './network-support.js';
import { bytes, errorOf, haveNamespaces, havePython, until } from './support.js';

const haveSctp = (() => {
  const fd = raw.socket(AF_INET, SOCK_STREAM, IPPROTO_SCTP);
  return fd >= 0 && raw.close(fd) === 0;
})();

if (haveSctp && haveNamespaces) {
  ownNetwork();
  // Two ends of a cable, of which one swallows what it gets.
  configure('ip link add cable type veth peer name end');
  configure('ip address add 10.9.0.1/24 dev cable');
  configure('ip address add fd09::1/64 dev cable nodad');
  for (const end of ['cable', 'end']) configure(`ip link set ${end} up`);
}

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

/** The stream to send on, and what the payload is. */
const sendInfo = (stream: number, protocol: number) =>
  ControlBuffer.of({ SCTP_SNDINFO: { snd_sid: stream, snd_ppid: protocol } });

/** How a message came, which is all that is told of it. */
function receiveInfo(control: ControlBuffer) {
  const [message, ...others] = [...control];
  expect(others).toEqual([]);
  expect(message?.kind).toBe('SCTP_RCVINFO');
  const info = message?.value as sctp_rcvinfo;
  return {
    stream: info.rcv_sid,
    sequence: info.rcv_ssn,
    protocol: info.rcv_ppid,
    association: info.rcv_assoc_id,
  };
}

const statusOf = (fd: number, association = 0) => getOption(fd, 'SCTP_STATUS', { sstat_assoc_id: association });

/** Has a socket tell of what happens. */
function telling(fd: number, ...types: number[]): number {
  for (const se_type of types) setOption(fd, 'SCTP_EVENT', { se_type, se_on: 1 });
  return fd;
}

/** The next that is no message but a notification. */
function told(fd: number) {
  const iov = new Uint8Array(1024);
  const message = new MsgHdr({ iov });
  const length = recvmsg(fd, message);
  expect(message.flags & MSG_NOTIFICATION).toBe(MSG_NOTIFICATION);
  return sctpNotification(iov.subarray(0, length));
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
    expect(statusOf(client).sstat_state).toBe(SCTP_ESTABLISHED);
    for (const [fd, name] of [
      [server, 'SCTP_GET_LOCAL_ADDRS'],
      [client, 'SCTP_GET_PEER_ADDRS'],
    ] as const) {
      expect(getOption(fd, name).map(String)).toEqual([`${listener.address}`]);
    }

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
    setOption(server.fd, 'SCTP_RECVRCVINFO', true);
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
      expect(statusOf(server.fd, info.association).sstat_state).toBe(SCTP_ESTABLISHED);
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
    const { sstat_outstrms: outgoing } = statusOf(client);
    const send = (stream: number) => sendmsg(client, new MsgHdr({ iov: bytes('x'), control: sendInfo(stream, 0) }));
    expect(send(outgoing - 1)).toBe(1);
    expect(errorOf(() => send(outgoing)).code).toBe('EINVAL');
  });

  const pair = (setup: (fd: number) => unknown = () => {}) => {
    const listener = listening(SOCK_STREAM);
    const client = patient(socket(AF_INET, SOCK_STREAM, IPPROTO_SCTP));
    for (const fd of [listener.fd, client]) setup(fd);
    connect(client, listener.address);
    return { client, server: patient(accept(listener.fd)) };
  };
  const sendWith = (fd: number, messages: ControlInputs, name: SockAddr | null = null, text = 'hello') =>
    sendmsg(fd, new MsgHdr({ name, iov: bytes(text), control: ControlBuffer.of(messages) }));

  test('SCTP_SNDRCV says how a message is sent, and how it came', () => {
    const { client, server } = pair();
    setOption(server, 'SCTP_EVENTS', { sctp_data_io_event: 1 });
    setOption(server, 'SCTP_CONTEXT', { assoc_value: 11 });
    sendWith(client, { SCTP_SNDRCV: { sinfo_stream: 2, sinfo_flags: SCTP_UNORDERED, sinfo_ppid: 46 } });
    expect(next(server).control.get('SCTP_SNDRCV')?.toJSON()).toMatchObject({
      sinfo_stream: 2,
      sinfo_flags: SCTP_UNORDERED,
      sinfo_ppid: 46,
      sinfo_context: 11,
    });
  });

  test('SCTP_NXTINFO tells of the message that is next', async () => {
    const { client, server } = pair();
    setOption(server, 'SCTP_RECVNXTINFO', true);
    sendWith(client, { SCTP_SNDINFO: { snd_sid: 1 } });
    sendWith(client, { SCTP_SNDINFO: { snd_sid: 2, snd_ppid: 46 } }, null, 'another');
    await until(() => getOption(server, 'SCTP_GET_ASSOC_STATS').sas_iodchunks === 2n, 'both are there');
    expect(next(server).control.get('SCTP_NXTINFO')?.toJSON()).toMatchObject({
      nxt_sid: 2,
      nxt_ppid: 46,
      nxt_length: 'another'.length,
    });
    expect(next(server).control.get('SCTP_NXTINFO')).toBeUndefined();
  });

  test('SCTP_INIT says how the association begins that a first message begins', () => {
    const server = listening(SOCK_SEQPACKET);
    const client = telling(patient(socket(AF_INET, SOCK_SEQPACKET, IPPROTO_SCTP)), SCTP_ASSOC_CHANGE);
    sendWith(client, { SCTP_INIT: { sinit_num_ostreams: 3, sinit_max_instreams: 2 } }, server.address);
    const change = told(client);
    expect(change).toBeInstanceOf(sctp_assoc_change);
    expect(change?.toJSON()).toMatchObject({
      sac_state: SCTP_COMM_UP,
      sac_outbound_streams: 3,
      sac_inbound_streams: 2,
    });
  });

  test.skipIf(!haveNamespaces).for([
    ['SCTP_DSTADDRV4', AF_INET, ['10.9.0.2', '10.9.0.3']],
    [
      'SCTP_DSTADDRV6',
      AF_INET6,
      ['fd09:0000:0000:0000:0000:0000:0000:0002', 'fd09:0000:0000:0000:0000:0000:0000:0003'],
    ],
  ] as const)('%s names one more address of the peer (needs root)', ([kind, family, [first, second]]) => {
    const client = patient(socket(family, SOCK_SEQPACKET, IPPROTO_SCTP));
    const name = family === AF_INET ? sockaddr_in(first, 7) : sockaddr_in6(first, 7);
    const control = ControlBuffer.of({ [kind]: second });
    sendmsg(client, new MsgHdr({ name, iov: bytes('hello'), control }), MSG_DONTWAIT); // which nobody answers
    const known = readFileSync('/proc/net/sctp/remaddr', 'utf8').match(/^\S+(?= )/gm);
    expect(known).toEqual(expect.arrayContaining([first, second]));
  });

  test('SCTP_AUTHINFO says by which key a message is authenticated, and the peer is told of a new one', () => {
    const keys = (fd: number) => {
      setOption(fd, 'SCTP_AUTH_SUPPORTED', { assoc_value: 1 });
      setOption(fd, 'SCTP_AUTH_CHUNK', { sauth_chunk: 0 }); // DATA
      for (const number of [1, 2])
        setOption(fd, 'SCTP_AUTH_KEY', sctp_authkey.of(0, number, bytes(`secret ${number}`)));
      setOption(fd, 'SCTP_AUTH_ACTIVE_KEY', { scact_keynumber: 1 });
    };
    const { client, server } = pair(keys);
    telling(server, SCTP_AUTHENTICATION_EVENT);
    sendWith(client, { SCTP_AUTHINFO: { auth_keynumber: 2 } });
    const event = told(server);
    expect(event).toBeInstanceOf(sctp_authkey_event);
    expect(event?.toJSON()).toMatchObject({ auth_indication: SCTP_AUTH_NEWKEY, auth_keynumber: 2 });
    expect(next(server).text).toBe('hello');
    expect(errorOf(() => sendWith(client, { SCTP_AUTHINFO: { auth_keynumber: 3 } })).code).toBe('EINVAL');
  });

  test('SCTP_PRINFO: a message gives way to one that is more important', async () => {
    const { client } = pair((fd) => setOption(fd, 'SO_RCVBUF', 5000));
    const fits = (pr_value: number) => {
      const control = ControlBuffer.of({ SCTP_PRINFO: { pr_policy: SCTP_PR_SCTP_PRIO, pr_value } });
      return raw.sendmsg(client, new Uint8Array(1000), null, control.bytes, MSG_DONTWAIT) > 0;
    };
    // While acknowledgements still come, there may be room again, or none that can give way.
    await until(() => {
      while (fits(100));
      return !fits(101) && fits(1); // a larger number is a lesser importance
    }, 'a message gives way');
  });

  test('who sends is told what was not delivered, how it was sent, and that the association is lost', () => {
    const { client, server } = pair((fd) => setOption(fd, 'SO_RCVBUF', 5000));
    telling(client, SCTP_SEND_FAILED, SCTP_SEND_FAILED_EVENT, SCTP_ASSOC_CHANGE);
    const control = ControlBuffer.of({ SCTP_SNDINFO: { snd_sid: 1, snd_ppid: 46, snd_context: 7 } });
    const content = bytes('x'.repeat(500));
    while (raw.sendmsg(client, content, null, control.bytes, MSG_DONTWAIT) > 0);
    close(server); // with messages that nobody has read
    const events: (sctp_notification | undefined)[] = [];
    const kinds = [sctp_assoc_change, sctp_send_failed, sctp_send_failed_event];
    while (!kinds.every((kind) => events.some((event) => event instanceof kind))) events.push(told(client));
    const failed = events.find((event) => event instanceof sctp_send_failed_event);
    expect(failed?.ssfe_info.toJSON()).toMatchObject({ snd_sid: 1, snd_ppid: 46, snd_context: 7 });
    expect(failed?.ssf_data).toEqual(content);
    const older = events.find((event) => event instanceof sctp_send_failed);
    expect(older?.ssf_info.toJSON()).toMatchObject({ sinfo_stream: 1, sinfo_ppid: 46, sinfo_context: 7 });
    expect(older?.ssf_data).toEqual(content);
    expect(events.find((event) => event instanceof sctp_assoc_change)?.sac_state).toBe(SCTP_COMM_LOST);
  });

  test('SCTP_ABORT ends the association at once, and says why', () => {
    const server = listening(SOCK_SEQPACKET);
    const client = patient(socket(AF_INET, SOCK_SEQPACKET, IPPROTO_SCTP));
    sendWith(client, {}, server.address);
    expect(next(server.fd).text).toBe('hello');
    setOption(server.fd, 'SCTP_EVENT', { se_assoc_id: SCTP_ALL_ASSOC, se_type: SCTP_ASSOC_CHANGE, se_on: 1 });
    sendWith(client, { SCTP_SNDINFO: { snd_flags: SCTP_ABORT } }, server.address, 'no more of this');
    const change = told(server.fd) as sctp_assoc_change;
    expect(change).toBeInstanceOf(sctp_assoc_change);
    expect(change.sac_state).toBe(SCTP_COMM_LOST);
    expect(Buffer.from(change.sac_info).includes('no more of this')).toBe(true);
  });

  test('an end is told what the other is, that all has arrived, and that no more will come', () => {
    const { client, server } = pair((fd) => {
      setOption(fd, 'SCTP_ADAPTATION_LAYER', 42);
      telling(fd, SCTP_ADAPTATION_INDICATION, SCTP_SHUTDOWN_EVENT);
    });
    for (const fd of [client, server]) {
      const event = told(fd) as sctp_adaptation_event;
      expect(event).toBeInstanceOf(sctp_adaptation_event);
      expect(event.sai_adaptation_ind).toBe(42);
    }
    telling(client, SCTP_SENDER_DRY_EVENT);
    expect(told(client)).toBeInstanceOf(sctp_sender_dry_event);
    shutdown(client, SHUT_WR);
    expect(told(server)).toBeInstanceOf(sctp_shutdown_event);
    expect(next(server).text).toBe('');
  });

  test.skipIf(!havePython)('its control message is to Python what it is to us (needs python3)', () => {
    const server = listening(SOCK_SEQPACKET);
    setOption(server.fd, 'SCTP_RECVRCVINFO', true);
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

describe('notifications of SCTP', () => {
  const notification = (size: number, ...fields: [at: number, value: number, size: 2 | 4][]) => {
    const made = Buffer.alloc(size);
    for (const [at, value, size] of fields) made.writeUIntLE(value, at, size);
    return sctpNotification(made);
  };

  test('those that no test here brings about are read as the kernel lays them out', () => {
    const error = notification(20, [0, SCTP_REMOTE_ERROR, 2], [8, 0x0300, 2], [12, 5, 4], [16, 0xfeed, 4]);
    expect(error).toBeInstanceOf(sctp_remote_error);
    expect(error?.toJSON()).toMatchObject({ sre_error: 3, sre_assoc_id: 5 });
    expect(Array.from((error as sctp_remote_error).sre_data)).toEqual([0xed, 0xfe, 0, 0]);
    const partial = notification(28, [0, SCTP_PARTIAL_DELIVERY_EVENT, 2], [12, 5, 4], [16, 6, 4], [20, 7, 4]);
    expect(partial).toBeInstanceOf(sctp_pdapi_event);
    expect(partial?.toJSON()).toMatchObject({ pdapi_assoc_id: 5, pdapi_stream: 6, pdapi_seq: 7 });
  });

  test('what is no notification is none, and a part of one has a part of its fields', () => {
    expect(sctpNotification(new Uint8Array(0))).toBeUndefined();
    expect(sctpNotification(bytes('a message'))).toBeUndefined();
    const part = notification(4, [0, SCTP_ASSOC_CHANGE, 2]) as sctp_assoc_change;
    expect([part.sac_type, part.sac_state, part.sac_info.length]).toEqual([SCTP_ASSOC_CHANGE, undefined, 0]);
    const reset = notification(2, [0, SCTP_STREAM_RESET_EVENT, 2]) as sctp_stream_reset_event;
    expect(reset.strreset_stream_list).toEqual([]);
    expect(() => sctpNotification('text' as never)).toThrow(TypeError);
  });
});

describe('structs of SCTP that end in a list', () => {
  test('have the list behind their fields', () => {
    const key = sctp_authkey.of(1, 2, bytes('key'));
    expect(key.toJSON()).toEqual({ sca_assoc_id: 1, sca_keynumber: 2, sca_keylength: 3 });
    expect(key.bytes.subarray(sctp_authkey.size)).toEqual(bytes('key'));
    const reset = sctp_reset_streams.of(1, SCTP_STREAM_RESET_OUTGOING, [0, 258]);
    expect(reset.toJSON()).toMatchObject({ srs_flags: SCTP_STREAM_RESET_OUTGOING, srs_number_streams: 2 });
    expect(Array.from(reset.bytes.subarray(sctp_reset_streams.size))).toEqual([0, 0, 2, 1]);
  });

  test('refuse what does not belong into it', () => {
    expect(() => sctp_authkey.of(1, 2, 'key' as never)).toThrow(TypeError);
    expect(() => sctp_authkey.of(1, 2, new Uint8Array(65_536))).toThrow(RangeError);
    expect(() => sctp_reset_streams.of(1, 2, 1 as never)).toThrow(TypeError);
    expect(() => sctp_reset_streams.of(1, 2, [65_536])).toThrow(RangeError);
  });
});
