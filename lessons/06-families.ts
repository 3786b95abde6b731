// The protocol is chosen when the socket is made: one short exchange on each kind that this kernel has.
import {
  AF_INET,
  AF_NETLINK,
  AF_PACKET,
  AF_UNIX,
  AF_VSOCK,
  accept,
  bind,
  close,
  connect,
  ETH_P_ALL,
  getsockname,
  htons,
  IPPROTO_ICMP,
  if_nametoindex,
  listen,
  NETLINK_ROUTE,
  NLM_F_DUMP,
  NLM_F_REQUEST,
  RTM_GETLINK,
  RTM_NEWLINK,
  recv,
  recvfrom,
  SO_RCVTIMEO,
  SOCK_DGRAM,
  SOCK_RAW,
  SOCK_SEQPACKET,
  SOCK_STREAM,
  SOL_SOCKET,
  SockAddr,
  SystemError,
  send,
  sendto,
  setsockopt,
  sockaddr_in,
  sockaddr_ll,
  sockaddr_nl,
  sockaddr_vm,
  socket,
  socketpair,
  timeval,
  VMADDR_CID_ANY,
  VMADDR_CID_LOCAL,
  VMADDR_PORT_ANY,
} from 'posix-sockets';
import { lesson, type Text } from './frame/lesson.js';

const hello = Buffer.from('hello');

function receive(fd: number): string {
  const bytes = Buffer.alloc(2000);
  return bytes.toString('latin1', 0, recv(fd, bytes));
}

function stream(address: SockAddr): string {
  const server = socket(address.family, SOCK_STREAM);
  bind(server, address);
  listen(server, 1);
  const client = socket(address.family, SOCK_STREAM);
  const to =
    address.family === AF_VSOCK ? sockaddr_vm(VMADDR_CID_LOCAL, getsockname(server).port ?? 0) : getsockname(server);
  connect(client, to);
  const connection = accept(server);
  send(client, hello);
  const heard = receive(connection);
  for (const fd of [server, client, connection]) close(fd);
  return heard;
}

function udp(): string {
  const [one, other] = [socket(AF_INET, SOCK_DGRAM), socket(AF_INET, SOCK_DGRAM)];
  bind(other, sockaddr_in('127.0.0.1', 0));
  sendto(one, hello, 0, getsockname(other));
  const heard = receive(other);
  for (const fd of [one, other]) close(fd);
  return heard;
}

function unix(type: number): string {
  const [one, other] = socketpair(AF_UNIX, type);
  send(one, hello);
  const heard = receive(other);
  for (const fd of [one, other]) close(fd);
  return heard;
}

/** What came, as each language says it; nothing if it is not what was sent. */
type Heard = Text | undefined;

const same = (heard: string): Heard => (heard === String(hello) ? { en: heard, zh: heard } : undefined);

/** Asks the kernel for its interfaces: a header of 16 bytes, and a struct ifinfomsg of 16 zeros. */
function netlink(): Heard {
  const fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
  const question = Buffer.alloc(32);
  question.writeUInt32LE(question.length, 0);
  question.writeUInt16LE(RTM_GETLINK, 4);
  question.writeUInt16LE(NLM_F_REQUEST | NLM_F_DUMP, 6);
  sendto(fd, question, 0, sockaddr_nl());
  const answer = Buffer.alloc(32768);
  const length = recv(fd, answer);
  close(fd);
  return answer.readUInt16LE(4) === RTM_NEWLINK && answer.includes('lo\0')
    ? { en: `${length} bytes about the interfaces of this machine`, zh: `关于本机网络接口的 ${length} 个字节` }
    : undefined;
}

/** Listens to the loopback interface itself, where a UDP datagram passes. */
function packet(): Heard {
  const fd = socket(AF_PACKET, SOCK_DGRAM, htons(ETH_P_ALL));
  bind(fd, sockaddr_ll(ETH_P_ALL, if_nametoindex('lo')));
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, timeval.fromMilliseconds(2000));
  udp();
  let heard = '';
  // Others' packets pass by here, too.
  const patience = Date.now() + 2000;
  while (!heard.includes('hello') && Date.now() < patience) heard = receive(fd);
  close(fd);
  return heard.includes('hello')
    ? { en: 'hello, inside an IP packet with its header', zh: 'hello，装在一个 IP 包里，连同包头' }
    : undefined;
}

