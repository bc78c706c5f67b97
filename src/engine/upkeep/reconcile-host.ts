import { PipelineError } from '../../errors.ts';
import type { CivilDate, Scope } from '../../pipelines/vocabulary.ts';
import { announceAgain } from '../publish/announcements.ts';
import { publishCalendar } from '../publish/publish-calendar.ts';
import type { ReconcileResult } from '../contract.ts';
import { daysAgain } from '../watch/days-again.ts';
import { lift, marksOfHost } from '../records/degraded.ts';
import type { Engine, StepControl } from '../engine.ts';
import { endForgetting } from './forget-person.ts';

/**
 * Replays what only this host has; when all of it is proven on the primary stores, tells of the
 * days and periods that were made without them and takes their marks away, in this order: after a
 * crash in between they are told of again, which does no harm. Whoever hears of a day leaves it
 * alone as long as it is marked. Days that the outage left short of something are run again.
 * Persons who were to be forgotten meanwhile are removed.
 */
export async function reconcileHost(
  engine: Engine,
  control: StepControl,
  wake: (pipeline: string) => Promise<void>,
  runAgain: (pipeline: string, dates: readonly CivilDate[]) => Promise<void>,
): Promise<ReconcileResult> {
  const { fallback } = engine;
  if (fallback === undefined) {
    throw new PipelineError(
      'INPUT_INVALID',
      'the stores of this installation are on this host: there is nothing to reconcile',
    );
  }
  // Before the replay: whatever a mark that is seen now is about was written before it.
  const marks = await marksOfHost(engine.documents, fallback.host);
  const replayed = await fallback.replay(control);
  if (!replayed.converged) return { ...replayed, lifted: {} };
  const lifted: Record<string, Scope[]> = {};
  for (const { pipeline, scope } of marks) lifted[pipeline] = [...(lifted[pipeline] ?? []), scope];
  for (const [pipeline, scopes] of Object.entries(lifted))
    await announceAgain(engine.documents, pipeline, scopes);
  // Before the marks are lifted, which tell of these days.
  const merged = replayed.merged ?? 0;
  const isOver =
    fallback.away() === undefined && marks.length + replayed.applied + replayed.same + merged > 0;
  const again = isOver ? await daysAgain(engine, lifted, (replayed.overruled ?? 0) > 0) : {};
  for (const [pipeline, dates] of Object.entries(again)) await runAgain(pipeline, dates);
  await lift(engine.documents, marks);
  for (const [pipeline, scopes] of Object.entries(lifted)) {
    // A pipeline of a dataset that was taken away has no calendar any more.
    const definition = engine.datasets[pipeline]?.definition;
    if (definition !== undefined) await publishCalendar(engine, definition, scopes);
  }
  for (const pipeline of Object.keys(lifted)) await wake(pipeline);
  const ended = await endForgetting(engine, control);
  const forgotten = ended.filter(({ state }) => state === 'done').length;
  return { ...replayed, lifted, again, ...(forgotten === 0 ? {} : { forgotten }) };
}
