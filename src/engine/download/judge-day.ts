import { definedMembers } from '../../given.ts';
import { LACKS_VALUES, ROWS_DISAGREE } from '../../pipelines/kept-delivery.ts';
import type { LedgerEntry } from '../../pipelines/ledger.ts';
import type { Delivery, KeptDay } from '../../pipelines/receipt.ts';
import type { CivilDate } from '../../pipelines/vocabulary.ts';
import { civilDateAt } from '../../pipelines/zoned-day.ts';
import type { ReadableSlice, SliceComparison } from './compare-slices.ts';
import type { Download } from './cut-slices.ts';
import type { RawAnswer } from './fetch-raw.ts';

/**
 * What follows for a day from the comparison of an answer with what is known: the rules of
 * `settle-answer.ts`, without any reading.
 */

/** Something that a person who gave a file wants to know of one of its days. */
export interface DayRemark {
  readonly date: CivilDate;
  readonly text: string;
  /**
   * The day is not as the file alone would make it, and something is wrong with that: the file
   * lacks or contradicts what is known.
   */
  readonly isKept?: true;
}

/** An answer with the question whether it has to hold all that is known of its days. */
export interface GivenAnswer extends RawAnswer {
  /**
   * A file that somebody gave: it may be a piece of its days, where the part adds up. A publisher
   * answers for all of them.
   */
  readonly isGiven: boolean;
}

/** A day for which an answer gives something else than is known. */
export interface ContestedDay {
  readonly delivery: Delivery;
  readonly known: LedgerEntry;
  readonly fresh: LedgerEntry;
}

/** Why a day does not take the answer as it is; no note where nothing is wrong. */
export type Noted = Pick<KeptDay, 'note'>;

/** What becomes of a day whose answer says something else than what is known. */
export interface JudgedDay {
  readonly day: ContestedDay & { readonly noted: Noted };
  /** What is known stays, or rows are added to it; otherwise the answer counts. */
  readonly keeps: boolean;
  readonly remark: DayRemark | undefined;
}

/**
 * Without `lacking` values the answer counts. Else what is known stays; where the part adds up, new
 * rows are added to it.
 */
export function judgeDay(
  { dataset, part, step }: Download,
  day: ContestedDay,
  lacking: Readonly<Record<string, number>>,
  { isGiven, changed, disagreeing, added }: Pick<GivenAnswer, 'isGiven'> & SliceComparison,
): JudgedDay {
  const adds = part.addsUp === true;
  const { scope: date } = day.fresh;
  const examples =
    disagreeing.length === 0
      ? ''
      : ` (${disagreeing.join(', ')}${changed > disagreeing.length ? ', …' : ''})`;
  if (Object.keys(lacking).length === 0) {
    const text = `replaces ${changed} values that were known${examples}`;
    const remark = adds && changed > 0 ? { date, text } : undefined;
    return { day: { ...day, noted: {} }, keeps: false, remark };
  }
  const { name, zone } = dataset.definition;
  const since = day.delivery.note?.since ?? civilDateAt(new Date(day.delivery.checkedAt), zone);
  const lacks = `the answer lacks ${listOf(lacking)} that are known`;
  const disagrees =
    changed === 0 ? [] : [`${changed} values are other than the known ones, which stay${examples}`];
  const remedy =
    `"quotidien run ${name} ${date} --from-step ${step.id} --reason …" takes what the publisher has now as it is, ` +
    '"quotidien import --force" what a file has';
  const noted = (code: string, what: string): Noted => ({
    note: { code, message: `${what}; ${remedy}`, since },
  });
  const news = added === 0 ? 'has nothing new' : `adds ${added} values to the known ones`;
  if (!adds) {
    const own = isGiven && isShared(step) ? {} : noted(LACKS_VALUES, lacks);
    return {
      day: { ...day, noted: own },
      keeps: true,
      remark: { date, text: lacks, isKept: true },
    };
  }
  const [conflict] = disagrees;
  const own =
    conflict !== undefined
      ? noted(ROWS_DISAGREE, conflict)
      : isGiven
        ? {}
        : noted(LACKS_VALUES, lacks);
  const before: Noted = definedMembers({ note: day.delivery.note });
  return {
    day: { ...day, noted: { ...before, ...own } },
    keeps: true,
    remark: {
      date,
      text: [news, ...disagrees].join('; '),
      ...(own.note === undefined && before.note === undefined ? {} : { isKept: true }),
    },
  };
}

/**
 * One slice for every day there is: a file that is refused for all of them changes nothing, and no
 * day is worse for it.
 */
function isShared({ outputs }: Download['step']): boolean {
  return outputs['slice']?.sharedByDays === true;
}

/**
 * What an answer lacks that counts: of a part that is delivered in pieces everything; of a later
 * revision what is essential.
 */
export function lackingOf(
  { part }: Download,
  { meaning: { essential = [] } }: ReadableSlice,
  { lost, missing, isRevised }: SliceComparison,
): Readonly<Record<string, number>> {
  if (part.addsUp === true) return lost;
  if (!isRevised) return missing;
  return Object.fromEntries(Object.entries(missing).filter(([name]) => essential.includes(name)));
}

const COLUMNS_NAMED = 4;

/** `58 values (gaz 29, eolien 29)` */
function listOf(lacking: Readonly<Record<string, number>>): string {
  const columns = Object.entries(lacking).sort(([, a], [, b]) => b - a);
  const total = columns.reduce((sum, [, count]) => sum + count, 0);
  const named = columns.slice(0, COLUMNS_NAMED).map(([name, count]) => `${name} ${count}`);
  const rest =
    columns.length > named.length ? [`${columns.length - named.length} more columns`] : [];
  return `${total} values (${[...named, ...rest].join(', ')})`;
}
