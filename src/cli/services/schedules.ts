import type { Client } from '@temporalio/client';
import { textBefore } from '../../given.ts';
import { PipelineError } from '../../errors.ts';
import { parseCivilDate } from '../../pipelines/civil-date.ts';
import { applySchedules, compareSchedules } from '../../schedules/apply-schedules.ts';
import type { ScheduleComparison, ScheduleStanding } from '../../schedules/apply-schedules.ts';
import {
  pauseSchedule,
  resumeSchedule,
  triggerSchedule,
} from '../../schedules/control-schedules.ts';
import { declaredSchedules } from '../../schedules/declared-schedules.ts';
import type { DeclaredSchedule } from '../../schedules/declared-schedules.ts';
import { listSchedules } from '../../schedules/list-schedules.ts';
import type { ListedSchedule } from '../../schedules/list-schedules.ts';
import { EXIT } from '../shared/context.ts';
import type { CommandContext, ExitCode } from '../shared/context.ts';
import { noteCommand } from '../shared/note-command.ts';
import { instantText } from '../shared/instants.ts';
import { withClient } from '../temporal/known-temporal.ts';
import type { Terminal } from '../shared/terminal.ts';

/**
 * `quotidien schedules …`: the declared schedules, those that Temporal has, and what an operator
 * does to them.
 */

const CHANGES: Readonly<
  Record<ScheduleStanding, { readonly would: string; readonly did: string }>
> = {
  missing: { would: 'would be created', did: 'created' },
  same: { would: 'as declared', did: 'unchanged' },
  outdated: { would: 'would be updated: its declaration changed', did: 'updated' },
  edited: {
    would: 'was edited by hand, and would be put back',
    did: 'put back, it had been edited by hand',
  },
  undeclared: { would: 'would be deleted: nothing declares it any more', did: 'deleted' },
};

/** Exit code 1 when something differs, so that a deployment can ask. */
export function schedulesDiff(context: CommandContext): Promise<ExitCode> {
  return withClient(context, async (client) => {
    const compared = await compareSchedules(client, context.datasets, taskQueueOf(context));
    print(context.terminal, compared, 'would');
    return compared.every(({ standing }) => standing === 'same') ? EXIT.done : EXIT.failed;
  });
}

/**
 * Makes the server's schedules as they are declared; what somebody edited by hand is told and
 * replaced.
 */
export function schedulesApply(context: CommandContext): Promise<ExitCode> {
  return withClient(context, async (client) => {
    await noteCommand(context, { action: 'schedule/apply', target: 'all schedules' });
    print(
      context.terminal,
      await applySchedules(client, context.datasets, taskQueueOf(context)),
      'did',
    );
    return EXIT.done;
  });
}

function print(
  terminal: Terminal,
  compared: readonly ScheduleComparison[],
  tense: 'would' | 'did',
): void {
  terminal.data(compared);
  for (const line of comparisonLines(compared, tense)) terminal.line(line);
}

/** One line per schedule, and one for each member that differs. */
export function comparisonLines(
  compared: readonly ScheduleComparison[],
  tense: 'would' | 'did',
): string[] {
  return compared.flatMap(({ id, standing, differences }) => [
    `${id.padEnd(24)} ${CHANGES[standing][tense]}`,
    ...differences.map(
      ({ field, declared, actual, by }) =>
        `  ${field.padEnd(18)} ${actual} → ${declared}${by === 'hand' ? '  (edited by hand)' : ''}`,
    ),
  ]);
}

/** Next runs in the zone of the pipeline. */
export function schedulesList(context: CommandContext): Promise<ExitCode> {
  return withClient(context, async (client) => {
    const { terminal } = context;
    const listed = await listSchedules(client, context.datasets, taskQueueOf(context));
    terminal.data(listed);
    for (const schedule of listed) {
      const zone = context.datasets[textBefore(schedule.id, '/')]?.definition.zone ?? 'UTC';
      for (const line of listLines(schedule, zone)) terminal.line(line);
    }
    return EXIT.done;
  });
}

function listLines(
  { id, title, cron, exists, paused, note, next, last, ...counters }: ListedSchedule,
  zone: string,
): string[] {
  const head = `${id.padEnd(24)} ${cron} UTC  ${title}`;
  if (!exists) return [head, '  not there yet; "quotidien schedules apply" makes it'];
  const lines = [head];
  if (paused) lines.push(`  paused${note === null || note === '' ? '' : `: ${note}`}`);
  lines.push(
    `  next     ${next.map(({ at, date }) => `${instantText(at, zone)} for ${date}`).join(', ') || 'none'}`,
  );
  if (last !== null) {
    const { started } = last;
    const what = started === null ? '' : `; ${started.workflowId} ${started.status.toLowerCase()}`;
    lines.push(`  last     ${instantText(last.at, zone)} ${last.status.toLowerCase()}${what}`);
  }
  lines.push(`  ticks    ${counters.ticks} taken`);
  for (const [name, { count, why }] of Object.entries({
    missed: counters.missed,
    skipped: counters.skipped,
  })) {
    if (count > 0) lines.push(`  ${name.padEnd(8)} ${count}: ${why}`);
  }
  return lines;
}

/** Texts of the command line; `date` is for `trigger` alone. */
export interface ScheduleCommand {
  /** `<pipeline>/<schedule>`. */
  readonly id: string;
  readonly reason?: string;
  readonly date?: string;
}

/** The reason stands as a note in Temporal's UI. */
export function schedulesPause(
  context: CommandContext,
  command: ScheduleCommand,
): Promise<ExitCode> {
  return onOne(context, 'pause', command, async (client, declared, reason) => {
    await pauseSchedule(client, declared, reason);
    return 'paused';
  });
}

/** Ticks that were missed meanwhile are not made up for. */
export function schedulesResume(
  context: CommandContext,
  command: ScheduleCommand,
): Promise<ExitCode> {
  return onOne(context, 'resume', command, async (client, declared, reason) => {
    await resumeSchedule(client, declared, reason);
    return 'resumed';
  });
}

/** Starts one tick now; with a date as if it were that day's. */
export function schedulesTrigger(
  context: CommandContext,
  command: ScheduleCommand,
): Promise<ExitCode> {
  const date = command.date === undefined ? undefined : parseCivilDate(command.date);
  return onOne(context, 'trigger', command, async (client, declared) => {
    await triggerSchedule(client, declared, date);
    return date === undefined ? 'triggered' : `triggered for ${date}`;
  });
}

function onOne(
  context: CommandContext,
  verb: string,
  { id, reason = 'asked for on the command line' }: ScheduleCommand,
  work: (client: Client, declared: DeclaredSchedule, reason: string) => Promise<string>,
): Promise<ExitCode> {
  const all = declaredSchedules(context.datasets, taskQueueOf(context));
  const declared = all.find((one) => one.id === id);
  if (declared === undefined) {
    const names = all.map((one) => one.id).join(', ');
    throw new PipelineError(
      'PLAN_INVALID',
      `no pipeline declares schedule ${id}; declared are ${names}`,
    );
  }
  return withClient(context, async (client) => {
    await noteCommand(context, { action: `schedule/${verb}`, target: id, reason });
    const done = await work(client, declared, reason);
    context.terminal.data({ id, done });
    context.terminal.line(`${id} ${done}`);
    return EXIT.done;
  });
}

function taskQueueOf({ config }: CommandContext): string {
  return config.settings.QUOTIDIEN_TASK_QUEUE;
}
