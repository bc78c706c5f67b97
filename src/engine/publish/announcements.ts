import { isOfPreviousDays } from '../../pipelines/lookback.ts';
import { ANNOUNCEMENT_TABLE, announcementKey } from '../../pipelines/announcement.ts';
import type { Announcement } from '../../pipelines/announcement.ts';
import type { PipelineDefinition } from '../../pipelines/definition.ts';
import type { Manifest } from '../../pipelines/manifest.ts';
import { isPeriod } from '../../pipelines/scope.ts';
import type { Scope, StepId } from '../../pipelines/vocabulary.ts';
import type { DocumentStore } from '../../ports/documents.ts';
import { newestManifests } from '../records/ledger-reader.ts';
import { withdrawnNames } from './published.ts';
import { withdrawnRecords } from './records.ts';

/** A version that is about to be created, and the one that it follows. */
export interface NewVersion {
  readonly manifest: Manifest;
  readonly before: Manifest | undefined;
}

/**
 * Writes what there is to tell about these versions, before they are created: a crash in between
 * leaves an announcement of a version that is not there, which counts for nothing until it is.
 */
export async function announceVersions(
  documents: DocumentStore,
  definition: PipelineDefinition,
  versions: readonly NewVersion[],
): Promise<void> {
  const shared = sharedSteps(definition);
  const announcements = versions.flatMap(({ manifest, before }): Announcement[] => {
    const names = before === undefined ? [] : withdrawnNames(definition, before, manifest);
    const records =
      before === undefined
        ? []
        : withdrawnRecords(definition, before, manifest).map(({ key }) => key);
    const affects = !isPeriod(manifest.scope) && manifest.changed.some((step) => shared.has(step));
    if (!affects && names.length + records.length === 0) return [];
    const { pipeline, scope, version } = manifest;
    return [
      {
        pipeline,
        scope,
        version,
        ...(names.length === 0 ? {} : { withdrawn: names }),
        ...(records.length === 0 ? {} : { withdrawnRecords: records }),
      },
    ];
  });
  await documents.createMany(announcements.map((body) => ({ key: announcementKey(body), body })));
}

/**
 * Announces the newest versions of days and periods once more, whatever has changed in them. A
 * period is announced also while it has no version: its days may have one that those who were to
 * make it did not know of.
 */
export async function announceAgain(
  documents: DocumentStore,
  pipeline: string,
  scopes: readonly Scope[],
): Promise<void> {
  const newest = await newestManifests(documents, pipeline, scopes);
  const announcements = scopes.flatMap((scope): Announcement[] => {
    const version = newest.get(scope)?.version ?? (isPeriod(scope) ? 0 : undefined);
    return version === undefined ? [] : [{ pipeline, scope, version }];
  });
  await documents.createMany(announcements.map((body) => ({ key: announcementKey(body), body })));
}

/**
 * The steps whose outputs are read by later days or by periods: only their changes make anything
 * else stale.
 */
function sharedSteps(definition: PipelineDefinition): Set<StepId> {
  const byDays = definition.steps.flatMap((step) =>
    step.inputs.filter((input) => isOfPreviousDays(input) && input.asOf?.pipeline === undefined),
  );
  const byPeriods = definition.rollups.flatMap((rollup) => rollup.inputs);
  const own = byPeriods.filter((input) => input.asOf?.pipeline === undefined);
  return new Set([...byDays, ...own].map((input) => input.step));
}

/**
 * The announcements of these versions and of versions before them that nobody has finished with
 * yet.
 */
export async function announcementsOf(
  documents: DocumentStore,
  pipeline: string,
  newest: ReadonlyMap<Scope, Pick<Manifest, 'version'>>,
): Promise<Announcement[]> {
  const scopes = [...newest.keys()].sort();
  const [first, last] = [scopes[0], scopes.at(-1)];
  if (first === undefined || last === undefined) return [];
  const found: Announcement[] = [];
  const range = { from: `${first}/`, to: `${last}${AFTER_SLASH}` };
  for await (const { body } of documents.query<Announcement>({
    table: ANNOUNCEMENT_TABLE,
    partition: pipeline,
    ...range,
  })) {
    if (body.version <= (newest.get(body.scope)?.version ?? 0)) found.push(body);
  }
  return found;
}

/** Sorts after everything that begins with a scope and `/`. */
const AFTER_SLASH = '0';

/** Every open announcement of a pipeline by scope, of versions that came to be. */
export async function openAnnouncements(
  documents: DocumentStore,
  pipeline: string,
): Promise<Announcement[]> {
  const announced: Announcement[] = [];
  for await (const { body } of documents.query<Announcement>({
    table: ANNOUNCEMENT_TABLE,
    partition: pipeline,
  }))
    announced.push(body);
  const newest = await newestManifests(documents, pipeline, [
    ...new Set(announced.map(({ scope }) => scope)),
  ]);
  return announced.filter(({ scope, version }) => version <= (newest.get(scope)?.version ?? 0));
}
