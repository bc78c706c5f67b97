import { countRows, dayOf } from '../kit/index.ts';
import type {
  CheckResult,
  JsonObject,
  RowCount,
  RowCounts,
  SqlSession,
  StepUnit,
} from '../kit/index.ts';
import type { RowCheck } from './checks.ts';
import { CHECKED_TABLES, EXPECTED_SAMPLES, ROW_CHECKS, selectFailing } from './checks.ts';
import type { LoadSummary } from './core.ts';
import type { PublishedRows } from './published-rows.ts';
import type { Sampling } from './sampling.ts';
import { QUARTER_MINUTES } from './sampling.ts';

const EXAMPLES_PER_CHECK = 3;

/** Runs every check on all units; the results are by unit, in the order of `CORE_CHECKS`. */
export async function runCoreChecks(
  sql: SqlSession,
  units: readonly StepUnit[],
  loads: readonly LoadSummary[],
  published: PublishedRows,
): Promise<readonly CheckResult[][]> {
  const readable = published.isReadable
    ? countsOfReadable(published)
    : await countsOf(sql, 'published');
  const core = await countsOf(sql, 'core');
  const countOf = (unit: number, { id }: RowCheck): RowCount =>
    readable.get(unit)?.[id] ?? core.get(unit)?.[id] ?? { tested: 0, failed: 0 };
  const results = units.map((unit, index) => [expectedSamples(unit, loads[index])]);
  for (const check of ROW_CHECKS) {
    const isFailing = units.some((_, unit) => countOf(unit, check).failed > 0);
    const examples = isFailing ? await exampleRows(sql, check) : [];
    for (const [unit, checks] of results.entries()) {
      checks.push({
        check: check.id,
        severity: check.severity,
        ...countOf(unit, check),
        examples: examples.filter((example) => example['unit'] === unit).map(withoutUnit),
      });
    }
  }
  return results;
}

/** The counts of published rows when reading them has already told that all are in order. */
function countsOfReadable({ slices }: PublishedRows): ReadonlyMap<number, RowCounts> {
  const checks = ROW_CHECKS.filter(({ table }) => table === 'published');
  const rows = new Map<number, number>();
  for (const slice of slices) rows.set(slice.unit, (rows.get(slice.unit) ?? 0) + slice.rows);
  return new Map(
    [...rows].map(([unit, tested]) => [
      unit,
      Object.fromEntries(checks.map(({ id }) => [id, { tested, failed: 0 }])),
    ]),
  );
}

function countsOf(
  sql: SqlSession,
  table: RowCheck['table'],
): Promise<ReadonlyMap<number, RowCounts>> {
  const checks = ROW_CHECKS.filter((check) => check.table === table);
  return countRows(sql, CHECKED_TABLES[table], checks);
}

/** The first failing rows of each unit, each with its instant. */
async function exampleRows(sql: SqlSession, check: RowCheck): Promise<JsonObject[]> {
  const instant = `strftime(timezone('UTC', to_timestamp(start_s + second)), '%Y-%m-%dT%H:%M:%SZ')`;
  return sql.rows<JsonObject>(`SELECT unit, ${instant} AS instant, * EXCLUDE
    (unit, data_day, start_s, second)
    FROM (${selectFailing(check)}) AS f
    QUALIFY row_number() OVER (PARTITION BY unit ORDER BY second,
      f::VARCHAR) <= ${EXAMPLES_PER_CHECK}
    ORDER BY unit, second, f::VARCHAR`);
}

function withoutUnit(example: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(example).filter(([name]) => name !== 'unit'));
}

function expectedSamples(unit: StepUnit, load: LoadSummary | undefined): CheckResult {
  const [expected, observed] = [
    load?.sampling.expectedSamples ?? 0,
    load?.sampling.observedSamples ?? 0,
  ];
  return {
    check: EXPECTED_SAMPLES.id,
    severity: EXPECTED_SAMPLES.severity,
    tested: expected,
    failed: expected - observed,
    examples: load === undefined ? [] : gapsOf(load.sampling, Date.parse(dayOf(unit).startAt)),
  };
}

/** The first spans of a day without load, `[from, to)`. */
function gapsOf({ minutes }: Sampling, startMs: number): JsonObject[] {
  const instantOf = (quarter: number): string =>
    new Date(startMs + quarter * QUARTER_MINUTES * 60_000).toISOString().replace('.000Z', 'Z');
  const gaps: JsonObject[] = [];
  let coveredUntil = 0;
  for (let quarter = 0; quarter <= minutes.length; quarter++) {
    const step = minutes[quarter] ?? 0;
    if (step === 0 && quarter < minutes.length) continue;
    if (quarter > coveredUntil)
      gaps.push({ from: instantOf(coveredUntil), to: instantOf(quarter) });
    coveredUntil = quarter + step / QUARTER_MINUTES;
  }
  return gaps.slice(0, EXAMPLES_PER_CHECK);
}
