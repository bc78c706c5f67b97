import type { PipelineDefinition } from '../../pipelines/definition.ts';
import type { Manifest } from '../../pipelines/manifest.ts';
import { isPeriod } from '../../pipelines/scope.ts';
import type { CivilDate, Scope } from '../../pipelines/vocabulary.ts';
import { finishDay } from '../commit/finish-day.ts';
import { executeRollup } from '../derive/execute-rollup.ts';
import { closeAnnouncements, hearAnnouncements } from '../derive/hear-announcements.ts';
import type { FailedWork } from '../../pipelines/failed-work.ts';
import type { Engine, StepControl } from '../engine.ts';

/** A day or period that could not be made here, and why. */
export interface NotMade {
  readonly scope: Scope;
  readonly why: string;
}

/**
 * Days that read changed days may change others in turn; comparisons never read comparisons, so
 * this ends sooner.
 */
const MAX_TURNS = 20;

/**
 * Makes finished days again from what is delivered for them now, then everything that is made of
 * them: the same plans, steps and commits as those of a run, without Temporal and without a
 * publisher. Whatever another run has made meanwhile is found made.
 */
export async function makeAgain(
  engine: Engine,
  control: StepControl,
  { name: pipeline, rollups }: PipelineDefinition,
  versions: readonly Manifest[],
): Promise<NotMade[]> {
  const left = new Map<Scope, NotMade>();
  const scopes = versions.map(({ scope }) => scope);
  const days = scopes.filter((scope) => !isPeriod(scope)).sort();
  const make = async (date: CivilDate): Promise<void> => {
    control.signal.throwIfAborted();
    control.progress(`making ${date} again`);
    const { version, why } = await finishDay(engine, control, pipeline, date, { mayBeEmpty: true });
    if (version === null) left.set(date, { scope: date, why: why ?? 'it cannot be made here' });
    else left.delete(date);
  };
  // Days read earlier ones, so these come first.
  for (const date of days) await make(date);
  let dates: readonly CivilDate[] = days;
  for (let turn = 1; turn <= MAX_TURNS; turn += 1) {
    const work = await hearAnnouncements(engine, control, pipeline, dates);
    for (const window of work.windows) for (const date of window.dates) await make(date);
    const failed: FailedWork[] = [];
    for (const { step, periods } of work.rollups) {
      const made = await executeRollup(engine, { pipeline, step, periods, isolate: true }, control);
      failed.push(...(made.failed ?? []));
    }
    for (const { scopes: periods, message } of failed)
      for (const scope of periods) left.set(scope, { scope, why: message });
    await closeAnnouncements(engine, control, pipeline, work.heard, failed);
    dates = [];
    if (work.heard.length === 0 || failed.length > 0) break;
  }
  // Also those of which no day was left to make, because an earlier try was killed after the last
  // one.
  for (const { id } of rollups) {
    const periods = versions
      .filter(({ scope, steps }) => isPeriod(scope) && id in steps)
      .map(({ scope }) => scope);
    const { failed = [] } = await executeRollup(
      engine,
      { pipeline, step: id, periods, isolate: true },
      control,
    );
    for (const { scopes: broken, message } of failed)
      for (const scope of broken) left.set(scope, { scope, why: message });
  }
  return [...left.values()];
}
