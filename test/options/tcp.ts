// What the options of TCP, Multipath TCP and TLS do that a value read back would not show.
import { readFileSync } from 'node:fs';
import {
  accept,
  connect,
  getOption,
  getsockname,
  IPPROTO_TCP,
  recv,
  send,
  setOption,
  setsockopt,
  sockaddr_in,
  TCP_ESTABLISHED,
  TCP_MD5SIG_FLAG_PREFIX,
  TCP_RECV_QUEUE,
  TCP_REPAIR_ON,
  TCP_SEND_QUEUE,
  TCP_THIN_DUPACK,
  TLS_1_3_VERSION,
  TLS_CIPHER_AES_GCM_128,
  tcp_ao_getsockopt,
} from 'posix-sockets';
import { expect } from 'vitest';
import { bytes, connected, connectedKinds, errorOf, type Kind, listening, opened } from '../support.js';
import { bytesOf, type Exercises } from './exercise.js';
import { aesKey, lacks, places } from './places.js';

const kinds = new Map(connectedKinds);
const tcp = kinds.get('TCP over IPv4') as Kind;
const pathsOf = (fd: number) => getOption(fd, 'MPTCP_SUBFLOW_ADDRS');
const mptcp = () => connected(kinds.get('Multipath TCP') ?? lacks('this kernel has no Multipath TCP'));

/** A socket under repair, before it has a connection. */
function underRepair(): number {
  const fd = places.tcp();
  setOption(fd, 'TCP_REPAIR', TCP_REPAIR_ON);
  return fd;
}

/** MD5 signatures: a key that is taken, found when it is removed, and then no more. */
function md5(name: 'TCP_MD5SIG' | 'TCP_MD5SIG_EXT', more: object): void {
  const fd = places.tcp();
  const key = { tcpm_addr: sockaddr_in('127.0.0.0', 0), ...more };
  setOption(fd, name, { ...key, tcpm_keylen: 6, tcpm_key: bytes('secret') });
  setOption(fd, name, { ...key, tcpm_keylen: 0 });
  expect(errorOf(() => setOption(fd, name, { ...key, tcpm_keylen: 0 })).code).toBe('ENOENT');
}

// ---- the Authentication Option: RFC 5925

/** A key for everybody on this machine, number 100 as it is sent and 200 as it arrives. */
const key = {
  addr: sockaddr_in('127.0.0.0', 0),
  prefix: 8,
  alg_name: 'hmac(sha1)',
  sndid: 100,
  rcvid: 200,
  keylen: 6,
  key: bytes('secret'),
};
const keysOf = (fd: number) => getOption(fd, 'TCP_AO_GET_KEYS', [new tcp_ao_getsockopt({ nkeys: 8, get_all: 1 })]);
const numbersOf = (fd: number) => keysOf(fd).map(({ sndid, rcvid }) => [sndid, rcvid]);
function withKey(): number {
  const fd = places.tcp();
  setOption(fd, 'TCP_AO_ADD_KEY', key);
  return fd;
}

