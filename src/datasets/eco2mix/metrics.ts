import type { StepImplementation, StepTask, StepUnit, UnitOutcome } from '../../pipelines/dataset.ts';
import { PipelineError } from '../../errors.ts';
import type { Revision } from '../../pipelines/vocabulary.ts';
import { REVISIONS } from '../../pipelines/vocabulary.ts';
import type { SqlSession } from '../../storage/ports.ts';
import type { MeasureName } from './columns.ts';
import { BIT_OF, MEASURES } from './columns.ts';
import { parsePublishedBy } from './core.ts';
import type { CoreDay } from './day-metrics.ts';
import { dayMetrics, stepOf } from './day-metrics.ts';
import type { DaySeries } from './energy.ts';
import { daySeries } from './energy.ts';
import { dayOf } from './published-rows.ts';
import type { Sampling } from './sampling.ts';
import { QUARTER_MINUTES, sampleDay } from './sampling.ts';
import { sqlTexts } from './sql-text.ts';

/**
 * `metrics/national`: core tables → `DayMetrics` as JSON. The engine delivers each day as one JSON text (31 texts of a month in 7 ms,
 * against 57 ms for lists of values); what is computed from the 96 rows of a day is plain integer arithmetic in `day-metrics.ts`.
 */
export const metricsNational: StepImplementation = { kind: 'sql', run };

/** `[seconds since 1970, finality, published_by, value of each measure …]` */
type CoreRow = readonly [number, number, string, ...(number | null)[]];

async function run(task: StepTask, sql: SqlSession): Promise<readonly UnitOutcome[]> {
  const paths = task.units.map(corePath);
  const days = await sql.rows<{ path: string; core: string }>(`SELECT filename AS path,
      string_agg(CAST(to_json([CAST(epoch(instant_at) AS BIGINT)::JSON, CAST(${finalitySql()} AS JSON), to_json(published_by),
        ${MEASURES.map(({ column }) => `to_json(${column})`).join(', ')}]) AS VARCHAR), ',') AS core
    FROM read_parquet([${sqlTexts([...new Set(paths)])}], filename = true, hive_partitioning = false) GROUP BY ALL`);
  const coreOf = new Map(days.map(({ path, core }) => [path, core]));
  return task.units.map((unit, index): UnitOutcome => {
    const rows = JSON.parse(`[${coreOf.get(paths[index] ?? '') ?? ''}]`) as CoreRow[];
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

/** The rows of a day as columns over its quarters. Rows off the quarter grid are held by a check and left out here. */
function coreDay(unit: StepUnit, rows: readonly CoreRow[]): CoreDay {
  const day = dayOf(unit);
  const quarters = day.hours * 4;
  const startSeconds = Date.parse(day.startAt) / 1000;
  const columns = MEASURES.map(() => newColumn(quarters));
  const instants: Record<Revision, number> = { provisional: 0, consolidated: 0, definitive: 0 };
  // A day knows a handful of different texts: every quarter of an hour like the last but one.
  const publishers = new Map<string, ReturnType<typeof parsePublishedBy>>();
  for (const [seconds, finality, publishedBy, ...cells] of rows) {
    const quarter = (seconds - startSeconds) / (60 * QUARTER_MINUTES);
    if (cells[0] !== null) instants[REVISIONS[finality] ?? 'provisional'] += 1;
    if (!Number.isInteger(quarter) || quarter < 0 || quarter >= quarters) continue;
    const published = publishers.get(publishedBy) ?? parsePublishedBy(publishedBy);
    publishers.set(publishedBy, published);
    columns.forEach((column, measure) => {
      column.values[quarter] = cells[measure] ?? null;
      for (const { part, has } of published) {
        if (has[measure] === true) presenceOf(column, part, quarters)[quarter] = 1;
      }
    });
  }
  return { day, instantsByRevision: instants, series: seriesOf(columns, quarters) };
}

interface Column {
  readonly values: (number | null)[];
  /** By part that published it: at which quarters. */
  readonly presence: Map<string, Uint8Array>;
}

function newColumn(quarters: number): Column {
  return { values: Array.from({ length: quarters }, () => null), presence: new Map() };
}

function presenceOf({ presence }: Column, part: string, quarters: number): Uint8Array {
  const known = presence.get(part) ?? new Uint8Array(quarters);
  presence.set(part, known);
  return known;
}

function seriesOf(columns: readonly Column[], quarters: number): Readonly<Record<MeasureName, DaySeries>> {
  // Most columns of a day are sampled alike, so a day has few different samplings.
  const samplings = new Map<string, Sampling>();
  const samplingOf = ({ presence }: Column, unknownStep: 15 | 30): Sampling => {
    const parts = [...presence.values()];
    const key = `${unknownStep}${parts.map((part) => Buffer.from(part.buffer).toString('latin1')).join('|')}`;
    const sampling = samplings.get(key) ?? sampleDay(quarters, parts, unknownStep);
    samplings.set(key, sampling);
    return sampling;
  };
  const load = columns[BIT_OF.consommation] ?? newColumn(quarters);
  const unknownStep = stepOf({ sampling: samplingOf(load, 15) });
  const entries = MEASURES.map(({ name }, measure) => {
    const column = columns[measure] ?? newColumn(quarters);
    return [name, daySeries(column.values, samplingOf(column, unknownStep))];
  });
  return Object.fromEntries(entries) as Record<MeasureName, DaySeries>;
}
