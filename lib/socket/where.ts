// Where to connect or listen, as people say it.

import { AF_UNSPEC, AI_PASSIVE, SOCK_STREAM } from '../constants.js';
import { SockAddr } from '../structs/sockaddr.js';
import { sockaddr_un } from '../structs/sockaddr-families.js';
import { getaddrinfoAsync } from '../syscalls/names.js';

/** A host's name or address, and a port's number or service's name. */
export interface HostAndPort {
  /** `'localhost'`, `'127.0.0.1'`, `'::1'`; without it, this machine: loopback to connect, everywhere to listen. */
  readonly host?: string | undefined;
  readonly port: number | string;
  /** AF_INET or AF_INET6, to take only such addresses. */
  readonly family?: number | undefined;
}

/**
 * An address, or several to try in turn; a host and port; or the path of a Unix socket (with a leading `@` or NUL, an
 * abstract name).
 */
export type Where = SockAddr | readonly SockAddr[] | HostAndPort | string;

/** The addresses that a place may mean, in the order to try them. Host names resolve off the main thread. */
export async function resolve(where: Where, type: number, toListen: boolean): Promise<SockAddr[]> {
  if (where instanceof SockAddr) return [where];
  if (typeof where === 'string') return [sockaddr_un(where.startsWith('@') ? `\0${where.slice(1)}` : where)];
  if (isList(where)) {
    if (where.length === 0) throw new TypeError('there is no address in the list');
    return [...where];
  }
  if (typeof where !== 'object' || where === null || where.port === undefined) {
    throw new TypeError('where must be a SockAddr, { host, port } or the path of a Unix socket as a string');
  }
  const { host = null, port, family = AF_UNSPEC } = where;
  // A protocol keeps each address from coming once per protocol.
  const hints = { family, socktype: type === SOCK_STREAM ? type : 0, flags: toListen ? AI_PASSIVE : 0 };
  const found = await getaddrinfoAsync(host, String(port), hints);
  const addresses = alternate(distinct(found.map((entry) => entry.address)));
  // To listen everywhere is to listen on the IPv6 wildcard, which takes both families.
  const everywhere = toListen && host === null && family === AF_UNSPEC;
  return everywhere ? addresses.sort((a, b) => b.family - a.family) : addresses;
}

function isList(where: Where): where is readonly SockAddr[] {
  return Array.isArray(where);
}

function distinct(addresses: SockAddr[]): SockAddr[] {
  return addresses.filter((address, i) => addresses.findIndex((other) => other.equals(address)) === i);
}

// First one family, then the other, as RFC 8305 section 4 has it, beginning with the one that getaddrinfo preferred.
function alternate(addresses: SockAddr[]): SockAddr[] {
  const first = addresses[0]?.family;
  const preferred = addresses.filter((address) => address.family === first);
  const others = addresses.filter((address) => address.family !== first);
  return preferred
    .flatMap((address, i) => (others[i] ? [address, others[i]] : [address]))
    .concat(others.slice(preferred.length));
}
