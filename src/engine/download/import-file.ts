import path from 'node:path';
import { definedMembers } from '../../given.ts';
import { PipelineError, asPipelineError } from '../../errors.ts';
import type { ErrorCode } from '../../errors.ts';
import { addDays } from '../../pipelines/civil-date.ts';
import { sinceOf } from '../../pipelines/part-days.ts';
import { civilDateAt } from '../../pipelines/zoned-day.ts';
import type { Dataset, DecodedFile } from '../../pipelines/dataset.ts';
import type { NamedDay, FetchWindow } from '../../pipelines/source-declaration.ts';
import type { RecognisedFile } from '../../pipelines/given-file.ts';
import { RECEIPT_TABLE, receiptPartition } from '../../pipelines/receipt.ts';
import type { Receipt } from '../../pipelines/receipt.ts';
import type { CivilDate } from '../../pipelines/vocabulary.ts';
import type { ArtefactRef } from '../../ports/objects.ts';
import type { FetchedFile, OfferedFile, Source } from '../../ports/source.ts';
import { editionPlace, loadStaged, newestName, putContent } from '../content-store.ts';
import type { Staged } from '../content-store.ts';
import type { StepFailed } from '../../pipelines/run-steps.ts';
import type { UnkeptFile } from './cut-slices.ts';
import { noteOwnFile } from './deposit-notes.ts';
import { datasetOf, sqlOf } from '../engine.ts';
import type { Engine, StepControl } from '../engine.ts';
import { deliverImport } from './deliver-import.ts';
import { withoutNames } from './leave-out.ts';
import type { DayRemark } from './judge-day.ts';
import { openGivenFiles } from '../sources/given-files.ts';
import { openStoredSource } from '../sources/stored-source.ts';
import { filesBelow, withJoined } from './join-files.ts';
import { SEALED, keepDelivered } from './keep-delivered.ts';
import { editionOf, keepNewest } from './raw-names.ts';

/** What came of one file that was taken in, whole or in part. */
export interface ImportResult {
  readonly file: string;
  /** The days that are taken in. */
  readonly recognised: RecognisedFile;
  /**
   * Days that the file holds before the part has any: they are kept in the raw file, and never
   * made.
   */
  readonly leftOut?: FetchWindow;
  /** Days that the file has rows for. */
  readonly days: number;
  readonly failed: readonly StepFailed[];
  /**
   * What a person should know of single days: what the file lacks of what is known, or adds to it.
   */
  readonly remarks: readonly DayRemark[];
  /**
   * Days that stay as they were, or in part, because the file lacks or contradicts what is known.
   */
  readonly kept: number;
  /** Where its bytes are now; a later edition may take the name. */
  readonly rawKey: string;
  /** What came of the files that were decoded together. */
  readonly decoded?: readonly DecodedFile[];
}

/** The beginning of the origin of a file that somebody gave us. */
const IMPORTED = 'import:';

/** A file that was not taken in, and why; the others were. */
export interface ImportFailure {
  readonly file: string;
  readonly code: ErrorCode;
  readonly message: string;
}

/** One of several files; a failure keeps no other file from being taken in. */
export type ImportOutcome = ImportResult | ImportFailure;

/** What a person may say with the files. */
export interface ImportOptions {
  /** The day of which the files tell, for those that do not say it themselves. */
  readonly asOf?: CivilDate;
  /** Take the files as they are, also where they lack what is known of their days. */
  readonly force?: boolean;
}

/** One import with all that it works on. */
interface Import extends ImportOptions {
  readonly engine: Engine;
  readonly pipeline: string;
  readonly dataset: Dataset;
  readonly control: StepControl;
  /**
   * Of a file that another program put here: the day on which it was found, for those that say no
   * day themselves.
   */
  readonly foundOn?: CivilDate;
  /** What cannot be listed now is done without: the day is run again once the store is back. */
  readonly atHand?: boolean;
}

function importOf(
  engine: Engine,
  pipeline: string,
  control: StepControl,
  options: ImportOptions,
): Import {
  return { engine, pipeline, dataset: datasetOf(engine, pipeline), control, ...options };
}

/**
 * Recognises a file by its content, keeps its bytes, and cuts it into day slices. Doing it again
 * changes nothing.
 */
