// socket, bind, listen, accept, connect, ...: how endpoints are made and joined.
import { addressFamilies, shutdownHows, socketFlags } from '../decode/families.js';
import { family } from './call.js';
import { address, addressRoom, choice, fd, flags, int, pair, protocol, socketType } from './parameters.js';

const acceptErrors = {
  EAGAIN: [
    'No connection is waiting, and the listener is non-blocking.',
    'Every waiting connection was taken, or none came yet.',
    'Wait until the listener is readable (poll, epoll), then accept again.',
  ],
  EINVAL: [
    'The socket does not listen, or a flag is unknown.',
    '`listen` was not called on it, or it was shut down.',
    'Call `listen` first; give only SOCK_NONBLOCK and SOCK_CLOEXEC.',
  ],
  ECONNABORTED: [
    'A connection was there and is gone again.',
    'The peer broke it off (RST) while it waited in the queue.',
    'Go on and accept the next one.',
  ],
  EMFILE: [
    'The process has as many descriptors as it may; the connection stays in the queue.',
    'Connections are not closed, or the limit is low.',
    'Close some, or raise `ulimit -n`; until then the listener stays readable and a loop around it spins.',
  ],
  EPERM: [
    'A firewall rule forbids it.',
    'A filter on this machine dropped the connection.',
    'Look at the rules with `nft list ruleset` or `iptables -L`.',
  ],
  EOPNOTSUPP: [
    'This kind of socket has no connections to accept.',
    'It is a datagram socket.',
    'Use SOCK_STREAM or SOCK_SEQPACKET.',
  ],
} as const;

