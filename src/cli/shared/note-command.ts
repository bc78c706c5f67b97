import { writeAudit } from '../../api/shared/audit.ts';
import { callerName } from './caller-name.ts';
import type { CommandContext } from './context.ts';

/**
 * What a command is about to do; texts of people are never part of `target` where they could name a
 * person of the data.
 */
export interface NotedCommand {
  /** The word that the API has for the same, such as `run` or `backfill/pause`. */
  readonly action: string;
  /** What it is done to: a day, a backfill, a schedule, a key. */
  readonly target: string;
  /** Default: the command. */
  readonly reason?: string | undefined;
  /** For whom it is done, where that is somebody else than the user of this process. */
  readonly by?: string | undefined;
}

/**
 * Writes into the audit what a command is about to do, as the API does: before it is done, so that
 * what fails or is refused is there too. The user of this process is always named: `by` is what
 * that user says.
 */
export async function noteCommand(
  context: Pick<CommandContext, 'engine'>,
  { action, target, reason = `quotidien ${action}`, by }: NotedCommand,
): Promise<void> {
  const engine = await context.engine();
  const user = callerName();
  const who = by === undefined || by === user ? user : `${by} (${user})`;
  await writeAudit(engine.documents, {
    at: engine.now().toISOString(),
    by: who,
    action,
    target,
    reason,
  });
}
