// The two floors that scenarios are played on, both spoken to as the raw one: bytes in, the kernel's number out, the
// rest in `raw.out` and in the buffers.
import * as posix from 'posix-sockets';
import { GaiError, type Raw, raw, SystemError } from 'posix-sockets';
import { RecordReader } from '../../lib/structs/records.js';

/** What getaddrinfo found, or EAI_*. */
export interface Found {
  readonly value: number;
  readonly list: { family: number; socktype: number; protocol: number; address: Uint8Array }[];
}

/** A floor: the raw calls, and those that find lists and text in the form in which scenarios want them. */
export interface Floor {
  readonly calls: Raw;
  getaddrinfo(node: string | null, service: string | null, hints: posix.AddrInfoHints): Found;
  getnameinfo(address: Uint8Array, flags: number): { value: number; host: string; service: string };
}

const bytesOf = (text: string | null) => (text === null ? null : Buffer.from(text));

export const rawFloor: Floor = {
  calls: raw,

  getaddrinfo(node, service, { flags = 0, family = 0, socktype = 0, protocol = 0 }) {
    const records = new Uint8Array(65536);
    const value = raw.getaddrinfo(bytesOf(node), bytesOf(service), flags, family, socktype, protocol, records);
    const reader = new RecordReader(records.subarray(0, Math.max(0, value)));
    const list: Found['list'] = [];
    while (!reader.done) {
      const [, family = 0, socktype = 0, protocol = 0, length = 0, nameLength = 0] = reader.integers(6);
      list.push({ family, socktype, protocol, address: reader.bytes(length) });
      reader.bytes(nameLength);
    }
    return { value: Math.min(0, value), list };
  },

  getnameinfo(address, flags) {
    const [host, service] = [new Uint8Array(1025), new Uint8Array(32)];
    const value = raw.getnameinfo(address, host, service, flags);
    const text = (bytes: Uint8Array, length = 0) => Buffer.from(bytes.subarray(0, length)).toString();
    return value < 0
      ? { value, host: '', service: '' }
      : { value, host: text(host, raw.out[0]), service: text(service, raw.out[1]) };
  },
};

// The number that a checked call stands for: what it returns, or the errno that it threw.
function answer(call: () => number | boolean | undefined): number {
  try {
    return Number(call() ?? 0);
  } catch (error) {
    if (error instanceof SystemError) return error.errno;
    throw error;
  }
}

// The same of a call whose result is an object, for which 0 stands.
function done(call: () => unknown): number {
  return answer(() => {
    call();
    return 0;
  });
}

function gaiAnswer<T>(call: () => T, failed: (value: number) => T): T {
  try {
    return call();
  } catch (error) {
    if (error instanceof GaiError) return failed(error.errno);
    if (error instanceof SystemError) return failed(posix.EAI_SYSTEM);
    throw error;
  }
}

const address = (bytes: Uint8Array) => posix.SockAddr.from(bytes);
const room = (bytes: Uint8Array | null) => bytes && new posix.SockAddr(bytes.length);

// Leaves an address that a call filled in where raw leaves it.
function leave(filled: posix.SockAddr | null, bytes: Uint8Array | null): void {
  if (!filled || !bytes) return;
  bytes.set(filled.storage.subarray(0, bytes.length));
  raw.out[0] = filled.length;
}

const wholeAddress = new posix.SockAddr().storage.length;

// getsockname and getpeername return an address, for which they make the room.
const checkedNames = { getsockname: posix.getsockname, getpeername: posix.getpeername };

function name(asked: keyof typeof checkedNames, fd: number, bytes: Uint8Array): number {
  if (bytes.length !== wholeAddress) return raw[asked](fd, bytes);
  return done(() => leave(checkedNames[asked](fd), bytes));
}

function signals(bytes: Uint8Array | null): posix.SigSet | null {
  if (!bytes) return null;
  const set = new posix.SigSet();
  set.bytes.set(bytes);
  return set;
}

const timeval = (bytes: Uint8Array | null) => bytes && new posix.timeval(bytes);
const timespec = (bytes: Uint8Array | null) => bytes && new posix.timespec(bytes);

// Lends a struct of the package a buffer's bytes for a call, and writes back what became of them.
function lend<S extends { readonly bytes: Uint8Array }>(struct: S, bytes: Uint8Array, call: () => number): number {
  struct.bytes.set(bytes);
  const value = answer(call);
  bytes.set(struct.bytes);
  return value;
}

function polled(bytes: Uint8Array, call: (fds: posix.PollFds) => number): number {
  const fds = new posix.PollFds(bytes.length / 8);
  return lend(fds, bytes, () => call(fds));
}

const sizeofEvent = new posix.EpollEvents(1).bytes.length;

function epolled(bytes: Uint8Array, call: (events: posix.EpollEvents) => number): number {
  const events = new posix.EpollEvents(bytes.length / sizeofEvent);
  return lend(events, bytes, () => call(events));
}

