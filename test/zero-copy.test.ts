import * as fc from 'fast-check';
import {
  AF_INET,
  AF_INET6,
  AF_UNIX,
  ControlBuffer,
  close,
  connect,
  EAGAIN,
  EOPNOTSUPP,
  EPIPE,
  IP_RECVERR,
  IPPROTO_IP,
  MSG_DONTWAIT,
  recv,
  SHUT_WR,
  SO_EE_CODE_ZEROCOPY_COPIED,
  SO_EE_ORIGIN_ZEROCOPY,
  SO_TIMESTAMPING,
  SOCK_DGRAM,
  SOF_TIMESTAMPING_OPT_TSONLY,
  SOF_TIMESTAMPING_SOFTWARE,
  SOF_TIMESTAMPING_TX_SOFTWARE,
  SOL_SOCKET,
  setOption,
  setsockopt,
  shutdown,
  sock_extended_err,
  sockaddr_unspec,
  socketpair,
  ZeroCopyBuffer,
  ZeroCopySender,
} from 'posix-sockets';
import { describe, expect, test } from 'vitest';
import { nextError, patient, receive, udpPair } from './message-support.js';
import { bytes, connected, connectedKinds, errorOf, type Kind, opened, run, until } from './support.js';

const tcp = () =>
  connected(new Map(connectedKinds).get('TCP over IPv4') as Kind).map(patient) as [client: number, server: number];

/** Bytes that no two places have in common. */
function patterned(size: number, seed = 1): Uint8Array {
  return Uint8Array.from({ length: size }, (_, i) => (i * 31 + (i >> 8) * seed + seed) & 0xff);
}

function filled(content: Uint8Array): ZeroCopyBuffer {
  const buffer = new ZeroCopyBuffer(content.length);
  buffer.bytes.set(content);
  return buffer;
}

/** Receives so many bytes of a stream. */
function receiveAll(fd: number, length: number): Uint8Array {
  const content = new Uint8Array(length);
  for (let at = 0; at < length; ) {
    const part = recv(fd, content.subarray(at), 0);
    if (part === 0) break;
    at += part;
  }
  return content;
}

/** Reaps until all is complete. */
async function reapAll(sender: ZeroCopySender): Promise<ZeroCopyBuffer[]> {
  const free: ZeroCopyBuffer[] = [];
  await until(() => {
    free.push(...sender.reap());
    return sender.inFlight === 0;
  }, 'all sends are complete');
  return free;
}

/** What the kernel would say of the sends from the first number to the last. */
function completion(first: number, last: number, code = 0): ControlBuffer {
  const error = new Uint8Array(32);
  error.set(
    new sock_extended_err({ ee_origin: SO_EE_ORIGIN_ZEROCOPY, ee_code: code, ee_info: first, ee_data: last }).bytes,
  );
  return new ControlBuffer(64).push(IPPROTO_IP, IP_RECVERR, error);
}

