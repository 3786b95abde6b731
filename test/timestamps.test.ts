import {
  AF_INET,
  AF_INET6,
  AF_PACKET,
  ControlBuffer,
  EAGAIN,
  EINVAL,
  ENOMSG,
  getOption,
  if_nametoindex,
  MSG_DONTWAIT,
  MSG_ERRQUEUE,
  raw,
  SCM_TSTAMP_ACK,
  SCM_TSTAMP_SCHED,
  SCM_TSTAMP_SND,
  SO_EE_ORIGIN_TIMESTAMPING,
  SO_TIMESTAMP,
  SO_TIMESTAMPING,
  SO_TIMESTAMPNS,
  SOCK_DGRAM,
  SOF_TIMESTAMPING_OPT_ID,
  SOF_TIMESTAMPING_OPT_STATS,
  SOF_TIMESTAMPING_OPT_TSONLY,
  SOF_TIMESTAMPING_RX_SOFTWARE,
  SOF_TIMESTAMPING_SOFTWARE,
  SOF_TIMESTAMPING_TX_ACK,
  SOF_TIMESTAMPING_TX_SCHED,
  SOF_TIMESTAMPING_TX_SOFTWARE,
  SOL_SOCKET,
  send,
  sendto,
  setsockopt,
  sockaddr_ll,
  socket,
  TCP_NLA_SND_SSTHRESH,
  type timespec,
  timeval,
} from 'posix-sockets';
import { describe, expect, test } from 'vitest';
import { nextError, patient, plain, pythonReceives, receive, sendWith, udpPair } from './message-support.js';
import { bytes, connected, connectedKinds, havePython, isRoot, type Kind } from './support.js';

/** Nanoseconds of a stamp, or of this process's own look at the same clock, which Date rounds down to a millisecond. */
const nanoseconds = (stamp: timespec | timeval) =>
  BigInt(stamp.tv_sec) * 1_000_000_000n + BigInt(stamp instanceof timeval ? stamp.tv_usec * 1000 : stamp.tv_nsec);
const now = () => BigInt(Date.now()) * 1_000_000n;
const millisecond = 1_000_000n;

/** The stamp of what happens meanwhile. */
function expectNow(stamp: timespec | timeval | undefined, before: bigint): void {
  expect(stamp).toBeDefined();
  const at = nanoseconds(stamp as timespec);
  expect(at).toBeGreaterThanOrEqual(before);
  expect(at).toBeLessThan(now() + millisecond);
}

describe('when a packet arrived', () => {
  const cases = [
    ['SCM_TIMESTAMP', SO_TIMESTAMP, 1],
    ['SCM_TIMESTAMPNS', SO_TIMESTAMPNS, 1],
    ['SCM_TIMESTAMPING', SO_TIMESTAMPING, SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE],
  ] as const;

  test.for(cases)('%s', ([kind, option, value]) => {
    const { sender, receiver } = udpPair();
    setsockopt(receiver, SOL_SOCKET, option, value);
    const before = now();
    send(sender, bytes('hello'));
    const { control } = receive(receiver);
    expect([...control].map((message) => message.kind)).toEqual([kind]);
    const stamp = control.get(kind);
    expectNow(stamp && 'software' in stamp ? stamp.software : stamp, before);
    if (stamp && 'hardware' in stamp) expect(nanoseconds(stamp.hardware)).toBe(0n);
  });

  test.skipIf(!havePython).for(cases)('%s is to Python what it is to us (needs python3)', ([, option, value]) => {
    const { sender, receiver } = udpPair();
    setsockopt(receiver, SOL_SOCKET, option, value);
    for (let i = 0; i < 2; i++) send(sender, bytes('hello'));
    const shape = ([level, type, data]: [number, number, string]) => [level, type, data.length];
    const theirs = pythonReceives(receiver);
    expect(theirs.map(shape)).toEqual([...receive(receiver).control].map(plain).map(shape));
    const before = BigInt(
      `0x${Buffer.from(theirs[0]?.[2] ?? '', 'hex')
        .subarray(0, 8)
        .reverse()
        .toString('hex')}`,
    );
    expect(before).toBeGreaterThan(now() / 1_000_000_000n - 60n);
  });
});

/** The next stamp of a socket's error queue: which it is and of which send. It must be of just now. */
async function nextStamp(
  fd: number,
  before: bigint,
  kind: 'IP_RECVERR' | 'IPV6_RECVERR' | 'PACKET_TX_TIMESTAMP' = 'IP_RECVERR',
): Promise<{ which: number; send: number; control: ControlBuffer; payload: string }> {
  const { control, payload } = await nextError(fd);
  const error = control.get(kind);
  expect(error?.toJSON()).toMatchObject({ ee_errno: ENOMSG, ee_origin: SO_EE_ORIGIN_TIMESTAMPING });
  expect(error?.offender).toBeUndefined();
  expectNow(control.get('SCM_TIMESTAMPING')?.software, before);
  return { which: error?.ee_info ?? -1, send: error?.ee_data ?? -1, control, payload };
}