export async function importFile(
  engine: Engine,
  pipeline: string,
  file: string,
  control: StepControl,
  options: ImportOptions = {},
): Promise<ImportResult> {
  const [outcome] = await importFiles(engine, pipeline, [file], control, options);
  if (outcome === undefined) throw new PipelineError('INTERNAL', `nothing came of ${file}`);
  if ('code' in outcome) throw new PipelineError(outcome.code, outcome.message);
  return outcome;
}

/**
 * The same for several files. Those whose names make them hours or pages of one day are read
 * together, after all are kept. A file that cannot be taken in is an outcome of its own, and the
 * others go on.
 */
export async function importFiles(
  engine: Engine,
  pipeline: string,
  files: readonly string[],
  control: StepControl,
  options: ImportOptions = {},
): Promise<ImportOutcome[]> {
  const work = importOf(engine, pipeline, control, options);
  const source = openGivenFiles(files);
  return takeIn(work, source.list(control), async (file) => {
    const fetched = await source.fetch(file, control);
    if (fetched === undefined) return undefined;
    const recognised = await recogniseFile(work, fetched.path);
    checkSince(work, file.path, recognised);
    return (await keepOfDay(work, fetched, recognised)) ?? deliverWhole(work, fetched, recognised);
  });
}

/** Takes in what lies under the pipeline's raw names in the object store, whoever put it there. */
export async function importStored(
  engine: Engine,
  pipeline: string,
  control: StepControl,
  options: ImportOptions = {},
): Promise<ImportOutcome[]> {
  const work = importOf(engine, pipeline, control, options);
  const { rawNames } = work.dataset;
  if (rawNames === undefined) {
    throw new PipelineError(
      'INPUT_INVALID',
      `${pipeline} has no raw names to read from; give files`,
    );
  }
  const source = openStoredSource(engine);
  const named = await filesBelow(source, rawNames.roots, control);
  const given = named.filter(({ path }) => !isOwnRaw(pipeline, path));
  return takeIn(
    work,
    given,
    (file) => rawNames.dayOf(file.path) ?? deliverStored(work, source, file),
  );
}

/**
 * Whether an object is what a day or a window was read from, joined by us: what it was made of lies
 * beside it under its own name.
 */
function isOwnRaw(pipeline: string, key: string): boolean {
  const [raw, owner, , place = '', ...rest] = key.split('/');
  const isPlace = place === 'none' || /^\d{4}-\d\d-\d\d_\d{4}-\d\d-\d\d$/.test(place);
  return raw === 'raw' && owner === pipeline && isPlace && rest.length > 0;
}

/**
 * What becomes of one file: the day that it is a piece of, or what came of it; undefined when it is
 * gone since it was listed.
 */
type Taken = NamedDay | ImportResult | undefined;

/** Takes in one file after the other, and then the days of which there were pieces. */
async function takeIn(
  work: Import,
  files: Iterable<OfferedFile> | AsyncIterable<OfferedFile>,
  take: (file: OfferedFile) => Taken | Promise<Taken>,
): Promise<ImportOutcome[]> {
  const outcomes: ImportOutcome[] = [];
  const days = new Map<string, NamedDay>();
  for await (const file of files) {
    const taken = await attempt(work, file.path, async () => take(file));
    if (taken === undefined) continue;
    if ('date' in taken) days.set(`${taken.part}/${taken.date}`, taken);
    else outcomes.push(taken);
  }
  for (const day of days.values()) outcomes.push(await attemptDay(work, day));
  return outcomes;
}

/**
 * Takes in what another program has put under a name: an edition of a batch file, or all the
 * objects of a day. Its bytes are kept in the archive, because nobody keeps the other program from
 * writing over them. Undefined when the object was removed since it was listed.
 */
export function importDeposit(
  engine: Engine,
  pipeline: string,
  control: StepControl,
  deposit: OfferedFile | NamedDay,
): Promise<ImportOutcome | undefined> {
  const work = importOf(engine, pipeline, control, {});
  if ('date' in deposit) return attemptDay({ ...work, atHand: true }, deposit);
  const today = civilDateAt(engine.now(), work.dataset.definition.zone);
  const source = openStoredSource(engine);
  return attempt(work, deposit.path, () =>
    deliverStored({ ...work, foundOn: today }, source, deposit),
  );
}

