import { fail } from '../errors.js';
import { raw } from '../native.js';
import { MsgHdr } from '../structs/msghdr.js';

declare module '../native.js' {
  interface Raw {
    sendmsg(
      fd: number,
      iov: readonly Bytes[] | Bytes,
      name: Bytes | null,
      control: Bytes | null,
      flags: number,
    ): number;
    /** `out`: msg_namelen, msg_controllen, msg_flags. */
    recvmsg(
      fd: number,
      iov: readonly Bytes[] | Bytes,
      name: Bytes | null,
      control: Bytes | null,
      flags: number,
    ): number;
    /**
     * Slot i of a batch has the i-th part of `payload`, `names` and `controls` and the i-th row of `table`: four int32s,
     * the lengths of payload, name and control message, and the flags.
     */
    sendmmsg(
      fd: number,
      payload: Bytes,
      names: Bytes | null,
      controls: Bytes | null,
      table: Bytes,
      first: number,
      count: number,
      flags: number,
    ): number;
    /** As sendmmsg; writes the rows of the messages received. */
    recvmmsg(
      fd: number,
      payload: Bytes,
      names: Bytes | null,
      controls: Bytes | null,
      table: Bytes,
      first: number,
      count: number,
      flags: number,
      timeout: Bytes | null,
    ): number;
  }
}

function checkMessage(message: MsgHdr): void {
  if (!(message instanceof MsgHdr)) throw new TypeError('the message must be a MsgHdr');
}

/**
 * `sendmsg(sockfd, msg, flags)`: sends a message with all that it can carry: several buffers, an address, control
 * messages.
 * @param flags as for {@link send}
 * @returns how many bytes the kernel took, possibly fewer than given
 * @throws as {@link sendto}; EINVAL control messages that do not read · EBADF a descriptor to pass is not open ·
 * ETOOMANYREFS too many descriptors are under way · EPERM credentials that are not one's own
 * @see sendmsg(2)
 */
export function sendmsg(fd: number, message: MsgHdr, flags = 0): number {
  checkMessage(message);
  const { iov, name, control } = message;
  const sent = raw.sendmsg(fd, iov, name?.bytes ?? null, control?.bytes ?? null, flags);
  return sent < 0 ? fail('sendmsg', sent, name ?? undefined) : sent;
}

/**
 * `recvmsg(sockfd, msg, flags)`: receives a message with all that it carries. Sets the message's `flags`, and the
 * lengths of its `name` and `control`.
 *
 * Descriptors that came with it belong to the caller, also when `flags` has MSG_CTRUNC: read them from `control`.
 * @param flags as for {@link recv}; MSG_CMSG_CLOEXEC makes received descriptors close-on-exec
 * @returns how many bytes came; 0 when the peer has ended the stream
 * @throws as {@link recv}
 * @see recvmsg(2)
 */
export function recvmsg(fd: number, message: MsgHdr, flags = 0): number {
  checkMessage(message);
  const { iov, name, control } = message;
  const received = raw.recvmsg(fd, iov, name?.storage ?? null, control?.storage ?? null, flags);
  if (received < 0) fail('recvmsg', received);
  const { out } = raw;
  if (name) name.length = out[0] as number;
  if (control) control.length = out[1] as number;
  message.flags = out[2] as number;
  return received;
}
