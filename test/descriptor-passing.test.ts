import { fstatSync } from 'node:fs';
import {
  AF_UNIX,
  CMSG_LEN,
  CMSG_SPACE,
  ControlBuffer,
  close,
  EAGAIN,
  EBADF,
  EINVAL,
  EPIPE,
  F_GETFD,
  FD_CLOEXEC,
  fcntl,
  MessageBatch,
  MSG_CMSG_CLOEXEC,
  MSG_CTRUNC,
  MSG_DONTWAIT,
  MSG_PEEK,
  MsgHdr,
  pipe2,
  raw,
  read,
  recv,
  recvFds,
  recvmmsg,
  recvmsg,
  SO_PASSPIDFD,
  SO_SNDBUF,
  SOCK_DGRAM,
  SOCK_SEQPACKET,
  SOCK_STREAM,
  SOL_SOCKET,
  send,
  sendFds,
  sendmmsg,
  setsockopt,
  socketpair,
  write,
} from 'posix-sockets';
import { describe, expect, test } from 'vitest';
import { inPython, patient, receive, sendWith } from './message-support.js';
import { bytes, closedFd, descriptors, errorOf, havePython, opened, run } from './support.js';

function pair(type: number = SOCK_STREAM): [sender: number, receiver: number] {
  return socketpair(AF_UNIX, type).map(patient) as [number, number];
}
const pipe = () => pipe2().map(opened) as [number, number];

/** Whether two descriptors are of one open file. */
const same = (one: number, other: number) => fstatSync(one).ino === fstatSync(other).ino;

describe('SCM_RIGHTS', () => {
  test('the receiver has the same open file under a number of its own', () => {
    const [sender, receiver] = pair();
    const [readEnd, writeEnd] = pipe();
    sendWith(sender, { SCM_RIGHTS: [writeEnd] });
    close(writeEnd);
    const [received] = receive(receiver).control.get('SCM_RIGHTS') ?? [];
    opened(received as number);
    write(received as number, bytes('through it'));
    const content = new Uint8Array(20);
    expect(read(readEnd, content)).toBe(10);
    expect(content.subarray(0, 10)).toEqual(bytes('through it'));
  });

  test('close-on-exec only when asked, as in C', () => {
    const [sender, receiver] = pair();
    for (const [flags, expected] of [
      [0, 0],
      [MSG_CMSG_CLOEXEC, FD_CLOEXEC],
    ] as const) {
      sendWith(sender, { SCM_RIGHTS: [0] });
      const [fd] = receive(receiver, flags).control.get('SCM_RIGHTS') ?? [];
      expect(fcntl(opened(fd as number), F_GETFD, 0)).toBe(expected);
    }
  });

  test('without room for control messages the kernel closes them and says so', () => {
    const [sender, receiver] = pair();
    const before = descriptors().size;
    sendWith(sender, { SCM_RIGHTS: [0, 1, 2] });
    const message = new MsgHdr({ iov: new Uint8Array(10) });
    expect(recvmsg(receiver, message)).toBe(5);
    expect(message.flags & MSG_CTRUNC).toBe(MSG_CTRUNC);
    expect(descriptors().size).toBe(before);
  });

  test('a peek gives new descriptors each time, which are to be closed like all', () => {
    const [sender, receiver] = pair();
    sendWith(sender, { SCM_RIGHTS: [0] });
    const fds = [MSG_PEEK, MSG_PEEK, 0].map(
      (flags) => receive(receiver, flags).control.get('SCM_RIGHTS')?.[0] as number,
    );
    expect(new Set(fds.map(opened)).size).toBe(3);
    for (const fd of fds) expect(same(fd, 0)).toBe(true);
  });

  test.skipIf(!havePython)('to Python they arrive as from anybody (needs python3)', () => {
    const [sender, receiver] = pair();
    const [, writeEnd] = pipe();
    sendFds(sender, [writeEnd, 0]);
    const code = `
import os, socket
data, fds, flags, address = socket.recv_fds(socket.socket(fileno=3), 10, 5)
print(len(data), flags, [os.fstat(fd).st_ino for fd in fds])`;
    expect(inPython(code, receiver).trim()).toBe(`1 0 [${fstatSync(writeEnd).ino}, ${fstatSync(0).ino}]`);
  });

  test.skipIf(!havePython)('from Python they arrive as from anybody (needs python3)', () => {
    const [sender, receiver] = pair();
    const code = `
import os, socket
reading, writing = os.pipe()
os.write(writing, b'from Python')
socket.send_fds(socket.socket(fileno=3), [b'here'], [reading, writing])`;
    inPython(code, sender);
    const data = new Uint8Array(10);
    const { length, fds, flags } = recvFds(receiver, 5, data);
    expect([length, flags & MSG_CTRUNC, fds.length]).toEqual([4, 0, 2]);
    expect(data.subarray(0, 4)).toEqual(bytes('here'));
    const content = new Uint8Array(20);
    expect(read(opened(fds[0] as number), content)).toBe(11);
    expect(content.subarray(0, 11)).toEqual(bytes('from Python'));
    opened(fds[1] as number);
  });
});

