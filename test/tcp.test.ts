// TCP's own options: what it tells of a connection, signatures, repair, Multipath TCP.
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import {
  AF_INET,
  accept,
  bind,
  close,
  connect,
  FIONREAD,
  getOption,
  getpeername,
  getsockname,
  getsockopt,
  IPPROTO_MPTCP,
  IPPROTO_TCP,
  ioctl,
  linger,
  mptcp_subflow_data,
  optionTable,
  PollFds,
  poll,
  raw,
  read,
  recv,
  SHUT_WR,
  SO_LINGER,
  SOCK_STREAM,
  SOL_SOCKET,
  SystemError,
  send,
  setOption,
  shutdown,
  sockaddr_in,
  socket,
  supports,
  TCP_CLOSE,
  TCP_CLOSE_WAIT,
  TCP_ESTABLISHED,
  TCP_INFO,
  TCP_LISTEN,
  TCP_RECV_QUEUE,
  TCP_REPAIR_OFF,
  TCP_REPAIR_ON,
  TCP_SEND_QUEUE,
  tcp_ao_add,
  tcp_ao_getsockopt,
  tcp_info,
  tcp_md5sig,
  write,
} from 'posix-sockets';
import { describe, expect, test } from 'vitest';
import { bytes, connected, connectedKinds, errorOf, isRoot, type Kind, listening, opened, until } from './support.js';

const kindOf = (wanted: string) => connectedKinds.find(([name]) => name === wanted)?.[1];
const tcp = kindOf('TCP over IPv4') as Kind;
const text = (buffer: Uint8Array, length: number) => new TextDecoder().decode(buffer.subarray(0, length));

/** Moves so many bytes over a connection, and waits until they were acknowledged. */
async function exchange(from: number, to: number, count: number): Promise<void> {
  const buffer = new Uint8Array(65_536);
  for (let left = count; left > 0; ) {
    const sent = send(from, new Uint8Array(Math.min(left, 16_384)));
    for (let got = 0; got < sent; ) got += recv(to, buffer);
    left -= sent;
  }
  await until(() => getOption(from, 'TCP_INFO').tcpi_unacked === 0, 'all is acknowledged');
}

describe('TCP_INFO', () => {
  test.skipIf(spawnSync('ss', ['-V']).status !== 0)(
    'tells what happened on a connection, as ss(8) does (needs ss)',
    async () => {
      const [client, server] = connected(tcp);
      await exchange(client, server, 100_000);
      const info = getOption(client, 'TCP_INFO');
      expect(info.tcpi_state).toBe(TCP_ESTABLISHED);
      expect(info.tcpi_bytes_sent).toBe(100_000n);
      expect(info.tcpi_bytes_acked).toBe(100_001n); // and the SYN
      expect(getOption(server, 'TCP_INFO').tcpi_bytes_received).toBe(100_000n);

      const { port } = getsockname(client);
      const theirs = execFileSync('ss', ['-Htin', `sport = :${port}`], { encoding: 'utf8' });
      const said = (name: string) => Number(new RegExp(`\\b${name}:(\\d+)`).exec(theirs)?.[1]);
      expect(said('mss')).toBe(info.tcpi_snd_mss);
      expect(said('pmtu')).toBe(info.tcpi_pmtu);
      expect(said('advmss')).toBe(info.tcpi_advmss);
      expect(said('cwnd')).toBe(info.tcpi_snd_cwnd);
      expect(BigInt(said('bytes_sent'))).toBe(info.tcpi_bytes_sent);
      expect(BigInt(said('bytes_acked'))).toBe(info.tcpi_bytes_acked);
      expect(said('segs_out')).toBe(info.tcpi_segs_out);
      expect(said('segs_in')).toBe(info.tcpi_segs_in);
      expect(said('data_segs_out')).toBe(info.tcpi_data_segs_out);
      expect(said('rcv_space')).toBe(info.tcpi_rcv_space);
      expect(said('delivered')).toBe(info.tcpi_delivered);
      const scales = /wscale:(\d+),(\d+)/.exec(theirs)?.slice(1).map(Number);
      expect([info.tcpi_snd_wscale, info.tcpi_rcv_wscale]).toEqual(scales);
    },
  );

  test('has every field of this kernel, and is as long as the kernel makes it', () => {
    const [client] = connected(tcp);
    const room = new Uint8Array(1024);
    const length = getsockopt(client, IPPROTO_TCP, TCP_INFO, room);
    const info = getOption(client, 'TCP_INFO');
    expect(info.length).toBe(Math.min(length, tcp_info.size));
    // A kernel with more fields than this package knows is not an error, but worth a new release.
    expect(length).toBeLessThanOrEqual(tcp_info.size);
    if (length < tcp_info.size) return;
    expect(Object.values(info.toJSON()).filter((value) => value === undefined)).toEqual([]);
    expect(info.tcpi_snd_wnd).toBeGreaterThan(0);
    expect(info.tcpi_rcv_wnd).toBeGreaterThan(0);
  });

  test('of an older kernel lacks what that did not have', () => {
    const old = new tcp_info(new Uint8Array(104).fill(1)); // Linux 2.6
    expect([old.tcpi_total_retrans, old.tcpi_pacing_rate, old.tcpi_rcv_wnd]).toEqual([
      0x01010101,
      undefined,
      undefined,
    ]);
  });

  test('of a listener tells its queue', () => {
    const { fd, address } = listening(tcp, 5);
    const client = opened(socket(AF_INET, SOCK_STREAM));
    connect(client, address);
    const { tcpi_state, tcpi_unacked, tcpi_sacked } = getOption(fd, 'TCP_INFO');
    expect([tcpi_state, tcpi_unacked, tcpi_sacked]).toEqual([TCP_LISTEN, 1, 5]);
  });
});

