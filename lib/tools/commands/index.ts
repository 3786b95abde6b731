// The commands by their names, each loaded when it is called. To add one, add its file and its line.
import type { Command } from './command.js';

export const commands: Readonly<Record<string, () => Promise<Command>>> = {
  prompt: async () => (await import('./prompt.js')).prompt,
  trace: async () => (await import('./trace.js')).trace,
};
