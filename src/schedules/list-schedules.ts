import { WorkflowNotFoundError } from '@temporalio/client';
import type { Client, ScheduleDescription } from '@temporalio/client';
import type { Dataset } from '../pipelines/dataset.ts';
import { civilDateAt } from '../pipelines/zoned-day.ts';
import { addDays } from '../pipelines/civil-date.ts';
import type { CivilDate } from '../pipelines/vocabulary.ts';
import { actualSchedule } from './actual-schedules.ts';
import { declaredSchedules } from './declared-schedules.ts';
import type { DeclaredSchedule } from './declared-schedules.ts';

/** A declared schedule beside what Temporal knows of it. */
export interface ListedSchedule {
  readonly id: string;
  readonly title: string;
  readonly cron: string;
  /** False: `quotidien schedules apply` makes it. */
  readonly exists: boolean;
  readonly paused: boolean;
  /** Why it is paused, as the operator or Temporal wrote it. */
  readonly note: string | null;
  /** ISO instants of the next ticks, and the data date that each stands for. */
  readonly next: readonly { readonly at: string; readonly date: CivilDate }[];
  readonly last: LastTick | null;
  readonly ticks: number;
  /** Ticks that were not taken, with the reason. */
  readonly missed: NotTaken;
  readonly skipped: NotTaken;
}

/** Since the schedule was made. */
export interface NotTaken {
  readonly count: number;
  readonly why: string;
}

/** The newest action that Temporal remembers. */
export interface LastTick {
  readonly at: string;
  readonly workflowId: string;
  /** Temporal's word for how the tick ended, or that it runs. */
  readonly status: string;
  /** What the tick started or joined, and how that stands. */
  readonly started: { readonly workflowId: string; readonly status: string } | null;
}

const NEXT_SHOWN = 3;

/** Every declared schedule as it stands. */
export async function listSchedules(
  client: Client,
  datasets: Readonly<Record<string, Dataset>>,
  taskQueue: string,
): Promise<ListedSchedule[]> {
  return Promise.all(
    declaredSchedules(datasets, taskQueue).map(async (declared) => {
      const description = (await actualSchedule(client, declared.id))?.description;
      return { ...headOf(declared), ...(await standingOf(client, declared, description)) };
    }),
  );
}

function headOf({
  id,
  schedule: { title, cron },
}: DeclaredSchedule): Pick<ListedSchedule, 'id' | 'title' | 'cron'> {
  return { id, title, cron };
}

/** The data date that a tick at this nominal time stands for. */
function dateAt({ definition, schedule }: DeclaredSchedule, at: Date): CivilDate {
  return addDays(civilDateAt(at, definition.zone), -schedule.lagDays);
}

async function standingOf(
  client: Client,
  declared: DeclaredSchedule,
  description: ScheduleDescription | undefined,
): Promise<Omit<ListedSchedule, 'id' | 'title' | 'cron'>> {
  const info = description?.info;
  return {
    exists: description !== undefined,
    paused: description?.state.paused ?? false,
    note: description?.state.note ?? null,
    next: (info?.nextActionTimes ?? [])
      .slice(0, NEXT_SHOWN)
      .map((at) => ({ at: at.toISOString(), date: dateAt(declared, at) })),
    last: info === undefined ? null : await lastTick(client, info),
    ticks: info?.numActionsTaken ?? 0,
    missed: {
      count: info?.numActionsMissedCatchupWindow ?? 0,
      why: `later than ${declared.schedule.catchUpMinutes} minutes after their time, because the server was down`,
    },
    skipped: {
      count: info?.numActionsSkippedOverlap ?? 0,
      why: 'the tick before was still running',
    },
  };
}

async function lastTick(
  client: Client,
  { recentActions }: ScheduleDescription['info'],
): Promise<LastTick | null> {
  const last = recentActions.at(-1);
  if (last === undefined) return null;
  const { workflowId } = last.action.workflow;
  const status = await statusOf(client, workflowId);
  const started = status === 'COMPLETED' ? await startedBy(client, workflowId) : null;
  return { at: last.scheduledAt.toISOString(), workflowId, status, started };
}

async function startedBy(client: Client, tickId: string): Promise<LastTick['started']> {
  const result = (await client.workflow.getHandle(tickId).result()) as
    | { workflowId?: string }
    | undefined;
  const workflowId = result?.workflowId;
  return workflowId === undefined
    ? null
    : { workflowId, status: await statusOf(client, workflowId) };
}

/** Temporal's word; `GONE` once its retention has passed. */
async function statusOf(client: Client, workflowId: string): Promise<string> {
  try {
    return (await client.workflow.getHandle(workflowId).describe()).status.name;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return 'GONE';
    throw error;
  }
}