describe('TCP_CONGESTION and TCP_CC_INFO', () => {
  const available = readFileSync('/proc/sys/net/ipv4/tcp_available_congestion_control', 'utf8').trim().split(' ');

  test.skipIf(!available.includes('bbr'))('bbr tells its bandwidth and gains (where the kernel has bbr)', async () => {
    const [client, server] = connected(tcp);
    setOption(client, 'TCP_CONGESTION', 'bbr');
    await exchange(client, server, 1_000_000);
    const { bbr } = getOption(client, 'TCP_CC_INFO');
    expect(bbr.bbr_bw_lo + bbr.bbr_bw_hi * 2 ** 32).toBeGreaterThan(0);
    expect(bbr.bbr_cwnd_gain).toBeGreaterThanOrEqual(256);
    expect(bbr.bbr_pacing_gain).toBeGreaterThan(0);
  });

  test('reno says nothing', () => {
    const [client] = connected(tcp);
    setOption(client, 'TCP_CONGESTION', 'reno');
    expect(getOption(client, 'TCP_CONGESTION')).toBe('reno');
    const nothing = getOption(client, 'TCP_CC_INFO');
    expect(nothing.length).toBe(0);
    expect(nothing.toJSON()).toEqual({ vegas: undefined, dctcp: undefined, bbr: undefined });
  });
});

test('TCP_MD5SIG: connections are made by who has the key', ({ skip }) => {
  const key = (address: string, secret: string) =>
    new tcp_md5sig({ tcpm_addr: sockaddr_in(address, 0), tcpm_keylen: secret.length, tcpm_key: bytes(secret) });
  const { fd: listener, address } = listening(tcp);
  try {
    setOption(listener, 'TCP_MD5SIG', key('127.0.0.1', 'secret'));
  } catch (error) {
    if (error instanceof SystemError && error.code === 'ENOPROTOOPT') return skip('this kernel has no TCP_MD5SIG');
    throw error;
  }
  const client = (secret: string | null) => {
    const fd = opened(socket(AF_INET, SOCK_STREAM));
    bind(fd, sockaddr_in('127.0.0.1', 0));
    if (secret !== null) setOption(fd, 'TCP_MD5SIG', key('127.0.0.1', secret));
    return fd;
  };
  const right = client('secret');
  connect(right, address);
  const server = opened(accept(listener));
  write(right, bytes('signed'));
  const buffer = new Uint8Array(16);
  expect(text(buffer, recv(server, buffer))).toBe('signed');

  // Without the key, or with another, the SYN is dropped without an answer.
  for (const secret of [null, 'guess']) {
    const wrong = client(secret);
    setOption(wrong, 'TCP_SYNCNT', 1);
    setOption(wrong, 'TCP_USER_TIMEOUT', 300);
    expect(errorOf(() => connect(wrong, address)).code).toBe('ETIMEDOUT');
  }
});

