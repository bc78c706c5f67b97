import { addDays } from '../pipelines/civil-date.ts';
import type { PipelineDefinition } from '../pipelines/definition.ts';
import { periodsOf } from '../pipelines/period.ts';
import type { CivilDate } from '../pipelines/vocabulary.ts';
import { fetchWindows } from '../pipelines/window.ts';
import type { DerivedWork } from './contract.ts';
import { datasetOf } from './engine.ts';
import type { Engine } from './engine.ts';
import { planFromStores } from './resolve-plan.ts';

/**
 * What must be made again because these days changed: the days that read them and are out of date now, and every period
 * that contains them. Days without a manifest are left alone: they are not there yet, and nothing of them can be stale.
 */
export async function resolveDerived(
  engine: Engine,
  pipeline: string,
  changed: readonly CivilDate[],
): Promise<DerivedWork> {
  const { definition } = datasetOf(engine, pipeline);
  const stale = await staleDays(engine, definition, changed);
  const windows = fetchWindows(stale, 'month').map(({ from, to }) =>
    stale.filter((date) => from <= date && date <= to),
  );
  return {
    windows,
    rollups: definition.rollups.map((rollup) => ({
      step: rollup.id,
      periods: periodsOf(rollup.grain, changed),
      timeoutSeconds: rollup.timeoutSeconds,
    })),
    retry: engine.retry,
    queue: engine.queues.compute,
  };
}

/** The days that read one of the changed days and whose plan, without asking the publisher, is not empty. */
export async function staleDays(
  engine: Engine,
  definition: PipelineDefinition,
  changed: readonly CivilDate[],
): Promise<CivilDate[]> {
  const lookbacks = new Set(definition.steps.flatMap((step) => step.inputs.flatMap((input) => input.daysBefore ?? [])));
  const readers = new Set([...lookbacks].flatMap((days) => changed.map((date) => addDays(date, days))));
  const { plans, manifests } = await planFromStores(engine, definition, [...readers].sort(), { offline: true });
  return plans
    .filter(
      ({ date, steps }) =>
        manifests.has(date) && steps.some(({ action, step }) => action === 'run' && !isLeftOut(definition, step)),
    )
    .map(({ date }) => date);
}

function isLeftOut(definition: PipelineDefinition, id: string): boolean {
  return definition.steps.find((step) => step.id === id)?.singleDaysOnly === true;
}
