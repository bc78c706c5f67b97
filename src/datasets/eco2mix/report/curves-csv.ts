import { csvText } from '../../kit/index.ts';
import type { DayCurves } from '../metrics-model.ts';
import { QUANTITIES } from './quantities.ts';

/**
 * The day's curves as a table for a French spreadsheet: one row per quarter of an hour, `;` between
 * fields, decimal comma, LF, UTF-8 without a mark. Headers are the publisher's names with the unit
 * (`consommation_mw`, `taux_co2_g_par_kwh`), `date_heure` is local time with its offset, so that
 * the repeated hour of an autumn day stays two hours. An empty field was not published. A last
 * column `donnees_exemple` is there only where rows are made up, and names the parts.
 */
export function curvesCsv(curves: DayCurves, sample: readonly string[] = []): string {
  const columns = QUANTITIES.map((quantity) => quantity.curve(curves));
  const header = ['date_heure', ...QUANTITIES.map(({ name, unit }) => `${name}_${unit}`)];
  const rows = curves.at.map((at, index) => [
    at,
    ...columns.map((series) => csvNumber(series[index] ?? null)),
  ]);
  if (sample.length === 0) return csvText([header, ...rows]);
  return csvText([
    [...header, 'donnees_exemple'],
    ...rows.map((row) => [...row, sample.join(' ')]),
  ]);
}

function csvNumber(value: number | null): string {
  return value === null ? '' : String(Object.is(value, -0) ? 0 : value).replace('.', ',');
}