export const tcpExercises: Exercises = {
  TCP_INFO: () => expect(getOption(places.connectedTcp(), 'TCP_INFO').tcpi_state).toBe(TCP_ESTABLISHED),
  TCP_CC_INFO() {
    const available = readFileSync('/proc/sys/net/ipv4/tcp_available_congestion_control', 'utf8').split(/\s+/);
    const fd = places.connectedTcp();
    if (available.includes('bbr')) {
      setOption(fd, 'TCP_CONGESTION', 'bbr');
      expect(getOption(fd, 'TCP_CC_INFO').bbr.bbr_min_rtt).toBeGreaterThan(0);
    } else if (available.includes('dctcp')) {
      setOption(fd, 'TCP_CONGESTION', 'dctcp');
      expect(getOption(fd, 'TCP_CC_INFO').dctcp.dctcp_enabled).toBeTypeOf('number');
    } else lacks('this kernel has no congestion control that tells anything');
  },
  TCP_SAVED_SYN() {
    const { fd: listener, address } = listening(tcp);
    setOption(listener, 'TCP_SAVE_SYN', 1);
    connect(places.tcp(), address);
    const syn = getOption(opened(accept(listener)), 'TCP_SAVED_SYN');
    expect([syn[0], syn[9], syn[33]]).toEqual([0x45, IPPROTO_TCP, 2]); // IPv4, TCP, the SYN flag alone
  },
  TCP_MD5SIG: () => md5('TCP_MD5SIG', {}),
  TCP_MD5SIG_EXT: () => md5('TCP_MD5SIG_EXT', { tcpm_flags: TCP_MD5SIG_FLAG_PREFIX, tcpm_prefixlen: 8 }),
  TCP_ULP() {
    const fd = places.connectedTcp();
    expect(getOption(fd, 'TCP_ULP')).toBe('');
    expect(errorOf(() => setOption(fd, 'TCP_ULP', 'none such')).code).toBe('ENOENT');
    try {
      setOption(fd, 'TCP_ULP', 'tls');
    } catch (error) {
      if ((error as { code: string }).code === 'ENOENT') lacks('this kernel has no TLS');
      throw error;
    }
    expect(getOption(fd, 'TCP_ULP')).toBe('tls');
  },
  // It does nothing any more, and still wants an int that is 0 or 1.
  TCP_THIN_DUPACK() {
    const fd = places.tcp();
    setOption(fd, 'TCP_THIN_DUPACK', true);
    expect(bytesOf(fd, IPPROTO_TCP, TCP_THIN_DUPACK)).toEqual([0, 0, 0, 0]);
    expect(errorOf(() => setsockopt(fd, IPPROTO_TCP, TCP_THIN_DUPACK, 2)).code).toBe('EINVAL');
  },

  TCP_QUEUE_SEQ() {
    const fd = underRepair();
    for (const [queue, number] of [
      [TCP_SEND_QUEUE, 0xfeedface],
      [TCP_RECV_QUEUE, 4711],
    ] as const) {
      setOption(fd, 'TCP_REPAIR_QUEUE', queue);
      setOption(fd, 'TCP_QUEUE_SEQ', number);
      expect(getOption(fd, 'TCP_QUEUE_SEQ')).toBe(number);
    }
  },
  TCP_REPAIR_OPTIONS() {
    const fd = places.repairedTcp();
    const maximumSegmentSize = 2; // RFC 9293
    setOption(fd, 'TCP_REPAIR_OPTIONS', [{ opt_code: maximumSegmentSize, opt_val: 999 }]);
    expect(getOption(fd, 'TCP_MAXSEG')).toBe(999);
  },
  TCP_REPAIR_WINDOW() {
    const fd = places.repairedTcp();
    const windows = getOption(fd, 'TCP_REPAIR_WINDOW');
    expect(windows.max_window).toBeGreaterThan(0);
    const wider = { ...windows.toJSON(), max_window: windows.max_window + 1000 };
    setOption(fd, 'TCP_REPAIR_WINDOW', wider);
    expect(getOption(fd, 'TCP_REPAIR_WINDOW').toJSON()).toEqual(wider);
  },
  TCP_TIMESTAMP() {
    const fd = underRepair();
    const clock = getOption(fd, 'TCP_TIMESTAMP');
    expect(clock).toBeGreaterThan(0);
    const other = (clock + 2 ** 31) % 2 ** 32;
    setOption(fd, 'TCP_TIMESTAMP', other);
    const passed = (getOption(fd, 'TCP_TIMESTAMP') - other + 2 ** 32) % 2 ** 32; // milliseconds: the clock runs
    expect(passed).toBeLessThan(60_000);
  },

  TCP_AO_ADD_KEY() {
    expect(numbersOf(withKey())).toEqual([[100, 200]]);
  },
  TCP_AO_DEL_KEY() {
    const fd = withKey();
    setOption(fd, 'TCP_AO_ADD_KEY', { ...key, sndid: 101, rcvid: 201 });
    setOption(fd, 'TCP_AO_DEL_KEY', { addr: key.addr, prefix: 8, sndid: 100, rcvid: 200 });
    expect(numbersOf(fd)).toEqual([[101, 201]]);
  },
  TCP_AO_GET_KEYS() {
    const [found] = keysOf(withKey());
    expect(found).toMatchObject({ alg_name: 'hmac(sha1)', prefix: 8, maclen: 12, keylen: 6 });
    expect(`${found?.addr}`).toBe('127.0.0.0:0');
    expect(found?.key.subarray(0, 6)).toEqual(bytes('secret'));
  },
  TCP_AO_INFO() {
    const fd = withKey();
    expect(getOption(fd, 'TCP_AO_INFO')).toMatchObject({ ao_required: 0, pkt_good: 0n });
    setOption(fd, 'TCP_AO_INFO', { ao_required: 1, set_counters: 1, pkt_good: 42n });
    expect(getOption(fd, 'TCP_AO_INFO')).toMatchObject({ ao_required: 1, pkt_good: 42n });
  },
  TCP_AO_REPAIR() {
    const fd = withKey();
    setOption(fd, 'TCP_REPAIR', TCP_REPAIR_ON);
    const numbers = { snt_isn: 0x01020304, rcv_isn: 0x05060708, snd_sne: 9, rcv_sne: 10 };
    setOption(fd, 'TCP_AO_REPAIR', numbers);
    expect(getOption(fd, 'TCP_AO_REPAIR').toJSON()).toEqual(numbers);
  },

  TCP_IS_MPTCP() {
    expect(getOption(mptcp()[0], 'TCP_IS_MPTCP')).toBe(true);
    expect(getOption(places.connectedTcp(), 'TCP_IS_MPTCP')).toBe(false);
  },
  MPTCP_INFO() {
    const [client, server] = mptcp();
    send(client, bytes('hello'));
    recv(server, new Uint8Array(5));
    expect(getOption(server, 'MPTCP_INFO').mptcpi_rcv_nxt).toBeGreaterThan(0n);
  },
  MPTCP_TCPINFO: () =>
    expect(getOption(mptcp()[0], 'MPTCP_TCPINFO').map((path) => path.tcpi_state)).toEqual([TCP_ESTABLISHED]),
  MPTCP_SUBFLOW_ADDRS() {
    const [client, server] = mptcp();
    const ends = (addresses: ReturnType<typeof pathsOf>) =>
      addresses.map((path) => [`${path.ss_local}`, `${path.ss_remote}`]);
    const [one, other] = [client, server].map((fd) => `${getsockname(fd)}`);
    expect(ends(pathsOf(client))).toEqual([[one, other]]);
  },

  TLS_TX: () => keyed('TLS_TX'),
  TLS_RX: () => keyed('TLS_RX'),
};

/** A key that TLS takes, and of which it tells what it is. */
function keyed(direction: 'TLS_TX' | 'TLS_RX'): void {
  const fd = places.tls();
  setOption(fd, direction, aesKey);
  expect(getOption(fd, direction).toJSON()).toMatchObject({
    version: TLS_1_3_VERSION,
    cipher_type: TLS_CIPHER_AES_GCM_128,
  });
}