describe('sendFds and recvFds', () => {
  test('carry descriptors, close-on-exec, with one byte if nothing else is said', () => {
    const [sender, receiver] = pair();
    const [readEnd, writeEnd] = pipe();
    expect(sendFds(sender, [readEnd, writeEnd])).toBe(1);
    const { length, fds, flags } = recvFds(receiver, 2);
    fds.forEach(opened);
    expect([length, flags & MSG_CTRUNC]).toEqual([1, 0]);
    expect(fds.map((fd, i) => same(fd, [readEnd, writeEnd][i] as number))).toEqual([true, true]);
    expect(fds.map((fd) => fcntl(fd, F_GETFD, 0))).toEqual([FD_CLOEXEC, FD_CLOEXEC]);
  });

  test.for([0, 1, 2, 3, 4])('receive no more than asked for: %i of 5', (most) => {
    const [sender, receiver] = pair();
    sendFds(sender, [0, 0, 0, 0, 0], bytes('x'));
    const { fds, flags } = recvFds(receiver, most);
    fds.forEach(opened);
    expect(fds).toHaveLength(most);
    expect(flags & MSG_CTRUNC).toBe(MSG_CTRUNC);
  });

  test('a message without descriptors has none', () => {
    const [sender, receiver] = pair();
    send(sender, bytes('plain'));
    const data = new Uint8Array(10);
    expect(recvFds(receiver, 3, data)).toMatchObject({ length: 5, fds: [] });
    close(sender);
    expect(recvFds(receiver, 3)).toMatchObject({ length: 0, fds: [] });
  });

  test('a pidfd that nobody asked for is closed', () => {
    const [sender, receiver] = pair(SOCK_DGRAM);
    if (raw.setsockopt(receiver, SOL_SOCKET, SO_PASSPIDFD, 1) < 0) return; // Linux 6.5
    const before = descriptors().size;
    sendFds(sender, []);
    expect(recvFds(receiver, 1)).toMatchObject({ length: 1, fds: [] });
    expect(descriptors().size).toBe(before);
  });

  test("errors are the kernel's", () => {
    const [sender, receiver] = pair();
    expect(errorOf(() => sendFds(sender, [closedFd])).errno).toBe(-EBADF);
    expect(errorOf(() => sendFds(sender, new Array(254).fill(0))).errno).toBe(-EINVAL);
    expect(errorOf(() => sendFds(sender, [-1])).errno).toBe(-EBADF);
    expect(sendFds(sender, new Array(253).fill(0))).toBe(1);
    expect(recvFds(receiver, 253).fds.map(opened)).toHaveLength(253);
    expect(() => sendFds(sender, [0.5])).toThrow(RangeError);
    expect(() => recvFds(receiver, -1)).toThrow(RangeError);
    expect(() => recvFds(receiver, 0.5)).toThrow(RangeError);
    close(receiver);
    expect(errorOf(() => sendFds(sender, [0])).errno).toBe(-EPIPE);
  });
});

test('more under way than a user may have open (ETOOMANYREFS), until some are received', async () => {
  const code = `
    import { readdirSync } from 'node:fs';
    import { AF_UNIX, close, recvFds, sendFds, SOCK_DGRAM, socketpair } from 'posix-sockets';
    if (process.getuid() === 0) {
      process.setgroups([]);
      process.setgid(65534);
      process.setuid(65534);
    }
    const [sender, receiver] = socketpair(AF_UNIX, SOCK_DGRAM);
    const count = () => readdirSync('/proc/self/fd').length;
    const before = count();
    const attempt = () => {
      try {
        return sendFds(sender, new Array(250).fill(0));
      } catch (error) {
        return error.code;
      }
    };
    let sent = 0;
    for (; attempt() === 1 && sent < 10; sent++);
    const answers = [attempt()];
    for (; sent > 0; sent--) recvFds(receiver, 250).fds.forEach(close);
    answers.push(attempt());
    recvFds(receiver, 250).fds.forEach(close);
    console.log(JSON.stringify([...answers, count() - before]));`;
  const node = [process.execPath, '--input-type=module', '--eval', code];
  const { stdout, stderr } = await run('sh', ['-c', 'ulimit -n 500 && exec "$@"', '-', ...node]);
  expect(stderr).toBe('');
  expect(JSON.parse(stdout)).toEqual(['ETOOMANYREFS', 1, 0]);
});

