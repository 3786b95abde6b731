// Names and addresses: the resolver, interfaces, and functions of the C library that only compute.
import { EAI_SYSTEM, gai_strerror } from '../../index.js';
import { intAt } from '../decode/bytes.js';
import { addressFamilies, addrinfoFlags, Family, nameinfoFlags } from '../decode/families.js';
import { list, nullPointer, number, pointer, quoted, type Shown, struct } from '../decode/notation.js';
import { sockaddr } from '../decode/sockaddr.js';
import { type Answer, type Before, family, type Parameter } from './call.js';
import { address, choice, flags, int, showSocketType, text } from './parameters.js';

const resolverErrors = new Family('EAI_', /^EAI_NODATA$/);

function addrinfo(
  ai_flags: number,
  ai_family: number,
  ai_socktype: number,
  ai_protocol: number,
): Record<string, Shown> {
  return {
    ai_flags: addrinfoFlags.flags(ai_flags),
    ai_family: addressFamilies.choice(ai_family),
    ai_socktype: ai_socktype === 0 ? number(0) : showSocketType(ai_socktype),
    ai_protocol: number(ai_protocol),
  };
}

const hints: Parameter<readonly [flags: number, family: number, socktype: number, protocol: number]> = {
  kind: 'struct in',
  names: ['hints'],
  takes: 4,
  show: (parts) => [struct(addrinfo(...parts))],
};

const padded = (length: number) => Math.ceil(length / 4) * 4;

/** The addresses that were found, as the raw call packs them: six ints, then the address and the name. */
function addresses(records: Uint8Array): Shown {
  const shown: Shown[] = [];
  for (let at = 0; at < records.length; ) {
    const [ai_flags, ai_family, socktype, protocol, addressLength, nameLength] = Array.from({ length: 6 }, (_, i) =>
      intAt(records, at + i * 4),
    ) as [number, number, number, number, number, number];
    const start = at + 24;
    at = start + padded(addressLength) + padded(nameLength);
    const name = records.subarray(start + padded(addressLength), start + padded(addressLength) + nameLength);
    shown.push(
      struct({
        ...addrinfo(ai_flags, ai_family, socktype, protocol),
        ai_addr: sockaddr(records.subarray(start, start + addressLength), 'ai_addr'),
        ai_canonname: nameLength === 0 ? undefined : quoted(name, name.length),
      }),
    );
  }
  return list(shown);
}

const found: Parameter<readonly [Uint8Array]> = {
  kind: 'struct out',
  names: ['res'],
  takes: 1,
  show:
    ([records]) =>
    ({ result }) => [result < 0 || result > records.length ? pointer('res') : addresses(records.subarray(0, result))],
};

/** The same of a promise, which answers the records themselves. */
const foundLater: Parameter<readonly []> = {
  kind: 'struct out',
  names: ['res'],
  takes: 0,
  show:
    () =>
    ({ value }) => [value instanceof Uint8Array ? addresses(value) : pointer('res')],
};

/** As C answers: 0, or EAI_* with what it means. */
function resolverResult(_: Before, { result }: Answer): Shown {
  if (result >= 0) return number(0);
  const name = resolverErrors.nameOf(result) ?? String(result);
  return { text: `${result} ${name} (${gai_strerror(result)})`, json: name };
}

// A promise answers the errno of EAI_SYSTEM, which is above zero, in its place.
function laterResult(before: Before, answer: Answer): Shown {
  return resolverResult(before, answer.result > 0 ? { ...answer, result: EAI_SYSTEM } : answer);
}

const textFilled = (name: string, size: string, length: number): Parameter<readonly [Uint8Array | null]> => ({
  kind: 'text',
  names: [name, size],
  takes: 1,
  show([room]) {
    if (room === null) return [nullPointer, number(0)];
    return ({ result, out }) => {
      const filled = room.subarray(0, out[length]);
      return [result === 0 ? quoted(filled, filled.length) : pointer(name), number(room.length)];
    };
  },
});

/** Text that the C library answers, whose length is the result. */
const answer = (name: string): Parameter<readonly [Uint8Array]> => ({
  kind: 'text',
  names: [name],
  takes: 1,
  show:
    ([room]) =>
    ({ result }) => [result < 0 ? pointer(name) : quoted(room.subarray(0, result), result)],
});

/** A buffer that only the package's own functions can read. */
const opaque = (name: string): Parameter<readonly [Uint8Array]> => ({
  kind: 'struct out',
  names: [name],
  takes: 1,
  show: () => [pointer(name)],
});

const packed = opaque('list');

const resolving = {
  EAI_NONAME: [
    'Nobody knows this name.',
    'A typing error, a name server that does not know it, or AI_NUMERICHOST with something that is no address.',
    'Ask with `getent ahosts NAME`; without AI_NUMERICHOST names are looked up, too.',
  ],
  EAI_AGAIN: [
    'The name server did not answer.',
    'The network is down, or /etc/resolv.conf names a server that is not there.',
    'Try again later; see /etc/resolv.conf.',
  ],
  EAI_SERVICE: [
    'There is no such service for this type of socket.',
    'The name is not in /etc/services.',
    'Give the port as a number.',
  ],
  EAI_FAMILY: [
    'The address family is none that has host names.',
    'Something other than AF_INET, AF_INET6 or AF_UNSPEC was asked for.',
    'Give one of these.',
  ],
  EAI_SOCKTYPE: [
    'The type and the protocol do not go together.',
    'SOCK_STREAM with IPPROTO_UDP, for instance.',
    'Give 0 for the protocol.',
  ],
  EAI_BADFLAGS: [
    'The flags do not go together.',
    'AI_CANONNAME without a name, or an unknown bit.',
    'See AI_* in getaddrinfo(3).',
  ],
  EAI_ADDRFAMILY: [
    'The host has no address of this family.',
    'An IPv6-only host was asked for IPv4 addresses, or the other way.',
    'Ask for AF_UNSPEC.',
  ],
  EAI_FAIL: ['The name server said that it failed.', 'A fault of the server.', 'Try another server.'],
} as const;

