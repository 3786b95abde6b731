// posix-sockets prompt: a prompt with every call, struct and constant in scope.
import { once } from 'node:events';
import { startPrompt } from '../prompt/prompt.js';
import type { Command } from './command.js';

export const prompt: Command = {
  usage: '',
  summary: 'A prompt with every call, struct and constant in scope. Each call is shown as it is made.',
  async run() {
    await once(startPrompt(), 'exit');
    return 0;
  },
};
