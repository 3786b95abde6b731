// sendmsg, recvmsg, sendmmsg, recvmmsg: messages with all that they can carry.
import { messageFlags } from '../decode/families.js';
import { showTimespec } from '../decode/structs.js';
import { family } from './call.js';
import { batch, batchRoom, fd, flags, given, message, messageRoom } from './parameters.js';
import { receiveErrors, sendErrors } from './transfer.js';

const messageErrors = {
  ...sendErrors,
  EINVAL: [
    'The message does not read.',
    'A control message of a wrong length or an unknown type, too many descriptors in one (253 at most), or an address ' +
      'of the wrong length.',
    'Build control messages with ControlBuffer, and look at them in the traced line.',
  ],
  EBADF: [
    'The socket, or a descriptor to be passed, is not open.',
    'A descriptor in SCM_RIGHTS was closed before it was sent.',
    'Close it after sendmsg has answered, not before.',
  ],
  ETOOMANYREFS: [
    'Too many passed descriptors are under way.',
    'Receivers do not take the messages that carry them; RLIMIT_NOFILE bounds how many may wait.',
    'Let the receiver receive, or raise the limit.',
  ],
} as const;

export const messages = family({
  sendmsg: {
    page: 'sendmsg(2)',
    summary:
      'Sends a message with all that it can carry: bytes from several buffers, an address, and control messages such ' +
      'as descriptors to pass (SCM_RIGHTS) or the source address to use (IP_PKTINFO).',
    parameters: [fd('sockfd'), message('msg'), flags('flags', messageFlags)],
    result: 'bytes',
    errors: messageErrors,
  },
  recvmsg: {
    page: 'recvmsg(2)',
    summary:
      "Receives a message with all that it carries: bytes into several buffers, the sender's address, control " +
      'messages, and flags that say whether something was cut. Descriptors that came along are open from now on.',
    parameters: [fd('sockfd'), messageRoom('msg'), flags('flags', messageFlags)],
    result: 'bytes',
    errors: receiveErrors,
  },
  sendmmsg: {
    page: 'sendmmsg(2)',
    summary: 'Sends many messages with one call, and tells how many went.',
    parameters: [fd('sockfd'), batch('msgvec', 'vlen'), flags('flags', messageFlags)],
    result: 'count',
    errors: messageErrors,
  },
  recvmmsg: {
    page: 'recvmmsg(2)',
    summary:
      'Receives many messages with one call. Without MSG_WAITFORONE it blocks until all of them are there; the timeout ' +
      'is looked at only after each message.',
    parameters: [
      fd('sockfd'),
      batchRoom('msgvec', 'vlen'),
      flags('flags', messageFlags),
      given('timeout', showTimespec),
    ],
    result: 'count',
    errors: receiveErrors,
  },
});