const host = text('name');

export const names = family({
  getaddrinfo: {
    page: 'getaddrinfo(3)',
    summary:
      'Finds the addresses of a host and a service, in the order to try them. It reads files and may ask a name server, ' +
      'and blocks for as long as that takes.',
    parameters: [text('node'), text('service'), hints, found],
    result: 'nothing',
    showResult: resolverResult,
    errors: resolving,
  },
  getaddrinfoAsync: {
    page: 'getaddrinfo(3)',
    summary: 'Does what getaddrinfo does, off the main thread, which goes on meanwhile.',
    parameters: [text('node'), text('service'), hints, foundLater],
    result: 'nothing',
    showResult: laterResult,
    errors: resolving,
  },
  getnameinfo: {
    page: 'getnameinfo(3)',
    summary: 'Finds the names of an address: of its host and of its service, or the numbers as text.',
    parameters: [
      address('addr', 'addrlen'),
      textFilled('host', 'hostlen', 0),
      textFilled('serv', 'servlen', 1),
      flags('flags', nameinfoFlags),
    ],
    result: 'nothing',
    showResult: resolverResult,
    errors: {
      EAI_NONAME: [
        'The address has no name.',
        'NI_NAMEREQD was given, and the name server knows none.',
        'Leave NI_NAMEREQD out to get the number as text.',
      ],
      EAI_FAMILY: [
        'This is no address that has names.',
        'A Unix or netlink address, or one that was cut.',
        'Give an IPv4 or IPv6 address.',
      ],
      EAI_AGAIN: resolving.EAI_AGAIN,
    },
  },
  if_nametoindex: {
    page: 'if_nametoindex(3)',
    summary: "Tells an interface's index, by its name.",
    parameters: [text('ifname')],
    result: 'number',
  },
  if_indextoname: {
    page: 'if_nametoindex(3)',
    summary: "Tells an interface's name, by its index.",
    parameters: [int('ifindex'), answer('ifname')],
    result: 'number',
    errors: {
      ENXIO: [
        'No interface has this index.',
        'The interface is gone, or in another network namespace.',
        'See `ip link` for the indexes.',
      ],
    },
  },
  if_nameindex: {
    page: 'if_nameindex(3)',
    summary: 'Lists the indexes and names of all interfaces.',
    parameters: [packed],
    result: 'number',
  },
  getifaddrs: {
    page: 'getifaddrs(3)',
    summary: 'Lists the addresses of all interfaces, their hardware addresses included.',
    parameters: [packed],
    result: 'number',
  },
  getservbyname: {
    page: 'getservbyname(3)',
    summary: "Finds a service's port in /etc/services.",
    parameters: [host, text('proto')],
    result: 'number',
    minor: true,
    errors: {
      ENOENT: ['There is no such service.', 'A typing error, or a system without /etc/services.', 'Give the number.'],
    },
  },
  getprotobyname: {
    page: 'getprotobyname(3)',
    summary: "Finds a protocol's number in /etc/protocols.",
    parameters: [host],
    result: 'number',
    minor: true,
    errors: {
      ENOENT: ['There is no such protocol.', 'A typing error, or a system without /etc/protocols.', 'Give IPPROTO_*.'],
    },
  },
  inet_pton: {
    page: 'inet_pton(3)',
    summary: 'Turns the text of an IPv4 or IPv6 address into its bytes, in network order.',
    parameters: [choice('af', addressFamilies), text('src'), opaque('dst')],
    result: 'number',
    minor: true,
  },
  inet_ntop: {
    page: 'inet_ntop(3)',
    summary: 'Turns the bytes of an IPv4 or IPv6 address into text.',
    parameters: [choice('af', addressFamilies), opaque('src'), answer('dst')],
    result: 'number',
    minor: true,
  },
  strerror: {
    page: 'strerror(3)',
    summary: 'Tells what an error number means, in English.',
    parameters: [int('errnum'), answer('buf')],
    result: 'number',
    minor: true,
  },
  gai_strerror: {
    page: 'gai_strerror(3)',
    summary: 'Tells what an error of getaddrinfo or getnameinfo means, in English.',
    parameters: [int('errcode'), answer('buf')],
    result: 'number',
    minor: true,
  },
  htons: {
    page: 'byteorder(3)',
    summary: 'Turns a 16-bit number into network byte order, which is high byte first.',
    parameters: [int('hostshort')],
    result: 'number',
    minor: true,
  },
  htonl: {
    page: 'byteorder(3)',
    summary: 'Turns a 32-bit number into network byte order, which is high byte first.',
    parameters: [int('hostlong')],
    result: 'number',
    minor: true,
  },
  ntohs: {
    page: 'byteorder(3)',
    summary: 'Turns a 16-bit number from network byte order into that of this machine.',
    parameters: [int('netshort')],
    result: 'number',
    minor: true,
  },
  ntohl: {
    page: 'byteorder(3)',
    summary: 'Turns a 32-bit number from network byte order into that of this machine.',
    parameters: [int('netlong')],
    result: 'number',
    minor: true,
  },
});
