// Errors that mean the same at every call. A row of the table says only what is special there.
import type { Call } from './call.js';

export const commonErrors: Required<Call>['errors'] = {
  EBADF: [
    'The number is no open descriptor of this process, or is not open for this.',
    'It was closed before, often by another part of the program, or is a typing error such as a result of -1 passed on.',
    'Look where the descriptor is closed; a traced run shows the close.',
  ],
  ENOTSOCK: [
    'The descriptor is open, but is not a socket.',
    'It belongs to a file, a pipe or an epoll instance; or the socket was closed and its number given to something else.',
    'Check which descriptor is passed; for files and pipes use read and write.',
  ],
  EINTR: [
    'A signal came before anything happened, and the call ended.',
    'A signal handler ran, or `interrupt` was called for this thread.',
    'Make the call again if the signal means nothing to this program.',
  ],
  EFAULT: [
    'The kernel was given memory that the process does not have.',
    'With this package buffers are real memory, so it is the kernel that wants a larger one for this request.',
    'Give a buffer of the size of the struct that the man page names.',
  ],
  EINVAL: [
    'An argument makes no sense to the kernel, alone or with the others.',
    'An unknown flag, a length that does not fit the struct, or a call at a moment when it is not allowed.',
    'Compare each argument in the traced line with the man page.',
  ],
  EMFILE: [
    'The process has as many descriptors as its limit allows (RLIMIT_NOFILE).',
    'Descriptors are not closed, or the limit is low for what the program does.',
    'Count /proc/self/fd to find a leak; raise the limit with `ulimit -n` if the number is meant.',
  ],
  ENFILE: [
    'The whole system has as many open files as it allows.',
    'Some process leaks descriptors, or /proc/sys/fs/file-max is low.',
    'Find the process with most entries in /proc/PID/fd.',
  ],
  ENOMEM: [
    'The kernel has no memory for this.',
    'The machine or the memory cgroup is full, or a limit on memory of sockets was reached.',
    'Free memory or raise the limit; retrying at once rarely helps.',
  ],
  ENOBUFS: [
    'The kernel has no buffer for this.',
    "A queue of a network device is full, or a limit on the sockets' memory was reached.",
    'Wait a little and try again, or send less at a time.',
  ],
  EPERM: [
    'This process may not do that.',
    'It takes a capability that the process does not have, or a filter (seccomp, a firewall rule) forbids it.',
    'Run with the capability that the man page names, or in a namespace where the process has it.',
  ],
  EACCES: [
    'Permissions forbid it.',
    'File permissions, or a rule for this kind of socket, deny it to this user.',
    'Check the permissions of the path, or the capability that the man page names.',
  ],
  ENOSYS: [
    'This kernel does not have the call.',
    "It is older than the call, or a container's filter hides it.",
    'Use the older call, or a newer kernel; `supports` tells beforehand.',
  ],
  EIO: [
    'The device or file system failed.',
    'A fault below the call: a disk, a terminal that is gone.',
    "Look at the kernel's log (dmesg).",
  ],
  ENODEV: [
    'There is no such device or interface.',
    'The name or index is of an interface that is gone or in another network namespace.',
    'List the interfaces with `ip link` in the same namespace.',
  ],
  EAFNOSUPPORT: [
    'The address family is not one that this does.',
    'A family was given that the kernel lacks, or that the call does not know.',
    'Give AF_INET or AF_INET6, or ask `supports` for the family.',
  ],
  ENOTCONN: [
    'The socket is not connected.',
    'connect was not called, or has not finished.',
    'Connect first, and wait for EINPROGRESS to end.',
  ],
  EOPNOTSUPP: [
    'This kind of socket does not do that.',
    'The call, or one of its flags, belongs to another type or family of socket.',
    'Check the type that the socket was made with.',
  ],
  ENOPROTOOPT: [
    'The protocol does not know this option.',
    'The level and the name of the option do not belong together, or the kernel is too old for it.',
    "Give the option's own level: IPPROTO_TCP for TCP_*, SOL_SOCKET for SO_*.",
  ],
};
