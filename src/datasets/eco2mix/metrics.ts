import { dayOf, nthOf, PipelineError, quoteTexts, REVISIONS } from '../kit/index.ts';
import type {
  Revision,
  SqlSession,
  StepImplementation,
  StepTask,
  StepUnit,
  UnitOutcome,
} from '../kit/index.ts';
import type { MeasureName } from './columns.ts';
import { BIT_OF, MEASURES } from './columns.ts';
import { parsePublishedBy } from './core.ts';
import type { CoreDay } from './day-metrics.ts';
import { dayMetrics, stepOf } from './day-metrics.ts';
import type { DaySeries } from './energy.ts';
import { daySeries } from './energy.ts';
import type { Sampling } from './sampling.ts';
import { QUARTER_MINUTES, sampleDay } from './sampling.ts';

/**
 * `metrics/national`: core tables → `DayMetrics` as JSON. The engine delivers each day as one JSON
 * text (31 texts of a month in 7 ms, against 57 ms for lists of values); what is computed from the
 * 96 rows of a day is plain integer arithmetic in `day-metrics.ts`.
 */
export const metricsNational: StepImplementation = { kind: 'sql', run };

/** `[seconds since 1970, finality, published_by, value of each measure …]` */
type CoreRow = readonly [number, number, string, ...(number | null)[]];

async function run(task: StepTask, sql: SqlSession): Promise<readonly UnitOutcome[]> {
  const paths = task.units.map(corePath);
  const days = await sql.rows<{ path: string; core: string }>(`SELECT filename AS path,
      string_agg(CAST(to_json([CAST(epoch(instant_at) AS BIGINT)::JSON,
      CAST(${finalitySql()} AS JSON), to_json(published_by),
        ${MEASURES.map(({ column }) => `to_json(${column})`).join(', ')}]) AS VARCHAR), ',') AS core
    FROM read_parquet([${quoteTexts([...new Set(paths)])}], filename = true,
      hive_partitioning = false) GROUP BY ALL`);
  const coreOf = new Map(days.map(({ path, core }) => [path, core]));
  return task.units.map((unit, index): UnitOutcome => {
    const rows = JSON.parse(`[${coreOf.get(nthOf(paths, index)) ?? ''}]`) as CoreRow[];
    const metrics = dayMetrics(coreDay(unit, rows));
    return {
      scope: unit.scope,
      outputs: { metrics: { bytes: Buffer.from(JSON.stringify(metrics), 'utf8') } },
      checks: [],
      facts: { revision: metrics.revision, coverage: metrics.load.coverage },
    };
  });
}

function finalitySql(): string {
  return `CASE revision ${REVISIONS.map((name, index) => `WHEN '${name}' THEN ${index}`).join(' ')} END`;
}

function corePath(unit: StepUnit): string {
  const path = unit.inputs['core']?.[0]?.path;
  if (path === undefined)
    throw new PipelineError('INTERNAL', `metrics of ${unit.scope} are asked without a core table`);
  return path;
}

/**
 * The rows of a day as columns over its quarters. Rows off the quarter grid are held by a check and
 * left out here.
 */
function coreDay(unit: StepUnit, rows: readonly CoreRow[]): CoreDay {
  const day = dayOf(unit);
  const quarters = day.hours * 4;
  const startSeconds = Date.parse(day.startAt) / 1000;
  const columns = MEASURES.map(() => new Array<number | null>(quarters).fill(null));
  const instants: Record<Revision, number> = { provisional: 0, consolidated: 0, definitive: 0 };
  const quartersByText = new Map<string, number[]>();
  for (const row of rows) {
    const [seconds, finality, publishedBy] = row;
    const quarter = (seconds - startSeconds) / (60 * QUARTER_MINUTES);
    if (row[FIRST_MEASURE] !== null) instants[REVISIONS[finality] ?? 'provisional'] += 1;
    if (!Number.isInteger(quarter) || quarter < 0 || quarter >= quarters) continue;
    columns.forEach(
      (column, measure) =>
        (column[quarter] = (row[FIRST_MEASURE + measure] as number | null) ?? null),
    );
    const known = quartersByText.get(publishedBy);
    if (known === undefined) quartersByText.set(publishedBy, [quarter]);
    else known.push(quarter);
  }
  const publications = [...quartersByText].map(([text, at]) => ({
    published: parsePublishedBy(text),
    quarters: at,
  }));
  return { day, instantsByRevision: instants, series: seriesOf(columns, quarters, publications) };
}

/** Place of the first measure, which is the load, in a `CoreRow`. */
const FIRST_MEASURE = 3;

/**
 * The quarters at which the parts published the same columns: a day has a handful of these, every
 * quarter of an hour like the last but one.
 */
interface Publication {
  readonly published: ReturnType<typeof parsePublishedBy>;
  readonly quarters: readonly number[];
}

function seriesOf(
  columns: readonly (readonly (number | null)[])[],
  quarters: number,
  publications: readonly Publication[],
): Readonly<Record<MeasureName, DaySeries>> {
  // Most columns of a day are sampled alike, so a day has few different samplings.
  const samplings = new Map<string, Sampling>();
  const samplingOf = (measure: number, unknownStep: 15 | 30): Sampling => {
    const placesByPart = placesOf(measure, publications);
    const key = `${unknownStep} ${[...placesByPart].map(([part, places]) => `${part}:${places.join()}`).join(' ')}`;
    const known = samplings.get(key);
    if (known !== undefined) return known;
    const parts = [...placesByPart.values()].map((places) => {
      const presence = new Uint8Array(quarters);
      for (const place of places)
        for (const quarter of publications[place]?.quarters ?? []) presence[quarter] = 1;
      return presence;
    });
    const sampling = sampleDay(quarters, parts, unknownStep);
    samplings.set(key, sampling);
    return sampling;
  };
  const unknownStep = stepOf({ sampling: samplingOf(BIT_OF.consommation, 15) });
  const entries = MEASURES.map(({ name }, measure) => {
    return [name, daySeries(columns[measure] ?? [], samplingOf(measure, unknownStep))];
  });
  return Object.fromEntries(entries) as Record<MeasureName, DaySeries>;
}

/** By part that published the measure: in which of the publications. */
function placesOf(measure: number, publications: readonly Publication[]): Map<string, number[]> {
  const placesByPart = new Map<string, number[]>();
  for (const [place, { published }] of publications.entries()) {
    for (const { part, has } of published) {
      if (has[measure] !== true) continue;
      const places = placesByPart.get(part);
      if (places === undefined) placesByPart.set(part, [place]);
      else places.push(place);
    }
  }
  return placesByPart;
}
