import type { DayFailure } from '../../pipelines/execution.ts';
import { FAILURE_TABLE, failureKey } from '../../pipelines/ledger.ts';
import type { FailureRecord } from '../../pipelines/ledger.ts';
import { WHOLE_HISTORY } from '../../pipelines/scope.ts';
import type { Period, Scope } from '../../pipelines/vocabulary.ts';
import type { DocumentStore } from '../../ports/documents.ts';
import type { Engine, StepControl } from '../engine.ts';
import { readRanges } from './ledger-reader.ts';

/**
 * Failed runs, for the calendar of days: the manifest of a day that was good before stays as it is.
 */

/** Replaces the failure of the run before. */
export async function recordFailure(
  engine: Pick<Engine, 'documents' | 'now'>,
  control: Pick<StepControl, 'execution'>,
  pipeline: string,
  scope: Scope,
  failure: DayFailure,
): Promise<void> {
  const record: FailureRecord = {
    scope,
    ...failure,
    workflowId: control.execution.workflowId,
    runId: control.execution.runId,
    failedAt: engine.now().toISOString(),
  };
  await engine.documents.put(failureKey(pipeline, scope), record);
}

/** Scopes whose last run did not fail are absent. */
export async function readFailures(
  documents: DocumentStore,
  pipeline: string,
  scopes: readonly Scope[],
): Promise<Map<Scope, FailureRecord>> {
  const found = new Map<Scope, FailureRecord>();
  // A failure that cannot be read is none that anything hangs on.
  for (const [scope, records] of await readRanges<FailureRecord>(
    documents,
    FAILURE_TABLE,
    pipeline,
    scopes,
    [],
  )) {
    const [record] = records;
    if (record !== undefined) found.set(scope, record);
  }
  return found;
}

/** The periods whose last try failed, each with its failure. */
export async function failedPeriods(
  documents: DocumentStore,
  pipeline: string,
): Promise<Map<Period, FailureRecord>> {
  const { table, partition } = failureKey(pipeline, WHOLE_HISTORY);
  const found = new Map<Period, FailureRecord>();
  for await (const { body } of documents.query<FailureRecord>({ table, partition }))
    found.set(body.scope, body);
  return found;
}

/** After a commit; periods and days alike. */
export async function clearFailures(
  documents: DocumentStore,
  pipeline: string,
  finished: readonly { readonly scope: Scope }[],
): Promise<void> {
  const scopes = finished.map(({ scope }) => scope);
  for (const scope of (await readFailures(documents, pipeline, scopes)).keys()) {
    await documents.delete(failureKey(pipeline, scope));
  }
}
