import { definedMembers, firstOf, lastOf } from '../../given.ts';
import type { FetchWindow } from '../../pipelines/source-declaration.ts';
import { isEmptyEntry } from '../../pipelines/ledger.ts';
import type { LedgerEntry } from '../../pipelines/ledger.ts';
import { joinedSpan } from '../../pipelines/receipt.ts';
import type { KeptDay, Receipt } from '../../pipelines/receipt.ts';
import { RECORD_SCHEMA } from '../../pipelines/stored-records.ts';
import type { CivilDate } from '../../pipelines/vocabulary.ts';
import type { StepDone, StepFailed } from '../../pipelines/run-steps.ts';
import type { Download } from './cut-slices.ts';
import { takeSequence } from '../records/delivery-order.ts';
import type { Numbered } from '../records/delivery-order.ts';
import { doneWith } from '../execute/execute-step.ts';
import { readReceipts } from '../records/ledger-reader.ts';
import { settleAnswer } from './settle-answer.ts';
import type { GivenAnswer } from './judge-day.ts';
import type { KeptEntry, SettledAnswer } from './settle-answer.ts';

/** Receipts of answers whose days were cut: what each gave, and what stands for its days now. */

/** An answer with its place among all for the part. */
export interface Answer extends GivenAnswer {
  readonly place: Numbered;
}

/** The part of a download, by which its answers are counted. */
export function partOf({ dataset, part }: Download): Pick<Receipt, 'pipeline' | 'part'> {
  return { pipeline: dataset.definition.name, part: part.id };
}

/** The answers of the days, with what stands in place of the answer's own slices. */
export function withKept(
  { step }: Pick<Download, 'step'>,
  answers: readonly (StepDone | StepFailed)[],
  kept: ReadonlyMap<CivilDate, KeptEntry>,
): (StepDone | StepFailed)[] {
  return answers.map((day) => {
    const standing = kept.get(day.date);
    if (standing === undefined) return day;
    const { entry, how, note } = standing;
    return { ...doneWith(step, entry, how), ...definedMembers({ kept: note }) };
  });
}

/** Slices that were cut from an answer, to be held against what is known. */
export interface Settlement {
  readonly earlier: readonly Receipt[];
  readonly entries: readonly LedgerEntry[];
  readonly answer: Answer;
  readonly save: (answer: Answer, kept: ReadonlyMap<CivilDate, KeptEntry>) => Promise<void>;
}

/** Settles what becomes of the days, and saves it. What is forced counts as it is. */
export async function settleAndSave(
  download: Download,
  settlement: Settlement,
): Promise<SettledAnswer> {
  const { earlier, entries, answer, save } = settlement;
  const settled = download.force
    ? { kept: new Map<CivilDate, KeptEntry>(), remarks: [] }
    : await settleAnswer(download, earlier, entries, answer);
  await save(answer, settled.kept);
  const isAlone = download.force || download.part.addsUp !== true || entries.length === 0;
  return isAlone ? settled : settleAgain(download, settlement, settled);
}

/**
 * Other deliveries of a part that adds up may have been settled at the same time, without this one
 * and it without them. Each looks again after it has saved, and adds what it did not know of: the
 * last one to save has the rows of all.
 */
async function settleAgain(
  download: Download,
  { earlier, entries, answer, save }: Settlement,
  first: SettledAnswer,
): Promise<SettledAnswer> {
  const { engine, dataset, part } = download;
  const dates = entries.map(({ scope }) => scope).sort();
  const range = { first: firstOf(dates), last: lastOf(dates) };
  const seen = new Set(earlier.map(receiptName));
  let kept = first.kept;
  for (;;) {
    const receipts = await readReceipts(engine.documents, dataset.definition.name, part, range);
    const unseen = receipts.filter(
      (receipt) =>
        receipt.origin.raw.sha256 !== answer.origin.raw.sha256 && !seen.has(receiptName(receipt)),
    );
    if (unseen.length === 0) return { ...first, kept };
    const place = await takeSequence(engine.documents, partOf(download), receipts);
    for (const receipt of unseen) {
      seen.add(receiptName(receipt));
      const standing = entries.map((entry) => kept.get(entry.scope)?.entry ?? entry);
      const settled = await settleAnswer(download, [receipt], standing, answer);
      kept = new Map([...kept, ...settled.kept]);
    }
    await save({ ...answer, place }, kept);
  }
}

function receiptName({ window: { from, to }, origin, sequence = 0 }: Receipt): string {
  return `${from} ${to} ${origin.raw.sha256} ${sequence}`;
}

/** The receipt of an answer, with all days that are known to be cut from the same bytes. */
export function receiptOf(
  download: Download,
  asked: { readonly window: FetchWindow; readonly known: Receipt | undefined },
  answer: Answer,
  entries: readonly LedgerEntry[],
  kept: ReadonlyMap<CivilDate, KeptDay>,
): Receipt {
  const same =
    asked.known?.origin.raw.sha256 === answer.origin.raw.sha256 ? asked.known : undefined;
  const now = new Set(entries.map(({ scope }) => scope));
  return {
    schema: RECORD_SCHEMA,
    pipeline: download.dataset.definition.name,
    part: download.part.id,
    window: asked.window,
    status: answer.status,
    origin: answer.origin,
    checkedAt: answer.checkedAt,
    freshness: answer.freshness,
    ...answer.place,
    days: {
      ...same?.days,
      ...Object.fromEntries(entries.map((entry) => [entry.scope, entry.key])),
    },
    kept: {
      ...Object.fromEntries(Object.entries(same?.kept ?? {}).filter(([date]) => !now.has(date))),
      ...Object.fromEntries(
        [...kept].flatMap(([date, day]) => (now.has(date) ? [[date, keptDay(day)]] : [])),
      ),
    },
    ...spanOf(same, entries),
    rows: rowsOf(same, entries),
    columns: Math.max(0, ...entries.map(({ facts }) => Number(facts['published_columns'] ?? 0))),
  };
}

function keptDay({ key, raw, shards, note }: KeptDay): KeptDay {
  return { key, raw, ...definedMembers({ shards, note }) };
}

/** The days with rows that were cut from the same bytes, now or before. */
function spanOf(same: Receipt | undefined, entries: readonly LedgerEntry[]): Pick<Receipt, 'span'> {
  const filled = entries.filter((entry) => !isEmptyEntry(entry)).map(({ scope }) => scope);
  const [from, to] = [filled.sort()[0], filled.at(-1)];
  const span = joinedSpan(
    same?.span,
    from === undefined || to === undefined ? undefined : { from, to },
  );
  // Of days that were cut before this was recorded nothing is known here: their slices say it.
  const isKnown = same === undefined || same.span !== undefined || same.rows === 0;
  return span === undefined || !isKnown ? {} : { span };
}

/** Rows of all days that were cut from the same bytes; a day that is cut again counts once. */
function rowsOf(same: Receipt | undefined, entries: readonly LedgerEntry[]): number {
  const before = Object.keys(same?.days ?? {});
  const again = new Set(entries.map(({ scope }) => scope));
  const isNew = ({ scope }: LedgerEntry): boolean => same?.days[scope] === undefined;
  // How many rows each day had is not recorded: cut again as a whole, the new sum is the right one.
  const whole = before.every((date) => again.has(date));
  const counted = whole ? entries : entries.filter(isNew);
  return counted.reduce(
    (sum, { facts }) => sum + Number(facts['rows'] ?? 0),
    whole ? 0 : (same?.rows ?? 0),
  );
}
