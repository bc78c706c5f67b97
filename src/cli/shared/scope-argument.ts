import { PipelineError } from '../../errors.ts';
import { datesBetween, datesOfMonth, MONTH_FORM } from '../../pipelines/civil-date.ts';
import { datesOfPeriod } from '../../pipelines/period.ts';
import { parseScope, scopeText } from '../../pipelines/scope.ts';
import type { CivilDate, Scope } from '../../pipelines/vocabulary.ts';

/** Dates, periods and versions as people write them on the command line. */

const YEAR = /^\d{4}$/;

/** A day, month, year or `all`, whole; anything else is `INPUT_INVALID`. */
export function wholeScope(text: string): Scope {
  const scope = parseScope(text);
  if (scope.partition === undefined) return scopeText(scope);
  throw new PipelineError(
    'INPUT_INVALID',
    `${text} names one shard; here a whole day or period is meant`,
  );
}

/** Every date of a month or year; anything else is `INPUT_INVALID`. */
export function parseDatesOfPeriod(text: string): CivilDate[] {
  if (MONTH_FORM.test(text)) return datesOfMonth(text);
  if (!YEAR.test(text)) {
    throw new PipelineError(
      'INPUT_INVALID',
      `${JSON.stringify(text)} is no month or year: write it as YYYY-MM or YYYY`,
    );
  }
  const { from, to } = datesOfPeriod(text);
  return datesBetween(from, to);
}

/** A number of a version history, counted from 1; anything else is `INPUT_INVALID`. */
export function parseVersion(text: string): number {
  const version = Number(text);
  if (/^\d+$/.test(text) && version >= 1) return version;
  throw new PipelineError(
    'INPUT_INVALID',
    `${JSON.stringify(text)} is no version: versions count from 1`,
  );
}
