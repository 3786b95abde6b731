// The calls of hot loops, by a short way. To read an integer argument, and to make an integer answer, takes a Node-API
// call each. These leave their integers in `passed` instead, in the order of the arguments, where the native half
// (HotCall in native/call.h) reads them and puts its answer.
import type { Raw } from './native.js';

type HotName =
  | 'accept4'
  | 'close'
  | 'epoll_wait'
  | 'fcntl'
  | 'read'
  | 'recv'
  | 'recvfrom'
  | 'send'
  | 'sendto'
  | 'write';

/** The native halves: they take what is not an integer. */
export type HotCalls = Record<HotName, (bytes?: unknown, address?: unknown) => undefined>;

const isInt = (value: unknown): value is number => typeof value === 'number' && value === (value | 0);

/**
 * @param whole the same calls by the long way, on which they can be watched, and refuse what is no int
 * @param watch not 0 while calls are watched
 */
export function hotCalls(whole: Raw, native: HotCalls, passed: Int32Array, watch: Int32Array): Pick<Raw, HotName> {
  const { accept4, close, epoll_wait, fcntl, read, recv, recvfrom, send, sendto, write } = native;
  const pass = (first: unknown, second: unknown, third: unknown): boolean => {
    if (!isInt(first) || !isInt(second) || !isInt(third) || watch[0] !== 0) return false;
    passed[0] = first;
    passed[1] = second;
    passed[2] = third;
    return true;
  };
  // Its argument is the call itself, which is made first and leaves its answer in `passed`.
  const answer = (_made: undefined) => passed[0] as number;
  return {
    accept4: (fd, peer, flags) => (pass(fd, flags, 0) ? answer(accept4(peer)) : whole.accept4(fd, peer, flags)),
    close: (fd) => (pass(fd, 0, 0) ? answer(close()) : whole.close(fd)),
    epoll_wait: (epfd, events, timeout) =>
      pass(epfd, timeout, 0) ? answer(epoll_wait(events)) : whole.epoll_wait(epfd, events, timeout),
    fcntl: (fd, cmd, arg) => (pass(fd, cmd, arg) ? answer(fcntl()) : whole.fcntl(fd, cmd, arg)),
    read: (fd, bytes) => (pass(fd, 0, 0) ? answer(read(bytes)) : whole.read(fd, bytes)),
    recv: (fd, bytes, flags) => (pass(fd, flags, 0) ? answer(recv(bytes)) : whole.recv(fd, bytes, flags)),
    recvfrom: (fd, bytes, flags, from) =>
      pass(fd, flags, 0) ? answer(recvfrom(bytes, from)) : whole.recvfrom(fd, bytes, flags, from),
    send: (fd, bytes, flags) => (pass(fd, flags, 0) ? answer(send(bytes)) : whole.send(fd, bytes, flags)),
    sendto: (fd, bytes, flags, address) =>
      pass(fd, flags, 0) ? answer(sendto(bytes, address)) : whole.sendto(fd, bytes, flags, address),
    write: (fd, bytes) => (pass(fd, 0, 0) ? answer(write(bytes)) : whole.write(fd, bytes)),
  };
}
