import { dayOf, HOUR_MS, localTime, PipelineError, quoteTexts, REVISIONS } from '../kit/index.ts';
import type {
  Revision,
  SqlSession,
  StepImplementation,
  StepTask,
  StepUnit,
  UnitOutcome,
  ZonedDay,
} from '../kit/index.ts';
import type { Source } from './columns.ts';
import { COLUMN_OF, MEASURES, RATES, SOURCES } from './columns.ts';
import type { Energy, RegionDay, RegionsDay, SourceEnergy } from './metrics-model.ts';
import { regionName, REGIONS } from './regions.ts';

/**
 * `metrics/regions`: core tables → `RegionsDay` as JSON. Sums are whole numbers in SQL; what
 * follows from them is done here.
 */
export const metricsRegions: StepImplementation = { kind: 'sql', run };

/** What SQL says of a region on a day, by name: sums are quarter-hours times MW. */
type Sums = Readonly<Record<string, number | null>>;
interface RegionRow {
  readonly path: string;
  readonly region_code: string;
  readonly finality: number | null;
  readonly sums: Sums;
}

async function run(task: StepTask, sql: SqlSession): Promise<readonly UnitOutcome[]> {
  const paths = task.units.map(corePath);
  const rows = await readSums(sql, paths);
  return task.units.map((unit, index): UnitOutcome => {
    const own = rows.filter(({ path }) => path === paths[index]);
    const metrics = regionsDay(dayOf(unit), own);
    return {
      scope: unit.scope,
      outputs: { metrics: { bytes: Buffer.from(JSON.stringify(metrics), 'utf8') } },
      checks: [],
      facts: {
        revision: metrics.revision,
        coverage: leastCoverage(metrics.regions.map(({ load }) => load)),
      },
    };
  });
}

function corePath(unit: StepUnit): string {
  const path = unit.inputs['core']?.[0]?.path;
  if (path === undefined)
    throw new PipelineError('INTERNAL', `metrics of ${unit.scope} are asked without a core table`);
  return path;
}

/**
 * Reads all days at once. The peak's key has the value and the instant, so that equal values are
 * told apart by time.
 */
async function readSums(sql: SqlSession, paths: readonly string[]): Promise<RegionRow[]> {
  const load = COLUMN_OF.consommation;
  const columns = [
    ...MEASURES.flatMap(({ name, column }) => [
      `'${name}': CAST(sum(${column} * quarters) AS DOUBLE)`,
      `'${name}_quarters': CAST(coalesce(sum(quarters) FILTER (WHERE ${column} IS NOT NULL),
        0) AS DOUBLE)`,
    ]),
    ...RATES.filter(({ kind }) => kind === 'tch').flatMap(({ name, column }) => [
      `'${name}': CAST(sum(${column} * quarters) AS DOUBLE)`,
      `'${name}_quarters': CAST(sum(quarters) FILTER (WHERE ${column} IS NOT NULL) AS DOUBLE)`,
    ]),
    ...SOURCES.flatMap((source) => [
      `'${source}_with_load': CAST(sum(${COLUMN_OF[source]} * quarters)
        FILTER (WHERE ${load} IS NOT NULL) AS DOUBLE)`,
      `'load_with_${source}': CAST(sum(${load} * quarters)
        FILTER (WHERE ${COLUMN_OF[source]} IS NOT NULL) AS DOUBLE)`,
    ]),
    `'import': CAST(sum(greatest(${COLUMN_OF.ech_physiques}, 0) * quarters) AS DOUBLE)`,
    `'export': CAST(sum(greatest(-${COLUMN_OF.ech_physiques}, 0) * quarters) AS DOUBLE)`,
    `'peak': CAST(max(${load}) AS DOUBLE)`,
    `'peak_second': CAST(arg_max(epoch(instant_at),
      CAST(${load} AS BIGINT) * 10000000000 - epoch(instant_at)::BIGINT) AS DOUBLE)`,
  ];
  const finality = `CASE revision ${REVISIONS.map((name, index) => `WHEN '${name}' THEN ${index}`).join(' ')} END`;
  const found = await sql.rows<Omit<RegionRow, 'sums'> & { sums: string }>(
    `SELECT filename AS path, region_code, min(${finality})
      FILTER (WHERE ${load} IS NOT NULL) AS finality,
       CAST(to_json({${columns.join(', ')}}) AS VARCHAR) AS sums
     FROM read_parquet([${quoteTexts([...new Set(paths)])}], filename = true,
       hive_partitioning = false)
     GROUP BY ALL ORDER BY ALL`,
  );
  return found.map((row) => ({ ...row, sums: JSON.parse(row.sums) as Sums }));
}

