import type { AgedList, CivilDate } from '../../kit/index.ts';
import { ACCISE_RATES, CTA_RATES } from './taxes.ts';
import { TURPE_RATES } from './turpe.ts';

/** A list of rates that a new one may have replaced. */
export interface ExpiringRates {
  readonly rates: 'TURPE' | 'CTA' | 'accise';
  /** From when the newest known list holds. */
  readonly newest: CivilDate;
  /** The 1 August or 1 February since which it has to be looked at. */
  readonly lookedAtSince: CivilDate;
}

/**
 * Lists that are older than the last 1 August or 1 February before a day: new ones come on these
 * dates.
 *
 * @param date the last day for which amounts are made
 */
export function expiringRates(date: CivilDate): ExpiringRates[] {
  const year = Number(date.slice(0, 4));
  const turns = [`${year - 1}-08-01`, `${year}-02-01`, `${year}-08-01`].filter(
    (turn) => turn <= date,
  );
  const last = turns.at(-1) ?? date;
  const newest = {
    TURPE: maximum(TURPE_RATES.map(({ from }) => from)),
    CTA: maximum(CTA_RATES.map(({ from }) => from)),
    accise: maximum(ACCISE_RATES.map(({ from }) => from)),
  } as const;
  return (Object.entries(newest) as [ExpiringRates['rates'], CivilDate][])
    .filter(([, from]) => from < last)
    .map(([rates, from]) => ({ rates, newest: from, lookedAtSince: last }));
}

/** The same for `quotidien doctor`, in words. */
export function agedRates(today: CivilDate): AgedList[] {
  return expiringRates(today).map(({ rates, newest, lookedAtSince }) => ({
    subject: `rates of ${rates}`,
    detail: `the newest list is of ${newest}; new ones come on 1 August and 1 February, the last time on ${lookedAtSince}`,
    next: 'Look whether a newer list is in force, and install a release that has it: until then months under it have errors or old rates.',
  }));
}

function maximum(dates: readonly CivilDate[]): CivilDate {
  return dates.reduce((a, b) => (a > b ? a : b), '');
}
