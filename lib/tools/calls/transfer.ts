// read, write, send, recv, ...: how bytes travel.
import { messageFlags, spliceFlags } from '../decode/families.js';
import { family } from './call.js';
import { address, addressRoom, bytes, bytesRoom, fd, flags, int, offset, vector, vectorRoom } from './parameters.js';

export const sendErrors = {
  EAGAIN: [
    'The send buffer is full, and the call would have to wait.',
    'The peer reads more slowly than this side writes, and the socket is non-blocking (or SO_SNDTIMEO passed).',
    'Wait until it is writable (poll, epoll), then send the rest. Nothing was lost.',
  ],
  EPIPE: [
    'Nobody will read this any more.',
    'This side was shut down for writing, or the peer closed the connection and said so. (C programs get SIGPIPE, too; ' +
      'Node ignores it.)',
    'Stop sending, and close.',
  ],
  ECONNRESET: [
    'The peer broke the connection off (RST).',
    'Its process died or closed with unread data, or something between cut the connection.',
    'Close and connect anew; what was not acknowledged may be lost.',
  ],
  EMSGSIZE: [
    'The message is too long to be sent as one.',
    'A datagram longer than 65,507 bytes (UDP over IPv4), than the path MTU with fragmentation forbidden, or than the ' +
      'send buffer (Unix).',
    'Send smaller datagrams; for Unix sockets raise SO_SNDBUF.',
  ],
  EDESTADDRREQ: [
    'The socket has no peer, and no address was given.',
    'A datagram socket that is not connected.',
    'Use sendto with an address, or connect first.',
  ],
  ENOTCONN: [
    'The socket is not connected.',
    'connect was not called, or has not finished.',
    'Connect first, and wait for EINPROGRESS to end.',
  ],
  ECONNREFUSED: [
    'The peer said that nobody listens there.',
    'For UDP it is the answer (ICMP port unreachable) to an earlier datagram; for Unix datagrams, the receiver is gone.',
    'This datagram was not sent: send it again if it matters.',
  ],
  EISCONN: [
    'The socket is connected, and an address was given all the same.',
    'A connected stream or sequenced-packet socket takes no address.',
    'Give null for the address.',
  ],
  ENETUNREACH: [
    'There is no route to that network.',
    'No default route, or an interface that is down.',
    'Look at `ip route`.',
  ],
  EHOSTUNREACH: [
    'The host cannot be reached.',
    'It does not answer on its network, or a router said so about an earlier packet.',
    'Check the address, and `ip neigh` for FAILED.',
  ],
  EACCES: [
    'Permissions forbid it.',
    'A broadcast address without SO_BROADCAST, or (Unix) no write permission on the socket file.',
    'Set SO_BROADCAST, or change the permissions.',
  ],
  EPERM: [
    'This process may not send that.',
    'A firewall rule drops it, or credentials were sent that are not its own.',
    'Look at the rules with `nft list ruleset`, or send the real ids.',
  ],
  ENOENT: [
    'There is no such socket file.',
    'The receiver is not started, or removed its file.',
    'Start it, or give the whole path.',
  ],
  EOPNOTSUPP: [
    'A flag does not go with this kind of socket.',
    'MSG_OOB on datagrams or on most Unix sockets, for instance.',
    'Leave the flag out.',
  ],
  ENOBUFS: [
    "The network device's queue is full, or MSG_ZEROCOPY has no memory left to account for.",
    'More is sent than the device takes; or completions of zero-copy sends are not read from the error queue.',
    'Wait and send again; read completions; raise net.core.optmem_max.',
  ],
  EINVAL: [
    'An argument is wrong.',
    'A flag that this kind of socket does not know, an address of the wrong length, or UDP_SEGMENT with a size of 0.',
    'Compare each argument in the traced line with the man page.',
  ],
} as const;

export const receiveErrors = {
  EAGAIN: [
    'Nothing is there to be read, and the call would have to wait.',
    'The peer has not sent yet, and the socket is non-blocking, MSG_DONTWAIT was given, or SO_RCVTIMEO passed.',
    'Wait until it is readable (poll, epoll), then receive again.',
  ],
  ECONNRESET: [
    'The peer broke the connection off (RST).',
    'Its process died or closed with unread data, or something between cut the connection.',
    'Close; what was under way is lost.',
  ],
  ECONNREFUSED: [
    'An earlier datagram was refused.',
    'The other machine answered it with ICMP port unreachable: nobody listens there.',
    'Start the peer, or compare the address; the socket itself is fine.',
  ],
  ENOTCONN: [
    'The stream is not connected.',
    'connect was not called, or has not finished; or this is the listener and not the connection.',
    'Receive from the descriptor that accept gave, or connect first.',
  ],
  ETIMEDOUT: [
    'The peer no longer answers.',
    'Keep-alive probes or retransmissions had no answer: the machine or the network is gone.',
    'Close and connect anew.',
  ],
  EHOSTUNREACH: [
    'A router said that the host cannot be reached.',
    'The route went away while the connection was open.',
    'Close and connect anew when the route is back.',
  ],
  EINVAL: [
    'An argument is wrong.',
    'MSG_OOB was given and no out-of-band data is there, or a flag is unknown.',
    'Compare the flags in the traced line with the man page.',
  ],
  EOPNOTSUPP: [
    'A flag does not go with this kind of socket.',
    'MSG_OOB on a socket that has no out-of-band data.',
    'Leave the flag out.',
  ],
} as const;

