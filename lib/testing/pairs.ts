import {
  AF_INET,
  bind,
  close,
  getsockname,
  SOCK_DGRAM,
  SOCK_STREAM,
  type SockAddr,
  Socket,
  sockaddr_in,
  socket,
} from '../index.js';

/**
 * Both ends of a TCP connection over loopback: the one that connected, and the one that was accepted.
 * @returns both, which are the caller's to close
 * @throws SystemError EMFILE too many descriptors
 * @see tcp(7)
 */
export async function tcpPair(): Promise<[client: Socket, server: Socket]> {
  using listener = await Socket.listen(sockaddr_in('127.0.0.1', 0));
  const address = listener.localAddress as SockAddr;
  return await Promise.all([Socket.connect(address), listener.accept()]);
}

/**
 * Two connected Unix sockets.
 * @param type SOCK_STREAM, SOCK_DGRAM or SOCK_SEQPACKET
 * @returns both, which are the caller's to close
 * @throws SystemError EMFILE too many descriptors
 * @see socketpair(2)
 */
export function unixPair(type: number = SOCK_STREAM): [Socket, Socket] {
  return Socket.pair(type);
}

/**
 * Two UDP sockets on loopback, each connected to the other: `send` and `recv` without addresses.
 * @returns both, which are the caller's to close
 * @throws SystemError EMFILE too many descriptors
 * @see udp(7)
 */
export async function udpPair(): Promise<[Socket, Socket]> {
  const [one, other] = [new Socket(AF_INET, SOCK_DGRAM), new Socket(AF_INET, SOCK_DGRAM)];
  for (const end of [one, other]) end.bind(sockaddr_in('127.0.0.1', 0));
  await one.connect(other.localAddress as SockAddr);
  await other.connect(one.localAddress as SockAddr);
  return [one, other];
}

/**
 * A TCP port of 127.0.0.1 that nobody listens on: a connect to it is refused. Somebody else may take it a moment later;
 * to listen, port 0 is the better choice.
 * @returns the port
 * @throws SystemError EADDRINUSE every port is taken
 * @see ip(7)
 */
export function freePort(): number {
  const fd = socket(AF_INET, SOCK_STREAM);
  try {
    bind(fd, sockaddr_in('127.0.0.1', 0));
    return getsockname(fd).port as number;
  } finally {
    close(fd);
  }
}
