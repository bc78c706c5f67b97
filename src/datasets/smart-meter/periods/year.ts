import { forEachUnit } from '../../kit/index.ts';
import type { SqlSession, StepImplementation, StepUnit, UnitResult } from '../../kit/index.ts';
import { copyTable, parquetOf, pathsOf } from '../tables.ts';

/**
 * `rollup/year`: sums of the months that there are; `complete_days` says how much of the year they
 * stand on.
 */
export const rollupYear: StepImplementation = {
  kind: 'sql',
  run: (task, sql) => forEachUnit(task, (unit) => yearOf(unit, sql)),
};

async function yearOf(unit: StepUnit, sql: SqlSession): Promise<UnitResult> {
  const years = await copyTable(
    sql,
    `SELECT '${unit.scope}' AS period, meter_key, channel,
      CAST(sum(total_wh) AS DECIMAL(18, 5)) AS total_wh,
      CAST(sum(mean_day_wh * complete_days) / nullif(sum(complete_days), 0) AS DECIMAL(18,
      5)) AS mean_day_wh,
      CAST(max(peak_wh) AS DECIMAL(12, 5)) AS peak_wh,
        arg_max(peak_date, (peak_wh, -date_diff('day', DATE '2000-01-01', peak_date))) AS peak_date,
      CAST(count(*) AS UTINYINT) AS months, CAST(sum(days) AS SMALLINT) AS days,
      CAST(sum(complete_days) AS SMALLINT) AS complete_days,
      CAST(sum(observed) AS INTEGER) AS observed, CAST(sum(estimated) AS INTEGER) AS estimated
     FROM ${parquetOf(pathsOf(unit, 'months'))} GROUP BY meter_key, channel ORDER BY meter_key,
       channel`,
    `years-${unit.scope}`,
  );
  return { scope: unit.scope, outputs: { years }, checks: [], facts: { rows: years.rows } };
}