const readErrors = {
  ...receiveErrors,
  EINVAL: [
    'This descriptor cannot be read so.',
    'An eventfd, timerfd or signalfd needs a buffer of at least 8 bytes (signalfd: 128); or too many buffers were given.',
    'Give a buffer of the size that the page of that kind of descriptor names.',
  ],
  EISDIR: ['The descriptor is of a folder.', 'A path of a folder was opened.', 'List it by other means.'],
} as const;

const writeErrors = {
  ...sendErrors,
  EINVAL: [
    'This descriptor cannot be written so.',
    'An eventfd takes 8 bytes and not the largest number; or too many buffers were given.',
    'Give a buffer of the size that the page of that kind of descriptor names.',
  ],
  ENOSPC: ['The disk is full.', 'The file system has no room left.', 'Free some.'],
} as const;

export const transfer = family({
  read: {
    page: 'read(2)',
    summary:
      'Reads what is there, at most as much as the buffer holds, and blocks while there is nothing (unless the ' +
      'descriptor is non-blocking). 0 means the end: the peer will send no more.',
    parameters: [fd('fd'), bytesRoom('buf', 'count')],
    result: 'bytes',
    errors: readErrors,
  },
  write: {
    page: 'write(2)',
    summary:
      'Writes bytes, and tells how many the kernel took, which may be fewer than given. That they were taken does not ' +
      'say that the peer has them.',
    parameters: [fd('fd'), bytes('buf', 'count')],
    result: 'bytes',
    errors: writeErrors,
  },
  readv: {
    page: 'readv(2)',
    summary: 'Reads into several buffers with one call, filling each before the next.',
    parameters: [fd('fd'), vectorRoom('iov', 'iovcnt')],
    result: 'bytes',
    errors: readErrors,
  },
  writev: {
    page: 'readv(2)',
    summary: 'Writes several buffers with one call, as one stretch of bytes or one datagram.',
    parameters: [fd('fd'), vector('iov', 'iovcnt')],
    result: 'bytes',
    errors: writeErrors,
  },
  send: {
    page: 'send(2)',
    summary:
      'Sends bytes to the peer of a connected socket, as write does, with flags. Tells how many the kernel took: on a ' +
      'stream possibly fewer than given, of a datagram all.',
    parameters: [fd('sockfd'), bytes('buf', 'len'), flags('flags', messageFlags)],
    result: 'bytes',
    errors: sendErrors,
  },
  recv: {
    page: 'recv(2)',
    summary:
      'Receives bytes: from a stream what is there, of datagrams one, whose rest is lost if the buffer is too short. ' +
      '0 means that the peer has ended the stream (or an empty datagram).',
    parameters: [fd('sockfd'), bytesRoom('buf', 'len'), flags('flags', messageFlags)],
    result: 'bytes',
    errors: receiveErrors,
  },
  sendto: {
    page: 'sendto(2)',
    summary: 'Sends a datagram to an address, without a connection.',
    parameters: [fd('sockfd'), bytes('buf', 'len'), flags('flags', messageFlags), address('dest_addr', 'addrlen')],
    result: 'bytes',
    errors: sendErrors,
  },
  recvfrom: {
    page: 'recvfrom(2)',
    summary: 'Receives a datagram, and the address that it came from.',
    parameters: [
      fd('sockfd'),
      bytesRoom('buf', 'len'),
      flags('flags', messageFlags),
      addressRoom('src_addr', 'addrlen'),
    ],
    result: 'bytes',
    errors: receiveErrors,
  },
  sendfile: {
    page: 'sendfile(2)',
    summary:
      'Sends a stretch of a file to a socket without copying it through the program. Tells how many bytes went, which ' +
      'may be fewer than asked for.',
    parameters: [fd('out_fd'), fd('in_fd'), offset('offset', true), int('count')],
    result: 'bytes',
    errors: {
      ...sendErrors,
      EINVAL: [
        'The descriptor to read from cannot be read so.',
        'It is a socket or a pipe; sendfile reads files that can be mapped.',
        'Use splice for pipes, or read and write.',
      ],
      ESPIPE: [
        'An offset was given for a file that has none.',
        'The descriptor is a pipe.',
        'Give null for the offset.',
      ],
    },
  },
  splice: {
    page: 'splice(2)',
    summary:
      'Moves bytes between a pipe and another descriptor inside the kernel. A proxy moves data from socket to socket ' +
      'with two splices and a pipe.',
    parameters: [
      fd('fd_in'),
      offset('off_in', false),
      fd('fd_out'),
      offset('off_out', false),
      int('len'),
      flags('flags', spliceFlags),
    ],
    result: 'bytes',
    errors: {
      ...sendErrors,
      EINVAL: [
        'These two descriptors cannot be spliced.',
        'Neither is a pipe, or both are the same, or one was opened to append.',
        'Put a pipe between them.',
      ],
      ESPIPE: ['An offset was given for a pipe.', 'Pipes have no position.', 'Give null for that offset.'],
      EAGAIN: [
        'It would have to wait.',
        'The pipe is empty or full, or the socket is, and SPLICE_F_NONBLOCK was given or a descriptor is non-blocking.',
        'Wait for the one that is not ready.',
      ],
    },
  },
});
