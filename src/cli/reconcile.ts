import type { ReconcileResult } from '../activities/contract.ts';
import { PipelineError } from '../errors.ts';
import { reconcileWorkflowId } from '../schedules/apply-reconcile.ts';
import { documentName } from '../storage/document-key.ts';
import { readConflict, settleConflict } from '../storage/reconcile-conflicts.ts';
import { describeConflict, listConflicts, planReconcile } from '../storage/reconcile.ts';
import type { Replay } from '../storage/reconcile.ts';
import { hostQueue } from '../workers/engine-fallback.ts';
import type { HostFallback } from '../workers/open-fallback.ts';
import type { reconcile as reconcileWorkflow } from '../workflows/reconcile.ts';
import { EXIT } from './context.ts';
import type { CommandContext, ExitCode } from './context.ts';
import { count } from './measures.ts';
import { openTemporal } from './temporal.ts';

export interface ReconcileCommand {
  readonly dryRun?: boolean;
  /** The id of a conflict to decide. */
  readonly conflict?: string;
  readonly keep?: string;
}

/** `quotidien reconcile`: brings what this host wrote while a store was away to the stores, or lists it, or decides a conflict. */
export async function reconcile(context: CommandContext, options: ReconcileCommand): Promise<ExitCode> {
  const { fallback } = (await context.engine()).stores;
  if (fallback === undefined) {
    context.terminal.data({ pending: 0, converged: true });
    context.terminal.line('The stores of this installation are on this host: there is nothing to reconcile.');
    return EXIT.done;
  }
  if (options.conflict !== undefined) await decide(context, fallback, options.conflict, options.keep);
  else if (options.keep !== undefined) throw new PipelineError('INPUT_INVALID', '--keep needs --conflict <id>');
  return options.dryRun === true ? list(context, fallback) : replay(context, fallback);
}

/** Lists what a replay would do; nothing is written. */
async function list({ terminal, signal }: CommandContext, { host, parts }: HostFallback): Promise<ExitCode> {
  const planned = await planReconcile(parts, { signal });
  const conflicts = await listConflicts(parts);
  terminal.data({ host, planned, conflicts });
  for (const one of planned) terminal.line(`${one.at}  ${one.kind.padEnd(15)} ${nameOf(one)}  ${intention(one)}`);
  for (const conflict of conflicts) {
    terminal.line(describeConflict(conflict));
    terminal.line(`  → ${conflict.remedy}: quotidien reconcile --conflict ${conflict.id} --keep primary|ours`);
  }
  terminal.line(`${count(planned.length, 'write')} of ${host} to replay, ${count(conflicts.length, 'conflict')}`);
  return planned.length + conflicts.length === 0 ? EXIT.done : EXIT.degraded;
}

function nameOf({ key }: Pick<Replay, 'key'>): string {
  return typeof key === 'string' ? key : documentName(key);
}

function intention({ outcome }: Replay): string {
  if (outcome.kind === 'conflict') return `conflict: ${outcome.found}`;
  return outcome.kind === 'same' ? 'is there already' : 'would be written';
}

async function decide(
  { terminal }: CommandContext,
  { parts }: HostFallback,
  id: string,
  keep: string | undefined,
): Promise<void> {
  if (keep !== 'primary' && keep !== 'ours') {
    const sides = await readConflict(parts, id);
    terminal.note(JSON.stringify(sides, null, 2));
    throw new PipelineError('INPUT_INVALID', '--conflict needs --keep primary (what the store has) or --keep ours');
  }
  await settleConflict(parts, id, keep);
  terminal.note(`conflict ${id}: kept ${keep === 'ours' ? 'what this host wrote' : 'what the primary store has'}`);
}

/** Runs, or joins, the workflow that the schedule starts as well. */
async function replay(context: CommandContext, { host }: HostFallback): Promise<ExitCode> {
  const { terminal, config } = context;
  const taskQueue = config.settings.QUOTIDIEN_TASK_QUEUE;
  const session = await openTemporal(context);
  try {
    const handle = await session.client.workflow.start<typeof reconcileWorkflow>('reconcile', {
      workflowId: reconcileWorkflowId(host),
      taskQueue,
      args: [{ host, queue: hostQueue(taskQueue, host) }],
      workflowIdConflictPolicy: 'USE_EXISTING',
    });
    const result = await Promise.race([handle.result(), session.broken]);
    terminal.data(result);
    print(context, result);
    return result.converged ? EXIT.done : EXIT.degraded;
  } finally {
    await session.close();
  }
}

function print({ terminal }: CommandContext, result: ReconcileResult): void {
  const { host, applied, same, pending, converged, listed, lifted, away } = result;
  const end = converged ? 'all of it is proven on the primary stores' : `${count(pending, 'write')} still wait`;
  terminal.line(`${host}: ${count(applied, 'write')} replayed, ${same} were there already; ${end}`);
  for (const [pipeline, scopes] of Object.entries(lifted)) {
    terminal.line(`no longer degraded: ${pipeline} ${scopes.join(', ')}`);
  }
  if (away !== undefined) terminal.line(`still away: ${away}`);
  for (const line of listed) terminal.line(`conflict ${line}`);
  if (listed.length > 0) terminal.line('→ "quotidien reconcile --dry-run" lists them with what to do');
}
