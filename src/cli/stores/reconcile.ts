import type { ReconcileResult } from '../../engine/contract.ts';
import { PipelineError, errorCodeOf } from '../../errors.ts';
import { reconcileWorkflowId } from '../../schedules/apply-reconcile.ts';
import { documentName } from '../../storage/shared/document-key.ts';
import { readConflict, settleConflict } from '../../storage/outage/reconcile-conflicts.ts';
import { describeConflict, listConflicts, planReconcile } from '../../storage/outage/reconcile.ts';
import type { Replay } from '../../storage/outage/reconcile.ts';
import type { ReconcileParts } from '../../storage/outage/reconcile-parts.ts';
import { hostQueue } from '../../workers/engine-fallback.ts';
import type { HostFallback } from '../../workers/open-fallback.ts';
import type { reconcile as reconcileWorkflow } from '../../workflows/reconcile.ts';
import { EXIT } from '../shared/context.ts';
import type { CommandContext, ExitCode } from '../shared/context.ts';
import { noteCommand } from '../shared/note-command.ts';
import { count } from '../shared/measures.ts';
import { callerName } from '../shared/caller-name.ts';
import { withTemporal } from '../temporal/temporal.ts';

/** Without `conflict` the journal is replayed; with it people decide what a replay could not. */
export interface ReconcileCommand {
  readonly dryRun?: boolean;
  /** The ids of conflicts to decide, with commas between; `all`: every one that waits. */
  readonly conflict?: string;
  readonly keep?: string;
  /** Who decides; the user of this process unless given. */
  readonly by?: string;
}

/**
 * `quotidien reconcile`: brings what this host wrote while a store was away to the stores, or lists
 * it, or decides a conflict.
 */
export async function reconcile(
  context: CommandContext,
  options: ReconcileCommand,
): Promise<ExitCode> {
  const { fallback } = (await context.engine()).stores;
  if (fallback === undefined) {
    context.terminal.data({ pending: 0, converged: true });
    context.terminal.line(
      'The stores of this installation are on this host: there is nothing to reconcile.',
    );
    return EXIT.done;
  }
  if (options.conflict !== undefined) await decide(context, fallback, options.conflict, options);
  else if (options.keep !== undefined)
    throw new PipelineError('INPUT_INVALID', '--keep needs --conflict <id>');
  return options.dryRun === true ? list(context, fallback) : replay(context, fallback);
}

/** Lists what a replay would do; nothing is written. */
async function list(
  { terminal, signal }: CommandContext,
  { host, parts }: HostFallback,
): Promise<ExitCode> {
  const planned = await planOf(parts, signal);
  const conflicts = await listConflicts(parts);
  terminal.data({ host, planned, conflicts });
  for (const one of planned)
    terminal.line(`${one.at}  ${one.kind.padEnd(15)} ${nameOf(one)}  ${intention(one)}`);
  for (const conflict of conflicts) {
    terminal.line(describeConflict(conflict));
    terminal.line(
      `  → ${conflict.remedy}: quotidien reconcile --conflict ${conflict.id} --keep primary|ours`,
    );
  }
  terminal.line(
    `${host}: ${sumOf(planned)}; ${count(conflicts.length, 'earlier conflict')} to decide`,
  );
  return planned.length + conflicts.length === 0 ? EXIT.done : EXIT.degraded;
}

const INTENTIONS = {
  apply: 'to write',
  same: 'there already',
  merged: 'settled by a rule',
  conflict: 'in conflict',
  unknown: 'waiting',
} as const satisfies Record<Listed['outcome']['kind'], string>;

/** How many writes wait, and what would become of them. */
function sumOf(planned: readonly Listed[]): string {
  const kinds = Object.entries(INTENTIONS).flatMap(([kind, words]) => {
    const found = planned.filter(({ outcome }) => outcome.kind === kind).length;
    return found === 0 ? [] : [`${found} ${words}`];
  });
  return [`${count(planned.length, 'write')} to replay`, kinds.join(', ')]
    .filter((text) => text !== '')
    .join(': ');
}

type Listed = Omit<Replay, 'outcome'> & {
  readonly outcome: Replay['outcome'] | { readonly kind: 'unknown' };
};

