import { readFileSync } from 'node:fs';
import { forEachUnit, parquetSql, utf8 } from '../../kit/index.ts';
import type {
  LocalArtefact,
  SqlSession,
  StepImplementation,
  StepUnit,
  UnitResult,
} from '../../kit/index.ts';
import { linesOfMonth } from '../billing/billing.ts';
import { copyRows, PLACE_ORDER } from '../days/tables.ts';
import { LINEAR_TABLES } from '../flux/readers.ts';
import { LINES_PART } from '../lines/part.ts';

/**
 * `rollup/month`: the linear tables of a month of deliveries, each in one file, and the list of its
 * archives.
 */
export const rollupMonth: StepImplementation = {
  kind: 'sql',
  run: (task, sql) => forEachUnit(task, (unit) => rollUp(unit, sql)),
};

async function rollUp(unit: StepUnit, sql: SqlSession): Promise<UnitResult> {
  const outputs: Record<string, { path: string; rows: number } | { bytes: Uint8Array }> = {};
  let rows = 0;
  for (const { name } of LINEAR_TABLES) {
    const paths = pathsOf(unit.inputs[name]);
    if (paths.length === 0) continue;
    const table = await copyRows(
      sql,
      `SELECT * FROM ${parquetSql(paths)} ORDER BY ${PLACE_ORDER}`,
      name,
    );
    outputs[name] = table;
    rows += table.rows;
  }
  const lignes = await linesOfMonth(sql, unit.inputs[LINES_PART] ?? []);
  if (lignes !== undefined) outputs['lignes'] = lignes;
  const archives = pathsOf(unit.inputs['archives']).map((path) => readFileSync(path, 'utf8'));
  if (archives.length > 0) outputs['archives'] = { bytes: utf8(archives.join('')) };
  return { scope: unit.scope, outputs, checks: [], facts: { rows, days: archives.length } };
}

/** None where the input is not there. */
export function pathsOf(artefacts: readonly LocalArtefact[] | undefined): string[] {
  return (artefacts ?? []).map(({ path }) => path);
}
