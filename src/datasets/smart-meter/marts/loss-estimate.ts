import type { StepUnit } from '../../kit/index.ts';
import { SUSPICION_THRESHOLD } from '../anomalies/suspicion.ts';
import { parquetOf, pathsOf } from '../tables.ts';

/**
 * `total_loss_estimate_kwh`: what suspicious meters lack on a day beside what is expected of them,
 * over open suspicions whose transformer lacks energy too. The earlier system had the column
 * without a formula; this one needs both series, injected and measured.
 */

/**
 * Why there is no estimate:
 * - no_injected: nobody said what transformers were given on the day
 * - not_judged: suspicions of the day are not there
 * - no_open_suspicion: no suspicion of the group stands, or the history is too short for one
 */
export type LossAbsence = 'no_injected' | 'not_judged' | 'no_open_suspicion';

/** Estimated losses by group. */
export interface LossEstimate {
  /**
   * SQL of `(segment, loss_kwh)`; the fleet has a null segment, a group without an estimate no row.
   */
  readonly table: string;
  /** Why a group has no row. */
  readonly absent: LossAbsence;
}

/** Only suspicions count whose transformer was held against its meters (`confirmed` is known). */
export function lossEstimate(unit: StepUnit): LossEstimate {
  const suspicions = pathsOf(unit, 'suspicions');
  const table = (from: string): string =>
    `(SELECT segment, CAST(sum(greatest(missing_wh_per_day, 0)) AS DOUBLE) / 1000 AS loss_kwh
      FROM ${from}
      GROUP BY GROUPING SETS ((segment), ()) HAVING count(*) > 0)`;
  const none = table(`(SELECT NULL AS segment, NULL AS missing_wh_per_day WHERE false)`);
  if (pathsOf(unit, 'injected').length === 0) return { table: none, absent: 'no_injected' };
  if (suspicions.length === 0) return { table: none, absent: 'not_judged' };
  const open = `(SELECT segment, missing_wh_per_day FROM ${parquetOf(suspicions)}
      WHERE lasting >= ${SUSPICION_THRESHOLD} AND confirmed IS NOT NULL)`;
  return { table: table(open), absent: 'no_open_suspicion' };
}
