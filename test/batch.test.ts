import * as fc from 'fast-check';
import {
  AF_INET,
  AF_UNIX,
  bind,
  CMSG_SPACE,
  close,
  EBADF,
  EINVAL,
  getsockname,
  IP_RECVTTL,
  IPPROTO_IP,
  IPPROTO_UDP,
  linger,
  MessageBatch,
  MSG_DONTWAIT,
  MSG_ERRQUEUE,
  MSG_TRUNC,
  raw,
  recv,
  recvmmsg,
  SO_LINGER,
  SO_RCVBUF,
  SO_RCVTIMEO,
  SO_SNDBUF,
  SOCK_DGRAM,
  SOCK_STREAM,
  SOF_TIMESTAMPING_OPT_ID,
  SOF_TIMESTAMPING_OPT_TSONLY,
  SOF_TIMESTAMPING_SOFTWARE,
  SOF_TIMESTAMPING_TX_SOFTWARE,
  SOL_SOCKET,
  send,
  sendmmsg,
  sendto,
  setOption,
  setsockopt,
  sockaddr_in,
  sockaddr_un,
  socket,
  socketpair,
  timespec,
  timeval,
  UDP_GRO,
} from 'posix-sockets';
import { describe, expect, test } from 'vitest';
import { inPython, patient, udpPair } from './message-support.js';
import {
  bytes,
  connected,
  connectedKinds,
  errorOf,
  folder,
  havePython,
  type Kind,
  opened,
  run,
  startWorker,
  until,
} from './support.js';

const text = (content: Uint8Array) => new TextDecoder().decode(content);

/** What the first slots hold. */
const payloads = (batch: MessageBatch, count: number) => Array.from({ length: count }, (_, i) => text(batch.bytes(i)));

/** A batch of messages, one for each text. */
function batchOf(...contents: string[]): MessageBatch {
  const batch = new MessageBatch(contents.length, { payload: 100 });
  for (const [i, content] of contents.entries()) batch.set(i, bytes(content));
  return batch;
}

