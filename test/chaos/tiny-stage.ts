import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { openAnnouncements } from '../../src/engine/publish/announcements.ts';
import { readManifests } from '../../src/engine/records/ledger-reader.ts';
import { proveObjects } from '../../src/engine/execute/proven-objects.ts';
import { publicationsOf } from '../../src/engine/publish/published.ts';
import { rollupFailure } from '../../src/cli/make/backfill-run.ts';
import { resultOf, startBackfill } from '../../src/cli/temporal/runs.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import type { Manifest } from '../../src/pipelines/manifest.ts';
import { periodsOf } from '../../src/pipelines/period.ts';
import type { CivilDate, Scope } from '../../src/pipelines/vocabulary.ts';
import { openEngine } from '../../src/workers/open-engine.ts';
import type { OpenEngine } from '../../src/workers/open-engine.ts';
import type { BackfillResult } from '../../src/workflows/backfill-tally.ts';
import type { day, DayResult } from '../../src/workflows/day.ts';
import { tinyDataset } from '../fixtures/tiny-dataset.ts';
import { startTinyPublisher } from '../fixtures/tiny-publisher.ts';
import type { TinyPublisher } from '../fixtures/tiny-publisher.ts';
import { openStage } from './stage.ts';
import type { Stage } from './stage.ts';

/** The stage on which the workers make days of the small pipeline, and its publisher. */
export interface TinyStage extends Stage {
  readonly publisher: TinyPublisher;
}

/** `dates`: what the publisher has published. */
export async function openTinyStage(dates: readonly CivilDate[]): Promise<TinyStage> {
  const publisher = await startTinyPublisher(dates);
  const stage = await openStage({
    QUOTIDIEN_TINY_URL: publisher.url,
    QUOTIDIEN_TINY_REQUESTS_PER_SECOND: '1000',
    // Periods are made while days still change.
    QUOTIDIEN_ROLLUP_QUIET_MS: '500',
  });
  return {
    ...stage,
    publisher,
    async close() {
      await stage.close();
      await publisher.close();
    },
  };
}

export async function runTinyBackfill(
  { client }: Stage,
  queue: string,
  range: { readonly from: CivilDate; readonly to: CivilDate },
): Promise<BackfillResult> {
  return resultOf(await startBackfill({ client, taskQueue: queue }, { pipeline: 'tiny', ...range }));
}

/** Makes what is derived from changed days; undefined, or why it could not be made. */
export function runTinyRollup({ client }: Stage, queue: string) {
  return rollupFailure({ client, taskQueue: queue }, 'tiny');
}

/** Asks the publisher again in a run of its own: after one that has begun before, which may have its answers already. */
export async function recheckDay({ client }: Stage, taskQueue: string, date: CivilDate): Promise<DayResult> {
  const workflowId = `day/tiny/${date}`;
  for (;;) {
    try {
      const args: [Parameters<typeof day>[0]] = [{ pipeline: 'tiny', date, recheck: true }];
      return await resultOf(
        await client.workflow.start<typeof day>('day', {
          workflowId,
          taskQueue,
          args,
          workflowIdConflictPolicy: 'FAIL',
        }),
      );
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      await resultOf(client.workflow.getHandle<typeof day>(workflowId));
    }
  }
}

/** What the stores of a home hold of days and their periods, without anything that names a run or a time. */
export interface TinyContents {
  /** Verdict, and the hashes by step of the newest version; by scope. */
  readonly newest: Readonly<Record<Scope, unknown>>;
  /** Name and hash of everything that users read, as the newest versions name it. */
  readonly published: Readonly<Record<string, string>>;
  /** What must not be. */
  readonly wrong: readonly string[];
}

/** A page is made for days that run alone: whether a day did is a matter of chance. */
const BY_CHANCE = 'report/page';

export async function tinyContents(home: string, dates: readonly CivilDate[]): Promise<TinyContents> {
  const tiny = tinyDataset();
  const engine = await openEngine(loadConfig({ env: {}, cwd: home, home, hosts: ['tiny'] }), { tiny });
  try {
    const scopes = [...dates, ...tiny.definition.rollups.flatMap(({ grain }) => periodsOf(grain, dates))];
    const manifests = await readManifests(engine.documents, 'tiny', scopes);
    const newest = [...manifests.values()].flatMap((versions) => versions.slice(-1));
    const named = newest.flatMap((manifest) => publicationsOf(tiny.definition, manifest));
    const published = Object.fromEntries(named.map(({ key, ref }) => [key, ref.sha256]));
    const open = await openAnnouncements(engine.documents, 'tiny');
    return {
      newest: Object.fromEntries(newest.map((manifest) => [manifest.scope, contentOf(manifest)])),
      published,
      wrong: [
        ...[...manifests].flatMap(([scope, versions]) => wrongVersions(scope, versions)),
        ...(await wrongObjects(engine, newest)),
        ...(await wrongNames(engine, named)),
        ...open.map(({ scope, version }) => `version ${version} of ${scope} is still announced`),
      ],
    };
  } finally {
    await engine.close();
  }
}

function contentOf({ verdict, steps }: Manifest): unknown {
  const kept = Object.entries(steps).filter(([step]) => step !== BY_CHANCE);
  return [verdict, kept.map(([step, state]) => [step, state.state === 'done' ? hashesOf(state.outputs) : state])];
}

function hashesOf(outputs: Readonly<Record<string, { readonly sha256: string }>>): readonly unknown[] {
  return Object.entries(outputs).map(([name, { sha256 }]) => [name, sha256]);
}

/** Versions are 1, 2, 3 and so on, and each says something new. */
function wrongVersions(scope: Scope, versions: readonly Manifest[]): string[] {
  const said = ({ verdict, steps, decisions }: Manifest): string =>
    JSON.stringify([
      verdict,
      Object.entries(steps)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([step, state]) => [step, state.state === 'done' ? [state.key, hashesOf(state.outputs)] : state]),
      decisions.length,
    ]);
  return versions.flatMap((manifest, place) => {
    const before = versions[place - 1];
    const gap = manifest.version === place + 1 ? [] : [`version ${place + 1} of ${scope} is missing`];
    const same = before !== undefined && said(before) === said(manifest);
    return [...gap, ...(same ? [`versions ${before.version} and ${manifest.version} of ${scope} say the same`] : [])];
  });
}

/** Whatever a newest version names is there, with its bytes. */
async function wrongObjects({ objects }: OpenEngine, newest: readonly Manifest[]): Promise<string[]> {
  const proven = proveObjects(objects);
  const wrong: string[] = [];
  for (const { scope, steps } of newest) {
    const done = Object.values(steps).flatMap((state) => (state.state === 'done' ? Object.values(state.outputs) : []));
    for (const ref of done) {
      const state = await proven.stateOf(ref);
      if (state !== 'intact') wrong.push(`${ref.key} of ${scope} is ${state}`);
    }
  }
  return wrong;
}

/** What users read is what the newest versions name, and nothing else is there. */
async function wrongNames({ objects }: OpenEngine, named: ReturnType<typeof publicationsOf>): Promise<string[]> {
  const proven = proveObjects(objects);
  const wrong: string[] = [];
  for (const { key, ref } of named) {
    const state = await proven.stateOf({ ...ref, key });
    if (state !== 'intact') wrong.push(`the published ${key} is ${state}`);
  }
  const known = new Set(named.map(({ key }) => key));
  for (const prefix of ['reports/tiny/daily_report_', '02_clean/tiny']) {
    for await (const { key } of objects.list(prefix)) if (!known.has(key)) wrong.push(`${key} belongs to no version`);
  }
  return wrong;
}
