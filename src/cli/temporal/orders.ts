import { WorkflowNotFoundError, WorkflowUpdateFailedError } from '@temporalio/client';
import type { Client } from '@temporalio/client';
import { errorCodeOf, messageWithoutCode, PipelineError } from '../../errors.ts';

/**
 * Sends an update to a run that is under way, as the UI does, and returns what the run says of it.
 * A refusal keeps its code (`INPUT_INVALID`, `PLAN_INVALID`); `PLAN_INVALID` where nothing runs.
 */
export async function sendOrder(
  client: Client,
  workflowId: string,
  update: string,
  input: object | undefined,
): Promise<string> {
  const handle = client.workflow.getHandle(workflowId);
  try {
    if (input === undefined) return await handle.executeUpdate<string, []>(update);
    return await handle.executeUpdate<string, [object]>(update, { args: [input] });
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) {
      throw new PipelineError(
        'PLAN_INVALID',
        `${workflowId} is not under way: there is nothing to tell it`,
        {
          cause: error,
        },
      );
    }
    if (!(error instanceof WorkflowUpdateFailedError)) throw error;
    const { type, message } = error.cause as { type?: string; message?: string };
    const told = messageWithoutCode(type, message ?? 'the run refuses it');
    throw new PipelineError(errorCodeOf({ code: type }) ?? 'PLAN_INVALID', told, { cause: error });
  }
}
