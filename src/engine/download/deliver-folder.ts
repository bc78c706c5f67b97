import { definedMembers, firstOf, lastOf, nthOf } from '../../given.ts';
import { PipelineError, asPipelineError } from '../../errors.ts';
import { addDays } from '../../pipelines/civil-date.ts';
import type { DecodedFile, FetchWindow, FolderSource, NamedDay } from '../../pipelines/dataset.ts';
import type { Origin } from '../../pipelines/ledger.ts';
import { compareAnswers } from '../../pipelines/receipt.ts';
import type { Receipt } from '../../pipelines/receipt.ts';
import type { StepDone, StepFailed } from '../../pipelines/run-steps.ts';
import type { CivilDate } from '../../pipelines/vocabulary.ts';
import type { ArtefactRef } from '../../ports/objects.ts';
import type { FetchedFile, OfferedFile, Source } from '../../ports/source.ts';
import { putContent } from '../content-store.ts';
import { doneWith, lost } from '../execute/execute-step.ts';
import { saveReceipt, takeSequence } from '../records/delivery-order.ts';
import { damageUnlessDestroyed } from '../records/forgotten.ts';
import { readLedger, readReceipts } from '../records/ledger-reader.ts';
import { noteArrival, noteSeen, surveyFolder } from '../sources/arrivals.ts';
import type { DueFile } from '../sources/arrivals.ts';
import { withSource } from '../sources/open-source.ts';
import { openStoredSource } from '../sources/stored-source.ts';
import { commonPlaces } from './common-places.ts';
import type { Download } from './cut-slices.ts';
import { deliverImport } from './deliver-import.ts';
import { SEALED, keepDelivered } from './keep-delivered.ts';
import { filesBelow, withJoined } from './join-files.ts';
import { partOf } from './save-answer.ts';

/** Days of a part whose files come into a folder: fetch what is new, keep it under its name, read the day's files together. */

/** A day in the making, with all that its part shares. */
interface Delivering extends Download {
  readonly source: Source;
  readonly isSample: boolean;
}

/**
 * Fetches what the folder has for these days and the journal lacks, and cuts each day anew that got something. A file of which nothing can be
 * read is a part of its day; a file that does not come is tried again, and on the last try noted as failed.
 */
export async function deliverFolder(
  download: Download,
  declaration: FolderSource,
  dates: readonly CivilDate[],
): Promise<(StepDone | StepFailed)[]> {
  const { engine, control, dataset, part, force } = download;
  return withSource(engine, declaration, async (source) => {
    const request = { pipeline: dataset.definition.name, declaration, parts: [part.id], again: force };
    const { due, isSample } = await surveyFolder(engine, source, request, control);
    const delivering: Delivering = { ...download, source, isSample };
    const answers: (StepDone | StepFailed)[] = [];
    const without = await daysWithout(delivering, dates, due);
    let empty: CivilDate[] = [];
    const endEmpty = async (): Promise<void> => {
      if (empty.length > 0) answers.push(...(await deliverEmpty(delivering, empty)));
      empty = [];
    };
    for (const date of dates) {
      if (!follows(empty, date)) await endEmpty();
      if (without.has(date)) {
        empty.push(date);
        continue;
      }
      const gathered = await gather(delivering, date, due);
      if ('known' in gathered || gathered.files.length > 0) await endEmpty();
      if ('known' in gathered) answers.push(gathered.known);
      else if (gathered.files.length === 0) empty.push(date);
      else answers.push(await deliverDate(delivering, date, gathered));
    }
    await endEmpty();
    return answers;
  });
}

function follows(dates: readonly CivilDate[], date: CivilDate): boolean {
  const last = dates.at(-1);
  return last === undefined || addDays(last, 1) === date;
}

/**
 * The days of which nothing is due, known or kept. They are looked up together: of most parts that is nearly every day. A day that is alone is looked
 * up by `gather`.
 */
async function daysWithout(
  { engine, control, dataset, part, force }: Delivering,
  dates: readonly CivilDate[],
  due: readonly DueFile[],
): Promise<ReadonlySet<CivilDate>> {
  if (dates.length < 2) return new Set();
  const range = { first: firstOf(dates), last: lastOf(dates) };
  const receipts = force ? [] : await readReceipts(engine.documents, dataset.definition.name, part, range);
  const places = dates.map((date) => dataset.rawNames?.besides({ part: part.id, date }) ?? []);
  const kept = await filesBelow(openStoredSource(engine), commonPlaces(places), control);
  const taken = new Set([...due.map(({ day }) => day.date), ...receipts.flatMap(({ days }) => Object.keys(days))]);
  return new Set(
    dates.filter(
      (date, index) =>
        !taken.has(date) && !kept.some(({ path }) => nthOf(places, index).some((place) => path.startsWith(place))),
    ),
  );
}

/** What a day is made of: its files, with those that came just now. */
interface Gathered {
  readonly came: ReadonlyMap<DueFile, FetchedFile>;
  readonly stored: Source;
  readonly files: readonly OfferedFile[];
}

/** Fetches what is due of a day, and lists what is kept of it; or what is known of a day to which nothing came. */
async function gather(
  delivering: Delivering,
  date: CivilDate,
  due: readonly DueFile[],
): Promise<Gathered | { readonly known: StepDone }> {
  const { engine, dataset, part, force } = delivering;
  const came = new Map<DueFile, FetchedFile>();
  for (const file of due.filter(({ day }) => day.date === date)) {
    const fetched = await bring(delivering, file);
    if (fetched !== undefined) came.set(file, fetched);
  }
  if (came.size === 0 && !force) {
    const known = await confirmKnown(delivering, date);
    if (known !== undefined) return { known };
  }
  const stored = openStoredSource(engine);
  const below = dataset.rawNames?.besides({ part: part.id, date }) ?? [];
  return { came, stored, files: await filesBelow(stored, below, delivering.control) };
}

