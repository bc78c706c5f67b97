import { PipelineError } from '../../errors.ts';
import { addDays, datesBetween, parseCivilDate } from '../../pipelines/civil-date.ts';
import { firstDayOf } from '../../pipelines/part-days.ts';
import type { CivilDate } from '../../pipelines/vocabulary.ts';
import { civilDateAt } from '../../pipelines/zoned-day.ts';
import { datasetOf } from '../engine.ts';
import type { Engine } from '../engine.ts';

const DEFAULT_DAYS = 365;

/** As a person or client writes it: `YYYY-MM-DD`, both ends included. */
export interface AskedRange {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

/** The asked range, within the days that the pipeline has; without one the last year up to yesterday. `INPUT_INVALID` when it is empty. */
export function rangeOfDays(engine: Engine, pipeline: string, { from, to }: AskedRange): CivilDate[] {
  const { definition } = datasetOf(engine, pipeline);
  const begin = firstDayOf(definition);
  const yesterday = addDays(civilDateAt(engine.now(), definition.zone), -1);
  const last = to === undefined ? yesterday : parseCivilDate(to);
  const first = from === undefined ? addDays(last, 1 - DEFAULT_DAYS) : parseCivilDate(from);
  const dates = datesBetween(first < begin ? begin : first, last);
  if (dates.length > 0) return dates;
  throw new PipelineError('INPUT_INVALID', `the range ${first} … ${last} is empty, or before ${begin}`);
}
