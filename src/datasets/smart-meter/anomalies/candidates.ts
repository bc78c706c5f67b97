import type { SqlSession } from '../../kit/index.ts';
import { CANDIDATE_RATIO } from './suspicion.ts';
import type { Candidate } from './suspicion.ts';

/** The meters of `meter_features` that use clearly less than they did: a few in a hundred, so that only they leave the engine. */
export function candidatesOf(sql: SqlSession): Promise<Candidate[]> {
  return sql.rows<Candidate>(`SELECT CAST(meter_key AS VARCHAR) AS meter_key, segment, transformer, reference_wh, use_ratio, base_ratio, evening_ratio,
      other_ratio, zero_days, short_wh, weeks, week_wh, use_days
    FROM meter_features WHERE use_ratio < ${CANDIDATE_RATIO} OR evening_ratio < ${CANDIDATE_RATIO} OR zero_days >= 10 ORDER BY meter_key`);
}