describe('a buffer given to the kernel', () => {
  test("is nobody else's until its completion is read, and then as it was", async () => {
    const [client, server] = tcp();
    const sender = new ZeroCopySender(client);
    const content = patterned(100_000);
    const buffer = filled(content);
    const early = buffer.bytes;
    expect(sender.send(buffer)).toBe(content.length);
    expect([buffer.inFlight, sender.inFlight]).toEqual([true, 1]);
    expect(() => buffer.bytes).toThrow(/kernel may still read/);
    expect(early).toHaveLength(0);
    early[0] = 99; // reaches nobody
    expect(() => early.fill(99)).toThrow(TypeError);
    expect(receiveAll(server, content.length)).toEqual(content);
    expect(await reapAll(sender)).toEqual([buffer]);
    expect([buffer.inFlight, sender.copied]).toEqual([false, 1]); // over loopback the kernel copies in the end
    expect(buffer.bytes).toEqual(content);
    buffer.bytes.fill(7);
    sender.send(buffer);
    expect(receiveAll(server, content.length)).toEqual(new Uint8Array(content.length).fill(7));
    await reapAll(sender);
  });

  test.for([
    ['IPv4', AF_INET],
    ['IPv6', AF_INET6],
  ] as const)('works for datagrams over %s, whose completions come together', async ([, family]) => {
    const { sender: fd, receiver } = udpPair(family);
    const sender = new ZeroCopySender(fd);
    const buffers = [1, 2, 3].map((seed) => filled(patterned(1200, seed)));
    for (const buffer of buffers) expect(sender.send(buffer)).toBe(1200);
    for (const [i] of buffers.entries()) expect(receiveAll(receiver, 1200)).toEqual(patterned(1200, i + 1));
    expect(await reapAll(sender)).toEqual(buffers);
  });

  test('is free when all who sent it are done', async () => {
    const [one, other] = [tcp(), tcp()];
    const senders = [one, other].map(([client]) => new ZeroCopySender(client)) as [ZeroCopySender, ZeroCopySender];
    const buffer = filled(patterned(50_000));
    for (const sender of senders)
      for (let i = 0; i < 2; i++) expect(sender.send(buffer, i * 25_000, 25_000)).toBe(25_000);
    for (const [, server] of [one, other]) expect(receiveAll(server, 50_000)).toEqual(patterned(50_000));
    expect(await reapAll(senders[0])).toEqual([]);
    expect(buffer.inFlight).toBe(true);
    expect(await reapAll(senders[1])).toEqual([buffer]);
    expect(buffer.bytes).toEqual(patterned(50_000));
  });

  test('is many datagrams with UDP_SEGMENT, and one send', async () => {
    const { sender: fd, receiver } = udpPair();
    setOption(fd, 'UDP_SEGMENT', 1000);
    const sender = new ZeroCopySender(fd);
    const content = patterned(5500);
    const buffer = filled(content);
    expect(sender.send(buffer)).toBe(5500);
    expect(sender.inFlight).toBe(1);
    for (let at = 0; at < 5500; at += 1000) {
      const part = new Uint8Array(2000);
      expect(part.subarray(0, recv(receiver, part))).toEqual(content.subarray(at, at + 1000));
    }
    expect(await reapAll(sender)).toEqual([buffer]);
  });

  test('goes to an address, in part', async () => {
    const { receiver, address } = udpPair();
    const { sender: fd } = udpPair();
    connect(fd, sockaddr_unspec());
    const sender = new ZeroCopySender(fd);
    expect(sender.send(filled(bytes('not this, but this')), 10, 8, 0, address)).toBe(8);
    expect(receive(receiver).payload).toBe('but this');
    await reapAll(sender);
  });

  // Blocks are small enough to come from the allocator's heap, where freed memory is soon somebody else's.
  test('stays in memory though the program has let go of everything', async () => {
    const code = `
      import { AF_INET, SOCK_STREAM, SOL_SOCKET, SO_SNDBUF, accept, bind, connect, getsockname, listen, raw, recv, setsockopt,
        sockaddr_in, socket, ZeroCopyBuffer, ZeroCopySender, MSG_DONTWAIT, EAGAIN } from 'posix-sockets';
      const listener = socket(AF_INET, SOCK_STREAM);
      bind(listener, sockaddr_in('127.0.0.1', 0));
      listen(listener, 1);
      const client = socket(AF_INET, SOCK_STREAM);
      connect(client, getsockname(listener));
      const server = accept(listener);
      const size = 60_000;
      let length = 0, blocks = 0;
      const gone = [];
      (function () {
        const sender = new ZeroCopySender(client);
        for (;; blocks++) {
          const buffer = new ZeroCopyBuffer(size);
          buffer.bytes.fill(blocks + 1);
          gone.push(new WeakRef(buffer));
          let sent;
          try {
            sent = sender.send(buffer, 0, size, MSG_DONTWAIT);
          } catch (error) {
            if (error.code !== 'EAGAIN') throw error;
            gone.pop();
            return;
          }
          length += sent;
          if (sent < size) return void blocks++;
        }
      })();
      for (let i = 0; i < 5; i++) {
        await new Promise((resolve) => setTimeout(resolve, 5));
        gc();
        for (let j = 0; j < 200; j++) new Uint8Array(size).fill(0xee);
      }
      const kept = gone.filter((reference) => reference.deref()).length;
      const part = new Uint8Array(size);
      let at = 0, wrong = 0;
      while (at < length) {
        const came = recv(server, part, 0);
        for (let i = 0; i < came; i++) if (part[i] !== (Math.floor((at + i) / size) + 1) % 256) wrong++;
        at += came;
      }
      console.log(JSON.stringify({ blocks, kept, wrong }));`;
    const { stdout, stderr } = await run(process.execPath, ['--expose-gc', '--input-type=module', '--eval', code]);
    expect(stderr).toBe('');
    const { blocks, kept, wrong } = JSON.parse(stdout);
    expect(blocks).toBeGreaterThan(2);
    expect({ kept, wrong }).toEqual({ kept: blocks, wrong: 0 });
  });
});

