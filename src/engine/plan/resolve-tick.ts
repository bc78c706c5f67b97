import { PipelineError } from '../../errors.ts';
import { addDays } from '../../pipelines/civil-date.ts';
import { civilDateAt } from '../../pipelines/zoned-day.ts';
import type { ResolvedTick, TickRequest } from '../contract.ts';
import { datasetOf } from '../engine.ts';
import type { Engine } from '../engine.ts';

/**
 * What a tick starts, and for which data date: the civil date of its nominal time in the pipeline's
 * zone, minus the schedule's lag.
 */
export function resolveTick(engine: Pick<Engine, 'datasets'>, request: TickRequest): ResolvedTick {
  const { definition } = datasetOf(engine, request.pipeline);
  const schedule = definition.schedules.find((candidate) => candidate.id === request.schedule);
  if (schedule === undefined) {
    throw new PipelineError(
      'PLAN_INVALID',
      `${request.pipeline} has no schedule ${request.schedule}`,
    );
  }
  return {
    date: addDays(civilDateAt(new Date(request.nominalAt), definition.zone), -schedule.lagDays),
    runs: schedule.runs ?? { workflow: 'day' },
  };
}
