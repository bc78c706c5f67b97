import { dayOf, lostColumns, writeDayFiles } from '../kit/index.ts';
import type {
  ColumnsOf,
  JsonValue,
  SqlSession,
  StepImplementation,
  StepTask,
  StepUnit,
  UnitOutcome,
} from '../kit/index.ts';

import { CORE_COLUMNS, createCore, leastFinal, summarizeLoad } from './core.ts';
import type { LoadSummary } from './core.ts';
import { usualMeasures } from './header.ts';
import type { ReadSlice } from './published-rows.ts';
import { loadPublishedRows, PARTS, sliceOf } from './published-rows.ts';
import { runCoreChecks } from './run-checks.ts';
import { coverageOf } from './sampling.ts';

/**
 * `transform/national`: the slices of a set of days → per day one typed row per instant, the best
 * revision first.
 */
export const transformNational: StepImplementation = { kind: 'sql', run };

async function run(task: StepTask, sql: SqlSession): Promise<readonly UnitOutcome[]> {
  const { units } = task;
  const published = await loadPublishedRows(sql, units);
  task.signal.throwIfAborted();
  await createCore(sql, published.isMerged);
  const loads = await summarizeLoad(sql, units);
  const checks = await runCoreChecks(sql, units, loads, published);
  task.progress(
    `merged ${loads.reduce((sum, { rows }) => sum + rows, 0)} instants of ${units.length} days`,
  );
  const files = await writeDayFiles(sql, {
    table: 'core',
    dayColumn: 'data_day',
    columns: CORE_COLUMNS.join(', '),
    orderBy: 'instant_at',
    days: units.map((unit, index) => ({ date: dayOf(unit).date, rows: rowsToWrite(loads[index]) })),
  });
  return units.map((unit, index): UnitOutcome => {
    const load = loads[index];
    const path = files.get(dayOf(unit).date);
    if (load === undefined || path === undefined) return notPublished(unit, load?.rows ?? 0);
    const slices = published.slices.filter((slice) => slice.unit === index);
    return {
      scope: unit.scope,
      outputs: { core: { path, rows: load.rows } },
      checks: [
        ...(checks[index] ?? []),
        ...lostColumns(slices.map((slice) => columnsOf(slice, unit))),
      ],
      facts: factsOf(unit, load, slices),
    };
  });
}

function columnsOf({ part, unknownColumns, missingColumns }: ReadSlice, unit: StepUnit): ColumnsOf {
  const usual = usualMeasures(dayOf(unit).date).length;
  return { of: part, unknown: unknownColumns, missing: missingColumns, usual };
}

/** None of a day without any load: it is not published yet, whatever forecasts there are. */
function rowsToWrite(load: LoadSummary | undefined): number {
  return load === undefined || leastFinal(load.instants) === null ? 0 : load.rows;
}

/** A day is judged by its loads: placeholders and forecasts of a day to come are not the day. */
function notPublished(unit: StepUnit, rows: number): UnitOutcome {
  const parts = PARTS.filter((part) => sliceOf(unit, part) !== undefined);
  const slices =
    parts.length === 0
      ? 'no part has a row of it'
      : `${parts.join(', ')} have no load in their rows`;
  return {
    scope: unit.scope,
    failure: {
      code: 'SRC_NOT_PUBLISHED',
      message: `RTE has not published the load of ${unit.scope} yet: ${slices}`,
      context: { day: unit.scope, instants_without_load: rows },
    },
  };
}

function factsOf(
  unit: StepUnit,
  load: LoadSummary,
  slices: readonly ReadSlice[],
): Readonly<Record<string, JsonValue>> {
  const sources = PARTS.flatMap((part) => {
    const sha256 = sliceOf(unit, part)?.ref.sha256;
    const rows = slices.find((slice) => slice.part === part)?.rows ?? 0;
    return sha256 === undefined ? [] : [[part, { rows, sha256 }] as const];
  });
  return {
    revision: leastFinal(load.instants),
    coverage: coverageOf(load.sampling),
    rows: load.rows,
    expected_samples: load.sampling.expectedSamples,
    observed_samples: load.sampling.observedSamples,
    instants_by_revision: { ...load.instants },
    sources: Object.fromEntries(sources),
    unknown_columns: [...new Set(slices.flatMap(({ unknownColumns }) => unknownColumns))].sort(),
  };
}
