// Servers on loopback that do what networks do to programs.
import { setTimeout as sleep } from 'node:timers/promises';
import { BPF_K, BPF_RET, SHUT_WR, type SockAddr, Socket, SystemError, setOption, sockaddr_in } from '../index.js';

/** A server to test against. Close it when done, or declare it with `await using` (TypeScript, Node 24). */
export interface TestPeer extends AsyncDisposable {
  /** `'127.0.0.1'` */
  readonly host: string;
  readonly port: number;
  readonly address: SockAddr;
  /** How many connections it has accepted. */
  readonly connections: number;
  /** Stops listening, and closes all connections. */
  close(): Promise<void>;
}

type Serve = (connection: Socket, ended: AbortSignal) => Promise<void>;

async function peer(serve: Serve, prepare: (listener: Socket) => void = () => {}): Promise<TestPeer> {
  const listener = await Socket.listen(sockaddr_in('127.0.0.1', 0));
  prepare(listener);
  const address = listener.localAddress as SockAddr;
  const ending = new AbortController();
  const sessions: Promise<void>[] = [];
  const accepting = (async () => {
    for await (const connection of listener) {
      sessions.push(
        serve(connection, ending.signal)
          .catch((error) => {
            // That the program under test broke off, or the test is over, is no trouble of the peer's.
            if (!(error instanceof SystemError) && !ending.signal.aborted) throw error;
          })
          .finally(() => connection.close()),
      );
    }
  })();
  const close = async () => {
    ending.abort();
    listener.close();
    await accepting;
    await Promise.all(sessions);
  };
  return {
    host: address.address as string,
    port: address.port as number,
    address,
    get connections() {
      return sessions.length;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Reads until so many bytes came, or the stream ended. */
async function take(connection: Socket, length: number, signal: AbortSignal): Promise<void> {
  const bytes = new Uint8Array(65_536);
  for (let taken = 0; taken < length; ) {
    const received = await connection.recv(bytes, { signal });
    if (received === 0) return;
    taken += received;
  }
}

/**
 * A peer that accepts, reads `afterBytes` bytes, and resets the connection (RST, by SO_LINGER with 0 seconds).
 *
 * The program under test sees ECONNRESET from its next read, and from a write ECONNRESET or then EPIPE. What it had
 * sent may be lost. With `afterBytes` 0 the reset may come before it has looked at its connection, and be taken for a
 * connect that failed, as curl does: to test what follows a connect, let it send a byte.
 * @returns the peer, which listens already
 * @throws SystemError EMFILE too many descriptors
 * @see tcp(7), SO_LINGER in socket(7)
 */
export function resettingPeer({ afterBytes = 0 }: { afterBytes?: number } = {}): Promise<TestPeer> {
  return peer(async (connection, signal) => {
    await take(connection, afterBytes, signal);
    connection.option('SO_LINGER', { l_onoff: 1, l_linger: 0 });
  });
}

/**
 * A peer that accepts and never reads, with the smallest receive buffer there is.
 *
 * The program under test can connect and write until the peer's window is zero and its own send buffer full, which the
 * kernel lets grow to megabytes (net.ipv4.tcp_wmem; SO_SNDBUF bounds it). From then on its writes wait (or say EAGAIN),
 * and no answer ever comes. Nothing fails: only a timeout of its own ends this.
 * @returns the peer, which listens already
 * @throws SystemError EMFILE too many descriptors
 * @see tcp(7), SO_RCVBUF in socket(7)
 */
export function stallingPeer(): Promise<TestPeer> {
  return peer(
    (_, signal) =>
      new Promise((resolve) => {
        signal.addEventListener('abort', () => resolve());
      }),
    // Accepted connections take it over, and before the handshake, so that the window is small from the start.
    (listener) => listener.option('SO_RCVBUF', 1),
  );
}

/**
 * A peer that sends `bytes`, ends its direction, and goes on reading until the program under test ends the other.
 *
 * The program under test sees `bytes` and then the end of the stream, and can still write. A node:net socket ends its own
 * direction then, unless it was made with `allowHalfOpen`.
 * @param bytes what it sends; nothing if not said
 * @returns the peer, which listens already
 * @throws SystemError EMFILE too many descriptors
 * @see shutdown(2)
 */
export function halfClosingPeer(bytes: Uint8Array = new Uint8Array(0)): Promise<TestPeer> {
  return peer(async (connection, signal) => {
    await connection.sendAll(bytes, { signal });
    connection.shutdown(SHUT_WR);
    await take(connection, Number.POSITIVE_INFINITY, signal);
  });
}

/**
 * A peer that sends `bytes` one at a time, each in a segment of its own, every `interval` milliseconds, then ends its
 * direction, and goes on reading until the program under test ends the other.
 *
 * The program under test sees every boundary there can be: one that takes what a read brings for a message fails here.
 * @param bytes what it sends
 * @returns the peer, which listens already
 * @throws SystemError EMFILE too many descriptors
 * @see tcp(7), TCP_NODELAY
 */
export function dribblingPeer(bytes: Uint8Array, { interval = 1 }: { interval?: number } = {}): Promise<TestPeer> {
  return peer(async (connection, signal) => {
    connection.option('TCP_NODELAY', true);
    for (let i = 0; i < bytes.length; i++) {
      await connection.sendAll(bytes.subarray(i, i + 1), { signal });
      await sleep(interval, undefined, { signal });
    }
    connection.shutdown(SHUT_WR);
    // What the program sent and nobody read would turn the close into a reset.
    await take(connection, Number.POSITIVE_INFINITY, signal);
  });
}

/**
 * A listener whose queue of connections is full, and stays so.
 *
 * A connect to it gets no answer at first: the kernel drops its SYN, and the client repeats it after a second and then
 * at longer and longer times, up to ETIMEDOUT after about two minutes. After `close`, the next repetition is refused.
 * @returns the peer, which listens already
 * @throws SystemError EMFILE too many descriptors
 * @see listen(2)
 */
export async function fullBacklog(): Promise<TestPeer> {
  const listener = await Socket.listen(sockaddr_in('127.0.0.1', 0), { backlog: 0 });
  const address = listener.localAddress as SockAddr;
  // A backlog of 0 holds one.
  const waiting = await Socket.connect(address);
  return silent(listener, () => waiting.close());
}

/**
 * An address that answers nothing: a listener with a filter that drops all packets, SYNs included. Where this user may
 * not attach filters, it is a {@link fullBacklog}, which drops SYNs as well.
 *
 * A connect to it waits as if a firewall dropped it: no refusal, and ETIMEDOUT after about two minutes, or the
 * program's own timeout before.
 * @returns the peer, which listens already
 * @throws SystemError EMFILE too many descriptors
 * @see socket(7), SO_ATTACH_FILTER
 */
export async function blackHole(): Promise<TestPeer> {
  const listener = await Socket.listen(sockaddr_in('127.0.0.1', 0));
  try {
    setOption(listener.fd, 'SO_ATTACH_FILTER', [{ code: BPF_RET | BPF_K, jt: 0, jf: 0, k: 0 }]);
  } catch (error) {
    listener.close();
    if ((error as SystemError).code === 'EPERM') return fullBacklog();
    throw error;
  }
  return silent(listener, () => {});
}

function silent(listener: Socket, release: () => void): TestPeer {
  const address = listener.localAddress as SockAddr;
  const close = async () => {
    listener.close();
    release();
  };
  return {
    host: address.address as string,
    port: address.port as number,
    address,
    connections: 0,
    close,
    [Symbol.asyncDispose]: close,
  };
}
