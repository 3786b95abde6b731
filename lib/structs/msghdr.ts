import type { Bytes } from '../native.js';
import { objectIn } from '../values.js';
import { ControlBuffer } from './control.js';
import type { ControlName } from './control-kinds.js';
import { SockAddr } from './sockaddr.js';

/** What a MsgHdr is made of. */
export interface MsgHdrInit {
  /** Where the message goes; or, for recvmsg, a place for where it came from. */
  readonly name?: SockAddr | null | undefined;
  /** The buffers to send from or to fill, in order; one alone may stand without its array. */
  readonly iov: readonly Bytes[] | Bytes;
  /** Control messages to send, or the room to receive them into (or what makes a ControlBuffer). */
  readonly control?: ControlBuffer | readonly ControlName[] | Bytes | number | null | undefined;
}

/**
 * A message with all that it can carry: `struct msghdr` of sendmsg(2) and recvmsg(2).
 *
 * After `recvmsg`, `name` holds the sender's address, `control` its control messages, `flags` what the kernel says of
 * the message.
 */
export class MsgHdr {
  /** msg_name: the address, or null. */
  name: SockAddr | null;
  /** msg_iov: the buffers. */
  iov: readonly Bytes[] | Bytes;
  /** msg_control: the control messages, or null. */
  control: ControlBuffer | null;
  /** msg_flags, set by recvmsg: MSG_TRUNC (the datagram was longer), MSG_CTRUNC (control messages were cut), MSG_EOR,
   * MSG_OOB, MSG_ERRQUEUE. */
  flags = 0;

  constructor(init: MsgHdrInit) {
    const { name, iov, control } = objectIn('init', init);
    if (name !== undefined && name !== null && !(name instanceof SockAddr))
      throw new TypeError('name must be a SockAddr');
    this.name = name ?? null;
    this.iov = iov;
    if (control === undefined || control === null) this.control = null;
    else this.control = control instanceof ControlBuffer ? control : new ControlBuffer(control);
  }
}
