// Socket addresses as people write them, and back.
import { AF_INET, AF_INET6, AF_NETLINK, AF_PACKET, AF_UNIX, AF_UNSPEC, AF_VSOCK } from '../constants.js';
import {
  SockAddr,
  sockaddr_in,
  sockaddr_in6,
  sockaddr_ll,
  sockaddr_nl,
  sockaddr_un,
  sockaddr_unspec,
  sockaddr_vm,
} from './sockaddr.js';

const hex = (bytes: Uint8Array) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
const escaped = (byte: number) => `\\x${byte.toString(16).padStart(2, '0')}`;
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

// Whether two addresses have the same bytes, but for the NUL that may end a path and what follows it. After a packet
// address's hardware address zeros may be missing: the kernel leaves them out in getsockname, and wants them in bind.
function sameBytes(one: SockAddr, other: SockAddr): boolean {
  if (one.pathBytes) return Buffer.compare(one.pathBytes, other.pathBytes as Uint8Array) === 0;
  const given = one.bytes.length;
  const isShortened = one.family === AF_PACKET && one.address === other.address && given < other.bytes.length;
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