/** An echo request; the kernel fills in the checksum, and answers itself. */
function ping(): string {
  const fd = socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP);
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, timeval.fromMilliseconds(2000));
  sendto(fd, Buffer.concat([Buffer.from([8, 0, 0, 0, 0, 0, 0, 1]), hello]), 0, sockaddr_in('127.0.0.1', 0));
  const answer = Buffer.alloc(100);
  const length = recvfrom(fd, answer, 0, new SockAddr());
  close(fd);
  return answer[0] === 0 ? answer.toString('latin1', 8, length) : '';
}

const kinds: [name: string, exchange: () => Heard][] = [
  ['AF_INET, SOCK_STREAM: TCP', () => same(stream(sockaddr_in('127.0.0.1', 0)))],
  ['AF_INET, SOCK_DGRAM: UDP', () => same(udp())],
  ['AF_UNIX, SOCK_STREAM', () => same(unix(SOCK_STREAM))],
  ['AF_UNIX, SOCK_DGRAM', () => same(unix(SOCK_DGRAM))],
  ['AF_UNIX, SOCK_SEQPACKET', () => same(unix(SOCK_SEQPACKET))],
  ['AF_NETLINK, NETLINK_ROUTE', netlink],
  ['AF_PACKET, SOCK_DGRAM', packet],
  ['AF_VSOCK, SOCK_STREAM', () => same(stream(sockaddr_vm(VMADDR_CID_ANY, VMADDR_PORT_ANY)))],
  ['AF_INET, SOCK_DGRAM, IPPROTO_ICMP: ping', () => same(ping())],
];

export default lesson({
  number: 6,
  rows: [6],
  title: { en: 'A protocol for each socket', zh: '每个套接字一种协议' },
  teach({ part, say, print, show, check }) {
    say(
      'socket takes a family, a type and a protocol, and from then on the socket speaks that and nothing else. The calls ' +
        'stay the same. The protocol is mostly 0 (the lines show IPPROTO_IP, its name in C): the usual one of that type. ' +
        'Here is one exchange on each kind that this kernel offers.',
      'socket 接受协议族、类型和协议，从此这个套接字只说这一种语言。调用却是一样的。协议多半是 0（显示为 IPPROTO_IP，即它在 C 中的名字），表示该类型通常使用的协议。下面在本内核支持的每一种套接字上各收发一次。',
    );
    let worked = 0;
    for (const [name, exchange] of kinds) {
      part(name, name);
      try {
        const heard = show(exchange);
        check(heard !== undefined, `It carried: ${heard?.en}`, `送达：${heard?.zh}`);
        worked++;
      } catch (error) {
        if (!(error instanceof SystemError)) throw error;
        print(`    ${error.message}`);
        say(
          'Not here: this kernel has no such family, or nobody answers in it, or this user may not use it.',
          '这里不行：内核不支持这个协议族，或者没有人应答，或者当前用户无权使用。',
        );
      }
    }
    part('TCP and UDP are only two of many', 'TCP 与 UDP 只是其中两种');
    check(worked >= 6, `${worked} kinds of socket, and one set of calls.`, `${worked} 种套接字，同一套调用。`);
  },
  verdict: {
    right: {
      en: 'The protocol is chosen when the socket is made, and TCP and UDP are only two of many.',
      zh: '协议在创建套接字时选定，TCP 和 UDP 只是众多协议中的两种。',
    },
    changed: {
      en:
        'Since Linux 5.6 there is IPPROTO_MPTCP: a stream over several paths at once, which goes on as plain TCP if the ' +
        'peer does not know it.',
      zh: '自 Linux 5.6 起有了 IPPROTO_MPTCP：一条流可以同时走多条路径；对端若不支持，就退回普通的 TCP。',
    },
  },
});
