import { definedMembers } from '../../given.ts';
import { PipelineError, asPipelineError } from '../../errors.ts';
import type { DecodedFile } from '../../pipelines/dataset.ts';
import type { Origin } from '../../pipelines/ledger.ts';
import type { CivilDate } from '../../pipelines/vocabulary.ts';
import type { ArtefactRef } from '../../ports/objects.ts';
import type { FetchedFile, OfferedFile, Source } from '../../ports/source.ts';
import { putContent } from '../content-store.ts';
import { noteArrival } from '../sources/arrivals.ts';
import type { DueFile } from '../sources/arrivals.ts';
import { openStoredSource } from '../sources/stored-source.ts';
import type { Download } from './cut-slices.ts';
import { filesBelow, withJoinedBytes } from './join-files.ts';
import { SEALED, keepDelivered } from './keep-delivered.ts';

/**
 * From a folder to the raw files of days: what is due is fetched and kept under its name, and what
 * is kept of a day stands together.
 */

/** A day in the making, with all that its part shares. */
export interface Delivering extends Download {
  readonly source: Source;
  readonly isSample: boolean;
}

/** What a day is made of: its files, with those that came just now. */
export interface Gathered {
  readonly came: ReadonlyMap<DueFile, FetchedFile>;
  readonly files: readonly OfferedFile[];
}

/** Fetches what is due of a day. */
export async function bringDay(
  delivering: Delivering,
  date: CivilDate,
  due: readonly DueFile[],
): Promise<Gathered> {
  const came = new Map<DueFile, FetchedFile>();
  for (const file of due) {
    const fetched = await bring(delivering, file);
    if (fetched !== undefined) came.set(file, fetched);
  }
  return { came, files: await keptFiles(delivering, date) };
}

/** What is kept of a day. */
export function keptFiles(
  { engine, dataset, part, control }: Delivering,
  date: CivilDate,
): Promise<OfferedFile[]> {
  const below = dataset.rawNames?.besides({ part: part.id, date }) ?? [];
  return filesBelow(openStoredSource(engine), below, control);
}

/**
 * Fetches a file and keeps it under its name; undefined when it does not come, and this was the
 * last try.
 */
async function bring(delivering: Delivering, due: DueFile): Promise<FetchedFile | undefined> {
  const { engine, control, dataset, source } = delivering;
  const pipeline = dataset.definition.name;
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
  const name = dataset.rawNames?.nameOf({
    part: part.id,
    window,
    at: engine.now(),
    path: file.name,
  });
  if (name === undefined)
    throw new PipelineError('INTERNAL', `a file of ${part.id} has no name to be kept under`);
  const { mediaType } = SEALED;
  await keepDelivered(
    { engine, dataset },
    { name, day, mediaType, calledBefore: file.name, fetched },
  );
}

/** The raw file of a day: all its files together. */
export function joinedRaw(
  { engine, dataset, part, control: { signal } }: Delivering,
  date: CivilDate,
  files: readonly OfferedFile[],
): Promise<ArtefactRef> {
  const folder = `raw/${dataset.definition.name}/${part.id}/${date}_${date}`;
  return withJoinedBytes(engine, { source: openStoredSource(engine), files, signal }, (staged) =>
    putContent(engine.objects, { folder, ...SEALED }, staged),
  );
}

/** Where the raw file of a day came from: `first` is one of its files. */
export function originOf(
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

/** Says in the journal what came of the files that came. */
export async function noteCame(
  { engine, dataset }: Delivering,
  { came }: Gathered,
  decoded: readonly DecodedFile[],
): Promise<void> {
  for (const [file, fetched] of came) {
    const outcome = decoded.find(
      ({ name, sha256 }) => name === file.file.name && sha256 === fetched.sha256,
    );
    const failure = outcome?.failure;
    await noteArrival(engine, dataset.definition.name, file, {
      fetched,
      ...definedMembers({ failure }),
    });
  }
}