describe('many messages in one call', () => {
  test('carry payloads, addresses, lengths and flags', () => {
    const { sender, receiver, address } = udpPair();
    const other = opened(socket(AF_INET, SOCK_DGRAM));
    bind(other, sockaddr_in('127.0.0.2', 0));
    const outgoing = new MessageBatch(3, { payload: 30 });
    outgoing.set(0, bytes('one'), address);
    outgoing.set(1, new Uint8Array(0), address);
    outgoing.set(2, bytes('far too long a message'), address);
    expect(sendmmsg(other, outgoing)).toBe(3);
    expect([...outgoing.sent]).toEqual([3, 0, 22]);
    send(sender, bytes('last'));

    const incoming = new MessageBatch(8, { payload: 10 });
    expect(recvmmsg(receiver, incoming, 8, MSG_DONTWAIT)).toBe(4);
    expect(payloads(incoming, 4)).toEqual(['one', '', 'far too lo', 'last']);
    expect([...incoming.lengths.subarray(0, 4)]).toEqual([3, 0, 10, 4]);
    expect([...incoming.flags.subarray(0, 4)]).toEqual([0, 0, MSG_TRUNC, 0]);
    const from = [other, other, other, sender].map((fd) => `${getsockname(fd)}`);
    expect([0, 1, 2, 3].map((i) => `${incoming.name(i)}`)).toEqual(from);
    expect([...incoming.nameLengths.subarray(0, 4)]).toEqual([16, 16, 16, 16]);
  });

  test.skipIf(!havePython)('are to Python as many messages (needs python3)', () => {
    const { sender, receiver } = udpPair();
    expect(sendmmsg(sender, batchOf('one', 'two', 'three'))).toBe(3);
    const code = `
import socket
receiver = socket.socket(fileno=3)
print([receiver.recv(100).decode() for i in range(3)])`;
    expect(inPython(code, receiver).trim()).toBe("['one', 'two', 'three']");
  });

  test('are answered where they came from, also from a Unix path of all 108 bytes', () => {
    const where = folder();
    const [from, to] = [patient(socket(AF_UNIX, SOCK_DGRAM)), patient(socket(AF_UNIX, SOCK_DGRAM))];
    bind(from, sockaddr_un(`${where}/${'x'.repeat(107 - where.length)}`));
    bind(to, sockaddr_un(`${where}/y`));
    for (const content of ['one', 'two']) sendto(from, bytes(content), 0, getsockname(to));
    const batch = new MessageBatch(2, { payload: 8, name: 128 });
    expect(recvmmsg(to, batch, 2, 0)).toBe(2);
    expect([...batch.nameLengths]).toEqual([111, 111]); // as the kernel tells it
    expect(sendmmsg(to, batch, 2)).toBe(2);
    const back = new Uint8Array(8);
    expect([0, 1].map(() => text(back.subarray(0, recv(from, back))))).toEqual(['one', 'two']);
  });

  test('each slot has all its room again for the next call', () => {
    const { sender, receiver } = udpPair();
    const batch = new MessageBatch(1, { payload: 20 });
    for (const content of ['ab', 'a longer message', '', 'x']) {
      send(sender, bytes(content));
      expect(recvmmsg(receiver, batch)).toBe(1);
      expect(payloads(batch, 1)).toEqual([content]);
    }
  });

  test('a part of a batch: count and first', () => {
    const { sender, receiver } = udpPair();
    const outgoing = batchOf('0', '1', '2', '3', '4');
    expect(sendmmsg(sender, outgoing, 2, 0, 1)).toBe(2);
    const incoming = new MessageBatch(5, { payload: 10 });
    expect(recvmmsg(receiver, incoming, 2, MSG_DONTWAIT, null, 3)).toBe(2);
    expect([3, 4].map((i) => text(incoming.bytes(i)))).toEqual(['1', '2']);
    expect([...incoming.lengths]).toEqual([0, 0, 0, 1, 1]);
    expect(sendmmsg(sender, outgoing, 0)).toBe(0);
  });

  test('control messages of each slot: the time to live of one datagram', () => {
    const { sender, receiver } = udpPair();
    setsockopt(receiver, IPPROTO_IP, IP_RECVTTL, 1);
    const room = { payload: 10, name: 0, control: CMSG_SPACE(4) };
    const outgoing = new MessageBatch(3, room);
    for (let i = 0; i < 3; i++) {
      outgoing.set(i, bytes(`${i}`));
      outgoing.control(i).add('IP_TTL', 10 + i);
    }
    outgoing.control(1).clear();
    expect(sendmmsg(sender, outgoing)).toBe(3);
    const incoming = new MessageBatch(3, room);
    expect(recvmmsg(receiver, incoming)).toBe(3);
    expect([0, 1, 2].map((i) => incoming.control(i).get('IP_TTL'))).toEqual([10, 64, 12]);

    const narrow = new MessageBatch(1, { payload: 10, control: CMSG_SPACE(0) });
    sendmmsg(sender, outgoing, 1);
    expect(recvmmsg(receiver, narrow)).toBe(1);
    expect([narrow.control(0).truncated, [...narrow.control(0)]]).toEqual([true, []]);
  });

  test('descriptors come slot by slot', () => {
    const [sender, receiver] = socketpair(AF_UNIX, SOCK_DGRAM).map(patient) as [number, number];
    const room = { payload: 1, control: CMSG_SPACE(8) };
    const outgoing = new MessageBatch(3, room);
    for (let i = 0; i < 3; i++) outgoing.set(i, Uint8Array.of(i)).control(i).add('SCM_RIGHTS', new Array(i).fill(0));
    expect(sendmmsg(sender, outgoing)).toBe(3);
    const incoming = new MessageBatch(3, room);
    expect(recvmmsg(receiver, incoming)).toBe(3);
    const fds = [0, 1, 2].map((i) => incoming.control(i).get('SCM_RIGHTS') ?? []);
    for (const fd of fds.flat()) opened(fd);
    expect(fds.map(({ length }) => length)).toEqual([0, 1, 2]);
  });

  test('UDP_SEGMENT and UDP_GRO: each slot is many datagrams', () => {
    const { sender, receiver } = udpPair();
    setsockopt(receiver, IPPROTO_UDP, UDP_GRO, 1);
    setsockopt(receiver, SOL_SOCKET, SO_RCVBUF, 1 << 20);
    const room = { payload: 64 * 1000, name: 0, control: CMSG_SPACE(4) };
    const outgoing = new MessageBatch(4, room);
    for (let i = 0; i < 4; i++) {
      outgoing.storage(i).fill(i + 1);
      outgoing.lengths[i] = (i + 1) * 16_000;
      outgoing.control(i).add('UDP_SEGMENT', 1000);
    }
    expect(sendmmsg(sender, outgoing)).toBe(4);
    const incoming = new MessageBatch(4, room);
    expect(recvmmsg(receiver, incoming)).toBe(4);
    expect([...incoming.lengths]).toEqual([16_000, 32_000, 48_000, 64_000]);
    for (let i = 0; i < 4; i++) {
      expect(incoming.control(i).get('UDP_GRO')).toBe(1000);
      expect(incoming.bytes(i)).toEqual(outgoing.bytes(i));
    }
  });

  test('the error queue, too: the time stamps of many sends', async () => {
    const { sender } = udpPair();
    const stamps = SOF_TIMESTAMPING_SOFTWARE | SOF_TIMESTAMPING_TX_SOFTWARE;
    setOption(sender, 'SO_TIMESTAMPING', stamps | SOF_TIMESTAMPING_OPT_ID | SOF_TIMESTAMPING_OPT_TSONLY);
    expect(sendmmsg(sender, batchOf('one', 'two', 'three'))).toBe(3);
    const batch = new MessageBatch(5, { payload: 0, control: 256 });
    let count = 0;
    await until(() => {
      const came = raw.recvmmsg(
        ...([sender, batch.payloads, batch.names, batch.controls, batch.table] as const),
        ...([count, 5 - count, MSG_ERRQUEUE | MSG_DONTWAIT, null] as const),
      );
      count += Math.max(0, came);
      return count === 3;
    }, 'there are three');
    const seen = [0, 1, 2].map((i) => [batch.control(i).get('IP_RECVERR')?.ee_data, batch.flags[i]]);
    expect(seen).toEqual([0, 1, 2].map((i) => [i, MSG_ERRQUEUE]));
  });

  test('on a stream a message may be sent in part, and sent says how much', () => {
    const [sender, receiver] = socketpair(AF_UNIX, SOCK_STREAM).map(patient) as [number, number];
    setsockopt(sender, SOL_SOCKET, SO_SNDBUF, 50_000);
    const outgoing = new MessageBatch(100, { payload: 40_000, name: 0 });
    outgoing.lengths.fill(40_000);
    const count = sendmmsg(sender, outgoing, 100, MSG_DONTWAIT);
    expect(count).toBeLessThan(100);
    const sent = outgoing.sent.subarray(0, count).reduce((sum, length) => sum + length, 0);
    expect(outgoing.sent[count - 1]).toBeLessThan(40_000);
    let came = 0;
    for (let part = 1; part > 0; came += Math.max(part, 0)) {
      part = raw.recv(receiver, new Uint8Array(100_000), MSG_DONTWAIT);
    }
    expect(came).toBe(sent);
    expect([...outgoing.lengths]).toEqual(new Array(100).fill(40_000));
  });

  test('the kernel takes 1024 (UIO_MAXIOV) in one call', () => {
    const { sender } = udpPair();
    const batch = new MessageBatch(1100, { payload: 0, name: 0 });
    expect(sendmmsg(sender, batch)).toBe(1024);
    expect(sendmmsg(sender, batch, 76, 0, 1024)).toBe(76);
  });
});

