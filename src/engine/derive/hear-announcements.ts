import { lookbacksOf } from '../../pipelines/lookback.ts';
import { announcementKey } from '../../pipelines/announcement.ts';
import type { Announcement } from '../../pipelines/announcement.ts';
import { addDays, datesBetween } from '../../pipelines/civil-date.ts';
import type { PipelineDefinition } from '../../pipelines/definition.ts';
import type { FailedWork } from '../../pipelines/failed-work.ts';
import { periodsReached, spanAt } from '../../pipelines/period-graph.ts';
import type { Span } from '../../pipelines/period-graph.ts';
import { datesOfPeriod } from '../../pipelines/period.ts';
import { WHOLE_HISTORY, isPeriod } from '../../pipelines/scope.ts';
import type { CivilDate, Period, Scope } from '../../pipelines/vocabulary.ts';
import { openAnnouncements } from '../publish/announcements.ts';
import type { HeardChanges, HeardRange } from '../contract.ts';
import { readDegraded } from '../records/degraded.ts';
import { datasetOf } from '../engine.ts';
import type { Engine, StepControl } from '../engine.ts';
import { readFailures, recordFailure } from '../records/failures.ts';
import { lastVersions } from '../records/ledger-reader.ts';
import { removeDocuments } from '../records/remove-documents.ts';
import { fenceOf } from '../publish/publish-versions.ts';
import { publicationsOf, withdraw, withdrawnNames } from '../publish/published.ts';
import {
  deleteRecords,
  recordName,
  recordsOf,
  withdrawnRecords as withdrawnRecordsOf,
} from '../publish/records.ts';
import { resolveDerived } from '../plan/resolve-derived.ts';

/**
 * Keeps the message well under its limit, whatever the versions are. Days that a backfill made are
 * one range.
 */
const MAX_RANGES = 800;

/** What all open announcements, and the dates that somebody gave besides, have for others to do. */
export async function hearAnnouncements(
  engine: Engine,
  control: Pick<StepControl, 'progress' | 'checkpoint'>,
  pipeline: string,
  dates: readonly CivilDate[],
): Promise<HeardChanges> {
  const open = await openAnnouncements(engine.documents, pipeline);
  const degraded = await readDegraded(
    engine,
    pipeline,
    open.map(({ scope }) => scope),
  );
  // Days that were made while a store was away are on one host alone; their reconciliation wakes
  // the rollup again.
  const ranges = rangesOf(open.filter(({ scope }) => !degraded.has(scope)));
  const heard = ranges.slice(0, MAX_RANGES);
  const { definition } = datasetOf(engine, pipeline);
  const days = heard.flatMap(({ from, to }) =>
    isPeriod(from) ? [dayWithin(definition, from)] : datesBetween(from, to),
  );
  const changed = [...new Set([...days, ...dates])].sort();
  const work = await resolveDerived(engine, pipeline, changed, control);
  return { ...work, heard, more: ranges.length > heard.length };
}

/** A day that has the period made again, and what is made from it. */
function dayWithin({ since }: PipelineDefinition, period: Period): CivilDate {
  if (period === WHOLE_HISTORY) return since;
  const { from } = datesOfPeriod(period);
  return from < since ? since : from;
}

/** Each scope once, with its newest announced version. */
function rangesOf(announcements: readonly Announcement[]): HeardRange[] {
  const newest = new Map<Scope, number>();
  for (const { scope, version } of announcements)
    newest.set(scope, Math.max(version, newest.get(scope) ?? 0));
  const ranges: { from: Scope; to: Scope; version: number }[] = [];
  for (const [scope, version] of [...newest].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const last = ranges.at(-1);
    const follows =
      last !== undefined && !isPeriod(last.to) && !isPeriod(scope) && addDays(last.to, 1) === scope;
    if (follows && last.version === version) last.to = scope;
    else ranges.push({ from: scope, to: scope, version });
  }
  return ranges;
}

