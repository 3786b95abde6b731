import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import {
  AF_ALG,
  accept,
  BPF_K,
  BPF_RET,
  BPF_STMT,
  bind,
  close,
  getOption,
  getsockname,
  if_nametoindex,
  PACKET_FANOUT_CBPF,
  PACKET_FANOUT_ROLLOVER,
  PACKET_MR_MULTICAST,
  raw,
  recv,
  SO_J1939_FILTER,
  SOCK_SEQPACKET,
  SOL_CAN_J1939,
  SOL_TIPC,
  SockAddr,
  send,
  sendto,
  setOption,
  setsockopt,
  sockaddr_alg,
  sockaddr_ll,
  socket,
  TIPC_NODE_RECVQ_DEPTH,
  TIPC_NODELAY,
  TPACKET_V2,
} from 'posix-sockets';
import { expect } from 'vitest';
import { inPython } from '../message-support.js';
import { bytes, errorOf, havePython, opened } from '../support.js';
import { bytesOf, type Exercises } from './exercise.js';
import { lacks, places } from './places.js';

const lo = if_nametoindex('lo');
const experimental = 0x88b5; // a protocol number for experiments: IEEE 802

/** A packet socket on loopback. */
function onLoopback(): number {
  const fd = places.packet();
  bind(fd, sockaddr_ll(experimental, lo));
  return fd;
}

/** The groups of a netlink socket: a bit for each, the first for group 1. */
const memberships = (fd: number) => getOption(fd, 'NETLINK_LIST_MEMBERSHIPS')[0];

let groups = 100;

/** A frame address that nobody else wants, as the option takes it, and as /proc/net/dev_mcast shows it. */
function membership() {
  const last = groups++;
  return {
    value: {
      mr_ifindex: lo,
      mr_type: PACKET_MR_MULTICAST,
      mr_alen: 6,
      mr_address: Uint8Array.of(1, 0, 94, 1, 2, last),
    },
    isThere: () =>
      new RegExp(`^\\d+\\s+lo\\s.*01005e0102${last.toString(16)}$`, 'm').test(
        readFileSync('/proc/net/dev_mcast', 'utf8'),
      ),
  };
}
const ring = { tp_block_size: 4096, tp_block_nr: 1, tp_frame_size: 2048, tp_frame_nr: 2 };

/** A ring is made; what it is made of cannot be changed any more. */
const packetRing = (name: 'PACKET_RX_RING' | 'PACKET_TX_RING') => () => {
  const fd = places.packet();
  setOption(fd, name, ring);
  expect(errorOf(() => setOption(fd, 'PACKET_VERSION', TPACKET_V2)).code).toBe('EBUSY');
  setOption(fd, name, { tp_block_nr: 0 });
  setOption(fd, 'PACKET_VERSION', TPACKET_V2);
};

/** A ring of a power of two, made once. */
const xdpRing = (name: 'XDP_RX_RING' | 'XDP_TX_RING' | 'XDP_UMEM_FILL_RING' | 'XDP_UMEM_COMPLETION_RING') => () => {
  const fd = places.xdp();
  for (const [entries, code] of [
    [63, 'EINVAL'],
    [64, undefined],
    [64, 'EINVAL'],
  ] as const) {
    if (code) expect(errorOf(() => setOption(fd, name, entries)).code).toBe(code);
    else setOption(fd, name, entries);
  }
};

// ---- TIPC

const group = { type: 4711, instance: 1, scope: 3 }; // TIPC_NODE_SCOPE
/** Options that are set by being named: no value belongs to them. */
const named = (name: 'TIPC_MCAST_BROADCAST' | 'TIPC_MCAST_REPLICAST') => () => {
  const fd = places.tipcDatagram();
  setOption(fd, name, new Uint8Array(0));
  expect(errorOf(() => setOption(fd, name, Uint8Array.of(1, 0, 0, 0))).code).toBe('EINVAL');
};

/** A TIPC socket that has sent itself a datagram, which it has not read. */
function withOneWaiting(): number {
  const fd = places.tipcDatagram();
  bind(fd, SockAddr.from(Uint8Array.of()));
  sendto(fd, bytes('hello'), 0, getsockname(fd));
  return fd;
}

// ---- the kernel's ciphers

/** An AF_ALG socket for an algorithm, if the kernel has it. */
function cipher(type: string, name: string): number {
  const fd = opened(socket(AF_ALG, SOCK_SEQPACKET));
  const answer = raw.bind(fd, sockaddr_alg(type, name).bytes);
  return answer === 0 ? fd : lacks(`this kernel has no ${name} to lend`);
}

