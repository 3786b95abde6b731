// getsockopt, setsockopt: the settings of a socket.
import { tcp_zerocopy_receive } from '../../index.js';
import { content } from '../decode/contents.js';
import { family } from './call.js';
import { fd, level, memory, option, optionGiven, optionRoom, room } from './parameters.js';

export const options = family({
  getsockopt: {
    page: 'getsockopt(2)',
    summary:
      'Reads an option of a socket: a setting (SO_RCVBUF), a state (TCP_INFO), or what went wrong while nobody called ' +
      '(SO_ERROR, which is cleared by it).',
    parameters: [fd('sockfd'), level('level'), option('optname', false), optionRoom('optval', 'optlen')],
    result: 'nothing',
    errors: {
      EINVAL: [
        'The option cannot be read with these arguments.',
        'The buffer has a size that the option does not take, or the socket is in the wrong state.',
        'Give the struct that holds the option, or room for it.',
      ],
      ENOTCONN: [
        'The option needs a connection, and there is none.',
        'SO_PEERNAME or a TLS option on an unconnected socket.',
        'Connect first.',
      ],
      EOPNOTSUPP: [
        'This socket does not have the option.',
        'The level belongs to another protocol than the socket.',
        "Give the level of the socket's own protocol.",
      ],
    },
  },
  setsockopt: {
    page: 'setsockopt(2)',
    summary:
      'Sets an option of a socket. The kernel may change what it is given: it doubles SO_RCVBUF, for instance, and ' +
      'cuts it to net.core.rmem_max.',
    parameters: [fd('sockfd'), level('level'), option('optname', true), optionGiven('optval', 'optlen')],
    result: 'nothing',
    errors: {
      EINVAL: [
        'The option does not take this value.',
        'It is of the wrong size or out of range, or the socket is in the wrong state: some options must be set before ' +
          'bind or connect.',
        'See the option in socket(7), ip(7), tcp(7), ...',
      ],
      EPERM: [
        'Setting this takes a privilege.',
        'SO_MARK, SO_RCVBUFFORCE, TCP_REPAIR and others need CAP_NET_ADMIN.',
        'Run with the capability, or do without the option.',
      ],
      EDOM: [
        'The value is outside what the kernel takes.',
        'The seconds of SO_RCVTIMEO or SO_SNDTIMEO are negative, or the microseconds are a million or more.',
        'Give a timeval with tv_usec from 0 to 999,999.',
      ],
      EBUSY: [
        'The option cannot be changed any more.',
        'Something else was set first that rules it out, such as a congestion control that is in use.',
        'Set it earlier, right after socket.',
      ],
      ENOENT: [
        'The name in the value is not known.',
        'TCP_CONGESTION or TCP_ULP names a module that is not loaded or not allowed.',
        'See net.ipv4.tcp_available_congestion_control and tcp_available_ulp.',
      ],
      ENODEV: [
        'There is no such interface.',
        'The name or index in the value (SO_BINDTODEVICE, a multicast group) is wrong in this namespace.',
        'See `ip link`.',
      ],
      EADDRINUSE: [
        'The socket is a member of that group already.',
        'The same membership was added twice.',
        'Add it once, or drop it first.',
      ],
      EADDRNOTAVAIL: [
        'That address or membership is not there.',
        'A group was left that was never joined, or an interface address is not of this machine.',
        'Leave what was joined, with the same interface.',
      ],
      EISCONN: [
        'It is too late: the socket is connected.',
        'Some options are for sockets that are not connected yet.',
        'Set it before connect.',
      ],
    },
  },
  tcpZerocopyReceive: {
    page: 'tcp(7)',
    summary:
      'getsockopt with TCP_ZEROCOPY_RECEIVE: takes what a TCP socket has received as pages, mapped and not copied, ' +
      'into memory that mmap reserved.',
    parameters: [
      fd('sockfd'),
      memory('mapping', 'length'),
      memory('copybuf', 'copybuf_len'),
      room('request', (bytes) => content(new tcp_zerocopy_receive(bytes))),
    ],
    result: 'nothing',
    errors: {
      EINVAL: [
        'There is no such mapping.',
        'The memory was not reserved by mmap of a TCP socket, or is not aligned to pages.',
        'Map this very socket with PROT_READ and MAP_SHARED.',
      ],
      EIO: ['The peer has ended and all is read.', 'It is what recv tells by 0.', 'Close.'],
    },
  },
});
