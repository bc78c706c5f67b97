import { PipelineError, asPipelineError } from '../errors.ts';
import { parseCivilDate } from '../pipelines/civil-date.ts';
import { STAGES } from '../pipelines/vocabulary.ts';
import type { CivilDate, Stage, StepId } from '../pipelines/vocabulary.ts';
import { datesBetween } from '../pipelines/civil-date.ts';
import { monthWindows } from '../pipelines/window.ts';
import { checkRequest } from '../activities/resolve-plan.ts';
import { datasetOf } from '../activities/engine.ts';
import { mapConcurrent } from '../activities/map-concurrent.ts';
import type { DayResult } from '../workflows/day.ts';
import type { WindowInput } from '../workflows/window.ts';
import { EXIT } from './context.ts';
import type { CommandContext, ExitCode } from './context.ts';
import { dayResult, finishRollup, runWindows, startDay } from './runs.ts';
import type { RunTarget } from './runs.ts';
import { interrupted, openTemporal } from './temporal.ts';

export interface RunOptions {
  readonly pipeline: string;
  readonly from: string;
  readonly to?: string | undefined;
  readonly recheck?: boolean;
  readonly fromStep?: string;
  readonly force?: boolean;
  readonly reason?: string;
  readonly until?: string;
}

/** `quotidien run`: one day by its own workflow, a range by windows of a month and the days they leave over. */
export async function run(context: CommandContext, options: RunOptions): Promise<ExitCode> {
  const { definition } = datasetOf(context, options.pipeline);
  const from = parseCivilDate(options.from);
  const to = options.to === undefined ? undefined : parseCivilDate(options.to);
  const dates = to === undefined ? [from] : datesBetween(from, to);
  if (dates.length === 0)
    throw new PipelineError('INPUT_INVALID', `the range ends (${options.to ?? ''}) before it begins (${from})`);
  const fromStep = forcedFrom(options);
  checkRequest(definition, { dates, options: fromStep === undefined ? {} : { fromStep } });
  const session = await openTemporal(context);
  try {
    const target = { client: session.client, taskQueue: context.config.settings.QUOTIDIEN_TASK_QUEUE };
    if (session.uiUrl !== undefined) context.terminal.note(`Temporal UI: ${session.uiUrl}`);
    const work = to === undefined ? runOne(context, target, from, options) : runRange(context, target, dates, options);
    return await Promise.race([work, session.broken, interrupted(context.signal)]);
  } finally {
    await session.close();
  }
}

/** `--force` is "from the first stage"; both need a reason, and are for single days. */
function forcedFrom({ fromStep, force, reason, to }: RunOptions): StepId | Stage | undefined {
  const from = force === true ? STAGES[0] : (fromStep as StepId | Stage | undefined);
  if (from === undefined) return undefined;
  if (to !== undefined) throw new PipelineError('INPUT_INVALID', '--from-step and --force are for a single day');
  if (force === true && (reason ?? '').trim() === '')
    throw new PipelineError('INPUT_INVALID', '--force needs --reason');
  return from;
}

async function runOne(
  { terminal }: CommandContext,
  target: RunTarget,
  date: CivilDate,
  options: RunOptions,
): Promise<ExitCode> {
  const fromStep = forcedFrom(options);
  const handle = await startDay(target, {
    pipeline: options.pipeline,
    date,
    ...(options.recheck === true ? { recheck: true } : {}),
    ...(fromStep === undefined ? {} : { fromStep }),
    ...(options.reason === undefined ? {} : { why: options.reason }),
  });
  const result = await dayResult(handle);
  terminal.data(result);
  terminal.line(describeDay(result));
  return result.verdict === 'ok' ? EXIT.done : EXIT.degraded;
}

export function describeDay({ date, verdict, version, ran, reused, revision }: DayResult): string {
  const work = ran.length === 0 ? 'nothing to do, everything is reused' : `ran ${ran.join(', ')}; reused ${reused}`;
  return `${date}  ${verdict}${revision === null ? '' : `, ${revision}`}, version ${version}: ${work}`;
}

export interface RangeResult {
  readonly days: number;
  readonly upToDate: number;
  readonly committed: number;
  readonly single: readonly (
    DayResult | { readonly date: CivilDate; readonly code: string; readonly message: string }
  )[];
}

async function runRange(
  context: CommandContext,
  target: RunTarget,
  dates: readonly CivilDate[],
  options: RunOptions,
): Promise<ExitCode> {
  const until = parseUntil(options.until);
  const result = await runDays(context, target, options.pipeline, dates, {
    ...(until === undefined ? {} : { until }),
    ...(options.recheck === true ? { recheck: true } : {}),
  });
  await finishRollup(target, options.pipeline);
  const { terminal } = context;
  terminal.data(result);
  terminal.line(`${result.days} days: ${result.committed} made, ${result.upToDate} complete before`);
  const failed = result.single.filter((day) => 'code' in day);
  for (const day of result.single) {
    terminal.line('code' in day ? `${day.date}  ${day.code}: ${day.message}` : describeDay(day));
  }
  return failed.length === 0 ? EXIT.done : EXIT.failed;
}

const UNTIL = ['download', 'transform', 'metrics'] as const;

function parseUntil(text: string | undefined): WindowInput['until'] {
  if (text === undefined) return undefined;
  const stage = UNTIL.find((known) => known === text);
  if (stage === undefined) throw new PipelineError('INPUT_INVALID', `--until takes ${UNTIL.join(', ')}, not ${text}`);
  return stage;
}

const DAYS_AT_ONCE = 3;

/** Runs days through windows; the days that need care run alone afterwards. */
export async function runDays(
  { terminal }: Pick<CommandContext, 'terminal'>,
  target: RunTarget,
  pipeline: string,
  dates: readonly CivilDate[],
  options: Pick<WindowInput, 'until' | 'recheck'>,
): Promise<RangeResult> {
  const windows = monthWindows(dates[0] ?? '', dates.at(-1) ?? '').map(({ from, to }) => datesBetween(from, to));
  let done = 0;
  const results = await runWindows(
    target,
    windows.map((days) => ({ pipeline, dates: days, ...options })),
    ({ dates: days }) => {
      done += 1;
      if (windows.length > 1)
        terminal.note(`${done} of ${windows.length} windows: ${days[0] ?? ''} … ${days.at(-1) ?? ''}`);
    },
  );
  const careful = results.flatMap((result) => result.careful.map(({ date }) => date));
  const single = await mapConcurrent(careful, DAYS_AT_ONCE, async (date) => {
    try {
      return await dayResult(await startDay(target, { pipeline, date, reason: 'backfill' }));
    } catch (error) {
      const { code, message } = asPipelineError(error);
      return { date, code, message };
    }
  });
  const sum = (count: (result: (typeof results)[number]) => number): number =>
    results.reduce((total, result) => total + count(result), 0);
  return {
    days: dates.length,
    upToDate: sum((result) => result.upToDate),
    committed: sum((result) => result.committed),
    single,
  };
}
