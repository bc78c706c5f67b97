import { dayOf, quoteText, REVISIONS } from '../kit/index.ts';
import type { Revision, SqlSession, StepUnit } from '../kit/index.ts';
import { BIT_OF, MEASURES } from './columns.ts';
import type { Part } from './published-rows.ts';
import { IS_USABLE, PARTS } from './published-rows.ts';
import type { Sampling } from './sampling.ts';
import { QUARTER_MINUTES, sampleDay } from './sampling.ts';

/**
 * The core table: one row per instant (UTC) at which anything was published, in order.
 *
 * Parts are merged PER COLUMN: a column has the value of the best row (see `rank`) in which it is
 * not null, so that a better row without load never hides a lesser one that has it, and the
 * definitive load of a yearly file does not hide the generation that only the portal has.
 * `revision` and `source_part` are those of the row that gave the load, without load those of the
 * best row. Rows that hold nothing (placeholders of the days to come) are not there; rows with
 * forecasts only are.
 *
 * `published_by` says what each part published at the instant before the merge, such as `cons-def:6
 * tr:fffffff`: the part and the mask of its values in hexadecimal, bit i for measure i of
 * `MEASURES`. From it follows the step of every sample (`sampling.ts`).
 */

/**
 * The masks as columns of the temporary table: `tr_mask`, `cons_def_mask`, …; NULL when the part
 * has no row.
 */
export function maskColumnOf(part: Part): string {
  return `${part.replace('-', '_')}_mask`;
}

/**
 * What each part published at an instant, from `published_by`: one flag per measure of `MEASURES`.
 */
export function parsePublishedBy(
  text: string,
): { readonly part: string; readonly has: readonly boolean[] }[] {
  return text.split(' ').map((entry) => {
    const [part = '', hexadecimal = '0'] = entry.split(':');
    const mask = BigInt(`0x${hexadecimal}`);
    return { part, has: MEASURES.map((_, bit) => ((mask >> BigInt(bit)) & 1n) === 1n) };
  });
}

const REVISION_NAME = `CASE finality ${REVISIONS.map((name, index) => `WHEN ${index} THEN ${quoteText(name)}`).join(' ')} END`;

const PUBLISHED_BY = PARTS.map(
  (part) => `${quoteText(`${part}:`)} || lower(to_hex(${maskColumnOf(part)}))`,
).join(', ');

/** Every column of `core` in its order, as written. */
export const CORE_COLUMNS: readonly string[] = [
  'instant_at',
  'revision',
  'source_part',
  ...MEASURES.map(({ column }) => column),
  'published_by',
];

/**
 * Creates the view `core` of `published`: the columns as written, the masks, `loads_differ` (rows
 * of one part with this instant have different loads), and `unit`, `data_day`, `start_s`, `hours`,
 * `second`, `finality`. Where there is nothing to merge, the aggregation of 40 columns is saved.
 */
export async function createCore(sql: SqlSession, isMerged: boolean): Promise<void> {
  if (!isMerged) await sql.run(`CREATE OR REPLACE TEMP TABLE merged AS ${MERGED_ROWS}`);
  await sql.run(`CREATE OR REPLACE TEMP VIEW core AS
    SELECT unit, data_day, start_s, hours, second, finality,
      to_timestamp(start_s + second) AS instant_at, ${REVISION_NAME} AS revision,
      source_part, ${VALUE_COLUMNS},
      concat_ws(' ', ${PUBLISHED_BY}) AS published_by, ${MASK_COLUMNS}, loads_differ
    FROM ${isMerged ? `(${SINGLE_ROWS})` : 'merged'}`);
}

const VALUE_COLUMNS = MEASURES.map(({ column }) => column).join(', ');
const MASK_COLUMNS = PARTS.map(maskColumnOf).join(', ');

const SINGLE_ROWS = `SELECT unit, data_day, start_s, hours, second, finality, part AS source_part,
  false AS loads_differ, ${VALUE_COLUMNS},
    ${PARTS.map((part) => `CASE WHEN part = ${quoteText(part)} THEN mask END AS ${maskColumnOf(part)}`).join(', ')}
  FROM published WHERE ${IS_USABLE}`;

function ofLoad(value: string): string {
  return `coalesce(arg_min(${value}, rank) FILTER (WHERE load_mw IS NOT NULL),
    arg_min(${value}, rank))`;
}

const LOADS_DIFFER = PARTS.map((part) => {
  const isPart = `FILTER (WHERE part = ${quoteText(part)})`;
  return `coalesce(max(load_mw) ${isPart} > min(load_mw) ${isPart}, false)`;
}).join(' OR ');

const MERGED_ROWS = `SELECT unit, data_day, start_s, hours,
  second, ${ofLoad('finality')} AS finality, ${ofLoad('part')} AS source_part,
    ${LOADS_DIFFER} AS loads_differ, ${MEASURES.map(({ column }) => `arg_min(${column}, rank) AS ${column}`).join(', ')},
    ${PARTS.map((part) => `bit_or(mask) FILTER (WHERE part = ${quoteText(part)}) AS ${maskColumnOf(part)}`).join(', ')}
  FROM (SELECT * FROM published WHERE ${IS_USABLE}
    QUALIFY NOT clock_differs OR bool_and(clock_differs) OVER (PARTITION BY unit, part, second))
  GROUP BY unit, data_day, start_s, hours, second`;

/** What the load of a day looks like. */
export interface LoadSummary {
  readonly sampling: Sampling;
  /** Instants with a load, by revision. */
  readonly instants: Readonly<Record<Revision, number>>;
  /** Core rows. */
  readonly rows: number;
}

/** The least final revision among the instants with a load; null when there are none. */
export function leastFinal(instants: Readonly<Record<Revision, number>>): Revision | null {
  return REVISIONS.find((revision) => instants[revision] > 0) ?? null;
}

/** Summarizes the load of every unit; units without core rows have zero of everything. */
export async function summarizeLoad(
  sql: SqlSession,
  units: readonly StepUnit[],
): Promise<readonly LoadSummary[]> {
  const bit = BIT_OF.consommation;
  const flags = PARTS.map((part) => `(coalesce(${maskColumnOf(part)}, 0) >> ${bit}) & 1`).join(
    ', ',
  );
  const found = await sql.rows<{
    unit: number;
    rows: number;
    samples: string | null;
  }>(`SELECT unit, count(*) AS rows,
      string_agg(CAST(to_json([second, finality, ${flags}]) AS VARCHAR), ',')
        FILTER (WHERE load_mw IS NOT NULL) AS samples
    FROM core GROUP BY unit`);
  const byUnit = new Map(found.map((row) => [row.unit, row]));
  return units.map((unit, index) => {
    const samples = JSON.parse(`[${byUnit.get(index)?.samples ?? ''}]`) as number[][];
    const quarters = dayOf(unit).hours * 4;
    const presence = PARTS.map(() => new Uint8Array(quarters));
    const instants: Record<Revision, number> = { provisional: 0, consolidated: 0, definitive: 0 };
    for (const [second = 0, finality = 0, ...byPart] of samples) {
      instants[REVISIONS[finality] ?? 'provisional'] += 1;
      const quarter = second / (QUARTER_MINUTES * 60);
      if (Number.isInteger(quarter))
        byPart.forEach((flag, part) => presence[part]?.fill(flag, quarter, quarter + 1));
    }
    return {
      sampling: sampleDay(quarters, presence),
      instants,
      rows: byUnit.get(index)?.rows ?? 0,
    };
  });
}
