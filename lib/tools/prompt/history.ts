// Keeps the lines of the prompt from one session to the next, as node keeps those of its own.
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import type { REPLServer } from 'node:repl';
import { setTimeout } from 'node:timers/promises';

/**
 * The file of the history: what POSIX_SOCKETS_HISTORY names, if it is set, or one in the reader's folder for state.
 * @returns nothing where none is to be kept, or there is no such folder
 * @see https://specifications.freedesktop.org/basedir-spec/latest/
 */
function historyFile(): string {
  const { POSIX_SOCKETS_HISTORY: named, XDG_STATE_HOME: state = '' } = process.env;
  if (named !== undefined) return named;
  try {
    const file = join(isAbsolute(state) ? state : join(homedir(), '.local/state'), 'posix-sockets/history');
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    return file;
  } catch {
    return '';
  }
}

/**
 * Has a prompt in a terminal remember its lines.
 * @returns waits until the last of them are written
 */
export function keepHistory(server: REPLServer): () => Promise<void> {
  const file = server.terminal ? historyFile() : '';
  if (file === '') return async () => {};
  let unwritten = false;
  server.on('line', () => {
    unwritten = true;
  });
  server.on('flushHistory', () => {
    unwritten = false;
  });
  server.setupHistory(file, () => {}); // node says at the prompt if the file cannot be opened
  return async () => {
    if (unwritten) await Promise.race([once(server, 'flushHistory'), setTimeout(1000)]);
  };
}
