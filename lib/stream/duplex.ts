import { Duplex, type DuplexOptions } from 'node:stream';
import {
  IPPROTO_TCP,
  SHUT_WR,
  SO_KEEPALIVE,
  SOCK_STREAM,
  SOL_SOCKET,
  TCP_KEEPIDLE,
  TCP_NODELAY,
} from '../constants.js';
import { raw } from '../native.js';
import type { Socket } from '../socket/socket.js';
import { setsockopt } from '../syscalls/options.js';

/** How a stream over a socket behaves. */
export interface SocketDuplexOptions extends Pick<DuplexOptions, 'highWaterMark' | 'signal'> {
  /** Whether this end may go on writing when the peer has ended its direction; false by default, as in node:net. */
  readonly allowHalfOpen?: boolean | undefined;
}

type Callback = (error?: Error | null) => void;

/**
 * A node:stream Duplex over a Socket, which it then owns: backpressure both ways, half-close, errors. Over a socket of
 * messages (SOCK_SEQPACKET, SOCK_DGRAM) each chunk is one message. It has those
 * methods of net.Socket that libraries call on a connection, so that node:http, node:tls and clients of databases run
 * over it.
 */
export class SocketDuplex extends Duplex {
  /** The socket beneath. */
  readonly socket: Socket;
  /** Milliseconds without traffic until 'timeout' is emitted; 0 for never. */
  timeout = 0;
  #timer: NodeJS.Timeout | undefined;
  #receiving = false;

  constructor(socket: Socket, { allowHalfOpen = false, ...options }: SocketDuplexOptions = {}) {
    // A message is a chunk of its own, which a stream of bytes would join to the next.
    super({ ...options, allowHalfOpen, readableObjectMode: socket.type !== SOCK_STREAM });
    this.socket = socket;
  }

  override _read(): void {
    if (!this.#receiving) this.#receive();
  }

  #receive(): void {
    this.#receiving = true;
    this.socket.recvBuffer().then(this.#received, this.#failed);
  }

  readonly #received = (chunk: Buffer | null): void => {
    this.#receiving = false;
    if (this.destroyed) return;
    this.#timer?.refresh();
    try {
      if (this.push(chunk) && chunk !== null && !this.#receiving && !this.destroyed) this.#receive();
    } catch (error) {
      this.#failed(error as Error);
    }
  };

  readonly #failed = (error: Error): void => {
    this.#receiving = false;
    // Destroyed while it waited: then the stream has its own error, or none.
    if (!this.destroyed) this.destroy(error);
  };

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: Callback): void {
    this.#send(chunk, callback);
  }

  override _writev(chunks: { chunk: Buffer }[], callback: Callback): void {
    const buffers = chunks.map(({ chunk }) => chunk);
    if (this.socket.type === SOCK_STREAM) this.#send(buffers, callback);
    else this.#sendEach(buffers).then(() => callback(), callback);
  }

  async #sendEach(messages: Buffer[]): Promise<void> {
    for (const message of messages) await this.socket.sendAll(message);
  }

  #send(bytes: Buffer | Buffer[], callback: Callback): void {
    this.socket.sendAll(bytes).then(() => {
      this.#timer?.refresh();
      callback();
    }, callback);
  }

  override _final(callback: Callback): void {
    // The peer may have broken off, and then there is no direction left to end.
    if (this.socket.fd >= 0) raw.shutdown(this.socket.fd, SHUT_WR);
    callback();
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    clearTimeout(this.#timer);
    try {
      this.socket.close();
      callback(error);
    } catch (closing) {
      callback(error ?? (closing as Error));
    }
  }

  /** The peer's address, as net.Socket has it. */
  get remoteAddress(): string | undefined {
    return this.socket.remoteAddress?.address;
  }

  /** The peer's port. */
  get remotePort(): number | undefined {
    return this.socket.remoteAddress?.port;
  }

  /** This end's address. */
  get localAddress(): string | undefined {
    return this.socket.localAddress?.address;
  }

  /** This end's port. */
  get localPort(): number | undefined {
    return this.socket.localAddress?.port;
  }

  /** Emits 'timeout' when nothing was sent or received for so many milliseconds; 0 for never. The stream stays open. */
  setTimeout(milliseconds: number, listener?: () => void): this {
    clearTimeout(this.#timer);
    this.timeout = milliseconds;
    if (listener) this.once('timeout', listener);
    if (milliseconds > 0) this.#timer = setTimeout(() => this.emit('timeout'), milliseconds).unref();
    return this;
  }

  /** TCP_NODELAY. A socket that is not TCP stays as it is, as with net.Socket. */
  setNoDelay(on = true): this {
    raw.setsockopt(this.socket.fd, IPPROTO_TCP, TCP_NODELAY, on ? 1 : 0);
    return this;
  }

  /** SO_KEEPALIVE, and TCP_KEEPIDLE from `initialDelay` in milliseconds, if that is at least a second. */
  setKeepAlive(on = false, initialDelay = 0): this {
    setsockopt(this.socket.fd, SOL_SOCKET, SO_KEEPALIVE, on ? 1 : 0);
    const seconds = Math.floor(initialDelay / 1000);
    if (on && seconds > 0) raw.setsockopt(this.socket.fd, IPPROTO_TCP, TCP_KEEPIDLE, seconds);
    return this;
  }

  /** Lets the stream keep the process running, as it does by default. */
  ref(): this {
    this.socket.ref();
    return this;
  }

  /** Lets the process end although the stream waits. */
  unref(): this {
    this.socket.unref();
    return this;
  }
}
