// The call table: every call of the raw floor, what its arguments are, what it does and what its errors mean.
// The tracer, `explain`, the prompt and the documentation all read it. A call that is missing does not compile.
import type { Call, RawCall } from './call.js';
import { descriptors } from './descriptors.js';
import { endpoints } from './endpoints.js';
import { memory } from './memory.js';
import { messages } from './messages.js';
import { names } from './names.js';
import { namespaces } from './namespaces.js';
import { options } from './options.js';
import { processes } from './processes.js';
import { rings } from './rings.js';
import { threads } from './threads.js';
import { transfer } from './transfer.js';
import { waiting } from './waiting.js';

/** Every call, by its name. */
export const calls: Readonly<Record<RawCall, Call>> = {
  ...endpoints,
  ...transfer,
  ...messages,
  ...options,
  ...descriptors,
  ...waiting,
  ...names,
  ...threads,
  ...processes,
  ...memory,
  ...namespaces,
  ...rings,
};
