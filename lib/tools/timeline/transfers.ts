// What passed from one open file to another: found by what the kernel says of both, never by what the bytes are.
import type { Json } from '../decode/notation.js';
import type { PassedFile, TracedCall, TracedFile } from './files.js';
import type { ArrowKind } from './model.js';

/** Something that passed from a call on one file to a call on another. */
export interface Transfer {
  readonly kind: ArrowKind;
  readonly from: TracedCall;
  readonly to: TracedCall;
  readonly source: TracedFile;
  readonly target: TracedFile;
  readonly label: string;
}

type Fields = Readonly<Record<string, Json>>;

/** A message that a call sent or received; of a stream, a stretch of bytes. */
interface Piece {
  readonly call: TracedCall;
  readonly file: TracedFile;
  /** The address that it was sent to, or came from; undefined where the call does not say. */
  readonly address: string | undefined;
  readonly length: number;
  readonly passed: readonly PassedFile[];
}

const senders = new Set(['write', 'writev', 'send', 'sendto', 'sendmsg', 'sendmmsg']);
const receivers = new Set(['read', 'readv', 'recv', 'recvfrom', 'recvmsg', 'recvmmsg']);
// What is only looked at stays where it is, and errors are no messages.
const onlyLooks = /MSG_PEEK|MSG_ERRQUEUE/;

/** @param calls in the order in which they ended */
export function findTransfers(calls: readonly TracedCall[], files: readonly TracedFile[]): Transfer[] {
  const byStart = [...calls].sort((one, other) => one.record.time - other.record.time);
  const sent = byStart.flatMap(piecesSent);
  const received = calls.flatMap(piecesReceived);
  const streams = files.filter(isStream).flatMap((target) => {
    const source = otherEnd(target, files);
    if (!source) return [];
    const arrived = received.filter(({ file }) => file === target);
    return [
      ...alongStream(
        sent.filter(({ file }) => file === source),
        arrived,
      ),
      ...ends(source, target, byStart),
    ];
  });
  return [...streams, ...datagrams(sent, received), ...connections(calls, files)];
}

// ---- which file is at the other end

const isStream = ({ facts, name }: TracedFile) => name.startsWith('pipe:') || facts.type === 'SOCK_STREAM';

function otherEnd(file: TracedFile, files: readonly TracedFile[]): TracedFile | undefined {
  return files.find((other) => other !== file && areJoined(file, other));
}

function areJoined(one: TracedFile, other: TracedFile): boolean {
  const [a, b] = [one.facts, other.facts];
  if (one.name.startsWith('pipe:')) return a.name === b.name && a.end !== b.end;
  if (a.other || b.other) return a.other === other.name || b.other === one.name;
  return a.peer !== undefined && a.peer === b.local && a.local === b.peer && a.protocol === b.protocol;
}

// ---- what a call sent, and what it received

function piecesSent(call: TracedCall): Piece[] {
  const { record, files, passed } = call;
  const { result } = record;
  if (result < 0) return [];
  if (record.call === 'sendfile' || record.call === 'splice') {
    const file = fileOf(call, record.call === 'sendfile' ? 'out_fd' : 'fd_out');
    return file ? [{ call, file, address: undefined, length: result, passed: [] }] : [];
  }
  const [file] = files;
  if (!file || !senders.has(record.call)) return [];
  if (record.call === 'sendmmsg') return batch(call, file).slice(0, result);
  return [{ call, file, address: addressIn(record.arguments, 'dest_addr'), length: result, passed }];
}

function piecesReceived(call: TracedCall): Piece[] {
  const { record, files, passed } = call;
  const { result } = record;
  if (result < 0 || onlyLooks.test(String(record.arguments.flags ?? ''))) return [];
  if (record.call === 'splice') {
    const file = fileOf(call, 'fd_in');
    return file ? [{ call, file, address: undefined, length: result, passed: [] }] : [];
  }
  const [file] = files;
  if (!file || !receivers.has(record.call)) return [];
  if (record.call === 'recvmmsg') return batch(call, file);
  return [{ call, file, address: addressIn(record.arguments, 'src_addr'), length: result, passed }];
}

function batch(call: TracedCall, file: TracedFile): Piece[] {
  const messages = call.record.arguments.msgvec as readonly { msg_hdr: Fields; msg_len?: number }[];
  return messages.map(({ msg_hdr, msg_len }, i) => ({
    call,
    file,
    address: addressText(msg_hdr.msg_name),
    length: msg_len ?? 0,
    passed: i === 0 ? call.passed : [],
  }));
}

function fileOf(call: TracedCall, argument: string): TracedFile | undefined {
  const fd = call.record.arguments[argument] as number;
  const index = call.record.files?.findIndex((change) => change.fd === fd) ?? -1;
  return call.files[index];
}

function addressIn(given: Fields, name: string): string | undefined {
  return addressText(given[name] ?? (given.msg as Fields | undefined)?.msg_name);
}

