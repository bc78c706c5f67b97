import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lineOfRow } from '../../../src/datasets/kit/unreadable-rows.ts';
import { csvText } from '../../../src/datasets/kit/csv.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'quotidien-rows-'));
});
afterAll(() => rm(folder, { recursive: true }));

let files = 0;
async function lineIn(text: string, row: number): Promise<number> {
  files += 1;
  const file = path.join(folder, `${files}.csv`);
  await writeFile(file, text);
  return lineOfRow(file, row, ';');
}

describe('the line of a row', () => {
  it('is that of its first character, whatever line ends are in rows before it', async () => {
    expect(await lineIn('a;b\n1;x\n\n2;"y\n\nz"\n3;w\n', 3)).toBe(7);
    expect(await lineIn('a;b\r\n1;x\r\n\r\n2;y', 2)).toBe(4);
    expect(await lineIn('"a\nb";c\n1;x\n', 1)).toBe(3);
  });

  it('takes a quote inside a field for what it is', async () => {
    expect(await lineIn('a;b\n1;5" pipe\n2;y\n', 2)).toBe(3);
    expect(await lineIn('a;b\n1;"he said ""no"";\nand went"\n2;y\n', 2)).toBe(4);
  });

  it('is one more than the line ends that stand before the row, of any table', async () => {
    const cell = fc
      .array(fc.constantFrom('x', '"', ';', '\n', ' '), { maxLength: 6 })
      .map((texts) => texts.join(''));
    const rows = fc.array(fc.tuple(fc.constant('1'), cell), { minLength: 1, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(rows, fc.nat(7), async (table, at) => {
        const row = (at % table.length) + 1;
        const before = csvText([['a', 'b'], ...table.slice(0, row - 1)]);
        const text = csvText([['a', 'b'], ...table]);
        expect(await lineIn(text, row)).toBe(before.split('\n').length);
      }),
      { numRuns: 100 },
    );
  });
});
