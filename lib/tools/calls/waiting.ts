// select, poll, epoll: waiting for descriptors.

import { asBytes } from '../decode/bytes.js';
import { epollFlags, epollOperations } from '../decode/families.js';
import { list, named, number, type Shown } from '../decode/notation.js';
import { fdsOf, showReadyPollfds, showSigset, showTimespec, showTimeval } from '../decode/structs.js';
import { type Answer, type Before, family } from './call.js';
import { choice, epollEvent, epollRoom, fd, fdset, flags, given, int, pollfds } from './parameters.js';

const timeIsUp = named('0 (Timeout)', 'Timeout');

// Which descriptors each set has left in it.
function readySets({ raw }: Before, { result }: Answer, left?: Shown): Shown | undefined {
  if (result < 0) return undefined;
  if (result === 0) return timeIsUp;
  const [nfds, ...sets] = raw as [number, ...unknown[]];
  const ready = ['in', 'out', 'except'].map((name, i): [string, number[]] => {
    const set = asBytes(sets[i]);
    return [name, set === null ? [] : fdsOf(set, nfds)];
  });
  const parts = ready
    .filter(([, fds]) => fds.length > 0)
    .map(([name, fds]) => `${name} ${list(fds.map(number), undefined, ' ').text}`);
  if (left) parts.push(`left ${left.text}`);
  return { text: `${result} (${parts.join(', ')})`, json: Object.fromEntries(ready) };
}

// With the time that Linux says was left.
function readySetsAndTime(before: Before, answer: Answer): Shown | undefined {
  const left = asBytes(before.raw[4]);
  return readySets(before, answer, left === null ? undefined : showTimeval(left));
}

function readyPollfds({ raw: [fds], limit }: Before, { result }: Answer): Shown | undefined {
  if (result < 0) return undefined;
  if (result === 0) return timeIsUp;
  const { text, json } = showReadyPollfds(asBytes(fds) as Uint8Array, limit);
  return { text: `${result} (${text})`, json };
}

const selectErrors = {
  EBADF: [
    'A set holds a descriptor that is not open.',
    'It was closed and not taken out of the set.',
    'Take a descriptor out of every set before it is closed.',
  ],
  EINVAL: [
    'nfds is negative or too large, or the timeout is no span of time.',
    'nfds is to be the highest descriptor plus one, and at most 1024.',
    'For higher descriptors use poll or epoll.',
  ],
} as const;

const pollErrors = {
  EINVAL: [
    'The set has more entries than the process may have descriptors, or the timeout is no span of time.',
    'RLIMIT_NOFILE is lower than the number of entries.',
    'Poll fewer at once, or use epoll. (A descriptor that is not open is no error: its revents has POLLNVAL.)',
  ],
} as const;

const epollWaitErrors = {
  EBADF: ['The number is no open descriptor.', 'The epoll instance was closed.', 'Look where it is closed.'],
  EINVAL: [
    'The descriptor is no epoll instance, or there is no room for an event.',
    'Another descriptor was given, or an array of no events.',
    'Give what epoll_create1 returned, and room for at least one event.',
  ],
} as const;

const tooManyInstances = [
  'The process has as many descriptors, or the user as many epoll instances, as allowed.',
  'Instances are not closed.',
  'One instance per thread is enough for any number of sockets.',
] as const;