function regionsDay(day: ZonedDay, rows: readonly RegionRow[]): RegionsDay {
  const known = new Set(REGIONS.map(({ code }) => code));
  const others = rows.map(({ region_code: code }) => code).filter((code) => !known.has(code));
  const finalities = rows.flatMap(({ finality }) => (finality === null ? [] : [finality]));
  const revision: Revision | null =
    finalities.length === 0 ? null : (REVISIONS[Math.min(...finalities)] ?? null);
  return {
    schema: 'eco2mix-regional.metrics/1',
    date: day.date,
    hours: day.hours,
    revision,
    regions: [...known, ...others].map((code) => {
      return regionDay(day, code, rows.find((row) => row.region_code === code)?.sums ?? {});
    }),
  };
}

function regionDay(day: ZonedDay, code: string, sums: Sums): RegionDay {
  const load = energyOf(day, sums, 'consommation');
  const bySource = Object.fromEntries(
    SOURCES.map((source) => [source, sourceOf(day, sums, source)]),
  ) as Record<Source, SourceEnergy>;
  const known = SOURCES.filter((source) => bySource[source].energy_mwh !== null);
  const total =
    known.length === 0
      ? null
      : known.reduce((sum, source) => sum + (bySource[source].energy_mwh ?? 0), 0);
  const isWhole = load.coverage === 1 && known.every((source) => bySource[source].coverage === 1);
  const [peak, second] = [sums['peak'] ?? null, sums['peak_second'] ?? null];
  const exchange = energyOf(day, sums, 'ech_physiques');
  return {
    code,
    name: regionName(code),
    load: {
      ...load,
      mean_mw: ratio(sums['consommation'], sums['consommation_quarters']),
      peak:
        peak === null || second === null ? null : { mw: peak, at: localTime(day, second * 1000) },
    },
    generation: {
      total_mwh: total,
      by_source: bySource,
      coverage_rate_pct: isWhole && total !== null ? ratio(100 * total, load.energy_mwh) : null,
    },
    pumping: energyOf(day, sums, 'pompage'),
    exchange: {
      ...exchange,
      import_mwh: exchange.energy_mwh === null ? null : (sums['import'] ?? 0) / 4,
      export_mwh: exchange.energy_mwh === null ? null : (sums['export'] ?? 0) / 4,
    },
  };
}

function energyOf(day: ZonedDay, sums: Sums, name: string): Energy {
  const sum = sums[name] ?? null;
  return {
    energy_mwh: sum === null ? null : sum / 4,
    coverage: coverageOf(day, sums[`${name}_quarters`] ?? 0),
  };
}

function sourceOf(day: ZonedDay, sums: Sums, source: Source): SourceEnergy {
  const paired = sums[`${source}_with_load`] ?? null;
  return {
    ...energyOf(day, sums, source),
    coverage_rate_pct: paired === null ? null : ratio(100 * paired, sums[`load_with_${source}`]),
    load_factor_pct: ratio(sums[`tch_${source}`], sums[`tch_${source}_quarters`]),
  };
}

function coverageOf({ startAt, endAt }: ZonedDay, quarters: number): number {
  const all = ((Date.parse(endAt) - Date.parse(startAt)) / HOUR_MS) * 4;
  return Math.floor((quarters * 10_000) / all) / 10_000;
}

function leastCoverage(energies: readonly Energy[]): number {
  return Math.min(...energies.map(({ coverage }) => coverage));
}

/** With two decimals; null where either is unknown or the denominator is zero. */
function ratio(
  numerator: number | null | undefined,
  denominator: number | null | undefined,
): number | null {
  if (numerator === null || numerator === undefined || !denominator) return null;
  return Math.round((numerator * 100) / denominator) / 100;
}
