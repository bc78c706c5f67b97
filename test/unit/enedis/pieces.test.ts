import { createHash } from 'node:crypto';
import { readFile, rm, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  KEY_32,
  keysText,
  OTHER_KEY,
  seal,
  zip,
} from '@quotidien/sample-portal/sftp/archive-writer';
import { enedisDecoder } from '../../../src/datasets/enedis/days/decoder.ts';
import {
  archivesFile,
  occurrencesFile,
  readPieces,
} from '../../../src/datasets/enedis/days/piece.ts';
import { sliceRawFile } from '../../../src/datasets/enedis/days/slice.ts';
import { openRows } from '../../../src/datasets/enedis/days/tables.ts';
import { wholeKwh } from '../../../src/datasets/enedis/flux/registers.ts';
import { zonedDay } from '../../../src/pipelines/zoned-day.ts';
import type { SqlSession } from '../../../src/ports/sql.ts';
import { createDuckDbEngine } from '../../../src/storage/sql/duckdb.ts';
import { put, withFolder } from '../../fixtures/enedis-archives.ts';

const DAY = '2025-03-01';
const STEM = 'E_R151_S_C_5073_00001_Q_00001_00001_20250301030000';
const OTHER_STEM = 'E_R151_S_C_5073_00002_Q_00001_00001_20250301040000';
const ODD = 'A"\\\n\u2028é😀\'\t,;';
/** Longer than what the engine takes as it comes. */
const LONG = Array.from({ length: 400_000 }, (_, index) => index).join('é');

function xml(text: string): string {
  return (
    '<R151><En_Tete_Flux><Version_XSD>V1</Version_XSD></En_Tete_Flux>' +
    `<PRM><Id_PRM>1</Id_PRM><Donnees_Releve><Id_Affaire>${text}</Id_Affaire></Donnees_Releve></PRM>` +
    '<PRM><Id_PRM>2</Id_PRM></PRM></R151>'
  );
}

interface Delivery {
  readonly stem: string;
  readonly text?: string;
  readonly isWrong?: boolean;
}

/** Decodes deliveries of a day into a folder, one after the other. */
async function decode(folder: string, deliveries: readonly Delivery[]): Promise<string> {
  const target = path.join(folder, 'decoded');
  async function* files() {
    for (const { stem, text = ODD, isWrong = false } of deliveries) {
      const bytes = seal(
        zip([{ name: `${stem}.xml`, content: xml(text) }]),
        isWrong ? OTHER_KEY : KEY_32,
      );
      const file = await put(folder, 'delivered', bytes);
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      yield { name: `${stem}.zip`, path: file, sha256, bytes: bytes.length };
    }
  }
  await enedisDecoder.decode({
    part: 'r151',
    files: files(),
    keys: keysText([KEY_32]),
    target,
    scratch: folder,
    progress: () => undefined,
    signal: new AbortController().signal,
  });
  return target;
}

async function withSql<T>(use: (sql: SqlSession, folder: string) => Promise<T>): Promise<T> {
  return withFolder(async (folder) => {
    const engine = createDuckDbEngine({
      memoryLimitMb: 256,
      threads: 1,
      scratchRoot: path.join(folder, 'sql'),
    });
    try {
      return await engine.session((sql) => use(sql, folder));
    } finally {
      await engine.close();
    }
  });
}

async function rowsOfSlice(sql: SqlSession, pieces: string): Promise<Record<string, unknown>[]> {
  const raw = { path: pieces, sha256: '', bytes: 0 };
  const days = [zonedDay(DAY, 'Europe/Paris')];
  const [outcome] = await sliceRawFile({ part: 'r151', raw, days, progress: () => undefined }, sql);
  const slice =
    outcome !== undefined && 'outputs' in outcome ? outcome.outputs['slice'] : undefined;
  if (slice === undefined || !('path' in slice)) throw new Error('no slice');
  return sql.rows(`SELECT * FROM '${slice.path}'`);
}

