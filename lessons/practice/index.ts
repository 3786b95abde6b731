/**
 * posix-sockets/practice: what an exercise is written with. Its calls are printed as they are made; what fails is
 * explained, with the hint that the exercise gave last.
 * @module
 */
import { pathToFileURL } from 'node:url';
import { SystemError } from 'posix-sockets';
import { explain, type TraceEvent, trace } from 'posix-sockets/trace';

const chinese = process.env.POSIX_SOCKETS_LANGUAGE === 'zh';
const pick = (en: string, zh: string) => (chinese ? zh : en);

let lastHint = '';
let checked = 0;

/** What to think of, should what follows fail. */
export function hint(en: string, zh: string): void {
  lastHint = pick(en, zh);
  process.send?.({ hint: lastHint });
}

/** Says what must be so. The exercise is not solved where it is not. */
export function check(holds: boolean, en: string, zh: string): void {
  if (!holds) throw new Error(pick(`This is not so yet: ${en}`, `还不是这样：${zh}`));
  endOfRow();
  checked++;
  console.log(`  ✓ ${pick(en, zh)}`);
}

// Of a hundred calls of one kind in a row, few are worth reading.
const most = 5;
let row = { call: '', length: 0 };

function print(event: TraceEvent): void {
  if (event.call !== row.call) {
    endOfRow();
    row = { call: event.call, length: 0 };
  }
  if (++row.length <= most) console.log(`    ${event}`);
}

function endOfRow(): void {
  const more = row.length - most;
  if (more > 0) console.log(`    ... ${pick(`and ${more} more of ${row.call}`, `以及另外 ${more} 次 ${row.call}`)}`);
  row = { call: '', length: 0 };
}

// A call that waits for ever is told from those that are made: the runner ends the exercise, and shows this line.
trace(
  (event) => {
    process.send?.({ waitingIn: '' });
    print(event);
  },
  { onBegin: ({ text }) => process.send?.({ waitingIn: text }) },
);

function printHint(): void {
  console.log(`\n${pick('Hint: ', '提示：')}${lastHint}`);
}

/** Which line of the exercise an error is from. */
function lineOf({ stack = '' }: Error): string {
  const line = stack.split(pathToFileURL(process.argv[1] as string).href)[1]?.match(/^:(\d+)/)?.[1];
  return line === undefined ? '' : pick(`Line ${line}: `, `第 ${line} 行：`);
}

process.on('uncaughtException', (error) => {
  endOfRow();
  console.log(`  ✗ ${lineOf(error)}${error.message}`);
  if (error instanceof SystemError) console.log(`\n${explain(error)}`);
  printHint();
  process.exit(1);
});

process.on('exit', (code) => {
  if (code === 0 && checked > 0) return console.log(`\n${pick('Well done.', '做得好。')}`);
  if (code === 1) return; // what went wrong has been said
  endOfRow();
  console.log(`  ✗ ${pick('It ended before its last line.', '还没到最后一行，程序就结束了。')}`);
  printHint();
  process.exitCode = 1;
});
