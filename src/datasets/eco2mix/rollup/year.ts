import { mkdtemp } from 'node:fs/promises';
import path from 'node:path';
import { copyFrenchCsv, parquetSql } from '../../kit/index.ts';
import type {
  SqlSession,
  StagedOutput,
  StepImplementation,
  StepTask,
  StepUnit,
  UnitOutcome,
} from '../../kit/index.ts';
import { hoursOfMonth } from '../local-time.ts';
import { CSV_OF_YEARS, csvOutputOf } from './definition.ts';
import { readEnergies, sumEnergies, writeEnergies } from './energies.ts';
import { frenchCsv } from './french-tables.ts';

/** `rollup/year`: the energies of a year from those of its months. */
export const rollupYear: StepImplementation = { kind: 'sql', run };

async function run(task: StepTask, sql: SqlSession): Promise<readonly UnitOutcome[]> {
  const outcomes: UnitOutcome[] = [];
  for (const unit of task.units) {
    task.signal.throwIfAborted();
    outcomes.push(await rollUp(unit, sql));
  }
  return outcomes;
}

async function rollUp(unit: StepUnit, sql: SqlSession): Promise<UnitOutcome> {
  const months = unit.inputs['energies'] ?? [];
  const folder = await mkdtemp(path.join(sql.scratch, 'year-'));
  const curves = await writeCurves(unit, sql);
  if (months.length === 0)
    return { scope: unit.scope, outputs: curves, checks: [], facts: { months: 0 } };
  const byMonth = await readEnergies(
    sql,
    months.map((month) => month.path),
  );
  const terms = [...byMonth].map(([month, energies]) => ({ hours: hoursOfMonth(month), energies }));
  const yearHours = monthsOf(unit.scope).reduce((hours, month) => hours + hoursOfMonth(month), 0);
  const file = path.join(folder, 'energies.parquet');
  const rows = await writeEnergies(sql, unit.scope, sumEnergies(terms, yearHours), file);
  return {
    scope: unit.scope,
    outputs: { energies: { path: file, rows }, ...curves },
    checks: [],
    facts: { months: terms.length },
  };
}

/** The tables of instants of the year as CSV, from the months that have any. */
async function writeCurves(
  unit: StepUnit,
  sql: SqlSession,
): Promise<Readonly<Record<string, StagedOutput>>> {
  const cores = (unit.inputs['core'] ?? []).map((core) => core.path);
  if (cores.length === 0) return {};
  const outputs: Record<string, StagedOutput> = {};
  for (const table of CSV_OF_YEARS) {
    outputs[csvOutputOf(table.name)] = await copyFrenchCsv(
      sql,
      frenchCsv(table, parquetSql(cores)),
      table.name,
    );
  }
  return outputs;
}

function monthsOf(year: string): string[] {
  return Array.from({ length: 12 }, (_, month) => `${year}-${String(month + 1).padStart(2, '0')}`);
}