/** Days that follow each other and have no file: one empty raw file stands for all of them. */
async function deliverEmpty(delivering: Delivering, dates: readonly CivilDate[]): Promise<(StepDone | StepFailed)[]> {
  const { engine, dataset, part, step } = delivering;
  const folder = `raw/${dataset.definition.name}/${part.id}/none`;
  const raw = await putContent(engine.objects, { folder, ...SEALED }, { bytes: new Uint8Array() });
  const window = { from: firstOf(dates), to: lastOf(dates) };
  const { days } = await take(delivering, window, originOf(delivering, undefined, raw));
  return dates.map((date) => days.find((answer) => answer.date === date) ?? lost(step, date));
}

async function deliverDate(
  delivering: Delivering,
  date: CivilDate,
  { came, stored, files }: Gathered,
): Promise<StepDone | StepFailed> {
  const { engine, dataset, part, step } = delivering;
  const decoded: DecodedFile[] = [];
  const raw = await joinedRaw(delivering, { part: part.id, date }, stored, files);
  const origin = originOf(delivering, files[0], raw);
  const { days } = await take(delivering, { from: date, to: date }, origin, (own) => void decoded.push(...own));
  for (const [file, fetched] of came) {
    const outcome = decoded.find(({ name, sha256 }) => name === file.file.name && sha256 === fetched.sha256);
    const failure = outcome?.failure;
    await noteArrival(engine, dataset.definition.name, file, {
      fetched,
      ...definedMembers({ failure }),
    });
  }
  return days[0] ?? lost(step, date);
}

function take(
  { engine, dataset, part, force, control }: Delivering,
  window: FetchWindow,
  origin: Origin,
  decoded?: Download['decoded'],
) {
  const file = { pipeline: dataset.definition.name, part: part.id, window, origin, force };
  return deliverImport(engine, { ...file, ...definedMembers({ decoded }) }, control);
}

/** Fetches a file and keeps it under its name; undefined when it does not come, and this was the last try. */
async function bring(delivering: Delivering, due: DueFile): Promise<FetchedFile | undefined> {
  const { engine, control, dataset, source } = delivering;
  const pipeline = dataset.definition.name;
  await noteSeen(engine, pipeline, due);
  try {
    const fetched = await source.fetch(due.file, control);
    if (fetched === undefined) return undefined;
    try {
      await keep(delivering, due, fetched);
    } finally {
      await source.discard(fetched);
    }
    return fetched;
  } catch (error) {
    control.signal.throwIfAborted();
    const { code, message } = asPipelineError(error);
    const isLast = control.execution.attempt >= engine.retry.attempts;
    if (code !== 'SRC_TRUNCATED' || !isLast) throw error;
    await noteArrival(engine, pipeline, due, { failure: { cause: 'truncated', message } });
    return undefined;
  }
}

async function keep(
  { engine, dataset, part }: Delivering,
  { file, day }: DueFile,
  fetched: FetchedFile,
): Promise<void> {
  const window = { from: day.date, to: day.date };
  const name = dataset.rawNames?.nameOf({ part: part.id, window, at: engine.now(), path: file.name });
  if (name === undefined) throw new PipelineError('INTERNAL', `a file of ${part.id} has no name to be kept under`);
  const { mediaType } = SEALED;
  await keepDelivered({ engine, dataset }, { name, day, mediaType, calledBefore: file.name, fetched });
}

/** The raw file of a day: all its files together. */
function joinedRaw(
  { engine, dataset, part, control: { signal } }: Delivering,
  { date }: NamedDay,
  source: Source,
  files: readonly OfferedFile[],
): Promise<ArtefactRef> {
  const folder = `raw/${dataset.definition.name}/${part.id}/${date}_${date}`;
  return withJoined(engine, { source, files, signal }, (file) =>
    putContent(engine.objects, { folder, ...SEALED }, { path: file }),
  );
}

function originOf(
  { engine, part, source, isSample }: Delivering,
  first: OfferedFile | undefined,
  raw: ArtefactRef,
): Origin {
  return {
    part: part.id,
    url: first === undefined ? source.place : `${source.place}/${first.name}`,
    etag: null,
    lastModified: null,
    processedAt: null,
    retrievedAt: engine.now().toISOString(),
    ...(isSample ? { sample: true as const } : {}),
    raw,
  };
}

/** What the day has already, confirmed by this listing; undefined when it has nothing, or not all of it is there any more. */
async function confirmKnown(delivering: Delivering, date: CivilDate): Promise<StepDone | undefined> {
  const { engine, dataset, part, step } = delivering;
  const { name: pipeline } = dataset.definition;
  const receipts = await readReceipts(engine.documents, pipeline, part, { first: date, last: date });
  const known = receipts.sort(compareAnswers).findLast((receipt) => date in receipt.days);
  const key = known?.days[date];
  const entries = (await readLedger(engine.documents, pipeline, [date])).get(date) ?? [];
  const entry = entries.find((one) => one.step === step.id && one.key === key && one.version === step.version);
  if (known === undefined || entry === undefined) return undefined;
  for (const ref of [known.origin.raw, ...Object.values(entry.outputs)])
    if ((await damageUnlessDestroyed(engine, pipeline, ref)) !== undefined) return undefined;
  const numbered = await takeSequence(engine.documents, partOf(delivering), receipts);
  const checkedAt = engine.now().toISOString();
  await saveReceipt(engine.documents, { ...known, checkedAt, ...numbered } satisfies Receipt);
  return doneWith(step, entry, 'reused');
}
