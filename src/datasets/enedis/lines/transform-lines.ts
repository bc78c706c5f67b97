import { forEachUnit, parquetSql, utf8 } from '../../kit/index.ts';
import type {
  CheckDefinition,
  CivilDate,
  SqlSession,
  StepImplementation,
  StepUnit,
  UnitResult,
} from '../../kit/index.ts';
import { copyRows } from '../days/tables.ts';
import type { ArchiveLine } from '../report/model.ts';
import { currentLinesSql } from './invoice-line.ts';
import { LINES_FLUX } from './part.ts';

/** Warns, and names lines by their number alone. */
export const LINES_CHECK: CheckDefinition = {
  id: 'lines-have-a-contract-and-a-month',
  title: 'every invoice line says its contract and its month',
  severity: 'warn',
};

/**
 * `transform/lignes`: the lines of a campaign; of a line that several files have, that of the file
 * whose name sorts last.
 */
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
    `SELECT fichier, fichier_sha256, ligne FROM (${newest})
      WHERE ref_situation_contractuelle IS NULL OR mois IS NULL ORDER BY fichier, fichier_sha256,
      ligne`,
  );
  const check = {
    check: LINES_CHECK.id,
    severity: LINES_CHECK.severity,
    tested: lignes.rows,
    failed: odd.length,
    examples: odd.slice(0, 3).map(({ ligne }) => ({ ligne })),
  };
  const files = await filesOf(scope, slice.path, sql);
  const archives = {
    bytes: utf8(files.map((file) => `${JSON.stringify(file)}\n`).join('')),
    rows: files.length,
  };
  return {
    scope,
    outputs: { lignes, archives },
    checks: [check],
    facts: { rows: lignes.rows, archives: files.length },
  };
}

/** The files of a campaign in the list of what came: a day may have nothing else. */
async function filesOf(scope: CivilDate, slice: string, sql: SqlSession): Promise<ArchiveLine[]> {
  const files = await sql.rows<{ fichier: string; sha256: string; lignes: number }>(
    `SELECT fichier, fichier_sha256 AS sha256, count(*) AS lignes
      FROM ${parquetSql(slice)} GROUP BY ALL ORDER BY ALL`,
  );
  return files.map(({ fichier, sha256, lignes }) => ({
    flux: LINES_FLUX,
    archive: fichier,
    archive_sha256: sha256,
    archive_timestamp: `${scope.replaceAll('-', '')}000000`,
    archive_bytes: null,
    sequence_key: null,
    sequence_number: null,
    counter_rank: null,
    counter_total: null,
    documents: [{ name: fichier, sha256, occurrences: lignes }],
    failure_cause: null,
    failure_message: null,
  }));
}
