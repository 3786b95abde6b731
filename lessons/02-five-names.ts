// An endpoint is named by five things, and a port is not one connection's own.
import {
  AF_INET,
  accept,
  bind,
  close,
  connect,
  getpeername,
  getsockname,
  getsockopt,
  listen,
  recv,
  SO_PROTOCOL,
  SO_REUSEADDR,
  SOCK_STREAM,
  SOL_SOCKET,
  SockAddr,
  send,
  setsockopt,
  sockaddr_in,
  socket,
} from 'posix-sockets';
import { lesson } from './frame/lesson.js';

function listener(): { fd: number; address: SockAddr } {
  const fd = socket(AF_INET, SOCK_STREAM);
  bind(fd, sockaddr_in('127.0.0.1', 0));
  listen(fd, 16);
  return { fd, address: getsockname(fd) };
}

/** What names a connection, as one end sees it. */
function fiveTuple(fd: number): string {
  const protocol = getsockopt(fd, SOL_SOCKET, SO_PROTOCOL) === 6 ? 'tcp' : '?';
  return `${protocol}  ${getsockname(fd)}  ->  ${getpeername(fd)}`;
}

export default lesson({
  number: 2,
  rows: [2, 3],
  title: { en: 'Five names', zh: '五元组' },
  teach({ part, say, print, show, check }) {
    part('Both ends of one connection', '一个连接的两端');
    const server = listener();
    const { client, connection } = show(() => {
      const client = socket(AF_INET, SOCK_STREAM);
      connect(client, server.address);
      const peer = new SockAddr();
      const connection = accept(server.fd, peer);
      getsockname(client);
      getpeername(client);
      return { client, connection };
    });
    print('');
    print(`    client   ${fiveTuple(client)}`);
    print(`    server   ${fiveTuple(connection)}`);
    print('');
    check(
      getsockname(client).equals(getpeername(connection)) && getpeername(client).equals(getsockname(connection)),
      'The same two addresses, seen from either side. With the protocol that makes five things.',
      '同样的两个地址，从两边看正好相反。加上协议，一共五样东西。',
    );
    say(
      'Nobody gave the client a port: connect chose one from the ephemeral range, and it is free again when the ' +
        'connection is gone.',
      '没有人给客户端指定端口：connect 从临时端口范围中选了一个，连接结束后它又可以被重新使用。',
    );

    part('Many connections, one port', '许多连接，一个端口');
    const clients = Array.from({ length: 4 }, () => {
      const fd = socket(AF_INET, SOCK_STREAM);
      connect(fd, server.address);
      return fd;
    });
    const connections = clients.map(() => accept(server.fd));
    for (const fd of connections) print(`    ${fiveTuple(fd)}`);
    print('');
    const ports = new Set(connections.map((fd) => getsockname(fd).port));
    const remotes = new Set(connections.map((fd) => getpeername(fd).port));
    check(
      ports.size === 1 && remotes.size === 4,
      'Four connections share one local port; the remote port tells them apart.',
      '四个连接共用一个本地端口；靠远端端口区分它们。',
    );
    clients.forEach((fd, i) => {
      send(fd, Buffer.from(`client ${i}`));
    });
    const heard = connections.map((fd) => {
      const bytes = Buffer.alloc(16);
      return bytes.toString('utf8', 0, recv(fd, bytes));
    });
    const byPort = new Map(clients.map((fd, i) => [getsockname(fd).port, `client ${i}`]));
    check(
      connections.every((fd, i) => byPort.get(getpeername(fd).port) === heard[i]),
      'And what each client says arrives at its own connection.',
      '每个客户端说的话都到达了它自己的连接。',
    );

    part('One client port, two connections', '一个客户端端口，两个连接');
    const second = listener();
    const pair = show(() => {
      const one = socket(AF_INET, SOCK_STREAM);
      setsockopt(one, SOL_SOCKET, SO_REUSEADDR, 1);
      bind(one, sockaddr_in('127.0.0.1', 0));
      connect(one, server.address);
      const other = socket(AF_INET, SOCK_STREAM);
      setsockopt(other, SOL_SOCKET, SO_REUSEADDR, 1);
      bind(other, getsockname(one));
      connect(other, second.address);
      return [one, other];
    });
    const [one = -1, other = -1] = pair;
    print('');
    print(`    ${fiveTuple(one)}`);
    print(`    ${fiveTuple(other)}`);
    print('');
    check(
      getsockname(one).equals(getsockname(other)) && !getpeername(one).equals(getpeername(other)),
      'The very same local address and port, twice at once: the remote end differs, and that is enough.',
      '完全相同的本地地址和端口，同时用了两次：远端不同，这就够了。',
    );
    for (const fd of [client, connection, ...clients, ...connections, ...pair, server.fd, second.fd]) close(fd);
  },
  verdict: {
    right: {
      en:
        'A connection is named by protocol, local address, local port, remote address and remote port; many of them ' +
        'share one local port.',
      zh: '一个连接由协议、本地地址、本地端口、远端地址和远端端口来命名；许多连接可以共用一个本地端口。',
    },
    folklore: {
      en:
        'One hears that a server can have at most 65,535 connections because there are so many ports. That bounds the ' +
        'connections from one client address to one server address and port, and not those of a server.',
      zh: '常听人说服务器最多只有 65535 个连接，因为端口只有那么多。那只限制一个客户端地址到同一个服务器地址和端口的连接数，并不是服务器的上限。',
    },
    changed: {
      en:
        'Since Linux 3.9 listeners, too, can share one address and port (SO_REUSEPORT): the kernel picks one of them for ' +
        'each connection by a hash of its five names.',
      zh: '自 Linux 3.9 起，监听套接字也可以共用同一个地址和端口（SO_REUSEPORT）：内核对五元组做散列，为每个连接选定其中一个。',
    },
  },
});
