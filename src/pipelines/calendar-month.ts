import { definedMembers } from '../given.ts';
import { canonicalJson } from '../canonical-json.ts';
import type { PipelineDefinition } from './definition.ts';
import type { Manifest } from './manifest.ts';
import type { CivilDate, Period, Verdict } from './vocabulary.ts';

/**
 * The published calendar: one small file for each month of a pipeline, from which the pages of its
 * years and the page of all pipelines are made. So a new version of a day reads one month of
 * manifests, however many years there are. Pure.
 */

/** The page of all pipelines. */
export const CALENDAR_INDEX = 'index.html';

/** A finished day as the calendar shows it. */
export interface CalendarEntry {
  /** Of the day, counted from 1. */
  readonly version: number;
  readonly verdict: Verdict;
  /** Part of the expected samples that were observed, 0–1; absent where the day does not tell. */
  readonly coverage?: number;
  /** The name under which the day's page is published; absent for days without one. */
  readonly page?: string;
}

/**
 * What is known of one month, as it is stored beside the pages; a year's page is drawn from twelve
 * of them.
 */
export interface CalendarMonth {
  readonly schema: 'quotidien.calendar/1';
  readonly pipeline: string;
  /** `YYYY-MM`. */
  readonly month: Period;
  /** Finished days only, ascending. */
  readonly days: Readonly<Record<CivilDate, CalendarEntry>>;
}

/** Where the files of a pipeline's calendar lie. */
export function calendarFolder(pipeline: string): string {
  return `calendar/${pipeline}/`;
}

/** `calendar/<pipeline>/<YYYY-MM>.json` */
export function calendarMonthKey(pipeline: string, month: Period): string {
  return `${calendarFolder(pipeline)}${month}.json`;
}

/** `calendar/<pipeline>/<YYYY>.html` */
export function calendarYearKey(pipeline: string, year: Period): string {
  return `${calendarFolder(pipeline)}${year}.html`;
}

/** What the newest versions of a month's days say; `pageOf` names the published page of one. */
export function calendarMonth(
  { name }: Pick<PipelineDefinition, 'name'>,
  month: Period,
  manifests: readonly Manifest[],
  pageOf: (manifest: Manifest) => string | undefined,
): CalendarMonth {
  const sorted = [...manifests].sort((a, b) => (a.scope < b.scope ? -1 : 1));
  const entries = sorted.map((manifest): [CivilDate, CalendarEntry] => {
    const { coverage } = manifest.facts;
    const page = pageOf(manifest);
    const told = typeof coverage === 'number' ? { coverage } : {};
    const { version, verdict } = manifest;
    return [manifest.scope, { version, verdict, ...told, ...definedMembers({ page }) }];
  });
  return {
    schema: 'quotidien.calendar/1',
    pipeline: name,
    month,
    days: Object.fromEntries(entries),
  };
}

/**
 * The stored bytes: sorted members and a newline, so that an unchanged month is recognised by its
 * hash.
 */
export function calendarMonthText(month: CalendarMonth): string {
  return `${canonicalJson(month)}\n`;
}

/** Grows with every new version of a day: what was read later has the larger one. */
export function calendarVersion(months: readonly CalendarMonth[]): number {
  return months
    .flatMap(({ days }) => Object.values(days))
    .reduce((sum, { version }) => sum + version, 0);
}
