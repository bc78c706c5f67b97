import { PROMISES, promiseKey, scopeOfObject } from '../../pipelines/garbage.ts';
import type { GarbagePromise } from '../../pipelines/garbage.ts';
import { isPeriod } from '../../pipelines/scope.ts';
import type { Scope } from '../../pipelines/vocabulary.ts';
import type { DocumentKey, DocumentStore } from '../../ports/documents.ts';
import { datasetOf } from '../engine.ts';
import type { Engine, StepControl } from '../engine.ts';
import { removeDocuments } from './remove-documents.ts';

/**
 * Besides the time that it may be held: a run waits for its publication, for workers, for a store.
 */
const LONGEST_RUN_DAYS = 14;

const DAY_MS = 86_400_000;

type RunOf = Pick<StepControl, 'execution'>;

/**
 * Has the garbage collection leave everything of these scopes alone until the run commits them.
 * Before anything is read for a plan.
 */
export async function promiseScopes(
  engine: Pick<Engine, 'datasets' | 'documents' | 'now'>,
  { execution }: RunOf,
  pipeline: string,
  scopes: readonly Scope[],
): Promise<void> {
  const { holdDays } = datasetOf(engine, pipeline).definition.publication;
  const until = new Date(
    engine.now().getTime() + (LONGEST_RUN_DAYS + holdDays) * DAY_MS,
  ).toISOString();
  const { workflowId, runId } = execution;
  for (const [part, of] of byPart(scopes)) {
    const promise: GarbagePromise = { pipeline, scopes: of, until, workflowId, runId };
    await engine.documents.put(promiseKey(promise, part), promise);
  }
}

/** The run has committed these scopes, or found nothing to do. */
export async function endPromises(
  { documents }: Pick<Engine, 'documents'>,
  { execution }: RunOf,
  pipeline: string,
  scopes: readonly Scope[],
): Promise<void> {
  const run = { pipeline, runId: execution.runId };
  await removeDocuments(
    documents,
    [...byPart(scopes).keys()].map((part) => promiseKey(run, part)),
  );
}

function byPart(scopes: readonly Scope[]): Map<string, Scope[]> {
  const parts = new Map<string, Scope[]>();
  for (const scope of scopes) {
    const part = isPeriod(scope) ? scope : scope.slice(0, 7);
    parts.set(part, [...(parts.get(part) ?? []), scope]);
  }
  return parts;
}

/** The promises that hold. */
async function* promisesAt(documents: DocumentStore, now: Date): AsyncGenerator<GarbagePromise> {
  for await (const { body } of documents.query<GarbagePromise>(PROMISES))
    if (Date.parse(body.until) > now.getTime()) yield body;
}

/** Whether a run that has not ended may rely on the object. */
export async function isPromised(
  documents: DocumentStore,
  key: string,
  now: Date,
): Promise<boolean> {
  const scope = scopeOfObject(key);
  for await (const { body } of documents.query<GarbagePromise>(PROMISES)) {
    if (
      Date.parse(body.until) > now.getTime() &&
      (scope === undefined || body.scopes.includes(scope))
    )
      return true;
  }
  return false;
}

/**
 * A run that has promised scopes and has not said that it ended: it goes on, or failed, or was
 * terminated.
 */
export interface RunUnderWay {
  readonly workflowId: string;
  readonly scopes: readonly Scope[];
}

/**
 * The runs of a pipeline that may still commit what they made of what they have read, in the order
 * of their names.
 */
export async function runsUnderWay(
  documents: DocumentStore,
  pipeline: string,
  now: Date,
): Promise<RunUnderWay[]> {
  const scopes = new Map<string, Scope[]>();
  for await (const promise of promisesAt(documents, now)) {
    if (promise.pipeline !== pipeline) continue;
    scopes.set(promise.workflowId, [...(scopes.get(promise.workflowId) ?? []), ...promise.scopes]);
  }
  const runs = [...scopes].map(([workflowId, of]): RunUnderWay => ({
    workflowId,
    scopes: [...new Set(of)].sort(),
  }));
  return runs.sort((a, b) => (a.workflowId < b.workflowId ? -1 : 1));
}

/** Promises of runs that were terminated long ago. */
export async function removeExpiredPromises(documents: DocumentStore, now: Date): Promise<void> {
  const expired: DocumentKey[] = [];
  for await (const { body, sort } of documents.query<GarbagePromise>(PROMISES)) {
    if (Date.parse(body.until) <= now.getTime()) expired.push({ ...PROMISES, sort });
  }
  await removeDocuments(documents, expired);
}
