import type { Client } from '@temporalio/client';
import type { Config } from '../../config/load-config.ts';
import type { Dataset } from '../../pipelines/dataset.ts';
import { listSchedules } from '../../schedules/list-schedules.ts';
import type { ListedSchedule } from '../../schedules/list-schedules.ts';
import { openConnection } from '../../workers/client-connection.ts';
import { clientOf } from '../../workers/temporal-target.ts';
import type { BackfillProgress } from '../../workflows/backfill-control.ts';
import { knownTemporal } from './known-temporal.ts';
import { resetCommand, runsStandingStill } from './standing-still.ts';

/** What Temporal says of the ticks to come, and what it has to ask a person. */
export interface Ticks {
  /** The next tick of each schedule that makes days, the earliest first. */
  readonly next: readonly { readonly id: string; readonly at: string; readonly date: string }[];
  readonly asks: readonly {
    readonly pipeline: string;
    readonly what: string;
    readonly command: string;
  }[];
  /** Why nothing is known of them, in words. */
  readonly unknown?: string;
}

/** Looking must not hold up a command: a server that does not answer within this is left aside. */
const ANSWER_WITHIN_MS = 4_000;

/** Never fails: what went wrong is said in `unknown`. */
export async function findTicks(
  config: Pick<Config, 'env' | 'home'>,
  datasets: Readonly<Record<string, Dataset>>,
  taskQueue: string,
): Promise<Ticks> {
  try {
    const known = await knownTemporal(config);
    if (known === undefined) {
      const remedy = 'start one by "quotidien dev", or set TEMPORAL_ADDRESS';
      return {
        next: [],
        asks: [],
        unknown: `no tick is planned: no Temporal server is known here (${remedy})`,
      };
    }
    const connection = await openConnection({
      ...known.target.connection,
      connectTimeout: ANSWER_WITHIN_MS,
    });
    try {
      const client = clientOf(connection, known.target);
      return await connection.withDeadline(Date.now() + ANSWER_WITHIN_MS, async () => {
        const schedules = await listSchedules(client, datasets, taskQueue);
        const stands = await standing(client, datasets);
        return {
          next: nextOf(schedules),
          asks: [...stands, ...pausedOf(schedules), ...(await backfillsAsking(client))],
        };
      });
    } finally {
      await connection.close();
    }
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return {
      next: [],
      asks: [],
      unknown: `ticks are not shown: the Temporal server cannot be asked (${why})`,
    };
  }
}

function nextOf(schedules: readonly ListedSchedule[]): Ticks['next'] {
  const ticks = schedules.flatMap(({ id, next, paused }) =>
    paused ? [] : next.slice(0, 1).map((one) => ({ id, ...one })),
  );
  return ticks.sort((a, b) => (a.at < b.at ? -1 : 1));
}

function pausedOf(schedules: readonly ListedSchedule[]): Ticks['asks'] {
  return schedules.flatMap(({ id, paused, note, exists }) => {
    const [pipeline = ''] = id.split('/');
    if (!exists)
      return [{ pipeline, what: `${id} is not applied`, command: 'quotidien schedules apply' }];
    if (!paused) return [];
    const why = note === null || note === '' ? '' : `: ${note}`;
    return [
      { pipeline, what: `${id} is paused${why}`, command: `quotidien resume ${id} --reason "…"` },
    ];
  });
}

async function standing(
  client: Client,
  datasets: Readonly<Record<string, Dataset>>,
): Promise<Ticks['asks']> {
  return (await runsStandingStill(client)).flatMap((workflowId) => {
    const [, pipeline = ''] = workflowId.split('/');
    if (!Object.hasOwn(datasets, pipeline)) return [];
    const what = `${workflowId} stands still: workers fail at its workflow task`;
    return [{ pipeline, what, command: resetCommand(client, workflowId) }];
  });
}

/**
 * Backfills that are paused, or wait for a decision on their canary. One that no worker answers for
 * is left aside.
 */
async function backfillsAsking(client: Client): Promise<Ticks['asks']> {
  const asks: { pipeline: string; what: string; command: string }[] = [];
  const query = 'ExecutionStatus = "Running" AND WorkflowId STARTS_WITH "backfill/"';
  for await (const { workflowId } of client.workflow.list({ query })) {
    const handle = client.workflow.getHandle(workflowId);
    const progress = await handle.query<BackfillProgress>('progress').catch(() => undefined);
    const [, pipeline = ''] = workflowId.split('/');
    const { question = null, paused = null } = progress ?? {};
    if (question !== null) {
      const command = `quotidien decide ${workflowId} --accept --reason "…"`;
      asks.push({ pipeline, what: `${workflowId} asks: ${question}`, command });
    } else if (paused !== null) {
      const command = `quotidien resume ${workflowId} --reason "…"`;
      asks.push({ pipeline, what: `${workflowId} is paused: ${paused}`, command });
    }
  }
  return asks;
}
