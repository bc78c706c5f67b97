import type { SqlSession } from '../../kit/index.ts';
import { fillFeatures } from './features.ts';
import { CANDIDATE_RATIO } from './suspicion.ts';
import type { Candidate } from './suspicion.ts';

const IS_CANDIDATE = `(use_ratio < ${CANDIDATE_RATIO} OR evening_ratio < ${CANDIDATE_RATIO} OR zero_days >= 10)`;

/**
 * The meters of `weeks` that use clearly less than they did: a few in a hundred, so that only they
 * leave the engine.
 */
export async function candidatesOf(sql: SqlSession, rowsAtOnce?: number): Promise<Candidate[]> {
  await fillFeatures(sql, IS_CANDIDATE, rowsAtOnce);
  return sql.rows<Candidate>(`SELECT CAST(meter_key AS VARCHAR) AS meter_key, segment, transformer,
    reference_wh, use_ratio, base_ratio, evening_ratio,
      other_ratio, zero_days, short_wh, weeks, week_wh, use_days
    FROM meter_features ORDER BY meter_key`);
}
