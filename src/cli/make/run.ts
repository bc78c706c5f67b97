import { definedMembers } from '../../given.ts';
import { PipelineError } from '../../errors.ts';
import { datesBetween, parseCivilDate } from '../../pipelines/civil-date.ts';
import { STAGES } from '../../pipelines/vocabulary.ts';
import type { CivilDate, Stage, StepId } from '../../pipelines/vocabulary.ts';
import { checkRequest } from '../../engine/plan/resolve-plan.ts';
import { datasetOf } from '../../engine/engine.ts';
import type { DayResult } from '../../workflows/day-contract.ts';
import type { BackfillInput } from '../../workflows/backfill.ts';
import {
  daysOfRange,
  exitCodeOf,
  exitCodeOfDays,
  leftLines,
  rollupFailure,
  runBackfill,
  untilOf,
} from './backfill-run.ts';
import { callerName } from '../shared/caller-name.ts';
import { EXIT } from '../shared/context.ts';
import type { CommandContext, ExitCode } from '../shared/context.ts';
import { noteCommand } from '../shared/note-command.ts';
import { awaitDay } from '../temporal/day-waits.ts';
import { count } from '../shared/measures.ts';
import { startDay } from '../temporal/runs.ts';
import type { RunTarget } from '../temporal/runs.ts';
import { withTemporal } from '../temporal/temporal.ts';
import type { SessionTarget } from '../temporal/temporal.ts';

/** Without `to` a single day with its pages; with it a backfill without a plan. */
export interface RunOptions {
  readonly pipeline: string;
  readonly from: string;
  readonly to?: string | undefined;
  readonly recheck?: boolean;
  readonly fromStep?: string;
  readonly force?: boolean;
  readonly reason?: string;
  readonly until?: string;
  /** Of a range: make the pages of its days too, as for a single day. */
  readonly pages?: boolean;
  /** Do not wait for a day that waits itself. */
  readonly detach?: boolean;
}

/**
 * `quotidien run`: one day by its own workflow, a range by a backfill of all its days that have
 * something to do.
 */
export async function run(context: CommandContext, options: RunOptions): Promise<ExitCode> {
  const { definition } = datasetOf(context, options.pipeline);
  const from = parseCivilDate(options.from);
  const to = options.to === undefined ? undefined : parseCivilDate(options.to);
  const days = to === undefined ? 1 : datesBetween(from, to).length;
  if (days === 0)
    throw new PipelineError(
      'INPUT_INVALID',
      `the range ends (${to ?? from}) before it begins (${from})`,
    );
  const fromStep = forcedFrom(options);
  checkRequest(definition, { dates: [from], options: definedMembers({ fromStep }) });
  return withTemporal(context, async (target) => {
    if (target.uiUrl !== undefined) context.terminal.note(`Temporal UI: ${target.uiUrl}`);
    const scope = to === undefined ? from : `${from}_${to}`;
    await noteCommand(context, {
      action: 'run',
      target: `${options.pipeline}/${scope}`,
      reason: options.reason,
    });
    return to === undefined
      ? runOne(context, target, from, options)
      : runRange(context, target, { from, to, days }, options);
  });
}

/** `--force` is "from the first stage"; both need a reason, and are for single days. */
function forcedFrom({ fromStep, force, reason, to }: RunOptions): StepId | Stage | undefined {
  const from = force === true ? STAGES[0] : (fromStep as StepId | Stage | undefined);
  if (from === undefined) return undefined;
  if (to !== undefined)
    throw new PipelineError('INPUT_INVALID', '--from-step and --force are for a single day');
  if (force === true && (reason === undefined || reason.trim() === ''))
    throw new PipelineError('INPUT_INVALID', '--force needs --reason');
  return from;
}

async function runOne(
  context: CommandContext,
  target: SessionTarget,
  date: CivilDate,
  options: RunOptions,
): Promise<ExitCode> {
  const { terminal } = context;
  const { definition } = datasetOf(context, options.pipeline);
  const fromStep = forcedFrom(options);
  const handle = await startDay(target, {
    pipeline: options.pipeline,
    date,
    ...(options.recheck === true ? { recheck: true } : {}),
    ...definedMembers({ fromStep, why: options.reason }),
    ...(fromStep === undefined ? {} : { by: callerName() }),
    ...untilOf(options.until),
  });
  const day = { handle, definition, date };
  const result = await awaitDay(terminal, target.client, day, options.detach === true);
  if ('why' in result) {
    terminal.data({ date, waits: result });
    return EXIT.degraded;
  }
  terminal.data(result);
  terminal.line(describeDay(result));
  // The workers end with this command: what is made from the day would be left to the next one.
  const rollup = target.ownsWorkers ? await rollupFailure(target, options.pipeline) : null;
  if (rollup !== null) {
    terminal.line(`${rollup.code}: ${rollup.message}`);
    return EXIT.failed;
  }
  const { verdict } = result;
  return exitCodeOfDays({
    ...NONE,
    degradedDays: verdict === 'degraded' ? 1 : 0,
    noDataDays: verdict === 'no_data' ? 1 : 0,
  });
}

const NONE = { failedDays: 0, waitingDays: 0 } as const;

/** One line for people; scripts read the JSON. */
export function describeDay({
  date,
  verdict,
  version,
  created,
  ran,
  reused,
  revision,
}: DayResult): string {
  const nothing =
    created === true ? 'a new version of what was there' : 'nothing to do, everything is reused';
  const work = ran.length === 0 ? nothing : `ran ${ran.join(', ')}; reused ${reused}`;
  return `${date}  ${verdict}${revision === null ? '' : `, ${revision}`}, version ${version}: ${work}`;
}

async function runRange(
  { terminal }: CommandContext,
  target: RunTarget,
  range: { readonly from: CivilDate; readonly to: CivilDate; readonly days: number },
  { pipeline, recheck, until, pages }: RunOptions,
): Promise<ExitCode> {
  const { from, to, days } = range;
  const input: BackfillInput = {
    pipeline,
    from,
    to,
    select: recheck === true ? 'all' : 'open',
    ...untilOf(until),
    ...(pages === true ? { pages } : {}),
  };
  const result = await runBackfill(terminal, target, input, daysOfRange(days));
  terminal.data(result);
  const { done, unchangedDays, complete, notDue } = result;
  const later = notDue === 0 ? '' : `, ${notDue} not due yet`;
  const checked = unchangedDays === 0 ? '' : `, ${unchangedDays} looked at and unchanged`;
  terminal.line(
    `${count(days, 'day')}: ${done - unchangedDays} made${checked}, ${complete} complete before${later}`,
  );
  for (const line of leftLines(result)) terminal.line(line);
  return exitCodeOf(result);
}
