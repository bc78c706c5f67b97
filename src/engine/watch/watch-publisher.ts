import { isOfPreviousDays } from '../../pipelines/lookback.ts';
import { addDays, datesBetween } from '../../pipelines/civil-date.ts';
import { httpSourceOf } from '../../pipelines/source-declaration.ts';
import type { Dataset } from '../../pipelines/dataset.ts';
import type { PipelineDefinition } from '../../pipelines/definition.ts';
import type { Manifest } from '../../pipelines/manifest.ts';
import { planDays } from '../../pipelines/plan.ts';
import { revisionOf } from '../../pipelines/revision.ts';
import { REVISIONS } from '../../pipelines/vocabulary.ts';
import type { CivilDate, Revision, StepId } from '../../pipelines/vocabulary.ts';
import { workWindows } from '../../pipelines/work-window.ts';
import { firstDayOf } from '../../pipelines/part-days.ts';
import { civilDateAt } from '../../pipelines/zoned-day.ts';
import type { DocumentKey } from '../../ports/documents.ts';
import { compareVersions } from '../look/compare-versions.ts';
import type { FolderRequest, WatchedPublisher } from '../contract.ts';
import { datasetOf } from '../engine.ts';
import type { Engine, StepControl } from '../engine.ts';
import { surveyDays } from '../plan/evidence.ts';
import { offeredFor } from '../download/fetch-raw.ts';
import { takeAllDeposits } from '../download/take-deposits.ts';
import { withSource } from '../sources/open-source.ts';
import { dueFiles } from './fetch-folder.ts';
import { SILENT, inPages } from '../in-pages.ts';
import type { PageControl } from '../in-pages.ts';
import { readManifests } from '../records/ledger-reader.ts';
import { planFromStores } from '../plan/plan-run.ts';

/**
 * Publishers revise at most about this far back before data are definitive; older days are left to
 * a backfill.
 */
const WATCHED_DAYS = 800;

/** The freshness value of each part at the last watch. */
export const WATCH_TABLE = 'watch';

/**
 * What a new version changed of the one before, as the watch found it; one partition per month of
 * days.
 */
export const REVISION_TABLE = 'revisions';

function watchKey(pipeline: string, part: string): DocumentKey {
  return { table: WATCH_TABLE, partition: pipeline, sort: part };
}

type Freshness = Readonly<Record<string, string | null>>;

/**
 * What the publisher's cheap freshness values and the age of its last answers say, and what other
 * programs have put under the raw names since: which finished days are to be asked for again, or
 * made of what was put there. With `folder` nothing but the folders of these parts is looked at.
 */
export async function watchPublisher(
  engine: Engine,
  control: StepControl,
  pipeline: string,
  folder?: FolderRequest,
): Promise<WatchedPublisher> {
  const dataset = datasetOf(engine, pipeline);
  const { definition } = dataset;
  if (folder !== undefined) {
    const due = await arrivedDays(engine, control, dataset, folder);
    return { freshness: {}, moved: [], windows: workWindows(definition, due), revisions: {} };
  }
  const today = civilDateAt(engine.now(), definition.zone);
  const dates = datesBetween(addDays(today, -WATCHED_DAYS), addDays(today, -1)).filter(
    (date) => date >= firstDayOf(definition),
  );
  const taken = new Set((await takeAllDeposits(engine, control, pipeline)).dates);
  const { freshness, moved } = await askFreshness(engine, control, pipeline);
  // A try that goes on behind the pages of another may have heard newer values: what they mean for
  // these pages is found at the next watch, because each delivery knows the value that it came
  // with.
  const pages = await inPages(control, dates, async (page) => [
    await lookAtDays(engine, definition, page, { freshness, taken }),
  ]);
  const revisions: Partial<Record<Revision, number>> = {};
  for (const page of pages) {
    for (const revision of REVISIONS) {
      const more = page.revisions[revision];
      if (more !== undefined) revisions[revision] = (revisions[revision] ?? 0) + more;
    }
  }
  const arrived = await arrivedDays(engine, control, dataset);
  const due = [...new Set([...pages.flatMap((page) => page.due), ...arrived])].sort();
  return { freshness, moved, windows: workWindows(definition, due), revisions };
}

/**
 * The days of which a folder has files that are not here yet, or could not be read, ascending. Each
 * folder is listed once.
 */
async function arrivedDays(
  engine: Engine,
  control: Pick<StepControl, 'signal' | 'progress'>,
  dataset: Dataset,
  folder?: FolderRequest,
): Promise<CivilDate[]> {
  const due = await dueFiles(engine, control, dataset, folder);
  return [...new Set(due.map(({ day }) => day.date))].sort();
}

