// posix-sockets lesson: what the study notes say, executed.
import { parseArgs } from 'node:util';
import { lessonFiles, loadLesson } from '../../../lessons/frame/index.js';
import { give } from '../../../lessons/frame/teacher.js';
import type { Command } from './command.js';
import { languageOf, numberOf } from './language.js';

export const lesson: Command = {
  usage: '[NUMBER] [--lang en|zh]',
  summary:
    'Gives a lesson: makes calls, tells what they did, and checks what it tells. Without a number it lists them.',
  async run(args) {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: { lang: { type: 'string' } },
      allowPositionals: true,
    });
    const language = languageOf(values.lang);
    if (positionals.length === 0) {
      for (const number of lessonFiles().keys()) {
        const { title } = await loadLesson(number);
        process.stdout.write(`${String(number).padStart(4)}  ${title[language]}\n`);
      }
      return 0;
    }
    await give(await loadLesson(numberOf(positionals[0], lessonFiles().keys())), language, process.stdout);
    return 0;
  },
};
