// Exercise 7: make an abstract address, of which no file is left.
// 练习 7：创建一个不留下文件的抽象地址。
import { existsSync, rmSync } from 'node:fs';
import { AF_UNIX, bind, close, getsockname, SOCK_DGRAM, sockaddr_un, socket } from 'posix-sockets';
import { check, hint } from 'posix-sockets/practice';

process.on('exit', () => rmSync('practice', { force: true }));
let address = sockaddr_un('practice');
hint(
  "An abstract name begins with a NUL byte, which is '\\0' in JavaScript.",
  "抽象名字以 NUL 字节开头，在 JavaScript 中写作 '\\0'。",
);
address = sockaddr_un(/* HERE */);

const fd = socket(AF_UNIX, SOCK_DGRAM);
bind(fd, address);
check(!existsSync('practice'), 'There is no file.', '没有文件。');
check(`${getsockname(fd)}`.startsWith('@practice'), 'And the name is abstract.', '名字是抽象的。');
close(fd);
