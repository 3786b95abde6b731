/**
 * posix-sockets: every Linux socket call, called directly from JavaScript, exactly as its man page says.
 * @module
 */
export * from './constants.js';
export { type ErrorContext, errnoName, GaiError, SystemError, strerror } from './errors.js';
export { type Bytes, constants, type Raw, raw } from './native.js';
export { fdOf, type WithDescriptor } from './node-sockets.js';
export type { OptionName } from './option-name.js';
export type { Access, Option } from './options/option.js';
export {
  findOption,
  type OptionInput,
  type OptionValue,
  optionTable,
  type ReadableOption,
  type WritableOption,
} from './options/table.js';
export { Reactor, type ReadyHandler } from './reactor.js';
export { Ring, type RingEntry } from './ring.js';
export type { ConnectOptions } from './socket/connecting.js';
export type { ListenOptions } from './socket/listening.js';
export type { OpenSocket } from './socket/open-sockets.js';
export type { AcceptOptions } from './socket/socket.js';
export { Socket, type TransferOptions } from './socket/socket.js';
export type { WaitOptions } from './socket/waiter.js';
export type { HostAndPort, Where } from './socket/where.js';
export { SocketDuplex, type SocketDuplexOptions } from './stream/duplex.js';
export type { WebStreams } from './stream/web.js';
export * from './structs/can.js';
export type { Content } from './structs/content.js';
export {
  CMSG_ALIGN,
  CMSG_LEN,
  CMSG_SPACE,
  ControlBuffer,
  type ControlInputs,
  type ControlMessage,
} from './structs/control.js';
export {
  type ControlInput,
  type ControlKind,
  type ControlName,
  type ControlValue,
  controlKinds,
} from './structs/control-kinds.js';
export { ucred } from './structs/credentials.js';
export { EpollEvents } from './structs/epoll-events.js';
export { scm_timestamping, scm_ts_pktinfo, sock_extended_err } from './structs/errqueue.js';
export { f_owner_ex, flock } from './structs/fcntl.js';
export { FdSet } from './structs/fdset.js';
export * from './structs/filter.js';
export * from './structs/interface.js';
export * from './structs/io-uring.js';
export * from './structs/ipv6.js';
export { linger } from './structs/linger.js';
export { MessageBatch, type MessageBatchRoom } from './structs/message-batch.js';
export * from './structs/mptcp.js';
export { MsgHdr, type MsgHdrInit } from './structs/msghdr.js';
export * from './structs/multicast.js';
export * from './structs/packet.js';
export { in_pktinfo, in6_pktinfo, ip6_mtuinfo, nl_pktinfo, tpacket_auxdata } from './structs/pktinfo.js';
export { PollFds } from './structs/pollfds.js';
export * from './structs/sctp.js';
export * from './structs/sctp-notifications.js';
export { signalfd_siginfo } from './structs/signalfd.js';
export { SigSet } from './structs/sigset.js';
export { SockAddr, type TipcAddress } from './structs/sockaddr.js';
export * from './structs/sockaddr-families.js';
export { Struct, type StructType } from './structs/struct.js';
export * from './structs/tcp.js';
export { tcp_info } from './structs/tcp-info.js';
export { __kernel_sock_timeval, itimerspec, timespec, timeval } from './structs/time.js';
export * from './structs/timestamping.js';
export * from './structs/tls.js';
export * from './structs/xdp.js';
export { type Supported, supports } from './supports.js';
export * from './syscalls/descriptors.js';
export * from './syscalls/endpoints.js';
export * from './syscalls/memory.js';
export * from './syscalls/messages.js';
export * from './syscalls/names.js';
export * from './syscalls/namespaces.js';
export * from './syscalls/options.js';
export * from './syscalls/processes.js';
export * from './syscalls/rings.js';
export * from './syscalls/threads.js';
export * from './syscalls/transfer.js';
export * from './syscalls/waiting.js';
export { ZeroCopyBuffer, ZeroCopySender } from './zero-copy.js';
