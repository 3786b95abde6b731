// posix-sockets prompt: a prompt with every call, struct and constant in scope.
import { once } from 'node:events';
import { keepHistory } from '../prompt/history.js';
import { startPrompt } from '../prompt/prompt.js';
import type { Command } from './command.js';

export const prompt: Command = {
  usage: '',
  summary:
    'A prompt with every call, struct and constant in scope. Each call is shown as it is made. In a terminal its lines ' +
    'are kept in ~/.local/state/posix-sockets/history; POSIX_SOCKETS_HISTORY names another file, or none if it is empty.',
  async run() {
    const server = startPrompt();
    const written = keepHistory(server);
    await once(server, 'exit');
    await written();
    process.exit(0); // whatever still waits for a socket
  },
};
