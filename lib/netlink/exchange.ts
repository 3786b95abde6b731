// Asking the kernel by netlink, and reading all that it answers.
import {
  AF_NETLINK,
  EINTR,
  MSG_TRUNC,
  NETLINK_CAP_ACK,
  NETLINK_EXT_ACK,
  NLM_F_ACK,
  NLM_F_ACK_TLVS,
  NLM_F_CAPPED,
  NLM_F_DUMP,
  NLM_F_DUMP_INTR,
  NLM_F_REQUEST,
  NLMSG_DONE,
  NLMSG_ERROR,
  NLMSGERR_ATTR_MSG,
  SOCK_CLOEXEC,
  SOCK_RAW,
  SOL_NETLINK,
} from '../constants.js';
import { SystemError } from '../errors.js';
import { raw } from '../native.js';
import { sockaddr_nl } from '../structs/sockaddr-families.js';
import { close } from '../syscalls/descriptors.js';
import { bind, socket } from '../syscalls/endpoints.js';
import { recv, send } from '../syscalls/transfer.js';
import { NetlinkAttributes, netlinkAlign } from './attributes.js';
import { NetlinkMessage, nlmsgerr, nlmsghdr } from './message.js';

/** A request that the kernel refused. */
export class NetlinkError extends SystemError {
  /** What the kernel says about it in words, where it does. */
  readonly reason: string | undefined;

  constructor(errno: number, reason: string | undefined) {
    super('netlink', errno);
    this.reason = reason;
    if (reason) this.message += `: ${reason}`;
  }
}

/**
 * A netlink socket that has been given an address, and whose refusals explain themselves where the kernel can.
 * @param protocol NETLINK_ROUTE, NETLINK_SOCK_DIAG, NETLINK_GENERIC, ...
 * @returns its descriptor, to be closed by `close`
 * @throws EPROTONOSUPPORT this kernel does not have it · EMFILE too many descriptors
 * @see netlink(7)
 */
export function netlinkSocket(protocol: number): number {
  const fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
  try {
    bind(fd, sockaddr_nl());
    // Older kernels do without: they only tell less.
    raw.setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, 1);
    raw.setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, 1);
    return fd;
  } catch (error) {
    close(fd);
    throw error;
  }
}

let lastSequence = 0;

/**
 * Sends a request and reads the whole answer.
 * @param fd a netlink socket that waits (without O_NONBLOCK), used for nothing else meanwhile: see netlinkSocket
 * @param request made by `NetlinkMessage.of`. With NLM_F_DUMP it asks for all there is; otherwise NLM_F_ACK is added, so
 * that there is an end to the answer. NLM_F_REQUEST is added, and the sequence number.
 * @returns the messages of the answer, without those that end it
 * @throws NetlinkError the kernel refused: its errno, and its own words in `reason`
 * @see netlink(7)
 */
export function netlinkRequest(fd: number, request: NetlinkMessage): NetlinkMessage[] {
  const isDump = (request.header.nlmsg_flags & NLM_F_DUMP) === NLM_F_DUMP;
  request.header.nlmsg_flags |= isDump ? NLM_F_REQUEST : NLM_F_REQUEST | NLM_F_ACK;
  // What was listed while it changed may lack something or have it twice: it is asked for again, though not for ever.
  for (let attempt = 0; attempt < 32; attempt++) {
    const answer = ask(fd, request);
    if (answer) return answer;
  }
  throw new NetlinkError(EINTR, 'what is listed changes faster than it can be read');
}

function ask(fd: number, request: NetlinkMessage): NetlinkMessage[] | undefined {
  lastSequence = (lastSequence + 1) >>> 0;
  request.header.nlmsg_seq = lastSequence;
  send(fd, request.bytes);
  const answer: NetlinkMessage[] = [];
  let interrupted = false;
  for (;;) {
    for (const message of receive(fd)) {
      if (message.header.nlmsg_seq !== lastSequence) continue; // of an earlier request, or an event
      if (message.header.nlmsg_flags & NLM_F_DUMP_INTR) interrupted = true;
      if (message.header.nlmsg_type === NLMSG_ERROR || message.header.nlmsg_type === NLMSG_DONE) {
        refuseErrors(message);
        return interrupted ? undefined : answer;
      }
      answer.push(message);
    }
  }
}

// The kernel makes the messages of a dump fit, up to 32 KiB; one message alone may be as long as 64 KiB.
const roomForMessages = 65_536;

function* receive(fd: number): IterableIterator<NetlinkMessage> {
  const buffer = new Uint8Array(roomForMessages);
  const length = recv(fd, buffer, MSG_TRUNC);
  if (length > buffer.length) throw new RangeError(`a netlink message of ${length} bytes is too long`);
  yield* NetlinkMessage.parse(buffer.subarray(0, length));
}

// NLMSG_DONE carries an int of the same meaning, in the same place.
function refuseErrors(message: NetlinkMessage): void {
  const { error = 0 } = message.body(nlmsgerr);
  if (error < 0) throw new NetlinkError(error, explanation(message));
}

// Its attributes follow the request, of which there is only the header if the answer is capped.
function explanation(message: NetlinkMessage): string | undefined {
  const { nlmsg_type, nlmsg_flags } = message.header;
  if ((nlmsg_flags & NLM_F_ACK_TLVS) === 0) return undefined;
  if (nlmsg_type === NLMSG_DONE) return message.attributes({ size: 4 }).text(NLMSGERR_ATTR_MSG);
  const all = message.attributes(nlmsgerr).bytes;
  const requestLength = message.body(nlmsgerr).msg?.nlmsg_len ?? 0; // none in an answer that was cut
  const skipped = (nlmsg_flags & NLM_F_CAPPED) !== 0 ? 0 : netlinkAlign(requestLength) - nlmsghdr.size;
  return new NetlinkAttributes(all.subarray(Math.max(0, skipped))).text(NLMSGERR_ATTR_MSG);
}

/**
 * Asks on a socket that is made for it and closed again.
 * @param protocol as for {@link netlinkSocket}
 * @param request as for {@link netlinkRequest}
 * @returns as {@link netlinkRequest}
 * @throws as {@link netlinkSocket} and {@link netlinkRequest}
 * @see netlink(7)
 */
export function netlinkQuery(protocol: number, request: NetlinkMessage): NetlinkMessage[] {
  const fd = netlinkSocket(protocol);
  try {
    return netlinkRequest(fd, request);
  } finally {
    close(fd);
  }
}