/** A decoded address as `SockAddr` writes it. */
function addressText(address: Json | undefined): string | undefined {
  if (typeof address !== 'object' || address === null) return undefined;
  const { sin_addr, sin_port, sin6_addr, sin6_port, sun_path } = address as Fields;
  if (sin_addr !== undefined) return `${sin_addr}:${sin_port}`;
  if (sin6_addr !== undefined) return `[${sin6_addr}]:${sin6_port}`;
  return sun_path === undefined ? undefined : String(sun_path);
}

// ---- matching them

/** What a receiving call got of what a sending call gave: bytes, and perhaps descriptors with them. */
function arrival(from: Piece, to: Piece, length: number): Transfer {
  const descriptors = to.passed.flatMap(({ fd, file }) => {
    const given = from.passed.find((one) => one.file === file);
    return given ? [`fd ${given.fd} as fd ${fd}`] : [];
  });
  return {
    kind: descriptors.length > 0 ? 'descriptors' : 'bytes',
    from: from.call,
    to: to.call,
    source: from.file,
    target: to.file,
    label: [`${length} B`, ...descriptors].join(', '),
  };
}

/** The bytes of a stream arrive in the order in which they were sent, in other pieces. */
function alongStream(sent: readonly Piece[], received: readonly Piece[]): Transfer[] {
  const transfers: Transfer[] = [];
  let next = 0;
  let left = sent[0]?.length ?? 0;
  for (const to of received) {
    for (let wanted = to.length; wanted > 0; ) {
      const from = sent[next];
      if (!from) return transfers; // somebody else sent it, too, unseen
      const taken = Math.min(wanted, left);
      if (taken > 0) transfers.push(arrival(from, to, taken));
      wanted -= taken;
      left -= taken;
      if (left === 0) left = sent[++next]?.length ?? 0;
    }
  }
  return transfers;
}

/** Datagrams arrive whole or not at all, or cut to the room that there is for them. */
function datagrams(sent: readonly Piece[], received: readonly Piece[]): Transfer[] {
  const underWay = sent.filter(({ file }) => file.name.startsWith('socket:') && !isStream(file));
  return received.flatMap((to) => {
    const i = underWay.findIndex((from) => from.call.record.time < to.call.end && mayBe(from, to));
    const from = i < 0 ? undefined : underWay.splice(i, 1)[0];
    return from ? [arrival(from, to, to.length)] : [];
  });
}

function mayBe(from: Piece, to: Piece): boolean {
  const [source, target] = [from.file.facts, to.file.facts];
  if (source.family !== target.family || source.protocol !== target.protocol || from.length < to.length) return false;
  if (source.other || target.other) {
    if (source.other === to.file.name || target.other === from.file.name) return true;
  }
  const goal = from.address ?? source.peer;
  const origin = to.address ?? target.peer;
  return reaches(goal, target.local) && (origin === undefined || reaches(origin, source.local));
}

/** Whether an address is that of a socket, which may have bound itself to all addresses. */
function reaches(address: string | undefined, local: string | undefined): boolean {
  if (address === undefined || local === undefined) return false;
  const port = (text: string) => text.slice(text.lastIndexOf(':'));
  return address === local || (/^(0\.0\.0\.0|\[::\]):/.test(local) && port(address) === port(local));
}

// ---- beginnings and ends of connections

/** From each connect to the accept that took the connection. */
function connections(calls: readonly TracedCall[], files: readonly TracedFile[]): Transfer[] {
  return calls.flatMap((to) => {
    const target = /^accept4?$/.test(to.record.call) ? to.files[1] : undefined;
    const source = target && otherEnd(target, files);
    const from = calls.find(({ record, files }) => record.call === 'connect' && files[0] === source);
    return from && target && source ? [{ kind: 'connection', from, to, source, target, label: '' }] : [];
  });
}

const stopsSending = ({ record: { call, arguments: given } }: TracedCall) =>
  call === 'close' || (call === 'shutdown' && given.how !== 'SHUT_RD');

/** From what ended a stream to the call that was told so. */
function ends(source: TracedFile, target: TracedFile, byStart: readonly TracedCall[]): Transfer[] {
  const ending = byStart.find((call) => call.files[0] === source && call.record.result === 0 && stopsSending(call));
  if (!ending) return [];
  const told = byStart.filter(({ files, end }) => files[0] === target && end > ending.record.time);
  const learns = (kind: ArrowKind, test: (call: TracedCall) => boolean): Transfer[] => {
    const to = told.find(test);
    return to ? [{ kind, from: ending, to, source, target, label: '' }] : [];
  };
  return [
    ...learns('end', ({ record }) => record.result === 0 && receivers.has(record.call) && hasRoom(record.arguments)),
    ...learns('reset', ({ record }) => record.error === 'ECONNRESET'),
  ];
}

/** Whether a call that received nothing had asked for something. */
function hasRoom(given: Fields): boolean {
  return (given.len ?? given.count) !== 0;
}