describe("when a send fails the buffer is the program's as before, and the count goes on", () => {
  test('a datagram that is too long', async () => {
    const { sender: fd, receiver } = udpPair();
    const sender = new ZeroCopySender(fd);
    const buffer = new ZeroCopyBuffer(70_000);
    const good = filled(bytes('good'));
    for (let i = 0; i < 3; i++) {
      expect(errorOf(() => sender.send(buffer)).code).toBe('EMSGSIZE');
      expect([buffer.inFlight, sender.inFlight]).toEqual([false, 0]);
      expect(buffer.bytes).toHaveLength(70_000);
      sender.send(good);
      expect(receive(receiver).payload).toBe('good');
      expect(await reapAll(sender)).toEqual([good]);
    }
  });

  test('a stream that is full, and then drained', async () => {
    const [client, server] = tcp();
    const sender = new ZeroCopySender(client);
    let length = 0;
    const sendAll = () => {
      for (;;) {
        try {
          length += sender.send(filled(patterned(50_000)), 0, 50_000, MSG_DONTWAIT);
        } catch (error) {
          return expect(error).toMatchObject({ code: 'EAGAIN' });
        }
      }
    };
    for (let round = 0; round < 3; round++) {
      sendAll();
      expect(sender.inFlight).toBeGreaterThan(0);
      for (; length > 0; length -= recv(server, new Uint8Array(Math.min(length, 1 << 20)), 0));
      await reapAll(sender);
    }
  });

  test('a stream that was shut down', () => {
    const [client] = tcp();
    const sender = new ZeroCopySender(client);
    shutdown(client, SHUT_WR);
    const buffer = filled(bytes('x'));
    expect(errorOf(() => sender.send(buffer)).errno).toBe(-EPIPE);
    expect([buffer.inFlight, buffer.bytes]).toEqual([false, bytes('x')]);
  });

  test('too much locked memory (ENOBUFS), until what is in flight is reaped', async () => {
    const code = `
      import { AF_INET, SOCK_STREAM, accept, bind, connect, getsockname, listen, recv, sockaddr_in, socket, ZeroCopyBuffer,
        ZeroCopySender } from 'posix-sockets';
      if (process.getuid() === 0) {
        process.setgroups([]);
        process.setgid(65534);
        process.setuid(65534);
      }
      const listener = socket(AF_INET, SOCK_STREAM);
      bind(listener, sockaddr_in('127.0.0.1', 0));
      listen(listener, 1);
      const client = socket(AF_INET, SOCK_STREAM);
      connect(client, getsockname(listener));
      const server = accept(listener);
      const sender = new ZeroCopySender(client);
      const codes = [];
      const attempt = (size) => {
        try {
          codes.push(sender.send(new ZeroCopyBuffer(size)));
          return size;
        } catch (error) {
          codes.push(error.code);
          return 0;
        }
      };
      let length = attempt(40_000) + attempt(40_000);
      for (; length > 0; length -= recv(server, new Uint8Array(length), 0));
      while (sender.inFlight > 0) sender.reap();
      attempt(40_000);
      console.log(codes.join(' '));`;
    const node = [process.execPath, '--input-type=module', '--eval', code];
    const { stdout, stderr } = await run('sh', ['-c', 'ulimit -l 64 && exec "$@"', '-', ...node]);
    expect(stderr).toBe('');
    expect(stdout.trim()).toBe('40000 ENOBUFS 40000');
  });
});

