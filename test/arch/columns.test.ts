import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = path.resolve(import.meta.dirname, '../..');

/** What the formatter keeps code to; it leaves comments as they are. */
const COLUMNS = 100;

const COMMENT = /^\s*(\* |\/\*|\/\/)/;
/** Rows of tables, and directives of the linter, which are one line each. */
const ONE_LINE = /^\s*(\* \||(\*|\/\*|\/\/) oxlint-)/;

function sources(): string[] {
  const patterns = ['ts', 'tsx', 'mjs', 'cjs', 'js'].map((extension) => `*.${extension}`);
  return execFileSync('git', ['ls-files', '-co', '--exclude-standard', ...patterns], {
    cwd: ROOT,
    encoding: 'utf8',
  })
    .split('\n')
    .filter((file) => file !== '');
}

describe('comments', () => {
  it(`end within ${COLUMNS} columns, as code does`, () => {
    const { printWidth } = JSON.parse(readFileSync(path.join(ROOT, '.oxfmtrc.json'), 'utf8')) as {
      printWidth: number;
    };
    expect(printWidth).toBe(COLUMNS);
    const files = sources();
    expect(files.length).toBeGreaterThan(1_000);
    const long = files.flatMap((file) =>
      readFileSync(path.join(ROOT, file), 'utf8')
        .split('\n')
        .flatMap((line, index) =>
          COMMENT.test(line) && !ONE_LINE.test(line) && line.length > COLUMNS
            ? [`${file}:${index + 1}: ${line.trim()}`]
            : [],
        ),
    );
    expect(long).toEqual([]);
  });
});
