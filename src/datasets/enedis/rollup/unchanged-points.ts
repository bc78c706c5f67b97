import { parquetSql, quoteIdentifier } from '../../kit/index.ts';
import type { SqlSession } from '../../kit/index.ts';
import { C12_CONTRACTS } from '../model/c12.ts';
import { OVERRUNS } from '../model/overruns.ts';
import { EVENTS_READ } from '../model/readings.ts';
import { CONTRACTS } from '../model/spine.ts';
import type { OtherMonths } from './judge-months.ts';
import type { TouchedPoints } from './touched-points.ts';

/**
 * What stays of the newest version of the history: the rows of points of which nothing changed, as
 * they were written.
 */

/** Rows of an output of the newest version, of points that did not change. */
function unchangedRows({ previous }: TouchedPoints, output: string): string {
  const path = previous.outputs[output]?.path ?? '';
  return `(SELECT * FROM ${parquetSql([path])} WHERE pdl NOT IN (SELECT pdl FROM touches))`;
}

/** A query of an output: what was made now, of points that changed, and what stays. */
export async function withUnchanged(
  sql: SqlSession,
  touched: TouchedPoints | undefined,
  output: string,
  made: string,
): Promise<string> {
  if (touched === undefined) return made;
  // Parquet has no such large whole numbers as the model: the types are those of what was made.
  const columns = await sql.rows<{ column_name: string; column_type: string }>(`DESCRIBE ${made}`);
  const typed = columns.map(({ column_name: name, column_type: type }) => {
    return `CAST(${quoteIdentifier(name)} AS ${type}) AS ${quoteIdentifier(name)}`;
  });
  return `SELECT * FROM (${made}) WHERE pdl IN (SELECT pdl FROM touches)
    UNION ALL SELECT ${typed.join(', ')} FROM ${unchangedRows(touched, output)}`;
}

/**
 * Months of other contracts, for the check that holds single months. Frozen months were judged as
 * they were calculated.
 */
export function otherMonths(touched: TouchedPoints): OtherMonths {
  const held = unchangedRows(touched, 'retenus');
  const months = `(SELECT * FROM ${unchangedRows(touched, 'mois')} WHERE NOT est_gele
    UNION ALL BY NAME SELECT * FROM ${unchangedRows(touched, 'mois_calcules')})`;
  return {
    suspects: `SELECT * EXCLUDE (unite, decision) RENAME (ref_situation_contractuelle AS rsc)
      FROM ${held}`,
    count: `SELECT count(*) AS months FROM ${months}`,
    estimates: keptEstimates(touched),
    countUnknown: `SELECT count(*) AS months FROM ${months}
      WHERE releve_manquant AND (qualite = 'incalculable' OR methode_estimation IS NOT NULL)`,
  };
}

/** Spans with an estimate, and the months that a person is asked about: those have a pseudonym. */
function keptEstimates(touched: TouchedPoints): string[] {
  const spans = unchangedRows(touched, 'estimations');
  const rows = `SELECT ref_situation_contractuelle AS rsc, mois, debut, energie_base_kwh`;
  return [
    `INSERT INTO estimations BY NAME SELECT * EXCLUDE (unite, decision, turpe_variable_eur)
         RENAME (ref_situation_contractuelle AS rsc, methode_estimation AS methode),
       CAST(turpe_variable_eur * 100 AS BIGINT) AS variable_c FROM ${spans}`,
    `INSERT INTO estimations_mois BY NAME
     WITH estimees AS (${rows}, methode_estimation AS methode FROM ${spans}),
     parts AS (
       SELECT rsc, mois, energie_base_kwh, methode FROM estimees UNION ALL
       SELECT rsc, mois, energie_base_kwh, NULL
         FROM (${rows} FROM ${unchangedRows(touched, 'energies')})
       WHERE (rsc, debut) NOT IN (SELECT (rsc, debut) FROM estimees)
     )
     SELECT rsc, mois, string_agg(DISTINCT methode, ', ' ORDER BY methode) AS methode,
       CAST(sum(energie_base_kwh) AS BIGINT) AS energie_base_kwh
     FROM parts WHERE (rsc, mois) IN (SELECT (ref_situation_contractuelle, mois)
       FROM ${spans} WHERE unite IS NOT NULL)
     GROUP BY rsc, mois`,
  ];
}

const POWER = 'CAST(puissance_max_kva * 1000 AS BIGINT) AS puissance_max_m';
const CONTRACT = '* RENAME (ref_situation_contractuelle AS rsc)';

/**
 * Tables of the session that are read after the model, the output that each is kept as, and its
 * rows as the session has them.
 */
const READ_LATER = [
  ['mois', 'mois', `*, ${POWER}`],
  ['mois_calcules', 'mois_calcules', `*, ${POWER}`],
  ['regularisations', 'regularisations', CONTRACT],
  ['accise_mois', 'accise', '*'],
  ['anomalies_r151', 'anomalies_r151', '*'],
] as const;

/**
 * Completes the tables of the session that are read as a whole with the rows of points that did not
 * change.
 */
export async function joinUnchanged(sql: SqlSession, touched: TouchedPoints): Promise<void> {
  for (const [name, output, columns] of READ_LATER) {
    await sql.run(`CREATE OR REPLACE TEMP TABLE ${name} AS
      SELECT * FROM ${name} WHERE pdl IN (SELECT pdl FROM touches)
      UNION ALL BY NAME SELECT ${columns} FROM ${unchangedRows(touched, output)}`);
  }
  // Hours over the power are told by contract or by point, of whatever month: they are few.
  await sql.run(`CREATE OR REPLACE TEMP TABLE abonnements AS
    SELECT rsc, pdl, mois FROM abonnements
    UNION ALL SELECT ref_situation_contractuelle, pdl, mois
      FROM ${unchangedRows(touched, 'abonnements')}`);
  // Entries and exits of contracts are told of in few rows, and not in the tables that are kept.
  for (const name of ['c15', 'c12'] as const) {
    await sql.run(`DROP TABLE ${name}`);
    await sql.run(`CREATE TEMP VIEW ${name} AS SELECT * FROM livre_${name}`);
  }
  for (const statement of [...EVENTS_READ, ...C12_CONTRACTS, ...CONTRACTS, ...OVERRUNS])
    await sql.run(statement);
}
