/**
 * posix-sockets/trace: see every call go by, and learn what its errors mean.
 *
 * What is what in this folder, each built on the package's public face and on those before it:
 * - `decode/`: bytes and numbers as strace writes them
 * - `calls/`: the call table: what each call's arguments are, what it does, what its errors mean
 * - `tracer.ts`, `trace-event.ts`: watching calls · `open-file.ts`, `tcp-states.ts`, `scheduling.ts`: and what they were
 *   about · `explain.ts`: explaining errors
 * - `timeline/`: a trace as a picture
 * - `cli.ts`, `commands/`: the command `posix-sockets` · `prompt/`: its prompt
 * @module
 */
export type { Call, ErrorName, Explanation, Parameter, ParameterKind, RawCall, ResultKind } from './calls/call.js';
export { calls } from './calls/index.js';
export type { Json } from './decode/notation.js';
export { explain } from './explain.js';
export type { OpenFile, OpenFileChange } from './open-file.js';
export { type TcpStates, type TraceBegin, TraceEvent, type TraceRecord } from './trace-event.js';
export { type Trace, type TraceOptions, type TraceSink, trace } from './tracer.js';
