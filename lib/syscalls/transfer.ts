import { fail } from '../errors.js';
import { type Bytes, raw } from '../native.js';
import { addressBytes, addressRoom, type SockAddr } from '../structs/sockaddr.js';

declare module '../native.js' {
  interface Raw {
    read(fd: number, bytes: Bytes): number;
    write(fd: number, bytes: Bytes): number;
    readv(fd: number, buffers: readonly Bytes[] | Bytes): number;
    writev(fd: number, buffers: readonly Bytes[] | Bytes): number;
    send(fd: number, bytes: Bytes, flags: number): number;
    recv(fd: number, bytes: Bytes, flags: number): number;
    sendto(fd: number, bytes: Bytes, flags: number, address: Bytes | null): number;
    /** `out[0]`: the address's length. */
    recvfrom(fd: number, bytes: Bytes, flags: number, from: Bytes | null): number;
    sendfile(out: number, input: number, offset: number | null, count: number): number;
    splice(
      input: number,
      inOffset: number | null,
      out: number,
      outOffset: number | null,
      count: number,
      flags: number,
    ): number;
  }
}

/**
 * `read(fd, buf)`: reads what is there, at most as many bytes as the buffer has. Blocks while there is nothing,
 * unless the descriptor is non-blocking.
 * @param fd any descriptor that can be read
 * @param bytes what is filled, from its beginning
 * @returns how many bytes came; 0 at the end of the stream
 * @throws EAGAIN nothing is there · ECONNRESET the peer broke off · EINTR a signal came first · EBADF not open for
 * reading
 * @see read(2)
 */
export function read(fd: number, bytes: Bytes): number {
  const received = raw.read(fd, bytes);
  return received < 0 ? fail('read', received) : received;
}

/**
 * `write(fd, buf)`: writes bytes.
 * @param fd any descriptor that can be written
 * @param bytes all of them are given; a `subarray` for a part
 * @returns how many the kernel took, possibly fewer than given
 * @throws EAGAIN the buffer is full · EPIPE nobody reads any more (Node ignores SIGPIPE) · ECONNRESET the peer broke
 * off · EDESTADDRREQ a datagram socket without a peer
 * @see write(2)
 */
export function write(fd: number, bytes: Bytes): number {
  const sent = raw.write(fd, bytes);
  return sent < 0 ? fail('write', sent) : sent;
}

/**
 * `readv(fd, iov)`: reads into several buffers, filling each before the next.
 * @param fd any descriptor that can be read
 * @param buffers at most IOV_MAX (1024); the same one may stand twice
 * @returns how many bytes came in all; 0 at the end of the stream
 * @throws EINVAL more than IOV_MAX buffers · EAGAIN nothing is there
 * @see readv(2)
 */
export function readv(fd: number, buffers: readonly Bytes[]): number {
  const received = raw.readv(fd, buffers);
  return received < 0 ? fail('readv', received) : received;
}

/**
 * `writev(fd, iov)`: writes several buffers as one stretch of bytes (or one datagram).
 * @param fd any descriptor that can be written
 * @param buffers at most IOV_MAX (1024)
 * @returns how many bytes the kernel took, possibly fewer than given
 * @throws EINVAL more than IOV_MAX buffers · EAGAIN the buffer is full · EPIPE nobody reads any more
 * @see writev(2)
 */
export function writev(fd: number, buffers: readonly Bytes[]): number {
  const sent = raw.writev(fd, buffers);
  return sent < 0 ? fail('writev', sent) : sent;
}

/**
 * `send(sockfd, buf, flags)`: sends bytes on a connected socket. Blocks while the send buffer is full, unless the
 * socket is non-blocking or MSG_DONTWAIT is given.
 * @param fd a connected socket
 * @param bytes all of them are given; a `subarray` for a part
 * @param flags MSG_DONTWAIT, MSG_MORE, MSG_OOB, MSG_EOR, MSG_NOSIGNAL, ... With MSG_ZEROCOPY the kernel reads the bytes
 * later, and they must stay as they are until it says so: {@link ZeroCopySender} sees to that
 * @returns how many bytes the kernel took, possibly fewer than given
 * @throws EAGAIN the send buffer is full · EPIPE this side was shut down, the peer is gone (Node ignores SIGPIPE), or a
 * TCP socket was never connected · ECONNRESET the peer broke off · EMSGSIZE a datagram too long · EDESTADDRREQ, ENOTCONN
 * no peer · ENOTSOCK not a socket
 * @see send(2)
 */
