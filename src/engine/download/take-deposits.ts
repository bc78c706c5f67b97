import type { ErrorCode } from '../../errors.ts';
import { required } from '../../given.ts';
import type { NamedDay } from '../../pipelines/source-declaration.ts';
import { whyNotAsked } from '../../pipelines/part-days.ts';
import { datesBetween } from '../../pipelines/civil-date.ts';
import type { CivilDate } from '../../pipelines/vocabulary.ts';
import type { OfferedFile } from '../../ports/source.ts';
import { datasetOf } from '../engine.ts';
import type { Engine, StepControl } from '../engine.ts';
import { readReceipts } from '../records/ledger-reader.ts';
import { commonPlaces } from './common-places.ts';
import { depositKey, readDepositNotes } from './deposit-notes.ts';
import type { DepositNote } from './deposit-notes.ts';
import { importDeposit } from './import-file.ts';
import type { ImportOutcome } from './import-file.ts';
import { filesBelow } from './join-files.ts';
import { openStoredSource } from '../sources/stored-source.ts';

/**
 * Takes in what other programs have put under the raw names of a pipeline since it was last looked
 * at. What was taken in is an answer like any other: it has a receipt, and the newest one decides.
 */

/** What came of the deposits, and the days that they hold. */
export interface TakenDeposits {
  readonly outcomes: readonly ImportOutcome[];
  readonly dates: readonly CivilDate[];
}

const NOTHING: TakenDeposits = { outcomes: [], dates: [] };

/**
 * The deposits of these days: answers of an API. Batch files may be large, and are left to the
 * watch.
 */
export async function takeDayDeposits(
  engine: Engine,
  control: StepControl,
  pipeline: string,
  dates: readonly CivilDate[],
): Promise<TakenDeposits> {
  const { rawNames } = datasetOf(engine, pipeline);
  if (!reads(engine) || rawNames?.parts === undefined) return NOTHING;
  const wanted: string[] = [];
  const listed: string[] = [];
  for (const part of rawNames.parts) {
    const looked = await datesLookedFor(engine, pipeline, part, dates);
    const places = looked.map((date) => rawNames.besides({ part, date }));
    wanted.push(...places.flat());
    listed.push(...commonPlaces(places));
  }
  const found = await newFiles(engine, control, pipeline, listed);
  const own = found.filter(
    ({ path }) =>
      rawNames.dayOf(path) !== undefined && wanted.some((prefix) => path.startsWith(prefix)),
  );
  return take(engine, control, pipeline, own, dates);
}

/** All deposits of a pipeline, batch files as well. */
export async function takeAllDeposits(
  engine: Engine,
  control: StepControl,
  pipeline: string,
): Promise<TakenDeposits> {
  const { rawNames } = datasetOf(engine, pipeline);
  if (!reads(engine) || rawNames?.parts === undefined) return NOTHING;
  return take(engine, control, pipeline, await newFiles(engine, control, pipeline, rawNames.roots));
}

function reads({ deposits = 'before', sql }: Engine): boolean {
  return deposits !== 'off' && sql !== undefined;
}

/** With `after` the publisher answers first, unless he cannot be asked. */
async function datesLookedFor(
  engine: Engine,
  pipeline: string,
  id: string,
  dates: readonly CivilDate[],
): Promise<readonly CivilDate[]> {
  const [first, last] = [dates[0], dates.at(-1)];
  const { definition } = datasetOf(engine, pipeline);
  const part = definition.parts.find((candidate) => candidate.id === id);
  if (
    engine.deposits !== 'after' ||
    part === undefined ||
    first === undefined ||
    last === undefined
  )
    return dates;
  const receipts = await readReceipts(engine.documents, pipeline, part, { first, last });
  const now = engine.now();
  return dates.filter(
    (date) =>
      whyNotAsked(definition, part, date, now) !== undefined ||
      receipts.some(({ days }) => date in days),
  );
}

/** The files below the prefixes that are not as they were when they were last seen. */
async function newFiles(
  engine: Engine,
  control: StepControl,
  pipeline: string,
  prefixes: readonly string[],
): Promise<OfferedFile[]> {
  const source = openStoredSource(engine, { atHand: true });
  const found = new Map<string, OfferedFile>();
  for (const prefix of new Set(prefixes)) {
    const files = await filesBelow(source, [prefix], control);
    if (files.length === 0) continue;
    const notes = await readDepositNotes(engine, pipeline, prefix);
    for (const file of files)
      if (notes.get(file.path)?.etag !== file.version) found.set(file.path, file);
  }
  return [...found.values()];
}

/** Takes in every file that stands for itself, and once each day of which there are new objects. */
async function take(
  engine: Engine,
  control: StepControl,
  pipeline: string,
  found: readonly OfferedFile[],
  only?: readonly CivilDate[],
): Promise<TakenDeposits> {
  const { rawNames } = datasetOf(engine, pipeline);
  const works = new Map<string, { deposit: OfferedFile | NamedDay; files: OfferedFile[] }>();
  for (const file of found) {
    const day = rawNames?.dayOf(file.path);
    const name = day === undefined ? file.path : `${day.part}/${day.date}`;
    const work = works.get(name) ?? { deposit: day ?? file, files: [] };
    work.files.push(file);
    works.set(name, work);
  }
  const outcomes: ImportOutcome[] = [];
  const dates = new Set<CivilDate>();
  for (const { deposit, files } of works.values()) {
    control.progress(`taking in ${files.map(({ path }) => path).join(', ')}`);
    const outcome = await importDeposit(engine, pipeline, control, deposit);
    if (outcome === undefined) continue;
    outcomes.push(outcome);
    if ('code' in outcome && !isOfFile(outcome.code)) continue;
    for (const date of daysOf(engine, pipeline, outcome)) dates.add(date);
    await noteTaken(engine, pipeline, files, outcome);
  }
  // Late counts of a day lie in the folders of the days beside it.
  return {
    outcomes,
    dates: [...new Set([...dates, ...(outcomes.length === 0 ? [] : (only ?? []))])].sort(),
  };
}

/** Whether the file itself is at fault; anything else may go better at the next look. */
function isOfFile(code: ErrorCode): boolean {
  return code === 'INPUT_INVALID' || code.startsWith('SRC_') || code.startsWith('DATA_');
}

/**
 * Of a reference that holds for every day none: days are made with it from now on, and earlier ones
 * when somebody asks for them.
 */
function daysOf(engine: Engine, pipeline: string, outcome: ImportOutcome): CivilDate[] {
  if ('code' in outcome) return [];
  const { part: id, from, to } = outcome.recognised;
  const part = datasetOf(engine, pipeline).definition.parts.find(
    (candidate) => candidate.id === id,
  );
  const isUndated = part?.momentary === true && part.importWindow === 'all';
  return isUndated ? [] : datesBetween(from, to);
}

/**
 * Kept after the files were read: a run that broke off takes them in again, which changes nothing.
 */
async function noteTaken(
  engine: Engine,
  pipeline: string,
  files: readonly OfferedFile[],
  outcome: ImportOutcome,
): Promise<void> {
  const seenAt = engine.now().toISOString();
  const failure =
    'code' in outcome ? { failure: { code: outcome.code, message: outcome.message } } : undefined;
  for (const { path, version } of files) {
    const note: DepositNote = {
      etag: required(version, `the ETag of ${path}`),
      seenAt,
      ...failure,
    };
    await engine.documents.put(depositKey(pipeline, path), note);
  }
}
