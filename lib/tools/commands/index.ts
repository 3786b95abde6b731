// The commands by their names, each loaded when it is called. To add one, add its file and its line.
import type { Command } from './command.js';

export const commands: Readonly<Record<string, () => Promise<Command>>> = {
  lesson: async () => (await import('./lesson.js')).lesson,
  practice: async () => (await import('./practice.js')).practice,
  prompt: async () => (await import('./prompt.js')).prompt,
  timeline: async () => (await import('./timeline.js')).timeline,
  trace: async () => (await import('./trace.js')).trace,
};
