// posix-sockets lesson: what the study notes say, executed.
import { lessonFiles, loadLesson } from '../../../lessons/frame/index.js';
import { give } from '../../../lessons/frame/teacher.js';
import { type Command, parse, UsageError } from './command.js';
import { languageOf, numberOf } from './language.js';

export const lesson: Command = {
  usage: '[NUMBER] [--lang en|zh] [--picture OUT.html]',
  summary:
    'Gives a lesson: makes calls, tells what they did, and checks what it tells. Without a number it lists them.',
  options: {
    '--lang en|zh': 'the language that it speaks; the one of the environment if not said',
    '--picture OUT.html': 'write what happened in it as a page, for lessons that draw it',
  },
  async run(args) {
    const { values, positionals } = parse({
      args: [...args],
      options: { lang: { type: 'string' }, picture: { type: 'string' } },
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
    const lesson = await loadLesson(numberOf(positionals[0], lessonFiles().keys()));
    if (values.picture !== undefined && !lesson.drawsPicture) {
      throw new UsageError(`lesson ${lesson.number} draws no picture`);
    }
    await give(lesson, language, process.stdout, values.picture);
    return 0;
  },
};