describe('an error', () => {
  test('on the first message is thrown, with its address', () => {
    const { sender } = udpPair();
    const batch = batchOf('x').set(0, bytes('x'), sockaddr_in('127.0.0.1', 0));
    const error = errorOf(() => sendmmsg(sender, batch));
    expect(error).toMatchObject({ syscall: 'sendmmsg', errno: -EINVAL, address: '127.0.0.1', port: 0 });
    expect(errorOf(() => recvmmsg(sender, batch, 1, MSG_DONTWAIT))).toMatchObject({
      syscall: 'recvmmsg',
      code: 'EAGAIN',
    });
    expect(errorOf(() => recvmmsg(1_000_000, batch)).errno).toBe(-EBADF);
  });

  test('on the second message ends sendmmsg without a word, and shows when that is sent again', () => {
    const { sender, receiver, address } = udpPair();
    const batch = new MessageBatch(3, { payload: 10 });
    batch.set(0, bytes('good'), address);
    batch.set(1, bytes('bad'), sockaddr_in('127.0.0.1', 0));
    batch.set(2, bytes('good too'), address);
    expect(sendmmsg(sender, batch)).toBe(1);
    expect([...batch.sent]).toEqual([4, 0, 0]);
    expect(errorOf(() => sendmmsg(sender, batch, 2, 0, 1)).errno).toBe(-EINVAL);
    expect(sendmmsg(sender, batch, 1, 0, 2)).toBe(1);
    const incoming = new MessageBatch(3, { payload: 10 });
    expect(recvmmsg(receiver, incoming, 3, MSG_DONTWAIT)).toBe(2);
    expect(payloads(incoming, 2)).toEqual(['good', 'good too']);
  });

  test('after the first message ends recvmmsg without a word, and the next call throws it', async () => {
    const [client, server] = connected(new Map(connectedKinds).get('TCP over IPv4') as Kind);
    send(client, bytes('1234'));
    const worker = await startWorker(
      `const batch = new sockets.MessageBatch(5, { payload: 4, name: 0 });
       post(sockets.recvmmsg(workerData, batch));
       post(sockets.recvmmsg(workerData, batch));`,
      server,
    );
    await worker.untilBlockedOn(server); // for the second message
    setsockopt(client, SOL_SOCKET, SO_LINGER, new linger({ l_onoff: 1, l_linger: 0 }));
    close(client); // with a reset
    await until(() => worker.messages.length > 1, 'both calls have returned');
    expect(worker.messages).toEqual([1, 'ECONNRESET']);
    expect(recv(server, new Uint8Array(1))).toBe(0);
  });
});

