import { definedMembers, required } from '../../given.ts';
import { loadPlan, planBackfill, savePlan } from '../../engine/plan/plan-backfill.ts';
import type { DetailedPlan } from '../../engine/plan/plan-backfill.ts';
import { PipelineError } from '../../errors.ts';
import { countReasons, SELECTIONS } from '../../pipelines/backfill.ts';
import type {
  BackfillPlan,
  BackfillRequest,
  BackfillSelection,
  StepActions,
} from '../../pipelines/backfill.ts';
import { parseCivilDate } from '../../pipelines/civil-date.ts';
import { tellTogether } from '../../pipelines/in-shards.ts';
import type { StepAction } from '../../pipelines/planned-step.ts';
import type { StepId } from '../../pipelines/vocabulary.ts';
import type { BackfillInput } from '../../workflows/backfill.ts';
import {
  exitCodeOf,
  exitCodeOfDays,
  leftLines,
  notOkLines,
  rollupFailure,
  runBackfill,
  untilOf,
} from './backfill-run.ts';
import type { EndedBackfill } from './backfill-run.ts';
import { EXIT } from '../shared/context.ts';
import type { CommandContext, ExitCode } from '../shared/context.ts';
import { noteCommand } from '../shared/note-command.ts';
import { count, formatBytes } from '../shared/measures.ts';
import { withTemporal } from '../temporal/temporal.ts';
import { findUnfinished } from '../../engine/look/unfinished.ts';

/**
 * At most one of `missing`, `failed`, `stale` and `all`; texts are still those of the command line.
 */
export interface BackfillCommand {
  readonly pipeline: string;
  readonly from: string;
  readonly to: string;
  readonly missing?: boolean;
  readonly failed?: boolean;
  readonly stale?: boolean;
  readonly all?: boolean;
  readonly newestFirst?: boolean;
  readonly parallel?: string;
  readonly until?: string;
  readonly pages?: boolean;
  readonly dryRun?: boolean;
  readonly plan?: string;
  readonly canary?: string;
  readonly canaryTolerance?: string;
}

/** `quotidien backfill`: plans the days of a range, and runs them by windows and alone. */
export async function backfill(
  context: CommandContext,
  command: BackfillCommand,
): Promise<ExitCode> {
  const { terminal } = context;
  const engine = await context.engine();
  const { pipeline, plan: hash } = command;
  const detailed = hash === undefined ? await planBackfill(engine, requestOf(command)) : undefined;
  const plan =
    hash === undefined
      ? required(detailed, 'the plan').plan
      : await loadPlan(engine.documents, pipeline, hash);
  if (detailed !== undefined) await savePlan(engine.documents, plan);
  for (const line of planLines(plan)) terminal.line(line);
  if (command.dryRun === true) {
    terminal.data({ plan, days: detailed?.days ?? [] });
    for (const line of reasonLines(detailed)) terminal.line(line);
    terminal.line(
      `start exactly this: quotidien backfill ${plan.request.pipeline} --plan ${plan.hash}`,
    );
    return EXIT.done;
  }
  if (plan.days === 0) return finishWithoutDays(context, plan);
  return start(context, plan, inputOf(plan, command));
}

function requestOf(command: BackfillCommand): BackfillRequest {
  const chosen = SELECTIONS.filter((name) => name !== 'open' && command[name] === true);
  if (chosen.length > 1)
    throw new PipelineError('INPUT_INVALID', `choose one of --${chosen.join(', --')}`);
  const select: BackfillSelection = chosen[0] ?? 'open';
  return {
    pipeline: command.pipeline,
    from: parseCivilDate(command.from),
    to: parseCivilDate(command.to),
    select,
    ...(command.newestFirst === true ? { newestFirst: true } : {}),
    ...untilOf(command.until),
    ...(command.pages === true ? { pages: true } : {}),
  };
}

/**
 * Only a plan that somebody has looked at before is held to its word; a fresh one may be overtaken
 * by a minute.
 */
function inputOf({ request }: BackfillPlan, command: BackfillCommand): BackfillInput {
  return {
    ...request,
    ...definedMembers({ plan: command.plan }),
    ...(command.parallel === undefined
      ? {}
      : { parallel: numberOf('--parallel', command.parallel) }),
    ...(command.canary === undefined ? {} : { canary: numberOf('--canary', command.canary) }),
    ...(command.canaryTolerance === undefined
      ? {}
      : { canaryTolerance: numberOf('--canary-tolerance', command.canaryTolerance) }),
  };
}

function numberOf(option: string, text: string): number {
  const number = Number(text);
  if (Number.isFinite(number) && number >= 0) return number;
  throw new PipelineError('INPUT_INVALID', `${option} takes a number, not ${JSON.stringify(text)}`);
}

/**
 * A run that was killed near its end may have left months or comparisons to be made, although every
 * day is there.
 */
