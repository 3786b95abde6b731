/**
 * posix-sockets/practice: what an exercise is written with. Its calls are printed as they are made; what fails is
 * explained, with the hint that the exercise gave last.
 * @module
 */
import { SystemError } from 'posix-sockets';
import { explain, trace } from 'posix-sockets/trace';

const chinese = process.env.POSIX_SOCKETS_LANGUAGE === 'zh';
const pick = (en: string, zh: string) => (chinese ? zh : en);

let lastHint = '';
let checked = 0;

/** What to think of, should what follows fail. */
export function hint(en: string, zh: string): void {
  lastHint = pick(en, zh);
}

/** Says what must be so. The exercise is not solved where it is not. */
export function check(holds: boolean, en: string, zh: string): void {
  if (!holds) throw new Error(pick(en, zh));
  checked++;
  console.log(`  ✓ ${pick(en, zh)}`);
}

// The calls that wait for ever are told from those that are made: the runner ends the exercise, and shows this line.
trace((event) => console.log(`    ${event}`), {
  onBegin: ({ text }) => process.send?.({ waitingIn: text }),
});

process.on('uncaughtException', (error) => {
  console.log(`  ✗ ${error.message}`);
  if (error instanceof SystemError) console.log(`\n${explain(error)}`);
  console.log(`\n${pick('Hint: ', '提示：')}${lastHint}`);
  process.exit(1);
});

process.on('exit', (code) => {
  if (code === 0 && checked > 0) console.log(`\n${pick('Well done.', '做得好。')}`);
  else if (code === 0) process.exitCode = 1;
});