test('TCP_AO: connections are made by who has the key, and its segments are counted', ({ skip }) => {
  if (supports('TCP_AO_ADD_KEY') === 'no') return skip('this kernel has no TCP_AO');
  const key = (secret: string, [sndid, rcvid]: [number, number]) =>
    new tcp_ao_add({
      addr: sockaddr_in('127.0.0.0', 0),
      prefix: 8,
      alg_name: 'hmac(sha1)',
      sndid,
      rcvid,
      keylen: secret.length,
      key: bytes(secret),
    });
  const { fd: listener, address } = listening(tcp);
  setOption(listener, 'TCP_AO_ADD_KEY', key('secret', [100, 200]));
  const client = (secret: string | null) => {
    const fd = opened(socket(AF_INET, SOCK_STREAM));
    if (secret !== null) setOption(fd, 'TCP_AO_ADD_KEY', key(secret, [200, 100]));
    return fd;
  };
  const right = client('secret');
  connect(right, address);
  const server = opened(accept(listener));
  write(right, bytes('signed'));
  const buffer = new Uint8Array(16);
  expect(text(buffer, recv(server, buffer))).toBe('signed');
  expect(getOption(server, 'TCP_AO_INFO')).toMatchObject({ current_key: 100, rnext: 200, pkt_bad: 0n });
  expect(getOption(server, 'TCP_AO_INFO').pkt_good).toBeGreaterThan(0n);

  // Another key replaces it while the connection goes on: RFC 5925, section 3.3.
  setOption(server, 'TCP_AO_ADD_KEY', key('another', [101, 201]));
  setOption(right, 'TCP_AO_ADD_KEY', key('another', [201, 101]));
  setOption(right, 'TCP_AO_INFO', { set_current: 1, current_key: 201 });
  write(right, bytes('signed anew'));
  expect(text(buffer, recv(server, buffer))).toBe('signed anew');
  const all = [new tcp_ao_getsockopt({ nkeys: 4, get_all: 1 })];
  const used = getOption(server, 'TCP_AO_GET_KEYS', all).map(({ rcvid, pkt_good }) => [rcvid, pkt_good > 0n]);
  expect(used.sort()).toEqual([
    [200, true],
    [201, true],
  ]);

  // Without the key, or with another, the SYN is dropped without an answer.
  for (const secret of [null, 'guess']) {
    const wrong = client(secret);
    setOption(wrong, 'TCP_SYNCNT', 1);
    setOption(wrong, 'TCP_USER_TIMEOUT', 300);
    expect(errorOf(() => connect(wrong, address)).code).toBe('ETIMEDOUT');
  }
  expect(getOption(listener, 'TCP_AO_INFO').pkt_bad).toBeGreaterThan(0n);
});

// ---- a connection that changes its socket

interface Frozen {
  local: ReturnType<typeof getsockname>;
  remote: ReturnType<typeof getpeername>;
  received: number;
  sent: number;
  windows: object;
  info: tcp_info;
  timestamp: number;
}

function freeze(fd: number): Frozen {
  const info = getOption(fd, 'TCP_INFO');
  setOption(fd, 'TCP_REPAIR', TCP_REPAIR_ON);
  const sequence = (queue: number) => {
    setOption(fd, 'TCP_REPAIR_QUEUE', queue);
    return getOption(fd, 'TCP_QUEUE_SEQ');
  };
  return {
    local: getsockname(fd),
    remote: getpeername(fd),
    received: sequence(TCP_RECV_QUEUE),
    sent: sequence(TCP_SEND_QUEUE),
    windows: getOption(fd, 'TCP_REPAIR_WINDOW').toJSON(),
    info,
    timestamp: getOption(fd, 'TCP_TIMESTAMP'),
  };
}

