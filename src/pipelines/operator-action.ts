import type { DocumentKey } from '../ports/documents.ts';
import { scopePartition } from './ledger.ts';
import type { Scope } from './vocabulary.ts';

/** Something that a person did to a day, with the reason: kept also when it changed no byte. */
export interface OperatorAction {
  readonly pipeline: string;
  readonly scope: Scope;
  readonly action: 'force' | 'retryStep' | 'skipPart' | 'unskipPart';
  /** The step, or the stage from which a day was forced. */
  readonly step: string;
  readonly reason: string;
  /** Who asked for it; absent in records that are older than this member. */
  readonly by?: string;
  /** ISO instant. */
  readonly at: string;
  readonly workflowId: string;
  readonly runId: string;
}

/** What people did to days; only ever added to. */
export const ACTION_TABLE = 'actions';

/** Actions of a scope sort by their instant. */
export function actionKey({ pipeline, scope, at, action }: OperatorAction): DocumentKey {
  return {
    table: ACTION_TABLE,
    partition: scopePartition(pipeline, scope),
    sort: `${scope}/${at}/${action}`,
  };
}
