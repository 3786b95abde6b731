import {
  AF_NETLINK,
  AF_PACKET,
  AF_VSOCK,
  accept,
  bind,
  ControlBuffer,
  connect,
  ECONNRESET,
  ETH_P_8021Q,
  ETH_P_ALL,
  getsockname,
  if_nametoindex,
  listen,
  MSG_ZEROCOPY,
  MsgHdr,
  NETLINK_ADD_MEMBERSHIP,
  NETLINK_PKTINFO,
  NETLINK_USERSOCK,
  PACKET_AUXDATA,
  raw,
  recvmsg,
  SCM_DEVMEM_DMABUF,
  SCM_DEVMEM_LINEAR,
  SCM_TIMESTAMPING_PKTINFO,
  SCM_WIFI_STATUS,
  SO_EE_ORIGIN_ZEROCOPY,
  SO_ZEROCOPY,
  SOCK_DGRAM,
  SOCK_RAW,
  SOCK_STREAM,
  SOL_NETLINK,
  SOL_PACKET,
  SOL_SOCKET,
  send,
  sendto,
  setsockopt,
  sockaddr_ll,
  sockaddr_nl,
  sockaddr_vm,
  socket,
  TP_STATUS_VLAN_VALID,
  type tpacket_auxdata,
  VMADDR_CID_LOCAL,
  VMADDR_PORT_ANY,
} from 'posix-sockets';
import { describe, expect, test } from 'vitest';
import { nextError, patient, plain, pythonReceives, receive } from './message-support.js';
import { haveNamespaces, havePython, isRoot, opened, runInNamespace } from './support.js';

// A protocol number for experiments, so that nobody else's frames come.
const experimental = 0x88b5;

describe.skipIf(!isRoot)('PACKET_AUXDATA (needs root)', () => {
  const begin = () => {
    const receiver = patient(socket(AF_PACKET, SOCK_DGRAM));
    bind(receiver, sockaddr_ll(experimental, if_nametoindex('lo')));
    setsockopt(receiver, SOL_PACKET, PACKET_AUXDATA, 1);
    const sender = opened(socket(AF_PACKET, SOCK_RAW));
    const to = sockaddr_ll(experimental, if_nametoindex('lo'), { address: '00:00:00:00:00:00' });
    const addresses = new Uint8Array(12); // of the two ends, on loopback both zero
    return { receiver, sendFrame: (frame: number[]) => sendto(sender, Uint8Array.of(...addresses, ...frame), 0, to) };
  };
  const untagged = [0x88, 0xb5, ...new Array(100).fill(7)];

  test('the frame as the kernel saw it', () => {
    const { receiver, sendFrame } = begin();
    sendFrame(untagged);
    const { control, length } = receive(receiver);
    expect(length).toBe(100);
    expect(control.get('PACKET_AUXDATA')?.toJSON()).toMatchObject({ tp_len: 100, tp_snaplen: 100, tp_vlan_tci: 0 });
  });

  test('the VLAN tag that the kernel has taken out of the frame', () => {
    const { receiver, sendFrame } = begin();
    // Only a socket for all protocols sees the tag of a VLAN that is not set up, and it sees everybody's frames.
    bind(receiver, sockaddr_ll(ETH_P_ALL, if_nametoindex('lo')));
    sendFrame([0x81, 0x00, 0x60, 0x2a, ...untagged]);
    let found: tpacket_auxdata | undefined;
    while (((found?.tp_status ?? 0) & TP_STATUS_VLAN_VALID) === 0)
      found = receive(receiver).control.get('PACKET_AUXDATA');
    expect(found?.toJSON()).toMatchObject({ tp_len: 100, tp_vlan_tci: 0x602a, tp_vlan_tpid: ETH_P_8021Q });
  });

  test.skipIf(!havePython)('to Python it is what it is to us (needs python3)', () => {
    const { receiver, sendFrame } = begin();
    for (let i = 0; i < 2; i++) sendFrame(untagged);
    const theirs = pythonReceives(receiver);
    expect(theirs).toEqual([...receive(receiver).control].map(plain));
    expect(theirs).toHaveLength(1);
  });
});