describe('when a packet was sent (software stamps, SOF_TIMESTAMPING_OPT_ID)', () => {
  const asked = SOF_TIMESTAMPING_SOFTWARE | SOF_TIMESTAMPING_OPT_ID | SOF_TIMESTAMPING_OPT_TSONLY;

  for (const [name, family, kind] of [
    ['IPv4', AF_INET, 'IP_RECVERR'],
    ['IPv6', AF_INET6, 'IPV6_RECVERR'],
  ] as const) {
    test(`UDP over ${name}: each send has its number`, async () => {
      const { sender } = udpPair(family);
      setsockopt(sender, SOL_SOCKET, SO_TIMESTAMPING, asked | SOF_TIMESTAMPING_TX_SOFTWARE);
      const before = now();
      for (let i = 0; i < 3; i++) send(sender, bytes('hello'));
      for (let i = 0; i < 3; i++) {
        expect(await nextStamp(sender, before, kind)).toMatchObject({ which: SCM_TSTAMP_SND, send: i, payload: '' });
      }
    });
  }

  test('without SOF_TIMESTAMPING_OPT_TSONLY the packet comes back with its stamp', async () => {
    const { sender } = udpPair();
    setsockopt(sender, SOL_SOCKET, SO_TIMESTAMPING, SOF_TIMESTAMPING_SOFTWARE | SOF_TIMESTAMPING_TX_SOFTWARE);
    const before = now();
    send(sender, bytes('hello'));
    const { payload } = await nextStamp(sender, before);
    expect(payload.endsWith('hello')).toBe(true);
    expect(payload.length).toBeGreaterThan('hello'.length); // with its headers
  });

  test('SO_TIMESTAMPING as a message: stamps of this packet alone, and which', async () => {
    const { sender } = udpPair();
    setsockopt(sender, SOL_SOCKET, SO_TIMESTAMPING, asked);
    const before = now();
    send(sender, bytes('not this one'));
    sendWith(sender, { SO_TIMESTAMPING: SOF_TIMESTAMPING_TX_SCHED | SOF_TIMESTAMPING_TX_SOFTWARE });
    expect(await nextStamp(sender, before)).toMatchObject({ which: SCM_TSTAMP_SCHED });
    expect(await nextStamp(sender, before)).toMatchObject({ which: SCM_TSTAMP_SND });
    expect(raw.recvmsg(sender, [], null, null, MSG_ERRQUEUE | MSG_DONTWAIT)).toBe(-EAGAIN);
  });

  test('SCM_TS_OPT_ID: a number of our own', async ({ skip }) => {
    const { sender } = udpPair();
    setsockopt(sender, SOL_SOCKET, SO_TIMESTAMPING, asked | SOF_TIMESTAMPING_TX_SOFTWARE);
    const before = now();
    const control = ControlBuffer.of({ SCM_TS_OPT_ID: 0xdeadbeef });
    if (raw.sendmsg(sender, bytes('hello'), null, control.bytes, 0) === -EINVAL) skip('this kernel is older than 6.13');
    expect(await nextStamp(sender, before)).toMatchObject({ send: 0xdeadbeef });
  });

  test('TCP: the stamp of an acknowledgement carries the last byte, and SCM_TIMESTAMPING_OPT_STATS', async () => {
    const [client, server] = connected(new Map(connectedKinds).get('TCP over IPv4') as Kind);
    const flags = asked | SOF_TIMESTAMPING_TX_ACK | SOF_TIMESTAMPING_OPT_STATS;
    setsockopt(client, SOL_SOCKET, SO_TIMESTAMPING, flags);
    const before = now();
    send(client, bytes('0123456789'));
    expect(receive(server).payload).toBe('0123456789');
    const { which, send: lastByte, control } = await nextStamp(client, before);
    expect([which, lastByte]).toEqual([SCM_TSTAMP_ACK, 9]);
    const stats = control.get('SCM_TIMESTAMPING_OPT_STATS') as Uint8Array;
    // Netlink attributes, one behind the other to the very end: length and type, each of 16 bits.
    const view = new DataView(stats.buffer, stats.byteOffset, stats.byteLength);
    const found = new Map<number, Uint8Array>();
    for (let at = 0; at < stats.length; ) {
      const length = view.getUint16(at, true);
      found.set(view.getUint16(at + 2, true), stats.subarray(at + 4, at + length));
      at += Math.ceil(length / 4) * 4;
    }
    const mss = Buffer.from(found.get(TCP_NLA_SND_SSTHRESH) as Uint8Array).readUInt32LE();
    expect(mss).toBe(getOption(client, 'TCP_INFO').tcpi_snd_ssthresh);
  });

  test.skipIf(!isRoot)('PACKET_TX_TIMESTAMP: a packet socket (needs root)', async () => {
    const fd = patient(socket(AF_PACKET, SOCK_DGRAM));
    setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPING, asked | SOF_TIMESTAMPING_TX_SOFTWARE);
    const before = now();
    sendto(fd, new Uint8Array(20), 0, sockaddr_ll(0x88b5, if_nametoindex('lo'), { address: '00:00:00:00:00:00' }));
    expect(await nextStamp(fd, before, 'PACKET_TX_TIMESTAMP')).toMatchObject({ which: SCM_TSTAMP_SND, send: 0 });
  });
});
