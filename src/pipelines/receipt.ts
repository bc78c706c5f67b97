import { definedMembers } from '../given.ts';
import type { DocumentKey } from '../ports/documents.ts';
import type { ArtefactRef } from '../ports/objects.ts';
import type { FetchWindow } from './source-declaration.ts';
import type { KeptNote } from './kept-delivery.ts';
import type { Origin } from './ledger.ts';
import type { CivilDate, StepKey } from './vocabulary.ts';

/**
 * What the publisher delivered when it was asked for a window: the raw bytes, their origin, and the
 * download key of each day that was cut from them. Asking again and hearing "unchanged" moves
 * `checkedAt`, nothing else.
 */
export interface Receipt {
  /** See `stored-records.ts`; older records have none. */
  readonly schema?: number;
  readonly pipeline: string;
  readonly part: string;
  readonly window: FetchWindow;
  readonly status: number;
  readonly origin: Origin;
  /** The last time the publisher confirmed that this is what it has, by the clock of who asked. */
  readonly checkedAt: string;
  /**
   * The place of this answer among all answers for the part, given by the document store just
   * before the publisher was asked: clocks of hosts differ. Receipts of earlier versions have none,
   * and are older than any that has one.
   */
  readonly sequence?: number;
  /** Absent where the number is the answer's place among those of all hosts. */
  readonly alone?: CountedAlone;
  /** The dataset's freshness value when it was last confirmed. */
  readonly freshness: string | null;
  /**
   * The download key of every day in the window that was cut; the slice is found through the
   * ledger.
   */
  readonly days: Readonly<Record<CivilDate, StepKey>>;
  /**
   * The days that are not as this answer alone gives them: it has no rows of them any more, or less
   * than is known, or rows that were added to known ones. Older receipts know none.
   */
  readonly kept?: Readonly<Record<CivilDate, KeptDay>>;
  /**
   * Download keys that days were given from the same bytes before: a key of files that came later
   * opened more of them.
   */
  readonly before?: Readonly<Record<CivilDate, readonly StepKey[]>>;
  /** First and last of these days that have rows; absent where none has, and in older receipts. */
  readonly span?: FetchWindow;
  /** Rows of these days, and the published columns. */
  readonly rows: number;
  readonly columns: number;
}

/**
 * A host that cannot see the document store counts on from the last number that it has seen: its
 * answer came after that number, and not after the last one that others had taken when the host's
 * writes were brought to the store.
 */
export interface CountedAlone {
  /** The last of those numbers; null while the host's writes still wait. */
  readonly upTo: number | null;
  /** Answers of one host came in the order of their numbers. */
  readonly host?: string;
}

/** The number of the last answer for a part. */
export const DELIVERY_ORDER_TABLE = 'delivery-order';

type Answered = Pick<Receipt, 'sequence' | 'checkedAt' | 'alone'>;

/** Negative when the first answer came before the second. */
export function compareAnswers(a: Answered, b: Answered): number {
  const [first, second] = [a.sequence ?? 0, b.sequence ?? 0];
  // Two hosts that were without the store at the same time may have counted alike.
  if (first !== second) return first - second;
  return a.checkedAt < b.checkedAt ? -1 : a.checkedAt > b.checkedAt ? 1 : 0;
}

/** The last place that an answer may have among all. */
function endOf({ sequence = 0, alone }: Answered): number {
  return alone === undefined ? sequence : (alone.upTo ?? Number.POSITIVE_INFINITY);
}

/**
 * Whether an answer that counts as older may as well be the newer one: nobody knows which of two
 * hosts asked first.
 */
function mayBeNewer(older: Answered, newer: Answered): boolean {
  // Those of earlier versions have no number, and are older than any that has one.
  if (older.sequence === undefined || newer.sequence === undefined) return false;
  const host = older.alone?.host;
  if (host !== undefined && host === newer.alone?.host) return false;
  return endOf(older) >= newer.sequence;
}

