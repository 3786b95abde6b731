// Writing at once: what is still in a stream is lost when a thread blocks or ends, and is stuck when Ctrl-C stops it halfway.
import { writeSync } from 'node:fs';
import { POLLOUT, PollFds, poll } from '../index.js';

/** Writes all of a text to a descriptor, however long that takes. */
export function writeAll(fd: number, text: string): void {
  const bytes = Buffer.from(text);
  for (let written = 0; written < bytes.length; ) {
    try {
      written += writeSync(fd, bytes, written);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      poll(new PollFds(1).set(0, fd, POLLOUT), -1); // somebody made the terminal non-blocking
    }
  }
}
