// File permissions say who may connect to a Unix socket, and the kernel says who did.
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  AF_UNIX,
  accept,
  bind,
  close,
  connect,
  getOption,
  listen,
  SOCK_STREAM,
  type SystemError,
  sockaddr_un,
  socket,
} from 'posix-sockets';
import { lesson } from './frame/lesson.js';

const nobody = 65534;

function attempt(path: string): { code: string; fd: number } {
  const fd = socket(AF_UNIX, SOCK_STREAM);
  try {
    connect(fd, sockaddr_un(path));
    return { code: 'connected', fd };
  } catch (error) {
    close(fd);
    return { code: (error as SystemError).code, fd: -1 };
  }
}

/** Does something as another user, if this one may. */
function as<T>(uid: number, work: () => T): T {
  const own = process.geteuid?.() as number;
  process.seteuid?.(uid);
  try {
    return work();
  } finally {
    process.seteuid?.(own);
  }
}

export default lesson({
  number: 10,
  rows: [10],
  title: { en: 'Who may connect', zh: '谁可以连接' },
  teach({ part, say, show, check }) {
    const root = process.geteuid?.() === 0;
    // Root passes every permission, so that root must be somebody else to be refused.
    const visitor = root ? nobody : (process.geteuid?.() as number);
    const folder = mkdtempSync(join(tmpdir(), 'posix-sockets-lesson-'));
    const path = join(folder, 'socket');
    chmodSync(folder, 0o755);
    const server = socket(AF_UNIX, SOCK_STREAM);
    bind(server, sockaddr_un(path));
    listen(server, 8);
    try {
      part('To connect is to write', '连接需要写权限');
      chmodSync(path, 0o777);
      const open = show(() => as(visitor, () => attempt(path)));
      check(
        open.code === 'connected',
        `Mode 777: user ${visitor} may connect.`,
        `模式 777：用户 ${visitor} 可以连接。`,
      );
      const connection = accept(server);

      part('And the server learns who it was', '服务器知道对方是谁');
      const peer = show(() => getOption(connection, 'SO_PEERCRED'));
      check(
        peer.uid === visitor,
        `SO_PEERCRED: user ${peer.uid}, process ${peer.pid}, noted by the kernel when connect was called.`,
        `SO_PEERCRED：用户 ${peer.uid}，进程 ${peer.pid}，由内核在调用 connect 时记录。`,
      );
      for (const fd of [open.fd, connection]) close(fd);

      part('Without the permission', '没有权限时');
      chmodSync(path, 0o555);
      const refused = show(() => as(visitor, () => attempt(path)));
      check(
        refused.code === 'EACCES',
        `Mode 555, to read and not to write: user ${visitor} gets EACCES.`,
        `模式 555，可读不可写：用户 ${visitor} 得到 EACCES。`,
      );
      if (root) {
        const asRoot = show(() => attempt(path));
        check(asRoot.code === 'connected', 'Root passes.', 'root 不受限制。');
        close(asRoot.fd);
        close(accept(server));
        chmodSync(path, 0o777);
        chmodSync(folder, 0o700);
        const outside = show(() => as(visitor, () => attempt(path)));
        check(
          outside.code === 'EACCES',
          'An open file in a closed folder: EACCES again. The folder is the safer lock, for it is there before bind.',
          '文件开放但目录关闭：又是 EACCES。目录是更可靠的锁，因为它在 bind 之前就存在。',
        );
      } else {
        say(
          'Root would pass every permission. To see a second user be refused, run this lesson as root.',
          'root 会通过所有权限检查。要看到另一个用户被拒绝，请以 root 身份运行本课。',
        );
      }
    } finally {
      close(server);
      chmodSync(folder, 0o700);
      rmSync(folder, { recursive: true });
    }
  },
  verdict: {
    right: {
      en: 'File permissions say who may connect: one needs to write to the socket file, and to search its folders.',
      zh: '文件权限决定谁可以连接：需要对套接字文件有写权限，并能搜索其所在目录。',
    },
    folklore: {
      en:
        'Abstract names have no file and so no permissions: everybody in the same network namespace may connect. And ' +
        'POSIX promises none of this; some old Unix systems ignored the permissions of the file.',
      zh: '抽象名字没有文件，也就没有权限：同一网络命名空间里的任何人都可以连接。而且 POSIX 并不保证这些；一些老 Unix 系统会忽略文件的权限。',
    },
    changed: {
      en:
        'Since Linux 6.5 SO_PEERPIDFD gives the peer as a descriptor. A process number may be given to another process ' +
        'once the peer has ended; a descriptor still means the same one.',
      zh: '自 Linux 6.5 起，SO_PEERPIDFD 以描述符的形式给出对端进程。对端结束后，它的进程号可能被别的进程重用；而描述符始终指同一个进程。',
    },
  },
});
