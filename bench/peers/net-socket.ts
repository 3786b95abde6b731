// What examples/teleport asks of a Socket, done by node:net: the same protocol, by the same code, on the other.
import { once } from 'node:events';
import { type AddressInfo, createConnection, createServer, type Socket as NetSocket } from 'node:net';
import { AF_INET, type ConnectOptions, type ListenOptions, SOCK_STREAM, Socket, sockaddr_in } from 'posix-sockets';

type Where = { host: string; port: number };

class Connection {
  readonly type = SOCK_STREAM;
  readonly domain = AF_INET;
  readonly #socket: NetSocket;
  /** Came before it was asked for. */
  readonly #chunks: Buffer[] = [];
  #over = false;
  #error: Error | undefined;
  #wake = (): void => {};

  constructor(socket: NetSocket) {
    this.#socket = socket.setNoDelay(true);
    socket.on('data', (chunk) => {
      this.#chunks.push(chunk);
      this.#wake();
    });
    const end = (error?: Error): void => {
      this.#error ??= error;
      this.#over = true;
      this.#wake();
    };
    socket.on('error', end);
    socket.on('end', () => end());
    socket.on('close', () => end());
  }

  get localAddress() {
    return sockaddr_in(this.#socket.localAddress ?? '0.0.0.0', this.#socket.localPort ?? 0);
  }

  get remoteAddress() {
    return sockaddr_in(this.#socket.remoteAddress ?? '0.0.0.0', this.#socket.remotePort ?? 0);
  }

  option(): void {} // TCP_NODELAY, which is set already

  async recv(room: Uint8Array): Promise<number> {
    while (this.#chunks.length === 0) {
      if (this.#error) throw this.#error;
      if (this.#over) return 0;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const chunk = this.#chunks[0] as Buffer;
    const taken = Math.min(chunk.length, room.length);
    room.set(taken < chunk.length ? chunk.subarray(0, taken) : chunk);
    if (taken < chunk.length) this.#chunks[0] = chunk.subarray(taken);
    else this.#chunks.shift();
    return taken;
  }

  send(bytes: Uint8Array): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#socket.write(bytes, (error) => (error ? reject(error) : resolve(bytes.length)));
    });
  }

  shutdown(): void {
    this.#socket.end();
  }

  close(): void {
    this.#socket.destroy();
  }
}

class Listener {
  readonly fd = 0;
  readonly #accepted: Connection[] = [];
  #wake = (): void => {};

  readonly #server = createServer((socket) => {
    this.#accepted.push(new Connection(socket));
    this.#wake();
  });

  async listen({ host, port }: Where): Promise<this> {
    this.#server.listen(port, host);
    await once(this.#server, 'listening');
    return this;
  }

  get localAddress() {
    const { address, port } = this.#server.address() as AddressInfo;
    return sockaddr_in(address, port);
  }

  async accept(): Promise<Connection> {
    while (this.#accepted.length === 0) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#accepted.shift() as Connection;
  }
}

async function connect({ host, port }: Where, _options?: ConnectOptions): Promise<Connection> {
  const socket = createConnection({ host, port });
  await once(socket, 'connect');
  return new Connection(socket);
}

const listen = (where: Where, _options?: ListenOptions): Promise<Listener> => new Listener().listen(where);

/** From now on, what makes a Socket by these two gets one of node:net. */
export function useNodeNet(): void {
  Object.assign(Socket, { connect, listen });
}
