import { type TraceEvent, type TraceOptions, trace } from 'posix-sockets/trace';

/** Traces what `work` does. */
export function traced(work: () => void, options: TraceOptions = {}): TraceEvent[] {
  const events: TraceEvent[] = [];
  const tracing = trace((event) => events.push(event), options);
  try {
    work();
  } finally {
    tracing.stop();
  }
  return events;
}