/** Undefined when the object was removed since it was listed. */
async function deliverStored(
  work: Import,
  source: Source,
  file: OfferedFile,
): Promise<ImportResult | undefined> {
  const { path: name } = file;
  const named = await source.fetch(file, work.control);
  if (named === undefined) return undefined;
  const asOf = work.asOf ?? (await dateOfEdition(work, named.sha256)) ?? work.foundOn;
  const recognised = await recogniseFile(
    { ...work, ...definedMembers({ asOf }) },
    named.path,
    name,
  );
  checkSince(work, name, recognised);
  const { mediaType } = recognised;
  if (work.foundOn !== undefined)
    await putContent(work.engine.objects, editionPlace(name, mediaType), named);
  return deliver(work, name, recognised, editionOf(name, mediaType, named));
}

/**
 * The first day for which these bytes were taken in before: somebody said of which day they tell.
 */
async function dateOfEdition(
  { engine, pipeline, dataset }: Import,
  sha256: string,
): Promise<CivilDate | undefined> {
  const days: CivilDate[] = [];
  for (const { id } of dataset.definition.parts) {
    const query = { table: RECEIPT_TABLE, partition: receiptPartition(pipeline, id) };
    for await (const { body } of engine.documents.query<Receipt>(query)) {
      const { raw, url, asOf } = body.origin;
      if (raw.sha256 === sha256 && url.startsWith(IMPORTED)) days.push(asOf ?? body.window.from);
    }
  }
  return days.sort()[0];
}

function attemptDay(work: Import, day: NamedDay): Promise<ImportOutcome> {
  return attempt(work, `${day.part} of ${day.date}`, () => deliverDay(work, day));
}

/**
 * Of a publisher's answer these mean that it changed or came too short; of a file that somebody
 * gives, that it is the wrong one.
 */
const CODES_OF_A_FILE: ReadonlyMap<ErrorCode, ErrorCode> = new Map([
  ['SRC_SHAPE_CHANGED', 'INPUT_INVALID'],
  ['SRC_TRUNCATED', 'INPUT_INVALID'],
]);

/** What came of a file; an interruption is no outcome of it. */
async function attempt<T>(
  { control }: Import,
  file: string,
  work: () => Promise<T>,
): Promise<T | ImportFailure> {
  try {
    return await work();
  } catch (error) {
    control.signal.throwIfAborted();
    const { code, message } = asPipelineError(error);
    const name = path.basename(file);
    return {
      file,
      code: CODES_OF_A_FILE.get(code) ?? code,
      message: message.includes(name) ? message : `${name}: ${message}`,
    };
  }
}

async function recogniseFile(
  { engine, pipeline, dataset, asOf }: Import,
  file: string,
  name = file,
): Promise<RecognisedFile> {
  const { recognise } = dataset;
  if (recognise === undefined)
    throw new PipelineError('INPUT_INVALID', `${pipeline} takes in no files`);
  return sqlOf(engine).session((sql) =>
    recognise({ path: file, name: path.basename(name), ...definedMembers({ asOf }) }, sql),
  );
}

/** Refuses what holds no day that the part has: no run would be allowed to make it. */
function checkSince(
  work: Pick<Import, 'dataset'>,
  file: string,
  { part, kind, from, to }: RecognisedFile,
): void {
  const since = firstDay(work, part);
  if (to >= since) return;
  throw new PipelineError(
    'INPUT_INVALID',
    `${path.basename(file)} holds ${kind} of ${from} … ${to}, and ${part} has no data before ${since}; give a file of later days`,
  );
}

function firstDay({ dataset: { definition } }: Pick<Import, 'dataset'>, id: string): CivilDate {
  const part = definition.parts.find((candidate) => candidate.id === id);
  return sinceOf(definition, part ?? {});
}

/**
 * Keeps a file that is a piece of a day under its name, and returns the day; undefined for a file
 * that stands for itself.
 */
async function keepOfDay(
  work: Import,
  fetched: FetchedFile,
  recognised: RecognisedFile,
): Promise<NamedDay | undefined> {
  const name = nameOf(work, fetched.path, recognised);
  const day = name === undefined ? undefined : work.dataset.rawNames?.dayOf(name);
  if (name === undefined || day === undefined) return undefined;
  const { mediaType } = recognised;
  await keepDelivered(work, {
    name,
    day,
    mediaType,
    calledBefore: path.basename(fetched.path),
    fetched,
  });
  return day;
}

function isSealed({ dataset }: Pick<Import, 'dataset'>, id: string): boolean {
  return dataset.definition.parts.find((part) => part.id === id)?.decoding !== undefined;
}

