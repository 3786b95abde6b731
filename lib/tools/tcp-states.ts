// The TCP states of descriptors.
import { IPPROTO_TCP, raw, TCP_INFO } from '../index.js';
import { tcpStates } from './decode/families.js';

// The state is the first byte of struct tcp_info, and the kernel writes no more than there is room for.
const firstByte = new Uint8Array(1);

/** The TCP state that a descriptor is in: 'TCP_ESTABLISHED'; null if it is not open, or not of TCP. */
export function tcpState(fd: number): string | null {
  const answer = raw.getsockopt(fd, IPPROTO_TCP, TCP_INFO, firstByte);
  return answer < 0 ? null : (tcpStates.nameOf(firstByte[0] as number) ?? null);
}
