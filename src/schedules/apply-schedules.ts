import { ScheduleNotFoundError, ScheduleOverlapPolicy } from '@temporalio/client';
import type { Client, ScheduleOptions } from '@temporalio/client';
import { canonicalJson, sha256Hex } from '../pipelines/canonical-json.ts';
import type { Dataset } from '../pipelines/dataset.ts';
import type { PipelineDefinition, ScheduleDefinition } from '../pipelines/definition.ts';

/** What became of a declared schedule. */
export interface AppliedSchedule {
  readonly id: string;
  readonly change: 'created' | 'updated' | 'unchanged';
}

/** The memo field that holds the hash of the declaration which a schedule was last made from. */
const HASH_MEMO = 'declaration';

export function scheduleId(pipeline: string, schedule: string): string {
  return `${pipeline}/${schedule}`;
}

/**
 * Makes Temporal's schedules what the pipelines declare. A schedule whose declaration is the one it was made from is left as it is, with its
 * pauses and notes; another one is replaced as a whole, so that an old and a new specification are never in force together.
 */
export async function applySchedules(
  client: Client,
  datasets: Readonly<Record<string, Dataset>>,
  taskQueue: string,
): Promise<AppliedSchedule[]> {
  const applied: AppliedSchedule[] = [];
  for (const { definition } of Object.values(datasets)) {
    for (const schedule of definition.schedules)
      applied.push(await applySchedule(client, definition, schedule, taskQueue));
  }
  return applied;
}

async function applySchedule(
  client: Client,
  definition: PipelineDefinition,
  schedule: ScheduleDefinition,
  taskQueue: string,
): Promise<AppliedSchedule> {
  const id = scheduleId(definition.name, schedule.id);
  const declared = scheduleOptions(definition, schedule, taskQueue);
  const handle = client.schedule.getHandle(id);
  const actual = await handle.describe().catch((error: unknown) => {
    if (error instanceof ScheduleNotFoundError) return undefined;
    throw error;
  });
  if (actual?.memo?.[HASH_MEMO] === declared.memo?.[HASH_MEMO]) return { id, change: 'unchanged' };
  if (actual !== undefined) await handle.delete();
  await client.schedule.create({ ...declared, scheduleId: id });
  return { id, change: actual === undefined ? 'created' : 'updated' };
}

function scheduleOptions(
  { name, title }: PipelineDefinition,
  schedule: ScheduleDefinition,
  taskQueue: string,
): Omit<ScheduleOptions, 'scheduleId'> {
  return {
    spec: { cronExpressions: [schedule.cron], jitter: schedule.jitterSeconds * 1000, timezone: 'UTC' },
    policies: { overlap: ScheduleOverlapPolicy.ALLOW_ALL, catchupWindow: schedule.catchUpMinutes * 60_000 },
    action: {
      type: 'startWorkflow',
      workflowType: 'tick',
      workflowId: `tick/${name}/${schedule.id}`,
      args: [{ pipeline: name, schedule: schedule.id }],
      taskQueue,
      staticSummary: `${title}: ${schedule.title}`,
    },
    memo: { [HASH_MEMO]: sha256Hex(canonicalJson([schedule, taskQueue])) },
  };
}
