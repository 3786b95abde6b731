import { fail } from '../errors.js';
import { raw } from '../native.js';
import { addressBytes, addressRoom, SockAddr } from '../structs/sockaddr.js';

declare module '../native.js' {
  interface Raw {
    socket(domain: number, type: number, protocol: number): number;
    /** `out[0]` and `out[1]`: the two descriptors. */
    socketpair(domain: number, type: number, protocol: number): number;
    bind(fd: number, address: Bytes): number;
    listen(fd: number, backlog: number): number;
    connect(fd: number, address: Bytes): number;
    shutdown(fd: number, how: number): number;
    /** `out[0]`: the address's length, which may be more than there was room for. */
    accept(fd: number, peer: Bytes | null): number;
    /** `out[0]`: the address's length, which may be more than there was room for. */
    accept4(fd: number, peer: Bytes | null, flags: number): number;
    /** `out[0]`: the address's length, which may be more than there was room for. */
    getsockname(fd: number, address: Bytes): number;
    /** `out[0]`: the address's length, which may be more than there was room for. */
    getpeername(fd: number, address: Bytes): number;
  }
}

/**
 * `socket(domain, type, protocol)`: makes an endpoint and gives its descriptor.
 * @param domain the address family: AF_INET, AF_INET6, AF_UNIX, AF_NETLINK, AF_PACKET, ...
 * @param type SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET or SOCK_RAW, with SOCK_NONBLOCK and SOCK_CLOEXEC if wanted
 * @param protocol 0 for the type's usual one; IPPROTO_*, NETLINK_*, or htons(ETH_P_*) for packet sockets
 * @returns the descriptor: the lowest number that is free
 * @throws EAFNOSUPPORT the kernel has no such family · ESOCKTNOSUPPORT the family has no such type · EPROTONOSUPPORT
 * the type and protocol do not go together · EPERM, EACCES raw and packet sockets need CAP_NET_RAW · EMFILE the process
 * has as many descriptors as it may · EINVAL an unknown type or flag
 * @see socket(2)
 */
export function socket(domain: number, type: number, protocol = 0): number {
  const fd = raw.socket(domain, type, protocol);
  return fd < 0 ? fail('socket', fd) : fd;
}

/**
 * `socketpair(domain, type, protocol, sv)`: makes two endpoints that are connected to each other.
 * @param domain AF_UNIX (or AF_TIPC)
 * @param type as for {@link socket}
 * @param protocol 0 for the usual one
 * @returns both descriptors
 * @throws EOPNOTSUPP the family has no pairs · EMFILE too many descriptors
 * @see socketpair(2)
 */
export function socketpair(domain: number, type: number, protocol = 0): [number, number] {
  const answer = raw.socketpair(domain, type, protocol);
  if (answer < 0) fail('socketpair', answer);
  return [raw.out[0] as number, raw.out[1] as number];
}

/**
 * `bind(sockfd, addr)`: gives a socket its own address.
 * @param fd the socket
 * @param address of the family that the socket was made for; port 0 lets the kernel choose
 * @throws EADDRINUSE somebody has it, or a socket file is there · EADDRNOTAVAIL no interface has it ·
 * EACCES a port below 1024, or a folder, that this user may not use · EINVAL it is bound already, or the address is
 * too short · ENOENT a folder of the path is missing · EAFNOSUPPORT another family's address
 * @see bind(2)
 */
export function bind(fd: number, address: SockAddr): void {
  const answer = raw.bind(fd, addressBytes(address));
  if (answer < 0) fail('bind', answer, address);
}

/**
 * `listen(sockfd, backlog)`: makes a socket take connections.
 * @param fd the socket
 * @param backlog how many connections may wait for accept; the kernel cuts it to /proc/sys/net/core/somaxconn
 * @throws EOPNOTSUPP not a kind of socket that listens · EADDRINUSE an unbound TCP socket found no free port, or
 * another socket listens there · EINVAL it is connected, or a Unix socket that is not bound
 * @see listen(2)
 */
export function listen(fd: number, backlog: number): void {
  const answer = raw.listen(fd, backlog);
  if (answer < 0) fail('listen', answer);
}

