import { PipelineError, asPipelineError, errorCodeOf } from '../../errors.ts';
import type { ErrorCode } from '../../errors.ts';
import { folderSourceOf, httpSourceOf } from '../../pipelines/source-declaration.ts';
import type { FetchWindow } from '../../pipelines/source-declaration.ts';
import { stepOf } from '../../pipelines/definition.ts';
import { isWhole } from '../../pipelines/completeness.ts';
import { cutOtherwise, isEmptyEntry } from '../../pipelines/ledger.ts';
import type { LedgerEntry } from '../../pipelines/ledger.ts';
import { compareAnswers, newestDeliveries } from '../../pipelines/receipt.ts';
import type { Receipt } from '../../pipelines/receipt.ts';
import type { CivilDate } from '../../pipelines/vocabulary.ts';
import { whyNotAsked } from '../../pipelines/part-days.ts';
import { fetchWindows } from '../../pipelines/window.ts';
import { civilDateAt } from '../../pipelines/zoned-day.ts';
import type { ArtefactRef } from '../../ports/objects.ts';
import { damageOf } from '../content-store.ts';
import { deliverFolder } from './deliver-folder.ts';
import { dropForgotten, sliceAndCommit } from './cut-slices.ts';
import { recutLost } from './recut.ts';
import type { Download } from './cut-slices.ts';
import type { StepRequest, StepResult } from '../contract.ts';
import type { StepDone, StepFailed } from '../../pipelines/run-steps.ts';
import { isContradicted, saveReceipt, takeSequence } from '../records/delivery-order.ts';
import { datasetOf } from '../engine.ts';
import type { Engine, StepControl } from '../engine.ts';
import { doneWith, lost } from '../execute/execute-step.ts';
import { tellFreshness } from './publish-freshness.ts';
import { fetchRaw } from './fetch-raw.ts';
import type { RawAnswer } from './fetch-raw.ts';
import { destroyedObject } from '../records/forgotten.ts';
import { newestManifests, readLedger, readReceipts } from '../records/ledger-reader.ts';
import { partOf, receiptOf, settleAndSave, withKept } from './save-answer.ts';
import type { Settlement } from './save-answer.ts';
import { withoutBuried } from '../records/tombstones.ts';
import { withSource } from '../sources/open-source.ts';
import { firstOf, lastOf } from '../../given.ts';

/** What can be wrong with one answer of a publisher while the others are fine. */
const ABOUT_ONE_FILE: readonly ErrorCode[] = [
  'SRC_SHAPE_CHANGED',
  'SRC_NOT_PUBLISHED',
  'SRC_TRUNCATED',
  'STORE_CORRUPT',
];

/**
 * Fetches a part for a set of days, one request per bulk window, and cuts the answer into day
 * slices. The identity of a download is what it delivered for the day: its step key hangs on the
 * slice, not on the file that brought it, so a day is the same whether it came alone, in a month or
 * in a whole history.
 */
export async function executeDownload(
  stores: Engine,
  request: StepRequest,
  control: StepControl,
): Promise<StepResult> {
  const engine = await withoutBuried(stores);
  const dataset = datasetOf(engine, request.pipeline);
  const step = stepOf(dataset.definition, request.step);
  const part = dataset.definition.parts.find((candidate) => candidate.id === step.part);
  if (part === undefined) throw new PipelineError('INTERNAL', `${step.id} fetches no part`);
  const download: Download = { engine, control, dataset, part, step, force: request.force };
  const dates = request.days.map((day) => day.date);
  const recut = await recutLost(download, request.days);
  const answers = new Map<CivilDate, StepDone | StepFailed>(recut.map((day) => [day.date, day]));
  const asked = dates.filter((date) => !answers.has(date));
  const folder = part.closed === undefined ? folderSourceOf(dataset, part.id) : undefined;
  const listed =
    folder !== undefined && asked.length > 0 ? await deliverFolder(download, folder, asked) : [];
  for (const day of listed) answers.set(day.date, day);
  const spans =
    folder !== undefined || asked.length === 0 ? [] : await requestSpans(download, asked);
  for (const answer of await deliverSpans(download, spans)) answers.set(answer.date, answer);
  return { days: dates.map((date) => answers.get(date) ?? lost(step, date)) };
}

