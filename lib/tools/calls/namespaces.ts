// unshare, setns: which network a thread is in.
import { cloneFlags } from '../decode/families.js';
import { family } from './call.js';
import { fd, flags } from './parameters.js';

const privileged = [
  'Namespaces take a privilege.',
  'Every kind but a user namespace needs CAP_SYS_ADMIN.',
  'Run as root, or inside a user namespace (`unshare -rn`).',
] as const;

export const namespaces = family({
  unshare: {
    page: 'unshare(2)',
    summary:
      'Gives the calling thread a namespace of its own: with CLONE_NEWNET, a network in which only loopback is, and ' +
      'down. The other threads of the process stay where they are.',
    parameters: [flags('flags', cloneFlags)],
    result: 'nothing',
    errors: {
      EPERM: privileged,
      EINVAL: [
        'A flag is unknown, or not possible here.',
        'CLONE_NEWUSER, CLONE_THREAD and their kin need a process with one thread; Node has many.',
        'Start the program under unshare(1) instead.',
      ],
      ENOSPC: [
        'There are too many namespaces.',
        'The limit in /proc/sys/user/max_net_namespaces is reached.',
        'Close what holds the old ones: sockets, threads, /run/netns.',
      ],
    },
  },
  setns: {
    page: 'setns(2)',
    summary:
      'Moves the calling thread into a namespace: that of a file in /proc/PID/ns or /run/netns, or those of a process.',
    parameters: [fd('fd'), flags('nstype', cloneFlags)],
    result: 'nothing',
    errors: {
      EPERM: privileged,
      EINVAL: [
        'The descriptor is of no such namespace.',
        'It is of another kind than `nstype` says, or is no namespace; a process descriptor needs a kind in `nstype`.',
        'Open /proc/PID/ns/net, and give CLONE_NEWNET or 0.',
      ],
      ESRCH: ['The process has ended.', 'Its descriptor outlives it.', 'Open its namespace while it lives.'],
    },
  },
});
