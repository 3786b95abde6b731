import { MSG_CMSG_CLOEXEC, MSG_CTRUNC } from '../constants.js';
import { fail } from '../errors.js';
import { type Bytes, raw } from '../native.js';
import { CMSG_LEN, ControlBuffer } from '../structs/control.js';
import { MessageBatch } from '../structs/message-batch.js';
import { MsgHdr } from '../structs/msghdr.js';
import { addressBytes, addressRoom } from '../structs/sockaddr.js';
import { unix } from '../structs/sockaddr-layout.js';
import { bytesOrNull } from '../structs/struct.js';
import { timespec } from '../structs/time.js';
import { shown } from '../values.js';

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
     * Slot i of a batch has the i-th part of `payload`, `names` and `controls`, and the i-th entry of each of the five
     * columns of `table`, int32s: the lengths of payload, name and control messages, the flags, and what was sent.
     * Reads the lengths, and writes what was sent.
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
    /** As sendmmsg; each slot is filled as far as it has room, and lengths and flags are written. */
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
 * @param fd the socket
 * @param message what is sent, and where to
 * @param flags as for {@link send}
 * @returns how many bytes the kernel took, possibly fewer than given
 * @throws as {@link sendto}; EINVAL control messages that do not read · EBADF a descriptor to pass is not open ·
 * ETOOMANYREFS too many descriptors are under way · EPERM credentials that are not one's own
 * @see sendmsg(2)
 */
export function sendmsg(fd: number, message: MsgHdr, flags = 0): number {
  const sent = trySendmsg(fd, message, flags);
  return sent < 0 ? fail('sendmsg', sent, message.name ?? undefined) : sent;
}

/**
 * {@link sendmsg} that answers as `raw` does: -errno for an error.
 * @param fd the socket
 * @param message what is sent, and where to
 * @param flags as for {@link send}
 * @returns how many bytes the kernel took, or -errno
 * @throws TypeError not a MsgHdr
 * @see sendmsg(2)
 */
export function trySendmsg(fd: number, message: MsgHdr, flags: number): number {
  checkMessage(message);
  const { iov, name, control } = message;
  return raw.sendmsg(
    fd,
    iov,
    name === null ? null : addressBytes(name),
    bytesOrNull('control', control, ControlBuffer),
    flags,
  );
}

/**
 * `recvmsg(sockfd, msg, flags)`: receives a message with all that it carries. Sets the message's `flags`, and the
 * lengths of its `name` and `control`.
 *
 * Descriptors that came with it are the caller's to close, also when `flags` has MSG_CTRUNC: see {@link ControlBuffer}.
 * Without a `control` the kernel closes them.
 * @param fd the socket
 * @param message what is filled
 * @param flags as for {@link recv}; MSG_CMSG_CLOEXEC makes received descriptors close-on-exec
 * @returns how many bytes came; 0 when the peer has ended the stream
 * @throws as {@link recv}
 * @see recvmsg(2)
 */
export function recvmsg(fd: number, message: MsgHdr, flags = 0): number {
  const received = tryRecvmsg(fd, message, flags);
  return received < 0 ? fail('recvmsg', received) : received;
}

/**
 * {@link recvmsg} that answers as `raw` does: -errno for an error.
 * @param fd the socket
 * @param message what is filled
 * @param flags as for {@link recvmsg}
 * @returns how many bytes came, or -errno
 * @throws TypeError not a MsgHdr
 * @see recvmsg(2)
 */
export function tryRecvmsg(fd: number, message: MsgHdr, flags: number): number {
  checkMessage(message);
  const { iov, name, control } = message;
  const received = raw.recvmsg(fd, iov, addressRoom(name), control === null ? null : control.storage, flags);
  if (received < 0) return received;
  const { out } = raw;
  if (name) name.length = out[0] as number;
  message.flags = out[2] as number;
  if (control) {
    control.length = out[1] as number;
    control.truncated = (message.flags & MSG_CTRUNC) !== 0;
  }
  return received;
}

const longestTold = unix.size + 1; // see addressBytes

function checkBatch(batch: MessageBatch): void {
  if (!(batch instanceof MessageBatch)) throw new TypeError('the messages must be a MessageBatch');
}

/**
 * `sendmmsg(sockfd, msgvec, vlen, flags)`: sends many messages in one call. Sets the batch's `sent`.
 * @param fd the socket
 * @param batch the messages
 * @param count how many of the batch's messages
 * @param flags as for {@link send}, for every message
 * @param first the slot to begin with, which in C is `msgvec + first`
 * @returns how many were sent. When one fails after the first, the call ends there without an error: to learn it, call
 * again from that message. The kernel takes no more than 1024 (UIO_MAXIOV) in one call.
 * @throws as {@link sendmsg}, for the first message
 * @see sendmmsg(2)
 */
