// Writes the tables of README.md between their marks: calls, control messages and options, from the package's own.
// `--check` writes nothing and exits with 1 if they are not up to date.
import { readFileSync, writeFileSync } from 'node:fs';

const { controlKinds, optionTable } = await import('../dist/lib/index.js');
const { calls } = await import('../dist/lib/tools/trace.js');

const file = new URL('../README.md', import.meta.url);
const before = readFileSync(file, 'utf8');

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

const marks = { calls: callTable, options: optionTableText, 'control messages': controlList };
let after = before;
for (const [name, make] of Object.entries(marks)) {
  const pattern = new RegExp(`(<!-- ${name} -->\n).*?(<!-- /${name} -->)`, 's');
  after = after.replace(pattern, (_, begin, end) => `${begin}\n${make()}\n\n${end}`);
}
if (process.argv.includes('--check')) process.exit(after === before ? 0 : 1);
writeFileSync(file, after);
