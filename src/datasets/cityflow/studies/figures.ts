import { dayByDay, dayOf, inputOf, readJson, writeParquetRows } from '../../kit/index.ts';
import type { SqlColumn } from '../../kit/index.ts';
import type { Digest } from '../metrics/digest.ts';
import type { RidesMetrics } from '../transport/rides-day.ts';
import type { ServiceMetrics } from '../transport/service-day.ts';

/**
 * `metrics/figures`: the figures of a day that are held against those of other days, as a table of
 * one row.
 */

/**
 * One row a day: counts, minutes, °C, mm, km/h, reliability 0–1, quality %; null where not told.
 */
export const FIGURE_TABLE = [
  { name: 'date', type: 'VARCHAR' },
  { name: 'bikes', type: 'DOUBLE' },
  { name: 'vehicles', type: 'DOUBLE' },
  { name: 'lost_minutes', type: 'DOUBLE' },
  { name: 'saturated_arcs', type: 'DOUBLE' },
  { name: 'temp_c', type: 'DOUBLE' },
  { name: 'precip_mm', type: 'DOUBLE' },
  { name: 'wind_kmh', type: 'DOUBLE' },
  { name: 'works_active', type: 'DOUBLE' },
  { name: 'disruptions', type: 'DOUBLE' },
  { name: 'metro_reliability', type: 'DOUBLE' },
  { name: 'validations', type: 'DOUBLE' },
  { name: 'quality_pct', type: 'DOUBLE' },
] as const satisfies readonly SqlColumn[];

/** The name carries the unit where the figure has one. */
export type FigureName = Exclude<(typeof FIGURE_TABLE)[number]['name'], 'date'>;

/** A day; what its sources did not tell is null. */
export type DayFigures = { readonly date: string } & Readonly<Record<FigureName, number | null>>;

/** Needs the digest or the validations of the day; figures of what is missing are null. */
export const metricsFigures = dayByDay(async (unit, _task, sql) => {
  const { date } = dayOf(unit);
  const figures = dayFigures(
    date,
    await readJson<Digest>(inputOf(unit, 'digest')),
    await readJson<RidesMetrics>(inputOf(unit, 'validations')),
    await readJson<ServiceMetrics>(inputOf(unit, 'service-quality')),
  );
  const row = FIGURE_TABLE.map(({ name }) => figures[name]);
  return {
    outputs: { figures: await writeParquetRows(sql, FIGURE_TABLE, [row], `figures-${date}`) },
    checks: [],
    facts: {},
  };
});

/** Each source may be null; its figures are null then, never 0. */
export function dayFigures(
  date: string,
  digest: Digest | null,
  rides: RidesMetrics | null,
  service: ServiceMetrics | null,
): DayFigures {
  return {
    date,
    bikes: digest?.bikes?.total ?? null,
    vehicles: digest?.roads?.vehicles ?? null,
    lost_minutes: digest?.roads?.lost_minutes ?? null,
    saturated_arcs: digest?.roads?.saturated ?? null,
    temp_c: digest?.weather?.temp_c ?? null,
    precip_mm: digest?.weather?.precip_mm ?? null,
    wind_kmh: digest?.weather?.wind_kmh ?? null,
    works_active: digest?.works?.active ?? null,
    disruptions: digest?.traffic?.disruptions ?? null,
    metro_reliability: digest?.traffic?.reliability ?? null,
    validations: rides?.total_validations ?? null,
    quality_pct: service?.score_qualite_moyen ?? null,
  };
}