describe('completions', () => {
  test('come when a stream is made to drop what it has not sent', async () => {
    const [client] = tcp();
    const sender = new ZeroCopySender(client);
    const sends = () => {
      for (;;) sender.send(new ZeroCopyBuffer(50_000), 0, 50_000, MSG_DONTWAIT);
    };
    expect(errorOf(sends).errno).toBe(-EAGAIN);
    sender.reap();
    const waiting = sender.inFlight;
    expect(waiting).toBeGreaterThan(0);
    connect(client, sockaddr_unspec());
    expect(await reapAll(sender)).toHaveLength(waiting);
  });

  test('are also taken from a program that reads the error queue itself, beside what else is in it', async () => {
    const { sender: fd, receiver } = udpPair();
    const sender = new ZeroCopySender(fd);
    const stamps = SOF_TIMESTAMPING_SOFTWARE | SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_OPT_TSONLY;
    setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPING, stamps);
    const buffer = filled(bytes('hello'));
    sender.send(buffer);
    expect(receive(receiver).payload).toBe('hello');
    const seen: unknown[] = [];
    for (let i = 0; i < 2; i++) {
      const { control } = await nextError(fd);
      seen.push([control.get('SCM_TIMESTAMPING') !== undefined, sender.complete(control)]);
    }
    expect(seen).toContainEqual([true, []]);
    expect(seen).toContainEqual([false, [buffer]]);
    expect(sender.inFlight).toBe(0);
  });

  test('count round after 2^32', () => {
    const { sender: fd } = udpPair();
    const sender = new ZeroCopySender(fd);
    const buffers = [0, 1, 2].map(() => filled(bytes('x')));
    for (const buffer of buffers) sender.send(buffer);
    expect(sender.complete(completion(0xffff_fff0, 0xffff_ffff))).toEqual([]);
    expect(sender.complete(completion(0xffff_ffff, 1, SO_EE_CODE_ZEROCOPY_COPIED))).toEqual(buffers.slice(0, 2));
    expect([sender.inFlight, sender.copied]).toEqual([1, 2]);
    expect(sender.complete(completion(1, 1))).toEqual([]);
    expect(sender.complete(completion(2, 2))).toEqual(buffers.slice(2));
    expect(sender.copied).toBe(2);
  });

  test('that make no sense free nothing that they do not name, at once', () => {
    const word = fc.oneof(fc.nat(20), fc.integer({ min: 0, max: 2 ** 32 - 1 }));
    fc.assert(
      fc.property(word, word, fc.nat(255), (first, last, code) => {
        const { sender: fd, receiver } = udpPair();
        const sender = new ZeroCopySender(fd);
        for (let i = 0; i < 5; i++) sender.send(filled(bytes('x')));
        const named = [0, 1, 2, 3, 4].filter((i) =>
          first <= last ? i >= first && i <= last : i >= first || i <= last,
        );
        expect(sender.complete(completion(first, last, code))).toHaveLength(named.length);
        expect(sender.inFlight).toBe(5 - named.length);
        sender.complete(completion(0, 4));
        close(fd);
        close(receiver);
      }),
      { numRuns: 200 },
    );
    const { sender: fd } = udpPair();
    const sender = new ZeroCopySender(fd);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (content) => {
        expect(sender.complete(new ControlBuffer(content))).toEqual([]);
      }),
    );
  });
});

test('refuses what makes no sense', async () => {
  const [unix] = socketpair(AF_UNIX, SOCK_DGRAM).map(opened) as [number, number];
  expect(errorOf(() => new ZeroCopySender(unix)).errno).toBe(-EOPNOTSUPP);
  expect(errorOf(() => new ZeroCopySender(1_000_000)).code).toBe('EBADF');
  expect(() => new ZeroCopyBuffer(-1)).toThrow(RangeError);
  const { sender: fd, receiver } = udpPair();
  const sender = new ZeroCopySender(fd);
  const buffer = filled(bytes('0123'));
  for (const [offset, length] of [[-1], [0, 5], [5], [4, 1], [0.5, 9]] as const) {
    expect(() => sender.send(buffer, offset, length), `${offset}, ${length}`).toThrow(RangeError);
  }
  expect([sender.inFlight, buffer.bytes]).toEqual([0, bytes('0123')]);
  structuredClone(buffer.bytes.buffer, { transfer: [buffer.bytes.buffer as ArrayBuffer] });
  expect(() => sender.send(buffer)).toThrow(RangeError);
  expect(sender.inFlight).toBe(0);
  // Of nothing there is no completion to wait for.
  expect(sender.send(new ZeroCopyBuffer(0))).toBe(0);
  expect([sender.inFlight, receive(receiver).length]).toEqual([0, 0]);
  sender.send(filled(bytes('x')));
  expect(await reapAll(sender)).toHaveLength(1);
  close(fd);
  expect(errorOf(() => sender.reap()).code).toBe('EBADF');
});
