import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SLICE_COLUMNS } from '../../../src/datasets/enedis/days/slice.ts';
import { transformOf } from '../../../src/datasets/enedis/days/transform.ts';
import type {
  StepImplementation,
  StepTask,
  StepUnit,
  UnitOutcome,
} from '../../../src/pipelines/dataset.ts';
import type { SqlSession } from '../../../src/ports/sql.ts';
import { createDuckDbEngine } from '../../../src/storage/sql/duckdb.ts';
import type { DuckDbEngine } from '../../../src/storage/sql/duckdb.ts';
import { dayUnit } from '../../fixtures/step-runner.ts';

const HEAD = JSON.stringify({ Version_XSD: 'V1', Unite_Mesure_Index: 'Wh' });
const STEP = transformOf('R151') as Extract<StepImplementation, { kind: 'sql' }>;

let folder: string;
let engine: DuckDbEngine;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'quotidien-rows-'));
  engine = createDuckDbEngine({ memoryLimitMb: 256, threads: 2, scratchRoot: folder });
});

afterEach(async () => {
  await engine.close();
  await rm(folder, { recursive: true, force: true });
});

/** A slice of an archive with so many readings; `head` is what its document says of all of them. */
async function unitOf(
  sql: SqlSession,
  date: string,
  readings: number,
  head = HEAD,
): Promise<StepUnit> {
  const columns = Object.keys(SLICE_COLUMNS).map((name) => `NULL AS ${name}`);
  const archive = `'A ${date}' AS archive, 's' AS archive_sha256, '${date.replaceAll('-', '')}030000' AS archive_timestamp`;
  const record = `'{"Id_PRM":"' || (99000000000000 + n) || '","Donnees_Releve":[{"Date_Releve":"${date}","Classe_Temporelle_Distributeur":[{"Id_Classe_Temporelle":"BASE","Valeur":"' || n || '000"}]}]}'`;
  const file = path.join(folder, `${date}.parquet`);
  await sql.run(`COPY (SELECT * REPLACE (${archive}, '[]' AS documents) FROM (SELECT ${columns.join(', ')})
    UNION ALL SELECT * EXCLUDE (n) REPLACE (${archive}, 'd.xml' AS document, n AS occurrence, '${head}' AS head, ${record} AS record)
    FROM (SELECT ${columns.join(', ')}), range(1, ${readings + 1}) AS r(n)) TO '${file}' (FORMAT PARQUET)`);
  const bytes = (await readFile(file)).byteLength;
  return dayUnit(date, {
    slice: [{ scope: date, path: file, ref: { key: '', sha256: '', bytes, mediaType: '' } }],
  });
}

/**
 * What the step makes of units, its tables as bytes, and how many results it read piece by piece.
 */
async function made(sql: SqlSession, units: readonly StepUnit[]) {
  let reads = 0;
  const counting = new Proxy(sql, {
    get(target, name) {
      if (name === 'batches') reads += 1;
      const value = Reflect.get(target, name, target) as unknown;
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
  const { signal } = new AbortController();
  const task: StepTask = {
    step: 'transform/r151',
    params: {},
    units,
    progress: () => undefined,
    signal,
  };
  const outcomes = await STEP.run(task, counting);
  return { reads, days: await Promise.all(outcomes.map(toldOf)) };
}

async function toldOf(outcome: UnitOutcome) {
  if ('failure' in outcome) return { scope: outcome.scope, failure: outcome.failure.code };
  const { r151, archives } = outcome.outputs;
  const table =
    r151 !== undefined && 'path' in r151
      ? (await readFile(r151.path)).toString('base64')
      : undefined;
  return { scope: outcome.scope, facts: outcome.facts, table, archives: archives?.rows };
}

describe('the linear rows of days', () => {
  it('are read by one statement, and are the bytes that each day has alone', async () => {
    await engine.session(async (sql) => {
      const units = [await unitOf(sql, '2025-10-01', 3), await unitOf(sql, '2025-10-02', 5_000)];
      units.push(await unitOf(sql, '2025-10-03', 0), await unitOf(sql, '2025-10-04', 1));
      const together = await made(sql, units);
      expect(together.reads).toBe(1);
      expect(together.days.map((day) => 'facts' in day && day.facts['rows'])).toEqual([
        3, 5_000, 0, 1,
      ]);
      const alone = [];
      for (const unit of units) alone.push(...(await made(sql, [unit])).days);
      expect(together.days).toEqual(alone);
    });
  });

  it('cost no other day where those of one cannot be read', async () => {
    await engine.session(async (sql) => {
      const units = [
        await unitOf(sql, '2025-10-01', 3),
        await unitOf(sql, '2025-10-02', 2, 'no JSON'),
      ];
      units.push(await unitOf(sql, '2025-10-03', 4));
      const { days } = await made(sql, units);
      expect(days.map((day) => ('facts' in day ? day.facts['rows'] : day.failure))).toEqual([
        3,
        'INTERNAL',
        4,
      ]);
    });
  });
});
