import { addMonths, quoteList, zonedDay } from '../../kit/index.ts';
import type { SqlSession, StepUnit } from '../../kit/index.ts';
import { columnsOfSide } from '../side/parts.ts';
import { inputOrEmpty, parquetOf, pathsOf } from '../tables.ts';

/**
 * Indicators of a month. One whose input is missing is not available, and says which; nothing is
 * guessed in its place. Targets are those of the earlier system.
 */
export interface Indicator {
  readonly id: IndicatorId;
  readonly value: number | null;
  readonly unit: 'share' | 'min' | 'interruptions';
  /** Of a year for `saidi` and `saifi`. */
  readonly target: string;
  /** What it rests on, such as transformer-days; null where that says nothing. */
  readonly of: number | null;
  /** Why there is no value; null where there is one. */
  readonly absent: string | null;
}

type IndicatorId =
  | 'loss_rate'
  | 'non_technical_rate'
  | 'saidi'
  | 'saifi'
  | 'collection_rate'
  | 'telemetry'
  | 'validity'
  | 'ami_coverage'
  | 'forecast_mape';

/** Of the pipeline: months begin and end at its midnights. */
const ZONE = 'Europe/Paris';

interface Found {
  readonly value: number | null;
  readonly of: number | null;
}

const NOTHING: Found = { value: null, of: null };

const TOLD: Readonly<
  Record<IndicatorId, Pick<Indicator, 'unit' | 'target'> & { readonly absent: string }>
> = {
  loss_rate: {
    unit: 'share',
    target: '< 0.10',
    absent: 'no day with injected energy and 98 % of the readings',
  },
  non_technical_rate: {
    unit: 'share',
    target: '−20 %',
    absent: 'no day with injected energy and 98 % of the readings',
  },
  saidi: {
    unit: 'min',
    target: '< 100',
    absent: 'no list of outages, or none of meters by transformer',
  },
  saifi: {
    unit: 'interruptions',
    target: '< 1',
    absent: 'no list of outages, or none of meters by transformer',
  },
  collection_rate: {
    unit: 'share',
    target: '≥ 0.95',
    absent: 'no list of billed energy with its collected share',
  },
  telemetry: {
    unit: 'share',
    target: '≥ 0.99',
    absent: 'it is not known which meters should have sent',
  },
  validity: { unit: 'share', target: '≥ 0.995', absent: 'no verdicts of the quality of rows' },
  ami_coverage: {
    unit: 'share',
    target: '≥ 0.80',
    absent: 'no list of points without a communicating meter',
  },
  forecast_mape: { unit: 'share', target: '≤ 0.05', absent: 'no forecast is made' },
};

/** All of them, always, in one order. */
export async function indicatorsOf(sql: SqlSession, unit: StepUnit): Promise<Indicator[]> {
  const losses = await lossesOf(sql, unit);
  const outages = await outagesOf(sql, unit);
  const found: Readonly<Record<IndicatorId, Found>> = {
    ...losses,
    ...outages,
    collection_rate: await collectionOf(sql, unit),
    telemetry: await telemetryOf(sql, unit),
    validity: await validityOf(sql, unit),
    ami_coverage: NOTHING,
    forecast_mape: NOTHING,
  };
  return (Object.keys(TOLD) as IndicatorId[]).map((id) => {
    const { unit: counted, target, absent } = TOLD[id];
    const { value, of } = found[id];
    return { id, value, unit: counted, target, of, absent: value === null ? absent : null };
  });
}

async function one(sql: SqlSession, select: string): Promise<Found> {
  const [row = NOTHING] = await sql.rows<Found>(select);
  return row.value === null ? NOTHING : row;
}

const kwh = (column: string): string => `sum(CAST(${column} AS DECIMAL(24, 8)))`;

/** Over the transformer-days of which both series are known. */
async function lossesOf(
  sql: SqlSession,
  unit: StepUnit,
): Promise<Record<'loss_rate' | 'non_technical_rate', Found>> {
  const files = pathsOf(unit, 'losses');
  if (files.length === 0) return { loss_rate: NOTHING, non_technical_rate: NOTHING };
  const rate = (column: string): string =>
    `SELECT CAST(${kwh(column)} AS DOUBLE) / nullif(CAST(${kwh('injected_kwh')} + ${kwh('export_kwh')} AS DOUBLE), 0) AS value, count(*) AS of
     FROM ${parquetOf(files)} WHERE ${column} IS NOT NULL`;
  return {
    loss_rate: await one(sql, rate('loss_kwh')),
    non_technical_rate: await one(sql, rate('rest_kwh')),
  };
}

