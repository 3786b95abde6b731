import { ftruncateSync, openSync, readFileSync, readlinkSync, readSync, writeFileSync, writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import {
  AF_UNIX,
  F_ADD_SEALS,
  F_GET_SEALS,
  F_SEAL_GROW,
  F_SEAL_SEAL,
  F_SEAL_SHRINK,
  F_SEAL_WRITE,
  FIONREAD,
  fcntl,
  ioctl,
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_PRIVATE,
  MAP_SHARED,
  MFD_ALLOW_SEALING,
  MFD_CLOEXEC,
  MSG_WAITALL,
  memfd_create,
  mmap,
  munmap,
  PROT_EXEC,
  PROT_NONE,
  PROT_READ,
  PROT_WRITE,
  pipe2,
  raw,
  recv,
  recvFds,
  SOCK_STREAM,
  sendFds,
  socket,
  socketpair,
  splice,
  supports,
  tcpZerocopyReceive,
  write,
} from 'posix-sockets';
import { describe, expect, test } from 'vitest';
import {
  bytes,
  closedFd,
  connected,
  connectedKinds,
  errorOf,
  folder,
  haveCompiler,
  havePython,
  type Kind,
  opened,
  run,
  runNode,
  until,
} from './support.js';

const page = 4096 * 16; // a multiple of every page size
const both = PROT_READ | PROT_WRITE;

/** Memory behind a descriptor, of one page unless said otherwise. */
function memory(size = page): number {
  const fd = opened(memfd_create('posix-sockets test', MFD_CLOEXEC | MFD_ALLOW_SEALING));
  ftruncateSync(fd, size);
  return fd;
}

const mappings = () =>
  readFileSync('/proc/self/maps', 'utf8')
    .split('\n')
    .filter((line) => line.includes('posix-sockets test'));

describe('memfd_create', () => {
  test('makes a file in memory, which has its name in /proc and no path', () => {
    const fd = opened(memfd_create('näme', MFD_CLOEXEC));
    expect(readlinkSync(`/proc/self/fd/${fd}`)).toBe('/memfd:näme (deleted)');
    writeSync(fd, 'content');
    const back = new Uint8Array(7);
    expect(readSync(fd, back, 0, 7, 0)).toBe(7);
    expect(back).toEqual(bytes('content'));
  });

  test('its seals hold', () => {
    const fd = memory();
    expect(fcntl(fd, F_GET_SEALS)).toBe(0);
    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL);
    expect(fcntl(fd, F_GET_SEALS)).toBe(F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL);
    expect(errorOf(() => write(fd, bytes('x'))).code).toBe('EPERM');
    expect(() => ftruncateSync(fd, 0)).toThrow('EPERM');
    expect(() => ftruncateSync(fd, 2 * page)).toThrow('EPERM');
    expect(errorOf(() => mmap(page, both, MAP_SHARED, fd)).code).toBe('EPERM');
    expect(errorOf(() => fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE)).code).toBe('EPERM');
    munmap(mmap(page, PROT_READ, MAP_SHARED, fd));
  });

  test('refuses a name that is too long, an unknown flag, what is no name', () => {
    expect(errorOf(() => memfd_create('x'.repeat(250))).code).toBe('EINVAL');
    expect(errorOf(() => memfd_create('x'.repeat(100_000))).code).toBe('EINVAL');
    expect(errorOf(() => memfd_create('x', 0x40000)).code).toBe('EINVAL');
    expect(() => memfd_create('a\0b')).toThrow(TypeError);
    expect(() => memfd_create(1 as never)).toThrow(TypeError);
    opened(memfd_create('', MFD_CLOEXEC));
  });

  test.skipIf(!havePython)('shares memory with a Python process (needs python3)', async () => {
    const fd = memory();
    const view = mmap(page, both, MAP_SHARED, fd);
    view.set(bytes('from JavaScript'));
    const path = `/proc/${process.pid}/fd/${fd}`;
    const program = `
import mmap, sys
with open(sys.argv[1], 'r+b') as f, mmap.mmap(f.fileno(), ${page}) as m:
    print(m[:15].decode()); m[:11] = b'from Python'`;
    expect(await run('python3', ['-c', program, path])).toMatchObject({ code: 0, stdout: 'from JavaScript\n' });
    expect(new TextDecoder().decode(view.subarray(0, 15))).toBe('from Pythonript');
    munmap(view);
  });

  test('is shared by passing its descriptor', () => {
    const [here, there] = socketpair(AF_UNIX, SOCK_STREAM).map(opened) as [number, number];
    const fd = memory();
    sendFds(here, [fd], bytes('x'));
    const [passed] = recvFds(there, 1, new Uint8Array(1)).fds;
    const mine = mmap(page, both, MAP_SHARED, fd);
    const theirs = mmap(page, both, MAP_SHARED, opened(passed as number));
    mine[7] = 42;
    expect(theirs[7]).toBe(42);
    munmap(mine);
    munmap(theirs);
  });
});

