// posix-sockets trace: a whole script traced, without a change to it.
import { closeSync, openSync } from 'node:fs';
import { type Command, UsageError } from './command.js';
import { readArguments, runTraced } from './traced.js';

const options = {
  output: { type: 'string', short: 'o' },
  json: { type: 'boolean' },
  states: { type: 'boolean' },
  files: { type: 'boolean' },
  durations: { type: 'boolean', short: 'T' },
  limit: { type: 'string', short: 's' },
} as const;

export const trace: Command = {
  usage: '[OPTION...] FILE [ARGUMENT...]',
  summary: 'Runs a script and writes every socket call that it makes, workers included, as strace would.',
  options: {
    '-o, --output OUTPUT': 'write to this file, and not to the standard error',
    '--json': 'write one object a line: time, thread, call, decoded arguments, result, duration',
    '--states': 'add to the objects the TCP states of the descriptors before and after each call',
    '--files': 'add to the objects the open files behind the descriptors, and how long the thread slept in the call',
    '-T, --durations': 'add to the lines how long each call took, in seconds',
    '-s, --limit LIMIT': 'show so many bytes and elements of a buffer or an array, and not 32',
  },
  async run(args) {
    const { values, file, rest } = readArguments(args, options);
    if (file === undefined) throw new UsageError('which script?');
    const { limit, output } = values;
    if (limit !== undefined && !/^\d+$/.test(limit)) throw new UsageError(`'${limit}' is no number of bytes`);
    if (output === undefined) return runTraced(file, rest, values);
    const emptied = openSync(output, 'w');
    try {
      return await runTraced(file, rest, values);
    } finally {
      closeSync(emptied); // not before: whoever reads a FIFO would take that for the end
    }
  },
};
