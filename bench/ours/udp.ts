// 64-byte datagrams by raw calls, and batches by the checked ones: bench/c/udp.c in JavaScript.
import {
  AF_INET,
  bind,
  getsockname,
  IPPROTO_UDP,
  MessageBatch,
  raw,
  recvmmsg,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SockAddr,
  sendmmsg,
  setsockopt,
  sockaddr_in,
  socket,
  UDP_GRO,
  UDP_SEGMENT,
} from 'posix-sockets';
import { stopwatch } from '../harness/stopwatch.js';

const SIZE = 64;
const BATCH = 64;

function bound(): number {
  const fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC);
  bind(fd, sockaddr_in('127.0.0.1', 0));
  return fd;
}

function expect(got: number, wanted: number): void {
  if (got !== wanted) throw new Error(`${got} where ${wanted} was due`);
}

const [sender, receiver, bigSender, bigReceiver] = [bound(), bound(), bound(), bound()] as const;
setsockopt(bigSender, IPPROTO_UDP, UDP_SEGMENT, SIZE);
setsockopt(bigReceiver, IPPROTO_UDP, UDP_GRO, 1);
const here = getsockname(receiver);
const hereBytes = here.bytes;
const bigHere = getsockname(bigReceiver).bytes;
const from = new SockAddr().storage;
const out = new Uint8Array(BATCH * SIZE).map((_, i) => 97 + (Math.floor(i / SIZE) % 26));
const into = new Uint8Array(BATCH * SIZE);
const slots = (bytes: Uint8Array): Uint8Array[] =>
  Array.from({ length: BATCH }, (_, i) => bytes.subarray(i * SIZE, (i + 1) * SIZE));

await stopwatch({
  sendto(count) {
    const outgoing = slots(out);
    const incoming = slots(into);
    for (let left = count; left > 0; left -= BATCH) {
      for (const bytes of outgoing) expect(raw.sendto(sender, bytes, 0, hereBytes), SIZE);
      for (const bytes of incoming) expect(raw.recvfrom(receiver, bytes, 0, from), SIZE);
    }
  },
  mmsg(count) {
    const outgoing = new MessageBatch(BATCH, { payload: SIZE });
    const incoming = new MessageBatch(BATCH, { payload: SIZE });
    for (const [i, bytes] of slots(out).entries()) outgoing.set(i, bytes, here);
    for (let left = count; left > 0; left -= BATCH) {
      expect(sendmmsg(sender, outgoing), BATCH);
      expect(recvmmsg(receiver, incoming), BATCH);
    }
  },
  gso(count) {
    for (let left = count; left > 0; left -= BATCH) {
      expect(raw.sendto(bigSender, out, 0, bigHere), out.length);
      expect(raw.recv(bigReceiver, into, 0), into.length);
    }
  },
});