/**
 * One request after the other. A file that is of no use is the failure of its own days; when none
 * is of any, that is the failure of all.
 */
async function deliverSpans(
  download: Download,
  spans: readonly RequestSpan[],
): Promise<(StepDone | StepFailed)[]> {
  const answers: (StepDone | StepFailed)[] = [];
  const refused: PipelineError[] = [];
  for (const span of spans) {
    try {
      answers.push(...(await deliver(download, span)));
    } catch (error) {
      const failure = asPipelineError(error);
      if (!concernsItsFile(download, failure)) throw error;
      refused.push(failure);
      const { code, message } = failure;
      answers.push(...span.dates.map((date) => ({ date, failure: { code, message } })));
    }
  }
  const [first] = refused;
  if (first !== undefined && refused.length === spans.length) throw first;
  return answers;
}

/**
 * Whether the next file may still be all right: what trying again can cure is tried again with all
 * of them, until the last attempt.
 */
function concernsItsFile(
  { engine, control }: Download,
  { code, retryable }: PipelineError,
): boolean {
  if (!ABOUT_ONE_FILE.includes(code)) return false;
  return !retryable || control.execution.attempt >= engine.retry.attempts;
}

/** An answer is asked for again so many times at most, however many others ask. */
const MAX_ASKS = 3;

/** Days that come from the same raw bytes, and how to get these. */
interface RequestSpan {
  readonly window: FetchWindow;
  readonly dates: readonly CivilDate[];
  readonly known: Receipt | undefined;
  /** Every receipt of the days, oldest first. */
  readonly earlier: readonly Receipt[];
  /** The bytes are those of the known receipt: nobody is asked for others. */
  readonly isStored: boolean;
}

/** Every receipt of the days, oldest first. */
async function receiptsOf(
  { engine, dataset, part }: Download,
  sorted: readonly CivilDate[],
): Promise<Receipt[]> {
  const range = { first: firstOf(sorted), last: lastOf(sorted) };
  const receipts = await readReceipts(engine.documents, dataset.definition.name, part, range);
  return receipts.sort(compareAnswers);
}

function newestOf(receipts: readonly Receipt[], { from, to }: FetchWindow): Receipt | undefined {
  return receipts.findLast(({ window }) => window.from === from && window.to === to);
}

async function requestSpans(
  download: Download,
  dates: readonly CivilDate[],
): Promise<RequestSpan[]> {
  const { part } = download;
  const sorted = [...dates].sort();
  const receipts = await receiptsOf(download, sorted);
  const ofPublisher = askable(download, sorted);
  const asked = fetchWindows(ofPublisher, part.bulkWindow).map((window) => ({
    window,
    dates: ofPublisher.filter((date) => window.from <= date && date <= window.to),
    known: newestOf(receipts, window),
    earlier: receipts,
    isStored: false,
  }));
  const byReceipt = new Map<Receipt, CivilDate[]>();
  for (const date of sorted.filter((one) => !ofPublisher.includes(one))) {
    const newest = receipts.findLast((receipt) => date in receipt.days);
    if (newest !== undefined) byReceipt.set(newest, [...(byReceipt.get(newest) ?? []), date]);
  }
  const stored = [...byReceipt].map(([known, days]) => {
    return { window: known.window, dates: days, known, earlier: receipts, isStored: true };
  });
  return [...asked, ...stored];
}

/**
 * The days for which the publisher is asked; what is known of the others is what is stored. A
 * closed part may have either.
 */
