import type { ReconcileResult } from '../activities/contract.ts';
import { PipelineError, errorCodeOf } from '../errors.ts';
import { reconcileWorkflowId } from '../schedules/apply-reconcile.ts';
import { documentName } from '../storage/document-key.ts';
import { readConflict, settleConflict } from '../storage/reconcile-conflicts.ts';
import { describeConflict, listConflicts, planReconcile } from '../storage/reconcile.ts';
import type { Replay } from '../storage/reconcile.ts';
import type { ReconcileParts } from '../storage/reconcile-parts.ts';
import { hostQueue } from '../workers/engine-fallback.ts';
import type { HostFallback } from '../workers/open-fallback.ts';
import type { reconcile as reconcileWorkflow } from '../workflows/reconcile.ts';
import { EXIT } from './context.ts';
import type { CommandContext, ExitCode } from './context.ts';
import { count } from './measures.ts';
import { openTemporal, workWith } from './temporal.ts';

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
  const planned = await planOf(parts, signal);
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

type Listed = Omit<Replay, 'outcome'> & { readonly outcome: Replay['outcome'] | { readonly kind: 'unknown' } };

/** While a store is away nobody knows what it says to the writes, but they can be listed. */
async function planOf(parts: ReconcileParts, signal: AbortSignal): Promise<Listed[]> {
  try {
    return await planReconcile(parts, { signal });
  } catch (error) {
    if (errorCodeOf(error) !== 'STORE_UNAVAILABLE') throw error;
    const { pending } = await parts.journal.refresh();
    return [...pending.values()].map(({ id, kind, key, at }) => ({ id, kind, key, at, outcome: { kind: 'unknown' } }));
  }
}

function nameOf({ key }: Pick<Replay, 'key'>): string {
  return typeof key === 'string' ? key : documentName(key);
}

function intention({ outcome }: Listed): string {
  if (outcome.kind === 'unknown') return 'waits: the store is away';
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
    const result = await workWith(session, context.signal, () =>
      session.client.workflow.execute<typeof reconcileWorkflow>('reconcile', {
        workflowId: reconcileWorkflowId(host),
        taskQueue,
        args: [{ host, queue: hostQueue(taskQueue, host) }],
        workflowIdConflictPolicy: 'USE_EXISTING',
      }),
    );
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
