import { existsSync, readFileSync } from 'node:fs';
import {
  AF_UNIX,
  CMSG_LEN,
  ControlBuffer,
  close,
  EPERM,
  F_GETFD,
  FD_CLOEXEC,
  fcntl,
  MSG_CMSG_CLOEXEC,
  MsgHdr,
  raw,
  recvmsg,
  SO_INQ,
  SO_PASSCRED,
  SO_PASSPIDFD,
  SO_PASSSEC,
  SOCK_DGRAM,
  SOCK_STREAM,
  SOL_SOCKET,
  send,
  setsockopt,
  socketpair,
} from 'posix-sockets';
import { describe, expect, test } from 'vitest';
import { inPython, patient, plain, pythonReceives, receive, sendWith } from './message-support.js';
import { bytes, havePython, isRoot, opened, runNode } from './support.js';

function pair(type: number = SOCK_DGRAM): [sender: number, receiver: number] {
  return socketpair(AF_UNIX, type).map(patient) as [number, number];
}

const own = { pid: process.pid, uid: process.getuid?.() as number, gid: process.getgid?.() as number };

test('SCM_CREDENTIALS: the kernel says who sent this', () => {
  const [sender, receiver] = pair();
  setsockopt(receiver, SOL_SOCKET, SO_PASSCRED, 1);
  send(sender, bytes('hello'));
  const { control } = receive(receiver);
  expect([...control].map(({ kind }) => kind)).toEqual(['SCM_CREDENTIALS']);
  expect(control.get('SCM_CREDENTIALS')?.toJSON()).toEqual(own);
});

test.skipIf(!havePython)('SCM_CREDENTIALS of Python are those of its process (needs python3)', () => {
  const [sender, receiver] = pair();
  setsockopt(receiver, SOL_SOCKET, SO_PASSCRED, 1);
  const code = `
import os, socket, struct
me = struct.pack('3i', os.getpid(), os.getuid(), os.getgid())
socket.socket(fileno=3).sendmsg([b'hello'], [(socket.SOL_SOCKET, socket.SCM_CREDENTIALS, me)])
print(os.getpid())`;
  const pid = Number(inPython(code, sender));
  expect(receive(receiver).control.get('SCM_CREDENTIALS')?.toJSON()).toEqual({ ...own, pid });
});

test.skipIf(!havePython)('SCM_CREDENTIALS that we name are what Python receives (needs python3)', () => {
  const [sender, receiver] = pair();
  setsockopt(receiver, SOL_SOCKET, SO_PASSCRED, 1);
  sendWith(sender, { SCM_CREDENTIALS: own });
  expect(pythonReceives(receiver)).toEqual([...ControlBuffer.of({ SCM_CREDENTIALS: own })].map(plain));
});

test.skipIf(!isRoot)('SCM_CREDENTIALS: root may name others (needs root)', () => {
  const [sender, receiver] = pair();
  setsockopt(receiver, SOL_SOCKET, SO_PASSCRED, 1);
  sendWith(sender, { SCM_CREDENTIALS: { pid: 1, uid: 1234, gid: 5678 } });
  expect(receive(receiver).control.get('SCM_CREDENTIALS')?.toJSON()).toEqual({ pid: 1, uid: 1234, gid: 5678 });
});

test('SCM_CREDENTIALS: nobody else may (EPERM)', async () => {
  const code = `
    import { AF_UNIX, ControlBuffer, raw, SOCK_DGRAM, socketpair } from 'posix-sockets';
    if (process.getuid() === 0) {
      process.setgroups([]);
      process.setgid(65534);
      process.setuid(65534);
    }
    const [fd] = socketpair(AF_UNIX, SOCK_DGRAM);
    const control = ControlBuffer.of({ SCM_CREDENTIALS: { pid: process.pid, uid: 0, gid: process.getgid() } });
    console.log(raw.sendmsg(fd, Uint8Array.of(1), null, control.bytes, 0));`;
  expect((await runNode(code)).stdout.trim()).toBe(String(-EPERM));
});

/** Whether this kernel's Unix sockets have an option. */
function has(option: number, type: number = SOCK_DGRAM): boolean {
  const fds = socketpair(AF_UNIX, type);
  const answer = raw.setsockopt(fds[0], SOL_SOCKET, option, 1);
  fds.forEach(close);
  return answer === 0;
}

describe('SCM_PIDFD', () => {
  const skip = !has(SO_PASSPIDFD);

  test.skipIf(skip)('a descriptor of the sending process, close-on-exec (needs Linux 6.5)', () => {
    const [sender, receiver] = pair();
    setsockopt(receiver, SOL_SOCKET, SO_PASSPIDFD, 1);
    send(sender, bytes('hello'));
    const { control } = receive(receiver, MSG_CMSG_CLOEXEC);
    expect([...control].map(({ kind }) => kind)).toEqual(['SCM_PIDFD']);
    const pidfd = opened(control.get('SCM_PIDFD') as number);
    expect(readFileSync(`/proc/self/fdinfo/${pidfd}`, 'utf8')).toMatch(new RegExp(`^Pid:\\s+${process.pid}$`, 'm'));
    expect(fcntl(pidfd, F_GETFD, 0)).toBe(FD_CLOEXEC);
  });

  test.skipIf(skip)('without room there is none, and none leaks (needs Linux 6.5)', () => {
    const [sender, receiver] = pair();
    setsockopt(receiver, SOL_SOCKET, SO_PASSPIDFD, 1);
    for (let room = 0; room < CMSG_LEN(4); room++) {
      send(sender, bytes('hello'));
      const { control } = receive(receiver, 0, room);
      expect([...control]).toEqual([]);
      expect(control.truncated).toBe(true);
    }
  });
});

test.skipIf(!has(SO_INQ, SOCK_STREAM))('SCM_INQ: how much is left to read (needs Linux 6.17)', () => {
  const [sender, receiver] = pair(SOCK_STREAM);
  setsockopt(receiver, SOL_SOCKET, SO_INQ, 1);
  send(sender, bytes('0123456789'));
  const left = (size: number) => {
    const message = new MsgHdr({ iov: new Uint8Array(size), control: ['SCM_INQ'] });
    recvmsg(receiver, message);
    return message.control?.get('SCM_INQ');
  };
  expect([left(4), left(5), left(1)]).toEqual([6, 1, 0]);
});

// The security modules that label messages.
const hasLabels = ['/sys/fs/selinux/enforce', '/sys/fs/smackfs/load'].some((path) => existsSync(path));

test.skipIf(!hasLabels)('SCM_SECURITY: the security context of the sender (needs SELinux or Smack)', () => {
  const [sender, receiver] = pair();
  setsockopt(receiver, SOL_SOCKET, SO_PASSSEC, 1);
  send(sender, bytes('hello'));
  const context = readFileSync('/proc/self/attr/current', 'utf8').replace(/\0|\n/g, '');
  expect(receive(receiver).control.get('SCM_SECURITY')).toBe(context);
});