async function finishWithoutDays(context: CommandContext, plan: BackfillPlan): Promise<ExitCode> {
  const { terminal } = context;
  const { pipeline } = plan.request;
  const unfinished = await findUnfinished(await context.engine(), pipeline);
  const before = { degradedDays: plan.degraded ?? 0, noDataDays: plan.noData ?? 0 };
  const done = exitCodeOfDays({ ...before, failedDays: 0, waitingDays: 0 });
  for (const line of notOkLines(before)) terminal.line(line);
  if (unfinished.announced.length === 0) {
    terminal.data({ plan, result: null });
    return done;
  }
  const days = count(unfinished.announced.length, 'changed day');
  terminal.note(`what is made from ${days} was left by an earlier run, and is made now`);
  const rollup = await withTemporal(context, (target) => rollupFailure(target, pipeline));
  terminal.data({ plan, result: null, rollup });
  terminal.line(
    rollup === null ? `what is made from ${days} is made` : `${rollup.code}: ${rollup.message}`,
  );
  return rollup === null ? done : EXIT.failed;
}

async function start(
  context: CommandContext,
  plan: BackfillPlan,
  input: BackfillInput,
): Promise<ExitCode> {
  const ended = await withTemporal(context, async (target) => {
    if (target.uiUrl !== undefined) context.terminal.note(`Temporal UI: ${target.uiUrl}`);
    const { pipeline, from, to } = input;
    await noteCommand(context, {
      action: 'backfill',
      target: `backfill/${pipeline}/${from}_${to}/${plan.hash}`,
    });
    return runBackfill(context.terminal, target, input, () => plan.days);
  });
  const result = input.plan === undefined ? ended : withLeftOut(ended, plan);
  context.terminal.data({ plan, result });
  for (const line of resultLines(plan, result)) context.terminal.line(line);
  return exitCodeOf(result);
}

/**
 * A backfill by a stored plan does not look at the days that this leaves out as complete; how they
 * stand is in the plan.
 */
function withLeftOut(
  ended: EndedBackfill,
  { complete, notDue, degraded = 0, noData = 0 }: BackfillPlan,
): EndedBackfill {
  const { degradedDays, noDataDays } = ended;
  return {
    ...ended,
    complete,
    notDue,
    degradedDays: degradedDays + degraded,
    noDataDays: noDataDays + noData,
  };
}

function planLines(plan: BackfillPlan): string[] {
  const { request, days, complete, notDue, otherwise, windows, requests, predicted, hash } = plan;
  const pages = request.pages === true ? ' with their pages' : '';
  const head = `plan ${hash}: ${request.pipeline} ${request.from} … ${request.to}, ${request.select ?? 'open'} days${pages}`;
  const left = [`${complete} complete`, `${notDue} not due yet`, `${otherwise} not asked for`];
  const lines = [
    head,
    `  ${count(days, 'day')} to run in ${count(windows, 'window')}; left out: ${left.join(', ')}`,
  ];
  const steps = Object.entries(plan.steps) as [StepId, StepActions[StepId]][];
  for (const told of tellTogether(steps, ([step]) => step)) {
    const sum = (action: StepAction): number =>
      told.members.reduce((total, [, counts]) => total + counts[action], 0);
    const actions = (['run', 'recheck', 'reuse', 'skip'] as const).map(
      (action) => `${action} ${sum(action)}`,
    );
    lines.push(
      `  ${told.step.padEnd(24)} ${actions.join(', ')}${told.of === undefined ? '' : ` shards of ${told.of}`}`,
    );
  }
  if (days === 0) return lines;
  const asked = Object.entries(requests).map(([host, number]) => `${number} to ${host}`);
  lines.push(`  requests: ${asked.join(', ') || 'none'}`);
  const unknown = predicted.withoutExperience;
  const besides =
    unknown.length === 0 ? '' : `, besides ${unknown.join(', ')}, which never ran here`;
  lines.push(
    `  predicted: ${predicted.secondsP50.toFixed(1)} s (p90 ${predicted.secondsP90.toFixed(1)} s), ` +
      `${formatBytes(predicted.storageBytes)} stored${besides}`,
  );
  return lines;
}

/** The most frequent reasons for which steps run. */
const MAX_REASONS = 12;

function reasonLines(detailed: DetailedPlan | undefined): string[] {
  const counted = countReasons(detailed?.days ?? []).slice(0, MAX_REASONS);
  return counted.map(({ reason, days }) => `  ${String(days).padStart(5)} × ${reason}`);
}

function resultLines(plan: BackfillPlan, result: EndedBackfill): string[] {
  const seconds = (Date.parse(result.endedAt) - Date.parse(result.startedAt)) / 1000;
  const lines = [
    `${result.done} of ${plan.days} days done in ${seconds.toFixed(1)} s (predicted ${plan.predicted.secondsP50.toFixed(1)}, ` +
      `p90 ${plan.predicted.secondsP90.toFixed(1)}), ${count(result.windows, 'window')}, ${count(result.days, 'single day')}`,
  ];
  for (const step of Object.keys(plan.steps) as StepId[]) {
    const [planned, actual] = [plan.steps[step], result.ran[step] ?? 0];
    if (planned === undefined || planned.run + actual === 0) continue;
    const rechecked = planned.recheck > 0 ? ` or ${planned.recheck} more when rechecked` : '';
    lines.push(`  ${step.padEnd(24)} planned ${planned.run}${rechecked}, ran ${actual}`);
  }
  lines.push(...leftLines(result));
  return lines;
}
