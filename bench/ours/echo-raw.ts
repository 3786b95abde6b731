// A TCP echo server of direct calls in its own loop: bench/c/echo-server.c in JavaScript.
import {
  AF_INET,
  bind,
  EAGAIN,
  ECONNABORTED,
  EINTR,
  EPOLL_CLOEXEC,
  EPOLL_CTL_ADD,
  EPOLL_CTL_MOD,
  EPOLLIN,
  EPOLLOUT,
  EpollEvents,
  epoll_create1,
  epoll_ctl,
  errnoName,
  getsockname,
  IPPROTO_TCP,
  listen,
  raw,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOMAXCONN,
  setsockopt,
  sockaddr_in,
  socket,
  TCP_NODELAY,
} from 'posix-sockets';
import { announce, collectGarbage } from '../harness/server.js';

const STDIN = 0;
const chunk = new Uint8Array(65_536);
/** The part of the chunk that was filled last: messages tend to be of one length, and a view costs an allocation. */
let filled = chunk;
const events = new EpollEvents(512);
/** What a peer has not taken yet. While there is any, nothing more is read from it. */
const unsent = new Map<number, Uint8Array>();

const epfd = epoll_create1(EPOLL_CLOEXEC);
const listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC);
bind(listener, sockaddr_in('127.0.0.1', 0));
listen(listener, SOMAXCONN);
epoll_ctl(epfd, EPOLL_CTL_ADD, listener, EPOLLIN);
epoll_ctl(epfd, EPOLL_CTL_ADD, STDIN, EPOLLIN);
announce(getsockname(listener).port ?? 0);

function welcome(): void {
  for (;;) {
    const fd = raw.accept4(listener, null, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd === -EAGAIN) return;
    if (fd === -ECONNABORTED) continue;
    if (fd < 0) throw new Error(`accept4: ${errnoName(-fd)}`);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    epoll_ctl(epfd, EPOLL_CTL_ADD, fd, EPOLLIN);
  }
}

function hangUp(fd: number): void {
  unsent.delete(fd);
  raw.close(fd);
}

function echo(fd: number): void {
  const length = raw.recv(fd, chunk, 0);
  if (length > 0) answer(fd, length);
  else if (length !== -EAGAIN) hangUp(fd);
}

function answer(fd: number, length: number): void {
  if (filled.length !== length) filled = chunk.subarray(0, length);
  const sent = raw.send(fd, filled, 0);
  if (sent === length) return;
  if (sent < 0 && sent !== -EAGAIN) {
    hangUp(fd);
  } else {
    unsent.set(fd, filled.slice(Math.max(sent, 0)));
    epoll_ctl(epfd, EPOLL_CTL_MOD, fd, EPOLLOUT);
  }
}

function flush(fd: number, rest: Uint8Array): void {
  const sent = raw.send(fd, rest, 0);
  if (sent === rest.length) {
    unsent.delete(fd);
    epoll_ctl(epfd, EPOLL_CTL_MOD, fd, EPOLLIN);
  } else if (sent >= 0) {
    unsent.set(fd, rest.subarray(sent));
  } else if (sent !== -EAGAIN) {
    hangUp(fd);
  }
}

/** A line on standard input asks for a collection; its end means that the bench is over. */
function obey(): void {
  if (raw.read(STDIN, chunk) <= 0) process.exit();
  collectGarbage();
}

for (;;) {
  const ready = raw.epoll_wait(epfd, events.bytes, -1);
  if (ready < 0 && ready !== -EINTR) throw new Error(`epoll_wait: ${errnoName(-ready)}`);
  for (let i = 0; i < ready; i++) {
    const fd = events.fd(i);
    const rest = unsent.get(fd);
    if (fd === listener) welcome();
    else if (fd === STDIN) obey();
    else if (rest) flush(fd, rest);
    else echo(fd);
  }
}
