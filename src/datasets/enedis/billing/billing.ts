import { parquetSql } from '../../kit/index.ts';
import type { LocalArtefact, RowsFile, SqlSession } from '../../kit/index.ts';
import { copyRows, emptyTable } from '../days/tables.ts';
import type { LinearColumns } from '../flux/linear.ts';
import { currentLinesSql, LINE_COLUMNS } from '../lines/invoice-line.ts';
import { LINE_PLACE } from '../lines/slice-lines.ts';
import { RECONCILED_SQL } from './lines-sql.ts';
import { INVOICED_LINES_SQL, TAXES_SQL } from './taxes-sql.ts';

/** Of a line besides what is in its file: the day of the campaign that it was given for. */
const CAMPAIGN: LinearColumns = { campagne: 'text' };

/**
 * The invoice lines that were given for the days of a month, in one file; undefined where none
 * were.
 */
export async function linesOfMonth(
  sql: SqlSession,
  lines: readonly LocalArtefact[],
): Promise<RowsFile | undefined> {
  if (lines.length === 0) return undefined;
  const days = lines.map(
    ({ scope, path }) => `SELECT '${scope}' AS campagne, * FROM ${parquetSql(path)}`,
  );
  return copyRows(
    sql,
    `SELECT * FROM (${days.join(' UNION ALL ')}) ORDER BY campagne, fichier, fichier_sha256, ligne`,
    'lignes',
  );
}

/**
 * Invoice lines beside what was measured, and the taxes of each point and month, from the tables of
 * the model in the session and the files of `linesOfMonth`.
 */
export async function billingTables(
  sql: SqlSession,
  files: readonly string[],
): Promise<Readonly<Record<'lignes' | 'taxes', RowsFile>>> {
  const none = emptyTable({ ...CAMPAIGN, ...LINE_COLUMNS, ...LINE_PLACE });
  const given = files.length === 0 ? none : parquetSql(files);
  await sql.run(
    `CREATE OR REPLACE TEMP TABLE lignes AS ${currentLinesSql(given, ['campagne', 'fichier', 'fichier_sha256'])}`,
  );
  await sql.run(INVOICED_LINES_SQL);
  return {
    lignes: await copyRows(sql, RECONCILED_SQL, 'lignes-rapprochees'),
    taxes: await copyRows(sql, TAXES_SQL, 'taxes'),
  };
}
