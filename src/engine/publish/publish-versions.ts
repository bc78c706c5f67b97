import { PipelineError, errorCodeOf } from '../../errors.ts';
import type { PipelineDefinition } from '../../pipelines/definition.ts';
import { manifestKey, newerVersions } from '../../pipelines/manifest.ts';
import type { Manifest } from '../../pipelines/manifest.ts';
import type { CivilDate, Scope } from '../../pipelines/vocabulary.ts';
import type { DocumentStore } from '../../ports/documents.ts';
import type { PutFence } from '../../ports/objects.ts';
import { datasetOf } from '../engine.ts';
import type { Engine } from '../engine.ts';
import { lastVersions } from '../records/ledger-reader.ts';
import { mapConcurrent } from '../map-concurrent.ts';
import { publishCalendar } from './publish-calendar.ts';
import {
  namesLeft,
  publicationsOf,
  publish,
  unpublished,
  withdraw,
  withdrawnNames,
} from './published.ts';
import { deleteRecords, recordsOf, withdrawnRecords, writeRecords } from './records.ts';

const SCOPES_AT_ONCE = 8;

/**
 * Makes the published names and records of scopes show their newest versions, whoever has created
 * these. Every write is fenced, and the newest versions are looked at again at the end: whoever
 * writes last has seen what is newest. Doing it again changes nothing.
 */
export async function publishNewest(
  engine: Engine,
  definition: PipelineDefinition,
  scopes: readonly Scope[],
): Promise<void> {
  await publishAll(engine, definition, scopes);
  await publishCalendar(engine, definition, scopes);
}

async function publishAll(
  engine: Engine,
  definition: PipelineDefinition,
  scopes: readonly Scope[],
): Promise<void> {
  const published = new Map<Scope, number>();
  const refused = new Map<Scope, number>();
  for (let left = scopes; ;) {
    const versions = await lastVersions(engine.documents, definition.name, left);
    const behind = [...versions.values()].filter(
      (all) => published.get(scopeOf(all)) !== newestOf(all).version,
    );
    if (behind.length === 0) return;
    await mapConcurrent(behind, SCOPES_AT_ONCE, async (all) => {
      const { scope, version } = newestOf(all);
      if (refused.get(scope) === version) throw stillRefused(newestOf(all));
      const passed = await publishVersion(engine, definition, all);
      (passed ? published : refused).set(scope, version);
    });
    left = behind.map(scopeOf);
  }
}

/** Has the published names of finished days show what these are made of. */
export async function publishDays(
  engine: Engine,
  pipeline: string,
  dates: readonly CivilDate[],
): Promise<void> {
  await publishNewest(engine, datasetOf(engine, pipeline).definition, dates);
}

/** Publishes the last of these versions; false when a newer one has the names by now. */
async function publishVersion(
  engine: Engine,
  definition: PipelineDefinition,
  all: readonly Manifest[],
) {
  const newest = newestOf(all);
  const fence = fenceOf(engine.documents, newest);
  // Also what versions before the last one had: the run that was to withdraw it may have been
  // killed.
  const names = new Set(all.flatMap((before) => withdrawnNames(definition, before, newest)));
  const gone = all.flatMap((before) => withdrawnRecords(definition, before, newest));
  try {
    // Records first: whether a day is published is asked of its objects, so a crash in between is
    // seen and mended.
    await writeRecords(engine, recordsOf(definition, newest), fence);
    await deleteRecords(engine, gone, fence);
    const wrong = await unpublished(engine, publicationsOf(definition, newest), {
      unlessKnown: true,
    });
    await publish(engine, wrong, fence);
    await withdraw(engine, [...names], fence);
    return true;
  } catch (error) {
    if (errorCodeOf(error) !== 'STORE_CONFLICT') throw error;
    return false;
  }
}

/**
 * Holds while there is no newer version. Not asked of the next one alone: a row that could not be
 * read may have been set aside.
 */
export function fenceOf(
  documents: DocumentStore,
  { pipeline, scope, version }: Manifest,
): PutFence {
  const of = manifestKey(pipeline, scope, version);
  const newer = { ...newerVersions(of), limit: 1 };
  const holds = async (): Promise<boolean> => {
    for await (const _ of documents.query(newer)) return false;
    return true;
  };
  return { version, of, holds };
}

function newestOf(all: readonly Manifest[]): Manifest {
  const newest = all.at(-1);
  if (newest === undefined)
    throw new PipelineError('INTERNAL', 'a scope without versions has nothing to publish');
  return newest;
}

function scopeOf(all: readonly Manifest[]): Scope {
  return newestOf(all).scope;
}

function stillRefused({ pipeline, scope, version }: Manifest): PipelineError {
  const message = `version ${version} of ${pipeline} ${scope} was not published: its names are being written by others`;
  return new PipelineError('STORE_CONFLICT', message);
}

/**
 * What is wrong with the published names of days or periods, by scope: missing, other bytes, or of
 * an earlier version and still there.
 */
export async function unpublishedScopes(
  engine: Engine,
  definition: PipelineDefinition,
  scopes: readonly (readonly Manifest[])[],
): Promise<Map<Scope, string[]>> {
  const wrong = new Map<Scope, string[]>();
  await mapConcurrent(scopes, SCOPES_AT_ONCE, async (all) => {
    const newest = all.at(-1);
    if (newest === undefined) return;
    const behind = (await unpublished(engine, publicationsOf(definition, newest))).map(
      ({ key }) => key,
    );
    const withdrawn = new Set(all.flatMap((before) => withdrawnNames(definition, before, newest)));
    const found = [...behind, ...(await namesLeft(engine, [...withdrawn]))];
    if (found.length > 0) wrong.set(newest.scope, found);
  });
  return wrong;
}
