// What one wait costs on the raw floor: bench/c/waits.c in JavaScript.
import {
  AF_UNIX,
  close,
  EPOLL_CLOEXEC,
  EPOLL_CTL_ADD,
  EPOLLIN,
  EpollEvents,
  epoll_create1,
  epoll_ctl,
  FdSet,
  POLLIN,
  PollFds,
  raw,
  SOCK_STREAM,
  send,
  socketpair,
} from 'posix-sockets';
import { type PreparedJob, stopwatch } from '../harness/stopwatch.js';

/** One socket with a byte waiting, then the idle ones. */
let watched: number[] = [];
let epfd = -1;
let pollfds = new PollFds(1);
const readyEvents = new EpollEvents(64);

function prepare(idle: number): void {
  if (watched.length === idle + 1) return;
  for (const fd of watched) close(fd);
  if (epfd >= 0) close(epfd);
  const [readable, writer] = socketpair(AF_UNIX, SOCK_STREAM);
  send(writer, Uint8Array.of(120));
  watched = [readable];
  while (watched.length <= idle) watched.push(...socketpair(AF_UNIX, SOCK_STREAM));
  pollfds = new PollFds(watched.length);
  epfd = epoll_create1(EPOLL_CLOEXEC);
  for (const [i, fd] of watched.entries()) {
    pollfds.set(i, fd, POLLIN);
    epoll_ctl(epfd, EPOLL_CTL_ADD, fd, EPOLLIN);
  }
}

function expectOne(ready: number): void {
  if (ready !== 1) throw new Error(`${ready} descriptors are ready, not one`);
}

const jobs: Record<'select' | 'poll' | 'epoll', PreparedJob> = {
  // select overwrites its sets, so each wait begins with a copy, as every program that uses it must.
  select: {
    prepare,
    run(count) {
      const all = new FdSet(watched);
      const readable = new FdSet();
      const nfds = Math.max(...watched) + 1;
      for (let i = 0; i < count; i++) {
        readable.bytes.set(all.bytes);
        expectOne(raw.select(nfds, readable.bytes, null, null, null));
      }
    },
  },
  poll: {
    prepare,
    run(count) {
      for (let i = 0; i < count; i++) expectOne(raw.poll(pollfds.bytes, -1));
    },
  },
  epoll: {
    prepare,
    run(count) {
      for (let i = 0; i < count; i++) expectOne(raw.epoll_wait(epfd, readyEvents.bytes, -1));
    },
  },
};

await stopwatch(jobs);
