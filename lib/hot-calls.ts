// The calls of hot loops, by a short way. To read an integer argument, and to make an integer answer, takes a Node-API
// call each. These leave their integers in `passed` instead, in the order of the arguments, where the native half
// (HotCall in native/call.h) reads them and puts its answer.
import type { Raw } from './native.js';

type HotName = 'read' | 'write' | 'send' | 'recv' | 'sendto' | 'recvfrom' | 'epoll_wait';

/** The native halves: they take the bytes alone. */
export type HotCalls = Record<HotName, (bytes: unknown, address?: unknown) => undefined>;

const isInt = (value: unknown) => typeof value === 'number' && value === (value | 0);

/**
 * @param whole the same calls by the long way, on which they can be watched, and refuse what is no int
 * @param watch not 0 while calls are watched
 */
export function hotCalls(whole: Raw, native: HotCalls, passed: Int32Array, watch: Int32Array): Pick<Raw, HotName> {
  const { read, write, send, recv, sendto, recvfrom, epoll_wait } = native;
  const pass = (first: number, second: number): boolean => {
    if (!isInt(first) || !isInt(second) || watch[0] !== 0) return false;
    passed[0] = first;
    passed[1] = second;
    return true;
  };
  const answer = (_made: undefined) => passed[0] as number;
  return {
    read: (fd, bytes) => (pass(fd, 0) ? answer(read(bytes)) : whole.read(fd, bytes)),
    write: (fd, bytes) => (pass(fd, 0) ? answer(write(bytes)) : whole.write(fd, bytes)),
    send: (fd, bytes, flags) => (pass(fd, flags) ? answer(send(bytes)) : whole.send(fd, bytes, flags)),
    recv: (fd, bytes, flags) => (pass(fd, flags) ? answer(recv(bytes)) : whole.recv(fd, bytes, flags)),
    sendto: (fd, bytes, flags, address) =>
      pass(fd, flags) ? answer(sendto(bytes, address)) : whole.sendto(fd, bytes, flags, address),
    recvfrom: (fd, bytes, flags, from) =>
      pass(fd, flags) ? answer(recvfrom(bytes, from)) : whole.recvfrom(fd, bytes, flags, from),
    epoll_wait: (epfd, events, timeout) =>
      pass(epfd, timeout) ? answer(epoll_wait(events)) : whole.epoll_wait(epfd, events, timeout),
  };
}
