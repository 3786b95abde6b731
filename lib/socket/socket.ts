import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';
import {
  AF_UNIX,
  EAGAIN,
  EINPROGRESS,
  EINTR,
  ETIMEDOUT,
  F_GETFL,
  F_SETFD,
  F_SETFL,
  FD_CLOEXEC,
  MSG_CMSG_CLOEXEC,
  O_NONBLOCK,
  SHUT_RDWR,
  SO_DOMAIN,
  SO_ERROR,
  SO_PROTOCOL,
  SO_TYPE,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_SOCKET,
} from '../constants.js';
import { fail, SystemError } from '../errors.js';
import { type Bytes, raw } from '../native.js';
import type { OptionInput, OptionValue, ReadableOption, WritableOption } from '../options/table.js';
import { SocketDuplex, type SocketDuplexOptions } from '../stream/duplex.js';
import { toWebStreams, type WebStreams } from '../stream/web.js';
import type { MsgHdr } from '../structs/msghdr.js';
import { addressBytes, addressRoom, SockAddr } from '../structs/sockaddr.js';
import { fcntl } from '../syscalls/descriptors.js';
import * as endpoints from '../syscalls/endpoints.js';
import { type ReceivedFds, recvFds, sendFds, tryRecvmsg, trySendmsg } from '../syscalls/messages.js';
import { getOption, getsockopt, setOption } from '../syscalls/options.js';
import { Accept } from './accepting.js';
import { Connecting, type ConnectOptions, connectFirst } from './connecting.js';
import { bindPath, type ListenOptions, prepareListener } from './listening.js';
import {
  callersOf,
  closeWaiter,
  Kind,
  madeAt,
  type OpenSocket,
  openWaiters,
  release,
  remember,
} from './open-sockets.js';
import { READING, WRITING } from './operation.js';
import { Receive, ReceiveBuffer, ReceiveBy } from './receiving.js';
import { Send, SendAll, SendBy } from './sending.js';
import { splice } from './splicing.js';
import { closedError, Waiter, type WaitOptions } from './waiter.js';
import { resolve, type Where } from './where.js';

/** What a call that sends or receives takes besides its buffers. */
export interface TransferOptions extends WaitOptions {
  /** MSG_* bits. */
  readonly flags?: number | undefined;
}

/** What accept takes. */
export interface AcceptOptions extends WaitOptions {
  /** Filled with the address of the other end. */
  readonly peer?: SockAddr | undefined;
}

/**
 * A socket that awaits: it owns one descriptor, which is non-blocking and close-on-exec.
 *
 * Each method makes the system call of its name, at once where it can, and otherwise when the reactor says that the
 * socket is ready. What it does for its caller beyond that: a call that a signal interrupted (EINTR) is repeated;
 * `sendAll` goes on after a short write; a wait ends by an `AbortSignal` (with its reason), by a `timeout` (ETIMEDOUT),
 * or by `close` (ECANCELED). Calls of one direction that wait are made in the order in which they were asked for.
 *
 * Close it when done, or declare it with `using`: one that is collected while open is closed, with a warning.
 */
export class Socket implements AsyncDisposable, Disposable {
  readonly #waiter: Waiter;

