import { PipelineError } from '../../errors.ts';
import { datesBetween, datesOfMonth, isCivilDate } from '../../pipelines/civil-date.ts';
import { WHOLE_HISTORY, datesOfPeriod } from '../../pipelines/period.ts';
import type { CivilDate, Scope } from '../../pipelines/vocabulary.ts';

/** Dates, periods and versions as people write them on the command line. */

const MONTH = /^\d{4}-(0[1-9]|1[0-2])$/;
const YEAR = /^\d{4}$/;

/** A day, month, year or `all`; anything else is `INPUT_INVALID`. */
export function parseScope(text: string): Scope {
  if (isCivilDate(text) || MONTH.test(text) || YEAR.test(text) || text === WHOLE_HISTORY) return text;
  throw new PipelineError(
    'INPUT_INVALID',
    `${JSON.stringify(text)} is no existing day, month or year: write it as YYYY-MM-DD, YYYY-MM, YYYY or ${WHOLE_HISTORY}`,
  );
}

/** Every date of a month or year; anything else is `INPUT_INVALID`. */
export function parseDatesOfPeriod(text: string): CivilDate[] {
  if (MONTH.test(text)) return datesOfMonth(text);
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
  throw new PipelineError('INPUT_INVALID', `${JSON.stringify(text)} is no version: versions count from 1`);
}
