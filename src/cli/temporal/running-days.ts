import type { WorkflowExecutionInfo } from '@temporalio/client';
import type { Config } from '../../config/load-config.ts';
import type { RunningDay } from '../../pipelines/calendar-of-days.ts';
import { datesBetween, isCivilDate } from '../../pipelines/civil-date.ts';
import type { CivilDate } from '../../pipelines/vocabulary.ts';
import { openConnection } from '../../workers/client-connection.ts';
import { SEARCH_KEYS } from '../../workflows/search-keys.ts';
import { clientOf } from '../../workers/temporal-target.ts';
import { knownTemporal } from './known-temporal.ts';
import type { KnownTemporal } from './known-temporal.ts';
import { REPORTED_PROBLEMS } from './standing-still.ts';

/** What Temporal says about the days of a pipeline that are under way. */
export interface RunningDays {
  readonly days: ReadonlyMap<CivilDate, RunningDay>;
  /** Why nothing is known about running days, in words. */
  readonly unknown?: string;
}

/** Looking must not hold up a command: a server that does not answer within this is left aside. */
const ANSWER_WITHIN_MS = 2_000;

/**
 * The days with an open run of their own, or inside an open window. Never fails: what went wrong is
 * said in `unknown`.
 */
export async function findRunningDays(
  config: Pick<Config, 'env' | 'home'>,
  pipeline: string,
): Promise<RunningDays> {
  try {
    const known = await knownTemporal(config);
    if (known === undefined) {
      const remedy = 'start one by "quotidien dev", or set TEMPORAL_ADDRESS';
      return {
        days: new Map(),
        unknown: `runs under way are not shown: no Temporal server is known here (${remedy})`,
      };
    }
    return { days: await listRunningDays(known, pipeline) };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return {
      days: new Map(),
      unknown: `runs under way are not shown: the Temporal server cannot be asked (${why})`,
    };
  }
}

async function listRunningDays(
  { target }: KnownTemporal,
  pipeline: string,
): Promise<Map<CivilDate, RunningDay>> {
  const connection = await openConnection({
    ...target.connection,
    connectTimeout: ANSWER_WITHIN_MS,
  });
  try {
    const client = clientOf(connection, target);
    const days = new Map<CivilDate, RunningDay>();
    await connection.withDeadline(Date.now() + ANSWER_WITHIN_MS, async () => {
      for await (const run of client.workflow.list({ query: openRuns(pipeline) })) {
        for (const date of datesOf(run.workflowId)) {
          // The day's own run says more than the window that it may be part of.
          if (!days.has(date) || isDay(run)) days.set(date, runningDay(run));
        }
      }
    });
    return days;
  } finally {
    await connection.close();
  }
}

/**
 * By the ids, which need no search attribute. A name of a pipeline holds no quotation mark. A
 * paused run is open, and not running.
 */
function openRuns(pipeline: string): string {
  const ids = ['day', 'window'].map((type) => `WorkflowId STARTS_WITH "${type}/${pipeline}/"`);
  return `ExecutionStatus IN ("Running", "Paused") AND (${ids.join(' OR ')})`;
}

function isDay({ workflowId }: WorkflowExecutionInfo): boolean {
  return workflowId.startsWith('day/');
}

function runningDay({
  workflowId,
  status,
  startTime,
  typedSearchAttributes,
}: WorkflowExecutionInfo): RunningDay {
  const held = typedSearchAttributes.get(SEARCH_KEYS.Verdict) === 'quarantined';
  const paused = status.name === 'PAUSED' ? { paused: true } : {};
  const standsStill = typedSearchAttributes.get(REPORTED_PROBLEMS) !== undefined;
  return {
    workflowId,
    startedAt: startTime.toISOString(),
    held,
    ...paused,
    ...(standsStill ? { standsStill } : {}),
  };
}

/**
 * The dates of `day/<pipeline>/<date>` and `window/<pipeline>/<from>_<to>`; none for any other id.
 */
function datesOf(workflowId: string): CivilDate[] {
  const [from = '', to = from] = workflowId.slice(workflowId.lastIndexOf('/') + 1).split('_');
  return isCivilDate(from) && isCivilDate(to) ? datesBetween(from, to) : [];
}
