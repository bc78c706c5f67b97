import { DEGRADED_TABLE, degradedKey } from '../../pipelines/degraded.ts';
import type { DegradedRecord } from '../../pipelines/degraded.ts';
import type { Scope } from '../../pipelines/vocabulary.ts';
import type { DocumentStore } from '../../ports/documents.ts';
import type { Engine, StepControl } from '../engine.ts';
import { readRanges } from './ledger-reader.ts';
import { mapConcurrent } from '../map-concurrent.ts';

const MARKED_AT_ONCE = 8;

/**
 * Marks scopes as finished without a store. Doing it again changes nothing: the first mark keeps
 * its time.
 */
export async function markDegraded(
  engine: Engine,
  control: Pick<StepControl, 'execution'>,
  pipeline: string,
  scopes: readonly Scope[],
  why: string,
): Promise<void> {
  const { workflowId, runId } = control.execution;
  await mapConcurrent(scopes, MARKED_AT_ONCE, async (scope) => {
    const since = engine.now().toISOString();
    const mark: DegradedRecord = {
      pipeline,
      scope,
      host: engine.host,
      why,
      workflowId,
      runId,
      since,
    };
    await engine.documents.createMany([{ key: degradedKey(mark), body: mark }]);
  });
}

/** The marks of these scopes. Without remote stores there are none, and nothing is asked. */
export async function readDegraded(
  engine: Pick<Engine, 'documents' | 'fallback'>,
  pipeline: string,
  scopes: readonly Scope[],
): Promise<Map<Scope, DegradedRecord>> {
  if (engine.fallback === undefined) return new Map();
  const found = await readRanges<DegradedRecord>(
    engine.documents,
    DEGRADED_TABLE,
    pipeline,
    scopes,
  );
  return new Map(
    [...found].flatMap(([scope, [mark]]) => (mark === undefined ? [] : [[scope, mark] as const])),
  );
}

/** Every mark that this host left. */
export async function marksOfHost(
  documents: DocumentStore,
  host: string,
): Promise<DegradedRecord[]> {
  const marks: DegradedRecord[] = [];
  for await (const partition of documents.partitions(DEGRADED_TABLE)) {
    for await (const { body } of documents.query<DegradedRecord>({
      table: DEGRADED_TABLE,
      partition,
    })) {
      if (body.host === host) marks.push(body);
    }
  }
  return marks;
}

/**
 * Takes marks away of days that the primary stores have whole; a mark that is gone already is fine.
 */
export async function lift(
  documents: DocumentStore,
  marks: readonly DegradedRecord[],
): Promise<void> {
  await mapConcurrent(marks, MARKED_AT_ONCE, (mark) => documents.delete(degradedKey(mark)));
}