function askable(
  { engine, dataset, part }: Pick<Download, 'engine' | 'dataset' | 'part'>,
  dates: readonly CivilDate[],
): readonly CivilDate[] {
  if (httpSourceOf(dataset, part.id) === undefined) return [];
  if (part.closed !== undefined) return dates;
  return dates.filter(
    (date) => whyNotAsked(dataset.definition, part, date, engine.now()) === undefined,
  );
}

/**
 * Delivers the days of a request, and asks again when another answer with other rows came
 * meanwhile: of two who ask at the same time the one with the earlier number may hear the newer
 * rows. Receipts are saved before they are looked for, so that one of the two at least finds the
 * other's.
 */
async function deliver(download: Download, span: RequestSpan): Promise<(StepDone | StepFailed)[]> {
  let asked = span;
  for (let asks = 1; ; asks += 1) {
    const answers = await deliverOnce(download, asked);
    if (span.isStored || asks === MAX_ASKS) return answers;
    const receipts = await receiptsOf(download, span.dates);
    if (!isContradicted(answers, asked.earlier, receipts)) return answers;
    asked = { ...span, earlier: receipts, known: newestOf(receipts, span.window) };
  }
}

async function deliverOnce(
  download: Download,
  span: RequestSpan,
): Promise<(StepDone | StepFailed)[]> {
  const { engine, control, dataset, part, force } = download;
  const known = await intactReceipt(download, span);
  const place = await takeSequence(engine.documents, partOf(download), span.earlier);
  const unconditional = force || (await lacksRows(download, span));
  const raw = dated(download, await rawOf(download, { ...span, known }, unconditional));
  // A file that is read again is as much a piece of its days as when it was given.
  const answer = { ...raw, place, isGiven: part.source === 'import' };
  const same = answer.unchanged && !force ? known : undefined;
  const before = same === undefined ? undefined : await slicesOf(download, same, span.dates);
  if (before === undefined) control.progress(`cutting ${span.dates.length} days of ${part.id}`);
  const cut =
    before === undefined
      ? await sliceAndCommit(download, span.dates, answer)
      : { ...before, hasForgotten: false };
  const { answers, entries, hasForgotten } = cut;
  const save: Settlement['save'] = async (answer, kept) => {
    const receipt = receiptOf(download, span, answer, entries, kept);
    const told =
      same === undefined || before === undefined
        ? {}
        : { status: same.status, columns: same.columns };
    await saveReceipt(engine.documents, { ...receipt, ...told });
  };
  const { kept } = await settleAndSave(download, { earlier: span.earlier, entries, answer, save });
  if (!span.isStored)
    await tellFreshness(engine, dataset.definition, part.id, { ...answer, ...place });
  // Whoever gives the same bytes again brings back what was destroyed.
  const isBack = same !== undefined && dataset.persons !== undefined && !span.isStored;
  if (hasForgotten || (isBack && (await isDestroyed(download, same.origin.raw.key))))
    await dropForgotten(download, answer.origin.raw);
  return withKept(download, answers, kept);
}

/** An answer that is a list of the moment tells of the day on which it was given. */
function dated({ part, dataset }: Download, answer: RawAnswer): RawAnswer {
  if (part.listed === undefined || answer.unchanged) return answer;
  const asOf = civilDateAt(new Date(answer.checkedAt), dataset.definition.zone);
  return { ...answer, origin: { ...answer.origin, asOf } };
}

/**
 * Whether what the last answer gave for one of the days is nothing, or was judged to be a part of
 * the day.
 */
async function lacksRows(
  { engine, dataset, part, step }: Download,
  { dates, known, earlier }: RequestSpan,
): Promise<boolean> {
  if (known === undefined) return false;
  const { name: pipeline } = dataset.definition;
  const [ledger, manifests] = await Promise.all([
    readLedger(engine.documents, pipeline, dates),
    part.completeness === undefined
      ? undefined
      : newestManifests(engine.documents, pipeline, dates),
  ]);
  const delivered = newestDeliveries(earlier);
  return dates.some((date) => {
    const entries = ledger.get(date) ?? [];
    const entry = entries.find(
      ({ step: id, key }) => id === step.id && key === delivered.get(date)?.key,
    );
    const isLess =
      (entry !== undefined && isEmptyEntry(entry)) || delivered.get(date)?.note !== undefined;
    return isLess || isWhole(part, manifests?.get(date), entries) === false;
  });
}

