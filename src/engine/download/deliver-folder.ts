import { definedMembers } from '../../given.ts';
import { PipelineError, asPipelineError } from '../../errors.ts';
import type { DecodedFile, FolderSource, NamedDay } from '../../pipelines/dataset.ts';
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
    const answers: (StepDone | StepFailed)[] = [];
    for (const date of dates) {
      const own = due.filter(({ day }) => day.date === date);
      answers.push(await deliverDate({ ...download, source, isSample }, date, own));
    }
    return answers;
  });
}

async function deliverDate(
  delivering: Delivering,
  date: CivilDate,
  due: readonly DueFile[],
): Promise<StepDone | StepFailed> {
  const { engine, dataset, part, step, force } = delivering;
  const day = { part: part.id, date };
  const came = new Map<DueFile, FetchedFile>();
  for (const file of due) {
    const fetched = await bring(delivering, file);
    if (fetched !== undefined) came.set(file, fetched);
  }
  if (came.size === 0 && !force) {
    const known = await confirmKnown(delivering, date);
    if (known !== undefined) return known;
  }
  const stored = openStoredSource(engine);
  const files = await filesBelow(stored, dataset.rawNames?.besides(day) ?? [], delivering.control);
  const decoded: DecodedFile[] = [];
  const raw = await joinedRaw(delivering, day, stored, files);
  const { days } = await deliverImport(
    engine,
    {
      pipeline: dataset.definition.name,
      part: part.id,
      window: { from: date, to: date },
      origin: originOf(delivering, files[0], raw),
      force,
      decoded: (files) => void decoded.push(...files),
    },
    delivering.control,
  );
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

/** The raw file of a day: all its files together, or an empty one that stands for the days without any. */
function joinedRaw(
  { engine, dataset, part, control: { signal } }: Delivering,
  { date }: NamedDay,
  source: Source,
  files: readonly OfferedFile[],
): Promise<ArtefactRef> {
  const folder = `raw/${dataset.definition.name}/${part.id}`;
  if (files.length === 0)
    return putContent(engine.objects, { folder: `${folder}/none`, ...SEALED }, { bytes: new Uint8Array() });
  return withJoined(engine, { source, files, signal }, (file) =>
    putContent(engine.objects, { folder: `${folder}/${date}_${date}`, ...SEALED }, { path: file }),
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