describe('waiting', () => {
  test('MSG_WAITFORONE blocks for the first message only', async () => {
    const { sender, receiver } = udpPair();
    const worker = await startWorker(
      `const { MessageBatch, recvmmsg, MSG_WAITFORONE } = sockets;
       post(recvmmsg(workerData, new MessageBatch(5, { payload: 10 }), 5, MSG_WAITFORONE));`,
      receiver,
    );
    await worker.untilBlockedOn(receiver);
    send(sender, bytes('one'));
    await until(() => worker.messages.length > 0, 'recvmmsg has returned');
    expect(worker.messages).toEqual([1]);
  });

  test('the timeout is looked at only after each message: until one comes, the call blocks', async () => {
    const { sender, receiver } = udpPair();
    const worker = await startWorker(
      `const { MessageBatch, recvmmsg, timespec } = sockets;
       post(recvmmsg(workerData, new MessageBatch(5, { payload: 10 }), 5, 0, new timespec({ tv_nsec: 1_000_000 })));`,
      receiver,
    );
    await worker.untilBlockedOn(receiver);
    await new Promise((resolve) => setTimeout(resolve, 50)); // long after the timeout
    expect(worker.messages).toEqual([]);
    await worker.untilBlockedOn(receiver);
    send(sender, bytes('one'));
    await until(() => worker.messages.length > 0, 'recvmmsg has returned');
    expect(worker.messages).toEqual([1]);
  });

  test('SO_RCVTIMEO bounds the wait for each message', () => {
    const { sender, receiver } = udpPair();
    setsockopt(receiver, SOL_SOCKET, SO_RCVTIMEO, new timeval({ tv_usec: 10_000 }));
    const batch = new MessageBatch(5, { payload: 10 });
    send(sender, bytes('one'));
    expect(recvmmsg(receiver, batch)).toBe(1);
    expect(errorOf(() => recvmmsg(receiver, batch)).code).toBe('EAGAIN');
  });

  test('the kernel writes what is left of the timeout into it', () => {
    const { sender, receiver } = udpPair();
    const timeout = new timespec({ tv_sec: 1000 });
    send(sender, bytes('one'));
    expect(recvmmsg(receiver, new MessageBatch(1, { payload: 10 }), 1, 0, timeout)).toBe(1);
    expect([timeout.tv_sec, timeout.tv_nsec > 0]).toEqual([999, true]);
    const wrong = new timespec({ tv_nsec: 1e9 });
    expect(errorOf(() => recvmmsg(receiver, new MessageBatch(1, { payload: 1 }), 1, 0, wrong)).errno).toBe(-EINVAL);
  });
});

