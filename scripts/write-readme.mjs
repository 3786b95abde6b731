// Writes the tables of README.md between their marks: calls, control messages and options, from the package's own; and its
// picture, of a trace that was recorded with
//   npx posix-sockets trace --json --files -o docs/timeline.jsonl dist/examples/echo.js
// `--check` writes nothing and exits with 1 if they are not up to date.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';

const { controlKinds, optionTable } = await import('../dist/lib/index.js');
const { calls } = await import('../dist/lib/tools/trace.js');
const { timelineOf, timelineSvg } = await import('../dist/lib/tools/timeline/index.js');

const at = (path) => new URL(`../${path}`, import.meta.url);
const read = (path) => readFileSync(at(path), 'utf8');

function manPage(page) {
  const [, name, section] = /^(\w+)\((\d)\)$/.exec(page);
  return `[${page}](https://man7.org/linux/man-pages/man${section}/${name}.${section}.html)`;
}

const firstSentence = (text) => /^.*?[.!?](?=\s|$)/s.exec(text)?.[0] ?? text;

function callTable() {
  const rows = Object.entries(calls).map(
    ([name, { page, summary }]) => `| \`${name}\` | ${manPage(page)} | ${firstSentence(summary)} |`,
  );
  return ['| call | man page | what it does |', '| --- | --- | --- |', ...rows].join('\n');
}

// An option's name says whose it is: SO_ of every socket, TCP_ of TCP, ...
function optionTableText() {
  const groups = new Map();
  for (const { name } of Object.values(optionTable)) {
    const prefix = name.split('_', 1)[0];
    groups.set(prefix, [...(groups.get(prefix) ?? []), `\`${name}\``]);
  }
  const rows = [...groups].map(([prefix, names]) => `| \`${prefix}_\` | ${names.length} | ${names.join(' ')} |`);
  return ['| of | how many | options |', '| --- | --- | --- |', ...rows].join('\n');
}

function controlList() {
  return Object.keys(controlKinds)
    .map((name) => `\`${name}\``)
    .join(' ');
}

function picture() {
  const records = read('docs/timeline.jsonl').trim().split('\n');
  const title = 'A client and an echo server in two threads: their calls, what passed between them, their TCP states';
  return timelineSvg(timelineOf(records.map((line) => JSON.parse(line))), { title });
}

const marks = { calls: callTable, options: optionTableText, 'control messages': controlList };
function readme() {
  let text = read('README.md');
  for (const [name, make] of Object.entries(marks)) {
    const pattern = new RegExp(`(<!-- ${name} -->\n).*?(<!-- /${name} -->)`, 's');
    text = text.replace(pattern, (_, begin, end) => `${begin}\n${make()}\n\n${end}`);
  }
  return text;
}

const written = { 'README.md': readme(), 'docs/timeline.svg': picture() };
for (const [path, text] of Object.entries(written)) {
  if (!process.argv.includes('--check')) writeFileSync(at(path), text);
  else if (!existsSync(at(path)) || read(path) !== text) {
    console.log(`${path} is not up to date`);
    process.exitCode = 1;
  }
}
