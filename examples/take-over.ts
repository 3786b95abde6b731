// `node dist/examples/take-over.js PID PORT`: takes a listening socket out of another process, ends that process, and
// serves on. The other one need not help, or even know: it may be stopped, or hang.
//
// Its port is never closed, so nobody is refused, and who waits in the backlog is answered by us. It takes the right to
// trace the process (ptrace(2)): as root, or as its owner where /proc/sys/kernel/yama/ptrace_scope is 0.
import { readdirSync, readlinkSync } from 'node:fs';
import { createServer } from 'node:http';
import {
  close,
  POLLIN,
  PollFds,
  pidfd_getfd,
  pidfd_open,
  pidfd_send_signal,
  poll,
  SIGCONT,
  SIGTERM,
  type SystemError,
  TCP_LISTEN,
} from 'posix-sockets';
import { listInetSockets } from 'posix-sockets/netlink';

const [pid, port] = process.argv.slice(2).map(Number);
if (pid === undefined || port === undefined || !(pid > 0 && port > 0)) {
  console.error('usage: node dist/examples/take-over.js PID PORT');
  process.exit(2);
}

/** Which of its descriptors is the listener: /proc knows sockets by their inodes, and so does the kernel's list. */
function listenerOf(process: number, local: number): number | undefined {
  const listeners = listInetSockets({ states: [TCP_LISTEN] }).filter((one) => one.local.port === local);
  const links = listeners.map(({ inode }) => `socket:[${inode}]`);
  const folder = `/proc/${process}/fd`;
  return readdirSync(folder)
    .map(Number)
    .find((fd) => links.includes(readlinkSync(`${folder}/${fd}`)));
}

try {
  // A pid may come to mean another process while we look; a pidfd never does.
  const other = pidfd_open(pid);
  const number = listenerOf(pid, port);
  if (number === undefined) throw new Error(`process ${pid} does not listen on port ${port}`);
  const listener = pidfd_getfd(other, number);

  pidfd_send_signal(other, SIGTERM);
  pidfd_send_signal(other, SIGCONT); // one that is stopped ends only when it goes on
  const ended = new PollFds(1);
  ended.set(0, other, POLLIN);
  if (poll(ended, 5000) === 0) throw new Error(`process ${pid} does not end`);
  close(other);

  const server = createServer((_, response) => response.end(`Served by ${process.pid}, on the socket of ${pid}.\n`));
  server.listen({ fd: listener }, () => console.log(`${process.pid} serves on the socket of ${pid}`));
  process.once('SIGTERM', () => server.close());
} catch (error) {
  // EPERM: no right to trace that process. ESRCH: it has ended.
  console.error((error as SystemError).message);
  process.exit(1);
}
