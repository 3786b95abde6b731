// What passed from one open file to another: found by what the kernel says of both, never by what the bytes are.
import type { Json } from '../decode/notation.js';
import { type Act, actsOf, type Fields } from './acts.js';
import type { PassedFile, TracedCall, TracedFile } from './files.js';
import { grouped } from './grouped.js';
import type { ArrowKind } from './model.js';

/** Something that passed from what was done on one file to what was done on another. */
export interface Transfer {
  readonly kind: ArrowKind;
  readonly from: Act;
  readonly to: Act;
  readonly source: TracedFile;
  readonly target: TracedFile;
  readonly label: string;
}

/** A message that was sent or received; of a stream, a stretch of bytes. */
interface Piece {
  readonly act: Act;
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
  const acts = calls.flatMap(actsOf);
  const byStart = [...acts].sort((one, other) => startOf(one) - startOf(other));
  const sent = byStart.flatMap(piecesSent);
  const received = acts.flatMap(piecesReceived);
  const otherEnd = pairingOf(files);
  const sentOn = grouped(sent, ({ file }) => file);
  const receivedOn = grouped(received, ({ file }) => file);
  const actsOn = grouped(byStart, ({ files }) => files[0]);
  const streams = files.filter(isStream).flatMap((target) => {
    const source = otherEnd(target);
    if (!source) return [];
    return [...alongStream(sentOn(source), receivedOn(target)), ...ends(source, target, actsOn)];
  });
  return [...streams, ...datagrams(sent, received), ...connections(acts, otherEnd)];
}

const startOf = ({ begun }: Act) => begun.record.time;

// ---- which file is at the other end

/** The file at the other end of one, if it was seen. */
type Pairing = (file: TracedFile) => TracedFile | undefined;

const isStream = ({ facts, name }: TracedFile) => name.startsWith('pipe:') || facts.type === 'SOCK_STREAM';

function pairingOf(files: readonly TracedFile[]): Pairing {
  const order = new Map(files.map((file, i) => [file, i]));
  const byName = grouped(files, ({ facts }) => facts.name);
  const byOther = grouped(files, ({ facts }) => facts.other);
  const byAddresses = grouped(files, ({ facts: { local, peer } }) => peer && `${local} ${peer}`);
  return (file) => {
    const { name, facts } = file;
    const { other, local, peer } = facts;
    const candidates = [
      ...byName(name.startsWith('pipe:') ? facts.name : other),
      ...byOther(name),
      ...byAddresses(peer && `${peer} ${local}`),
    ];
    const joined = candidates.filter((one) => one !== file && areJoined(file, one));
    return joined.sort((one, another) => (order.get(one) as number) - (order.get(another) as number))[0];
  };
}

function areJoined(one: TracedFile, other: TracedFile): boolean {
  const [a, b] = [one.facts, other.facts];
  if (one.name.startsWith('pipe:')) return a.name === b.name && a.end !== b.end;
  if (a.other || b.other) return a.other === other.name || b.other === one.name;
  return a.peer !== undefined && a.peer === b.local && a.local === b.peer && a.protocol === b.protocol;
}

// ---- what a call sent, and what it received

function piecesSent(act: Act): Piece[] {
  const { name, given, result, files, passed } = act;
  if (result < 0) return [];
  if (name === 'sendfile' || name === 'splice') {
    const file = act.fileOf(name === 'sendfile' ? 'out_fd' : 'fd_out');
    return file ? [{ act, file, address: undefined, length: result, passed: [] }] : [];
  }
  const [file] = files;
  if (!file || !senders.has(name)) return [];
  if (name === 'sendmmsg') return batch(act, file).slice(0, result);
  return [{ act, file, address: addressIn(given, 'dest_addr'), length: result, passed }];
}

function piecesReceived(act: Act): Piece[] {
  const { name, given, result, files, passed } = act;
  if (result < 0 || onlyLooks.test(String(given.flags ?? ''))) return [];
  if (name === 'splice') {
    const file = act.fileOf('fd_in');
    return file ? [{ act, file, address: undefined, length: result, passed: [] }] : [];
  }
  const [file] = files;
  if (!file || !receivers.has(name)) return [];
  if (name === 'recvmmsg') return batch(act, file);
  return [{ act, file, address: addressIn(given, 'src_addr'), length: result, passed }];
}

function batch(act: Act, file: TracedFile): Piece[] {
  const messages = act.given.msgvec as readonly { msg_hdr: Fields; msg_len?: number }[];
  return messages.map(({ msg_hdr, msg_len }, i) => ({
    act,
    file,
    address: addressText(msg_hdr.msg_name),
    length: msg_len ?? 0,
    passed: i === 0 ? act.passed : [],
  }));
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

/** What was received of what was sent: bytes, and perhaps descriptors with them. */
function arrival(from: Piece, to: Piece, length: number): Transfer {
  const descriptors = to.passed.flatMap(({ fd, file }) => {
    const given = from.passed.find((one) => one.file === file);
    return given ? [`fd ${given.fd} as fd ${fd}`] : [];
  });
  return {
    kind: descriptors.length > 0 ? 'descriptors' : 'bytes',
    from: from.act,
    to: to.act,
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
    const i = underWay.findIndex((from) => startOf(from.act) < to.act.ended.end && mayBe(from, to));
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
function connections(acts: readonly Act[], otherEnd: Pairing): Transfer[] {
  const connects = grouped(
    acts.filter(({ name }) => name === 'connect'),
    ({ files }) => files[0],
  );
  return acts.flatMap((to) => {
    const target = /^accept4?$/.test(to.name) ? to.files[1] : undefined;
    const source = target && otherEnd(target);
    const [from] = connects(source);
    return from && target && source ? [{ kind: 'connection', from, to, source, target, label: '' }] : [];
  });
}

/** From what ended a stream to what was told so. */
function ends(source: TracedFile, target: TracedFile, actsOn: (file: TracedFile) => readonly Act[]): Transfer[] {
  // A stream does not end while another descriptor of it is open.
  const stopsSending = ({ name, given, ended }: Act) =>
    name === 'close' ? ended.end === source.closed : name === 'shutdown' && given.how !== 'SHUT_RD';
  const ending = actsOn(source).find((act) => act.result === 0 && stopsSending(act));
  if (!ending) return [];
  const told = actsOn(target).filter(({ ended }) => ended.end > startOf(ending));
  const learns = (kind: ArrowKind, test: (act: Act) => boolean): Transfer[] => {
    const to = told.find(test);
    return to ? [{ kind, from: ending, to, source, target, label: '' }] : [];
  };
  return [
    ...learns('end', ({ name, given, result }) => result === 0 && receivers.has(name) && hasRoom(given)),
    ...learns('reset', ({ error }) => error === 'ECONNRESET'),
  ];
}

/** Whether what received nothing had asked for something. */
function hasRoom(given: Fields): boolean {
  return (given.len ?? given.count) !== 0;
}