  /**
   * Makes a socket, as socket(2) does.
   * @throws SystemError as {@link endpoints.socket}
   */
  constructor(domain: number, type: number, protocol?: number);
  /** @internal A descriptor that is there already: non-blocking and close-on-exec. */
  constructor(kind: Kind, fd: number);
  constructor(domain: number | Kind, typeOrFd: number, protocol = 0) {
    if (domain instanceof Kind) {
      this.#waiter = new Waiter(typeOrFd, domain);
    } else {
      const type = typeOrFd & ~(SOCK_NONBLOCK | SOCK_CLOEXEC);
      const fd = endpoints.socket(domain, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
      this.#waiter = new Waiter(fd, new Kind(domain, type, protocol, callersOf(new.target)));
    }
    remember(this, this.#waiter);
  }

  /**
   * Connects. A host's addresses are tried in turn, both families alternating, the next after `attemptDelay` ms.
   * @throws SystemError as connect(2), or an AggregateError when several addresses failed; GaiError for a host's name
   */
  static async connect(where: Where, options: ConnectOptions = {}): Promise<Socket> {
    const { type = SOCK_STREAM, protocol = 0, from, beforeConnect, timeout } = options;
    options.signal?.throwIfAborted();
    const deadline = timeout === undefined ? undefined : AbortSignal.timeout(timeout);
    const origin = callersOf(Socket.connect);
    const addresses = await resolve(where, type, false);
    const attempt = async (address: SockAddr, signal: AbortSignal) => {
      const fd = endpoints.socket(address.family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
      const socket = new Socket(new Kind(address.family, type, protocol, origin), fd);
      try {
        if (from) endpoints.bind(fd, from);
        beforeConnect?.(fd);
        await socket.connect(address, { signal });
        return socket;
      } catch (error) {
        socket.close();
        throw error;
      }
    };
    const signals = [options.signal, deadline].filter((signal) => signal !== undefined);
    const signal = signals.length > 1 ? AbortSignal.any(signals) : signals[0];
    try {
      return await connectFirst(addresses, attempt, { ...options, signal });
    } catch (error) {
      if (deadline?.aborted) throw new SystemError('connect', ETIMEDOUT, addresses[0]);
      throw error;
    }
  }

  /**
   * Listens. On a path, a socket file whose listener is gone is replaced, but only after a connect to it was refused;
   * closing removes the file, if it is still the same one.
   * @throws SystemError as bind(2) and listen(2)
   */
  static async listen(where: Where, options: ListenOptions = {}): Promise<Socket> {
    const { type = SOCK_STREAM, protocol = 0, backlog = 511, shedWhenFull = true } = options;
    options.signal?.throwIfAborted();
    const origin = callersOf(Socket.listen);
    const addresses = await resolve(where, type, true);
    const address = addresses[0] as SockAddr;
    const fd = endpoints.socket(address.family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
    const kind = new Kind(address.family, type, protocol, origin);
    kind.shedWhenFull = shedWhenFull;
    const socket = new Socket(kind, fd);
    try {
      prepareListener(fd, address, options);
      const isPath = address.family === AF_UNIX && address.pathBytes?.length && address.pathBytes[0] !== 0;
      if (isPath) kind.onClose = bindPath(fd, address, type);
      else endpoints.bind(fd, address);
      endpoints.listen(fd, backlog);
      return socket;
    } catch (error) {
      socket.close();
      throw error;
    }
  }

  /** Two connected sockets, as socketpair(2) makes them. */
  static pair(type: number = SOCK_STREAM, protocol = 0): [Socket, Socket] {
    const fds = endpoints.socketpair(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
    const kind = new Kind(AF_UNIX, type, protocol, callersOf(Socket.pair));
    return [new Socket(kind, fds[0]), new Socket(kind, fds[1])];
  }

  /**
   * Takes a descriptor over: from now on the Socket owns it. It becomes non-blocking and close-on-exec.
   * @throws SystemError ENOTSOCK it is no socket
   */
  static from(fd: number): Socket {
    const [domain, type, protocol] = [SO_DOMAIN, SO_TYPE, SO_PROTOCOL].map((option) =>
      getsockopt(fd, SOL_SOCKET, option),
    ) as [number, number, number];
    const kind = new Kind(domain, type, protocol, callersOf(Socket.from));
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    return new Socket(kind, fd);
  }

  /** The sockets of this thread that are open: where they were made, what they did. */
  static list(): OpenSocket[] {
    return openWaiters().map(({ fd, kind, bytesReceived, bytesSent, calls, waits }) => ({
      fd,
      domain: kind.domain,
      type: kind.type,
      protocol: kind.protocol,
      localAddress: addressOf(raw.getsockname, fd),
      remoteAddress: addressOf(raw.getpeername, fd),
      madeAt: madeAt(kind),
      bytesReceived,
      bytesSent,
      calls,
      waits,
    }));
  }

  /** The descriptor; -1 once closed or detached. */
  get fd(): number {
    return this.#waiter.fd;
  }

  /** The address family: AF_INET, ... */
  get domain(): number {
    return this.#waiter.kind.domain;
  }

  /** SOCK_STREAM, SOCK_DGRAM, ... */
  get type(): number {
    return this.#waiter.kind.type;
  }

  /** IPPROTO_*, or 0. */
  get protocol(): number {
    return this.#waiter.kind.protocol;
  }

  /** This end's address; undefined once closed. */
  get localAddress(): SockAddr | undefined {
    return addressOf(raw.getsockname, this.fd);
  }

  /** The other end's address; undefined when there is none, as once a connection is over. */
  get remoteAddress(): SockAddr | undefined {
    return addressOf(raw.getpeername, this.fd);
  }

  /** How many connections a listener accepted only to close them, for lack of descriptors. */
  get connectionsShed(): number {
    return this.#waiter.kind.connectionsShed;
  }

  /** bind(2) */
  bind(address: SockAddr): void {
    endpoints.bind(this.fd, address);
  }

  /** listen(2) */
  listen(backlog = 511): void {
    endpoints.listen(this.fd, backlog);
  }

  /**
   * connect(2). A Unix listener whose backlog is full is asked again after a while, as blocking connect would wait.
   * @throws SystemError as {@link endpoints.connect}
   */
  async connect(address: SockAddr, options?: WaitOptions): Promise<void> {
    const syscall = 'connect';
    options?.signal?.throwIfAborted();
    const bytes = addressBytes(address);
    let answer = raw.connect(this.fd, bytes);
    if (answer === -EAGAIN) answer = await this.#connectWhenRoom(bytes, options);
    if (answer === -EINPROGRESS) {
      await this.#waiter.perform(new Connecting(this), options);
      answer = -getsockopt(this.fd, SOL_SOCKET, SO_ERROR);
    }
    if (answer < 0) fail(syscall, answer, address);
  }

  // There is no event for room in a Unix listener's backlog.
  async #connectWhenRoom(bytes: Uint8Array, options?: WaitOptions): Promise<number> {
    const started = performance.now();
    for (let delay = 1; ; delay = Math.min(delay * 2, 50)) {
      await sleep(delay, undefined, { signal: options?.signal }).catch(() => options?.signal?.throwIfAborted());
      if (this.fd < 0) throw closedError('connect');
      const answer = raw.connect(this.fd, bytes);
      if (answer !== -EAGAIN) return answer;
      if (performance.now() - started > (options?.timeout ?? Number.POSITIVE_INFINITY)) return -ETIMEDOUT;
    }
  }

  /**
   * accept4(2): waits for a connection and takes it.
   * @throws SystemError as {@link endpoints.accept}
   */
  accept(options?: AcceptOptions): Promise<Socket> {
    return this.#waiter.perform(new Accept(this, this.#waiter.kind, options?.peer, adopt), options);
  }

  /** `for await (const connection of listener)`: accepts until the listener is closed. */
  async *[Symbol.asyncIterator](): AsyncIterableIterator<Socket> {
    while (this.fd >= 0) {
      try {
        yield await this.accept();
      } catch (error) {
        if (this.fd < 0) return;
        // The peer went away before it was accepted: nobody is there to talk to.
        if ((error as SystemError).code !== 'ECONNABORTED') throw error;
      }
    }
  }

  /**
   * recv(2): waits for bytes, or a datagram.
   * @returns how many came; 0 when the peer has ended the stream
   */
  recv(bytes: Bytes, options?: TransferOptions): Promise<number> {
    return this.#waiter.perform(new Receive(this, options?.flags ?? 0, bytes), options);
  }

  /**
   * Receives whatever is there, up to 64 KiB, as a new Buffer.
   * @returns null when the peer has ended the stream
   */
  recvBuffer(options?: TransferOptions): Promise<Buffer | null> {
    return this.#waiter.perform(new ReceiveBuffer(this, options?.flags ?? 0), options);
  }

  /**
   * recvfrom(2): waits for a datagram.
   * @param from filled with its sender's address
   * @returns its length
   */
  recvfrom(bytes: Bytes, from: SockAddr | null, options?: TransferOptions): Promise<number> {
    const flags = options?.flags ?? 0;
    const room = addressRoom(from);
    const attempt = (fd: number) => {
      const received = raw.recvfrom(fd, bytes, flags, room);
      if (received >= 0 && from) from.length = raw.out[0] as number;
      return received;
    };
    return this.#waiter.perform(new ReceiveBy(this, 'recvfrom', flags, attempt), options);
  }

  /**
   * recvmsg(2): waits for a message with all that it carries; with MSG_ERRQUEUE in `flags`, for one in the error queue,
   * whatever waits for data meanwhile.
   * @returns how many bytes came
   */
  recvmsg(message: MsgHdr, options?: TransferOptions): Promise<number> {
    // Descriptors that come with a message shall not leak into a program that is started meanwhile.
    const flags = (options?.flags ?? 0) | MSG_CMSG_CLOEXEC;
    const attempt = (fd: number) => tryRecvmsg(fd, message, flags);
    return this.#waiter.perform(new ReceiveBy(this, 'recvmsg', flags, attempt), options);
  }

  /**
   * send(2): sends what fits at once; see {@link sendAll}.
   * @returns how many bytes the kernel took
   */
  send(bytes: Bytes, options?: TransferOptions): Promise<number> {
    return this.#waiter.perform(new Send(this, options?.flags ?? 0, bytes), options);
  }

  /**
   * Sends all of the bytes, in as many calls as it takes.
   * @param bytes one buffer, or several that are sent as one stretch
   * @throws SystemError as send(2); its `sent` says how many bytes the kernel had taken
   */
  sendAll(bytes: Bytes | readonly Bytes[], options?: TransferOptions): Promise<void> {
    return this.#waiter.perform(new SendAll(this, options?.flags ?? 0, bytes), options);
  }

  /**
   * sendto(2): sends a datagram to an address.
   * @returns how many bytes the kernel took
   */
  sendto(bytes: Bytes, address: SockAddr, options?: TransferOptions): Promise<number> {
    const flags = options?.flags ?? 0;
    const to = addressBytes(address);
    const attempt = (fd: number) => raw.sendto(fd, bytes, flags, to);
    return this.#waiter.perform(new SendBy(this, 'sendto', attempt, address), options);
  }

  /**
   * sendmsg(2): sends a message with all that it carries.
   * @returns how many bytes the kernel took
   */
  sendmsg(message: MsgHdr, options?: TransferOptions): Promise<number> {
    const flags = options?.flags ?? 0;
    const attempt = (fd: number) => trySendmsg(fd, message, flags);
    return this.#waiter.perform(new SendBy(this, 'sendmsg', attempt, message.name ?? undefined), options);
  }

  /**
   * sendfile(2): sends a stretch of a file, all of it, or to the file's end.
   * @param offset where to begin; null for the file's own position, which moves
   * @returns how many bytes were sent
   */
  sendfile(input: number, offset: number | null, count: number, options?: WaitOptions): Promise<number> {
    let sent = 0;
    const attempt = (fd: number) => {
      while (sent < count) {
        const moved = raw.sendfile(fd, input, offset === null ? null : offset + sent, count - sent);
        if (moved < 0) return moved;
        if (moved === 0) break;
        sent += moved;
      }
      return sent;
    };
    return this.#waiter.perform(new SendBy(this, 'sendfile', attempt), options);
  }

  /**
   * Sends descriptors over a Unix socket, as {@link sendFds} does.
   * @returns how many bytes were sent
   */
  sendFds(fds: readonly number[], bytes?: Bytes, options?: WaitOptions): Promise<number> {
    const attempt = (fd: number) => answerOf(() => sendFds(fd, fds, bytes));
    return this.#waiter.perform(new SendBy(this, 'sendmsg', attempt), options);
  }

  /** Receives descriptors from a Unix socket, close-on-exec, as {@link recvFds} does. They are the caller's to close. */
  async recvFds(maxFds: number, bytes?: Bytes, options?: WaitOptions): Promise<ReceivedFds> {
    let received: ReceivedFds | undefined;
    const attempt = (fd: number) => {
      return answerOf(() => {
        received = recvFds(fd, maxFds, bytes);
        return received.length;
      });
    };
    await this.#waiter.perform(new ReceiveBy(this, 'recvmsg', 0, attempt), options);
    return received as unknown as ReceivedFds;
  }

  /**
   * splice(2): moves bytes from this socket into a pipe inside the kernel, waiting for bytes and for room in the pipe.
   * @param pipe the pipe's end to write to
   * @param count how many bytes at most
   * @returns how many moved; 0 when the peer has ended the stream
   */
  spliceTo(pipe: number, count: number, options?: WaitOptions): Promise<number> {
    return splice(this.#waiter, this, READING, pipe, count, options);
  }

  /**
   * splice(2): moves bytes from a pipe to this socket inside the kernel, waiting for bytes in the pipe and for room.
   * @param pipe the pipe's end to read from
   * @param count how many bytes at most
   * @returns how many moved; 0 when nobody writes to the pipe any more
   */
  spliceFrom(pipe: number, count: number, options?: WaitOptions): Promise<number> {
    return splice(this.#waiter, this, WRITING, pipe, count, options);
  }

  /**
   * An option by its name, as the value that it holds: `socket.option('TCP_INFO').tcpi_rtt`.
   * @throws SystemError as getsockopt(2)
   */
  option<Name extends ReadableOption>(name: Name): OptionValue<Name>;
  /**
   * Sets an option by its name: `socket.option('TCP_NODELAY', true)`.
   * @throws SystemError as setsockopt(2)
   */
  option<Name extends WritableOption>(name: Name, value: OptionInput<Name>): void;
  option(...parameters: [name: never, value?: never]): unknown {
    const [name, value] = parameters;
    return parameters.length > 1 ? setOption(this.fd, name, value as never) : getOption(this.fd, name);
  }

  /** Lets a wait on this socket keep the process running, as it does by default. */
  ref(): this {
    this.#waiter.keepsAlive = true;
    return this;
  }

  /** Lets the process end although this socket waits. */
  unref(): this {
    this.#waiter.keepsAlive = false;
    return this;
  }

  /**
   * The socket as a node:stream, which then owns it: backpressure, half-close and errors as node:net has them.
   */
  toDuplex(options?: SocketDuplexOptions): SocketDuplex {
    return new SocketDuplex(this, options);
  }

  /** The socket as web streams, which then own it: it is closed when both have ended, or one has failed. */
  toWeb(): WebStreams {
    return toWebStreams(this);
  }

  /** shutdown(2): ends one direction, or both. */
  shutdown(how: number = SHUT_RDWR): void {
    endpoints.shutdown(this.fd, how);
  }

  /**
   * Gives the descriptor up without closing it: it is the caller's. It stays non-blocking.
   * @returns the descriptor
   */
  detach(): number {
    return release(this.#waiter);
  }

  /**
   * close(2), once: whatever it answers, the descriptor is gone. Operations that wait reject with ECANCELED. A socket
   * that is closed already stays so.
   * @throws SystemError what close answered, other than EINTR
   */
  close(): void {
    const answer = closeWaiter(this.#waiter);
    if (answer < 0 && answer !== -EINTR) fail('close', answer);
  }

  [inspect.custom](): string {
    return `${this.constructor.name} { fd: ${this.fd} }`;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }
}

function adopt(kind: Kind, fd: number): Socket {
  return new Socket(kind, fd);
}

/** What `raw` would have answered to a checked call. */
function answerOf(call: () => number): number {
  try {
    return call();
  } catch (error) {
    if (error instanceof SystemError) return error.errno;
    throw error;
  }
}

function addressOf(ask: (fd: number, room: Uint8Array) => number, fd: number): SockAddr | undefined {
  const address = new SockAddr();
  if (ask(fd, address.storage) < 0) return undefined;
  address.length = raw.out[0] as number;
  return address;
}
