// The operations of the language that are no socket calls: files, users, signals, through Node itself.
import fs from 'node:fs';
import { F_SETFD, fcntl } from 'posix-sockets';
import type { Result } from './language.js';

// Node throws errors with the errno's name.
function outcome(call: () => (Omit<Result, 'value'> & { value?: Result['value'] }) | undefined): Result {
  try {
    return { value: 0, ...call() };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (!code || !/^E[A-Z0-9]+$/.test(code)) throw error;
    return { value: -1, errno: code };
  }
}

const done = (call: () => unknown) =>
  outcome(() => {
    call();
    return undefined;
  });

function typeOf(stats: fs.Stats): string {
  if (stats.isSocket()) return 'socket';
  if (stats.isFile()) return 'file';
  if (stats.isDirectory()) return 'directory';
  return stats.isSymbolicLink() ? 'link' : 'other';
}

function stats(call: () => fs.Stats): Result {
  return outcome(() => {
    const found = call();
    return { fields: { type: typeOf(found), mode: found.mode & 0o7777, size: found.size } };
  });
}

const never = new Int32Array(new SharedArrayBuffer(4));

export const rest = {
  set: (value: number): Result => ({ value }),
  open: (path: string, flags: number, mode = 0o600) =>
    outcome(() => {
      const value = fs.openSync(path, flags, mode);
      // Node adds O_CLOEXEC.
      if ((flags & 0o2000000) === 0) fcntl(value, F_SETFD, 0);
      return { value };
    }),
  unlink: (path: string) => done(() => fs.unlinkSync(path)),
  mkdir: (path: string, mode = 0o700) => done(() => fs.mkdirSync(path, mode)),
  chmod: (path: string, mode: number) => done(() => fs.chmodSync(path, mode)),
  rename: (from: string, to: string) => done(() => fs.renameSync(from, to)),
  symlink: (to: string, path: string) => done(() => fs.symlinkSync(to, path)),
  link: (to: string, path: string) => done(() => fs.linkSync(to, path)),
  umask: (mask: number): Result => ({ value: process.umask(mask) }),
  stat: (path: string) => stats(() => fs.statSync(path)),
  lstat: (path: string) => stats(() => fs.lstatSync(path)),
  // Node itself refuses a negative one.
  fstat: (fd: number) => (fd < 0 ? { value: -1, errno: 'EBADF' } : stats(() => fs.fstatSync(fd))),
  seteuid: (user: number) => done(() => process.seteuid?.(user)),
  writefile: (path: string, text: string) => done(() => fs.writeFileSync(path, text)),
  sleep: (milliseconds: number) => done(() => Atomics.wait(never, 0, 0, milliseconds)),
  kill: (pid: number, signal: number) => done(() => process.kill(pid, signal)),
};
