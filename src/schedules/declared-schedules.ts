import { ScheduleOverlapPolicy } from '@temporalio/client';
import type {
  ScheduleOptions,
  ScheduleOptionsStartWorkflowAction,
  Workflow,
} from '@temporalio/client';
import { canonicalJson, sha256Hex } from '../canonical-json.ts';
import { formatCron, parseCron } from '../pipelines/cron.ts';
import type { Dataset } from '../pipelines/dataset.ts';
import type { PipelineDefinition, ScheduleDefinition } from '../pipelines/definition.ts';

/**
 * The schedules that pipelines declare, in the form that Temporal takes and in the form that people
 * compare.
 */

/** A schedule as named texts; two schedules with the same texts do the same. */
export type ComparedSettings = Readonly<Record<ComparedField, string>>;

/** In the order in which people see them. */
export const COMPARED_FIELDS = [
  'times',
  'time zone',
  'jitter',
  'overlap',
  'catch-up window',
  'pause on failure',
  'limit',
  'workflow',
  'workflow id',
  'input',
  'task queue',
] as const;
/** A text that people compare. */
export type ComparedField = (typeof COMPARED_FIELDS)[number];

/** One schedule of a pipeline, ready to be applied. */
export interface DeclaredSchedule {
  /** `<pipeline>/<schedule>`, also the schedule's id in Temporal. */
  readonly id: string;
  readonly definition: PipelineDefinition;
  readonly schedule: ScheduleDefinition;
  readonly settings: ComparedSettings;
  /** Of the settings; kept with the schedule. */
  readonly hash: string;
  readonly options: DeclaredOptions;
}

type DeclaredOptions = Omit<
  ScheduleOptions<ScheduleOptionsStartWorkflowAction<Workflow>>,
  'scheduleId' | 'memo'
>;

/** Of all pipelines; their runs start on `taskQueue`. */
export function declaredSchedules(
  datasets: Readonly<Record<string, Dataset>>,
  taskQueue: string,
): DeclaredSchedule[] {
  return Object.values(datasets).flatMap(({ definition }) =>
    definition.schedules.map((schedule) => declare(definition, schedule, taskQueue)),
  );
}

function declare(
  definition: PipelineDefinition,
  schedule: ScheduleDefinition,
  taskQueue: string,
): DeclaredSchedule {
  const options = scheduleOptions(definition, schedule, taskQueue);
  const settings = comparedSettings(definition, schedule, taskQueue, options);
  const id = `${definition.name}/${schedule.id}`;
  return { id, definition, schedule, settings, hash: sha256Hex(canonicalJson(settings)), options };
}

const OVERLAP = {
  queue: ScheduleOverlapPolicy.BUFFER_ALL,
  skip: ScheduleOverlapPolicy.SKIP,
} as const;

function scheduleOptions(
  { name, title }: PipelineDefinition,
  schedule: ScheduleDefinition,
  taskQueue: string,
): DeclaredOptions {
  return {
    spec: {
      cronExpressions: [schedule.cron],
      jitter: schedule.jitterSeconds * 1000,
      timezone: 'UTC',
    },
    policies: {
      overlap: OVERLAP[schedule.overlap ?? 'queue'],
      catchupWindow: schedule.catchUpMinutes * 60_000,
      pauseOnFailure: schedule.pauseOnFailure ?? true,
    },
    action: {
      type: 'startWorkflow',
      workflowType: 'tick',
      workflowId: `tick/${name}/${schedule.id}`,
      args: [{ pipeline: name, schedule: schedule.id }],
      taskQueue,
      staticSummary: `${title}: ${schedule.title}`,
    },
  };
}

function comparedSettings(
  { name }: PipelineDefinition,
  schedule: ScheduleDefinition,
  taskQueue: string,
  { policies }: DeclaredOptions,
): ComparedSettings {
  return {
    times: formatCron(parseCron(schedule.cron)),
    'time zone': 'UTC',
    jitter: seconds(schedule.jitterSeconds * 1000),
    overlap: policies?.overlap ?? '',
    'catch-up window': seconds(schedule.catchUpMinutes * 60_000),
    'pause on failure': String(schedule.pauseOnFailure ?? true),
    limit: 'none',
    workflow: 'tick',
    'workflow id': `tick/${name}/${schedule.id}`,
    input: canonicalJson([{ pipeline: name, schedule: schedule.id }]),
    'task queue': taskQueue,
  };
}

/** As `60 s`, without rounding. */
export function seconds(ms: number): string {
  return `${ms / 1000} s`;
}
