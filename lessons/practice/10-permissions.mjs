// Exercise 10: let only the owner of the socket file connect.
// 练习 10：只允许套接字文件的主人连接。
import { chmodSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AF_UNIX, bind, close, listen, SOCK_STREAM, sockaddr_un, socket } from 'posix-sockets';
import { check, hint } from 'posix-sockets/practice';

const folder = mkdtempSync(join(tmpdir(), 'posix-sockets-practice-'));
const path = join(folder, 'socket');
process.on('exit', () => rmSync(folder, { recursive: true }));
const server = socket(AF_UNIX, SOCK_STREAM);
bind(server, sockaddr_un(path));
hint(
  'To connect one needs permission to write to the socket file: chmodSync(path, 0o600) leaves it to the owner.',
  '连接需要对套接字文件有写权限：chmodSync(path, 0o600) 只留给主人。',
);
// HERE

listen(server, 1);
const { mode } = statSync(path);
check((mode & 0o200) !== 0, 'The owner may connect.', '主人可以连接。');
check((mode & 0o077) === 0, 'Nobody else may.', '其他人不可以。');
close(server);