async function askFreshness(
  engine: Engine,
  { signal }: Pick<StepControl, 'signal'>,
  pipeline: string,
): Promise<{ readonly freshness: Freshness; readonly moved: string[] }> {
  const dataset = datasetOf(engine, pipeline);
  const { definition } = dataset;
  const yesterday = addDays(civilDateAt(engine.now(), definition.zone), -1);
  const newest = { from: yesterday, to: yesterday };
  const freshness: Record<string, string | null> = {};
  const moved: string[] = [];
  for (const { part } of definition.steps) {
    const source = part === undefined ? undefined : httpSourceOf(dataset, part);
    if (part === undefined || source === undefined) continue;
    const offered = await withSource(engine, source, (opened) =>
      offeredFor(opened, newest, signal),
    );
    const now = offered.version ?? null;
    const before = await engine.documents.get<{ value: string | null }>(watchKey(pipeline, part));
    freshness[part] = now;
    if (now === null || before?.body.value !== now) moved.push(part);
  }
  return { freshness, moved };
}

interface WatchedDays {
  /** To be asked for again. */
  readonly due: readonly CivilDate[];
  readonly revisions: Readonly<Partial<Record<Revision, number>>>;
}

/** Records alone say it: no object is looked at. */
async function lookAtDays(
  engine: Engine,
  definition: PipelineDefinition,
  dates: readonly CivilDate[],
  { freshness, taken }: { readonly freshness: Freshness; readonly taken: ReadonlySet<CivilDate> },
): Promise<WatchedDays> {
  const { evidence, manifests } = await surveyDays(engine, definition, dates);
  const finished = planDays(definition, evidence, {}).filter(({ date }) => manifests.has(date));
  const delivered = new Map(evidence.map(({ date, deliveries }) => [date, deliveries]));
  const due = finished.filter(
    ({ date, steps }) =>
      taken.has(date) ||
      definition.steps.some(({ id, part }) => {
        const now = part === undefined ? undefined : freshness[part];
        if (part === undefined || now === undefined) return false;
        const asked = steps.find(({ step, action }) => step === id && action === 'recheck');
        // A publisher that tells no freshness is asked for the data themselves, as is one whose
        // last answer was not all of the day.
        const delivery = delivered.get(date)?.[part];
        const hasMoved =
          now === null || delivery?.freshness !== now || delivery.rivals !== undefined;
        return asked !== undefined && (hasMoved || asked.partial === true);
      }),
  );
  const made = finished.flatMap(({ date }) => manifests.get(date) ?? []);
  return { due: due.map(({ date }) => date), revisions: countRevisions(engine, definition, made) };
}

function countRevisions(
  engine: Pick<Engine, 'now'>,
  definition: PipelineDefinition,
  manifests: readonly Manifest[],
): Partial<Record<Revision, number>> {
  const counts: Partial<Record<Revision, number>> = {};
  for (const manifest of manifests) {
    const revision = revisionOf(definition, manifest, engine.now());
    if (revision !== undefined) counts[revision] = (counts[revision] ?? 0) + 1;
  }
  return counts;
}

/** The days whose newest download differs from what they were made of. */
export function changedDays(
  engine: Engine,
  pipeline: string,
  dates: readonly CivilDate[],
  control: PageControl = SILENT,
): Promise<CivilDate[]> {
  const { definition } = datasetOf(engine, pipeline);
  return inPages(control, [...dates].sort(), (page) => changedOf(engine, definition, page));
}

async function changedOf(
  engine: Engine,
  definition: PipelineDefinition,
  dates: readonly CivilDate[],
) {
  const { plans } = await planFromStores(engine, definition, dates, { offline: true });
  const downloads = new Set<StepId>(
    definition.steps.filter(({ part }) => part !== undefined).map(({ id }) => id),
  );
  // Days that only compare themselves with a changed one are the rollup's.
  const readers = new Set<StepId>(
    definition.steps
      .filter(({ inputs }) =>
        inputs.some((input) => !isOfPreviousDays(input) && downloads.has(input.step)),
      )
      .map(({ id }) => id),
  );
  return plans
    .filter(({ steps }) => steps.some(({ step, action }) => readers.has(step) && action === 'run'))
    .map(({ date }) => date);
}

/** Kept after the days were run: a watch that broke off asks again. */
export async function saveFreshness(
  engine: Pick<Engine, 'documents' | 'now'>,
  pipeline: string,
  freshness: Readonly<Record<string, string | null>>,
): Promise<void> {
  const checkedAt = engine.now().toISOString();
  for (const [part, value] of Object.entries(freshness))
    await engine.documents.put(watchKey(pipeline, part), { value, checkedAt });
}

/**
 * Keeps what changed between the last two versions of a day; returns their numbers, or null when
 * there is one version only.
 */
export async function keepRevision(
  engine: Engine,
  { signal }: Pick<StepControl, 'signal'>,
  pipeline: string,
  date: CivilDate,
): Promise<{ readonly from: number; readonly to: number } | null> {
  const versions = (await readManifests(engine.documents, pipeline, [date])).get(date) ?? [];
  const [before, after] = versions.slice(-2);
  if (before === undefined || after === undefined) return null;
  const key: DocumentKey = {
    table: REVISION_TABLE,
    partition: `${pipeline}/${date.slice(0, 7)}`,
    sort: `${date}/${String(after.version).padStart(6, '0')}`,
  };
  const kept = await engine.documents.get(key);
  if (kept === undefined)
    await engine.documents.put(key, await compareVersions(engine, before, after, signal));
  return { from: before.version, to: after.version };
}