function batched(
  payloads: Uint8Array,
  names: Uint8Array | null,
  controls: Uint8Array | null,
  table: Int32Array,
  call: (batch: posix.MessageBatch) => number,
): number {
  const size = table.length / 5;
  const each = (all: Uint8Array | null) => (all?.length ?? 0) / size;
  const batch = new posix.MessageBatch(size, { payload: each(payloads), name: each(names), control: each(controls) });
  const buffers = [
    [payloads, batch.payloads],
    [names, batch.names],
    [controls, batch.controls],
    [table, batch.table],
  ] as const;
  for (const [ours, theirs] of buffers) if (ours) theirs?.set(ours);
  const value = answer(() => call(batch));
  for (const [ours, theirs] of buffers) if (theirs) ours?.set(theirs);
  return value;
}

// Whether an EpollEvents can be so large: it has room for one event at least, and a million at most.
const fitsEpollEvents = (bytes: posix.Bytes) => bytes.byteLength > 0 && bytes.byteLength <= 2 ** 20 * sizeofEvent;

type Sets = [Uint8Array | null, Uint8Array | null, Uint8Array | null];

function selected(sets: Sets, call: (...sets: [posix.FdSet | null, posix.FdSet | null, posix.FdSet | null]) => number) {
  const lent = sets.map((bytes) => {
    if (!bytes) return null;
    const set = new posix.FdSet();
    set.bytes.set(bytes);
    return set;
  });
  const value = answer(() => call(lent[0] ?? null, lent[1] ?? null, lent[2] ?? null));
  for (const [i, bytes] of sets.entries()) bytes?.set(lent[i]?.bytes as Uint8Array);
  return value;
}

const longerThanFdSet = (sets: Sets) => sets.some((bytes) => bytes && bytes.length > new posix.FdSet().bytes.length);

