// Socket addresses as people write them, and back.
import {
  AF_ALG,
  AF_CAN,
  AF_INET,
  AF_INET6,
  AF_NETLINK,
  AF_PACKET,
  AF_TIPC,
  AF_UNIX,
  AF_UNSPEC,
  AF_VSOCK,
  AF_XDP,
} from '../constants.js';
import { SockAddr, type TipcAddress } from './sockaddr.js';
import {
  sockaddr_alg,
  sockaddr_can,
  sockaddr_in,
  sockaddr_in6,
  sockaddr_ll,
  sockaddr_nl,
  sockaddr_tipc,
  sockaddr_un,
  sockaddr_unspec,
  sockaddr_vm,
  sockaddr_xdp,
} from './sockaddr-families.js';

const hex = (bytes: Uint8Array) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
const escaped = (byte: number) => `\\x${byte.toString(16).padStart(2, '0')}`;
const hexadecimal = (value: number | bigint) => `0x${value.toString(16)}`;
const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** A Unix address's name for people: `@` stands for the NUL of an abstract one, `\xNN` for what is not text. */
export function pathToText(bytes: Uint8Array): string {
  if (bytes[0] === 0) return `@${bytesToText(bytes.subarray(1))}`;
  return bytesToText(bytes);
}

function bytesToText(bytes: Uint8Array): string {
  try {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
    return strictUtf8.decode(bytes).replace(/[\x00-\x1f\x7f\\]/g, (character) => escaped(character.charCodeAt(0)));
  } catch {
    return Array.from(bytes, (byte) => {
      return byte < 0x20 || byte >= 0x7f || byte === 0x5c ? escaped(byte) : String.fromCharCode(byte);
    }).join('');
  }
}

function textToBytes(text: string): Uint8Array {
  const parts = text.split(/\\x([0-9a-f]{2})/i);
  return Buffer.concat(
    parts.map((part, i) => (i % 2 === 1 ? Buffer.from([Number.parseInt(part, 16)]) : Buffer.from(part, 'utf8'))),
  );
}

function unixToText(name: Uint8Array): string {
  const text = pathToText(name);
  if (text === '') return '(unnamed)';
  // Any other text could be taken for an address of another family, and a path that begins with @ for an abstract name.
  return name[0] === 0 || /^(\/|\.\.?\/)/.test(text) ? text : `unix:${text}`;
}

const pairs = (values: object) =>
  Object.entries(values)
    .map(([name, value]) => `${name}=${value}`)
    .join();
const fromPairs = (text: string) =>
  Object.fromEntries(
    text
      .split(',')
      .map((pair) => pair.split('='))
      .map(([name, value]) => [name, Number(value)]),
  );

// Which protocol it is of, nothing tells; J1939 has more than two identifiers to say.
function canToText({ ifindex, tp, j1939 }: SockAddr): string {
  if (j1939?.pgn || j1939?.addr) {
    return `can:${ifindex},name=${hexadecimal(j1939.name)},pgn=${hexadecimal(j1939.pgn)},addr=${j1939.addr}`;
  }
  return tp?.rx_id || tp?.tx_id
    ? `can:${ifindex},rx_id=${hexadecimal(tp.rx_id)},tx_id=${hexadecimal(tp.tx_id)}`
    : `can:${ifindex}`;
}

function inOwnWords(address: SockAddr): string | undefined {
  const { port } = address;
  switch (address.family) {
    case AF_INET:
      return `${address.address}:${port}`;
    case AF_INET6: {
      const zone = address.scopeId ? `%${address.scopeId}` : '';
      const flow = address.flowinfo ? `,flowinfo=${address.flowinfo}` : '';
      return `[${address.address}${zone}]:${port}${flow}`;
    }
    case AF_UNIX:
      return unixToText(address.pathBytes as Uint8Array);
    case AF_NETLINK:
      return `netlink:pid=${address.pid},groups=${address.groups}`;
    case AF_PACKET: {
      const { protocol, ifindex, hatype, pkttype } = address;
      return `packet:protocol=0x${protocol?.toString(16)},ifindex=${ifindex},hatype=${hatype},pkttype=${pkttype},address=${address.address}`;
    }
    case AF_VSOCK:
      return `vsock:${address.cid}:${port}`;
    case AF_CAN:
      return canToText(address);
    case AF_TIPC:
      return `tipc:${pairs({ ...address.tipc, scope: address.scope })}`;
    case AF_XDP: {
      const { ifindex, queue_id, flags, shared_umem_fd } = address;
      return `xdp:${pairs({ ifindex, queue_id, flags, shared_umem_fd })}`;
    }
    case AF_ALG:
      return `alg:${address.algorithm?.join('/')}`;
    case AF_UNSPEC:
      return 'unspecified';
    default:
      return undefined;
  }
}

