import { firstOf, lastOf, required } from '../../given.ts';
import { PipelineError } from '../../errors.ts';
import type { DecodedFile } from '../../pipelines/dataset.ts';
import type { LedgerEntry, Origin } from '../../pipelines/ledger.ts';
import type { Receipt } from '../../pipelines/receipt.ts';
import type { StepDone, StepFailed } from '../../pipelines/run-steps.ts';
import type { CivilDate } from '../../pipelines/vocabulary.ts';
import { fetchWindows } from '../../pipelines/window.ts';
import { zonedDay } from '../../pipelines/zoned-day.ts';
import { openContent } from '../content-store.ts';
import { sqlOf } from '../engine.ts';
import { commitStep } from '../execute/commit-step.ts';
import { doneWith, judge } from '../execute/execute-step.ts';
import { holdingFiles } from '../held-objects.ts';
import { saveReceipts, takeSequence } from '../records/delivery-order.ts';
import type { Numbered } from '../records/delivery-order.ts';
import { readReceipts } from '../records/ledger-reader.ts';
import { identifyBy } from './cut-slices.ts';
import type { Download } from './cut-slices.ts';
import { sliceWithout } from './leave-out.ts';
import { withAllDecoded } from './open-raw.ts';
import { partOf, receiptOf } from './save-answer.ts';
import type { Answer } from './save-answer.ts';

/**
 * The first deliveries of several days, each with a raw file of its own: the slices, keys and
 * receipts that each alone would give, by one decoding, one SQL session and one commit. Nothing
 * else is known of these days, so that there is nothing to hold them against.
 */

/** A day that nothing is known of, and what came for it. */
export interface NewDay {
  readonly date: CivilDate;
  readonly origin: Origin;
}

/** What came of new days, and of the files in their raw files. */
export interface NewDays {
  /** Without those that somebody else delivered meanwhile. */
  readonly days: readonly (StepDone | StepFailed)[];
  readonly decoded: readonly DecodedFile[];
}

/** Cuts new days of a part that declares `decoding`, and saves their receipts. */
export async function deliverTogether(
  download: Download,
  days: readonly NewDay[],
): Promise<NewDays> {
  const { engine, dataset, part, step } = download;
  const checkedAt = engine.now().toISOString();
  const place = await takeSequence(engine.documents, partOf(download), []);
  const { entries, failed, decoded } = await holdingFiles(engine, (holding) =>
    cutTogether({ ...download, engine: holding }, days),
  );
  const range = { first: firstOf(days).date, last: lastOf(days).date };
  const others = await readReceipts(engine.documents, dataset.definition.name, part, range);
  const overtaken = new Set(others.flatMap((receipt) => Object.keys(receipt.days)));
  const ours = days.filter(({ date }) => !overtaken.has(date));
  const receipts = ours.flatMap(({ date, origin }) => {
    const own = entries.filter(({ scope }) => scope === date);
    return receiptsOf(download, date, { origin, checkedAt, place }, own);
  });
  await saveReceipts(engine.documents, receipts);
  const answers = [...failed, ...entries.map((entry) => doneWith(step, entry, 'ran'))];
  return { days: answers.filter(({ date }) => !overtaken.has(date)), decoded };
}

interface Cut {
  readonly entries: readonly LedgerEntry[];
  readonly failed: readonly StepFailed[];
  readonly decoded: readonly DecodedFile[];
}

async function cutTogether(download: Download, days: readonly NewDay[]): Promise<Cut> {
  const { engine, control, dataset, part, step } = download;
  const startedAt = engine.now();
  const raws: { path: string; date: CivilDate }[] = [];
  for (const { date, origin } of days) {
    const { key } = origin.raw;
    const path = await openContent(engine.objects, origin.raw);
    if (path === undefined)
      throw new PipelineError('STORE_CORRUPT', `${key} was stored and cannot be found again`);
    raws.push({ path, date });
  }
  const origins = new Map(days.map(({ date, origin }) => [date, origin]));
  const own = days.map(({ origin }) => origin.raw);
  const sha256 = own.map((raw) => raw.sha256).join(',');
  const bytes = own.reduce((sum, raw) => sum + raw.bytes, 0);
  const zoned = days.map(({ date }) => zonedDay(date, dataset.definition.zone));
  return withAllDecoded(download, raws, (file, decoded) =>
    sqlOf(engine).session(
      async (sql) => {
        const raw = { path: file, sha256, bytes };
        const task = { part: part.id, raw, days: zoned, progress: control.progress };
        const { outcomes } = await sliceWithout(engine, dataset, task, sql);
        await sql.finish();
        const { good, failed } = judge(step, outcomes);
        const work = good.map((result) => ({
          result,
          identify: identifyBy(step),
          origin: required(origins.get(result.scope), 'a day that was asked for'),
        }));
        const context = { pipeline: dataset.definition.name, step, startedAt, scopes: days.length };
        return { entries: await commitStep(engine, control, context, work), failed, decoded };
      },
      { signal: control.signal },
    ),
  );
}

/** Plans look for receipts by bulk window. */
function receiptsOf(
  download: Download,
  date: CivilDate,
  {
    origin,
    checkedAt,
    place,
  }: { readonly origin: Origin; readonly checkedAt: string; readonly place: Numbered },
  entries: readonly LedgerEntry[],
): Receipt[] {
  const answer: Answer = {
    ...{ origin, status: 200, unchanged: false, checkedAt, freshness: null },
    ...{ place, isGiven: true },
  };
  return fetchWindows([date], download.part.bulkWindow).map((window) =>
    receiptOf(download, { window, known: undefined }, answer, entries, new Map()),
  );
}
