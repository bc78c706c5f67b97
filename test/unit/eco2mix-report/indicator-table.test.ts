import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { indicatorsOf, indicatorTable } from '../../../src/datasets/eco2mix/report/indicators.ts';
import { encodeFlatParquet } from '../../../src/storage/sql/parquet-export.ts';
import { ALL_BUT_LOAD, dayMetrics } from '../../fixtures/eco2mix-metrics.ts';

describe('indicatorTable', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'eco2mix-table-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it.each([
    ['a complete day', dayMetrics()],
    ['a day of load alone', dayMetrics({ layout: 'cons-def', without: ALL_BUT_LOAD })],
  ])('comes back from the exported Parquet of %s as it was', async (_day, metrics) => {
    const table = indicatorTable(metrics.date, indicatorsOf(metrics));
    const file = path.join(folder, `${metrics.load.expected_samples}.parquet`);
    await writeFile(file, await encodeFlatParquet(table));
    const instance = await DuckDBInstance.create();
    try {
      const connection = await instance.connect();
      const read = await connection.runAndReadAll(
        `SELECT date, indicator, value, unit, CAST(epoch_ms(instant) AS DOUBLE), coverage FROM '${file}'`,
      );
      const expected = table.rows.map((row) =>
        row.map((cell, at) => (at === 4 && cell !== null ? Date.parse(String(cell)) : cell)),
      );
      expect(read.getRowsJson()).toEqual(expected);
      connection.closeSync();
    } finally {
      instance.closeSync();
    }
  });
});
