import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { regularisations } from '../../../src/datasets/enedis/commands/regularisations.ts';
import type { CommandHost, RowsSheet } from '../../../src/pipelines/dataset-command.ts';
import { openTestSql } from '../../fixtures/sql-engine.ts';
import type { TestSql } from '../../fixtures/sql-engine.ts';

let engine: TestSql;
beforeAll(async () => {
  engine = await openTestSql({ memoryLimitMb: 256, threads: 1 });
});
afterAll(() => engine.close());

/** Contract, component, what was invoiced, what is known now, whether it waits. */
type Part = readonly [
  rsc: string,
  part: string,
  before: number | null,
  after: number | null,
  waits?: boolean,
];

/** The lines that the command writes. */
async function linesOf(parts: readonly Part[]): Promise<{ end: string; lines: unknown[][] }> {
  const values = parts.map(([rsc, part, before, after, waits = false]) => {
    const difference = waits ? 'NULL' : `${(after ?? 0) - (before ?? 0)}`;
    return `('${rsc}', '1', '2025-10', '${part}', ${before ?? 'NULL'}, ${after ?? 'NULL'}, ${difference}, ${waits}, 1, 'why')`;
  });
  const sheets: RowsSheet[] = [];
  const withTables: CommandHost['withTables'] = (_, work) =>
    engine.session(async (sql) => {
      await sql.run(`CREATE TABLE enedis_regularisations AS
        SELECT * REPLACE (CAST(facture AS DECIMAL(18, 3)) AS facture, CAST(calcule AS DECIMAL(18, 3)) AS calcule, CAST(ecart AS DECIMAL(18, 3)) AS ecart)
        FROM (VALUES ${values.join(', ')}) AS r (ref_situation_contractuelle, pdl, mois, composante, facture, calcule, ecart, est_en_attente,
          version_facturee, cause)`);
      return work(sql, {});
    });
  const host: Pick<CommandHost, 'withTables' | 'writeRows' | 'line' | 'note' | 'data'> = {
    withTables,
    writeRows: (request) => {
      sheets.push(...request.sheets);
      return Promise.resolve({ format: 'csv', file: 'f.csv', rows: 0 });
    },
    line: () => undefined,
    note: () => undefined,
    data: () => undefined,
  };
  const end = await regularisations({ arguments: [], options: {} }, host as CommandHost);
  const lines = sheets.flatMap(({ rows }) =>
    rows.map((row) => [
      row['ref_situation_contractuelle'],
      row['categorie'],
      row['quantite'],
      row['a_facturer'],
    ]),
  );
  return { end, lines };
}

describe('quotidien enedis regularisations', () => {
  it('bills registers where a month has them on both sides, and the whole where it has them on one', async () => {
    const { end, lines } = await linesOf([
      ...([
        ['A', 'energie_base_kwh', 200, 240],
        ['A', 'energie_hp_kwh', 150, 180],
        ['A', 'energie_hc_kwh', 50, 60],
        ['A', 'turpe_variable_eur', 8, 9],
      ] as const),
      ...([
        ['B', 'energie_base_kwh', 200, 240],
        ['B', 'energie_hp_kwh', null, 180],
        ['B', 'energie_hc_kwh', null, 60],
      ] as const),
      // The same whole, shared out between the registers otherwise.
      ...([
        ['C', 'energie_hp_kwh', 150, 160],
        ['C', 'energie_hc_kwh', 50, 40],
      ] as const),
    ]);
    expect(end).toBe('done');
    expect(lines).toEqual([
      ['A', 'HC', 10, true],
      ['A', 'HP', 30, true],
      ['B', 'Base', 40, true],
      ['C', 'HC', -10, true],
      ['C', 'HP', 10, true],
    ]);
  });

  it('bills all of a month that was not invoiced, days too, and leaves open what waits for a person', async () => {
    const { end, lines } = await linesOf([
      ['D', 'energie_base_kwh', null, 240],
      ['D', 'energie_hp_kwh', null, 180],
      ['D', 'energie_hc_kwh', null, 60],
      ['D', 'nb_jours', null, 31],
      ['E', 'energie_base_kwh', 200, null, true],
    ]);
    expect(end).toBe('degraded');
    expect(lines).toEqual([
      ['D', 'Abonnements', 31, true],
      ['D', 'HC', 60, true],
      ['D', 'HP', 180, true],
      ['E', 'Base', null, false],
    ]);
  });
});
