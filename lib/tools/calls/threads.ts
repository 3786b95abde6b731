// Ending blocked calls of other threads, and the signals that a thread blocks.
import { maskHows } from '../decode/families.js';
import { showSigset } from '../decode/structs.js';
import { family } from './call.js';
import { choice, given, int, room } from './parameters.js';

export const threads = family({
  interrupt: {
    page: 'pthread_kill(3)',
    summary:
      'Ends the system call that a worker is blocked in, by a signal that does nothing else: the call fails with EINTR.',
    parameters: [int('threadId')],
    result: 'number',
  },
  interruptUntilGone: {
    page: 'pthread_kill(3)',
    summary: 'Ends the calls that a worker is blocked in again and again, until the worker has ended.',
    parameters: [int('threadId')],
    result: 'number',
  },
  interruptWorkersUntilGone: {
    page: 'pthread_kill(3)',
    summary: 'The same for every worker, and for those that begin from now on: what happens when the process exits.',
    parameters: [],
    result: 'number',
    minor: true,
  },
  gettid: {
    page: 'gettid(2)',
    summary: 'Tells the number of this thread in the kernel.',
    parameters: [],
    result: 'number',
  },
  pthread_sigmask: {
    page: 'pthread_sigmask(3)',
    summary: 'Changes which signals this thread blocks, and tells which it blocked before.',
    parameters: [choice('how', maskHows), given('set', showSigset), room('oldset', showSigset)],
    result: 'nothing',
    errors: {
      EINVAL: ['`how` is unknown.', 'A number that is none of three.', 'Give SIG_BLOCK, SIG_UNBLOCK or SIG_SETMASK.'],
    },
  },
});
