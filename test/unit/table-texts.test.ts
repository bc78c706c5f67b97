import fc from 'fast-check';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { putContent } from '../../src/engine/content-store.ts';
import type { TableCut, TablePiece } from '../../src/engine/look/table-cut.ts';
import { readAllTexts, readRowSets, readTexts } from '../../src/engine/look/table-rows.ts';
import type { RowsText } from '../../src/engine/look/table-rows.ts';
import type { TableDefinition } from '../../src/pipelines/tables.ts';
import { openTestEngine } from '../fixtures/test-engine.ts';
import type { TestEngine } from '../fixtures/test-engine.ts';

let engine: TestEngine;

beforeAll(async () => {
  engine = await openTestEngine([]);
});

afterAll(() => engine.close());

const NONE = { fr: '', en: '' };

const TABLE: TableDefinition = {
  id: 'made_up',
  title: NONE,
  description: NONE,
  rows: { step: 'transform/a', output: 'core', each: 'day' },
  columns: [
    { name: 'at', type: 'integer', title: NONE },
    { name: 'a', type: 'integer', title: NONE },
    { name: 'b', type: 'text', title: NONE },
  ],
  order: ['at'],
};

/** Of as many rows as places, whose file has them in a random order. */
async function cutOf(places: readonly (number | null)[]): Promise<TableCut> {
  const rows = places.map((place, index) => `(${place ?? 'NULL'}, ${index % 7}, 'row ${index}')`);
  const values = rows.length === 0 ? '(0, 0, NULL)) WHERE false' : `${rows.join(', ')})`;
  const select = `SELECT col0 AS "at", col1 AS a, col2 AS b FROM (VALUES ${values} ORDER BY hash(b)`;
  const piece = await engine.sql!.session(async (sql): Promise<TablePiece> => {
    const file = path.join(sql.scratch, 'rows.parquet');
    await sql.run(`COPY (${select}) TO '${file}'`);
    const place = {
      folder: 'core/made-up',
      extension: 'parquet',
      mediaType: 'application/vnd.apache.parquet',
    };
    return {
      scope: '2024-01-01',
      ref: await putContent(engine.objects, place, { path: file, rows: rows.length }),
    };
  });
  const span = { from: '2024-01-01', to: '2024-01-01' };
  const told = {
    versions: [],
    missing: [],
    coverage: null,
    revision: null,
    committedAt: null,
    hash: '',
  };
  return { table: TABLE, span, pieces: [piece], ...told };
}

/** Leaves every seventh row out. */
const LINE = `CASE WHEN a <> 3 THEN coalesce(CAST("at" AS VARCHAR), '') || ' ' || b || chr(10) END`;

async function expectedOf(cut: TableCut): Promise<string[]> {
  const lines: string[] = [];
  for await (const rows of readRowSets(engine, cut))
    for (const { at, a, b } of rows)
      if (a !== 3) lines.push(`${at === null ? '' : String(at)} ${String(b)}\n`);
  return lines;
}

async function all(texts: AsyncIterable<RowsText>): Promise<RowsText[]> {
  const found: RowsText[] = [];
  for await (const one of texts) found.push(one);
  return found;
}

describe('texts of a table', () => {
  it.each([
    [
      'names each row',
      fc.uniqueArray(fc.integer({ min: -9_000, max: 9_000 }), { maxLength: 1_500 }),
    ],
    ['leaves ties', fc.array(fc.option(fc.integer({ min: 0, max: 20 })), { maxLength: 1_500 })],
  ])('have the order of its rows where that order %s', async (_, places) => {
    await fc.assert(
      fc.asyncProperty(places, async (given) => {
        const cut = await cutOf(given);
        const lines = await expectedOf(cut);
        for (const texts of [
          await all(readTexts(engine, cut, LINE)),
          await readAllTexts(engine, cut, LINE),
        ]) {
          expect(texts.map(({ text }) => text).join('')).toBe(lines.join(''));
          expect(texts.reduce((sum, { rows }) => sum + rows, 0)).toBe(lines.length);
        }
      }),
      { numRuns: 25 },
    );
  });

  it('are short, so that none is a large object in memory', async () => {
    const cut = await cutOf(Array.from({ length: 2_000 }, (_, index) => index));
    for (const { rows } of await all(readTexts(engine, cut, LINE)))
      expect(rows).toBeLessThanOrEqual(256);
  });
});
