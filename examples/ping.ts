// `node dist/examples/ping.js HOST [COUNT [SIZE]]`: ping(8), without being root.
//
// An ICMP datagram socket sends echo requests and receives the replies to these alone: the kernel fills in the
// identifier and the checksum, and so there is nothing on it that a raw socket would have to be guarded for. Who may
// make one says /proc/sys/net/ipv4/ping_group_range, for IPv6 also. See icmp(7).
import { setTimeout as sleep } from 'node:timers/promises';
import {
  AF_INET,
  ControlBuffer,
  getaddrinfo,
  ICMP_ECHO,
  ICMP6_ECHO_REQUEST,
  IPPROTO_ICMP,
  IPPROTO_ICMPV6,
  MsgHdr,
  SOCK_DGRAM,
  Socket,
  SystemError,
} from 'posix-sockets';

const [host, count = '3', size = '56'] = process.argv.slice(2);
if (host === undefined || !(Number(count) > 0) || !(Number(size) >= 0)) {
  console.error('usage: node dist/examples/ping.js HOST [COUNT [SIZE]]');
  process.exit(2);
}
const [{ family, address }] = getaddrinfo(host, null, { socktype: SOCK_DGRAM }) as [ReturnType<typeof getaddrinfo>[0]];
const isInet = family === AF_INET;
using socket = new Socket(family, SOCK_DGRAM, isInet ? IPPROTO_ICMP : IPPROTO_ICMPV6);
await socket.connect(address); // what others send is none of our business

// How many routers a reply passed is told by its time to live, which is in the header that we do not see. And what
// routers say of a request (EHOSTUNREACH) shall be an error of this socket, at once: by default it is kept from it.
for (const option of isInet
  ? (['IP_RECVTTL', 'IP_RECVERR'] as const)
  : (['IPV6_RECVHOPLIMIT', 'IPV6_RECVERR'] as const)) {
  socket.option(option, true);
}
const control = new ControlBuffer(['IP_TTL', 'IPV6_HOPLIMIT']);
const reply = Buffer.alloc(65536);

/** Waits for the reply to one request. @returns its length and time to live */
async function replyTo(sequence: number): Promise<{ length: number; ttl: number | undefined }> {
  for (;;) {
    const length = await socket.recvmsg(new MsgHdr({ iov: reply, control }), { timeout: 1000 });
    // One that comes too late answers an earlier request.
    if (reply.readUInt16BE(6) === sequence) {
      return { length, ttl: control.get('IP_TTL') ?? control.get('IPV6_HOPLIMIT') };
    }
  }
}

// Type, code, checksum (the kernel's), identifier (the kernel's), sequence number, and then as much as one likes.
const request = Buffer.alloc(8 + Number(size), 'posix-sockets ');
request.fill(0, 0, 8);
request[0] = isInet ? ICMP_ECHO : ICMP6_ECHO_REQUEST;
let received = 0;
for (let sequence = 1; sequence <= Number(count); sequence++) {
  if (sequence > 1) await sleep(200);
  request.writeUInt16BE(sequence, 6);
  const sent = performance.now();
  try {
    await socket.send(request);
    const { length, ttl } = await replyTo(sequence);
    const time = (performance.now() - sent).toFixed(3);
    console.log(`${length} bytes from ${address.address}: icmp_seq=${sequence} ttl=${ttl} time=${time} ms`);
    received++;
  } catch (error) {
    // ETIMEDOUT: nobody answered. EHOSTUNREACH, ENETUNREACH: somebody said that there is no way. EMSGSIZE: too long.
    if (!(error instanceof SystemError)) throw error;
    console.log(`icmp_seq=${sequence} ${error.code}`);
  }
}
console.log(`${count} packets transmitted, ${received} received`);
process.exitCode = received > 0 ? 0 : 1;
