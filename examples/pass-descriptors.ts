// `node dist/examples/pass-descriptors.js SOCKET FILE`: opens FILE, hands it over a Unix socket to another process, and
// reads the files that it gets in return. The other process may be written in anything: Python's end is
// `socket.recv_fds` and `socket.send_fds`.
//
// What travels is not a name but the open file itself: its position, its mode, the right to use it. So a process that
// may open something can let one use it that may not. See unix(7), SCM_RIGHTS.
import { closeSync, openSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { Socket } from 'posix-sockets';

const [path, file] = process.argv.slice(2);
if (path === undefined || file === undefined) {
  console.error('usage: node dist/examples/pass-descriptors.js SOCKET FILE');
  process.exit(2);
}
using socket = await Socket.connect(path);

// The bytes beside the descriptors are for the two programs to agree on; there must be at least one.
const fd = openSync(file, 'r+');
await socket.sendFds([fd], Buffer.from(basename(file)));
closeSync(fd); // the message has a reference of its own

const name = Buffer.alloc(256);
const { length, fds } = await socket.recvFds(8, name);
console.log(`${fds.length} descriptors, and with them: ${name.subarray(0, length)}`);
for (const received of fds) {
  // The numbers are ours, the lowest that were free, and ours to close.
  console.log(readFileSync(received, 'utf8').trimEnd());
  closeSync(received);
}
