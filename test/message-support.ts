// What the tests of messages share.
import { spawnSync } from 'node:child_process';
import {
  AF_INET,
  bind,
  ControlBuffer,
  type ControlInputs,
  type ControlMessage,
  connect,
  getsockname,
  MSG_DONTWAIT,
  MSG_ERRQUEUE,
  MsgHdr,
  recvmsg,
  SO_RCVTIMEO,
  SOCK_DGRAM,
  SOL_SOCKET,
  type SockAddr,
  type SystemError,
  sendmsg,
  setsockopt,
  sockaddr_in,
  sockaddr_in6,
  socket,
  timeval,
} from 'posix-sockets';
import { bytes, opened, until } from './support.js';

/** A socket on which a receive that waits in vain fails after five seconds. */
export function patient(fd: number): number {
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, new timeval({ tv_sec: 5 }));
  return opened(fd);
}

/** Two UDP sockets; the first is connected to the second. */
export function udpPair(family: number = AF_INET): { sender: number; receiver: number; address: SockAddr } {
  const receiver = patient(socket(family, SOCK_DGRAM));
  bind(receiver, family === AF_INET ? sockaddr_in('127.0.0.1', 0) : sockaddr_in6('::1', 0));
  const sender = patient(socket(family, SOCK_DGRAM));
  const address = getsockname(receiver);
  connect(sender, address);
  return { sender, receiver, address };
}

/** Sends a short message with these control messages. */
export function sendWith(fd: number, messages: ControlInputs, name: SockAddr | null = null, content = 'hello'): number {
  return sendmsg(fd, new MsgHdr({ name, iov: bytes(content), control: ControlBuffer.of(messages) }));
}

/** Receives one message, with room for some control messages. */
export function receive(
  fd: number,
  flags = 0,
  room: ConstructorParameters<typeof ControlBuffer>[0] = 1024,
): { length: number; flags: number; control: ControlBuffer; payload: string } {
  const control = new ControlBuffer(room);
  const payload = new Uint8Array(2048);
  const message = new MsgHdr({ iov: payload, control });
  const length = recvmsg(fd, message, flags);
  return { length, flags: message.flags, control, payload: new TextDecoder().decode(payload.subarray(0, length)) };
}

/** A control message as Python shows it: level, type, data in hexadecimal. */
export type Plain = [level: number, type: number, data: string];

export const plain = (message: ControlMessage): Plain => [
  message.level,
  message.type,
  Buffer.from(message.data).toString('hex'),
];

/** Has Python receive one message of a socket, with room for `room` bytes of control messages. */
export function pythonReceives(fd: number, flags = 0, room = 1024): Plain[] {
  const code = `
import json, socket
received = socket.socket(fileno=3).recvmsg(2048, ${room}, ${flags})
print(json.dumps([[level, type, data.hex()] for level, type, data in received[1]]))`;
  return JSON.parse(inPython(code, fd));
}

/** Runs Python with a socket as its descriptor 3. @returns what it prints */
export function inPython(code: string, fd: number): string {
  const { status, stdout, stderr } = spawnSync('python3', ['-c', code], {
    stdio: ['ignore', 'pipe', 'pipe', fd],
    encoding: 'utf8',
    timeout: 60_000,
  });
  if (status !== 0) throw new Error(`Python failed: ${stderr}`);
  return stdout;
}

/** Receives the next message of the error queue, which may come a moment later. */
export async function nextError(fd: number): Promise<ReturnType<typeof receive>> {
  let message: ReturnType<typeof receive> | undefined;
  await until(() => {
    try {
      message = receive(fd, MSG_ERRQUEUE | MSG_DONTWAIT);
    } catch (error) {
      if ((error as SystemError).code !== 'EAGAIN') throw error;
    }
    return message !== undefined;
  }, 'the error queue has a message');
  return message as ReturnType<typeof receive>;
}
