import { existsSync, readFileSync } from 'node:fs';
import {
  AF_INET,
  AF_PACKET,
  AF_UNIX,
  BPF_K,
  BPF_RET,
  BPF_STMT,
  bind,
  ECONNREFUSED,
  ENOPROTOOPT,
  EOPNOTSUPP,
  ETH_P_IPV6,
  getOption,
  getpeername,
  getsockname,
  IPPROTO_TCP,
  if_nametoindex,
  listen,
  MsgHdr,
  POLLIN,
  PollFds,
  poll,
  raw,
  recv,
  recvFds,
  recvmsg,
  SO_BSDCOMPAT,
  SO_INCOMING_NAPI_ID,
  SO_PEERSEC,
  SO_RESERVE_MEM,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_SOCKET,
  type SockAddr,
  send,
  sendto,
  setOption,
  setsockopt,
  sockaddr_in,
  sockaddr_ll,
  socket,
  socketpair,
} from 'posix-sockets';
import { expect } from 'vitest';
import { inPython } from '../message-support.js';
import { bytes, connected, connectedKinds, errorOf, havePython, isRoot, opened, until } from '../support.js';
import { bytesOf, type Exercises } from './exercise.js';
import { lacks, needsRoot, places } from './places.js';

const pair = (type: number) => socketpair(AF_UNIX, type).map(opened) as [number, number];

/** Two UDP sockets that share a port, and where they are. */
function sharing(): { fds: [number, number]; address: SockAddr } {
  const fds: [number, number] = [places.udp(), places.udp()];
  for (const fd of fds) setOption(fd, 'SO_REUSEPORT', true);
  bind(fds[0], sockaddr_in('127.0.0.1', 0));
  const address = getsockname(fds[0]);
  bind(fds[1], address);
  return { fds, address };
}

/** Sends a datagram there. @returns which of two sockets it came to */
function whoReceives(fds: [number, number], address: SockAddr): number {
  sendto(fds[0], bytes('?'), 0, address);
  const waiting = new PollFds(2).set(0, fds[0], POLLIN).set(1, fds[1], POLLIN);
  expect(poll(waiting, 5000)).toBe(1);
  const which = waiting.revents(0) === POLLIN ? 0 : 1;
  recv(fds[which] as number, new Uint8Array(9));
  return which;
}

// A socket filter sees the eight bytes of UDP's header, too.
const cutTo = (length: number) => BPF_STMT(BPF_RET | BPF_K, 8 + length);

/** What is left of a datagram that a socket sends itself. */
function arrives(fd: number): string {
  send(fd, bytes('hello'));
  const buffer = new Uint8Array(9);
  return new TextDecoder().decode(buffer.subarray(0, recv(fd, buffer)));
}

/** An eBPF socket filter, `return value`, which Python loads by bpf(2) and passes here. */
function returning(value: number): number {
  if (!havePython) lacks('needs python3');
  needsRoot();
  const [ours, theirs] = pair(SOCK_STREAM);
  const program = `
import ctypes, os, platform, socket, struct
libc = ctypes.CDLL(None, use_errno=True)
text = lambda content: ctypes.create_string_buffer(content)
program = text(struct.pack('BBhi', 0xb7, 0, 0, ${value}) + struct.pack('BBhi', 0x95, 0, 0, 0)) # r0 = value; exit
license = text(b'GPL')
load, socket_filter = 5, 1
attributes = struct.pack('IIQQ', socket_filter, 2, ctypes.addressof(program), ctypes.addressof(license)) + bytes(96)
call = {'x86_64': 321, 'aarch64': 280}[platform.machine()]
fd = libc.syscall(ctypes.c_long(call), load, text(attributes), len(attributes))
if fd < 0: raise OSError(ctypes.get_errno(), 'bpf')
socket.send_fds(socket.socket(fileno=3), [b'.'], [fd])`;
  inPython(program, theirs);
  return opened(recvFds(ours, 1).fds[0] as number);
}