describe('slices of archives', () => {
  it('have an archive and its occurrences as they were read, whatever the text of a customer’s file holds', async () => {
    await withSql(async (sql, folder) => {
      for (const text of [ODD, LONG]) {
        const rows = await rowsOfSlice(sql, await decode(folder, [{ stem: STEM, text }]));
        expect(rows.map(({ document, occurrence }) => [document, occurrence])).toEqual([
          [null, null],
          [`${STEM}.xml`, 1],
          [`${STEM}.xml`, 2],
        ]);
        expect(rows[0]).toMatchObject({
          sequence_number: 1,
          counter_total: 1,
          head: null,
          failure_cause: null,
        });
        expect(rows[1]).toMatchObject({
          documents: null,
          archive: `${STEM}.zip`,
          archive_bytes: null,
        });
        expect(JSON.parse(rows[1]!['head'] as string)).toEqual({ Version_XSD: 'V1' });
        expect(JSON.parse(rows[1]!['record'] as string)).toEqual({
          Id_PRM: '1',
          Donnees_Releve: [{ Id_Affaire: text }],
        });
        await rm(path.join(folder, 'decoded'), { recursive: true });
      }
    });
  });

  it('have an archive once that came twice, and not as failed when it came whole', async () => {
    await withSql(async (sql, folder) => {
      const deliveries = [
        { stem: STEM, isWrong: true },
        { stem: STEM },
        { stem: OTHER_STEM, isWrong: true },
        { stem: STEM },
      ];
      const rows = await rowsOfSlice(sql, await decode(folder, deliveries));
      expect(
        rows.map(({ archive, failure_cause: cause, occurrence }) => [archive, cause, occurrence]),
      ).toEqual([
        [`${STEM}.zip`, null, null],
        [`${STEM}.zip`, null, 1],
        [`${STEM}.zip`, null, 2],
        [`${OTHER_STEM}.zip`, 'no_key', null],
      ]);
    });
  });

  it('are not made of what is no piece, or not whole', async () => {
    await withSql(async (sql, folder) => {
      const pieces = await decode(folder, [{ stem: STEM }]);
      const [piece] = await readPieces(pieces);
      expect(piece?.head).toMatchObject({ archive: `${STEM}.zip` });
      const occurrences = await readFile(occurrencesFile(pieces, 0));
      await truncate(occurrencesFile(pieces, 0), occurrences.indexOf('\n') + 1);
      await expect(rowsOfSlice(sql, pieces)).rejects.toThrow(
        'of 3 rows of r151 of 2025-03-01 2 were written',
      );
      const whole = await readFile(archivesFile(pieces), 'utf8');
      for (const end of [1, whole.length >> 1, whole.length - 2]) {
        await writeFile(archivesFile(pieces), whole.slice(0, end));
        await expect(readPieces(pieces)).rejects.toMatchObject({ code: 'SRC_SHAPE_CHANGED' });
      }
      await expect(readPieces(folder)).rejects.toMatchObject({ code: 'SRC_SHAPE_CHANGED' });
    });
  });
});

describe('openRows', () => {
  it('gives rows as they were written, in the types of their columns', async () => {
    const columns = { a: 'text', b: 'text', n: 'integer', d: 'decimal', yes: 'boolean' } as const;
    const row = { a: null, b: null, n: null, d: null, yes: null, place: 1 };
    const rows = [
      { ...row, a: ODD, b: '' },
      { ...row, a: '"', b: '""', n: 9_007_199_254_740_991, d: '-12345678.12345678', yes: true },
      { ...row, a: '\\N', b: 'NULL', n: -1, d: '0.1', yes: false },
      { ...row, a: ' a\r\nb ', b: '"quoted"' },
      { ...row, a: LONG, b: "'" },
    ].map((one, place) => ({ ...one, place }));
    const found = await withSql(async (sql) => {
      const sink = openRows(sql, 'rows', columns, { place: 'integer' });
      for (const { place, ...one } of rows) {
        sink.write(one, { place });
        await sink.drained();
      }
      return sql.rows(
        `SELECT * REPLACE (CAST(d AS VARCHAR) AS d) FROM ${await sink.close()} ORDER BY place`,
      );
    });
    const decimal = (d: string | null) => (d === null ? null : Number(d).toFixed(8));
    expect(found).toEqual(rows.map((one) => ({ ...one, d: decimal(one.d) })));
  });
});

describe('wholeKwh', () => {
  it.each([
    ['999999999999', 'Wh', 999_999_999],
    ['9999999999999', 'Wh', 9_999_999_999],
    ['000001999', 'Wh', 1],
    ['999', 'Wh', 0],
    ['+1999', 'Wh', 1],
    ['-1', 'Wh', -1],
    ['1999.999', 'Wh', 1],
    ['999999999999', 'kWh', 999_999_999_999],
    ['1.5', null, 1],
    ['', 'Wh', null],
    ['1 999', 'Wh', null],
  ])('makes of %s in %s %s, towards −∞', (text, unit, kwh) => {
    expect(wholeKwh(text, unit)).toBe(kwh);
  });
});
