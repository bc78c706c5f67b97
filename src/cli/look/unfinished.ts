import type { Unfinished } from '../../engine/look/unfinished.ts';
import { rangesOf } from '../../pipelines/calendar-of-days.ts';
import type { DateRange } from '../../pipelines/calendar-of-days.ts';
import { count } from '../shared/measures.ts';

/** Empty when everything that follows from the days has been made. */
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

/** `2024-01-01 … 2024-01-05, 2024-02-01` */
export function rangeText(ranges: readonly DateRange[]): string {
  return ranges.map(({ from, to }) => (from === to ? from : `${from} … ${to}`)).join(', ');
}