/**
 * Minutes, and interruptions that began in the month, of the mean meter; an outage is told on each
 * of its days and counted once.
 */
async function outagesOf(
  sql: SqlSession,
  unit: StepUnit,
): Promise<Record<'saidi' | 'saifi', Found>> {
  const files = pathsOf(unit, 'outages');
  if (files.length === 0 || pathsOf(unit, 'meters').length === 0)
    return { saidi: NOTHING, saifi: NOTHING };
  const [from, to] = [unit.scope, addMonths(unit.scope, 1)].map(
    (month) => `epoch(TIMESTAMPTZ '${zonedDay(`${month}-01`, ZONE).startAt}')`,
  );
  await sql.run(`CREATE OR REPLACE TEMP TABLE month_outages AS
    WITH fleet AS (SELECT transformer, count(*) AS meters
      FROM ${inputOrEmpty(unit, 'meters', columnsOfSide('meters'))} GROUP BY transformer)
    SELECT meters, epoch(start_at) >= ${from} AS begins,
      greatest(0, least(epoch(end_at), ${to}) - greatest(epoch(start_at), ${from})) / 60 AS minutes,
      (SELECT sum(meters) FROM fleet) AS all_meters
    FROM (SELECT DISTINCT transformer, start_at, end_at FROM ${parquetOf(files)})
      JOIN fleet USING (transformer)`);
  const of = `CAST(any_value(all_meters) AS BIGINT) AS of FROM month_outages HAVING count(*) > 0`;
  return {
    saidi: await one(
      sql,
      `SELECT CAST(sum(meters * CAST(minutes AS DECIMAL(18,
        3))) AS DOUBLE) / any_value(all_meters) AS value, ${of}`,
    ),
    saifi: await one(
      sql,
      `SELECT CAST(coalesce(sum(meters) FILTER (WHERE begins),
        0) AS DOUBLE) / any_value(all_meters) AS value, ${of}`,
    ),
  };
}

function collectionOf(sql: SqlSession, unit: StepUnit): Promise<Found> {
  const files = pathsOf(unit, 'billed');
  if (files.length === 0) return Promise.resolve(NOTHING);
  return one(
    sql,
    `SELECT CAST(sum(billed_wh * collected_share) AS DOUBLE) / nullif(CAST(sum(billed_wh) AS DOUBLE), 0) AS value, count(*) AS of
     FROM (SELECT DISTINCT meter_key, start_at, end_at, billed_wh, collected_share
       FROM ${parquetOf(files)} WHERE collected_share IS NOT NULL)`,
  );
}

/** Readings that came of those that were expected, on the days on which silent meters are known. */
function telemetryOf(sql: SqlSession, unit: StepUnit): Promise<Found> {
  const files = pathsOf(unit, 'fleet');
  if (files.length === 0) return Promise.resolve(NOTHING);
  return one(
    sql,
    `SELECT CAST(sum(CAST(fleet->>'$.observed' AS BIGINT)) AS DOUBLE) / nullif(sum(CAST(fleet->>'$.expected' AS BIGINT)), 0) AS value, count(*) AS of
     FROM (SELECT json->'$.metrics[0]' AS fleet
       FROM read_json_objects(${quoteList(files)}, format = 'unstructured'))
     WHERE fleet->>'$.coverage' IS NOT NULL`,
  );
}

/** Published rows that were not refused. */
function validityOf(sql: SqlSession, unit: StepUnit): Promise<Found> {
  const files = pathsOf(unit, 'quality');
  if (files.length === 0) return Promise.resolve(NOTHING);
  return one(
    sql,
    `WITH days AS (SELECT json FROM read_json_objects(${quoteList(files)},
      format = 'unstructured')),
      tested AS (SELECT sum(CAST(v->>'$.tested' AS BIGINT)) AS rows
        FROM (SELECT unnest(CAST(json->'$.verdicts' AS JSON[])) AS v FROM days)
        WHERE v->>'$.rule' = 'timestamp_not_null'),
      refused AS (SELECT coalesce(sum(CAST(r->>'$.rows' AS BIGINT)), 0) AS rows
        FROM (SELECT unnest(CAST(json->'$.rejects' AS JSON[])) AS r FROM days))
    SELECT 1 - CAST(refused.rows AS DOUBLE) / nullif(tested.rows, 0) AS value,
      CAST(tested.rows AS BIGINT) AS of FROM tested, refused`,
  );
}
