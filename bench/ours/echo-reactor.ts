// A TCP echo server on the reactor: one handler for all connections.
import {
  AF_INET,
  bind,
  EAGAIN,
  ECONNABORTED,
  EPOLLIN,
  EPOLLOUT,
  errnoName,
  getsockname,
  IPPROTO_TCP,
  listen,
  Reactor,
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
import { announce, collectOnRequest } from '../harness/server.js';

const chunk = new Uint8Array(65_536);
/** The part of the chunk that was filled last: messages tend to be of one length, and a view costs an allocation. */
let filled = chunk;
/** What a peer has not taken yet. While there is any, nothing more is read from it. */
const unsent = new Map<number, Uint8Array>();
const reactor = Reactor.default;

const listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC);
bind(listener, sockaddr_in('127.0.0.1', 0));
listen(listener, SOMAXCONN);
reactor.add(listener, EPOLLIN, welcome);
announce(getsockname(listener).port ?? 0);
collectOnRequest();

function welcome(): void {
  for (;;) {
    const fd = raw.accept4(listener, null, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd === -EAGAIN) return;
    if (fd === -ECONNABORTED) continue;
    if (fd < 0) throw new Error(`accept4: ${errnoName(-fd)}`);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    reactor.add(fd, EPOLLIN, serve);
  }
}

function serve(events: number, fd: number): void {
  if (events & EPOLLOUT) flush(fd);
  else echo(fd);
}

function hangUp(fd: number): void {
  unsent.delete(fd);
  reactor.remove(fd);
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
    reactor.modify(fd, EPOLLOUT);
  }
}

function flush(fd: number): void {
  const rest = unsent.get(fd) ?? new Uint8Array();
  const sent = raw.send(fd, rest, 0);
  if (sent === rest.length) {
    unsent.delete(fd);
    reactor.modify(fd, EPOLLIN);
  } else if (sent >= 0) {
    unsent.set(fd, rest.subarray(sent));
  } else if (sent !== -EAGAIN) {
    hangUp(fd);
  }
}
