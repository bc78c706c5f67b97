import { quoteText } from '../../kit/index.ts';
import { LAGS, PAIRS, Z_95 } from './correlate.ts';
import type { Pair } from './correlate.ts';
import type { StudyLimits } from './limits.ts';

/**
 * The correlations of `correlate.ts` as SQL over the table `cityflow_days`, for spans of years: a
 * test holds one against the other.
 */

/**
 * Columns `name`, `lag_days`, `n`, `n_independent`, `r`, `low`, `high`, `note`, in the order of
 * pairs and lags.
 */
export function linksSql(limits: StudyLimits): string {
  const each = PAIRS.flatMap((pair, place) => LAGS.map((lag) => pairSql(pair, lag, place)));
  const half = `${Z_95} / sqrt(n_independent - 3)`;
  const z = 'atanh(least(greatest(r, -0.999999999), 0.999999999))';
  const note = `CASE WHEN n < ${limits.correlation_least_days} THEN 'pas assez de jours'
      WHEN n_independent < ${limits.correlation_least_quarters} THEN 'pas assez de trimestres'
      WHEN r IS NULL OR isnan(r) THEN 'une des deux grandeurs ne varie pas' END`;
  return `SELECT name, lag_days, n, n_independent, CASE WHEN note IS NULL THEN round(r, 4) END AS r,
      CASE WHEN note IS NULL THEN round(tanh(${z} - ${half}), 4) END AS low,
      CASE WHEN note IS NULL THEN round(tanh(${z} + ${half}), 4) END AS high, note
    FROM (SELECT *, ${note} AS note FROM (${each.join(' UNION ALL ')})) ORDER BY place, lag_days`;
}

function pairSql({ name, left, right, quarterly }: Pair, lag: number, place: number): string {
  const independent =
    quarterly === true ? `count(DISTINCT date_trunc('quarter', x.date))` : 'count(*)';
  return `SELECT ${place} AS place, ${quoteText(name)} AS name, ${lag} AS lag_days,
    count(*) AS n, ${independent} AS n_independent,
      corr(x.${left}, y.${right}) AS r
    FROM cityflow_days x JOIN cityflow_days y
      ON y.date = x.date + ${lag} WHERE x.${left} IS NOT NULL AND y.${right} IS NOT NULL`;
}