describe('netlink', () => {
  test.skipIf(!isRoot)('NETLINK_PKTINFO: the multicast group (needs root)', () => {
    const netlink = () => {
      const fd = patient(socket(AF_NETLINK, SOCK_RAW, NETLINK_USERSOCK));
      bind(fd, sockaddr_nl());
      return { fd, pid: getsockname(fd).pid as number };
    };
    const [receiver, sender] = [netlink(), netlink()];
    setsockopt(receiver.fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, 7);
    setsockopt(receiver.fd, SOL_NETLINK, NETLINK_PKTINFO, 1);
    const group = (pid: number, groups: number) => {
      sendto(sender.fd, new Uint8Array(20), 0, sockaddr_nl(pid, groups));
      return receive(receiver.fd).control.get('NETLINK_PKTINFO')?.group;
    };
    expect(group(receiver.pid, 0)).toBe(0);
    // A message to a group goes to one socket besides.
    expect(group(sender.pid, 1 << 6)).toBe(7);
  });

  test.skipIf(!haveNamespaces)('NETLINK_LISTEN_ALL_NSID: which namespace it comes from (needs root)', async () => {
    const { stdout, stderr } = await runInNamespace(`
      import { execFileSync, spawn } from 'node:child_process';
      import { once } from 'node:events';
      import * as s from 'posix-sockets';
      const ip = (...args) => execFileSync('ip', args);
      const other = spawn('unshare', ['-n', 'sh', '-c', 'echo ready && exec sleep 60'], { stdio: ['ignore', 'pipe', 'ignore'] });
      await once(other.stdout, 'data');
      ip('link', 'add', 'here', 'type', 'veth', 'peer', 'name', 'there', 'netns', String(other.pid));
      const nsid = JSON.parse(execFileSync('ip', ['-j', '-d', 'link', 'show', 'here']))[0].link_netnsid;
      const fd = s.socket(s.AF_NETLINK, s.SOCK_RAW, s.NETLINK_ROUTE);
      s.bind(fd, s.sockaddr_nl());
      s.setsockopt(fd, s.SOL_NETLINK, s.NETLINK_LISTEN_ALL_NSID, 1);
      s.setsockopt(fd, s.SOL_NETLINK, s.NETLINK_ADD_MEMBERSHIP, s.RTNLGRP_LINK);
      s.setsockopt(fd, s.SOL_SOCKET, s.SO_RCVTIMEO, new s.timeval({ tv_sec: 5 }));
      const next = () => {
        const message = new s.MsgHdr({ iov: new Uint8Array(8192), control: ['NETLINK_LISTEN_ALL_NSID'] });
        s.recvmsg(fd, message);
        return message.control.get('NETLINK_LISTEN_ALL_NSID');
      };
      execFileSync('nsenter', ['-t', String(other.pid), '-n', 'ip', 'link', 'set', 'there', 'mtu', '1400']);
      console.log(JSON.stringify([nsid, next()]));
      other.kill();`);
    expect(stderr).toBe('');
    const [nsid, found] = JSON.parse(stdout);
    expect(nsid).toEqual(expect.any(Number));
    expect(found).toBe(nsid);
  });
});

// Whether a virtual machine's sockets reach the machine itself: vsock_loopback.
const vsock = raw.socket(AF_VSOCK, SOCK_STREAM, 0);
const haveVsock = vsock >= 0 && raw.connect(vsock, sockaddr_vm(VMADDR_CID_LOCAL, 1).bytes) === -ECONNRESET;
const haveZeroCopy = raw.setsockopt(vsock, SOL_SOCKET, SO_ZEROCOPY, Int32Array.of(1)) === 0;
if (vsock >= 0) raw.close(vsock);

test.skipIf(!haveVsock || !haveZeroCopy)(
  'VSOCK_RECVERR: a completion of MSG_ZEROCOPY (needs vsock_loopback, Linux 6.7)',
  async () => {
    const listener = patient(socket(AF_VSOCK, SOCK_STREAM));
    bind(listener, sockaddr_vm(VMADDR_CID_LOCAL, VMADDR_PORT_ANY));
    listen(listener, 1);
    const client = patient(socket(AF_VSOCK, SOCK_STREAM));
    connect(client, sockaddr_vm(VMADDR_CID_LOCAL, getsockname(listener).port as number));
    const server = patient(accept(listener));
    setsockopt(client, SOL_SOCKET, SO_ZEROCOPY, 1);
    send(client, new Uint8Array(4096), MSG_ZEROCOPY);
    const part = new Uint8Array(4096);
    for (let length = 0; length < 4096; ) length += recvmsg(server, new MsgHdr({ iov: part }));
    const { control } = await nextError(client);
    expect(control.get('VSOCK_RECVERR')).toMatchObject({ ee_origin: SO_EE_ORIGIN_ZEROCOPY, ee_info: 0, ee_data: 0 });
  },
);

test('what only a device can deliver is read as the headers lay it out', () => {
  const control = new ControlBuffer(512)
    .push(SOL_SOCKET, SCM_TIMESTAMPING_PKTINFO, new Uint8Array(Uint32Array.of(3, 1500, 0, 0).buffer))
    .push(SOL_SOCKET, SCM_WIFI_STATUS, new Uint8Array(Int32Array.of(1).buffer))
    .push(SOL_SOCKET, SCM_DEVMEM_DMABUF, new Uint8Array(Uint32Array.of(1, 2, 4096, 7, 8, 0).buffer))
    .push(SOL_SOCKET, SCM_DEVMEM_LINEAR, new Uint8Array(Uint32Array.of(0, 0, 100, 0, 0, 0).buffer));
  expect(control.get('SCM_TIMESTAMPING_PKTINFO')?.toJSON()).toEqual({ if_index: 3, pkt_length: 1500 });
  expect(control.get('SCM_WIFI_STATUS')).toBe(1);
  expect(control.get('SCM_DEVMEM_DMABUF')?.toJSON()).toEqual({
    frag_offset: 2n * 2n ** 32n + 1n,
    frag_size: 4096,
    frag_token: 7,
    dmabuf_id: 8,
    flags: 0,
  });
  expect(control.get('SCM_DEVMEM_LINEAR')?.frag_size).toBe(100);
});
