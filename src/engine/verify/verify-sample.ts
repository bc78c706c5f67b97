import { PipelineError } from '../../errors.ts';
import { addDays, datesBetween } from '../../pipelines/civil-date.ts';
import type { CivilDate } from '../../pipelines/vocabulary.ts';
import { firstDayOf } from '../../pipelines/part-days.ts';
import { civilDateAt } from '../../pipelines/zoned-day.ts';
import { drawDays } from './draw-days.ts';
import { datasetOf } from '../engine.ts';
import type { Engine, StepControl } from '../engine.ts';
import { verifyDays } from './verify-day.ts';

/**
 * Verifies random finished days; a difference is `STORE_CORRUPT`, so that the run that found it is
 * seen to fail.
 */
export async function verifySample(
  engine: Engine,
  control: StepControl,
  pipeline: string,
  sample: number,
): Promise<CivilDate[]> {
  const { definition } = datasetOf(engine, pipeline);
  const yesterday = addDays(civilDateAt(engine.now(), definition.zone), -1);
  const dates = await drawDays(
    engine,
    pipeline,
    datesBetween(firstDayOf(definition), yesterday),
    sample,
  );
  const { days } = await verifyDays(engine, control, {
    pipeline,
    dates,
    onDay: ({ scope }) => {
      control.progress(scope);
    },
  });
  const different = days.filter(({ result }) => result === 'different').map(({ scope }) => scope);
  if (different.length === 0) return dates;
  throw new PipelineError(
    'STORE_CORRUPT',
    `${different.length} of ${days.length} verified days differ from what is recorded: ${different.join(', ')}; "quotidien verify" shows where`,
  );
}
