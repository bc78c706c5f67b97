import { PipelineError } from '../../errors.ts';
import { startHealthServer } from '../../workers/health.ts';
import { loudRuntime } from '../../workers/logging.ts';
import { listenToQueue } from '../../workers/object-queue.ts';
import type { ObjectQueue } from '../../workers/object-queue.ts';
import { QUEUE_KINDS, runWorkers } from '../../workers/run-workers.ts';
import type { QueueKind } from '../../workers/run-workers.ts';
import { connectClient } from '../../workers/temporal-target.ts';
import type { TemporalTarget } from '../../workers/temporal-target.ts';
import { applyReconcile } from '../../schedules/apply-reconcile.ts';
import type { ReconciledHost } from '../../schedules/apply-reconcile.ts';
import { configuredTuning } from '../../workers/worker-tuning.ts';
import { EXIT } from '../shared/context.ts';
import type { CommandContext, ExitCode } from '../shared/context.ts';
import { targetOf } from '../temporal/known-temporal.ts';
import { prepareServer } from '../temporal/temporal.ts';

/**
 * `quotidien worker`: workers against the configured server, or the development server that runs
 * for this home.
 */
export async function worker(
  context: CommandContext,
  { queues }: { queues: string },
): Promise<ExitCode> {
  const kinds = parseKinds(queues);
  loudRuntime(context.config);
  const target = await targetOf(context.config);
  await prepareServer(target);
  const { settings } = context.config;
  const engine = await context.engine();
  if (engine.fallback !== undefined) await scheduleReconcile(context, target, engine.fallback);
  const workers = await runWorkers({ engine, target, kinds, tuning: configuredTuning(settings) });
  const queue = kinds.includes('compute') ? await openQueue(context, target) : undefined;
  const port = settings.QUOTIDIEN_HEALTH_PORT;
  const health =
    port === undefined ? undefined : await startHealthServer(port, () => workers.ready());
  const stop = new Promise<void>((resolve) => {
    context.signal.addEventListener('abort', () => {
      resolve();
    });
  });
  await Promise.race([stop, workers.ended]);
  await queue?.close();
  await workers.shutdown();
  await health?.close();
  return EXIT.done;
}

/**
 * The queue of deposits, with a connection of its own; undefined where the configuration names
 * none.
 */
async function openQueue(
  context: CommandContext,
  target: TemporalTarget,
): Promise<ObjectQueue | undefined> {
  const { config } = context;
  if (config.settings.QUOTIDIEN_DEPOSIT_QUEUE === undefined) return undefined;
  const client = await connectClient(target);
  const queue = await listenToQueue({ config, engine: await context.engine(), client });
  return {
    async close() {
      await queue?.close();
      await client.connection.close();
    },
  };
}

async function scheduleReconcile(
  { config }: CommandContext,
  target: TemporalTarget,
  host: ReconciledHost,
): Promise<void> {
  const client = await connectClient(target);
  try {
    await applyReconcile(client, host, config.settings.QUOTIDIEN_TASK_QUEUE);
  } finally {
    await client.connection.close();
  }
}

function parseKinds(text: string): QueueKind[] {
  return text.split(',').map((name) => {
    const kind = QUEUE_KINDS.find((known) => known === name.trim());
    if (kind === undefined)
      throw new PipelineError(
        'INPUT_INVALID',
        `--queues takes ${QUEUE_KINDS.join(', ')}, not ${name}`,
      );
    return kind;
  });
}