/** The checked floor. What its types cannot say (a null event, a size for getsockname) is said to the raw one. */
export const checkedFloor: Floor = {
  calls: {
    ...raw,
    socket: (...given) => answer(() => posix.socket(...given)),
    socketpair: (...given) => done(() => raw.out.set(posix.socketpair(...given))),
    bind: (fd, to) => done(() => posix.bind(fd, address(to as Uint8Array))),
    listen: (...given) => done(() => posix.listen(...given)),
    connect: (fd, to) => done(() => posix.connect(fd, address(to as Uint8Array))),
    shutdown: (...given) => done(() => posix.shutdown(...given)),
    accept4(fd, bytes, flags) {
      const peer = room(bytes as Uint8Array | null);
      return answer(() => {
        const connection = posix.accept4(fd, peer, flags);
        leave(peer, bytes as Uint8Array | null);
        return connection;
      });
    },
    getsockname: (fd, bytes) => name('getsockname', fd, bytes as Uint8Array),
    getpeername: (fd, bytes) => name('getpeername', fd, bytes as Uint8Array),

    read: (...given) => answer(() => posix.read(...given)),
    write: (...given) => answer(() => posix.write(...given)),
    readv: (fd, buffers) => answer(() => posix.readv(fd, buffers as Uint8Array[])),
    writev: (fd, buffers) => answer(() => posix.writev(fd, buffers as Uint8Array[])),
    send: (...given) => answer(() => posix.send(...given)),
    recv: (...given) => answer(() => posix.recv(...given)),
    sendto: (fd, bytes, flags, to) => answer(() => posix.sendto(fd, bytes, flags, to && address(to as Uint8Array))),
    recvfrom(fd, bytes, flags, place) {
      const from = room(place as Uint8Array | null);
      return answer(() => {
        const received = posix.recvfrom(fd, bytes, flags, from);
        leave(from, place as Uint8Array | null);
        return received;
      });
    },

    sendmsg: (fd, iov, to, control, flags) =>
      answer(() => {
        const message = { name: to && address(to as Uint8Array), iov, control: control as Uint8Array | null };
        return posix.sendmsg(fd, new posix.MsgHdr(message), flags);
      }),
    recvmsg(fd, iov, place, control, flags) {
      const from = room(place as Uint8Array | null);
      const message = new posix.MsgHdr({ name: from, iov, control: control as Uint8Array | null });
      return answer(() => {
        const received = posix.recvmsg(fd, message, flags);
        leave(from, place as Uint8Array | null);
        raw.out.set([from?.length ?? 0, message.control?.length ?? 0, message.flags]);
        return received;
      });
    },

    sendmmsg: (
      fd,
      payloads: Uint8Array,
      names: Uint8Array,
      controls: Uint8Array,
      table: Int32Array,
      first,
      count,
      flags,
    ) => batched(payloads, names, controls, table, (batch) => posix.sendmmsg(fd, batch, count, flags, first)),
    recvmmsg: (
      fd,
      payloads: Uint8Array,
      names: Uint8Array,
      controls: Uint8Array,
      table: Int32Array,
      first,
      count,
      flags,
      timeout,
    ) =>
      batched(payloads, names, controls, table, (batch) =>
        posix.recvmmsg(fd, batch, count, flags, timespec(timeout as Uint8Array | null), first),
      ),

    getsockopt: (fd, level, option, value) =>
      done(() => {
        raw.out[0] = posix.getsockopt(fd, level, option, value);
      }),
    setsockopt: (...given) => done(() => posix.setsockopt(...given)),

    close: (...given) => done(() => posix.close(...given)),
    dup: (...given) => answer(() => posix.dup(...given)),
    dup2: (...given) => answer(() => posix.dup2(...given)),
    dup3: (...given) => answer(() => posix.dup3(...given)),
    pipe2: (...given) => done(() => raw.out.set(posix.pipe2(...given))),
    fcntl: (...given) => answer(() => posix.fcntl(...given)),
    ioctl: (fd, request, arg) =>
      arg === null ? raw.ioctl(fd, request, arg) : answer(() => posix.ioctl(fd, request, arg)),
    sockatmark: (...given) => answer(() => posix.sockatmark(...given)),
    eventfd: (...given) => answer(() => posix.eventfd(...given)),
    timerfd_create: (...given) => answer(() => posix.timerfd_create(...given)),
    timerfd_settime: (fd, flags, next, old) =>
      done(() => {
        const before = posix.timerfd_settime(fd, flags, new posix.itimerspec(next as Uint8Array));
        (old as Uint8Array | null)?.set(before.bytes);
      }),
    timerfd_gettime: (fd, value) => done(() => (value as Uint8Array).set(posix.timerfd_gettime(fd).bytes)),
    signalfd: (fd, mask, flags) => answer(() => posix.signalfd(fd, signals(mask as Uint8Array) as posix.SigSet, flags)),
    pthread_sigmask: (how, set) => done(() => posix.pthread_sigmask(how, signals(set as Uint8Array | null))),

    select(nfds, ...rest) {
      const [readfds, writefds, exceptfds, timeout] = rest as [...Sets, Uint8Array | null];
      const sets: Sets = [readfds, writefds, exceptfds];
      if (longerThanFdSet(sets)) return raw.select(nfds, ...rest);
      return selected(sets, (...lent) => posix.select(nfds, ...lent, timeval(timeout)));
    },
    pselect(nfds, ...rest) {
      const [readfds, writefds, exceptfds, timeout, mask] = rest as [...Sets, Uint8Array | null, Uint8Array | null];
      const sets: Sets = [readfds, writefds, exceptfds];
      if (longerThanFdSet(sets)) return raw.pselect(nfds, ...rest);
      return selected(sets, (...lent) => posix.pselect(nfds, ...lent, timespec(timeout), signals(mask)));
    },
    poll: (bytes, timeout) => polled(bytes as Uint8Array, (fds) => posix.poll(fds, timeout)),
    ppoll: (bytes, timeout, mask) =>
      polled(bytes as Uint8Array, (fds) =>
        posix.ppoll(fds, timespec(timeout as Uint8Array | null), signals(mask as Uint8Array | null)),
      ),
    epoll_create: (...given) => answer(() => posix.epoll_create(...given)),
    epoll_create1: (...given) => answer(() => posix.epoll_create1(...given)),
    epoll_ctl(epfd, op, fd, bytes) {
      if (!bytes) return raw.epoll_ctl(epfd, op, fd, bytes);
      return epolled(bytes as Uint8Array, (event) => {
        posix.epoll_ctl(epfd, op, fd, event.events(0), event.data(0));
        return 0;
      });
    },
    epoll_wait(epfd, bytes, timeout) {
      if (!fitsEpollEvents(bytes)) return raw.epoll_wait(epfd, bytes, timeout);
      return epolled(bytes as Uint8Array, (events) => posix.epoll_wait(epfd, events, timeout));
    },
    epoll_pwait(epfd, bytes, timeout, mask) {
      if (!fitsEpollEvents(bytes)) return raw.epoll_pwait(epfd, bytes, timeout, mask);
      return epolled(bytes as Uint8Array, (events) =>
        posix.epoll_pwait(epfd, events, timeout, signals(mask as Uint8Array | null)),
      );
    },

    inet_pton(af, text, into) {
      try {
        return answer(() => {
          into.set(posix.inet_pton(af, Buffer.from(text).toString()));
          return 1;
        });
      } catch (error) {
        if (error instanceof TypeError) return 0; // the text is no address
        throw error;
      }
    },
    inet_ntop: (af, bytes, text) =>
      answer(() => {
        const { written } = new TextEncoder().encodeInto(posix.inet_ntop(af, bytes), text);
        return written;
      }),
    if_nametoindex: (bytes) => answer(() => posix.if_nametoindex(Buffer.from(bytes).toString())),
    if_indextoname: (index, text) =>
      answer(() => new TextEncoder().encodeInto(posix.if_indextoname(index), text).written),
  },

  getaddrinfo: (node, service, hints) =>
    gaiAnswer<Found>(
      () => ({
        value: 0,
        list: posix.getaddrinfo(node, service, hints).map(({ family, socktype, protocol, address: { bytes } }) => ({
          family,
          socktype,
          protocol,
          address: bytes,
        })),
      }),
      (value) => ({ value, list: [] }),
    ),

  getnameinfo: (bytes, flags) =>
    gaiAnswer(
      () => ({ value: 0, ...posix.getnameinfo(address(bytes), flags) }),
      (value) => ({ value, host: '', service: '' }),
    ),
};