/**
 * `accept(sockfd, addr)`: takes the next waiting connection. Blocks until there is one, unless the listener is
 * non-blocking. The new descriptor is blocking and stays open across exec; see {@link accept4}.
 * @param fd the listening socket
 * @param peer filled with the address of the other end
 * @returns the connection's descriptor
 * @throws EAGAIN nobody waits · EINVAL it does not listen · EOPNOTSUPP not a kind of socket that listens · EMFILE too many descriptors: the connection stays waiting ·
 * ECONNABORTED it was gone before it was taken · EINTR a signal came
 * @see accept(2)
 */
export function accept(fd: number, peer?: SockAddr | null): number {
  const connection = raw.accept(fd, addressRoom(peer));
  if (connection < 0) fail('accept', connection);
  if (peer) peer.length = raw.out[0] as number;
  return connection;
}

/**
 * `accept4(sockfd, addr, flags)`: {@link accept}, with the flags of the new descriptor.
 * @param fd the listening socket
 * @param peer filled with the address of the other end; null for nothing
 * @param flags SOCK_NONBLOCK, SOCK_CLOEXEC
 * @returns the connection's descriptor
 * @throws EINVAL an unknown flag, or it does not listen, and the rest as {@link accept}
 * @see accept(2)
 */
export function accept4(fd: number, peer: SockAddr | null, flags: number): number {
  const connection = raw.accept4(fd, addressRoom(peer), flags);
  if (connection < 0) fail('accept4', connection);
  if (peer) peer.length = raw.out[0] as number;
  return connection;
}

/**
 * `connect(sockfd, addr)`: connects to a peer; for datagrams, sets whom to send to and hear from. Blocks until a
 * stream is connected, unless the socket is non-blocking.
 * @param fd the socket
 * @param address of the peer; {@link sockaddr_unspec} takes a datagram socket's peer away
 * @throws ECONNREFUSED nobody listens there · EINPROGRESS the socket is non-blocking: wait until it is writable, then
 * read SO_ERROR · EAGAIN a Unix listener's backlog is full, and the socket is non-blocking · EADDRNOTAVAIL no local port
 * is free (of UDP: EAGAIN) · ETIMEDOUT no answer · ENETUNREACH no route · EISCONN already connected · EALREADY still
 * connecting · ENOENT no such socket file · EPROTOTYPE a Unix socket of another type · EACCES no permission to write to
 * the socket file, or a broadcast without SO_BROADCAST
 * @see connect(2)
 */
export function connect(fd: number, address: SockAddr): void {
  const answer = raw.connect(fd, addressBytes(address));
  if (answer < 0) fail('connect', answer, address);
}

/**
 * `shutdown(sockfd, how)`: ends one direction of a connection, or both. The descriptor stays to be closed.
 * @param fd the socket
 * @param how SHUT_RD, SHUT_WR (the peer reads end of file) or SHUT_RDWR
 * @throws ENOTCONN not connected · EINVAL an unknown `how`
 * @see shutdown(2)
 */
export function shutdown(fd: number, how: number): void {
  const answer = raw.shutdown(fd, how);
  if (answer < 0) fail('shutdown', answer);
}

/**
 * `getsockname(sockfd, addr)`: a socket's own address.
 * @param fd the socket
 * @returns the address; for a socket that was not bound, one of its family without a port or name
 * @throws ENOTSOCK not a socket
 * @see getsockname(2)
 */
export function getsockname(fd: number): SockAddr {
  const address = new SockAddr();
  const answer = raw.getsockname(fd, address.storage);
  if (answer < 0) fail('getsockname', answer);
  address.length = raw.out[0] as number;
  return address;
}

/**
 * `getpeername(sockfd, addr)`: the address of the other end.
 * @param fd the socket
 * @returns the address; a Unix peer that was not bound has no name
 * @throws ENOTCONN not connected
 * @see getpeername(2)
 */
export function getpeername(fd: number): SockAddr {
  const address = new SockAddr();
  const answer = raw.getpeername(fd, address.storage);
  if (answer < 0) fail('getpeername', answer);
  address.length = raw.out[0] as number;
  return address;
}
