import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runModel } from '../../../src/datasets/enedis/model/run-model.ts';
import { RANDOM_HORIZON, randomSupplier, shuffled } from '../../fixtures/enedis-random.ts';
import type { SupplierRows } from '@quotidien/sample-portal/sftp/supplier-rows';
import { loadSupplier } from '../../fixtures/enedis-supplier.ts';
import { openTestSql } from '../../fixtures/sql-engine.ts';
import type { TestSql } from '../../fixtures/sql-engine.ts';

let engine: TestSql;
beforeAll(async () => {
  engine = await openTestSql({ memoryLimitMb: 512, threads: 2 });
});
afterAll(() => engine.close());

const RUNS = { numRuns: 10 };
const TABLES = ['abonnements_payes', 'energies_payees', 'mois', 'accise_mois'] as const;

async function query(
  rows: SupplierRows,
  select: string,
  horizon = RANDOM_HORIZON,
): Promise<Record<string, unknown>[]> {
  return engine.session(async (sql) => {
    await loadSupplier(sql, rows);
    await runModel(sql, { horizon });
    return sql.rows(select);
  });
}

async function tablesOf(
  rows: SupplierRows,
  horizon = RANDOM_HORIZON,
): Promise<Record<string, string[]>> {
  return engine.session(async (sql) => {
    await loadSupplier(sql, rows);
    await runModel(sql, { horizon });
    const found: Record<string, string[]> = {};
    for (const table of TABLES)
      found[table] = (await sql.rows(`SELECT * FROM ${table} ORDER BY ALL`)).map((row) =>
        JSON.stringify(row),
      );
    return found;
  });
}

const somewhere = fc.integer({ min: 0, max: 100_000 });

describe('the months of any contracts', () => {
  it('lie in their contract without gap or overlap, for what is subscribed and for what is used', async () => {
    await fc.assert(
      fc.asyncProperty(somewhere, async (first) => {
        for (const table of ['abonnements', 'energies']) {
          const wrong = await query(
            randomSupplier(12, first),
            `SELECT * FROM (
               SELECT p.rsc, p.debut, p.fin, lead(p.debut) OVER (PARTITION BY p.rsc ORDER BY p.debut) AS suivant, c.entree, c.sortie, p.nb_jours
               FROM ${table} p JOIN contrats c USING (rsc)
             ) WHERE fin <> coalesce(suivant, fin) OR debut < entree OR fin > coalesce(sortie, fin) OR nb_jours <= 0`,
          );
          expect(wrong, table).toEqual([]);
        }
      }),
      RUNS,
    );
  });

  it('never have negative energy, and add up to what their counters went on', async () => {
    await fc.assert(
      fc.asyncProperty(somewhere, async (first) => {
        const wrong = await query(
          randomSupplier(12, first),
          `SELECT m.ref_situation_contractuelle FROM mois m
           LEFT JOIN (SELECT rsc, mois, sum(energie_base_kwh) AS kwh, count(*) = count(energie_base_kwh) AS whole FROM energies GROUP BY ALL) e
             ON e.rsc = m.ref_situation_contractuelle AND e.mois = m.mois
           WHERE m.energie_base_kwh < 0 OR (e.whole AND m.energie_base_kwh <> e.kwh) OR (NOT e.whole AND m.energie_base_kwh IS NOT NULL)
             OR m.energie_hp_kwh + m.energie_hc_kwh <> m.energie_base_kwh`,
        );
        expect(wrong).toEqual([]);
      }),
      RUNS,
    );
  });

  it('are the same in any order of the rows that arrived', async () => {
    await fc.assert(
      fc.asyncProperty(somewhere, fc.integer(), async (first, seed) => {
        const rows = randomSupplier(8, first);
        expect(await tablesOf(shuffled(rows, seed))).toEqual(await tablesOf(rows));
      }),
      RUNS,
    );
  });

  it('only become fewer with an earlier horizon', async () => {
    await fc.assert(
      fc.asyncProperty(
        somewhere,
        fc.constantFrom('2025-03-01', '2025-04-01', '2025-08-01', '2025-10-01'),
        async (first, horizon) => {
          const rows = randomSupplier(8, first);
          const [earlier, later] = [await tablesOf(rows, horizon), await tablesOf(rows)];
          for (const table of TABLES) {
            const known = new Set(later[table]);
            expect(
              earlier[table]!.filter((row) => !known.has(row)),
              table,
            ).toEqual([]);
          }
        },
      ),
      RUNS,
    );
  });

  it('and what their files hold are the same on hosts of any time zone', async () => {
    const child = fileURLToPath(new URL('children/supplier-in-a-zone.ts', import.meta.url));
    const told: string[][] = [];
    for (const TZ of ['Europe/Paris', 'Pacific/Auckland', 'America/St_Johns']) {
      const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', child], {
        env: { ...process.env, TZ },
      });
      told.push(stdout.trim().split(' '));
    }
    expect(told.map(([offset]) => offset)).toEqual(['-60', '-780', '210']);
    expect(new Set(told.map(([, hash]) => hash)).size).toBe(1);
  }, 120_000);

  it('do not hang on the zone of the session', async () => {
    const rows = randomSupplier(10, 77);
    const inZone = await engine.session(async (sql) => {
      await sql.run("SET TimeZone = 'Pacific/Auckland'");
      await loadSupplier(sql, rows);
      await runModel(sql, { horizon: RANDOM_HORIZON });
      return (await sql.rows('SELECT * FROM mois ORDER BY ALL')).map((row) => JSON.stringify(row));
    });
    expect(inZone).toEqual((await tablesOf(rows))['mois']);
  });
});
