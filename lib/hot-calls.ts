// The calls of hot loops, by a short way. To read an integer argument, and to make an integer answer, takes a Node-API
// call each. These leave their integers in `passed` instead, in the order of the arguments, where the native half
// (HotCall in native/call.h) reads them and puts its answer.
import type { Raw } from './native.js';

type HotName = 'read' | 'write' | 'send' | 'recv' | 'sendto' | 'recvfrom' | 'epoll_wait';

/** The native halves: they take the bytes alone. */
export type HotCalls = Record<HotName, (bytes: unknown, more?: unknown) => void>;

// Anything else takes the long way, which refuses it or not.
const isInt = (value: unknown) => typeof value === 'number' && value === (value | 0);

/**
 * @param whole the same calls by the long way, on which they can be watched
 * @param watch not 0 while calls are watched
 */
export function hotCalls(whole: Raw, native: HotCalls, passed: Int32Array, watch: Int32Array): Pick<Raw, HotName> {
  const { read, write, send, recv, sendto, recvfrom, epoll_wait } = native;
  const answer = () => passed[0] as number;
  return {
    read(fd, bytes) {
      if (!isInt(fd) || watch[0] !== 0) return whole.read(fd, bytes);
      passed[0] = fd;
      read(bytes);
      return answer();
    },
    write(fd, bytes) {
      if (!isInt(fd) || watch[0] !== 0) return whole.write(fd, bytes);
      passed[0] = fd;
      write(bytes);
      return answer();
    },
    send(fd, bytes, flags) {
      if (!isInt(fd) || !isInt(flags) || watch[0] !== 0) return whole.send(fd, bytes, flags);
      passed[0] = fd;
      passed[1] = flags;
      send(bytes);
      return answer();
    },
    recv(fd, bytes, flags) {
      if (!isInt(fd) || !isInt(flags) || watch[0] !== 0) return whole.recv(fd, bytes, flags);
      passed[0] = fd;
      passed[1] = flags;
      recv(bytes);
      return answer();
    },
    sendto(fd, bytes, flags, address) {
      if (!isInt(fd) || !isInt(flags) || watch[0] !== 0) return whole.sendto(fd, bytes, flags, address);
      passed[0] = fd;
      passed[1] = flags;
      sendto(bytes, address);
      return answer();
    },
    recvfrom(fd, bytes, flags, from) {
      if (!isInt(fd) || !isInt(flags) || watch[0] !== 0) return whole.recvfrom(fd, bytes, flags, from);
      passed[0] = fd;
      passed[1] = flags;
      recvfrom(bytes, from);
      return answer();
    },
    epoll_wait(epfd, events, timeout) {
      if (!isInt(epfd) || !isInt(timeout) || watch[0] !== 0) return whole.epoll_wait(epfd, events, timeout);
      passed[0] = epfd;
      passed[1] = timeout;
      epoll_wait(events);
      return answer();
    },
  };
}
