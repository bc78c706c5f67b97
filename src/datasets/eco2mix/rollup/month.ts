import { readFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import path from 'node:path';
import { quoteTexts } from '../../kit/index.ts';
import type {
  LocalArtefact,
  SqlSession,
  StagedOutput,
  StepImplementation,
  StepTask,
  StepUnit,
  UnitOutcome,
} from '../../kit/index.ts';
import { schoolZonesSql } from '../calendar/school-holidays.ts';
import { CORE_COLUMNS } from '../core.ts';
import { hoursOfMonth } from '../local-time.ts';
import type { DayMetrics } from '../metrics-model.ts';
import type { RawOutput } from './definition.ts';
import { RAW_OUTPUTS } from './definition.ts';
import { writeDays } from './days.ts';
import { energiesOfDay, sumEnergies, writeEnergies } from './energies.ts';
import { copyTable } from './copy-table.ts';
import { copyRawRows } from './raw-rows.ts';

/** `rollup/month`: the artefacts of a month's days, each kind in one file. */
export const rollupMonth: StepImplementation = { kind: 'sql', run };

async function run(task: StepTask, sql: SqlSession): Promise<readonly UnitOutcome[]> {
  const outcomes: UnitOutcome[] = [];
  for (const unit of task.units) {
    task.signal.throwIfAborted();
    outcomes.push(await rollUp(unit, sql));
    task.progress(`${unit.scope}: ${unit.inputs['core']?.length ?? 0} days`);
  }
  return outcomes;
}

async function rollUp(unit: StepUnit, sql: SqlSession): Promise<UnitOutcome> {
  const folder = await mkdtemp(path.join(sql.scratch, 'month-'));
  const outputs: Record<string, StagedOutput> = {};
  const cores = unit.inputs['core'] ?? [];
  if (cores.length > 0) {
    const select = `SELECT ${CORE_COLUMNS.join(', ')} FROM ${readFiles(cores)} ORDER BY instant_at`;
    outputs['core'] = await copyTable(sql, select, path.join(folder, 'core.parquet'));
  }
  const days = readMetrics(unit.inputs['metrics'] ?? []);
  if (days.length > 0) {
    const file = path.join(folder, 'energies.parquet');
    // The whole month, days to come included: what is not there yet is not covered.
    const energies = sumEnergies(days.map(energiesOfDay), hoursOfMonth(unit.scope));
    outputs['energies'] = {
      path: file,
      rows: await writeEnergies(sql, unit.scope, energies, file),
    };
    outputs['days'] = await writeDays(sql, days, path.join(folder, 'days.parquet'));
  }
  const school = unit.inputs['school'] ?? [];
  if (school.length > 0)
    outputs['school'] = await copyTable(
      sql,
      await schoolZonesSql(sql, school),
      path.join(folder, 'school.parquet'),
    );
  for (const output of Object.keys(RAW_OUTPUTS) as RawOutput[]) {
    const slices = unit.inputs[output] ?? [];
    if (slices.length === 0) continue;
    outputs[output] = await copyRawRows(
      sql,
      slices,
      path.join(folder, `${output}.parquet`),
      'by time',
    );
  }
  return {
    scope: unit.scope,
    outputs,
    checks: [],
    facts: { days: days.length, rows: outputs['core']?.rows ?? 0 },
  };
}

function readFiles(artefacts: readonly LocalArtefact[]): string {
  return `read_parquet([${quoteTexts(artefacts.map(({ path: file }) => file))}], hive_partitioning = false)`;
}

/**
 * Small files one after the other: reading each takes less time than the way to another thread and
 * back.
 */
function readMetrics(artefacts: readonly LocalArtefact[]): DayMetrics[] {
  return artefacts.map((artefact) => JSON.parse(readFileSync(artefact.path, 'utf8')) as DayMetrics);
}