export function send(fd: number, bytes: Bytes, flags = 0): number {
  const sent = raw.send(fd, bytes, flags);
  return sent < 0 ? fail('send', sent) : sent;
}

/**
 * `recv(sockfd, buf, flags)`: receives bytes. Blocks while there is nothing, unless the socket is non-blocking or
 * MSG_DONTWAIT is given.
 * @param fd the socket
 * @param bytes what is filled, from its beginning; what a datagram has more is lost
 * @param flags MSG_DONTWAIT, MSG_PEEK, MSG_WAITALL, MSG_OOB, MSG_TRUNC, MSG_ERRQUEUE, ...
 * @returns how many bytes came; 0 when the peer has ended the stream (or for an empty datagram); with MSG_TRUNC a
 * datagram's whole length
 * @throws EAGAIN nothing is there, or SO_RCVTIMEO passed · ECONNRESET the peer broke off · ECONNREFUSED an earlier
 * datagram was refused · ENOTCONN a stream that is not connected · EINTR a signal came first
 * @see recv(2)
 */
export function recv(fd: number, bytes: Bytes, flags = 0): number {
  const received = raw.recv(fd, bytes, flags);
  return received < 0 ? fail('recv', received) : received;
}

/**
 * `sendto(sockfd, buf, flags, dest_addr)`: sends a datagram to an address.
 * @param fd the socket
 * @param bytes the datagram
 * @param flags as for {@link send}
 * @param address null for the peer that the socket is connected to
 * @returns how many bytes the kernel took
 * @throws EMSGSIZE the datagram is too long · EAGAIN the send buffer is full, or no local port is free · ECONNREFUSED
 * nobody there (Unix), or an earlier datagram was refused (UDP) · ENOENT no such socket file · ENETUNREACH no route ·
 * EACCES a broadcast without SO_BROADCAST · EISCONN an address for a Unix stream that is connected (TCP ignores it)
 * @see sendto(2)
 */
export function sendto(fd: number, bytes: Bytes, flags: number, address: SockAddr | null): number {
  const sent = raw.sendto(fd, bytes, flags, address === null ? null : addressBytes(address));
  return sent < 0 ? fail('sendto', sent, address ?? undefined) : sent;
}

/**
 * `recvfrom(sockfd, buf, flags, src_addr)`: receives a datagram and its sender's address.
 * @param fd the socket
 * @param bytes what is filled, from its beginning
 * @param flags as for {@link recv}
 * @param from filled with the sender's address; its length is 0 where there is none
 * @returns how many bytes came
 * @throws as {@link recv}
 * @see recvfrom(2)
 */
export function recvfrom(fd: number, bytes: Bytes, flags: number, from?: SockAddr | null): number {
  const received = raw.recvfrom(fd, bytes, flags, addressRoom(from));
  if (received < 0) fail('recvfrom', received);
  if (from) from.length = raw.out[0] as number;
  return received;
}

/**
 * `sendfile(out_fd, in_fd, offset, count)`: sends a stretch of a file without copying it through the program.
 * @param out where the bytes go: a socket, a pipe or a file
 * @param input a file
 * @param offset where to begin, and then the file's own position stays; null to read from that position and move it
 * @param count how many bytes at most
 * @returns how many bytes were sent, possibly fewer; 0 at the end of the file
 * @throws EAGAIN the send buffer is full · EINVAL a descriptor that cannot be read so (a socket, say)
 * @see sendfile(2)
 */
export function sendfile(out: number, input: number, offset: number | null, count: number): number {
  const sent = raw.sendfile(out, input, offset, count);
  return sent < 0 ? fail('sendfile', sent) : sent;
}

/**
 * `splice(fd_in, off_in, fd_out, off_out, len, flags)`: moves bytes between a pipe and another descriptor inside the
 * kernel.
 * @param input where the bytes come from
 * @param inOffset where to begin in a file; null for a pipe or socket, or for the file's own position
 * @param out where they go; one of the two is a pipe
 * @param outOffset the same for the other end
 * @param count how many bytes at most
 * @param flags SPLICE_F_MOVE, SPLICE_F_NONBLOCK, SPLICE_F_MORE
 * @returns how many bytes moved; 0 at the end
 * @throws EINVAL neither end is a pipe · EAGAIN it would block · ESPIPE an offset for a pipe
 * @see splice(2)
 */
export function splice(
  input: number,
  inOffset: number | null,
  out: number,
  outOffset: number | null,
  count: number,
  flags = 0,
): number {
  const moved = raw.splice(input, inOffset, out, outOffset, count, flags);
  return moved < 0 ? fail('splice', moved) : moved;
}
