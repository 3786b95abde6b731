import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { expect, test } from 'vitest';

const folder = join(import.meta.dirname, '../lib/syscalls');

/** Calls that cannot fail. */
const neverFail = ['gettid'];

function exportedFunctions(file: string): ts.FunctionDeclaration[] {
  const source = ts.createSourceFile(file, readFileSync(join(folder, file), 'utf8'), ts.ScriptTarget.Latest, true);
  return source.statements
    .filter(ts.isFunctionDeclaration)
    .filter((node) => (ts.getCombinedModifierFlags(node) & ts.ModifierFlags.Export) !== 0);
}

/** What the doc comment of a call does not say. */
function missing(call: ts.FunctionDeclaration): string[] {
  const tags = ts.getJSDocTags(call).map((tag) => tag.tagName.text);
  const [comment] = ts.getJSDocCommentsAndTags(call).filter(ts.isJSDoc);
  const told = new Set(
    ts
      .getJSDocTags(call)
      .filter(ts.isJSDocParameterTag)
      .map((tag) => tag.name.getText()),
  );
  const parameters = call.parameters.filter((parameter) => ts.isIdentifier(parameter.name));
  const isVoid = call.type?.kind === ts.SyntaxKind.VoidKeyword;
  return [
    ...(comment?.comment ? [] : ['what it does']),
    ...parameters.map(({ name }) => name.getText()).filter((name) => !told.has(name)),
    ...(isVoid || tags.includes('returns') ? [] : ['@returns']),
    ...(neverFail.includes(call.name?.text ?? '') || tags.includes('throws') ? [] : ['@throws']),
    ...(tags.includes('see') ? [] : ['@see']),
  ];
}

test.each(readdirSync(folder))('%s: every call says what it takes, answers and throws, and its man page', (file) => {
  const calls = exportedFunctions(file);
  expect(calls.length).toBeGreaterThan(0);
  for (const call of calls) expect(missing(call), call.name?.text).toEqual([]);
});