export const endpoints = family({
  socket: {
    page: 'socket(2)',
    summary:
      'Makes an endpoint for communication and gives its descriptor. The domain says how addresses look, the type how ' +
      'data travels (a stream, datagrams), the protocol which one does it. It is not yet bound to an address or ' +
      'connected to anybody.',
    parameters: [choice('domain', addressFamilies), socketType('type'), protocol('protocol')],
    result: 'descriptor',
    errors: {
      EAFNOSUPPORT: [
        'The kernel has no such address family.',
        'It was built without it, or its module is not loaded or not allowed here.',
        'Ask `supports` before; load the module if there is one.',
      ],
      EPROTONOSUPPORT: [
        'In this family, that type does not go with that protocol.',
        'Something like SOCK_STREAM with IPPROTO_UDP, or a protocol that this kernel lacks.',
        'Give protocol 0 for the usual one of the type.',
      ],
      ESOCKTNOSUPPORT: [
        'The family does not have this type of socket.',
        'A stream was asked of a family that has datagrams only, or the other way.',
        "See the family's page, for instance netlink(7).",
      ],
      EPERM: [
        'Making this socket takes a privilege.',
        'Raw and packet sockets need CAP_NET_RAW.',
        'Run as root or give the capability; for ping, SOCK_DGRAM with IPPROTO_ICMP may do.',
      ],
      EACCES: [
        'Making this socket takes a privilege.',
        'For ICMP datagram sockets, the group is outside net.ipv4.ping_group_range.',
        'Widen the range with sysctl, or use a raw socket as root.',
      ],
      EINVAL: [
        'The type or one of its flags is unknown.',
        'Bits other than SOCK_NONBLOCK and SOCK_CLOEXEC were added to the type.',
        'Give one SOCK_ type, and only those flags.',
      ],
    },
  },
  socketpair: {
    page: 'socketpair(2)',
    summary:
      'Makes two endpoints that are connected to each other, without names. What is written into one is read from the ' +
      'other: a pipe that runs both ways.',
    parameters: [choice('domain', addressFamilies), socketType('type'), int('protocol'), pair('sv')],
    result: 'nothing',
    errors: {
      EOPNOTSUPP: [
        'The family has no connected pairs.',
        'Linux makes pairs in AF_UNIX (and AF_TIPC) only.',
        'Use AF_UNIX; for a TCP pair, listen, connect and accept.',
      ],
      EPROTONOSUPPORT: [
        'The family does not know this protocol.',
        'A protocol other than 0 was asked of AF_UNIX.',
        'Give 0.',
      ],
      EAFNOSUPPORT: ['The kernel has no such address family.', 'The number is no AF_ constant.', 'Use AF_UNIX.'],
    },
  },
  bind: {
    page: 'bind(2)',
    summary:
      "Gives a socket its own address: an interface's address and a port, or a path. Servers bind before they listen, " +
      'so that clients know where to connect; without it the kernel chooses a port when it needs one.',
    parameters: [fd('sockfd'), address('addr', 'addrlen')],
    result: 'nothing',
    errors: {
      EADDRINUSE: [
        'Somebody has this address already.',
        'Another socket listens there, an old connection of this port is in TIME_WAIT, or the socket file of a Unix ' +
          'socket still lies there.',
        'Set SO_REUSEADDR before bind (for TIME_WAIT), choose port 0, or remove the file if no process uses it.',
      ],
      EADDRNOTAVAIL: [
        'No interface of this machine has the address.',
        "The address is another machine's, or its interface is down or in another network namespace.",
        "Bind to 0.0.0.0 or ::, to one of `ip addr`'s addresses, or set IP_FREEBIND.",
      ],
      EACCES: [
        'This user may not bind here.',
        'A port below net.ipv4.ip_unprivileged_port_start (1024) needs CAP_NET_BIND_SERVICE; a path needs write and ' +
          'search permission on its folder.',
        'Choose a higher port or a folder that is yours.',
      ],
      EINVAL: [
        'The socket is bound already, or the address has the wrong length.',
        'bind was called twice, or the bytes are of another family.',
        'Bind once, with the address of the family that the socket was made with.',
      ],
      EAFNOSUPPORT: [
        "The address is of another family than the socket's.",
        'An IPv6 address on an AF_INET socket, for instance.',
        'Make socket and address of one family.',
      ],
      ENOENT: ['A folder of the path is missing.', 'A typing error, or /run/NAME was not made.', 'Make the folder.'],
      EROFS: [
        'The socket file would lie on a file system that is read-only.',
        'A container with a read-only root.',
        'Use a folder under /run or /tmp, or an abstract name.',
      ],
      ENAMETOOLONG: [
        'The path is too long.',
        'sun_path has 108 bytes.',
        'Use a shorter path, a relative one, or an abstract name.',
      ],
      ENODEV: [
        'The address names an interface that is not there.',
        'The scope of a link-local IPv6 address, or the index of a packet socket, is wrong.',
        'See `ip link` for the indexes.',
      ],
    },
  },
  listen: {
    page: 'listen(2)',
    summary:
      'Makes a socket take connections. The kernel completes them by itself and keeps them waiting for accept, at most ' +
      'as many as the backlog says (and net.core.somaxconn allows).',
    parameters: [fd('sockfd'), int('backlog')],
    result: 'nothing',
    errors: {
      EADDRINUSE: [
        'Another socket listens on this address.',
        'Two sockets were bound with SO_REUSEADDR, and the other listened first; or no port was free for an unbound one.',
        'Choose another port, or set SO_REUSEPORT on both before bind.',
      ],
      EOPNOTSUPP: [
        'This kind of socket does not take connections.',
        'It is a datagram or raw socket.',
        'Use SOCK_STREAM or SOCK_SEQPACKET; on datagram sockets, receive at once.',
      ],
      EINVAL: [
        'The socket is connected, or (Unix) not bound.',
        'listen was called on a client, or before bind.',
        'Bind first, and listen on a socket of its own.',
      ],
    },
  },
  accept: {
    page: 'accept(2)',
    summary:
      'Takes the first waiting connection of a listener and gives it a descriptor of its own; the listener goes on ' +
      'listening. Blocks while there is none, unless the listener is non-blocking.',
    parameters: [fd('sockfd'), addressRoom('addr', 'addrlen')],
    result: 'descriptor',
    errors: acceptErrors,
  },
  accept4: {
    page: 'accept(2)',
    summary:
      'Does what accept does, and sets flags on the new descriptor in the same call: SOCK_NONBLOCK and SOCK_CLOEXEC, ' +
      "which it does not inherit from the listener's.",
    parameters: [fd('sockfd'), addressRoom('addr', 'addrlen'), flags('flags', socketFlags)],
    result: 'descriptor',
    errors: acceptErrors,
  },
  connect: {
    page: 'connect(2)',
    summary:
      'Connects a stream to a peer, which for TCP is three packets there and back. On a datagram socket it sends ' +
      'nothing: it sets whom send sends to and whom recv hears.',
    parameters: [fd('sockfd'), address('addr', 'addrlen')],
    result: 'nothing',
    errors: {
      ECONNREFUSED: [
        'The other machine answered that nobody listens there.',
        'The server is not started, listens on another address or port, or (Unix) died and left its file.',
        'See what listens with `ss -ltn` (or `ss -lx`) and compare the address.',
      ],
      EINPROGRESS: [
        'The connection has begun, and is not made yet: no failure.',
        'The socket is non-blocking, and TCP takes a round trip.',
        'Wait until it is writable, then read SO_ERROR: 0 means connected.',
      ],
      EALREADY: [
        'An earlier connect of this socket is still under way.',
        'connect was called again before the socket became writable.',
        'Wait until it is writable, then read SO_ERROR.',
      ],
      EISCONN: [
        'The socket is connected already.',
        'connect was called twice.',
        'Use the connection, or make a new socket; a stream cannot be connected anew.',
      ],
      EAGAIN: [
        "A Unix listener's backlog is full, or no local port is free.",
        'The server accepts too slowly, or so many connections are open that the ephemeral ports are used up.',
        'Try again later, raise the backlog, or widen net.ipv4.ip_local_port_range.',
      ],
      EADDRNOTAVAIL: [
        'No local port is free for this peer, or the peer address cannot be connected to.',
        'All ephemeral ports are in use towards it (many in TIME_WAIT), or the port is 0.',
        'Reuse connections, widen net.ipv4.ip_local_port_range, or check the port.',
      ],
      ETIMEDOUT: [
        'Nobody answered.',
        'The packets are dropped on the way: a firewall, a machine that is off, a full backlog on the other side.',
        'Check the route and the firewall; TCP_SYNCNT or TCP_USER_TIMEOUT shorten the wait.',
      ],
      ENETUNREACH: [
        'There is no route to that network.',
        'No default route, an interface that is down, or IPv6 on a machine that has none.',
        'Look at `ip route` and `ip -6 route`.',
      ],
      EHOSTUNREACH: [
        'The network is there, and the host does not answer on it.',
        'The machine is off, or a router said that it cannot reach it.',
        'Check the address, and `ip neigh` for FAILED.',
      ],
      ECONNRESET: [
        'The peer broke off while the connection was being made.',
        'It listens and refuses at once, or something between broke it off.',
        "Look at the server's log.",
      ],
      ENOENT: [
        'There is no such socket file.',
        'The server is not started, or the path is relative to another folder.',
        'Start the server, or give the whole path.',
      ],
      EACCES: [
        'This user may not write to the socket file, or broadcast.',
        'Connecting to a Unix socket takes write permission on its file; a broadcast address takes SO_BROADCAST.',
        'Change the permissions, or set the option.',
      ],
      EPROTOTYPE: [
        'The Unix socket at that path is of another type.',
        'A stream was connected to a datagram socket, or the other way.',
        'Make the socket with the type that the server uses.',
      ],
      EAFNOSUPPORT: [
        "The address is of another family than the socket's.",
        'An IPv6 address on an AF_INET socket, for instance.',
        'Make socket and address of one family.',
      ],
    },
  },
  shutdown: {
    page: 'shutdown(2)',
    summary:
      'Ends one direction of a connection, or both, however many descriptors it has. After SHUT_WR the peer reads the ' +
      'end of the stream and may still send. The descriptor stays to be closed.',
    parameters: [fd('sockfd'), choice('how', shutdownHows)],
    result: 'nothing',
    errors: {
      ENOTCONN: [
        'There is no connection to shut down.',
        'It was never made, or the peer broke it off (RST) before.',
        'Only close is left to do.',
      ],
      EINVAL: ['`how` is unknown.', 'A number that is no SHUT_ constant.', 'Give SHUT_RD, SHUT_WR or SHUT_RDWR.'],
    },
  },
  getsockname: {
    page: 'getsockname(2)',
    summary:
      "Tells a socket's own address. After binding to port 0 it tells which port the kernel chose; on an accepted " +
      'connection, which address the client connected to.',
    parameters: [fd('sockfd'), addressRoom('addr', 'addrlen')],
    result: 'nothing',
  },
  getpeername: {
    page: 'getpeername(2)',
    summary: 'Tells the address of the other end of a connection.',
    parameters: [fd('sockfd'), addressRoom('addr', 'addrlen')],
    result: 'nothing',
    errors: {
      ENOTCONN: [
        'The socket has no peer.',
        'It was never connected, is still connecting, or the connection was reset.',
        'Connect first; to learn why it is gone, read SO_ERROR.',
      ],
    },
  },
});
