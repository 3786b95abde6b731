// Netlink messages: a header, a struct that says more, attributes.
import { type Layout, layouts } from '../native.js';
import { int, nested, type Struct, type StructType, struct, uint } from '../structs/struct.js';
import { type Attribute, attributeBytes, NetlinkAttributes, netlinkAlign } from './attributes.js';

/** What every netlink message begins with. See netlink(7). */
export class nlmsghdr extends struct('nlmsghdr', {
  /** The message's length, this header included. */
  nlmsg_len: uint,
  /** What it is: RTM_NEWLINK, NLMSG_ERROR, NLMSG_DONE, ... */
  nlmsg_type: uint,
  /** NLM_F_* bits. */
  nlmsg_flags: uint,
  /** A number that the answer repeats. */
  nlmsg_seq: uint,
  /** The sender's port number; 0 for the kernel. */
  nlmsg_pid: uint,
}) {}

/** What an NLMSG_ERROR carries: how a request ended. */
export class nlmsgerr extends struct('nlmsgerr', {
  /** 0, or an errno, negative. */
  error: int,
  /** The request's header. */
  msg: nested(nlmsghdr),
}) {}

const headerSize = netlinkAlign((layouts.nlmsghdr as Layout).size);

/** A netlink message: a view over its bytes. */
export class NetlinkMessage {
  /** All of it. */
  readonly bytes: Uint8Array;
  readonly header: nlmsghdr;

  private constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.header = new nlmsghdr(bytes.subarray(0, headerSize));
  }

  /** The messages that one recv gave, in order; one that claims to be longer than what is there ends them. */
  static *parse(bytes: Uint8Array): IterableIterator<NetlinkMessage> {
    for (let start = 0; start + headerSize <= bytes.length; ) {
      const length = new nlmsghdr(bytes.subarray(start, start + headerSize)).nlmsg_len;
      if (length < headerSize || length > bytes.length - start) return;
      yield new NetlinkMessage(bytes.subarray(start, start + length));
      start += netlinkAlign(length);
    }
  }

  /**
   * A message to send.
   * @param type RTM_GETLINK, SOCK_DIAG_BY_FAMILY, ...
   * @param flags NLM_F_REQUEST with NLM_F_DUMP, NLM_F_ACK, NLM_F_CREATE, ...
   * @param body the struct of this type: ifinfomsg, rtmsg, ...
   */
  static of(type: number, flags: number, body: Struct, attributes: readonly Attribute[] = []): NetlinkMessage {
    const rest = attributeBytes(attributes);
    const start = headerSize + netlinkAlign(body.bytes.length);
    const message = new NetlinkMessage(new Uint8Array(start + rest.length));
    message.header.nlmsg_len = message.bytes.length;
    message.header.nlmsg_type = type;
    message.header.nlmsg_flags = flags;
    message.bytes.set(body.bytes, headerSize);
    message.bytes.set(rest, start);
    return message;
  }

  /** What follows the header, as the struct of the message's type. Fields that were not sent read as undefined. */
  body<S extends Struct>(type: new (bytes: Uint8Array) => S): S {
    return new type(this.bytes.subarray(headerSize));
  }

  /** The attributes behind a struct of this type. */
  attributes(type: Pick<StructType<unknown>, 'size'>): NetlinkAttributes {
    return new NetlinkAttributes(this.bytes.subarray(headerSize + netlinkAlign(type.size)));
  }
}