describe('the batch', () => {
  test('has one object for each slot, over its own part of the buffers', () => {
    const batch = new MessageBatch(3, { payload: 10, name: 16, control: 24 });
    for (let i = 0; i < 3; i++) {
      expect(batch.storage(i)).toBe(batch.storage(i));
      expect(batch.name(i)).toBe(batch.name(i));
      expect(batch.control(i)).toBe(batch.control(i));
      expect([batch.storage(i).byteOffset, batch.name(i).storage.byteOffset]).toEqual([i * 10, i * 16]);
      expect(batch.control(i).storage.byteOffset).toBe(i * 24);
      batch.lengths[i] = i;
      expect(batch.bytes(i)).toBe(batch.bytes(i));
      expect(batch.bytes(i)).toHaveLength(i);
    }
    batch.set(1, bytes('x'), sockaddr_in('127.0.0.1', 80));
    expect([...batch.nameLengths]).toEqual([0, 16, 0]);
    batch.control(2).add('IP_TTL', 1);
    expect([...batch.controlLengths]).toEqual([0, 0, 24]);
  });

  test('a length that is nonsense hurts nobody', () => {
    const { sender, receiver } = udpPair();
    const batch = batchOf('x', 'y');
    batch.lengths.set([-5, 2 ** 30]);
    batch.nameLengths.fill(-1);
    batch.controlLengths.fill(2 ** 30);
    expect([batch.bytes(0).length, batch.bytes(1).length]).toEqual([0, 100]);
    expect([batch.name(0).bytes.length, batch.control(0).length]).toEqual([0, 0]);
    expect(sendmmsg(sender, batch)).toBe(2);
    const incoming = new MessageBatch(2, { payload: 200 });
    expect(recvmmsg(receiver, incoming)).toBe(2);
    expect([...incoming.lengths]).toEqual([0, 100]);
  });

  test('refuses what makes no sense', () => {
    const batch = batchOf('x');
    expect(() => new MessageBatch(1, null as never)).toThrow('room must be an object, not null');
    expect(() => batch.set(0, 'text' as never)).toThrow('bytes must be a Uint8Array');
    expect(() => batch.set(0, bytes('x'), '127.0.0.1:80' as never)).toThrow('the address must be a SockAddr');
    for (const call of [sendmmsg, recvmmsg]) {
      expect(() => call(-1, undefined as never)).toThrow('the messages must be a MessageBatch');
    }
    const fd = opened(socket(AF_INET, SOCK_DGRAM));
    for (const i of [-1, 1, 0.5, Number.NaN]) {
      for (const look of ['storage', 'bytes', 'name', 'control'] as const) {
        expect(() => batch[look](i), `${look}(${i})`).toThrow(RangeError);
      }
    }
    expect(() => batch.set(0, new Uint8Array(101))).toThrow(RangeError);
    expect(() => batch.set(1, new Uint8Array(1))).toThrow(RangeError);
    const nameless = new MessageBatch(1, { payload: 9, name: 0 });
    expect(() => nameless.set(0, bytes('x'), sockaddr_in('127.0.0.1', 1))).toThrow(RangeError);
    for (const size of [0, -1, 1.5, 2 ** 21]) expect(() => new MessageBatch(size, { payload: 1 })).toThrow(RangeError);
    for (const room of [
      { payload: -1 },
      { payload: 2 ** 31 },
      { payload: 1, name: 0.5 },
      { payload: 1, control: -1 },
    ]) {
      expect(() => new MessageBatch(2, room)).toThrow(RangeError);
    }
    expect(() => sendmmsg(fd, {} as MessageBatch)).toThrow(TypeError);
    expect(() => recvmmsg(fd, [] as unknown as MessageBatch)).toThrow(TypeError);
    expect(() => sendmmsg(fd, batch, 2)).toThrow(/sendmmsg: 'count'/);
    expect(() => recvmmsg(fd, batch, 1, 0, null, 2)).toThrow(/recvmmsg: 'first'/);
    expect(() => recvmmsg(fd, batch, 1, 0, new Uint8Array(1) as never)).toThrow(TypeError);
  });

  test('one whose memory was given away sends nothing, and receives nothing', () => {
    const { sender, receiver } = udpPair();
    const batch = batchOf('gone');
    structuredClone(batch.payloads.buffer, { transfer: [batch.payloads.buffer as ArrayBuffer] });
    expect(sendmmsg(sender, batch)).toBe(1);
    expect([...batch.sent]).toEqual([0]);
    send(sender, bytes('hello'));
    const incoming = new MessageBatch(2, { payload: 10 });
    structuredClone(incoming.payloads.buffer, { transfer: [incoming.payloads.buffer as ArrayBuffer] });
    expect(recvmmsg(receiver, incoming)).toBe(2);
    expect([...incoming.flags]).toEqual([0, MSG_TRUNC]);
    structuredClone(incoming.table.buffer, { transfer: [incoming.table.buffer as ArrayBuffer] });
    expect(() => recvmmsg(receiver, incoming, 0)).toThrow(/recvmmsg: 'table'/);
    expect(() => sendmmsg(sender, incoming)).toThrow(/sendmmsg: 'table'/);
  });

  test('messages that hold a pointer are refused in every slot', () => {
    const { sender } = udpPair();
    const batch = new MessageBatch(2, { payload: 1, control: 100 });
    batch.control(1).push(276, 1, new Uint8Array(40)); // SOL_RDS
    expect(() => sendmmsg(sender, batch)).toThrow(/sendmmsg: 'control'.*pointers/);
    expect(sendmmsg(sender, batch, 1)).toBe(1);
  });
});

