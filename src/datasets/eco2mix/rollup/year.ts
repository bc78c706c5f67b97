import { mkdtemp } from 'node:fs/promises';
import path from 'node:path';
import type { SqlSession, StepImplementation, StepTask, StepUnit, UnitOutcome } from '../../kit/index.ts';
import { hoursOfMonth } from '../local-time.ts';
import { readEnergies, sumEnergies, writeEnergies } from './energies.ts';

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
  if (months.length === 0) return { scope: unit.scope, outputs: {}, checks: [], facts: { months: 0 } };
  const byMonth = await readEnergies(
    sql,
    months.map((month) => month.path),
  );
  const terms = [...byMonth].map(([month, energies]) => ({ hours: hoursOfMonth(month), energies }));
  const yearHours = monthsOf(unit.scope).reduce((hours, month) => hours + hoursOfMonth(month), 0);
  const file = path.join(await mkdtemp(path.join(sql.scratch, 'year-')), 'energies.parquet');
  const rows = await writeEnergies(sql, unit.scope, sumEnergies(terms, yearHours), file);
  return {
    scope: unit.scope,
    outputs: { energies: { path: file, rows } },
    checks: [],
    facts: { months: terms.length },
  };
}

function monthsOf(year: string): string[] {
  return Array.from({ length: 12 }, (_, month) => `${year}-${String(month + 1).padStart(2, '0')}`);
}
