/**
 * Whether the workers of this container take work: asks the Temporal server who polls their task
 * queue and looks for this machine among them. A process that lives and cannot reach the server, or
 * has stopped polling, is not healthy.
 *
 *   node infra/healthcheck.mjs [suffix of the task queue, such as -report]
 */
import { hostname } from 'node:os';

import { configuredTarget, connectClient } from '../dist/workers/temporal-target.js';

/** A poll waits for work for a minute, then is renewed. */
const POLL_AGE_LIMIT_MS = 150_000;
const ACTIVITY_QUEUE = 2;

const target = configuredTarget(process.env);
if (target === undefined) throw new Error('TEMPORAL_ADDRESS is not set');
const taskQueue = `${process.env.QUOTIDIEN_TASK_QUEUE || 'quotidien'}${process.argv[2] ?? ''}`;
const { connection } = await connectClient(target);
const { pollers } = await connection.workflowService.describeTaskQueue({
  namespace: target.namespace,
  taskQueue: { name: taskQueue },
  taskQueueType: ACTIVITY_QUEUE,
});
await connection.close();
const polls = (pollers ?? [])
  .filter(({ identity }) => identity?.endsWith(`@${hostname()}`))
  .map(({ lastAccessTime }) => Number(lastAccessTime?.seconds ?? 0) * 1000);
if (!polls.some((polledAt) => Date.now() - polledAt < POLL_AGE_LIMIT_MS)) {
  process.stderr.write(`no worker of ${hostname()} polls ${taskQueue}\n`);
  process.exitCode = 1;
}
