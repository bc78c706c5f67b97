import { PipelineError } from '../errors.ts';
import { addDays } from '../pipelines/civil-date.ts';
import type { CivilDate } from '../pipelines/vocabulary.ts';
import { civilDateAt } from '../pipelines/zoned-day.ts';
import type { TickRequest } from './contract.ts';
import { datasetOf } from './engine.ts';
import type { Engine } from './engine.ts';

/** The data date of a tick: the civil date of its nominal time in the pipeline's zone, minus the schedule's lag. */
export function resolveTick(engine: Pick<Engine, 'datasets'>, request: TickRequest): CivilDate {
  const { definition } = datasetOf(engine, request.pipeline);
  const schedule = definition.schedules.find((candidate) => candidate.id === request.schedule);
  if (schedule === undefined) {
    throw new PipelineError('PLAN_INVALID', `${request.pipeline} has no schedule ${request.schedule}`);
  }
  return addDays(civilDateAt(new Date(request.nominalAt), definition.zone), -schedule.lagDays);
}