/**
 * Ends the announcements that were heard and whose work is done: names that they take back are
 * withdrawn for good, and the records are removed. Those on which failed work depends stay, and the
 * failure is recorded.
 */
export async function closeAnnouncements(
  engine: Engine,
  control: StepControl,
  pipeline: string,
  heard: readonly HeardRange[],
  failed: readonly FailedWork[],
): Promise<void> {
  const { definition } = datasetOf(engine, pipeline);
  await recordFailures(engine, control, pipeline, failed);
  const versions = new Map(
    heard.flatMap(({ from, to, version }) =>
      (isPeriod(from) ? [from] : datesBetween(from, to)).map((scope) => [scope, version] as const),
    ),
  );
  const open = await openAnnouncements(engine.documents, pipeline);
  const span = spanAt(definition, engine.now());
  const done = open.filter(
    ({ scope, version }) =>
      version <= (versions.get(scope) ?? 0) && !needs(definition, span, scope, failed),
  );
  await withdrawAnnounced(engine, definition, done);
  await removeDocuments(engine.documents, done.map(announcementKey));
}

/** Those that were not recorded where they happened, because a worker was lost, say. */
async function recordFailures(
  engine: Engine,
  control: StepControl,
  pipeline: string,
  failed: readonly FailedWork[],
): Promise<void> {
  for (const { step, scopes, code, message } of failed) {
    const known = await readFailures(engine.documents, pipeline, scopes);
    const untold = scopes.filter((scope) => known.get(scope)?.runId !== control.execution.runId);
    for (const scope of untold)
      await recordFailure(engine, control, pipeline, scope, { step, code, message });
  }
}

/** Whether some of the failed work is made from this scope. */
function needs(
  definition: PipelineDefinition,
  span: Span,
  scope: Scope,
  failed: readonly FailedWork[],
): boolean {
  if (failed.length === 0) return false;
  const date = isPeriod(scope) ? dayWithin(definition, scope) : scope;
  const readers = new Set([
    ...lookbacksOf(definition).map((days) => addDays(date, days)),
    ...[...periodsReached(definition, span, [date]).values()].flat(),
  ]);
  return failed.some(({ scopes }) => scopes.some((other) => readers.has(other)));
}

/**
 * Removes the names that were taken back and that no newer version has again. Which these are is
 * asked of the versions: of two runs that announced the same version, the one that lost the race
 * may have written what is announced.
 */
async function withdrawAnnounced(
  engine: Engine,
  definition: PipelineDefinition,
  announcements: readonly Announcement[],
): Promise<void> {
  // A first version takes nothing back.
  const scopes = announcements.filter(({ version }) => version > 1).map(({ scope }) => scope);
  const versions = await lastVersions(engine.documents, definition.name, [...new Set(scopes)]);
  for (const all of versions.values()) {
    const newest = all.at(-1);
    if (newest === undefined) continue;
    const own = announcements.filter(({ scope }) => scope === newest.scope);
    const names = new Set(publicationsOf(definition, newest).map(({ key }) => key));
    const records = new Set(recordsOf(definition, newest).map(({ key }) => recordName(key)));
    const announced = own
      .flatMap(({ withdrawn = [] }) => withdrawn)
      .filter((name) => !names.has(name));
    const gone = new Set([
      ...announced,
      ...all.flatMap((before) => withdrawnNames(definition, before, newest)),
    ]);
    const announcedRecords = own.flatMap(({ withdrawnRecords = [] }) =>
      withdrawnRecords.map((key) => ({ key })),
    );
    const goneRecords = [
      ...announcedRecords.filter(({ key }) => !records.has(recordName(key))),
      ...all.flatMap((before) => withdrawnRecordsOf(definition, before, newest)),
    ];
    // `STORE_CONFLICT` when a newer version came meanwhile: tried again, it looks at that one.
    const fence = fenceOf(engine.documents, newest);
    await withdraw(engine, [...gone], fence);
    await deleteRecords(engine, goneRecords, fence);
  }
}
