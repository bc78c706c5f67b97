import { definedMembers } from '../../given.ts';
import { DECISION_TABLE, decisionKey } from '../../pipelines/decision.ts';
import type { Decision, DecisionRecord } from '../../pipelines/decision.ts';
import type { Scope } from '../../pipelines/vocabulary.ts';
import type { DocumentStore } from '../../ports/documents.ts';
import type { DecisionRequest } from '../contract.ts';
import type { Engine, StepControl } from '../engine.ts';
import { readRanges } from './ledger-reader.ts';

/** What people decided on held days, kept before the run that asked goes on. */

/**
 * Doing it again changes nothing: the record is created under the time at which the run accepted
 * it.
 */
export async function recordDecision(
  engine: Pick<Engine, 'documents'>,
  { execution }: Pick<StepControl, 'execution'>,
  { pipeline, scope, decision }: DecisionRequest,
): Promise<void> {
  const { workflowId, runId } = execution;
  const record: DecisionRecord = { pipeline, scope, ...decision, workflowId, runId };
  await engine.documents.createMany([{ key: decisionKey(record), body: record }]);
}

/** Oldest first; scopes without a decision are absent. */
export function readDecisions(
  documents: DocumentStore,
  pipeline: string,
  scopes: readonly Scope[],
): Promise<Map<Scope, DecisionRecord[]>> {
  return readRanges<DecisionRecord>(documents, DECISION_TABLE, pipeline, scopes);
}

/** Without what a manifest and a payload do not need. */
export function plainDecision({
  step,
  key,
  decision,
  reason,
  decidedAt,
  by,
  ...more
}: Decision): Decision {
  const { check, unit, evidence } = more;
  const ofUnit =
    check === undefined || unit === undefined || evidence === undefined
      ? {}
      : { check, unit, evidence };
  return { step, key, decision, reason, decidedAt, ...definedMembers({ by }), ...ofUnit };
}