function nameOf(
  { engine, dataset }: Import,
  file: string,
  { part, from, to }: RecognisedFile,
): string | undefined {
  return dataset.rawNames?.nameOf({ part, window: { from, to }, at: engine.now(), path: file });
}

/**
 * Takes in a file that stands for itself. A name that other programs read is given to it only after
 * it was read whole.
 */
async function deliverWhole(
  work: Import,
  fetched: FetchedFile,
  recognised: RecognisedFile,
): Promise<ImportResult> {
  const { engine } = work;
  const { mediaType } = recognised;
  const { path: file, sha256 } = fetched;
  const name = nameOf(work, file, recognised);
  if (name === undefined)
    return deliver(work, file, recognised, await keepContent(work, fetched, recognised));
  const edition = editionOf(name, mediaType, fetched);
  const keep = async (): Promise<void> => {
    if ((await loadStaged({ path: file })).sha256 !== sha256) {
      throw new PipelineError(
        'INPUT_INVALID',
        `${file} changed while it was read; give it again when it is written`,
      );
    }
    await keepNewest(engine, name, fetched, mediaType);
    await noteOwnFile(engine, work.pipeline, name);
  };
  return deliver(work, file, recognised, edition, { path: file, keep });
}

function keepContent(
  { engine, pipeline }: Import,
  staged: Staged,
  { part, from, to, extension, mediaType }: RecognisedFile,
): Promise<ArtefactRef> {
  const folder = `raw/${pipeline}/${part}/${from}_${to}`;
  return putContent(engine.objects, { folder, extension, mediaType }, staged);
}

async function deliverDay(work: Import, day: NamedDay): Promise<ImportResult> {
  const { engine, dataset, control, atHand } = work;
  const { signal } = control;
  const source = openStoredSource(engine, definedMembers({ atHand }));
  const files = await filesBelow(source, dataset.rawNames?.besides(day) ?? [], control);
  return withJoined(engine, { source, files, signal }, async (file) => {
    const recognised = isSealed(work, day.part)
      ? { ...day, ...SEALED, kind: day.part, from: day.date, to: day.date, rows: files.length }
      : await recogniseFile(work, file);
    const { part } = recognised;
    if (part !== day.part) {
      throw new PipelineError(
        'INPUT_INVALID',
        `${files[0]?.path ?? file} is named ${day.part} and holds ${part}; move it`,
      );
    }
    const kind =
      files.length === 1 ? recognised.kind : `${recognised.kind}, ${files.length} files together`;
    const own = {
      ...recognised,
      kind,
      from: day.date,
      to: day.date,
      ...(recognised.asOf && { asOf: day.date }),
    };
    return deliver(work, files[0]?.path ?? file, own, await keepContent(work, { path: file }, own));
  });
}

async function deliver(
  { engine, pipeline, dataset, control, force = false }: Import,
  file: string,
  recognised: RecognisedFile,
  raw: ArtefactRef,
  unkept?: UnkeptFile,
): Promise<ImportResult> {
  const { part, to } = recognised;
  const since = firstDay({ dataset }, part);
  const from = recognised.from < since ? since : recognised.from;
  const leftOut =
    from === recognised.from ? {} : { leftOut: { from: recognised.from, to: addDays(from, -1) } };
  const window: FetchWindow = { from, to };
  const origin = {
    part,
    url: `${IMPORTED}${await withoutNames(engine, dataset, path.basename(file))}`,
    etag: null,
    lastModified: null,
    processedAt: null,
    retrievedAt: engine.now().toISOString(),
    ...definedMembers({ asOf: recognised.asOf }),
    raw,
  };
  const decoded: DecodedFile[] = [];
  const told = (files: readonly DecodedFile[]): void => void decoded.push(...files);
  const { days, remarks } = await deliverImport(
    engine,
    { pipeline, part, window, origin, force, decoded: told, ...definedMembers({ unkept }) },
    control,
  );
  const failed = days.filter((day): day is StepFailed => 'failure' in day);
  const filled = days.filter((day) => !('failure' in day) && !day.empty).length;
  return {
    file,
    recognised: { ...recognised, from },
    ...leftOut,
    days: filled,
    failed,
    remarks,
    kept: remarks.filter(({ isKept }) => isKept === true).length,
    rawKey: newestName(raw.key) ?? raw.key,
    ...(decoded.length === 0 ? {} : { decoded }),
  };
}
