import { ACTION_TABLE, actionKey } from '../../pipelines/operator-action.ts';
import type { OperatorAction } from '../../pipelines/operator-action.ts';
import { scopePartition } from '../../pipelines/ledger.ts';
import type { Scope } from '../../pipelines/vocabulary.ts';
import type { DocumentStore } from '../../ports/documents.ts';
import type { ActionRequest } from '../contract.ts';
import type { Engine, StepControl } from '../engine.ts';

/** What people did to days, and why; only ever added to. */

/** The instant is that of this call: a retried activity may leave two records of one action. */
export async function recordAction(
  engine: Pick<Engine, 'documents' | 'now'>,
  { execution }: Pick<StepControl, 'execution'>,
  action: ActionRequest,
): Promise<void> {
  const { workflowId, runId } = execution;
  const record: OperatorAction = { ...action, at: engine.now().toISOString(), workflowId, runId };
  await engine.documents.put(actionKey(record), record);
}

/** Oldest first. */
export async function readActions(
  documents: DocumentStore,
  pipeline: string,
  scope: Scope,
): Promise<OperatorAction[]> {
  const query = {
    table: ACTION_TABLE,
    partition: scopePartition(pipeline, scope),
    from: `${scope}/`,
    to: `${scope}0`,
  };
  const actions: OperatorAction[] = [];
  for await (const { body } of documents.query<OperatorAction>(query)) actions.push(body);
  return actions;
}
