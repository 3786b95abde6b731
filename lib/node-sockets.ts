// The descriptors of sockets that Node made.
import type * as dgram from 'node:dgram';
import type * as net from 'node:net';

/** What has a descriptor: a socket or server of Node's (those of tls, http, https and http2 included), or any object with a number `fd`. */
export type WithDescriptor = net.Socket | net.Server | dgram.Socket | { readonly fd: number };

interface Handle {
  readonly fd?: unknown;
}

/**
 * The descriptor behind a socket that Node made, so that any call and any option of this package can be used on it:
 * `getOption(fdOf(request.socket), 'TCP_INFO')`, `setOption(fdOf(socket), 'SO_MARK', 7)`.
 *
 * It stays Node's. Never close it (close the Node object), and use it only while the object is open: afterwards the number
 * may be another's. Node reads and writes on it by itself; reading from it, too, takes bytes away from Node. It is
 * non-blocking, so that a call which would wait throws EAGAIN, and must stay so. To keep the socket beyond that, make a
 * descriptor of one's own with `dup` or `fcntl(fd, F_DUPFD_CLOEXEC)`, which is non-blocking, too.
 *
 * A client's socket has a descriptor only once `connect` has begun, so for options that must be set before: make the
 * socket here, set them, connect, and hand it over with `new net.Socket({ fd })`; likewise `server.listen({ fd })` for a
 * socket that is bound, and `socket.bind({ fd })` for UDP. From then on the descriptor is Node's, which closes it.
 *
 * Tested on Node 20 to 26. On Bun 1.4 it finds descriptors too, but a net.Socket there sends nothing on one that was made
 * here; on Deno 2.9 it is the other way round.
 * @param socket a net.Socket, net.Server, dgram.Socket, tls.TLSSocket, a server of http, https, http2 or tls
 * @returns the descriptor
 * @throws TypeError it has none: it is not open yet, was closed, runs over another stream, is a server in a worker of
 * node:cluster (the primary process listens for it), or is no socket
 */
export function fdOf(socket: WithDescriptor): number {
  const fd = ownDescriptor(socket) ?? handleOf(socket)?.fd;
  if (typeof fd === 'number' && fd >= 0) return fd;
  throw new TypeError('there is no descriptor: not open yet, closed, over another stream, or no socket at all');
}

function ownDescriptor(socket: unknown): unknown {
  return (socket as { fd?: unknown } | null | undefined)?.fd;
}

// Node keeps the handle of a net.Socket or net.Server in `_handle`, which has been so since 2011 and is what its own
// modules use on each other; that of a dgram.Socket behind a symbol, where `_handle` would warn.
function handleOf(socket: unknown): Handle | undefined {
  if (typeof socket !== 'object' || socket === null) return undefined;
  const symbol = Object.getOwnPropertySymbols(socket).find(({ description }) => description === 'state symbol');
  if (symbol) return (socket as Record<symbol, { handle?: Handle } | undefined>)[symbol]?.handle;
  return (socket as { _handle?: Handle | null })._handle ?? undefined;
}