/** The number of a key that Python puts into this user's keyring: keyrings(7). */
function keySerial(name: string, content: string): number {
  if (!havePython) lacks('needs python3');
  const program = `
import ctypes, platform
libc = ctypes.CDLL(None, use_errno=True)
add_key, keyctl = {'x86_64': (248, 250), 'aarch64': (217, 219)}[platform.machine()]
user_keyring, set_permissions, everything = -4, 5, 0x3f3f0000
key = libc.syscall(ctypes.c_long(add_key), b'user', b'${name}', b'${content}', ctypes.c_long(${content.length}), user_keyring)
if key < 0 or libc.syscall(ctypes.c_long(keyctl), set_permissions, key, everything) < 0: raise OSError(ctypes.get_errno(), 'keys')
print(key)`;
  return Number(inPython(program, 0));
}

const hmac = (fd: number, content: string) => {
  const operation = opened(accept(fd));
  send(operation, bytes(content));
  const digest = Buffer.alloc(32);
  recv(operation, digest);
  close(operation); // a key cannot be changed while it is in use
  return digest.toString('hex');
};
const nodeHmac = (key: string, content: string) => createHmac('sha256', key).update(content).digest('hex');

export const familyExercises: Exercises = {
  PACKET_ADD_MEMBERSHIP() {
    const { value, isThere } = membership();
    setOption(places.packet(), 'PACKET_ADD_MEMBERSHIP', value);
    expect(isThere()).toBe(true);
  },
  PACKET_DROP_MEMBERSHIP() {
    const fd = places.packet();
    const { value, isThere } = membership();
    setOption(fd, 'PACKET_ADD_MEMBERSHIP', value);
    setOption(fd, 'PACKET_DROP_MEMBERSHIP', value);
    expect(isThere()).toBe(false);
  },
  PACKET_RX_RING: packetRing('PACKET_RX_RING'),
  PACKET_TX_RING: packetRing('PACKET_TX_RING'),
  PACKET_STATISTICS() {
    const fd = onLoopback();
    const frame = Uint8Array.of(...new Array(12).fill(0), experimental >> 8, experimental & 255, 1, 2, 3);
    sendto(places.packet(), frame, 0, sockaddr_ll(experimental, lo));
    recv(fd, new Uint8Array(64));
    expect(getOption(fd, 'PACKET_STATISTICS')).toMatchObject({ tp_packets: 1, tp_drops: 0 });
  },
  PACKET_HDRLEN() {
    const fd = places.packet();
    const lengths = [0, 1, 2].map((version) => getOption(fd, 'PACKET_HDRLEN', version));
    expect(lengths).toEqual([32, 32, 48]); // sizeof tpacket_hdr, tpacket2_hdr, tpacket3_hdr
  },
  PACKET_FANOUT() {
    const fd = onLoopback();
    const wanted = groups++ | (PACKET_FANOUT_CBPF << 16);
    setOption(fd, 'PACKET_FANOUT', wanted);
    expect(getOption(fd, 'PACKET_FANOUT')).toBe(wanted);
  },
  PACKET_FANOUT_DATA() {
    const fd = onLoopback();
    const first = [BPF_STMT(BPF_RET | BPF_K, 0)];
    expect(errorOf(() => setOption(fd, 'PACKET_FANOUT_DATA', first)).code).toBe('EINVAL');
    setOption(fd, 'PACKET_FANOUT', groups++ | (PACKET_FANOUT_CBPF << 16));
    setOption(fd, 'PACKET_FANOUT_DATA', first);
  },
  PACKET_ROLLOVER_STATS() {
    const fd = onLoopback();
    setOption(fd, 'PACKET_FANOUT', groups++ | (PACKET_FANOUT_ROLLOVER << 16));
    expect(getOption(fd, 'PACKET_ROLLOVER_STATS').toJSON()).toEqual({ tp_all: 0n, tp_huge: 0n, tp_failed: 0n });
  },

  NETLINK_ADD_MEMBERSHIP() {
    const fd = places.netlink();
    setOption(fd, 'NETLINK_ADD_MEMBERSHIP', 3);
    expect(memberships(fd)).toBe(1 << 2);
  },
  NETLINK_DROP_MEMBERSHIP() {
    const fd = places.netlink();
    for (const group of [3, 5]) setOption(fd, 'NETLINK_ADD_MEMBERSHIP', group);
    setOption(fd, 'NETLINK_DROP_MEMBERSHIP', 3);
    expect(memberships(fd)).toBe(1 << 4);
  },
  NETLINK_LIST_MEMBERSHIPS() {
    const fd = places.netlink();
    setOption(fd, 'NETLINK_ADD_MEMBERSHIP', 3);
    expect(memberships(fd)).toBe(1 << 2);
  },

  XDP_RX_RING: xdpRing('XDP_RX_RING'),
  XDP_TX_RING: xdpRing('XDP_TX_RING'),
  XDP_UMEM_FILL_RING: xdpRing('XDP_UMEM_FILL_RING'),
  XDP_UMEM_COMPLETION_RING: xdpRing('XDP_UMEM_COMPLETION_RING'),
  XDP_MAX_TX_SKB_BUDGET() {
    const fd = places.xdp();
    setOption(fd, 'XDP_TX_RING', 64);
    setOption(fd, 'XDP_MAX_TX_SKB_BUDGET', 64);
    expect(errorOf(() => setOption(fd, 'XDP_MAX_TX_SKB_BUDGET', 65)).code).toBe('EACCES'); // more than the ring has
  },
  XDP_MMAP_OFFSETS() {
    const { rx, tx } = getOption(places.xdp(), 'XDP_MMAP_OFFSETS');
    expect(rx.desc).toBeGreaterThan(rx.producer);
    expect(rx.consumer).not.toBe(rx.producer);
    expect(tx.toJSON()).toEqual(rx.toJSON());
  },
  XDP_STATISTICS: () =>
    expect(getOption(places.xdp(), 'XDP_STATISTICS')).toMatchObject({ rx_dropped: 0n, tx_invalid_descs: 0n }),
  XDP_OPTIONS: () => expect(getOption(places.xdp(), 'XDP_OPTIONS').toJSON()).toEqual({ flags: 0 }),

  SO_J1939_FILTER() {
    const fd = places.j1939();
    setOption(fd, 'SO_J1939_FILTER', [{ pgn: 0x12300, pgn_mask: 0x3ff00 }]);
    setOption(fd, 'SO_J1939_FILTER', []); // everything again
    const half = errorOf(() => setsockopt(fd, SOL_CAN_J1939, SO_J1939_FILTER, new Uint8Array(20)));
    expect(half.code).toBe('EINVAL');
  },

  TIPC_NODE_RECVQ_DEPTH: () =>
    expect(bytesOf(places.tipcDatagram(), SOL_TIPC, TIPC_NODE_RECVQ_DEPTH)).toEqual([0, 0, 0, 0]),
  TIPC_SOCK_RECVQ_DEPTH: () => expect(getOption(withOneWaiting(), 'TIPC_SOCK_RECVQ_DEPTH')).toBe(1),
  TIPC_SOCK_RECVQ_USED: () => expect(getOption(withOneWaiting(), 'TIPC_SOCK_RECVQ_USED')).toBeGreaterThan(0),
  TIPC_MCAST_BROADCAST: named('TIPC_MCAST_BROADCAST'),
  TIPC_MCAST_REPLICAST: named('TIPC_MCAST_REPLICAST'),
  TIPC_NODELAY() {
    const fd = places.tipc();
    setOption(fd, 'TIPC_NODELAY', 1);
    expect(errorOf(() => setsockopt(fd, SOL_TIPC, TIPC_NODELAY, new Uint8Array(3))).code).toBe('EINVAL');
  },
  TIPC_GROUP_JOIN() {
    const fd = places.tipcDatagram();
    setOption(fd, 'TIPC_GROUP_JOIN', group);
    expect(getOption(fd, 'TIPC_GROUP_JOIN').type).toBe(group.type); // and of the rest it tells nothing
  },
  TIPC_GROUP_LEAVE() {
    const fd = places.tipcDatagram();
    setOption(fd, 'TIPC_GROUP_JOIN', group);
    setOption(fd, 'TIPC_GROUP_LEAVE', new Uint8Array(0));
    expect(errorOf(() => setOption(fd, 'TIPC_GROUP_LEAVE', new Uint8Array(0))).code).toBe('EINVAL');
  },

  ALG_SET_KEY() {
    const fd = cipher('hash', 'hmac(sha256)');
    for (const key of ['one', 'another']) {
      setOption(fd, 'ALG_SET_KEY', bytes(key));
      expect(hmac(fd, 'hello')).toBe(nodeHmac(key, 'hello'));
    }
  },
  ALG_SET_AEAD_AUTHSIZE() {
    const fd = cipher('aead', 'gcm(aes)');
    setOption(fd, 'ALG_SET_AEAD_AUTHSIZE', new Uint8Array(16));
    expect(errorOf(() => setOption(fd, 'ALG_SET_AEAD_AUTHSIZE', new Uint8Array(17))).code).toBe('EINVAL');
  },
  ALG_SET_DRBG_ENTROPY() {
    const fd = cipher('rng', 'drbg_nopr_sha256');
    setOption(fd, 'ALG_SET_DRBG_ENTROPY', new Uint8Array(48).fill(7));
    const numbers = () => {
      const room = new Uint8Array(32);
      recv(opened(accept(fd)), room);
      return room;
    };
    expect(numbers()).not.toEqual(new Uint8Array(32));
  },
  ALG_SET_KEY_BY_KEY_SERIAL() {
    const fd = cipher('hash', 'hmac(sha256)');
    setOption(fd, 'ALG_SET_KEY', bytes('another'));
    setOption(fd, 'ALG_SET_KEY_BY_KEY_SERIAL', keySerial('posix-sockets', 'one'));
    expect(hmac(fd, 'hello')).toBe(nodeHmac('one', 'hello'));
  },
};