// What goes wrong in one round. Each leaves the pair as it likes: it is closed afterwards.
const troubles: Record<string, (sender: number, receiver: number, fds: number[]) => void> = {
  'nothing goes wrong': (sender, receiver, fds) => {
    sendFds(sender, fds);
    const received = recvFds(receiver, fds.length).fds;
    expect(received).toHaveLength(fds.length);
    received.forEach(close);
  },
  'the queue is full': (sender, receiver, fds) => {
    setsockopt(sender, SOL_SOCKET, SO_SNDBUF, 0);
    const control = ControlBuffer.of({ SCM_RIGHTS: fds }).bytes;
    let sent = 0;
    let answer = 1;
    for (; sent < 10_000 && answer > 0; sent++) answer = raw.sendmsg(sender, bytes('x'), null, control, MSG_DONTWAIT);
    expect(answer).toBe(-EAGAIN);
    if (sent % 2 === 0) recvFds(receiver, fds.length).fds.forEach(close); // the others go with the socket
  },
  'the control buffer is tiny': (sender, receiver, fds) => {
    sendFds(sender, fds);
    const room = CMSG_LEN(0) + ((fds.length * 7) % 9);
    const { control } = receive(receiver, 0, room);
    for (const fd of control.get('SCM_RIGHTS') ?? []) close(fd);
  },
  'there is no control buffer': (sender, receiver, fds) => {
    sendFds(sender, fds);
    recv(receiver, new Uint8Array(1));
  },
  'the receiver is gone': (sender, receiver, fds) => {
    sendFds(sender, fds); // and nobody takes them
    close(receiver);
    expect(raw.sendmsg(sender, bytes('x'), null, ControlBuffer.of({ SCM_RIGHTS: fds }).bytes, 0)).toBeLessThan(0);
  },
  'the sender is gone': (sender, receiver, fds) => {
    sendFds(sender, fds);
    close(sender);
    recvFds(receiver, fds.length).fds.forEach(close);
  },
  'one descriptor is not open': (sender, _, fds) => {
    expect(errorOf(() => sendFds(sender, [...fds, closedFd])).errno).toBe(-EBADF);
  },
  'the message lies about its length': (sender, _, fds) => {
    const control = ControlBuffer.of({ SCM_RIGHTS: fds });
    control.bytes[0] = 0xff;
    expect(raw.sendmsg(sender, bytes('x'), null, control.bytes, 0)).toBe(-EINVAL);
  },
  'the socket itself is passed': (sender, receiver, fds) => {
    sendFds(sender, [...fds, receiver, sender]); // a cycle, which the kernel's collector must break
    close(receiver);
  },
  'a batch has too little room in each slot': (sender, receiver, fds) => {
    for (let i = 0; i < 3; i++) sendFds(sender, fds);
    const batch = new MessageBatch(3, { payload: 1, name: 0, control: CMSG_LEN(4 * (fds.length - 1)) });
    expect(recvmmsg(receiver, batch)).toBe(3);
    for (let i = 0; i < 3; i++) for (const fd of batch.control(i).get('SCM_RIGHTS') ?? []) close(fd);
  },
  'the second message of a batch has one that is not open': (sender, receiver, fds) => {
    const batch = new MessageBatch(3, { payload: 1, name: 0, control: CMSG_SPACE(4 * fds.length) });
    for (let i = 0; i < 3; i++)
      batch
        .set(i, bytes('x'))
        .control(i)
        .add('SCM_RIGHTS', i === 1 ? fds.with(-1, closedFd) : fds);
    expect(sendmmsg(sender, batch)).toBe(1);
    expect(errorOf(() => sendmmsg(sender, batch, 2, 0, 1)).errno).toBe(-EBADF);
    recvFds(receiver, fds.length).fds.forEach(close);
  },
  'they are peeked at': (sender, receiver, fds) => {
    sendFds(sender, fds);
    for (const flags of [MSG_PEEK, 0])
      for (const fd of receive(receiver, flags).control.get('SCM_RIGHTS') ?? []) close(fd);
  },
};

test('a thousand rounds with all that can go wrong leave no descriptor behind', () => {
  const kinds = [SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET];
  const names = Object.keys(troubles);
  const before = descriptors();
  for (let round = 0; round < 1000; round++) {
    const trouble = names[round % names.length] as string;
    const [sender, receiver] = socketpair(AF_UNIX, kinds[round % kinds.length] as number);
    const [readEnd, writeEnd] = pipe2();
    const fds = Array.from({ length: 1 + (round % 7) }, (_, i) => (i % 2 === 0 ? readEnd : writeEnd));
    troubles[trouble]?.(sender, receiver, fds);
    for (const fd of [sender, receiver, readEnd, writeEnd]) raw.close(fd); // some are closed already
    expect(descriptors(), `round ${round}: ${trouble}`).toEqual(before);
  }
});