const readers: [RegExp, (match: RegExpExecArray) => SockAddr][] = [
  [/^(\d+\.\d+\.\d+\.\d+):(\d+)$/, ([, address, port]) => sockaddr_in(address as string, Number(port))],
  [
    /^\[([^\]]+)\]:(\d+)(?:,flowinfo=(\d+))?$/,
    ([, address, port, flow]) => sockaddr_in6(address as string, Number(port), { flowinfo: Number(flow ?? 0) }),
  ],
  [/^@(.*)$/s, ([, name]) => sockaddr_un(Buffer.concat([Buffer.from([0]), textToBytes(name as string)]))],
  [/^(\/.*|\.\.?\/.*)$/s, ([path]) => sockaddr_un(textToBytes(path))],
  [/^unix:(.+)$/s, ([, path]) => sockaddr_un(textToBytes(path as string))],
  [/^\(unnamed\)$/, () => sockaddr_un('')],
  [/^netlink:pid=(\d+),groups=(\d+)$/, ([, pid, groups]) => sockaddr_nl(Number(pid), Number(groups))],
  [
    /^packet:protocol=(0x[0-9a-f]+),ifindex=(\d+),hatype=(\d+),pkttype=(\d+),address=([0-9a-f:]*)$/,
    ([, protocol, index, hatype, pkttype, address]) =>
      sockaddr_ll(Number(protocol), Number(index), {
        hatype: Number(hatype),
        pkttype: Number(pkttype),
        address: address as string,
      }),
  ],
  [/^vsock:(\d+):(\d+)$/, ([, cid, port]) => sockaddr_vm(Number(cid), Number(port))],
  [/^can:(\d+)$/, ([, index]) => sockaddr_can(Number(index))],
  [
    /^can:(\d+),rx_id=(0x[0-9a-f]+),tx_id=(0x[0-9a-f]+)$/,
    ([, index, rx, tx]) => sockaddr_can(Number(index), { rx_id: Number(rx), tx_id: Number(tx) }),
  ],
  [
    /^can:(\d+),name=(0x[0-9a-f]+),pgn=(0x[0-9a-f]+),addr=(\d+)$/,
    ([, index, name, pgn, addr]) =>
      sockaddr_can(Number(index), { name: BigInt(name as string), pgn: Number(pgn), addr: Number(addr) }),
  ],
  [
    /^tipc:(.*),scope=(-?\d+)$/,
    ([, words, scope]) => sockaddr_tipc(fromPairs(words as string) as TipcAddress, Number(scope)),
  ],
  [
    /^xdp:(ifindex=\d+,queue_id=\d+,flags=\d+,shared_umem_fd=\d+)$/,
    ([, words]) => {
      const { ifindex, queue_id, ...more } = fromPairs(words as string);
      return sockaddr_xdp(ifindex as number, queue_id as number, more);
    },
  ],
  [/^alg:([^/]*)\/(.*)$/s, ([, type, name]) => sockaddr_alg(type as string, name as string)],
  [/^unspecified$/, () => sockaddr_unspec()],
  [/^bytes:((?:[0-9a-f]{2})*)$/, ([, digits]) => SockAddr.from(Buffer.from(digits as string, 'hex'))],
];

function read(text: string): SockAddr | undefined {
  for (const [pattern, build] of readers) {
    const match = pattern.exec(text);
    if (match) return build(match);
  }
  return undefined;
}

// Whether two addresses have the same bytes, but for the NUL that may end a path and what follows it. Zeros may be
// missing where the kernel leaves them out in an answer, and wants them in bind: after a packet address's hardware address,
// after a CAN address's interface.
function sameBytes(one: SockAddr, other: SockAddr): boolean {
  if (one.pathBytes) return Buffer.compare(one.pathBytes, other.pathBytes as Uint8Array) === 0;
  const given = one.bytes.length;
  const isShortened =
    (one.family === AF_CAN || (one.family === AF_PACKET && one.address === other.address)) &&
    given < other.bytes.length;
  const counts = isShortened && other.bytes.subarray(given).every((byte) => byte === 0) ? given : other.bytes.length;
  return Buffer.compare(one.bytes, other.bytes.subarray(0, counts)) === 0;
}

/** What `SockAddr.toString` answers. What has no words, or more to it than the words say, is written as its bytes. */
export function addressToText(address: SockAddr): string {
  const words = inOwnWords(address);
  if (words !== undefined) {
    try {
      const back = read(words);
      if (back && back.family === address.family && sameBytes(address, back)) return words;
    } catch {
      // A truncated address, say: its words do not read.
    }
  }
  return `bytes:${hex(address.bytes)}`;
}

/** What `SockAddr.parse` answers. */
export function addressFromText(text: string): SockAddr {
  const address = read(text);
  if (address) return address;
  throw new TypeError(`'${text}' is no socket address; see getaddrinfo for host names`);
}
