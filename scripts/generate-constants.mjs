// Writes lib/constants.ts, a typed and documented export for every name of native/constants.def, and
// lib/option-docs.ts, what it says of each socket option.
import { readFileSync, writeFileSync } from 'node:fs';

const source = new URL('../native/constants.def', import.meta.url);
const target = new URL('../lib/constants.ts', import.meta.url);
const docsTarget = new URL('../lib/option-docs.ts', import.meta.url);

const groupLine = /^\/\/ (?<group>\S.*)$/;
const constantLine =
  /^(?<newer>NEWER_)?(?<kind>CONSTANT|OPTION)\((?<name>\w+)(?:, (?<value>[\w-]+))?\)(?: +\/\/ (?<own>\S.*))?$/;

function refuse(line, why) {
  console.error(`native/constants.def:${line}: ${why}.`);
  process.exit(1);
}

// The file's own comment ends at the first empty line.
const lines = readFileSync(source, 'utf8').split('\n');
const firstGroup = lines.indexOf('') + 1;

const madeFrom = '// Made from native/constants.def by scripts/generate-constants.mjs.';
const output = [
  madeFrom,
  "import { constants } from './native.js';",
  "import type { OptionName } from './option-name.js';",
];
const docs = [
  madeFrom,
  '/** What native/constants.def says of each socket option. */',
  'export const optionDocs: Readonly<Record<string, string>> = {',
];
const seen = new Set();
let group;

for (const [index, line] of lines.entries()) {
  if (index < firstGroup || line === '') continue;
  group = groupLine.exec(line)?.groups.group ?? group;
  if (groupLine.test(line)) continue;

  const constant = constantLine.exec(line)?.groups;
  if (!constant || Boolean(constant.newer) !== Boolean(constant.value) || line.includes('*/')) {
    refuse(index + 1, `cannot read "${line}"`);
  }
  const { kind, name, own } = constant;
  if (seen.has(name)) refuse(index + 1, `${name} is there twice`);
  if (!group) refuse(index + 1, `${name} belongs to no group`);
  seen.add(name);

  if (kind === 'OPTION') docs.push(`  ${name}: ${JSON.stringify(own ?? group)},`);
  const type = kind === 'OPTION' ? `OptionName<'${name}'>` : 'number';
  output.push(`/** ${own ? `${own} · ${group}` : group} */`, `export const ${name} = constants.${name} as ${type};`);
}

writeFileSync(target, `${output.join('\n')}\n`);
writeFileSync(docsTarget, `${docs.join('\n')}\n};\n`);
