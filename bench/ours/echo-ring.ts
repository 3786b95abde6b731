// A TCP echo server on an io_uring: every operation of every connection goes through one call.
import {
  AF_INET,
  bind,
  getsockname,
  IORING_ACCEPT_MULTISHOT,
  IORING_OP_ACCEPT,
  IORING_OP_CLOSE,
  IORING_OP_READ,
  IORING_OP_RECV,
  IORING_OP_SEND,
  IORING_SETUP_CQSIZE,
  IORING_SETUP_DEFER_TASKRUN,
  IORING_SETUP_SINGLE_ISSUER,
  IORING_SETUP_SUBMIT_ALL,
  IPPROTO_TCP,
  io_uring_params,
  listen,
  MSG_WAITALL,
  Ring,
  SOCK_CLOEXEC,
  SOCK_STREAM,
  SOMAXCONN,
  setsockopt,
  sockaddr_in,
  socket,
  TCP_NODELAY,
} from 'posix-sockets';
import { announce, collectGarbage } from '../harness/server.js';

const STDIN = 0;
// What an operation's user_data says: the descriptor, and what was done with it.
const ACCEPT = 0;
const RECV = 1;
const SEND = 2;
const CLOSE = 3;
const OBEY = 4;
const kinds = 8;

// Each connection has a stretch of the ring's memory.
const stretch = 16_384;
const mostConnections = 1024;
const flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_SUBMIT_ALL | IORING_SETUP_CQSIZE;
// Of as many entries as one submit brings completions, of which each asks for one more operation at most.
const most = 8192;
const ring = new Ring(most, mostConnections * stretch, new io_uring_params({ flags, cq_entries: most }));
const at = (fd: number) => (fd % mostConnections) * stretch;

const listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC);
bind(listener, sockaddr_in('127.0.0.1', 0));
listen(listener, SOMAXCONN);

const accept = () =>
  ring.prepare({
    opcode: IORING_OP_ACCEPT,
    fd: listener,
    ioprio: IORING_ACCEPT_MULTISHOT,
    op_flags: SOCK_CLOEXEC,
    user_data: ACCEPT,
  });
const obey = () => ring.prepare({ opcode: IORING_OP_READ, fd: STDIN, addr: at(STDIN), len: 1, user_data: OBEY });
const receive = (fd: number) =>
  ring.prepare({ opcode: IORING_OP_RECV, fd, addr: at(fd), len: stretch, user_data: fd * kinds + RECV });
const send = (fd: number, len: number) =>
  ring.prepare({ opcode: IORING_OP_SEND, fd, addr: at(fd), len, op_flags: MSG_WAITALL, user_data: fd * kinds + SEND });
const close = (fd: number) => ring.prepare({ opcode: IORING_OP_CLOSE, fd, user_data: fd * kinds + CLOSE });

accept();
obey();
ring.submit();
announce(getsockname(listener).port ?? 0);

for (;;) {
  for (let i = 0, count = ring.submit(1); i < count; i++) {
    const data = ring.user_data(i);
    const res = ring.res(i);
    const fd = Math.floor(data / kinds);
    switch (data % kinds) {
      case ACCEPT:
        if (res < 0) accept();
        else {
          setsockopt(res, IPPROTO_TCP, TCP_NODELAY, 1);
          receive(res);
        }
        break;
      case RECV:
        if (res > 0) send(fd, res);
        else close(fd);
        break;
      case SEND:
        if (res > 0) receive(fd);
        else close(fd);
        break;
      case OBEY:
        if (res <= 0) process.exit();
        collectGarbage();
        obey();
    }
  }
}