/** While a store is away nobody knows what it says to the writes, but they can be listed. */
async function planOf(parts: ReconcileParts, signal: AbortSignal): Promise<Listed[]> {
  try {
    return await planReconcile(parts, { signal });
  } catch (error) {
    if (errorCodeOf(error) !== 'STORE_UNAVAILABLE') throw error;
    const { pending } = await parts.journal.refresh();
    return [...pending.values()].map(({ id, kind, key, at }) => ({
      id,
      kind,
      key,
      at,
      outcome: { kind: 'unknown' },
    }));
  }
}

function nameOf({ key }: Pick<Replay, 'key'>): string {
  return typeof key === 'string' ? key : documentName(key);
}

function intention({ outcome }: Listed): string {
  if (outcome.kind === 'unknown') return 'waits: the store is away';
  if (outcome.kind === 'conflict') return `conflict: ${outcome.found}`;
  if (outcome.kind === 'merged') return `is settled: ${outcome.found}`;
  return outcome.kind === 'same' ? 'is there already' : 'would be written';
}

async function decide(
  context: CommandContext,
  { parts }: HostFallback,
  named: string,
  { keep, by = callerName() }: Pick<ReconcileCommand, 'keep' | 'by'>,
): Promise<void> {
  const { terminal } = context;
  const waiting =
    named === 'all' ? (await listConflicts(parts)).map(({ id }) => id) : named.split(',');
  if (keep !== 'primary' && keep !== 'ours') {
    for (const id of waiting) terminal.note(JSON.stringify(await readConflict(parts, id), null, 2));
    throw new PipelineError(
      'INPUT_INVALID',
      '--conflict needs --keep primary (what the store has) or --keep ours',
    );
  }
  for (const id of waiting) {
    await noteCommand(context, {
      action: 'reconcile/decide',
      target: id,
      reason: `keep ${keep}`,
      by,
    });
    await settleConflict(parts, id, { keep, by });
    const kept = keep === 'ours' ? 'what this host wrote' : 'what the primary store has';
    terminal.note(`conflict ${id}: kept ${kept}, decided by ${by}`);
  }
}

/** Runs, or joins, the workflow that the schedule starts as well. */
async function replay(context: CommandContext, { host }: HostFallback): Promise<ExitCode> {
  const result = await withTemporal(context, ({ client, taskQueue }) =>
    client.workflow.execute<typeof reconcileWorkflow>('reconcile', {
      workflowId: reconcileWorkflowId(host),
      taskQueue,
      args: [{ host, queue: hostQueue(taskQueue, host) }],
      workflowIdConflictPolicy: 'USE_EXISTING',
    }),
  );
  context.terminal.data(result);
  print(context, result);
  return result.converged ? EXIT.done : EXIT.degraded;
}

function print({ terminal }: CommandContext, result: ReconcileResult): void {
  const {
    host,
    applied,
    same,
    merged = 0,
    pending,
    converged,
    listed,
    lifted,
    again = {},
    away,
  } = result;
  const { forgotten = 0 } = result;
  const end = converged
    ? 'all of it is proven on the primary stores'
    : `${count(pending, 'write')} still wait`;
  const ruled = merged === 0 ? '' : `, ${merged} settled by a rule`;
  terminal.line(
    `${host}: ${count(applied, 'write')} replayed, ${same} were there already${ruled}; ${end}`,
  );
  for (const [pipeline, scopes] of Object.entries(lifted)) {
    terminal.line(`no longer degraded: ${pipeline} ${scopes.join(', ')}`);
  }
  for (const [pipeline, dates] of Object.entries(again)) {
    terminal.line(`run again: ${pipeline} ${dates.join(', ')}`);
  }
  if (forgotten > 0)
    terminal.line(
      `${count(forgotten, 'person')} forgotten, as was asked for while a store was away`,
    );
  if (away !== undefined) terminal.line(`still away: ${away}`);
  for (const line of listed) terminal.line(`conflict ${line}`);
  if (listed.length > 0)
    terminal.line('→ "quotidien reconcile --dry-run" lists them with what to do');
}
