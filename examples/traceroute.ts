// `node dist/examples/traceroute.js HOST`: which routers a packet passes on its way, without being root.
//
// Every router takes one from a packet's time to live, and the one that takes the last says so to the sender (ICMP time
// exceeded). So packets that may pass 0, 1, 2, ... routers make them all speak up. IP_RECVERR has the kernel keep what
// they said in the socket's error queue, with their addresses, where a plain socket would lose it. See ip(7).
import {
  AF_INET,
  ControlBuffer,
  getaddrinfo,
  ICMP_DEST_UNREACH,
  ICMP6_DST_UNREACH,
  MSG_ERRQUEUE,
  MsgHdr,
  SO_EE_ORIGIN_ICMP,
  SO_EE_ORIGIN_ICMP6,
  SOCK_DGRAM,
  SockAddr,
  Socket,
  type SystemError,
  sockaddr_in,
  sockaddr_in6,
} from 'posix-sockets';

const [host] = process.argv.slice(2);
if (host === undefined) {
  console.error('usage: node dist/examples/traceroute.js HOST');
  process.exit(2);
}
const [{ family, address }] = getaddrinfo(host, null, { socktype: SOCK_DGRAM }) as [ReturnType<typeof getaddrinfo>[0]];
const isInet = family === AF_INET;
using socket = new Socket(family, SOCK_DGRAM);
if (isInet) socket.option('IP_RECVERR', true);
else socket.option('IPV6_RECVERR', true);

// Ports on which nobody listens (by custom from 33434 on), another one for each probe: the destination's own answer is
// then "port unreachable", and whatever comes back says in its destination address which probe it is about.
const firstPort = 33434;
const probe = (ttl: number) => {
  const { address: ip = '', scopeId } = address;
  const port = firstPort + ttl;
  return isInet ? sockaddr_in(ip, port) : sockaddr_in6(ip, port, { scopeId });
};

/** What came back for a probe: who said it, and whether the way ends there. */
async function answerTo(ttl: number): Promise<{ who: string | undefined; isEnd: boolean }> {
  const destination = new SockAddr();
  const control = new ControlBuffer(['IP_RECVERR', 'IPV6_RECVERR']);
  for (;;) {
    const message = new MsgHdr({ name: destination, iov: new Uint8Array(0), control });
    await socket.recvmsg(message, { flags: MSG_ERRQUEUE, timeout: 1000 });
    const error = control.get('IP_RECVERR') ?? control.get('IPV6_RECVERR');
    // A local error (EMSGSIZE) is in this queue as well, and so may be an answer that we no longer waited for.
    if (error === undefined || destination.port !== firstPort + ttl) continue;
    const isRemote = error.ee_origin === SO_EE_ORIGIN_ICMP || error.ee_origin === SO_EE_ORIGIN_ICMP6;
    if (!isRemote) continue;
    return {
      who: error.offender?.address,
      isEnd: error.ee_type === (isInet ? ICMP_DEST_UNREACH : ICMP6_DST_UNREACH),
    };
  }
}

for (let ttl = 1, isEnd = false; ttl <= 30 && !isEnd; ttl++) {
  if (isInet) socket.option('IP_TTL', ttl);
  else socket.option('IPV6_UNICAST_HOPS', ttl);
  const sent = performance.now();
  let line = '*';
  try {
    await socket.sendto(new Uint8Array(32), probe(ttl));
    const answer = await answerTo(ttl);
    line = `${answer.who}  ${(performance.now() - sent).toFixed(3)} ms`;
    isEnd = answer.isEnd;
  } catch (error) {
    if ((error as SystemError).code !== 'ETIMEDOUT') throw error;
  }
  console.log(`${String(ttl).padStart(2)}  ${line}`);
}