/**
 * The receipt of an answer that was numbered alone, when others have counted to `last`; null:
 * nobody knows how far.
 */
export function countedAlone(receipt: Receipt, last: number | null, host?: string): Receipt {
  const { alone, ...rest } = receipt;
  if (last !== null && Math.max(last, alone?.upTo ?? 0) <= (receipt.sequence ?? 0)) return rest;
  const upTo = last === null ? null : Math.max(last, alone?.upTo ?? 0);
  return { ...rest, alone: { upTo, ...definedMembers({ host }) } };
}

/** How far the number of merged receipts may have to go: as far as that of either. */
function aloneOf(
  older: Receipt,
  sequence: number,
  alone: CountedAlone | undefined,
): Pick<Receipt, 'alone'> {
  const before = older.alone?.upTo ?? 0;
  const upTo = Math.max(before, alone?.upTo ?? 0);
  if (upTo <= sequence) return {};
  const isOfOne = before <= sequence || older.alone?.host === alone?.host;
  const host = isOfOne ? alone?.host : undefined;
  return { alone: { upTo, ...definedMembers({ host }) } };
}

/** One receipt of two for the same bytes and window: the newer answer, and the days of both. */
export function mergeReceipts(one: Receipt, other: Receipt): Receipt {
  const [older, newer] = compareAnswers(one, other) < 0 ? [one, other] : [other, one];
  const left = Object.entries(older.kept ?? {}).filter(([date]) => !(date in newer.days));
  const before = keysBefore(older, newer);
  const span = joinedSpan(older.span, newer.span);
  const { alone, ...answer } = newer;
  return {
    ...answer,
    ...aloneOf(older, newer.sequence ?? 0, alone),
    ...(Object.keys(before).length === 0 ? {} : { before }),
    days: { ...older.days, ...newer.days },
    kept: { ...Object.fromEntries(left), ...newer.kept },
    ...definedMembers({ span }),
    rows: Math.max(older.rows, newer.rows),
    columns: Math.max(older.columns, newer.columns),
  };
}

/** From the earlier first day to the later last one; undefined where neither is known. */
export function joinedSpan(one: Receipt['span'], other: Receipt['span']): Receipt['span'] {
  if (one === undefined || other === undefined) return one ?? other;
  return {
    from: one.from < other.from ? one.from : other.from,
    to: one.to > other.to ? one.to : other.to,
  };
}

function keysBefore(older: Receipt, newer: Receipt): Record<CivilDate, readonly StepKey[]> {
  const before: Record<CivilDate, readonly StepKey[]> = {};
  for (const date of Object.keys({ ...older.before, ...newer.before, ...older.days })) {
    const [was, is] = [older.days[date], newer.days[date]];
    const replaced = was === undefined || is === undefined || was === is ? [] : [was];
    const keys = [
      ...new Set([...(older.before?.[date] ?? []), ...(newer.before?.[date] ?? []), ...replaced]),
    ];
    const others = keys.filter((key) => key !== is);
    if (others.length > 0) before[date] = others;
  }
  return before;
}

/** The slice that a day goes on with after an answer that must not replace it. */
export interface KeptDay {
  readonly key: StepKey;
  /** What it was cut from. */
  readonly raw: ArtefactRef;
  /**
   * Of a day in shards, by output: what the shards that came in other files were cut from. Absent
   * where all came in `raw`.
   */
  readonly shards?: Readonly<Record<string, ArtefactRef>>;
  /** What an answer lacks or contradicts; absent when nothing is wrong with it. */
  readonly note?: KeptNote;
}

/** Every raw file that a day was cut from, each once. */
export function rawsOfDay({ raw, shards = {} }: Pick<KeptDay, 'raw' | 'shards'>): ArtefactRef[] {
  return [...new Map([raw, ...Object.values(shards)].map((ref) => [ref.key, ref])).values()];
}