function thaw({ local, remote, received, sent, windows, info, timestamp }: Frozen): number {
  const [mss, windowScale, sackPermitted, timestamps] = [2, 3, 4, 8]; // options of the TCP header: RFC 9293, RFC 7323
  const fd = opened(socket(AF_INET, SOCK_STREAM));
  setOption(fd, 'TCP_REPAIR', TCP_REPAIR_ON);
  setOption(fd, 'TCP_REPAIR_QUEUE', TCP_SEND_QUEUE);
  setOption(fd, 'TCP_QUEUE_SEQ', sent);
  setOption(fd, 'TCP_REPAIR_QUEUE', TCP_RECV_QUEUE);
  setOption(fd, 'TCP_QUEUE_SEQ', received);
  bind(fd, local);
  connect(fd, remote); // sends nothing
  setOption(fd, 'TCP_REPAIR_OPTIONS', [
    { opt_code: mss, opt_val: info.tcpi_snd_mss },
    { opt_code: windowScale, opt_val: info.tcpi_snd_wscale | (info.tcpi_rcv_wscale << 16) },
    { opt_code: sackPermitted },
    { opt_code: timestamps },
  ]);
  setOption(fd, 'TCP_TIMESTAMP', timestamp);
  setOption(fd, 'TCP_REPAIR_WINDOW', windows);
  setOption(fd, 'TCP_REPAIR', TCP_REPAIR_OFF);
  return fd;
}

test.skipIf(!isRoot)(
  'TCP_REPAIR: a connection moves to another socket, and its peer sees nothing (needs root)',
  async () => {
    const [old, peer] = connected(tcp);
    const buffer = new Uint8Array(64);
    await exchange(old, peer, 1000);
    await exchange(peer, old, 2000);

    const frozen = freeze(old);
    close(old); // in repair, without a FIN
    bind(opened(socket(AF_INET, SOCK_STREAM)), frozen.local); // meanwhile somebody takes the port: no matter, in repair
    const fresh = thaw(frozen);
    expect(getOption(fresh, 'TCP_INFO').tcpi_state).toBe(TCP_ESTABLISHED);
    expect(getOption(peer, 'TCP_INFO').tcpi_state).toBe(TCP_ESTABLISHED);

    write(peer, bytes('are you there?'));
    expect(text(buffer, read(fresh, buffer))).toBe('are you there?');
    write(fresh, bytes('the same as ever'));
    expect(text(buffer, read(peer, buffer))).toBe('the same as ever');
    shutdown(fresh, SHUT_WR);
    expect(read(peer, buffer)).toBe(0);
  },
);

test('SO_LINGER with 0 seconds resets the connection', () => {
  const [client, server] = connected(tcp);
  setOption(client, 'SO_LINGER', { l_onoff: 1, l_linger: 0 });
  const set = new linger();
  expect(getsockopt(client, SOL_SOCKET, SO_LINGER, set)).toBe(linger.size);
  expect(set.toJSON()).toEqual({ l_onoff: 1, l_linger: 0 });
  close(client);
  expect(errorOf(() => recv(server, new Uint8Array(8))).code).toBe('ECONNRESET');
  expect(getOption(server, 'TCP_INFO').tcpi_state).toBe(TCP_CLOSE);
});

test('TCP_SAVED_SYN gives the headers of the SYN, once', () => {
  const { fd: listener, address } = listening(tcp);
  setOption(listener, 'TCP_SAVE_SYN', 1);
  const client = opened(socket(AF_INET, SOCK_STREAM));
  connect(client, address);
  const server = opened(accept(listener));
  const syn = getOption(server, 'TCP_SAVED_SYN');
  const view = new DataView(syn.buffer, syn.byteOffset, syn.length);
  const header = ((syn[0] as number) & 15) * 4;
  expect(Array.from(syn.subarray(12, 16))).toEqual([127, 0, 0, 1]);
  expect([view.getUint16(header), view.getUint16(header + 2)]).toEqual([getsockname(client).port, address.port]);
  expect((syn[header + 13] as number) & 0x12).toBe(0x02); // SYN, and no ACK
  expect(getOption(server, 'TCP_SAVED_SYN').length).toBe(0);
});

