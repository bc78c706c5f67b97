import { firstOf, lastOf } from '../../given.ts';
import { staleSteps } from '../../pipelines/execution.ts';
import type { PlannedStep } from '../../pipelines/planned-step.ts';
import type { UnreadableRow } from '../../pipelines/stored-records.ts';
import type { CivilDate } from '../../pipelines/vocabulary.ts';
import type { Engine } from '../engine.ts';
import { selectSpans } from '../plan/plan-backfill.ts';

/**
 * `steps` would give other outputs now; `unpublished` are names that do not show the newest
 * version.
 */
export interface StaleDay {
  readonly date: CivilDate;
  readonly steps: readonly PlannedStep[];
  readonly unpublished: readonly string[];
}

/** The days that a backfill of stale days would make, with what is out of date in each. */
export async function staleDays(engine: Engine, pipeline: string, dates: readonly CivilDate[]) {
  const days: StaleDay[] = [];
  const unreadable = new Map<CivilDate, UnreadableRow>();
  if (dates.length === 0) return { days, unreadable };
  const request = { pipeline, from: firstOf(dates), to: lastOf(dates), select: 'stale' } as const;
  for await (const { selected, due, manifests, unreadable: rows } of selectSpans(engine, request)) {
    const meant = new Set(selected.map(({ date }) => date));
    for (const { date, steps, unpublished } of due.filter((day) => meant.has(day.date)))
      days.push({ date, steps: staleSteps(steps, manifests.get(date)), unpublished });
    for (const [date, row] of rows) unreadable.set(date, row);
  }
  return { days, unreadable };
}