/** One partition per pipeline and part, in the order of delivery. */
export const RECEIPT_TABLE = 'receipts';

/** `<pipeline>/<part>` */
export function receiptPartition(pipeline: string, part: string): string {
  return `${pipeline}/${part}`;
}

/** Sorted by the first day of the window, so that a month's receipts are one range. */
export function receiptKey(
  receipt: Pick<Receipt, 'pipeline' | 'part' | 'window'> & { readonly sha256: string },
): DocumentKey {
  return {
    table: RECEIPT_TABLE,
    partition: receiptPartition(receipt.pipeline, receipt.part),
    sort: `${receipt.window.from}/${receipt.window.to}/${receipt.sha256}`,
  };
}

/**
 * What a receipt gives a day: what was cut from its own answer, or what stays of an earlier one.
 */
export function dayOf({ days, kept, origin }: Receipt, date: CivilDate): KeptDay | undefined {
  const key = days[date];
  return kept?.[date] ?? (key === undefined ? undefined : { key, raw: origin.raw });
}

/**
 * What the publisher last delivered for one day; the ledger entry names the raw bytes that it was
 * first cut from, this those that back it now.
 */
export interface Delivery extends KeptDay {
  readonly checkedAt: string;
  readonly sequence?: number;
  /**
   * The dataset's freshness value that it was confirmed with; null where the publisher tells none.
   */
  readonly freshness?: string | null;
  /** The download keys that any known answer gave the day. */
  readonly given?: readonly StepKey[];
  /**
   * What other hosts were given, of which nobody knows whether it came later; absent where there is
   * none.
   */
  readonly rivals?: readonly Delivery[];
}

/**
 * The delivery of each day, newest answer first: a day may be covered by its own receipt and by its
 * month's.
 */
export function newestDeliveries(receipts: Iterable<Receipt>): Map<CivilDate, Delivery> {
  const answers = new Map<CivilDate, Answer[]>();
  for (const receipt of receipts) {
    for (const date of Object.keys(receipt.days)) {
      const day = dayOf(receipt, date);
      if (day === undefined) continue;
      const known = answers.get(date);
      if (known === undefined) answers.set(date, [{ day, receipt }]);
      else known.push({ day, receipt });
    }
  }
  return new Map([...answers].map(([date, all]) => [date, newestOf(date, all)]));
}

interface Answer {
  readonly day: KeptDay;
  readonly receipt: Receipt;
}

function newestOf(date: CivilDate, answers: readonly Answer[]): Delivery {
  const newest = answers.reduce((a, b) => (compareAnswers(a.receipt, b.receipt) >= 0 ? a : b));
  const given = [
    ...new Set(
      answers.flatMap(({ day, receipt }) => [
        ...(receipt.before?.[date] ?? []),
        receipt.days[date] ?? day.key,
        day.key,
      ]),
    ),
  ];
  const rivals = answers.filter(
    ({ day, receipt }) => day.key !== newest.day.key && mayBeNewer(receipt, newest.receipt),
  );
  const others = rivals.length === 0 ? {} : { rivals: rivals.map(deliveryOf) };
  return { ...deliveryOf(newest), given, ...others };
}

function deliveryOf({ day, receipt }: Answer): Delivery {
  const { checkedAt, sequence, freshness } = receipt;
  return { ...day, checkedAt, freshness, ...definedMembers({ sequence }) };
}

/** The delivery with one of its rivals in its place, which becomes one of them. */
export function insteadOf(delivery: Delivery, rival: Delivery): Delivery {
  const { given = [], rivals = [], ...newest } = delivery;
  return { ...rival, given, rivals: [newest, ...rivals.filter((other) => other !== rival)] };
}

/** From when on the publisher is asked again, as ISO instant; null: never. */
export function freshUntil({ checkedAt }: Delivery, minutes: number | null): string | null {
  return minutes === null ? null : new Date(Date.parse(checkedAt) + minutes * 60_000).toISOString();
}
