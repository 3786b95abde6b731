import { fail } from '../errors.js';
import { type Bytes, raw } from '../native.js';
import { littleEndian, Struct } from '../structs/struct.js';

declare module '../native.js' {
  interface Raw {
    /** `out[0]`: the length that the kernel wrote. */
    getsockopt(fd: number, level: number, optname: number, value: Bytes): number;
    setsockopt(fd: number, level: number, optname: number, value: number | Bytes): number;
  }
}

const oneInt = new Uint8Array(4);
const oneIntView = new DataView(oneInt.buffer);

/**
 * `getsockopt(sockfd, level, optname, optval)`: reads an option.
 * @param level SOL_SOCKET, or the protocol: IPPROTO_TCP, IPPROTO_IP, ...
 * @param optname SO_*, TCP_*, IP_*, ...
 * @param value what to fill, for an option that holds more than an int
 * @returns without `value`, the int that the option holds; with it, how many bytes the kernel wrote
 * @throws ENOPROTOOPT there is no such option at this level · EINVAL a buffer of the wrong size · ENOTSOCK not a socket
 * @see getsockopt(2), socket(7), ip(7), ipv6(7), tcp(7), udp(7), unix(7)
 */
export function getsockopt(fd: number, level: number, optname: number, value?: Struct | Bytes): number {
  const bytes = value === undefined ? oneInt : value instanceof Struct ? value.bytes : value;
  if (value === undefined) oneInt.fill(0); // some options are one byte long
  const answer = raw.getsockopt(fd, level, optname, bytes);
  if (answer < 0) fail('getsockopt', answer);
  if (value === undefined) return oneIntView.getInt32(0, littleEndian);
  const length = raw.out[0] as number;
  if (value instanceof Struct) value.length = Math.min(length, value.bytes.length);
  return length;
}

/**
 * `setsockopt(sockfd, level, optname, optval)`: sets an option.
 * @param value an int (1 and 0 for a switch), a struct, or bytes; for SO_ATTACH_FILTER and its kin, the bytes of the
 * program's instructions
 * @throws ENOPROTOOPT there is no such option at this level · EINVAL a value that does not fit · EPERM it needs
 * CAP_NET_ADMIN · EDOM, ENOMEM, ... as the option's page says
 * @see setsockopt(2), socket(7), ip(7), ipv6(7), tcp(7), udp(7), unix(7)
 */
export function setsockopt(fd: number, level: number, optname: number, value: number | Struct | Bytes): void {
  const answer = raw.setsockopt(fd, level, optname, value instanceof Struct ? value.bytes : value);
  if (answer < 0) fail('setsockopt', answer);
}
