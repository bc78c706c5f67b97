import { PipelineError } from '../../errors.ts';
import { addDays, countDays, datesBetween, parseCivilDate } from '../../pipelines/civil-date.ts';
import { firstDayOf } from '../../pipelines/part-days.ts';
import type { CivilDate } from '../../pipelines/vocabulary.ts';
import { civilDateAt } from '../../pipelines/zoned-day.ts';
import { datasetOf } from '../engine.ts';
import type { Engine } from '../engine.ts';

const DEFAULT_DAYS = 365;

/**
 * Thirty years: more than any publisher here has. What is told of days looks for each of them:
 * centuries would take minutes.
 */
const DAYS_AT_ONCE = 10_958;

/**
 * The days of a range, both ends included; `RANGE_TOO_LARGE` for more than are looked at for one
 * answer: thirty years.
 */
export function daysAtOnce(from: CivilDate, to: CivilDate): CivilDate[] {
  const days = countDays(from, to);
  if (days <= DAYS_AT_ONCE) return datesBetween(from, to);
  throw new PipelineError(
    'RANGE_TOO_LARGE',
    `${days} days are asked for, at most ${DAYS_AT_ONCE} are read at once`,
  );
}

/** As a person or client writes it: `YYYY-MM-DD`, both ends included. */
export interface AskedRange {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

/**
 * The asked range, within the days that the pipeline has; without one the last year up to
 * yesterday. `INPUT_INVALID` when it is empty, `RANGE_TOO_LARGE` beyond thirty years of the
 * pipeline.
 */
export function rangeOfDays(
  engine: Engine,
  pipeline: string,
  { from, to }: AskedRange,
): CivilDate[] {
  const { definition } = datasetOf(engine, pipeline);
  const begin = firstDayOf(definition);
  const yesterday = addDays(civilDateAt(engine.now(), definition.zone), -1);
  const last = to === undefined ? yesterday : parseCivilDate(to);
  const first = from === undefined ? addDays(last, 1 - DEFAULT_DAYS) : parseCivilDate(from);
  const dates = daysAtOnce(first < begin ? begin : first, last);
  if (dates.length > 0) return dates;
  throw new PipelineError(
    'INPUT_INVALID',
    `the range ${first} … ${last} is empty, or before ${begin}`,
  );
}
