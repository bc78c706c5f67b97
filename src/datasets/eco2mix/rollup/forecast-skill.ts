import { quoteText } from '../../kit/index.ts';
import { ZONE } from '../local-time.ts';

/**
 * How good RTE's forecasts of the load were over the 30 days that end with a day, for `j1` (made
 * the day before) and `j` (made on the day).
 *
 * - error = forecast − load, at every instant that has both; `mae_mw` is the mean of |error|,
 *   `bias_mw` the mean of error, `mape_pct` the mean of |error| / load in percent (Hyndman and
 *   Koehler, Another look at measures of forecast accuracy, International Journal of Forecasting
 *   22, 2006).
 * - Persistence forecasts the load that was 24 hours earlier, or 168 hours earlier for the same
 *   weekday. The skill is 1 − MAE / MAE of persistence, both over the instants that have forecast,
 *   load and the earlier load (the skill score of Wilks, Statistical Methods in the Atmospheric
 *   Sciences, chapter 8, with the mean absolute error): 1 is perfect, 0 as good as persistence,
 *   below 0 worse.
 *
 * `days` of 30 says how many days of the window have such instants, `samples` how many there are.
 */

/** The core column of each forecast. */
export const FORECASTS = { j1: 'forecast_day_ahead_mw', j: 'forecast_intraday_mw' } as const;

/** The day and the 29 before it. */
export const WINDOW_DAYS = 30;

const REFERENCES = { day: 24, week: 168 } as const;

/** Single relative errors are summed in units of 10⁻¹²: whole numbers have one sum in any order. */
const RELATIVE_SCALE = '1000000000000';

/**
 * `core` is SQL to select from, with the columns of the core table; rows `date, forecast, days,
 * samples, …`.
 */
export function forecastSkillSql(core: string): string {
  const references = Object.entries(REFERENCES);
  const joins = references.map(
    ([name, hours]) =>
      `LEFT JOIN loads AS ${name}_before ON ${name}_before.second = loads.second - ${hours * 3600}`,
  );
  const errors = Object.entries(FORECASTS).map(
    ([name, column]) => `SELECT date, ${quoteText(name)} AS forecast, mw, ${column} - mw AS error,
        ${references.map(([reference]) => `${reference}_before_mw - mw AS ${reference}_error`).join(', ')}
      FROM pairs WHERE ${column} IS NOT NULL`,
  );
  const sums = references.flatMap(([name]) => [
    `sum(abs(error)) FILTER (WHERE ${name}_error IS NOT NULL) AS ${name}_compared`,
    `sum(abs(${name}_error)) AS ${name}_persistence`,
    `count(${name}_error) AS ${name}_samples`,
  ]);
  const over = (value: string): string => `CAST(sum(${value}) OVER recent AS DOUBLE)`;
  const skills = references.flatMap(([name]) => [
    `CAST(round(${over(`${name}_persistence`)} / nullif(${over(`${name}_samples`)}, 0),
      2) AS DOUBLE) AS persistence_${name}_mae_mw`,
    `CAST(round(1 - ${over(`${name}_compared`)} / nullif(${over(`${name}_persistence`)}, 0),
      4) AS DOUBLE) AS skill_${name}`,
  ]);
  return `WITH loads AS (
      SELECT CAST(epoch(instant_at) AS BIGINT) AS second,
        CAST(timezone(${quoteText(ZONE)}, instant_at) AS DATE) AS date,
        CAST(load_mw AS BIGINT) AS mw, ${Object.values(FORECASTS).join(', ')}
      FROM ${core} WHERE load_mw > 0),
    pairs AS (
      SELECT loads.*, ${references.map(([name]) => `${name}_before.mw AS ${name}_before_mw`).join(', ')}
      FROM loads ${joins.join(' ')}),
    errors AS (${errors.join(' UNION ALL ')}),
    days AS (
      SELECT forecast, date, count(*) AS samples, sum(error) AS total, sum(abs(error)) AS absolute,
        sum(CAST(abs(error) AS HUGEINT) * ${RELATIVE_SCALE} // mw) AS relative, ${sums.join(', ')}
      FROM errors GROUP BY forecast, date)
    SELECT date, forecast, CAST(count(*) OVER recent AS INTEGER) AS days,
      CAST(sum(samples) OVER recent AS INTEGER) AS samples,
      CAST(round(${over('absolute')} / ${over('samples')}, 2) AS DOUBLE) AS mae_mw,
      CAST(round(${over('relative')} / ${RELATIVE_SCALE} * 100 / ${over('samples')},
      2) AS DOUBLE) AS mape_pct,
      CAST(round(${over('total')} / ${over('samples')},
      2) AS DOUBLE) AS bias_mw, ${skills.join(', ')}
    FROM days
    WINDOW recent AS (PARTITION BY forecast
      ORDER BY date RANGE BETWEEN INTERVAL ${WINDOW_DAYS - 1} DAYS PRECEDING AND CURRENT ROW)
    ORDER BY date, forecast`;
}
