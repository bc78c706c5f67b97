import { dayOf, lostColumns, REVISIONS, writeDayFiles } from '../kit/index.ts';
import type {
  CheckResult,
  JsonObject,
  SqlSession,
  StepImplementation,
  StepTask,
  StepUnit,
  UnitOutcome,
} from '../kit/index.ts';
import { EXPECTED_SAMPLES, runRowChecks } from './checks.ts';
import { CORE_COLUMNS, createCore } from './core.ts';
import { loadPublishedRows, PARTS, sliceOf } from './published-rows.ts';
import { REGIONS } from './regions.ts';

/**
 * `transform/regions`: the slices of a set of days → per day one typed row per region and instant,
 * the best revision first.
 */
export const transformRegions: StepImplementation = { kind: 'sql', run };

async function run(task: StepTask, sql: SqlSession): Promise<readonly UnitOutcome[]> {
  const { units } = task;
  const columns = await loadPublishedRows(sql, units);
  task.signal.throwIfAborted();
  await createCore(sql);
  const loads = await summarizeLoads(sql, units);
  const checks = await runRowChecks(sql, units);
  task.progress(
    `merged ${loads.reduce((sum, { rows }) => sum + rows, 0)} rows of ${units.length} days`,
  );
  const files = await writeDayFiles(sql, {
    table: 'core',
    dayColumn: 'data_day',
    columns: CORE_COLUMNS.join(', '),
    orderBy: 'region_code, instant_at',
    days: units.map((unit, index) => ({ date: dayOf(unit).date, rows: rowsToWrite(loads[index]) })),
  });
  return units.map((unit, index): UnitOutcome => {
    const load = loads[index];
    const path = files.get(dayOf(unit).date);
    if (load === undefined || path === undefined) return notPublished(unit);
    return {
      scope: unit.scope,
      outputs: { core: { path, rows: load.rows } },
      checks: [
        expectedSamples(unit, load),
        ...(checks[index] ?? []),
        ...lostColumns(columns.get(index) ?? []),
      ],
      facts: factsOf(
        unit,
        load,
        (columns.get(index) ?? []).flatMap(({ unknown }) => unknown),
      ),
    };
  });
}

/** What the loads of a day look like. */
interface LoadSummary {
  readonly rows: number;
  /** Least final among the instants with a load; null when there are none. */
  readonly finality: number | null;
  /** Quarters with a load, by region. */
  readonly quarters: ReadonlyMap<string, number>;
}

async function summarizeLoads(
  sql: SqlSession,
  units: readonly StepUnit[],
): Promise<readonly LoadSummary[]> {
  const found = await sql.rows<{
    unit: number;
    region_code: string;
    rows: number;
    finality: number | null;
    quarters: number;
  }>(
    `SELECT unit, region_code, count(*) AS rows, min(finality)
      FILTER (WHERE load_mw IS NOT NULL) AS finality,
       CAST(coalesce(sum(quarters) FILTER (WHERE load_mw IS NOT NULL), 0) AS INTEGER) AS quarters
     FROM core GROUP BY unit, region_code ORDER BY unit, region_code`,
  );
  return units.map((_, index): LoadSummary => {
    const own = found.filter(({ unit }) => unit === index);
    const finalities = own.flatMap(({ finality }) => (finality === null ? [] : [finality]));
    return {
      rows: own.reduce((sum, { rows }) => sum + rows, 0),
      finality: finalities.length === 0 ? null : Math.min(...finalities),
      quarters: new Map(own.map(({ region_code: code, quarters }) => [code, quarters])),
    };
  });
}

/** None of a day without any load: it is not published yet. */
function rowsToWrite(load: LoadSummary | undefined): number {
  const { finality = null, rows = 0 } = load ?? {};
  return finality === null ? 0 : rows;
}

function notPublished(unit: StepUnit): UnitOutcome {
  const parts = PARTS.filter((part) => sliceOf(unit, part) !== undefined);
  const slices =
    parts.length === 0
      ? 'no part has a row of it'
      : `${parts.join(', ')} have no load in their rows`;
  return {
    scope: unit.scope,
    failure: {
      code: 'SRC_NOT_PUBLISHED',
      message: `RTE has not published the regional loads of ${unit.scope} yet: ${slices}`,
      context: { day: unit.scope },
    },
  };
}

function expectedSamples(unit: StepUnit, { quarters }: LoadSummary): CheckResult {
  const expected = dayOf(unit).hours * 4;
  const short = REGIONS.filter(({ code }) => (quarters.get(code) ?? 0) < expected);
  return {
    check: EXPECTED_SAMPLES.id,
    severity: EXPECTED_SAMPLES.severity,
    tested: REGIONS.length,
    failed: short.length,
    examples: short.slice(0, 3).map(({ code, name }) => {
      return { region: code, name, quarters: quarters.get(code) ?? 0, of: expected };
    }),
  };
}

function factsOf(
  unit: StepUnit,
  { rows, finality, quarters }: LoadSummary,
  unknown: readonly string[],
): JsonObject {
  const expected = dayOf(unit).hours * 4 * REGIONS.length;
  const observed = REGIONS.reduce((sum, { code }) => sum + (quarters.get(code) ?? 0), 0);
  const sources = PARTS.flatMap((part) => {
    const sha256 = sliceOf(unit, part)?.ref.sha256;
    return sha256 === undefined ? [] : [[part, { sha256 }] as const];
  });
  return {
    revision: finality === null ? null : (REVISIONS[finality] ?? null),
    coverage: Math.floor((observed * 10_000) / expected) / 10_000,
    rows,
    regions: quarters.size,
    sources: Object.fromEntries(sources),
    unknown_columns: [...new Set(unknown)].sort(),
  };
}
