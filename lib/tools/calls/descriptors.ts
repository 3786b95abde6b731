// close, dup, fcntl, ioctl, and the descriptors that are events, timers and signals.
import { clocks, eventfdFlags, fcntlCommands, openFlags, signalfdFlags, timerfdFlags } from '../decode/families.js';
import { showItimerspec, showSigset } from '../decode/structs.js';
import { family } from './call.js';
import { choice, fd, flags, given, int, pair, room } from './parameters.js';
import { fcntlArgument, fcntlResult, ioctlArgument, ioctlRequest } from './requests.js';

export const descriptors = family({
  close: {
    page: 'close(2)',
    summary:
      'Gives a descriptor back. The socket behind it lives on while another descriptor, here or in another process, ' +
      'holds it; the last close of a TCP connection sends FIN (or RST, when unread data is thrown away).',
    parameters: [fd('fd')],
    result: 'nothing',
    errors: {
      EBADF: [
        'The number is not open.',
        'It was closed before. Had it been given to something else meanwhile, that would now be closed.',
        'Close in one place only; a traced run shows the first close.',
      ],
      EINTR: ['A signal came; the descriptor is closed all the same.', 'A handler ran.', 'Do not close again.'],
      EIO: [
        'Data that was written before could not be stored; the descriptor is closed.',
        'A file system that writes late.',
        'Do not close again.',
      ],
    },
  },
  dup: {
    page: 'dup(2)',
    summary:
      'Makes a second descriptor for the same open file or socket: the lowest number that is free. Both share the ' +
      'file position and O_NONBLOCK.',
    parameters: [fd('oldfd')],
    result: 'descriptor',
  },
  dup2: {
    page: 'dup(2)',
    summary: 'Makes a given number a second descriptor for the same, and closes what it was before.',
    parameters: [fd('oldfd'), fd('newfd')],
    result: 'descriptor',
    errors: {
      EBADF: [
        'The old number is not open, or the new one is out of range.',
        'The new number is negative, or not below RLIMIT_NOFILE.',
        'Choose a smaller one, or let dup choose.',
      ],
    },
  },
  dup3: {
    page: 'dup(2)',
    summary: 'Does what dup2 does, and can set O_CLOEXEC on the new descriptor. Refuses to copy one onto itself.',
    parameters: [fd('oldfd'), fd('newfd'), flags('flags', openFlags)],
    result: 'descriptor',
    errors: {
      EINVAL: [
        'Both numbers are the same, or a flag is unknown.',
        'dup3 refuses what dup2 takes as nothing to do.',
        'Give two numbers, and only O_CLOEXEC.',
      ],
      EBADF: [
        'The old number is not open, or the new one is out of range.',
        'The new number is negative, or not below RLIMIT_NOFILE.',
        'Choose a smaller one, or let dup choose.',
      ],
    },
  },
  pipe2: {
    page: 'pipe(2)',
    summary:
      'Makes a pipe: bytes written into its second descriptor are read from its first. With O_DIRECT each write is ' +
      'read as one packet.',
    parameters: [pair('pipefd'), flags('flags', openFlags)],
    result: 'nothing',
  },
  fcntl: {
    page: 'fcntl(2)',
    summary:
      'Asks or changes what a descriptor is: O_NONBLOCK and O_ASYNC (F_SETFL), close-on-exec (F_SETFD), a copy ' +
      '(F_DUPFD_CLOEXEC), who gets SIGIO (F_SETOWN, F_SETSIG), locks, the size of a pipe.',
    parameters: [fd('fd'), choice('cmd', fcntlCommands), fcntlArgument('arg')],
    result: 'number',
    showResult: fcntlResult,
    errors: {
      EAGAIN: [
        'Another process holds a lock in the way.',
        'F_SETLK does not wait.',
        'Try again, or use F_SETLKW, which waits.',
      ],
      EACCES: [
        'Another process holds a lock in the way.',
        'F_SETLK does not wait.',
        'Try again, or use F_SETLKW, which waits.',
      ],
      EINVAL: [
        'The command is unknown, or this kind of file does not have it.',
        'A pipe command on a socket, for instance, or a signal number that does not exist.',
        'See the command in fcntl(2).',
      ],
      EPERM: [
        'This process may not do that.',
        'A pipe larger than fs.pipe-max-size, or a seal on a file that is sealed against seals.',
        'Ask for less, or run with CAP_SYS_RESOURCE.',
      ],
      ESRCH: ['There is no such process or group.', 'The owner given to F_SETOWN is gone.', 'Give a living one.'],
      EBUSY: [
        'What is in the pipe does not fit the smaller size.',
        'F_SETPIPE_SZ was asked to shrink a pipe that is fuller than that.',
        'Read from it first.',
      ],
    },
  },
  ioctl: {
    page: 'ioctl(2)',
    summary:
      'Makes a request that has no call of its own: how many bytes are waiting (FIONREAD) or unsent (SIOCOUTQ), the ' +
      "addresses and flags of interfaces, a device's own settings.",
    parameters: [fd('fd'), ioctlRequest('op'), ioctlArgument('argp')],
    result: 'number',
    errors: {
      ENOTTY: [
        'This kind of descriptor does not know the request.',
        'A request for a terminal or a device was made of a socket, or the other way.',
        'Make it of the right descriptor.',
      ],
      EINVAL: [
        'The request comes at the wrong time, or its struct does not read.',
        'FIONREAD on a listener, for instance.',
        "See the request's man page.",
      ],
      ENODEV: [
        'There is no such interface.',
        'The name in ifr_name is wrong, or is in another network namespace.',
        'See `ip link`.',
      ],
      EADDRNOTAVAIL: [
        'The interface has no such address.',
        'It has no IPv4 address at all, or is down.',
        'See `ip addr`; IPv6 addresses come by netlink or getifaddrs.',
      ],
      EPERM: [
        'Changing this takes a privilege.',
        'Settings of interfaces need CAP_NET_ADMIN.',
        'Run with the capability, or in a network namespace of your own.',
      ],
      EOPNOTSUPP: [
        'The protocol or the device does not know the request.',
        'Each driver answers only some.',
        'Ask another way: netlink, or /sys/class/net.',
      ],
    },
  },
  sockatmark: {
    page: 'sockatmark(3)',
    summary: 'Tells whether the next byte to be read is the one that out-of-band data marked.',
    parameters: [fd('sockfd')],
    result: 'number',
    errors: {
      ENOTTY: ['The descriptor has no such mark.', 'It is no stream socket.', 'Use a TCP socket.'],
      EINVAL: ['The descriptor has no such mark.', 'It is no stream socket.', 'Use a TCP socket.'],
    },
  },
  eventfd: {
    page: 'eventfd(2)',
    summary:
      'Makes a counter that can be waited for: 8 bytes written add to it, and reading takes it all (or 1, with ' +
      'EFD_SEMAPHORE). One thread wakes another with it.',
    parameters: [int('initval'), flags('flags', eventfdFlags)],
    result: 'descriptor',
  },
  timerfd_create: {
    page: 'timerfd_create(2)',
    summary: 'Makes a timer that can be waited for: reading gives, in 8 bytes, how often it has expired.',
    parameters: [choice('clockid', clocks), flags('flags', timerfdFlags)],
    result: 'descriptor',
    errors: {
      EPERM: [
        'This clock takes a privilege.',
        'CLOCK_REALTIME_ALARM and CLOCK_BOOTTIME_ALARM wake the machine: CAP_WAKE_ALARM.',
        'Use CLOCK_MONOTONIC.',
      ],
      EINVAL: ['The clock or a flag is unknown.', 'A clock that has no timers.', 'Use CLOCK_MONOTONIC.'],
    },
  },
  timerfd_settime: {
    page: 'timerfd_settime(2)',
    summary: 'Starts or stops a timer, and tells how it was set before.',
    parameters: [
      fd('fd'),
      flags('flags', timerfdFlags),
      given('new_value', showItimerspec),
      room('old_value', showItimerspec),
    ],
    result: 'nothing',
    errors: {
      EINVAL: [
        'The descriptor is no timer, or the time is none.',
        'Nanoseconds of a billion or more, or a negative value.',
        'Use itimerspec with tv_nsec from 0 to 999,999,999.',
      ],
      ECANCELED: [
        'The clock was set while the timer ran.',
        'TFD_TIMER_CANCEL_ON_SET asked to be told so.',
        'Read the new time, and set the timer again.',
      ],
    },
  },
  timerfd_gettime: {
    page: 'timerfd_settime(2)',
    summary: 'Tells how long a timer still has, and its interval.',
    parameters: [fd('fd'), room('curr_value', showItimerspec)],
    result: 'nothing',
    errors: {
      EINVAL: ['The descriptor is no timer.', 'Another descriptor was given.', 'Give what timerfd_create gave.'],
    },
  },
  signalfd: {
    page: 'signalfd(2)',
    summary:
      'Makes a descriptor from which signals can be read, or changes which ones. The signals must be blocked in every ' +
      'thread that would take them.',
    parameters: [fd('fd'), given('mask', showSigset), flags('flags', signalfdFlags)],
    result: 'descriptor',
    errors: {
      EINVAL: [
        'The descriptor is no signalfd, or a flag is unknown.',
        'Another descriptor was given.',
        'Give -1 for a new one, or what signalfd gave.',
      ],
    },
  },
});