test('TCP_DEFER_ACCEPT: the connection is there when its data is', () => {
  const { fd: listener, address } = listening(tcp);
  setOption(listener, 'TCP_DEFER_ACCEPT', 10);
  const client = opened(socket(AF_INET, SOCK_STREAM));
  connect(client, address);
  const ready = new PollFds(1).set(0, listener, 1);
  expect(poll(ready, 50)).toBe(0);
  write(client, bytes('data'));
  expect(poll(ready, 10_000)).toBe(1);
  expect(ioctl(opened(accept(listener)), FIONREAD)).toBe(4);
});

describe.skipIf(!kindOf('Multipath TCP'))('Multipath TCP (where the kernel has it)', () => {
  const mptcp = kindOf('Multipath TCP') as Kind;

  test('tells of the connection and of each path', async () => {
    const [client, server] = connected(mptcp);
    const buffer = new Uint8Array(64);
    write(client, bytes('over one path'));
    expect(text(buffer, read(server, buffer))).toBe('over one path');

    const info = getOption(client, 'MPTCP_INFO');
    expect(info.mptcpi_token).not.toBe(0);
    if (info.mptcpi_bytes_sent !== undefined) expect(info.mptcpi_bytes_sent).toBe(13n);
    const paths = getOption(client, 'MPTCP_TCPINFO');
    expect(paths.map(({ tcpi_state }) => tcpi_state)).toEqual([TCP_ESTABLISHED]);
    const addresses = getOption(client, 'MPTCP_SUBFLOW_ADDRS');
    expect(addresses.map(({ ss_local, ss_remote }) => [`${ss_local}`, `${ss_remote}`])).toEqual([
      [`${getsockname(client)}`, `${getpeername(client)}`],
    ]);
  });

  test('of an older kernel tells less of each path', () => {
    // As Linux 6.1 answers: 232 bytes of struct tcp_info, in which the state is the first.
    const header = new mptcp_subflow_data({ size_subflow_data: 16, num_subflows: 2, size_kernel: 232, size_user: 232 });
    const [one, other] = [new Uint8Array(232).fill(TCP_ESTABLISHED), new Uint8Array(232).fill(TCP_CLOSE_WAIT)];
    const paths = optionTable.MPTCP_TCPINFO.content.decode(Buffer.concat([header.bytes, one, other]));
    expect(paths.map(({ tcpi_state }) => tcpi_state)).toEqual([TCP_ESTABLISHED, TCP_CLOSE_WAIT]);
    expect(paths.map(({ tcpi_rcv_wnd }) => tcpi_rcv_wnd)).toEqual([undefined, undefined]);
    for (const length of [0, 15, 16, 100]) {
      expect(optionTable.MPTCP_TCPINFO.content.decode(header.bytes.slice(0, length))).toEqual([]);
    }
  });

  test('falls back to TCP where the peer has only that', () => {
    const { fd: listener, address } = listening(tcp);
    const client = opened(socket(AF_INET, SOCK_STREAM, IPPROTO_MPTCP));
    connect(client, address);
    const server = opened(accept(listener));
    write(client, bytes('plain'));
    const buffer = new Uint8Array(8);
    expect(text(buffer, read(server, buffer))).toBe('plain');
    // TCP_IS_MPTCP is of Linux 6.10.
    if (raw.getsockopt(client, IPPROTO_TCP, 43, new Uint8Array(4)) === 0) {
      expect(getOption(client, 'TCP_IS_MPTCP')).toBe(false);
    }
    expect(errorOf(() => getOption(client, 'MPTCP_INFO')).code).toMatch(/EOPNOTSUPP|ENOPROTOOPT/);
  });
});
