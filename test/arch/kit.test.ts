import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const ENTRIES = {
  'quotidien/kit': `${ROOT}src/datasets/kit/index.ts`,
  'quotidien/kit/page': `${ROOT}src/datasets/kit/page/index.ts`,
  'quotidien/kit/testing': `${ROOT}src/workers/dataset-trial.ts`,
};

/** Every name that a dataset can import, types included. */
function exportsOf(file: string): string[] {
  const program = ts.createProgram([file], {
    allowImportingTsExtensions: true,
    noEmit: true,
    jsx: ts.JsxEmit.ReactJSX,
    module: ts.ModuleKind.NodeNext,
    skipLibCheck: true,
  });
  const source = program.getSourceFile(file);
  const module =
    source === undefined ? undefined : program.getTypeChecker().getSymbolAtLocation(source);
  return module === undefined
    ? []
    : program
        .getTypeChecker()
        .getExportsOfModule(module)
        .map(({ name }) => name);
}

describe('docs/kit.md', () => {
  const text = readFileSync(`${ROOT}docs/kit.md`, 'utf8');

  it.each(Object.entries(ENTRIES))('describes every name of %s, and no other', (title, file) => {
    const [, section = ''] = text.split(`\n## \`${title}\`\n`);
    const told = [...(section.split('\n## ')[0] ?? '').matchAll(/^\| `(\w+)` \| \S.*\|$/gm)].map(
      ([, name = '']) => name,
    );
    expect(told.sort()).toEqual(exportsOf(file).sort());
    expect(told.length).toBeGreaterThan(2);
  });
});
