import { fail } from '../errors.js';
import { raw } from '../native.js';

declare module '../native.js' {
  interface Raw {
    unshare(flags: number): number;
    setns(fd: number, nstype: number): number;
  }
}

/**
 * `unshare(flags)`: gives the calling thread a namespace of its own: with CLONE_NEWNET, a network in which only a
 * loopback interface is, and down.
 *
 * It holds for this thread alone: Node's other threads, its pool included, stay where they are. So let a worker unshare;
 * the sockets that it makes belong to its network for good, and their numbers are good in every thread. What it starts
 * (child_process) begins in its namespace.
 * @param flags CLONE_NEWNET, CLONE_NEWUTS, CLONE_NEWIPC, ...
 * @throws EPERM needs CAP_SYS_ADMIN · EINVAL an unknown flag, or one that a process with many threads cannot use, such as
 * CLONE_NEWUSER · ENOSPC too many namespaces
 * @see unshare(2), network_namespaces(7)
 */
export function unshare(flags: number): void {
  const answer = raw.unshare(flags);
  if (answer < 0) fail('unshare', answer);
}

/**
 * `setns(fd, nstype)`: moves the calling thread, and it alone, into a namespace. See {@link unshare}.
 * @param fd of `/proc/PID/ns/net` or `/run/netns/NAME`; or a process's (pidfd_open), with the kinds wanted in `nstype`
 * @param nstype CLONE_NEWNET, ...; 0 for whatever kind it is
 * @throws EPERM needs CAP_SYS_ADMIN in both · EINVAL the descriptor is of another kind · EBADF not open · ESRCH the
 * process has ended
 * @see setns(2)
 */
export function setns(fd: number, nstype = 0): void {
  const answer = raw.setns(fd, nstype);
  if (answer < 0) fail('setns', answer);
}
