import { readdirSync, readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import {
  AF_UNIX,
  EINVAL,
  interrupt,
  PollFds,
  poll,
  pthread_sigmask,
  raw,
  SIG_BLOCK,
  SIG_SETMASK,
  SIGUSR2,
  SigSet,
  SOCK_STREAM,
  send,
  socketpair,
  terminate,
} from 'posix-sockets';
import { describe, expect, test } from 'vitest';
import { bytes, errorOf, opened, runNode, startWorker, until } from './support.js';

const unixPair = () => socketpair(AF_UNIX, SOCK_STREAM).map(opened) as [number, number];
const threads = () => readdirSync('/proc/self/task').length;

/** Fails when a promise is not kept within a second. */
function withinASecond<T>(promise: Promise<T>): Promise<T> {
  return Promise.race([
    promise,
    new Promise<never>((_, reject) => setTimeout(() => reject(new Error('it took more than a second')), 1000)),
  ]);
}

/** By native/threads.cc: the third real-time signal from above. */
const endingSignal = 62;

describe('interrupt', () => {
  test('ends the call that a worker waits in, once, and the worker goes on', async () => {
    const [here, there] = unixPair();
    const { worker, messages, untilBlockedOn } = await startWorker(
      `const buffer = new Uint8Array(8);
       try { sockets.recv(workerData, buffer); } catch (error) { post([error.code, error.syscall]); }
       post(sockets.raw.recv(workerData, buffer, 0));
       post(sockets.recv(workerData, buffer));`,
      there,
    );
    await untilBlockedOn(there);
    expect(interrupt(worker)).toBe(true);
    await until(() => messages.length === 1, 'the first call has ended');
    expect(messages).toEqual([['EINTR', 'recv']]);

    await untilBlockedOn(there);
    expect(raw.interrupt(worker.threadId)).toBe(1);
    await until(() => messages.length === 2, 'the second call has ended');
    expect(messages[1]).toBe(-4);

    await untilBlockedOn(there);
    send(here, bytes('data'));
    await until(() => messages.length === 3, 'the third call has ended');
    expect(messages[2]).toBe(4);
  });

  test('is not noticed by a worker that is in no system call, nor by the thread that sends it', async () => {
    const { worker, messages } = await startWorker(
      `const shared = new Int32Array(workerData);
       while (Atomics.load(shared, 0) === 0);
       post('went on');`,
      new SharedArrayBuffer(4),
    );
    expect(interrupt(worker)).toBe(true);
    expect(raw.interrupt(0)).toBe(1);
    expect(messages).toEqual([]);
    expect(poll(new PollFds(0), 1)).toBe(0);
  });

  test('answers false for a worker that does not use the package, or has ended', async () => {
    const worker = new Worker('setInterval(() => {}, 1000)', { eval: true });
    await until(() => worker.threadId > 0, 'it has a number');
    expect(interrupt(worker)).toBe(false);
    await worker.terminate();
    expect(interrupt(worker)).toBe(false);
    expect(raw.interrupt(-1)).toBe(0);
  });
});

/** A worker that receives for ever, as code of a module. */
const endless = `import { raw, socketpair } from 'posix-sockets';
  for (;;) raw.recv(socketpair(1, 1)[0], new Uint8Array(1), 0);`;

/** The same, which says so first. */
const begun = `import { parentPort } from 'node:worker_threads'; parentPort.postMessage(0); ${endless}`;

/** A program with a worker `outer` whose own worker receives for ever; once that one does, `then` follows in outer. */
const nested = (then: string) => `
  import { Worker } from 'node:worker_threads';
  const outer = new Worker(${JSON.stringify(`
    import { parentPort, Worker } from 'node:worker_threads';
    const inner = new Worker(${JSON.stringify(begun)}, { eval: true });
    inner.once('message', () => setTimeout(() => { parentPort.postMessage(0); ${then} }, 50));`)}, { eval: true });
  outer.on('exit', (code) => console.log('ended', code));`;

const endlessRecv = `for (;;) { try { sockets.recv(workerData, new Uint8Array(8)); } catch {} }`;

test('interrupt and terminate refuse what is no worker', () => {
  for (const other of [undefined, null, 5, {}, { threadId: 1 }]) {
    expect(() => interrupt(other as never)).toThrow('worker must be a Worker');
    expect(() => terminate(other as never)).toThrow('worker must be a Worker');
  }
});

describe('terminate', () => {
  test('ends a worker in an endless loop of blocking recv within a second', async () => {
    const [, there] = unixPair();
    const { worker, untilBlockedOn } = await startWorker(endlessRecv, there);
    await untilBlockedOn(there);
    expect(await withinASecond(terminate(worker))).toBe(1);
  });

  test('ends a worker that runs JavaScript, and one that has ended before', async () => {
    const { worker } = await startWorker('for (;;);');
    expect(await withinASecond(terminate(worker))).toBe(1);
    await terminate(worker);
  });

  test('ends a worker whose own worker waits in recv', async () => {
    const program = `${nested('')} outer.once('message', async () => (await import('posix-sockets')).terminate(outer));`;
    expect(await runNode(program)).toEqual({ code: 0, signal: null, stdout: 'ended 1\n', stderr: '' });
  });

  test('is not needed: worker.terminate and process.exit of a worker end its own workers, too', async () => {
    const terminated = `${nested('')} outer.once('message', () => outer.terminate());`;
    expect(await runNode(terminated)).toEqual({ code: 0, signal: null, stdout: 'ended 1\n', stderr: '' });
    const left = nested('process.exit(5);');
    expect(await runNode(left)).toEqual({ code: 0, signal: null, stdout: 'ended 5\n', stderr: '' });
  });

  test('leaves neither threads nor descriptors behind, over and over', async () => {
    const [, there] = unixPair();
    const atFirst = threads();
    for (let round = 0; round < 20; round++) {
      const workers = await Promise.all([startWorker(endlessRecv, there), startWorker(endlessRecv, there)]);
      if (round % 2 === 0) await workers[0].untilBlockedOn(there); // or before it got so far
      await withinASecond(Promise.all(workers.map(({ worker }) => terminate(worker))));
    }
    await until(() => threads() <= atFirst, 'the threads are gone');
  });

  test('does not touch the calls of other threads', async () => {
    const [, there] = unixPair();
    const doomed = await startWorker(endlessRecv, there);
    const [here, other] = unixPair();
    const spared = await startWorker('post(sockets.raw.recv(workerData, new Uint8Array(8), 0))', other);
    await doomed.untilBlockedOn(there);
    await spared.untilBlockedOn(other);
    await terminate(doomed.worker);
    expect(poll(new PollFds(0), 50)).toBe(0); // nor of this one
    expect(spared.messages).toEqual([]);
    send(here, bytes('ok'));
    await until(() => spared.messages.length > 0, 'the other call returns');
    expect(spared.messages).toEqual([2]);
  });

  test('can never be turned against the main thread', () => {
    expect(raw.interruptUntilGone(0)).toBe(0);
    expect(poll(new PollFds(0), 50)).toBe(0);
  });
});

/** Calls that wait for ever, by name, in a worker. */
const waits: Record<string, string> = {
  recv: 'sockets.raw.recv(pair()[0], new Uint8Array(1), 0)',
  read: 'sockets.raw.read(sockets.pipe2()[0], new Uint8Array(1))',
  readv: 'sockets.raw.readv(pair()[0], [new Uint8Array(1)])',
  recvmsg: 'sockets.raw.recvmsg(pair()[0], new Uint8Array(1), null, null, 0)',
  recvmmsg: 'sockets.raw.recvmmsg(pair()[0], new Uint8Array(1), null, null, new Int32Array(5), 0, 1, 0, null)',
  'send into a full buffer':
    'const [a] = pair(); for (;;) if (sockets.raw.send(a, new Uint8Array(65536), 0) < 0) break',
  accept: `const fd = sockets.socket(sockets.AF_INET, sockets.SOCK_STREAM);
           sockets.listen(fd, 1); sockets.raw.accept(fd, null)`,
  'connect to a full Unix listener': `
    const name = sockets.sockaddr_un('\\0full/' + process.pid + Math.random());
    const listener = sockets.socket(sockets.AF_UNIX, sockets.SOCK_STREAM);
    sockets.bind(listener, name); sockets.listen(listener, 0);
    for (;;) if (sockets.raw.connect(sockets.socket(sockets.AF_UNIX, sockets.SOCK_STREAM), name.bytes) < 0) break`,
  poll: 'sockets.raw.poll(new sockets.PollFds(0).bytes, -1)',
  'ppoll with all signals blocked': 'sockets.raw.ppoll(new sockets.PollFds(0).bytes, null, every)',
  select: 'sockets.raw.select(0, null, null, null, null)',
  'pselect with all signals blocked': 'sockets.raw.pselect(0, null, null, null, null, every)',
  epoll_wait: 'sockets.raw.epoll_wait(sockets.epoll_create1(), new sockets.EpollEvents(1).bytes, -1)',
  'epoll_pwait with all signals blocked':
    'sockets.raw.epoll_pwait(sockets.epoll_create1(), new sockets.EpollEvents(1).bytes, -1, every)',
  'epoll_pwait2 with all signals blocked':
    'sockets.raw.epoll_pwait2(sockets.epoll_create1(), new sockets.EpollEvents(1).bytes, null, every)',
  'recv with all signals blocked by pthread_sigmask':
    'sockets.raw.pthread_sigmask(sockets.SIG_BLOCK, every, null); sockets.raw.recv(pair()[0], new Uint8Array(1), 0)',
  splice: 'sockets.raw.splice(sockets.pipe2()[0], null, sockets.pipe2()[1], null, 1, 0)',
};

/** A program whose worker waits in a call, for ever; once it does, `then` follows. */
const waiting = (call: string, then: string) => `
  import 'posix-sockets';
  import { readFileSync } from 'node:fs';
  import { Worker } from 'node:worker_threads';
  const worker = new Worker(${JSON.stringify(`
    import { readlinkSync } from 'node:fs';
    import { parentPort } from 'node:worker_threads';
    import * as sockets from 'posix-sockets';
    const pair = () => sockets.socketpair(sockets.AF_UNIX, sockets.SOCK_STREAM);
    const every = new Uint8Array(128).fill(255);
    parentPort.postMessage(readlinkSync('/proc/thread-self'));
    for (;;) { ${call} }`)}, { eval: true });
  worker.once('message', (thread) => {
    let asleep = 0;
    const timer = setInterval(() => {
      asleep = readFileSync('/proc/' + thread + '/stat', 'utf8').includes(') S ') ? asleep + 1 : 0;
      if (asleep < 5) return;
      clearInterval(timer);
      process.stdout.write('waits\\n');
      ${then}
    }, 2);
  });`;

describe('process.exit ends a process whose worker waits in', () => {
  test.each(Object.entries(waits))('%s', async (_, call) => {
    const exit = 'process.exit(7);';
    expect(await runNode(waiting(call, exit))).toEqual({ code: 7, signal: null, stdout: 'waits\n', stderr: '' });
  });

  test('recv within a second', async () => {
    const { code, stderr } = await runNode(waiting(waits.recv as string, 'console.error(Date.now()); process.exit();'));
    const took = Date.now() - Number(stderr);
    expect({ code, withinASecond: took < 1000 }).toEqual({ code: 0, withinASecond: true });
  });

  test('recv, when the process ends by an error', async () => {
    const { code, signal, stderr } = await runNode(waiting(waits.recv as string, "throw new Error('the end')"));
    expect({ code, signal, stderr }).toEqual({ code: 1, signal: null, stderr: expect.stringContaining('the end') });
  });

  test('recv, as soon or as late as it comes to it', async () => {
    // The worker may load the package, or begin its call, only after the main thread has begun to exit.
    const start = (after: number) => `
      import 'posix-sockets';
      import { Worker } from 'node:worker_threads';
      for (let i = 0; i < 3; i++) new Worker(${JSON.stringify(endless)}, { eval: true });
      setTimeout(() => process.exit(3), ${after});`;
    for (let after = 0; after < 60; after += 6) {
      expect(await runNode(start(after))).toEqual({ code: 3, signal: null, stdout: '', stderr: '' });
    }
  });

  test('recv, when only the worker has loaded the package', async () => {
    const program = waiting(waits.recv as string, 'process.exit(7);').replace("import 'posix-sockets';", '');
    expect(await runNode(program)).toEqual({ code: 7, signal: null, stdout: 'waits\n', stderr: '' });
  });

  test('recv, when only a worker had loaded the package and ended it in time', async () => {
    // Node unmaps an addon with its last worker. A thread of ours still repeats signals then, and the handler is needed.
    const outer = `
      import { Worker } from 'node:worker_threads';
      import { terminate } from 'posix-sockets';
      const inner = new Worker(${JSON.stringify(begun)}, { eval: true });
      inner.once('message', () => terminate(inner));`;
    const { code, signal, stdout } = await runNode(`
      import { Worker } from 'node:worker_threads';
      new Worker(${JSON.stringify(outer)}, { eval: true }).on('exit', () => {
        setTimeout(() => process.kill(process.pid, ${endingSignal}), 50);
        setTimeout(() => console.log('alive'), 100);
      });`);
    expect({ code, signal, stdout }).toEqual({ code: 0, signal: null, stdout: 'alive\n' });
  });
});

describe('pthread_sigmask', () => {
  /** What the kernel says this thread blocks. */
  const blocked = () => {
    const [, mask] = /^SigBlk:\s*([0-9a-f]+)/m.exec(
      readFileSync('/proc/thread-self/status', 'utf8'),
    ) as RegExpExecArray;
    return BigInt(`0x${mask}`);
  };
  const bit = (signal: number) => 1n << BigInt(signal - 1);

  test('blocks a signal, and puts back the mask as it was', () => {
    const old = pthread_sigmask(SIG_BLOCK, new SigSet([SIGUSR2]));
    expect(old.has(SIGUSR2)).toBe(false);
    expect(blocked() & bit(SIGUSR2)).not.toBe(0n);
    expect(pthread_sigmask(SIG_SETMASK, null).has(SIGUSR2)).toBe(true); // null only asks
    expect(pthread_sigmask(SIG_SETMASK, old).has(SIGUSR2)).toBe(true);
    expect(blocked() & bit(SIGUSR2)).toBe(0n);
  });

  test('never blocks the signal that ends blocked calls', () => {
    const everything = new SigSet(Array.from({ length: 64 }, (_, i) => i + 1));
    const old = pthread_sigmask(SIG_SETMASK, everything);
    const mask = blocked();
    pthread_sigmask(SIG_SETMASK, old);
    expect(mask & bit(endingSignal)).toBe(0n);
    expect(mask & bit(endingSignal + 1)).not.toBe(0n);
  });

  test('refuses an unknown way, a mask that is too short, and what is no mask', () => {
    expect(errorOf(() => pthread_sigmask(99, new SigSet()))).toMatchObject({
      code: 'EINVAL',
      syscall: 'pthread_sigmask',
    });
    expect(raw.pthread_sigmask(99, new Uint8Array(128), null)).toBe(-EINVAL);
    expect(() => raw.pthread_sigmask(SIG_BLOCK, new Uint8Array(127), null)).toThrow(
      /'set' must be at least 128 bytes long/,
    );
    expect(() => raw.pthread_sigmask(SIG_BLOCK, null, new Uint8Array(127))).toThrow(
      /'oldset' must be at least 128 bytes/,
    );
    expect(() => pthread_sigmask(SIG_BLOCK, 5 as never)).toThrow(TypeError);
  });
});
