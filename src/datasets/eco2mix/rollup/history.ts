import { mkdtemp } from 'node:fs/promises';
import path from 'node:path';
import { copyFrenchCsv, quoteTexts } from '../../kit/index.ts';
import type {
  LocalArtefact,
  SqlSession,
  StagedOutput,
  StepImplementation,
  StepTask,
  StepUnit,
  UnitOutcome,
} from '../../kit/index.ts';
import { copyTable } from './copy-table.ts';
import type { RawOutput } from './definition.ts';
import { CSV_OF_HISTORY, csvOutputOf, RAW_OUTPUTS } from './definition.ts';
import { frenchCsv } from './french-tables.ts';
import { HISTORY_TABLES } from './history-tables.ts';
import { INSIGHTS, writeInsight } from './insights.ts';
import { copyRawRows } from './raw-rows.ts';

/** `rollup/history`: the tables that are published under fixed names, from the months and years. */
export const rollupHistory: StepImplementation = { kind: 'sql', run };

async function run(task: StepTask, sql: SqlSession): Promise<readonly UnitOutcome[]> {
  const outcomes: UnitOutcome[] = [];
  for (const unit of task.units) outcomes.push(await rollUp(unit, task, sql));
  return outcomes;
}

async function rollUp(unit: StepUnit, task: StepTask, sql: SqlSession): Promise<UnitOutcome> {
  const folder = await mkdtemp(path.join(sql.scratch, 'history-'));
  const outputs: Record<string, StagedOutput> = {};
  for (const { name, from, select } of HISTORY_TABLES) {
    const inputs = unit.inputs[from] ?? [];
    if (inputs.length === 0) continue;
    task.signal.throwIfAborted();
    outputs[name] = await copyTable(
      sql,
      select.replace('{from}', readFiles(inputs)),
      path.join(folder, `${name}.parquet`),
    );
    task.progress(name);
  }
  for (const name of INSIGHTS) {
    task.signal.throwIfAborted();
    const made = await writeInsight(sql, name, unit, path.join(folder, `${name}.parquet`));
    if (made !== undefined) outputs[name] = made;
    task.progress(name);
  }
  for (const table of CSV_OF_HISTORY) {
    const inputs = unit.inputs[`${table.of}_energies`] ?? [];
    if (inputs.length === 0) continue;
    task.signal.throwIfAborted();
    outputs[csvOutputOf(table.name)] = await copyFrenchCsv(
      sql,
      frenchCsv(table, readFiles(inputs)),
      table.name,
    );
  }
  for (const [output, { dataset }] of Object.entries(RAW_OUTPUTS) as [
    RawOutput,
    { dataset: string },
  ][]) {
    const inputs = unit.inputs[output] ?? [];
    if (inputs.length === 0) continue;
    task.signal.throwIfAborted();
    outputs[output] = await copyRawRows(
      sql,
      inputs,
      path.join(folder, `${dataset}.parquet`),
      'as they come',
    );
    task.progress(dataset);
  }
  const rows = outputs['consommation_france_puissance']?.rows ?? 0;
  return {
    scope: unit.scope,
    outputs,
    checks: [],
    facts: { rows, months: (unit.inputs['core'] ?? []).length },
  };
}

function readFiles(artefacts: readonly LocalArtefact[]): string {
  return `read_parquet([${quoteTexts(artefacts.map(({ path: file }) => file))}], hive_partitioning = false)`;
}
