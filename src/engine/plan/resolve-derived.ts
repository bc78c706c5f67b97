import { isOfPreviousDays, lookbacksOf } from '../../pipelines/lookback.ts';
import { addDays } from '../../pipelines/civil-date.ts';
import type { PipelineDefinition } from '../../pipelines/definition.ts';
import { keyIn } from '../../pipelines/manifest.ts';
import { isAsStored } from '../../pipelines/planned-step.ts';
import { periodsReached, spanAt } from '../../pipelines/period-graph.ts';
import { STAGES, stageOf } from '../../pipelines/vocabulary.ts';
import type { CivilDate, Stage, StepId } from '../../pipelines/vocabulary.ts';
import { workWindows } from '../../pipelines/work-window.ts';
import type { DerivedWork } from '../contract.ts';
import { datasetOf } from '../engine.ts';
import type { Engine, StepControl } from '../engine.ts';
import { SILENT, inPages } from '../in-pages.ts';
import { planFromStores } from './plan-run.ts';

/**
 * What must be made again because these days changed: the days that read them and are out of date
 * now, and every period that contains them or reads what they can change; which of these have other
 * inputs now is found when they are looked at. Days without a manifest are left alone: they are not
 * there yet, and nothing of them can be stale.
 */
export async function resolveDerived(
  engine: Engine,
  pipeline: string,
  changed: readonly CivilDate[],
  control: Pick<StepControl, 'progress' | 'checkpoint'> = SILENT,
): Promise<DerivedWork> {
  const { definition } = datasetOf(engine, pipeline);
  const stale = await staleDays(engine, definition, changed, control);
  const reached = periodsReached(definition, spanAt(definition, engine.now()), changed);
  return {
    windows: windowsOf(definition, stale),
    rollups: definition.rollups.map((rollup) => ({
      step: rollup.id,
      periods: reached.get(rollup.id) ?? [],
      timeoutSeconds: rollup.timeoutSeconds,
    })),
    retry: engine.retry,
    queue: engine.queues.compute,
  };
}

/** A day that reads something that changed. */
export interface StaleDay {
  readonly date: CivilDate;
  /** The last stage that the day has: what was never made of it is not made now either. */
  readonly until: Stage;
  /**
   * It has what is made for single days only, a page, which is made again with the rest: nothing
   * that is published goes because another day changed.
   */
  readonly pages: boolean;
}

function windowsOf(
  definition: PipelineDefinition,
  stale: readonly StaleDay[],
): DerivedWork['windows'] {
  const alike = STAGES.flatMap((until) => [false, true].map((pages) => ({ until, pages })));
  return alike.flatMap(({ until, pages }) => {
    const dates = stale
      .filter((day) => day.until === until && day.pages === pages)
      .map(({ date }) => date);
    return workWindows(definition, dates).map((days) => ({
      until,
      dates: days,
      ...(pages ? { pages } : {}),
    }));
  });
}

/**
 * The days that read one of the changed days and are out of date, without asking the publisher;
 * also changed days themselves, which may have been made before a day that they read was committed.
 */
export async function staleDays(
  engine: Engine,
  definition: PipelineDefinition,
  changed: readonly CivilDate[],
  control: Pick<StepControl, 'progress' | 'checkpoint'> = SILENT,
): Promise<StaleDay[]> {
  const readers = new Set(
    lookbacksOf(definition).flatMap((days) => changed.map((date) => addDays(date, days))),
  );
  return inPages(control, [...new Set([...readers, ...changed])].sort(), (dates) =>
    staleOf(engine, definition, dates, readers),
  );
}

/** The steps that read previous days, themselves or by what they read. */
function comparingSteps({ steps }: PipelineDefinition): ReadonlySet<StepId> {
  const comparing = new Set<StepId>();
  for (const { id, inputs } of steps) {
    if (inputs.some((input) => isOfPreviousDays(input) || comparing.has(input.step)))
      comparing.add(id);
  }
  return comparing;
}

/**
 * Those of the days that are finished and out of date. One that reads none of the changed days is
 * left to its own run when it has something new of its own: that run may be under way, waiting for
 * a decision on it.
 */
async function staleOf(
  engine: Engine,
  definition: PipelineDefinition,
  dates: readonly CivilDate[],
  readers: ReadonlySet<CivilDate>,
): Promise<StaleDay[]> {
  const comparing = comparingSteps(definition);
  const { plans, manifests } = await planFromStores(engine, definition, dates, { offline: true });
  const inSets = new Set(
    definition.steps.filter((step) => step.singleDaysOnly !== true).map(({ id }) => id),
  );
  return plans.flatMap(({ date, steps }): StaleDay[] => {
    const manifest = manifests.get(date);
    const made = steps.filter(({ step }) => keyIn(manifest, step) !== undefined);
    const inWindows = made.filter(({ step }) => inSets.has(step));
    const pages = inWindows.length < made.length;
    const until = made
      .map(({ step }) => stageOf(step))
      .sort((a, b) => STAGES.indexOf(a) - STAGES.indexOf(b))
      .at(-1);
    const stale = inWindows.filter((step) => !isAsStored(step, manifest));
    const isOurs = readers.has(date) || stale.every(({ step }) => comparing.has(step));
    return until !== undefined && stale.length > 0 && isOurs ? [{ date, until, pages }] : [];
  });
}
