import { toEpochDay } from '../../pipelines/civil-date.ts';
import type { Origin } from '../../pipelines/ledger.ts';
import type { Receipt } from '../../pipelines/receipt.ts';
import type { CivilDate } from '../../pipelines/vocabulary.ts';
import type { ArtefactRef } from '../../ports/objects.ts';

/** Lists of the moment (`PartDefinition.listed`): which of two tells more of a day. */

/**
 * The day of which the list tells that a slice was cut from; undefined where nobody recorded it.
 */
export function listDateOf(receipts: readonly Receipt[], raw: ArtefactRef): CivilDate | undefined {
  return receipts.find(
    ({ origin }) => origin.raw.sha256 === raw.sha256 && origin.asOf !== undefined,
  )?.origin.asOf;
}

/**
 * - `nearer`: the fresh list is of a day nearer to the date, or as near and not the same; it
 *   counts, because things leave a list when they end.
 * - `farther`: what is known was listed nearer to the date, and stays.
 * - `same`: both are of one day, and the fresh one may only be shorter by mistake.
 * Where a date was not recorded the fresh one counts, as with earlier versions.
 */
export function nearnessOf(
  date: CivilDate,
  known: CivilDate | undefined,
  { asOf: fresh }: Pick<Origin, 'asOf'>,
): 'nearer' | 'farther' | 'same' {
  if (known === undefined || fresh === undefined) return 'nearer';
  if (known === fresh) return 'same';
  return distance(date, fresh) <= distance(date, known) ? 'nearer' : 'farther';
}

function distance(one: CivilDate, other: CivilDate): number {
  return Math.abs(toEpochDay(one) - toEpochDay(other));
}