export function sendmmsg(fd: number, batch: MessageBatch, count = batch?.size, flags = 0, first = 0): number {
  checkBatch(batch);
  const { payloads, names, controls, table, nameLengths } = batch;
  // Names that recvmmsg left there, and that are longer than the kernel takes.
  for (let i = 0; i < nameLengths.length; i++) {
    if (nameLengths[i] === longestTold) nameLengths[i] = addressBytes(batch.name(i)).length;
  }
  const sent = raw.sendmmsg(fd, payloads, names, controls, table, first, count, flags);
  return sent < 0 ? fail('sendmmsg', sent, batch.nameLengths[first] ? batch.name(first) : undefined) : sent;
}

/**
 * `recvmmsg(sockfd, msgvec, vlen, flags, timeout)`: receives many messages in one call. Sets the batch's `lengths`,
 * `nameLengths`, `controlLengths` and `flags`.
 *
 * Without MSG_WAITFORONE or MSG_DONTWAIT it blocks until *all* `count` messages are there.
 *
 * The man page calls `timeout` a bug: the kernel looks at it only after each message, so that when no further message
 * comes the call blocks for ever, whatever the timeout. What does bound the wait for each message is SO_RCVTIMEO.
 *
 * An error after the first message ends the call, which then succeeds; the next call on the socket throws it, unless
 * another error has taken its place meanwhile.
 * @param fd the socket
 * @param batch what is filled
 * @param count how many at most
 * @param flags as for {@link recvmsg}; and MSG_WAITFORONE: block for the first message only
 * @param timeout after how much time no further message is waited for; the kernel writes into it what was left
 * @param first the slot to begin with, which in C is `msgvec + first`
 * @returns how many came. The kernel takes no more than 1024 (UIO_MAXIOV) in one call.
 * @throws as {@link recvmsg}, for the first message; EINVAL a timeout that is no span of time
 * @see recvmmsg(2)
 */
export function recvmmsg(
  fd: number,
  batch: MessageBatch,
  count = batch?.size,
  flags = 0,
  timeout: timespec | null = null,
  first = 0,
): number {
  checkBatch(batch);
  const { payloads, names, controls, table } = batch;
  const received = raw.recvmmsg(
    fd,
    payloads,
    names,
    controls,
    table,
    first,
    count,
    flags,
    bytesOrNull('timeout', timeout, timespec),
  );
  return received < 0 ? fail('recvmmsg', received) : received;
}

const oneByte = new Uint8Array(1);

/**
 * Sends descriptors over a Unix socket: a message of `bytes` with an SCM_RIGHTS.
 * @param fd a Unix socket
 * @param fds at most 253. They stay open here, and the receiver gets others of the same files.
 * @param bytes what goes along: on a stream at least one byte, because descriptors without data are not delivered. One
 * zero byte if not said.
 * @returns how many bytes were sent
 * @throws EBADF one is not open · EINVAL too many · ETOOMANYREFS more are under way than RLIMIT_NOFILE allows, and the
 * rest as {@link sendmsg}
 * @see unix(7)
 */
export function sendFds(fd: number, fds: readonly number[], bytes: Bytes = oneByte): number {
  return sendmsg(fd, new MsgHdr({ iov: bytes, control: ControlBuffer.of({ SCM_RIGHTS: fds }) }));
}

/** What {@link recvFds} received. */
export interface ReceivedFds {
  /** How many bytes came with them. */
  readonly length: number;
  /** The descriptors, close-on-exec. They are the caller's to close. */
  readonly fds: readonly number[];
  /** msg_flags: MSG_CTRUNC when there were more than `maxFds`, which the kernel closed. */
  readonly flags: number;
}

/**
 * Receives descriptors from a Unix socket. Other control messages are passed over (and an SCM_PIDFD closed); with
 * SO_PASSCRED, SO_PASSPIDFD or SO_PASSSEC on they take the descriptors' room, and recvmsg is the better choice.
 * @param fd a Unix socket
 * @param maxFds how many descriptors there is room for
 * @param bytes where the data goes; room for one byte if not said
 * @returns the descriptors, how many bytes came, and the flags of the message
 * @throws as {@link recvmsg}; RangeError a number that is no count
 * @see unix(7)
 */
export function recvFds(fd: number, maxFds: number, bytes: Bytes = new Uint8Array(1)): ReceivedFds {
  if (!Number.isInteger(maxFds) || maxFds < 0) throw new RangeError(`maxFds must be 0 or more, not ${shown(maxFds)}`);
  // Not CMSG_SPACE: the kernel would put one more descriptor into its padding.
  const message = new MsgHdr({ iov: bytes, control: CMSG_LEN(maxFds * 4) });
  const length = recvmsg(fd, message, MSG_CMSG_CLOEXEC);
  const { control, flags } = message as MsgHdr & { control: ControlBuffer };
  const pidfd = control.get('SCM_PIDFD');
  if (pidfd !== undefined) raw.close(pidfd);
  return { length, fds: control.get('SCM_RIGHTS') ?? [], flags };
}