/** What a force option sets beyond the limit that the other has, or why it may not. */
function forced(name: 'SO_SNDBUFFORCE' | 'SO_RCVBUFFORCE', limited: 'SO_SNDBUF' | 'SO_RCVBUF'): void {
  const fd = places.udp();
  const wanted = 2 ** 28; // more than net.core.wmem_max, which cannot be read in a namespace of every kernel
  setOption(fd, limited, wanted);
  expect(getOption(fd, limited)).toBeLessThan(2 * wanted);
  if (!isRoot) return void expect(errorOf(() => setOption(fd, name, wanted)).code).toBe('EPERM');
  setOption(fd, name, wanted);
  expect(getOption(fd, limited)).toBe(2 * wanted);
}

export const socketExercises: Exercises = {
  SO_TYPE: () => expect(getOption(places.tcp(), 'SO_TYPE')).toBe(SOCK_STREAM),
  SO_DOMAIN: () => expect(getOption(places.tcp(), 'SO_DOMAIN')).toBe(AF_INET),
  SO_PROTOCOL: () => expect(getOption(places.tcp(), 'SO_PROTOCOL')).toBe(IPPROTO_TCP),
  SO_SNDLOWAT: () => expect(getOption(places.tcp(), 'SO_SNDLOWAT')).toBe(1),
  async SO_ERROR() {
    const nobody = places.tcp();
    bind(nobody, sockaddr_in('127.0.0.1', 0)); // bound, and not listening
    const fd = opened(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK));
    raw.connect(fd, getsockname(nobody).bytes);
    await until(() => poll(new PollFds(1).set(0, fd, POLLIN), 0) === 1, 'it is refused');
    expect(getOption(fd, 'SO_ERROR')).toBe(ECONNREFUSED);
    expect(getOption(fd, 'SO_ERROR')).toBe(0); // told once
  },
  SO_ACCEPTCONN() {
    const fd = places.tcp();
    expect(getOption(fd, 'SO_ACCEPTCONN')).toBe(false);
    listen(fd, 1);
    expect(getOption(fd, 'SO_ACCEPTCONN')).toBe(true);
  },
  // They do nothing any more, and still want an int.
  SO_BSDCOMPAT() {
    const fd = places.udp();
    setOption(fd, 'SO_BSDCOMPAT', true);
    expect(bytesOf(fd, SOL_SOCKET, SO_BSDCOMPAT)).toEqual([0, 0, 0, 0]);
    expect(errorOf(() => setsockopt(fd, SOL_SOCKET, SO_BSDCOMPAT, new Uint8Array(1))).code).toBe('EINVAL');
  },

  SO_SNDBUFFORCE: () => forced('SO_SNDBUFFORCE', 'SO_SNDBUF'),
  SO_RCVBUFFORCE: () => forced('SO_RCVBUFFORCE', 'SO_RCVBUF'),
  SO_RESERVE_MEM() {
    const fd = places.tcp();
    expect(bytesOf(fd, SOL_SOCKET, SO_RESERVE_MEM)).toEqual([0, 0, 0, 0]);
    // Only a memory group with a limit on sockets has memory to reserve.
    const answer = raw.setsockopt(fd, SOL_SOCKET, SO_RESERVE_MEM, 65_536);
    if (answer === -EOPNOTSUPP) return;
    expect(answer).toBe(0);
    expect(getOption(fd, 'SO_RESERVE_MEM')).toBeGreaterThanOrEqual(65_536);
  },
  SO_MEMINFO() {
    const fd = places.udp();
    const [received, receiveRoom, , sendRoom] = getOption(fd, 'SO_MEMINFO');
    expect([received, receiveRoom, sendRoom]).toEqual([0, getOption(fd, 'SO_RCVBUF'), getOption(fd, 'SO_SNDBUF')]);
  },

  SO_ATTACH_FILTER() {
    const fd = places.connectedUdp();
    setOption(fd, 'SO_ATTACH_FILTER', [cutTo(2)]);
    expect(arrives(fd)).toBe('he');
  },
  SO_GET_FILTER() {
    const fd = places.udp();
    setOption(fd, 'SO_ATTACH_FILTER', [cutTo(2)]);
    expect(getOption(fd, 'SO_GET_FILTER').map((each) => each.toJSON())).toEqual([cutTo(2).toJSON()]);
  },
  SO_DETACH_FILTER() {
    const fd = places.connectedUdp();
    setOption(fd, 'SO_ATTACH_FILTER', [cutTo(2)]);
    setOption(fd, 'SO_DETACH_FILTER', 0);
    expect(arrives(fd)).toBe('hello');
    expect(errorOf(() => setOption(fd, 'SO_DETACH_FILTER', 0)).code).toBe('ENOENT');
  },
  SO_ATTACH_BPF() {
    const fd = places.connectedUdp();
    setOption(fd, 'SO_ATTACH_BPF', returning(8 + 3));
    expect(arrives(fd)).toBe('hel');
    expect(errorOf(() => setOption(fd, 'SO_ATTACH_BPF', fd)).code).toBe('EINVAL'); // no program
  },
  SO_DETACH_BPF() {
    const fd = places.connectedUdp();
    setOption(fd, 'SO_ATTACH_BPF', returning(8 + 3));
    setOption(fd, 'SO_DETACH_BPF', 0);
    expect(arrives(fd)).toBe('hello');
  },
  SO_ATTACH_REUSEPORT_CBPF() {
    const { fds, address } = sharing();
    for (const index of [1, 0]) {
      setOption(fds[0], 'SO_ATTACH_REUSEPORT_CBPF', [BPF_STMT(BPF_RET | BPF_K, index)]);
      expect(whoReceives(fds, address)).toBe(index);
    }
  },
  SO_ATTACH_REUSEPORT_EBPF() {
    const { fds, address } = sharing();
    for (const index of [1, 0]) {
      setOption(fds[0], 'SO_ATTACH_REUSEPORT_EBPF', returning(index));
      expect(whoReceives(fds, address)).toBe(index);
    }
  },
  SO_DETACH_REUSEPORT_BPF() {
    const { fds } = sharing();
    setOption(fds[0], 'SO_ATTACH_REUSEPORT_CBPF', [BPF_STMT(BPF_RET | BPF_K, 1)]);
    setOption(fds[0], 'SO_DETACH_REUSEPORT_BPF', 0);
    expect(errorOf(() => setOption(fds[0], 'SO_DETACH_REUSEPORT_BPF', 0)).code).toBe('ENOENT');
  },
  SO_BPF_EXTENSIONS: () => expect(getOption(places.tcp(), 'SO_BPF_EXTENSIONS')).toBeGreaterThanOrEqual(64), // SKF_AD_MAX

  // The route to the peer is doubted: the flow label changes, so that routers may take another path.
  SO_CNX_ADVICE() {
    needsRoot();
    const [client, server] = connected(new Map(connectedKinds).get('TCP over IPv6') ?? lacks('needs IPv6'));
    const { port } = getsockname(server);
    const sniffer = opened(socket(AF_PACKET, SOCK_DGRAM));
    bind(sniffer, sockaddr_ll(ETH_P_IPV6, if_nametoindex('lo')));
    setOption(sniffer, 'SO_RCVTIMEO', { tv_sec: 5 });
    const flowLabel = () => {
      send(client, bytes('x'));
      const packet = Buffer.alloc(256);
      const [push, ipHeader] = [8, 40];
      do recv(sniffer, packet);
      while (
        packet[6] !== IPPROTO_TCP ||
        packet.readUInt16BE(ipHeader + 2) !== port ||
        !(packet.readUInt8(ipHeader + 13) & push)
      );
      return packet.readUInt32BE(0) & 0xfffff;
    };
    const before = flowLabel();
    expect(flowLabel()).toBe(before);
    setOption(client, 'SO_CNX_ADVICE', 1);
    expect(flowLabel()).not.toBe(before);
  },
  SO_BUSY_POLL_BUDGET() {
    const fd = places.udp();
    const tooMany = errorOf(() => setOption(fd, 'SO_BUSY_POLL_BUDGET', 65_536));
    expect(tooMany.code).toBe(isRoot ? 'EINVAL' : 'EPERM');
    setOption(fd, 'SO_BUSY_POLL_BUDGET', 1);
  },
  SO_INCOMING_NAPI_ID() {
    // Loopback has no queues.
    expect(bytesOf(places.connectedTcp(), SOL_SOCKET, SO_INCOMING_NAPI_ID)).toEqual([0, 0, 0, 0]);
  },
  SO_DEVMEM_DONTNEED() {
    setOption(places.tcp(), 'SO_DEVMEM_DONTNEED', [{ token_start: 0, token_count: 1 }]); // which it does not hold
    const noTcp = errorOf(() => setOption(places.udp(), 'SO_DEVMEM_DONTNEED', [{ token_start: 0, token_count: 1 }]));
    expect(noTcp.code).toBe(noTcp.code === 'ENOPROTOOPT' ? lacks('this kernel has no such option') : 'EBADF');
  },

  SO_PEERNAME() {
    const fd = places.connectedTcp();
    expect(`${getOption(fd, 'SO_PEERNAME')}`).toBe(`${getpeername(fd)}`);
  },
  SO_PEERCRED() {
    const [fd] = pair(SOCK_STREAM);
    const own = { pid: process.pid, uid: process.getuid?.(), gid: process.getgid?.() };
    expect(getOption(fd, 'SO_PEERCRED').toJSON()).toEqual(own);
  },
  SO_PEERGROUPS() {
    const before = process.getgroups?.() ?? [];
    if (isRoot) process.setgroups?.([7, 11]);
    try {
      const groups = (readFileSync('/proc/self/status', 'utf8').match(/^Groups:(.*)$/m)?.[1] ?? '').match(/\d+/g) ?? [];
      if (groups.length === 0) lacks('this user is in no group');
      expect(getOption(pair(SOCK_STREAM)[0], 'SO_PEERGROUPS')).toEqual(groups.map(Number));
    } finally {
      if (isRoot) process.setgroups?.(before);
    }
  },
  SO_PEERPIDFD() {
    const pidfd = getOption(pair(SOCK_STREAM)[0], 'SO_PEERPIDFD');
    expect(pidfd).toBeGreaterThan(2); // or it would be 0, which is not ours to close
    opened(pidfd);
    expect(readFileSync(`/proc/self/fdinfo/${pidfd}`, 'utf8')).toMatch(new RegExp(`^Pid:\\s+${process.pid}$`, 'm'));
  },
  SO_PEERSEC() {
    const mine = '/proc/self/attr/current';
    const [fd] = pair(SOCK_STREAM);
    const answer = raw.getsockopt(fd, SOL_SOCKET, SO_PEERSEC, new Uint8Array(256));
    if (answer === -ENOPROTOOPT) lacks('needs a security module that labels sockets');
    if (!existsSync(mine)) lacks('needs /proc/self/attr');
    expect(getOption(fd, 'SO_PEERSEC')).toBe(readFileSync(mine, 'utf8').replace(/[\0\n].*$/s, ''));
  },
  SO_COOKIE() {
    const [one, other] = [places.tcp(), places.tcp()].map((fd) => getOption(fd, 'SO_COOKIE'));
    expect(one).toBeGreaterThan(0n);
    expect(other).toBeGreaterThan(0n);
    expect(other).not.toBe(one);
  },
  SO_NETNS_COOKIE() {
    const [one, other] = [places.tcp(), places.udp()].map((fd) => getOption(fd, 'SO_NETNS_COOKIE'));
    expect(one).toBeGreaterThan(0n);
    expect(other).toBe(one);
  },
  SO_INQ() {
    const [one, other] = pair(SOCK_STREAM);
    setOption(other, 'SO_INQ', true);
    send(one, bytes('hello'));
    const message = new MsgHdr({ iov: new Uint8Array(2), control: ['SCM_INQ'] });
    recvmsg(other, message);
    expect(message.control?.get('SCM_INQ')).toBe(3);
  },
};