test('a call allocates nothing', async () => {
  // A young generation of one MiB is collected often, unless nothing is put into it.
  const code = `
    import { AF_INET, bind, connect, getsockname, MessageBatch, recvmmsg, SOCK_DGRAM, sendmmsg, sockaddr_in, socket } from 'posix-sockets';
    const receiver = socket(AF_INET, SOCK_DGRAM);
    bind(receiver, sockaddr_in('127.0.0.1', 0));
    const sender = socket(AF_INET, SOCK_DGRAM);
    connect(sender, getsockname(receiver));
    const outgoing = new MessageBatch(2, { payload: 8 });
    outgoing.lengths.fill(8);
    const incoming = new MessageBatch(2, { payload: 8, control: 64 });
    let seen = 0;
    function rounds(count) {
      for (let i = 0; i < count; i++) {
        sendmmsg(sender, outgoing);
        const came = recvmmsg(receiver, incoming);
        for (let j = 0; j < came; j++) {
          seen += incoming.lengths[j] + incoming.flags[j] + incoming.bytes(j)[0];
          seen += incoming.name(j).length + incoming.control(j).length;
        }
      }
    }
    rounds(10_000); // until it is compiled
    console.log('begin');
    rounds(30_000);
    console.log('end');
    if (process.argv.includes('wasteful')) for (let i = 0; i < 40_000; i++) new Float64Array(16);
    console.log('wasted');`;
  const argv = ['--max-semi-space-size=1', '--trace-gc', '--input-type=module', '--eval', code, 'wasteful'];
  const { stdout, stderr } = await run(process.execPath, argv);
  expect(stderr).toBe('');
  const [, between, after] = /begin\n(.*)end\n(.*)wasted\n/s.exec(stdout) ?? [];
  expect(between).toBe('');
  expect(after).toMatch(/Scavenge/); // the measure measures
});

describe('numbers and buffers that nobody meant as a batch', () => {
  const buffer = fc.oneof(
    fc.nat(200).map((size) => ({ size, missing: false })),
    fc.constant({ size: 0, missing: true }),
  );
  const cells = fc.array(fc.oneof(fc.nat(40), fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })), { maxLength: 40 });
  const index = fc.oneof(fc.nat(9), fc.constantFrom(-1, 2 ** 31, 2 ** 53, 0.5, Number.NaN));

  /** A buffer in the middle of others' memory, and whether that is as it was. */
  function guarded({ size, missing }: { size: number; missing: boolean }) {
    const all = new Uint8Array(size + 128).fill(0xa5);
    const middle = all.subarray(64, 64 + size);
    return {
      bytes: missing ? null : middle,
      intact: () => all.every((byte, i) => byte === 0xa5 || (i >= 64 && i < 64 + size)),
    };
  }

  test('the answer is a number or an error, and nothing outside the buffers is touched', () => {
    const { sender, receiver } = udpPair();
    fc.assert(
      fc.property(buffer, buffer, buffer, cells, index, index, (payload, name, control, table, first, count) => {
        const areas = [payload, name, control].map(guarded);
        const rows = Int32Array.from(table);
        const attempt = (call: () => number) => {
          try {
            expect(Number.isInteger(call())).toBe(true);
          } catch (error) {
            expect(error instanceof RangeError || error instanceof TypeError, String(error)).toBe(true);
          }
        };
        const [payloads, names, controls] = areas.map(({ bytes }) => bytes) as [Uint8Array, Uint8Array, Uint8Array];
        attempt(() => raw.sendmmsg(sender, payloads, names, controls, rows, first, count, MSG_DONTWAIT));
        for (let i = 0; i < 3; i++) send(sender, bytes('a datagram'));
        attempt(() => raw.recvmmsg(receiver, payloads, names, controls, rows, first, count, MSG_DONTWAIT, null));
        expect(areas.every(({ intact }) => intact())).toBe(true);
        while (raw.recv(receiver, new Uint8Array(1), MSG_DONTWAIT) >= 0);
      }),
      { numRuns: 3000 },
    );
  });
});
