import { isPeriod } from '../../pipelines/scope.ts';
import type { CivilDate, Period, StepId } from '../../pipelines/vocabulary.ts';
import type { Engine } from '../engine.ts';
import { openAnnouncements } from '../publish/announcements.ts';
import { failedPeriods } from '../records/failures.ts';

/** What is announced of changed days and not made yet, and the periods that could not be made. */
export interface Unfinished {
  /** Days whose changes other days or periods are still to be made from. */
  readonly announced: readonly CivilDate[];
  readonly failed: readonly {
    readonly period: Period;
    readonly step: StepId;
    readonly code: string;
    readonly message: string;
  }[];
}

/** Reads announcements and failures alone, no manifest. */
export async function findUnfinished(
  { documents }: Pick<Engine, 'documents'>,
  pipeline: string,
): Promise<Unfinished> {
  const open = await openAnnouncements(documents, pipeline);
  const failed = await failedPeriods(documents, pipeline);
  return {
    announced: [...new Set(open.flatMap(({ scope }) => (isPeriod(scope) ? [] : [scope])))],
    failed: [...failed].map(([period, { step, code, message }]) => ({
      period,
      step,
      code,
      message,
    })),
  };
}

/** Whether everything that follows from the days has been made. */
export function isFinished({ announced, failed }: Unfinished): boolean {
  return announced.length + failed.length === 0;
}
