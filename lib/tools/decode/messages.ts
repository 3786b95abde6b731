// Messages: their buffers, and the control messages that come along.
import { CMSG_LEN, ControlBuffer, type ControlMessage, IOV_MAX, sock_extended_err } from '../../index.js';
import { asBytes } from './bytes.js';
import { content, fields } from './contents.js';
import { hex, hexDigits, list, named, number, pointer, quoted, quotedHex, type Shown, struct } from './notation.js';
import { optionLevels } from './options.js';
import { sockaddr } from './sockaddr.js';

const hexBytes = (data: Uint8Array) => list(Array.from(data, (byte) => named(hexDigits(byte), byte)));

function controlData(message: ControlMessage): Shown {
  const { data } = message;
  switch (message.kind) {
    case undefined:
      return quotedHex(data);
    case 'SCM_SECURITY':
      return quoted(data, data.length);
    case 'SCM_TIMESTAMPING':
      return content(message.value.ts);
    case 'IP_TOS':
    case 'IP_RECVOPTS':
    case 'IP_RETOPTS':
      return hexBytes(data);
    case 'IP_RECVERR':
    case 'IPV6_RECVERR':
      return struct({
        ...fields(message.value),
        offender: sockaddr(data.subarray(sock_extended_err.size), 'offender'),
      });
    default:
      return typeof message.value === 'number' ? list([number(message.value)]) : content(message.value);
  }
}

function controlMessage(message: ControlMessage): Shown {
  return struct({
    cmsg_len: number(CMSG_LEN(message.data.length)),
    cmsg_level: optionLevels.choice(message.level),
    cmsg_type: message.kind === undefined ? hex(message.type) : named(message.kind),
    cmsg_data: message.data.length === 0 ? undefined : controlData(message),
  });
}

/** Control messages, as they lie in msg_control. */
export function controlMessages(bytes: Uint8Array): Shown {
  if (bytes.length < CMSG_LEN(0)) return pointer('msg_control');
  return list([...new ControlBuffer(bytes)].map(controlMessage));
}

/** A raw call's buffers: an array of them, of which the addon looks at no more than the kernel refuses, or one alone. */
export function buffersOf(value: unknown): readonly Uint8Array[] {
  return (Array.isArray(value) ? value.slice(0, IOV_MAX + 1) : [value]).map((one) => asBytes(one) ?? new Uint8Array(0));
}

/**
 * `[{iov_base="hi", iov_len=2}]`
 * @param filled how many bytes of them all count; null for buffers that were not filled
 */
export function iovec(buffers: readonly Uint8Array[], filled: number | null, limit: number): Shown {
  let left = filled ?? 0;
  return list(
    buffers.map((buffer) => {
      const taken = Math.min(left, buffer.length);
      left -= taken;
      const base = filled === null ? pointer('iov_base') : quoted(buffer.subarray(0, taken), limit);
      return struct({ iov_base: base, iov_len: number(buffer.length) });
    }),
    limit,
  );
}
