import { forEachUnit, parquetSql } from '../../kit/index.ts';
import type { CheckDefinition, SqlSession, StepImplementation, StepUnit, UnitResult } from '../../kit/index.ts';
import { copyRows } from '../days/tables.ts';
import { currentLinesSql } from './invoice-line.ts';

/** Warns, and names lines by their number alone. */
export const LINES_CHECK: CheckDefinition = {
  id: 'lines-have-a-contract-and-a-month',
  title: 'every invoice line says its contract and its month',
  severity: 'warn',
};

/** `transform/lignes`: the lines of a campaign; of a line that several files have, that of the file whose name sorts last. */
export const transformLines: StepImplementation = {
  kind: 'sql',
  run: (task, sql) => forEachUnit(task, (unit) => transformDay(unit, sql)),
};

async function transformDay({ scope, inputs }: StepUnit, sql: SqlSession): Promise<UnitResult> {
  const [slice] = inputs['slice'] ?? [];
  if (slice === undefined) return { scope, outputs: {}, checks: [], facts: { rows: 0 } };
  const newest = `SELECT * FROM (${currentLinesSql(parquetSql(slice.path), ['fichier', 'fichier_sha256'])}) ORDER BY fichier, fichier_sha256, ligne`;
  const lignes = await copyRows(sql, newest, 'lignes');
  const odd = await sql.rows<{ fichier: string; ligne: number }>(
    `SELECT fichier, fichier_sha256, ligne FROM (${newest}) WHERE ref_situation_contractuelle IS NULL OR mois IS NULL ORDER BY fichier, fichier_sha256, ligne`,
  );
  const check = {
    check: LINES_CHECK.id,
    severity: LINES_CHECK.severity,
    tested: lignes.rows,
    failed: odd.length,
    examples: odd.slice(0, 3).map(({ ligne }) => ({ ligne })),
  };
  return { scope, outputs: { lignes }, checks: [check], facts: { rows: lignes.rows } };
}
