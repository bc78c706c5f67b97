import { quoteText, REVISIONS } from '../kit/index.ts';
import type { SqlSession } from '../kit/index.ts';
import { MEASURES, RATES } from './columns.ts';

/**
 * The core table: one row per region and instant (UTC) at which anything was published, in order.
 * Parts are merged per column: a column has the value of the best row (`rank`) in which it is not
 * null. `revision` and `source_part` are those of the row that gave the load, without load those of
 * the best row.
 *
 * `quarters` is how long the row stands for, in quarters of an hour: consolidated rows come every
 * half-hour and stand for two, unless the region has a row at the following quarter; real-time rows
 * stand for one, and a gap is never filled.
 */

const HALF_HOUR_S = 1_800;
/** Seconds of a quarter of an hour, the unit of `quarters`. */
export const QUARTER_S = 900;

const VALUES = [...MEASURES, ...RATES].map(({ column }) => column);

/** Every column of `core` in its order, as written. */
export const CORE_COLUMNS: readonly string[] = [
  'region_code',
  'instant_at',
  'revision',
  'source_part',
  'quarters',
  ...VALUES,
];

const REVISION_NAME = `CASE finality ${REVISIONS.map((name, index) => `WHEN ${index} THEN ${quoteText(name)}`).join(' ')} END`;

function ofLoad(value: string): string {
  return `coalesce(arg_min(${value}, rank) FILTER (WHERE load_mw IS NOT NULL),
    arg_min(${value}, rank))`;
}

/**
 * Creates `core` of `published`: the columns as written, and `unit`, `data_day`, `start_s`,
 * `hours`, `second`, `finality`.
 */
export async function createCore(sql: SqlSession): Promise<void> {
  await sql.run(`CREATE OR REPLACE TEMP TABLE core AS
    SELECT * EXCLUDE (following), to_timestamp(start_s
      + second) AS instant_at, ${REVISION_NAME} AS revision,
      CASE WHEN source_part = 'cons-def' AND second % ${HALF_HOUR_S} = 0
        AND following IS DISTINCT FROM second + ${QUARTER_S}
        THEN 2 ELSE 1 END AS quarters
    FROM (SELECT *, lead(second) OVER (PARTITION BY unit, region_code ORDER BY second) AS following
      FROM (SELECT unit, data_day, start_s, hours, region_code,
        second, ${ofLoad('finality')} AS finality,
          ${ofLoad('part')} AS source_part, ${VALUES.map((name) => `arg_min(${name}, rank) AS ${name}`).join(', ')}
        FROM published WHERE second IS NOT NULL AND coalesce(${VALUES.join(', ')}) IS NOT NULL
        GROUP BY unit, data_day, start_s, hours, region_code, second))`);
}
