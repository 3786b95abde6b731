// posix-sockets practice: an exercise with a hole to fill, run against the kernel.
import { watch } from 'node:fs';
import { attempt, begin, exercises, taskOf } from '../../../lessons/practice/run.js';
import { type Command, parse } from './command.js';
import { languageOf, numberOf } from './language.js';

const folder = 'posix-sockets-practice';

export const practice: Command = {
  usage: '[NUMBER] [--lang en|zh] [--watch]',
  summary: `Puts the exercise of a lesson into ./${folder}, runs it and says what is missing. --watch runs it whenever it is saved. Without a number it lists them.`,
  async run(args) {
    const { values, positionals } = parse({
      args: [...args],
      options: { lang: { type: 'string' }, watch: { type: 'boolean' } },
      allowPositionals: true,
    });
    const language = languageOf(values.lang);
    if (positionals.length === 0) {
      for (const number of exercises().keys()) {
        process.stdout.write(`${String(number).padStart(4)}  ${taskOf(number, language)}\n`);
      }
      return 0;
    }
    const file = begin(numberOf(positionals[0], exercises().keys()), folder);
    process.stdout.write(`${file}\n`);
    if (await attempt(file, language)) return 0;
    const next = {
      en: `The hole in ${file} is marked HERE. Fill it, save, and ${values.watch ? 'it runs' : 'run this'} again.`,
      zh: `${file} 里用 HERE 标出了要填的地方。填好并保存，${values.watch ? '它就会再次运行' : '然后再运行一次'}。`,
    }[language];
    process.stdout.write(`\n${next}\n`);
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
