import { openAnnouncements } from '../../engine/publish/announcements.ts';
import type { Engine } from '../../engine/engine.ts';
import { failedPeriods } from '../../engine/records/failures.ts';
import { rangesOf } from '../../pipelines/calendar-of-days.ts';
import type { DateRange } from '../../pipelines/calendar-of-days.ts';
import { isPeriod } from '../../pipelines/period.ts';
import type { CivilDate, Period, StepId } from '../../pipelines/vocabulary.ts';
import { count } from '../shared/measures.ts';

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

export async function findUnfinished({ documents }: Pick<Engine, 'documents'>, pipeline: string): Promise<Unfinished> {
  const open = await openAnnouncements(documents, pipeline);
  const failed = await failedPeriods(documents, pipeline);
  return {
    announced: [...new Set(open.flatMap(({ scope }) => (isPeriod(scope) ? [] : [scope])))],
    failed: [...failed].map(([period, { step, code, message }]) => ({ period, step, code, message })),
  };
}

export function isFinished({ announced, failed }: Unfinished): boolean {
  return announced.length + failed.length === 0;
}

export function unfinishedLines(pipeline: string, { announced, failed }: Unfinished): string[] {
  const lines = failed.map(
    ({ period, step, code, message }) => `${period.padEnd(8)} ${step} failed, ${code}: ${message}`,
  );
  const ranges = rangesOf(announced);
  const [first, last] = [ranges[0]?.from, ranges.at(-1)?.to];
  if (first === undefined || last === undefined) return lines;
  const days = count(announced.length, 'changed day');
  lines.push(
    `what is made from ${days} is not made yet: ${rangeText(ranges)}; quotidien backfill ${pipeline} ${first} ${last}`,
  );
  return lines;
}

export function rangeText(ranges: readonly DateRange[]): string {
  return ranges.map(({ from, to }) => (from === to ? from : `${from} … ${to}`)).join(', ');
}
