// The structs that calls take besides addresses and messages: times, signal sets, what to wait for.
import {
  EpollEvents,
  FdSet,
  io_uring_params,
  itimerspec,
  PollFds,
  SigSet,
  type Struct,
  timespec,
  timeval,
} from '../../index.js';
import { epollEvents, pollEvents, ringFeatures, ringSetupFlags, signalNames } from './families.js';
import { list, named, number, type Shown, struct } from './notation.js';

const pollfdSize = new PollFds(1).bytes.length;
const epollEventSize = new EpollEvents(1).bytes.length;

/** `{tv_sec=1, tv_nsec=0}` */
export function showTimespec(bytes: Uint8Array): Shown {
  const { tv_sec, tv_nsec } = new timespec(bytes);
  return struct({ tv_sec: number(tv_sec), tv_nsec: number(tv_nsec) });
}

/** `{tv_sec=1, tv_usec=0}` */
export function showTimeval(bytes: Uint8Array): Shown {
  const { tv_sec, tv_usec } = new timeval(bytes);
  return struct({ tv_sec: number(tv_sec), tv_usec: number(tv_usec) });
}

/** `{it_interval={...}, it_value={...}}` */
export function showItimerspec(bytes: Uint8Array): Shown {
  const { it_interval, it_value } = new itimerspec(bytes);
  return struct({ it_interval: showTimespec(it_interval.bytes), it_value: showTimespec(it_value.bytes) });
}

/** A signal: SIGUSR1, SIGRT_2. */
export function signal(value: number): Shown {
  const name = signalNames.nameOf(value);
  if (name !== undefined) return named(name);
  return value >= 32 && value <= 64 ? named(`SIGRT_${value - 32}`) : number(value);
}

/** `[USR1 INT]`; of most signals those that are not in it: `~[KILL STOP]` */
export function showSigset(bytes: Uint8Array): Shown {
  const set = new SigSet();
  set.bytes.set(bytes.subarray(0, 8));
  const inside = [...set];
  const all = Array.from({ length: 64 }, (_, i) => i + 1);
  const inverted = inside.length >= Math.floor((64 * 2) / 3);
  const shown = inverted ? all.filter((one) => !set.has(one)) : inside;
  const names = shown.map((one) => named(signal(one).text.replace(/^SIG/, '')));
  return {
    text: `${inverted ? '~' : ''}${list(names, undefined, ' ').text}`,
    json: inside.map((one) => signal(one).text),
  };
}

/** The descriptors of a set, below nfds. */
export function fdsOf(bytes: Uint8Array, nfds: number): number[] {
  const set = new FdSet();
  set.bytes.set(bytes.subarray(0, set.bytes.length));
  return [...set].filter((fd) => fd < nfds);
}

/** `[3 4 5]` */
export function showFdset(bytes: Uint8Array, nfds: number): Shown {
  return list(fdsOf(bytes, nfds).map(number), undefined, ' ');
}

function pollfds(bytes: Uint8Array): PollFds {
  const fds = new PollFds(Math.floor(bytes.length / pollfdSize));
  fds.bytes.set(bytes.subarray(0, fds.bytes.length));
  return fds;
}

/** `[{fd=3, events=POLLIN}]` */
export function showPollfds(bytes: Uint8Array, limit: number): Shown {
  const fds = pollfds(bytes);
  return list(
    Array.from({ length: fds.length }, (_, i) =>
      struct({
        fd: number(fds.fd(i)),
        events: fds.fd(i) < 0 ? undefined : pollEvents.flags(fds.events(i) & 0xffff),
      }),
    ),
    limit,
  );
}

/** `[{fd=3, revents=POLLIN}]`: those that are ready. */
export function showReadyPollfds(bytes: Uint8Array, limit: number): Shown {
  const fds = pollfds(bytes);
  const ready = Array.from({ length: fds.length }, (_, i) => i).filter((i) => fds.revents(i) !== 0);
  return list(
    ready.map((i) => struct({ fd: number(fds.fd(i)), revents: pollEvents.flags(fds.revents(i) & 0xffff) })),
    limit,
  );
}

/** How many entries a poll set has. */
export function pollfdCount(bytes: Uint8Array): number {
  return Math.floor(bytes.length / pollfdSize);
}

/** How many events an array has room for. */
export function epollEventCount(bytes: Uint8Array): number {
  return Math.floor(bytes.length / epollEventSize);
}

/** `[{events=EPOLLIN, data={u32=5, u64=5}}]`: the first `count` of them. */
export function showEpollEvents(bytes: Uint8Array, count: number, limit: number): Shown {
  const events = new EpollEvents(Math.max(1, count));
  events.bytes.set(bytes.subarray(0, count * epollEventSize));
  return list(
    Array.from({ length: count }, (_, i) =>
      struct({
        events: epollEvents.flags(events.events(i)),
        data: struct({ u32: number(events.fd(i) >>> 0), u64: number(events.data(i)) }),
      }),
    ),
    limit,
  );
}

/** `{events=EPOLLIN, data={u32=5, u64=5}}` */
export function showEpollEvent(bytes: Uint8Array): Shown {
  const { text, json } = showEpollEvents(bytes, 1, 1);
  return { text: text.slice(1, -1), json: (json as readonly [Shown['json']])[0] };
}

const numbers = (fields: Struct) =>
  struct(Object.fromEntries(Object.entries(fields.toJSON()).map(([name, value]) => [name, number(value as number)])));

/** `{flags=0, sq_thread_cpu=0, sq_thread_idle=0, sq_entries=8, ...}`: what the kernel fills in, once it has. */
export function showRingParams(bytes: Uint8Array, made: boolean): Shown {
  const { flags, features, sq_off, cq_off, ...rest } = new io_uring_params(
    bytes,
  ).toJSON() as unknown as io_uring_params;
  return struct({
    flags: ringSetupFlags.flags(flags),
    sq_thread_cpu: number(rest.sq_thread_cpu),
    sq_thread_idle: number(rest.sq_thread_idle),
    ...(made && {
      sq_entries: number(rest.sq_entries),
      cq_entries: number(rest.cq_entries),
      features: ringFeatures.flags(features),
      sq_off: numbers(sq_off),
      cq_off: numbers(cq_off),
    }),
  });
}
