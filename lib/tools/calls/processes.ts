// pidfd_open, pidfd_getfd, pidfd_send_signal: descriptors of processes.
import { pidfdFlags, pidfdSignalFlags } from '../decode/families.js';
import { pointer } from '../decode/notation.js';
import { family } from './call.js';
import { fd, flags, given, int, signal } from './parameters.js';

const gone = [
  'The process has ended.',
  'Nobody else has got its pid by way of this descriptor: it means that one process for ever.',
  'Wait for the descriptor to be readable if the end is what matters.',
] as const;

export const processes = family({
  pidfd_open: {
    page: 'pidfd_open(2)',
    summary:
      'Gives a descriptor that refers to a process, close-on-exec: it can be waited for, signalled, and asked for its ' +
      'descriptors, and never comes to mean another process as a pid does.',
    parameters: [int('pid'), flags('flags', pidfdFlags)],
    result: 'descriptor',
    errors: {
      ESRCH: [
        'There is no process with this pid.',
        'It has ended, or lives in another pid namespace.',
        'Check the pid.',
      ],
      EINVAL: [
        'The pid is not positive, or a flag is unknown.',
        'Also: the pid is of a thread that is not the first of its process.',
        'Give the pid of a process; a thread needs PIDFD_THREAD (Linux 6.9).',
      ],
    },
  },
  pidfd_getfd: {
    page: 'pidfd_getfd(2)',
    summary:
      "Makes a copy of another process's descriptor, close-on-exec. Both processes then share the socket or file behind it.",
    parameters: [fd('pidfd'), int('targetfd'), flags('flags', pidfdFlags)],
    result: 'descriptor',
    errors: {
      EPERM: [
        'This process may not look into that one.',
        'It belongs to another user, or is protected: the rule is that of ptrace(2), PTRACE_MODE_ATTACH_REALCREDS.',
        'Run as the same user, or with CAP_SYS_PTRACE.',
      ],
      EBADF: [
        'One of the two descriptors is not open.',
        '`pidfd` is no process descriptor here, or `targetfd` is not open in the other process.',
        'See /proc/PID/fd of the other process.',
      ],
      ESRCH: gone,
    },
  },
  pidfd_send_signal: {
    page: 'pidfd_send_signal(2)',
    summary: 'Sends a signal to the very process that a descriptor refers to. Signal 0 only asks whether it may.',
    parameters: [fd('pidfd'), signal('sig'), given('info', () => pointer('info')), flags('flags', pidfdSignalFlags)],
    result: 'nothing',
    errors: {
      ESRCH: gone,
      EPERM: [
        'This process may not signal that one.',
        'It belongs to another user; or `info` claims to come from the kernel.',
        'Run as the same user, or with CAP_KILL.',
      ],
      EINVAL: [
        'The signal or a flag is unknown, or `info` is of another signal.',
        'si_signo must be the signal that is sent.',
        'Leave `info` null unless the receiver needs it.',
      ],
    },
  },
});