export const waiting = family({
  select: {
    page: 'select(2)',
    summary:
      'Waits until a descriptor of three sets is ready to read, ready to write, or has something exceptional, and ' +
      'leaves only those in the sets. The oldest of the three: no descriptor may be 1024 or more, and the cost grows ' +
      'with the highest.',
    parameters: [int('nfds'), fdset('readfds'), fdset('writefds'), fdset('exceptfds'), given('timeout', showTimeval)],
    result: 'count',
    showResult: readySetsAndTime,
    errors: selectErrors,
  },
  pselect: {
    page: 'select(2)',
    summary: 'Waits as select does, with a signal mask that holds for as long as it waits.',
    parameters: [
      int('nfds'),
      fdset('readfds'),
      fdset('writefds'),
      fdset('exceptfds'),
      given('timeout', showTimespec),
      given('sigmask', showSigset),
    ],
    result: 'count',
    showResult: readySets,
    errors: selectErrors,
  },
  poll: {
    page: 'poll(2)',
    summary:
      'Waits until a descriptor of an array is ready, and says in each entry what it is ready for. Any descriptor may ' +
      'be watched; the cost grows with the length of the array.',
    parameters: [pollfds('fds', 'nfds'), int('timeout')],
    result: 'count',
    showResult: readyPollfds,
    errors: pollErrors,
  },
  ppoll: {
    page: 'poll(2)',
    summary: 'Waits as poll does, with a timeout in nanoseconds and a signal mask that holds for as long as it waits.',
    parameters: [pollfds('fds', 'nfds'), given('tmo_p', showTimespec), given('sigmask', showSigset)],
    result: 'count',
    showResult: readyPollfds,
    errors: pollErrors,
  },
  epoll_create: {
    page: 'epoll_create(2)',
    summary: 'Makes an epoll instance, as epoll_create1 does: the older call, whose size no longer means anything.',
    parameters: [int('size')],
    result: 'descriptor',
    errors: {
      EINVAL: ['The size is not above zero.', 'A 0, because no size is needed.', 'Call epoll_create1.'],
      EMFILE: tooManyInstances,
    },
  },
  epoll_create1: {
    page: 'epoll_create(2)',
    summary:
      'Makes an epoll instance: a set of descriptors to watch that the kernel keeps, so that a wait costs as much as ' +
      'there are events, and not as many as are watched.',
    parameters: [flags('flags', epollFlags)],
    result: 'descriptor',
    errors: {
      EINVAL: ['A flag is unknown.', 'Anything but EPOLL_CLOEXEC.', 'Give 0 or EPOLL_CLOEXEC.'],
      EMFILE: tooManyInstances,
    },
  },
  epoll_ctl: {
    page: 'epoll_ctl(2)',
    summary:
      'Adds a descriptor to what an epoll instance watches, changes what it is watched for, or takes it out. 64 bits ' +
      'of data go along and come back with each event.',
    parameters: [fd('epfd'), choice('op', epollOperations), fd('fd'), epollEvent('event')],
    result: 'nothing',
    errors: {
      EEXIST: [
        'The descriptor is watched already.',
        'EPOLL_CTL_ADD twice, or a number used again while a dup of the old one is still watched.',
        'Use EPOLL_CTL_MOD; take out before closing when there are dups.',
      ],
      ENOENT: [
        'The descriptor is not watched.',
        'It was never added, or was closed, which takes it out.',
        'Add it with EPOLL_CTL_ADD.',
      ],
      EPERM: [
        'This kind of file cannot be watched.',
        'Regular files and folders are always ready, so epoll does not take them.',
        'Read them without waiting.',
      ],
      ELOOP: [
        'Epoll instances would watch each other in a circle, or too deep.',
        'An instance was added to one that it watches itself.',
        'Nest at most five deep, and never in a circle.',
      ],
      EINVAL: [
        'This cannot be watched so.',
        'An instance was added to itself, the operation is unknown, or EPOLLEXCLUSIVE was combined with EPOLL_CTL_MOD.',
        'Compare with the man page what EPOLLEXCLUSIVE goes with.',
      ],
      ENOSPC: [
        'The user watches as many descriptors as allowed.',
        '/proc/sys/fs/epoll/max_user_watches is reached.',
        'Raise it, or watch fewer.',
      ],
    },
  },
  epoll_wait: {
    page: 'epoll_wait(2)',
    summary:
      'Waits until something that the instance watches is ready, and tells of as many as there is room for. What is ' +
      'still ready is told again by the next wait, except with EPOLLET.',
    parameters: [fd('epfd'), epollRoom('events', 'maxevents'), int('timeout')],
    result: 'count',
    errors: epollWaitErrors,
  },
  epoll_pwait: {
    page: 'epoll_wait(2)',
    summary: 'Waits as epoll_wait does, with a signal mask that holds for as long as it waits.',
    parameters: [fd('epfd'), epollRoom('events', 'maxevents'), int('timeout'), given('sigmask', showSigset)],
    result: 'count',
    errors: epollWaitErrors,
  },
  epoll_pwait2: {
    page: 'epoll_wait(2)',
    summary: 'Waits as epoll_pwait does, with a timeout in nanoseconds.',
    parameters: [
      fd('epfd'),
      epollRoom('events', 'maxevents'),
      given('timeout', showTimespec),
      given('sigmask', showSigset),
    ],
    result: 'count',
    errors: epollWaitErrors,
  },
});