/**
 * The receipt, unless its raw bytes are gone or damaged: then "unchanged" would leave us without
 * them.
 */
async function intactReceipt(
  download: Download,
  { known, isStored, dates }: RequestSpan,
): Promise<Receipt | undefined> {
  if (known === undefined) return undefined;
  const { raw } = known.origin;
  const damage = await damageUnlessAway(download.engine, raw);
  if (damage === undefined) return known;
  // What was cut from a file that was destroyed stands for it, and nothing else can be cut from it.
  if (await isDestroyed(download, raw.key))
    return isStored || (await slicesOf(download, known, dates)) !== undefined ? known : undefined;
  if (!isStored) return undefined;
  throw new PipelineError(
    'STORE_CORRUPT',
    `${known.origin.raw.key} ${damage}; import the file again`,
  );
}

/**
 * Bytes that nobody can look at while their store is away are as good as gone: what can be fetched
 * again is.
 */
async function damageUnlessAway(engine: Engine, ref: ArtefactRef): Promise<string | undefined> {
  try {
    return await damageOf(engine.objects, ref);
  } catch (error) {
    if (errorCodeOf(error) !== 'STORE_UNAVAILABLE' || engine.fallback?.away() === undefined)
      throw error;
    return 'cannot be read while its store is away';
  }
}

async function isDestroyed({ engine, dataset }: Download, key: string): Promise<boolean> {
  return (await destroyedObject(engine.documents, dataset.definition.name, key)) !== undefined;
}

function rawOf(
  { engine, control, dataset, part }: Download,
  { window, known, isStored }: RequestSpan,
  unconditional: boolean,
): Promise<RawAnswer> {
  if (!isStored && (part.closed === undefined || known === undefined)) {
    if (part.closed !== undefined) throw new PipelineError('SRC_AUTH', part.closed);
    const declaration = dataset.sources[part.id];
    if (declaration === undefined)
      throw new PipelineError('INTERNAL', `part ${part.id} has no source`);
    const { name: pipeline } = dataset.definition;
    return withSource(engine, declaration, (source) =>
      fetchRaw(engine, control, {
        ...{ pipeline, part: part.id, source, window, known, unconditional },
        names: dataset.rawNames,
      }),
    );
  }
  if (known === undefined) {
    throw new PipelineError(
      'INPUT_INVALID',
      `no imported file of ${part.id} holds ${window.from}; import one first`,
    );
  }
  const { origin, status, checkedAt, freshness } = known;
  return Promise.resolve({ origin, status, unchanged: true, checkedAt, freshness });
}

/**
 * The slices that an unchanged answer gave before, when all of them are there, right, and of this
 * step's version.
 */
async function slicesOf(
  { engine, dataset, step }: Download,
  known: Receipt,
  dates: readonly CivilDate[],
): Promise<{ answers: readonly StepDone[]; entries: readonly LedgerEntry[] } | undefined> {
  const ledger = await readLedger(engine.documents, dataset.definition.name, dates);
  const entries: LedgerEntry[] = [];
  for (const date of dates) {
    const entry = ledger.get(date)?.find((e) => e.step === step.id && e.key === known.days[date]);
    if (entry?.version !== step.version || cutOtherwise(step, entry) !== undefined)
      return undefined;
    for (const ref of Object.values(entry.outputs)) {
      if ((await damageOf(engine.objects, ref)) !== undefined) return undefined;
    }
    entries.push(entry);
  }
  return { answers: entries.map((entry) => doneWith(step, entry, 'reused')), entries };
}
