import { FAILURE_TABLE } from '../../pipelines/ledger.ts';
import type { FailureRecord } from '../../pipelines/ledger.ts';
import type { Manifest } from '../../pipelines/manifest.ts';
import { isPeriod } from '../../pipelines/scope.ts';
import type { CivilDate, Scope } from '../../pipelines/vocabulary.ts';
import type { DocumentStore } from '../../ports/documents.ts';
import type { Engine } from '../engine.ts';
import { newestManifests } from '../records/ledger-reader.ts';
import { changedDays } from './watch-publisher.ts';

/** Days that a host was working on while a store was away, by pipeline. */
export type ScopesByPipeline = Readonly<Record<string, readonly Scope[]>>;

/**
 * The days that an outage left short of something, once the stores are there again: those that
 * failed, or went on without a part, because a store did not answer, and those whose newest
 * delivery is not what they were made of, because two hosts delivered. When a replay had to decide
 * between two hosts, all days of the outage: the plan finds what each still lacks, such as a
 * published name.
 */
export async function daysAgain(
  engine: Engine,
  marked: ScopesByPipeline,
  decided: boolean,
): Promise<Record<string, CivilDate[]>> {
  const again = new Map<string, Set<CivilDate>>();
  const add = (pipeline: string, dates: readonly CivilDate[]): void => {
    const known = again.get(pipeline) ?? new Set();
    for (const date of dates) known.add(date);
    if (known.size > 0) again.set(pipeline, known);
  };
  for (const [pipeline, scopes] of Object.entries(marked)) {
    const dates = scopes.filter((scope) => !isPeriod(scope));
    if (decided) add(pipeline, dates);
    else {
      const manifests = await newestManifests(engine.documents, pipeline, dates);
      add(
        pipeline,
        dates.filter((date) => lacksPart(manifests.get(date))),
      );
      add(pipeline, await changedDays(engine, pipeline, dates));
    }
  }
  for (const { pipeline, date } of await failedForStores(engine.documents)) {
    if (Object.hasOwn(engine.datasets, pipeline)) add(pipeline, [date]);
  }
  return Object.fromEntries([...again].map(([pipeline, dates]) => [pipeline, [...dates].sort()]));
}

function lacksPart(manifest: Manifest | undefined): boolean {
  return Object.values(manifest?.steps ?? {}).some((step) => {
    if (step.state === 'failed') return step.code === 'STORE_UNAVAILABLE';
    return step.state === 'done' && step.kept?.code === 'STORE_UNAVAILABLE';
  });
}

/** Days whose last run failed because a store did not answer. */
async function failedForStores(
  documents: DocumentStore,
): Promise<{ pipeline: string; date: CivilDate }[]> {
  const failed: { pipeline: string; date: CivilDate }[] = [];
  for await (const partition of documents.partitions(FAILURE_TABLE)) {
    const [pipeline = ''] = partition.split('/', 1);
    for await (const { body } of documents.query<FailureRecord>({
      table: FAILURE_TABLE,
      partition,
    })) {
      if (body.code === 'STORE_UNAVAILABLE' && !isPeriod(body.scope))
        failed.push({ pipeline, date: body.scope });
    }
  }
  return failed;
}
