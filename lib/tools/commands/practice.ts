// posix-sockets practice: an exercise with a hole to fill, run against the kernel.
import { watch } from 'node:fs';
import { parseArgs } from 'node:util';
import { attempt, begin, exercises } from '../../../lessons/practice/run.js';
import type { Command } from './command.js';
import { languageOf, numberOf } from './language.js';

const folder = 'posix-sockets-practice';

export const practice: Command = {
  usage: 'NUMBER [--lang en|zh] [--watch]',
  summary: `Puts the exercise of a lesson into ./${folder}, runs it and says what is missing. --watch runs it whenever it is saved.`,
  async run(args) {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: { lang: { type: 'string' }, watch: { type: 'boolean' } },
      allowPositionals: true,
    });
    const language = languageOf(values.lang);
    const file = begin(numberOf(positionals[0], exercises().keys()), folder);
    process.stdout.write(`${file}\n`);
    if (await attempt(file, language)) return 0;
    if (!values.watch) return 1;
    for (;;) {
      await saved(file);
      process.stdout.write(`\n${file}\n`);
      if (await attempt(file, language)) return 0;
    }
  },
};

/** Until a file was written, and nothing more was for a moment: editors write in several steps. */
function saved(file: string): Promise<void> {
  return new Promise((resolve) => {
    let quiet: NodeJS.Timeout | undefined;
    const watcher = watch(file, () => {
      clearTimeout(quiet);
      quiet = setTimeout(() => {
        watcher.close();
        resolve();
      }, 100);
    });
  });
}
