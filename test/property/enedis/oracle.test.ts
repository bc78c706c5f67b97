import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runModel } from '../../../src/datasets/enedis/model/run-model.ts';
import { createDuckDbEngine } from '../../../src/storage/sql/duckdb.ts';
import type { DuckDbEngine } from '../../../src/storage/sql/duckdb.ts';
import { RANDOM_HORIZON, randomSupplier } from '../../fixtures/enedis-random.ts';
import { loadSupplier } from '../../fixtures/enedis-supplier.ts';

let home: string;
let engine: DuckDbEngine;

beforeAll(async () => {
  home = await mkdtemp(path.join(tmpdir(), 'enedis-oracle-'));
  engine = createDuckDbEngine({ memoryLimitMb: 1_024, threads: 2, scratchRoot: home });
});

afterAll(async () => {
  await engine.close();
  await rm(home, { recursive: true, force: true });
});

/** Suppliers of four contracts each. */
const SUPPLIERS = 500;

const OURS = `SELECT ref_situation_contractuelle AS rsc, mois AS month, nb_jours AS days, puissance_moyenne_kva AS kva,
  CAST(turpe_fixe_eur * 100 AS BIGINT) AS fixed_c, energie_base_kwh AS kwh, CAST(turpe_variable_eur * 100 AS BIGINT) AS variable_c, qualite AS quality FROM mois`;
const ORACLE = 'SELECT rsc, month, days, kva, fixed_c, kwh, variable_c, quality FROM o_months';

describe('the months of random suppliers', () => {
  it(`are those of a script that was written apart, for ${SUPPLIERS} suppliers`, async () => {
    const script = await readFile(new URL('oracle.sql', import.meta.url), 'utf8');
    await engine.session(async (sql) => {
      await loadSupplier(sql, randomSupplier(SUPPLIERS * 4));
      await runModel(sql, { horizon: RANDOM_HORIZON });
      await sql.run(`CREATE TEMP TABLE horizon AS SELECT DATE '${RANDOM_HORIZON}' AS jour`);
      for (const statement of script.split(/;\s*\n/)) if (statement.trim() !== '') await sql.run(statement);
      const [counts] = await sql.rows<Record<string, number>>(
        `SELECT count(*) AS months, count(*) FILTER (WHERE quality = 'réelle') AS reelle, count(*) FILTER (WHERE quality = 'estimée') AS estimee,
           count(*) FILTER (WHERE quality = 'incalculable') AS incalculable, count(variable_c) AS variable FROM o_months`,
      );
      // A comparison of nothing, or of one kind of month, would prove nothing.
      expect(counts!['months']).toBeGreaterThan(10_000);
      for (const name of ['reelle', 'estimee', 'incalculable', 'variable'])
        expect(counts![name], name).toBeGreaterThan(200);
      const only = (a: string, b: string) =>
        sql.rows(`SELECT * FROM (${a} EXCEPT ALL ${b}) ORDER BY rsc, month LIMIT 5`);
      expect({ ours: await only(OURS, ORACLE), oracle: await only(ORACLE, OURS) }).toEqual({ ours: [], oracle: [] });
    });
  });
});
