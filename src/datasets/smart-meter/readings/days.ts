import { civilDateAt, PipelineError, zonedDay } from '../../kit/index.ts';
import type { CivilDate, SqlSession } from '../../kit/index.ts';

/** The data day of a reading: the civil date of its START in the zone of its meter. */

/** `[from, to)` in seconds since 1970. */
export function secondsOf(date: CivilDate, zone: string): readonly [from: number, to: number] {
  const { startAt, endAt } = zonedDay(date, zone);
  return [Date.parse(startAt) / 1000, Date.parse(endAt) / 1000];
}

/** SQL that is true for the rows of a day, whatever zones they are of. */
export function inDaySql(date: CivilDate, zones: readonly string[]): string {
  const each = zones.map((zone) => {
    const [from, to] = secondsOf(date, zone);
    return `(zone = '${zone}' AND start_s >= ${from} AND start_s < ${to})`;
  });
  return `(${each.join(' OR ')})`;
}

/** What a file tells of: its first and last data day. */
export interface Extent {
  readonly from: CivilDate;
  readonly to: CivilDate;
  readonly rows: number;
  /** Zones of its meters. */
  readonly zones: readonly string[];
}

/**
 * Rows of one zone, and the seconds since 1970 at which the first and the last of their intervals
 * start; null where none has a time.
 */
export interface ZoneSpan {
  readonly zone: string;
  readonly first: number | null;
  readonly last: number | null;
  readonly rows: number;
}

/**
 * The first and last day of `readings_read`.
 * @throws `SRC_SHAPE_CHANGED` when no row has a time
 */
export async function extentOf(sql: SqlSession): Promise<Extent> {
  const spans = await sql.rows<ZoneSpan>(
    'SELECT zone, min(start_s) AS first, max(start_s) AS last, count(*) AS rows FROM readings_read GROUP BY zone ORDER BY zone',
  );
  return extentOfSpans(spans);
}

/**
 * The first and last day of rows by zone, in the order of zones.
 * @throws `SRC_SHAPE_CHANGED` when no row has a time
 */
export function extentOfSpans(spans: readonly ZoneSpan[]): Extent {
  const dates = spans.flatMap(({ zone, first, last }) =>
    first === null || last === null ? [] : [dateOf(first, zone), dateOf(last, zone)],
  );
  const [from, to] = [dates.sort()[0], dates.at(-1)];
  if (from === undefined || to === undefined) {
    throw new PipelineError('SRC_SHAPE_CHANGED', 'no row of the file has a time that can be read');
  }
  return {
    from,
    to,
    rows: spans.reduce((sum, { rows }) => sum + rows, 0),
    zones: spans.map(({ zone }) => zone),
  };
}

function dateOf(second: number, zone: string): CivilDate {
  return civilDateAt(new Date(second * 1000), zone);
}