describe('mmap', () => {
  test('shows the bytes of a file, and shared changes reach it', () => {
    const fd = memory(2 * page);
    writeSync(fd, bytes('begin'), 0, 5, 0);
    writeSync(fd, bytes('second page'), 0, 11, page);
    const whole = mmap(2 * page, both, MAP_SHARED, fd);
    const second = mmap(page, both, MAP_SHARED, fd, page);
    expect(whole).toBeInstanceOf(Uint8Array);
    expect(whole.length).toBe(2 * page);
    expect(whole.subarray(0, 5)).toEqual(bytes('begin'));
    expect(second.subarray(0, 11)).toEqual(bytes('second page'));
    second[0] = 'S'.charCodeAt(0);
    const back = new Uint8Array(6);
    readSync(fd, back, 0, 6, page);
    expect(back).toEqual(bytes('Second'));
    munmap(whole);
    munmap(second);
  });

  test.for([
    ['MAP_PRIVATE', both, MAP_PRIVATE],
    ['PROT_READ alone', PROT_READ, MAP_SHARED],
  ] as const)('with %s, what is written stays here', ([, protection, flags]) => {
    const fd = memory();
    writeSync(fd, bytes('file'), 0, 4, 0);
    const view = mmap(page, protection, flags, fd);
    expect(view.subarray(0, 4)).toEqual(bytes('file'));
    view.set(bytes('mine'));
    expect(view.subarray(0, 4)).toEqual(bytes('mine'));
    const back = new Uint8Array(4);
    readSync(fd, back, 0, 4, 0);
    expect(back).toEqual(bytes('file'));
    munmap(view);
  });

  test('with PROT_READ alone, a file that is open for reading is enough', () => {
    const path = join(folder(), 'file');
    writeFileSync(path, 'a file');
    const fd = opened(openSync(path, 'r'));
    const view = mmap(6, PROT_READ, MAP_SHARED, fd);
    expect(view).toEqual(bytes('a file'));
    expect(errorOf(() => mmap(6, both, MAP_SHARED, fd)).code).toBe('EACCES');
    munmap(view);
  });

  test('with MAP_ANONYMOUS it is plain memory, of zeros', () => {
    const view = mmap(page, both, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    expect(view.every((byte) => byte === 0)).toBe(true);
    view.fill(1);
    munmap(view);
  });

  test('is refused as the kernel refuses it', () => {
    const fd = memory();
    const [, writeEnd] = pipe2().map(opened) as [number, number];
    const code = (call: () => unknown) => errorOf(call).code;
    expect(code(() => mmap(page, both, MAP_SHARED, closedFd))).toBe('EBADF');
    expect(code(() => mmap(page, both, MAP_SHARED, writeEnd))).toBe('EACCES');
    expect(code(() => mmap(page, both, MAP_SHARED, opened(socket(AF_UNIX, SOCK_STREAM))))).toBe('ENODEV');
    expect(code(() => mmap(0, both, MAP_SHARED, fd))).toBe('EINVAL');
    expect(code(() => mmap(100, both, MAP_SHARED, fd, 1))).toBe('EINVAL');
    expect(code(() => mmap(page, both, 0, fd))).toBe('EINVAL');
  });

  test('refuses what could end the process when it is touched', () => {
    const fd = memory();
    for (const length of [page + 1, 2 * page, 2 ** 40]) {
      expect(() => mmap(length, both, MAP_SHARED, fd)).toThrow("mmap: 'length' must be within the file");
    }
    expect(() => mmap(page, both, MAP_SHARED, fd, page)).toThrow(RangeError);
    expect(() => mmap(1, both, MAP_SHARED, fd, 2 ** 52)).toThrow(RangeError);
    expect(() => mmap(1, both, MAP_SHARED, fd, -page)).toThrow(RangeError);
    expect(() => mmap(page, PROT_NONE, MAP_SHARED, fd)).toThrow("'prot' must be PROT_READ or PROT_READ | PROT_WRITE");
    expect(() => mmap(page, both | PROT_EXEC, MAP_SHARED, fd)).toThrow(RangeError);
    expect(() => mmap(page, both, MAP_SHARED | MAP_FIXED, fd)).toThrow("'flags' must be of MAP_SHARED");
    expect(mappings()).toEqual([]);
  });

  test('more than an array can hold is an error, and leaves nothing mapped', () => {
    const before = readFileSync('/proc/self/maps', 'utf8').split('\n').length;
    expect(() => mmap(2 ** 45, both, MAP_PRIVATE | MAP_ANONYMOUS, -1)).toThrow();
    expect(readFileSync('/proc/self/maps', 'utf8').split('\n').length).toBeLessThan(before + 5);
  });

  test('goes with its array when that is collected', async () => {
    const code = `
import { ftruncateSync, readFileSync } from 'node:fs';
import { MAP_SHARED, memfd_create, mmap, PROT_READ } from 'posix-sockets';
const fd = memfd_create('collected', 0);
ftruncateSync(fd, 4096);
const count = () => readFileSync('/proc/self/maps', 'utf8').split('memfd:collected').length - 1;
for (let i = 0; i < 50; i++) mmap(4096, PROT_READ, MAP_SHARED, fd);
console.log(count());
for (let i = 0; i < 100 && count() > 0; i++) {
  globalThis.gc();
  await new Promise((resolve) => setTimeout(resolve, 10));
}
console.log(count());`;
    const { stdout } = await run(process.execPath, ['--expose-gc', '--input-type=module', '--eval', code]);
    expect(stdout).toBe('50\n0\n');
  });

  test('goes with its worker when that ends', async () => {
    const fd = memory();
    const code = `
const { workerData, parentPort } = require('node:worker_threads');
import('posix-sockets').then(({ mmap, PROT_READ, MAP_SHARED }) => {
  globalThis.kept = mmap(${page}, PROT_READ, MAP_SHARED, workerData);
  parentPort.postMessage(kept.length);
});`;
    const worker = new Worker(code, { eval: true, workerData: fd });
    expect(await new Promise((resolve) => worker.once('message', resolve))).toBe(page);
    await until(() => mappings().length === 0, 'the mapping has gone');
  });
});

describe('munmap', () => {
  test('detaches the array and every view of it', () => {
    const fd = memory();
    const view = mmap(page, both, MAP_SHARED, fd);
    const part = view.subarray(8, 16);
    const data = new DataView(view.buffer);
    expect(mappings().length).toBe(1);
    munmap(view);
    expect(mappings()).toEqual([]);
    expect([view.length, part.length, view.buffer.byteLength, view[0]]).toEqual([0, 0, 0, undefined]);
    expect(() => data.getUint8(0)).toThrow(TypeError);
  });

  test('takes only the whole array, and once', () => {
    const fd = memory();
    const view = mmap(page, both, MAP_SHARED, fd);
    const wrong = [
      view.subarray(1),
      view.subarray(0, 8),
      new DataView(view.buffer),
      view.buffer,
      new Uint16Array(view.buffer),
    ];
    for (const not of [...wrong, new Uint8Array(page), new Uint8Array(0), null, undefined, {}, 1]) {
      expect(() => munmap(not as never)).toThrow(TypeError);
      expect(() => raw.munmap(not as never)).toThrow(
        "munmap: 'addr' must be the whole array that mmap made, and still mapped",
      );
    }
    expect(mappings().length).toBe(1);
    munmap(new Uint8Array(view.buffer)); // another view of the whole is as good
    expect(() => munmap(view)).toThrow(TypeError);
  });

  test('a detached or moved array has nothing to unmap', async () => {
    const code = `
import { ftruncateSync } from 'node:fs';
import { MAP_SHARED, memfd_create, mmap, munmap, PROT_READ } from 'posix-sockets';
const fd = memfd_create('moved', 0);
ftruncateSync(fd, 4096);
const view = mmap(4096, PROT_READ, MAP_SHARED, fd);
let moved = view.buffer.transfer ? view.buffer.transfer() : structuredClone(view.buffer, { transfer: [view.buffer] });
const code = (call) => { try { call(); return 'unmapped'; } catch (error) { return error.name; } };
console.log(code(() => munmap(new Uint8Array(moved))), new Uint8Array(moved)[0]);
moved = undefined;
for (let i = 0; i < 3; i++) { globalThis.gc(); await new Promise((resolve) => setTimeout(resolve, 10)); }
if (view.length === 0) console.log(code(() => munmap(view)));
else console.log('TypeError');`;
    const { code: status, stdout } = await run(process.execPath, [
      '--expose-gc',
      '--input-type=module',
      '--eval',
      code,
    ]);
    expect([status, stdout]).toEqual([0, 'TypeError 0\nTypeError\n']);
  });
});

// Where a runtime keeps all memory in a cage of its own, it refuses what Node grants. Here the addon is one whose import
// of that function of Node-API leads to a function of ours, which refuses.
describe.skipIf(!haveCompiler)('a runtime that makes no arrays over memory of others (needs g++)', () => {
  test('gets a clear error from mmap and from a ring, and nothing stays mapped', async () => {
    const where = folder();
    const [wanted, ours] = ['napi_create_external_arraybuffer', 'napi_refuse_external_arraybuffer'];
    const [source, library, addon] = ['refuse.cc', 'refuse.so', 'addon.node'].map((name) => join(where, name));
    writeFileSync(source as string, `extern "C" int ${ours}() { return 22; } // napi_no_external_buffers_allowed`);
    const compiled = await run('g++', ['-shared', '-fPIC', '-o', library as string, source as string]);
    expect(compiled).toMatchObject({ code: 0, stderr: '' });
    const { path } = createRequire(import.meta.url)('node-gyp-build') as { path(folder: string): string };
    const original = readFileSync(path(join(import.meta.dirname, '..')), 'latin1');
    expect(original).toContain(wanted);
    writeFileSync(addon as string, original.replaceAll(wanted, ours), 'latin1');
    const code = `
const { raw } = require(${JSON.stringify(addon)});
const attempt = (call) => { try { return call(); } catch ({ code, message }) { return [code, message]; } };
const fd = raw.memfd_create(Buffer.from('refused'), 0);
raw.write(fd, Buffer.from('content'));
const ring = raw.io_uring_setup(1, new Uint8Array(120));
const answers = [attempt(() => raw.mmap(7, 1, 1, fd, 0)), ring < 0 ? null : attempt(() => raw.io_uring_memory(ring, 64))];
const left = require('fs').readFileSync('/proc/self/maps', 'utf8').match(/memfd:refused/g);
console.log(JSON.stringify([...answers, left]));`;
    const preload = [process.env.LD_PRELOAD, library].filter(Boolean).join(':');
    const { stdout, stderr } = await run('env', [`LD_PRELOAD=${preload}`, process.execPath, '--eval', code]);
    expect(stderr).toBe('');
    const [mapped, ring, left] = JSON.parse(stdout);
    const refused = ['ERR_NO_EXTERNAL_BUFFERS', expect.stringContaining('this runtime makes no array over memory')];
    expect([mapped, left]).toEqual([refused, null]);
    if (supports('io_uring_setup') === 'yes') expect(ring).toEqual(refused);
  });
});

describe('a file that shrinks while it is mapped', () => {
  test('ends the process when the lost page is touched, as in C (SIGBUS)', async () => {
    const code = `
import { ftruncateSync } from 'node:fs';
import { MAP_SHARED, memfd_create, mmap, PROT_READ } from 'posix-sockets';
const fd = memfd_create('shrunk', 0);
ftruncateSync(fd, 4096);
const view = mmap(4096, PROT_READ, MAP_SHARED, fd);
ftruncateSync(fd, 0);
console.log(view[0]);`;
    expect((await runNode(code)).signal).toBe('SIGBUS');
  });
});

// ---- TCP_ZEROCOPY_RECEIVE

const tcp = connectedKinds.find(([name]) => name === 'TCP over IPv4')?.[1] as Kind;
const arrived = (fd: number, length: number) =>
  until(() => ioctl(fd, FIONREAD) === length, `${length} bytes have arrived`);

describe('tcpZerocopyReceive', () => {
  test('maps the pages that have arrived', async () => {
    const [from, to] = connected(tcp);
    // The pages of a pipe travel as they are, for splice moves them and does not copy.
    const [out, into] = pipe2().map(opened) as [number, number];
    const size = 4096;
    const content = new Uint8Array(8 * size).map((_, i) => Math.floor(i / size) + 1);
    expect(write(into, content)).toBe(content.length);
    expect(splice(out, null, from, null, content.length, 0)).toBe(content.length);
    await arrived(to, content.length);

    const view = mmap(16 * size, PROT_READ, MAP_SHARED, to);
    const { mapped } = tcpZerocopyReceive(to, view);
    expect(mapped).toBeGreaterThan(0);
    expect(mapped % size).toBe(0);
    expect(Buffer.compare(view.subarray(0, mapped), content.subarray(0, mapped))).toBe(0);
    expect(ioctl(to, FIONREAD)).toBe(content.length - mapped);
    munmap(view);
  });

  test('maps what comes next into the same memory, in place of what was there', async () => {
    const [from, to] = connected(tcp);
    const [out, into] = pipe2().map(opened) as [number, number];
    const view = mmap(4 * 4096, PROT_READ, MAP_SHARED, to);
    for (const round of [1, 2, 3]) {
      write(into, new Uint8Array(4 * 4096).fill(round));
      splice(out, null, from, null, 4 * 4096, 0);
      await arrived(to, 4 * 4096);
      const { mapped } = tcpZerocopyReceive(to, view);
      expect(mapped).toBeGreaterThan(0);
      expect(view.subarray(0, mapped)).toEqual(new Uint8Array(mapped).fill(round));
      if (mapped < view.length) recv(to, new Uint8Array(view.length - mapped), MSG_WAITALL);
    }
    munmap(view);
  });

  test('copies what is too little for a page, or says how much to read', async () => {
    const [from, to] = connected(tcp);
    write(from, bytes('little'));
    await arrived(to, 6);
    const view = mmap(4096, PROT_READ, MAP_SHARED, to);
    const answer = tcpZerocopyReceive(to, view);
    expect([answer.mapped, answer.recv_skip_hint, answer.inq]).toEqual([0, 6, 6]);

    const copy = new Uint8Array(64);
    expect(tcpZerocopyReceive(to, view, copy, answer)).toBe(answer);
    expect([answer.mapped, answer.copybuf_len, answer.inq]).toEqual([0, 6, 0]);
    expect(copy.subarray(0, 6)).toEqual(bytes('little'));
    munmap(view);
  });

  test('refuses memory that is no mapping of a TCP socket', async () => {
    const [from, to] = connected(tcp);
    write(from, new Uint8Array(page));
    await arrived(to, page);
    const code = (mapping: Uint8Array) => errorOf(() => tcpZerocopyReceive(to, mapping)).code;
    const other = mmap(page, both, MAP_SHARED, memory());
    for (const not of [new Uint8Array(4096), new Uint8Array(0), other]) expect(code(not)).toBe('EINVAL');
    munmap(other);
    expect(code(other)).toBe('EINVAL');
    expect(errorOf(() => tcpZerocopyReceive(closedFd, new Uint8Array(4096))).code).toBe('EBADF');
    expect(() => raw.tcpZerocopyReceive(to, new Uint8Array(4096), null, new Uint8Array(63))).toThrow(RangeError);
    expect(() => raw.tcpZerocopyReceive(to, 'text' as never, null, new Uint8Array(64))).toThrow(TypeError);
  });

  test('a TCP socket is mapped for reading only', () => {
    expect(errorOf(() => mmap(4096, both, MAP_SHARED, connected(tcp)[1])).code).toBe('EPERM');
  });
});
