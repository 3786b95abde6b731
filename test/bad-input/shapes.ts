// What each raw call's arguments are, and what the addon calls them. A call that is missing here fails a test.

/** How an argument is read: see native/call.h. */
export type Kind =
  | 'fd'
  | 'int'
  | 'flags' // 32 bits, signed or not
  | 'milliseconds' // an int that is a timeout
  | 'size'
  | 'size to map' // a size of which the fuzz makes no more than there is memory
  | 'wide' // an integer of 64 bits
  | 'offset' // an integer of 64 bits, or null
  | 'bytes'
  | 'bytes or null'
  | 'address'
  | 'address or null'
  | 'value' // flags or bytes
  | 'struct or null' // flags, bytes or null
  | 'buffers'
  | 'mapping' // an array that mmap made
  | 'protection' // flags of mmap
  | 'namespaces' // flags of unshare, of which the fuzz tries only those that change nothing
  | 'text'
  | 'text or null'
  | 'lookup flags' // flags to which the fuzz adds "numeric only", or it would ask name servers
  | `at least ${number} bytes`
  | `at least ${number} bytes or null`;

export interface Argument {
  readonly name: string;
  readonly kind: Kind;
}

const shape = (text: string): Argument[] =>
  text
    .split('; ')
    .filter((part) => part !== '')
    .map((part) => {
      const [name = '', kind] = part.split(': ');
      return { name, kind: (kind ?? 'int') as Kind };
    });

const addressQuery = 'node: text or null; service: text or null; flags: lookup flags; family; socktype; protocol';
const batch =
  'fd: fd; payload: bytes; names: bytes or null; controls: bytes or null; table: bytes; first: size; count: size';
const sets = 'nfds; readfds: bytes or null; writefds: bytes or null; exceptfds: bytes or null';

const shapes: Readonly<Record<string, string>> = {
  socket: 'domain; type; protocol',
  socketpair: 'domain; type; protocol',
  bind: 'fd: fd; address: address',
  listen: 'fd: fd; backlog',
  connect: 'fd: fd; address: address',
  shutdown: 'fd: fd; how',
  accept: 'fd: fd; peer: bytes or null',
  accept4: 'fd: fd; peer: bytes or null; flags: flags',
  getsockname: 'fd: fd; address: bytes',
  getpeername: 'fd: fd; address: bytes',

  read: 'fd: fd; bytes: bytes',
  write: 'fd: fd; bytes: bytes',
  readv: 'fd: fd; buffers: buffers',
  writev: 'fd: fd; buffers: buffers',
  send: 'fd: fd; bytes: bytes; flags: flags',
  recv: 'fd: fd; bytes: bytes; flags: flags',
  sendto: 'fd: fd; bytes: bytes; flags: flags; address: address or null',
  recvfrom: 'fd: fd; bytes: bytes; flags: flags; from: bytes or null',
  sendfile: 'out: fd; in: fd; offset: offset; count: size',
  splice: 'in: fd; inOffset: offset; out: fd; outOffset: offset; count: size; flags: flags',

  sendmsg: 'fd: fd; iov: buffers; name: address or null; control: bytes or null; flags: flags',
  recvmsg: 'fd: fd; iov: buffers; name: bytes or null; control: bytes or null; flags: flags',
  sendmmsg: `${batch}; flags: flags`,
  recvmmsg: `${batch}; flags: flags; timeout: at least 16 bytes or null`,

  getsockopt: 'fd: fd; level; optname; value: bytes',
  setsockopt: 'fd: fd; level; optname; value: value',
  tcpZerocopyReceive: 'fd: fd; mapping: bytes; copy: bytes or null; request: at least 64 bytes',

  close: 'fd: fd',
  dup: 'fd: fd',
  dup2: 'oldfd: fd; newfd: fd',
  dup3: 'oldfd: fd; newfd: fd; flags: flags',
  pipe2: 'flags: flags',
  fcntl: 'fd: fd; cmd; arg: value',
  ioctl: 'fd: fd; request: flags; arg: struct or null',
  sockatmark: 'fd: fd',
  eventfd: 'initval: flags; flags: flags',
  timerfd_create: 'clockid; flags: flags',
  timerfd_settime: 'fd: fd; flags: flags; newValue: at least 32 bytes; oldValue: at least 32 bytes or null',
  timerfd_gettime: 'fd: fd; value: at least 32 bytes',
  signalfd: 'fd: fd; mask: at least 128 bytes; flags: flags',

  select: `${sets}; timeout: at least 16 bytes or null`,
  pselect: `${sets}; timeout: at least 16 bytes or null; sigmask: at least 128 bytes or null`,
  poll: 'fds: bytes; timeout: milliseconds',
  ppoll: 'fds: bytes; timeout: at least 16 bytes or null; sigmask: at least 128 bytes or null',
  epoll_create: 'size',
  epoll_create1: 'flags: flags',
  epoll_ctl: 'epfd: fd; op; fd: fd; event: at least 12 bytes or null',
  epoll_wait: 'epfd: fd; events: bytes; timeout: milliseconds',
  epoll_pwait: 'epfd: fd; events: bytes; timeout: milliseconds; sigmask: at least 128 bytes or null',
  epoll_pwait2: 'epfd: fd; events: bytes; timeout: at least 16 bytes or null; sigmask: at least 128 bytes or null',

  getaddrinfo: `${addressQuery}; result: bytes`,
  getaddrinfoAsync: addressQuery,
  getnameinfo: 'address: address; host: bytes or null; service: bytes or null; flags: lookup flags',
  inet_pton: 'af; text: text; address: bytes',
  inet_ntop: 'af; address: bytes; text: bytes',
  if_nametoindex: 'name: text',
  if_indextoname: 'index: flags; name: bytes',
  if_nameindex: 'result: bytes',
  getifaddrs: 'result: bytes',
  getservbyname: 'name: text; protocol: text or null',
  getprotobyname: 'name: text',
  strerror: 'errno; text: bytes',
  gai_strerror: 'errcode; text: bytes',
  htons: 'value: flags',
  htonl: 'value: flags',
  ntohs: 'value: flags',
  ntohl: 'value: flags',

  pidfd_open: 'pid; flags: flags',
  pidfd_getfd: 'pidfd: fd; targetfd; flags: flags',
  pidfd_send_signal: 'pidfd: fd; sig; info: at least 128 bytes or null; flags: flags',
  memfd_create: 'name: bytes; flags: flags',
  mmap: 'length: size to map; prot: protection; flags: flags; fd: fd; offset: wide',
  munmap: 'addr: mapping',
  unshare: 'flags: namespaces',
  setns: 'fd: fd; nstype: flags',

  io_uring_setup: 'entries: flags; params: at least 120 bytes',
  io_uring_memory: 'fd: fd; length: size to map',
  io_uring_enter:
    'fd: fd; to_submit: flags; min_complete: flags; flags: flags; timeout: at least 16 bytes or null; sigmask: at least 128 bytes or null',
  io_uring_close: 'fd: fd',

  interrupt: 'threadId',
  interruptUntilGone: 'threadId',
  gettid: '',
  interruptWorkersUntilGone: '',
  pthread_sigmask: 'how; set: at least 128 bytes or null; oldset: at least 128 bytes or null',
};

/** Each raw call's arguments. */
export const argumentsOf: Readonly<Record<string, readonly Argument[]>> = Object.fromEntries(
  Object.entries(shapes).map(([name, text]) => [name, shape(text)]),
);
