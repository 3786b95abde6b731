// What a tracer shows of a ring's queues, which strace cannot see.
import {
  AF_UNIX,
  close,
  EINVAL,
  IORING_OP_CONNECT,
  IORING_OP_NOP,
  IORING_OP_POLL_ADD,
  IORING_OP_RECV,
  IORING_OP_SEND,
  IORING_OP_SHUTDOWN,
  IORING_OP_SPLICE,
  IOSQE_IO_LINK,
  io_uring_cqe,
  io_uring_params,
  io_uring_sqe,
  MSG_DONTWAIT,
  POLLIN,
  pipe2,
  Ring,
  raw,
  SHUT_WR,
  SOCK_DGRAM,
  SOCK_STREAM,
  sockaddr_un,
  socket,
  socketpair,
} from 'posix-sockets';
import { afterEach, describe, expect, test } from 'vitest';
import { traced } from './trace-support.js';

const haveRings = raw.io_uring_setup(0, new io_uring_params().bytes) === -EINVAL;

const open: number[] = [];
afterEach(() => {
  for (const fd of open.splice(0)) raw.close(fd);
});
const opened = <T extends number[]>(fds: T): T => {
  open.push(...fds);
  return fds;
};

test('the entries of both queues have the sizes that the kernel says', () => {
  expect([io_uring_sqe.size, io_uring_cqe.size]).toEqual([64, 16]); // io_uring_setup(2): IORING_SETUP_SQE128, _CQE32
});

describe.skipIf(!haveRings)('io_uring_enter (skipped where it is forbidden)', () => {
  test('shows what was submitted and what came, of a ring that was there before', () => {
    using ring = new Ring(4, 4096);
    const [one, other] = opened(socketpair(AF_UNIX, SOCK_STREAM));
    const [reader, writer] = opened(pipe2());
    ring.memory.set(Buffer.from('hello'), 100);
    const events = traced(() => {
      ring.prepare({ opcode: IORING_OP_SEND, fd: one, addr: 100, len: 5, op_flags: MSG_DONTWAIT, user_data: 7 });
      ring.submit(1);
      ring.prepare({ opcode: IORING_OP_RECV, fd: other, addr: 200, len: 64, flags: IOSQE_IO_LINK });
      ring.prepare({ opcode: IORING_OP_SHUTDOWN, fd: one, len: SHUT_WR, user_data: 2 ** 53 - 1 });
      ring.submit(2);
      ring.prepare({ opcode: IORING_OP_POLL_ADD, fd: reader, op_flags: POLLIN });
      ring.submit();
      raw.write(writer, new Uint8Array(3));
      ring.submit(1);
      ring.prepare({ opcode: IORING_OP_NOP });
      ring.submit(1);
      ring.submit();
    });
    const enter = (...counts: number[]) =>
      `io_uring_enter(${ring.fd}, ${counts.join(', ')}, IORING_ENTER_GETEVENTS, NULL, 8)`;
    expect(events.filter(({ call }) => call !== 'write').map(String)).toEqual([
      `${enter(1, 1)} = 1 (sqes=[{opcode=IORING_OP_SEND, fd=${one}, addr="hello", len=5, msg_flags=MSG_DONTWAIT, ` +
        'user_data=7}], cqes=[{user_data=7, res=5}])',
      `${enter(2, 2)} = 2 (sqes=[{opcode=IORING_OP_RECV, flags=IOSQE_IO_LINK, fd=${other}, addr=200, len=64}, ` +
        `{opcode=IORING_OP_SHUTDOWN, fd=${one}, len=SHUT_WR, user_data=9007199254740991}], ` +
        'cqes=[{res=5}, {user_data=9007199254740991, res=0}])',
      `${enter(1, 0)} = 1 (sqes=[{opcode=IORING_OP_POLL_ADD, fd=${reader}, poll32_events=POLLIN}])`,
      `${enter(0, 1)} = 0 (cqes=[{res=1}])`,
      `${enter(1, 1)} = 1 (sqes=[{opcode=IORING_OP_NOP, fd=0}], cqes=[{res=0}])`,
      `${enter(0, 0)} = 0`,
    ]);
    expect(events[0]?.toJSON().answer).toEqual({
      sqes: [{ opcode: 'IORING_OP_SEND', fd: one, addr: 'hello', len: 5, msg_flags: 'MSG_DONTWAIT', user_data: 7 }],
      cqes: [{ user_data: 7, res: 5 }],
    });
  });

  test('addresses, and errors by their names', () => {
    using ring = new Ring(4, 4096);
    const [fd] = opened([socket(AF_UNIX, SOCK_DGRAM)]) as [number];
    const { bytes } = sockaddr_un('\0nobody-has-this-name');
    ring.memory.set(bytes, 0);
    const [connecting, sending] = traced(() => {
      ring.prepare({ opcode: IORING_OP_CONNECT, fd, addr: 0, off: bytes.length });
      ring.submit(1);
      ring.prepare({ opcode: IORING_OP_SEND, fd, addr: 512, len: 1, off: 0, file_index: bytes.length });
      ring.submit(1);
    });
    const address = '{sa_family=AF_UNIX, sun_path=@"nobody-has-this-name"}';
    expect(String(connecting)).toContain(`fd=${fd}, off=${bytes.length}, addr=${address}}`);
    expect(String(connecting)).toMatch(/cqes=\[\{res=-ECONNREFUSED\}\]\)$/);
    expect(String(sending)).toContain(`addr2=${address}, addr_len=${bytes.length}, addr="\\0", len=1}`);
  });

  test('the files of its operations are looked at, too', () => {
    using ring = new Ring(4, 4096);
    const [one, other] = opened(socketpair(AF_UNIX, SOCK_STREAM));
    const [reader, writer] = opened(pipe2());
    raw.write(writer, new Uint8Array(3));
    const [event] = traced(
      () => {
        ring.prepare({ opcode: IORING_OP_SPLICE, fd: one, off: -1, addr: -1, file_index: reader, len: 3 });
        ring.prepare({ opcode: IORING_OP_RECV, fd: other, addr: 0, len: 8 });
        ring.submit(1);
      },
      { files: true },
    );
    expect(event?.files?.map(({ fd }) => fd)).toEqual([ring.fd, one, reader, other]);
    expect(event?.files?.[2]?.after).toMatchObject({ end: 'read' });
  });

  test('a descriptor that was a ring and is none any more', () => {
    const ring = new Ring(4, 4096);
    ring.close();
    const [fd] = opened([socket(AF_UNIX, SOCK_DGRAM)]) as [number];
    expect(fd).toBe(ring.fd); // the lowest that is free
    const [event] = traced(() => raw.io_uring_enter(fd, 0, 0, 0, null, null));
    expect(String(event)).toMatch(/ = -1 EOPNOTSUPP \(Operation not supported\)$/);
    expect(event?.toJSON()).not.toHaveProperty('answer');
    close(open.pop() as number);
  });
});
