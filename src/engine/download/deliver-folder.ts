import { definedMembers, firstOf, lastOf, nthOf } from '../../given.ts';
import { addDays } from '../../pipelines/civil-date.ts';
import type { DecodedFile } from '../../pipelines/dataset.ts';
import type { FetchWindow, FolderSource } from '../../pipelines/source-declaration.ts';
import type { Origin } from '../../pipelines/ledger.ts';
import { compareAnswers } from '../../pipelines/receipt.ts';
import type { Receipt } from '../../pipelines/receipt.ts';
import type { StepDone, StepFailed } from '../../pipelines/run-steps.ts';
import type { CivilDate } from '../../pipelines/vocabulary.ts';
import { putContent } from '../content-store.ts';
import { doneWith, lost } from '../execute/execute-step.ts';
import { saveReceipt, takeSequence } from '../records/delivery-order.ts';
import { damageUnlessDestroyed } from '../records/forgotten.ts';
import { readLedger, readReceipts } from '../records/ledger-reader.ts';
import { noteSeen, surveyFolder } from '../sources/arrivals.ts';
import type { DueFile } from '../sources/arrivals.ts';
import { withSource } from '../sources/open-source.ts';
import { openStoredSource } from '../sources/stored-source.ts';
import { bringDay, joinedRaw, keptFiles, noteCame, originOf } from './bring-files.ts';
import type { Delivering, Gathered } from './bring-files.ts';
import { commonPlaces } from './common-places.ts';
import type { Download } from './cut-slices.ts';
import { deliverFresh } from './deliver-fresh.ts';
import { deliverImport } from './deliver-import.ts';
import { SEALED } from './keep-delivered.ts';
import { filesBelow } from './join-files.ts';
import { partOf } from './save-answer.ts';

/**
 * Days of a part whose files come into a folder: fetch what is new, keep it under its name, read
 * the day's files together.
 */

/**
 * Fetches what the folder has for these days and the journal lacks, and cuts each day anew that got
 * something. A file of which nothing can be read is a part of its day; a file that does not come is
 * tried again, and on the last try noted as failed.
 */
export async function deliverFolder(
  download: Download,
  declaration: FolderSource,
  dates: readonly CivilDate[],
): Promise<(StepDone | StepFailed)[]> {
  const { engine, control, dataset, part, force } = download;
  return withSource(engine, declaration, async (source) => {
    const request = {
      pipeline: dataset.definition.name,
      declaration,
      parts: [part.id],
      again: force,
    };
    const { due, isSample } = await surveyFolder(engine, source, request, control);
    const delivering: Delivering = { ...download, source, isSample };
    const { without, fresh } = await sortDays(delivering, dates, due);
    const together = await deliverFresh(delivering, fresh, due);
    const answers = [...together.answers];
    const made = new Set(answers.map(({ date }) => date));
    let empty: CivilDate[] = [];
    const endEmpty = async (): Promise<void> => {
      if (empty.length > 0) answers.push(...(await deliverEmpty(delivering, empty)));
      empty = [];
    };
    for (const date of dates) {
      if (made.has(date)) continue;
      if (!follows(empty, date)) await endEmpty();
      if (without.has(date)) {
        empty.push(date);
        continue;
      }
      const gathered = await gather(delivering, date, due, together.left.get(date));
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

/** Days by what is known of them. */
interface SortedDays {
  /** Nothing is due, known or kept. */
  readonly without: ReadonlySet<CivilDate>;
  /** Something is due, and nothing known or kept. */
  readonly fresh: readonly CivilDate[];
}

/**
 * The days of which nothing is known. They are looked up together: of most parts that is nearly
 * every day. A day that is alone is looked up by `gather`.
 */
async function sortDays(
  { engine, control, dataset, part, force }: Delivering,
  dates: readonly CivilDate[],
  due: readonly DueFile[],
): Promise<SortedDays> {
  if (dates.length < 2) return { without: new Set(), fresh: [] };
  const range = { first: firstOf(dates), last: lastOf(dates) };
  const receipts = force
    ? []
    : await readReceipts(engine.documents, dataset.definition.name, part, range);
  const places = dates.map((date) => dataset.rawNames?.besides({ part: part.id, date }) ?? []);
  const kept = await filesBelow(openStoredSource(engine), commonPlaces(places), control);
  const known = new Set(receipts.flatMap(({ days }) => Object.keys(days)));
  const unknown = dates.filter(
    (date, index) =>
      !known.has(date) &&
      !kept.some(({ path }) => nthOf(places, index).some((place) => path.startsWith(place))),
  );
  const came = new Set(due.map(({ day }) => day.date));
  const joins = part.decoding !== undefined && part.addsUp !== true && !force;
  return {
    without: new Set(unknown.filter((date) => !came.has(date))),
    fresh: joins ? unknown.filter((date) => came.has(date)) : [],
  };
}

/**
 * Fetches what is due of a day, and lists what is kept of it; or what is known of a day to which
 * nothing came.
 */
async function gather(
  delivering: Delivering,
  date: CivilDate,
  due: readonly DueFile[],
  came: Gathered | undefined,
): Promise<Gathered | { readonly known: StepDone }> {
  const { engine, dataset, force } = delivering;
  // Others may have put files beside them.
  if (came !== undefined) return { ...came, files: await keptFiles(delivering, date) };
  const own = due.filter(({ day }) => day.date === date);
  await noteSeen(engine, dataset.definition.name, own);
  const gathered = await bringDay(delivering, date, own);
  if (gathered.came.size > 0 || force) return gathered;
  const known = await confirmKnown(delivering, date);
  return known === undefined ? gathered : { known };
}

/** Days that follow each other and have no file: one empty raw file stands for all of them. */
async function deliverEmpty(
  delivering: Delivering,
  dates: readonly CivilDate[],
): Promise<(StepDone | StepFailed)[]> {
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
  gathered: Gathered,
): Promise<StepDone | StepFailed> {
  const { files } = gathered;
  const decoded: DecodedFile[] = [];
  const raw = await joinedRaw(delivering, date, files);
  const origin = originOf(delivering, files[0], raw);
  const { days } = await take(
    delivering,
    { from: date, to: date },
    origin,
    (own) => void decoded.push(...own),
  );
  await noteCame(delivering, gathered, decoded);
  return days[0] ?? lost(delivering.step, date);
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

/**
 * What the day has already, confirmed by this listing; undefined when it has nothing, or not all of
 * it is there any more.
 */
async function confirmKnown(
  delivering: Delivering,
  date: CivilDate,
): Promise<StepDone | undefined> {
  const { engine, dataset, part, step } = delivering;
  const { name: pipeline } = dataset.definition;
  const receipts = await readReceipts(engine.documents, pipeline, part, {
    first: date,
    last: date,
  });
  const known = receipts.sort(compareAnswers).findLast((receipt) => date in receipt.days);
  const key = known?.days[date];
  const entries = (await readLedger(engine.documents, pipeline, [date])).get(date) ?? [];
  const entry = entries.find(
    (one) => one.step === step.id && one.key === key && one.version === step.version,
  );
  if (known === undefined || entry === undefined) return undefined;
  for (const ref of [known.origin.raw, ...Object.values(entry.outputs)])
    if ((await damageUnlessDestroyed(engine, pipeline, ref)) !== undefined) return undefined;
  const numbered = await takeSequence(engine.documents, partOf(delivering), receipts);
  const checkedAt = engine.now().toISOString();
  await saveReceipt(engine.documents, { ...known, checkedAt, ...numbered } satisfies Receipt);
  return doneWith(step, entry, 'reused');
}
