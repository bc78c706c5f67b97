import { PipelineError } from '../../errors.ts';
import { definedMembers } from '../../given.ts';
import { datasetOf } from '../../engine/engine.ts';
import type { Engine } from '../../engine/engine.ts';
import { rehearseDay } from '../../engine/look/rehearse-day.ts';
import { selectSpans } from '../../engine/plan/plan-backfill.ts';
import { planRun } from '../../engine/plan/plan-run.ts';
import type { RunPlan, RunPlans } from '../../engine/plan/plan-run.ts';
import { probePublisher } from '../../engine/watch/probe-publisher.ts';
import { checkRequest } from '../../engine/plan/resolve-plan.ts';
import type { BackfillRequest } from '../../pipelines/backfill.ts';
import { datesBetween, parseCivilDate } from '../../pipelines/civil-date.ts';
import { reasonsTold, shareText, tellTogether } from '../../pipelines/in-shards.ts';
import type { ToldStep } from '../../pipelines/in-shards.ts';
import type { PlannedStep, StepAction } from '../../pipelines/planned-step.ts';
import type { UnreadableRow } from '../../pipelines/stored-records.ts';
import type { CivilDate } from '../../pipelines/vocabulary.ts';
import { afterDayEnd } from '../../pipelines/zoned-day.ts';
import { EXIT } from '../shared/context.ts';
import type { CommandContext, ExitCode } from '../shared/context.ts';
import { commandControl } from '../shared/control.ts';
import { instantText } from '../shared/instants.ts';
import { count } from '../shared/measures.ts';
import type { Terminal } from '../shared/terminal.ts';
import { printUnreadable } from '../shared/unreadable.ts';
import { printEffects } from './effects.ts';

/** Nothing is written, and only `probe` asks a publisher. */
export interface PlanCommand {
  readonly pipeline: string;
  readonly from: string;
  readonly to?: string | undefined;
  readonly probe?: boolean;
  readonly all?: boolean;
  /** Of a range: with the pages of its days. */
  readonly pages?: boolean;
  /** Of a single day: what its run would change in the months, years and history. */
  readonly effects?: boolean;
}

/** What the run of the same arguments does. */
interface Foreseen {
  readonly days: readonly RunPlan[];
  /**
   * How many days of the range it leaves out, because the publisher is not expected to have them
   * yet.
   */
  readonly notDue: number;
  /** Until when the run of a single day waits. */
  readonly waitsUntil: string | null;
  readonly unreadable: RunPlans['unreadable'];
}

/**
 * `quotidien plan`: what `quotidien run` of the same days would do, step by step, with the reason.
 */
export async function plan(context: CommandContext, options: PlanCommand): Promise<ExitCode> {
  const engine = await context.engine();
  const { definition } = datasetOf(engine, options.pipeline);
  const from = parseCivilDate(options.from);
  const to = options.to === undefined ? undefined : parseCivilDate(options.to);
  const dates = to === undefined ? [from] : datesBetween(from, to);
  checkRequest(definition, { dates, options: {} });
  if (options.effects === true && to !== undefined) {
    throw new PipelineError('INPUT_INVALID', '--effects is of a single day');
  }
  if (options.probe === true)
    await probePublisher(engine, options.pipeline, dates, commandControl(context, 'plan'));
  const foreseen = await (to === undefined
    ? foreseeDay(engine, options.pipeline, from)
    : foreseeRange(engine, {
        pipeline: options.pipeline,
        from,
        to,
        ...(options.pages === true ? { pages: true } : {}),
      }));
  const { days, notDue, waitsUntil, unreadable } = foreseen;
  const effects =
    options.effects === true
      ? await rehearseDay(engine, commandControl(context, 'plan'), options.pipeline, from)
      : undefined;
  context.terminal.data({
    pipeline: options.pipeline,
    days: days.map(({ date, steps, upToDate, unpublished }) => ({
      date,
      steps,
      upToDate,
      unpublished,
    })),
    totals: countActions(days),
    notDue,
    waitsUntil,
    unreadable: Object.fromEntries(unreadable),
    ...definedMembers({ effects }),
  });
  print(context.terminal, foreseen, options.all === true || to === undefined, definition.zone);
  if (effects !== undefined) printEffects(context.terminal, effects);
  printUnreadable(context.terminal, unreadable);
  return unreadable.size === 0 ? EXIT.done : EXIT.failed;
}

async function foreseeDay(engine: Engine, pipeline: string, date: CivilDate): Promise<Foreseen> {
  const { definition } = datasetOf(engine, pipeline);
  const { plans, unreadable } = await planRun(engine, definition, [date], { days: 1 });
  const expectedAt = afterDayEnd(date, definition.zone, definition.publication.expectedAfter);
  const waits = engine.now() < expectedAt && plans.some(({ upToDate }) => !upToDate);
  return {
    days: plans,
    notDue: 0,
    waitsUntil: waits ? expectedAt.toISOString() : null,
    unreadable,
  };
}

/** A range is a backfill of what is open in it. */
async function foreseeRange(engine: Engine, request: BackfillRequest): Promise<Foreseen> {
  const days: RunPlan[] = [];
  const unreadable = new Map<CivilDate, UnreadableRow>();
  let notDue = 0;
  for await (const found of selectSpans(engine, request)) {
    days.push(...found.due);
    notDue += found.notDue;
    for (const [date, row] of found.unreadable) unreadable.set(date, row);
  }
  return { days, notDue, waitsUntil: null, unreadable };
}

function countActions(days: readonly RunPlan[]): Record<StepAction, number> {
  const totals: Record<StepAction, number> = { run: 0, recheck: 0, reuse: 0, skip: 0 };
  for (const { steps } of days) for (const { action } of steps) totals[action] += 1;
  return totals;
}

const ORDER: readonly StepAction[] = ['run', 'recheck', 'reuse', 'skip'];

function print(
  terminal: Terminal,
  { days, notDue, waitsUntil }: Foreseen,
  everything: boolean,
  zone: string,
): void {
  for (const day of days) printDay(terminal, day, everything);
  if (waitsUntil !== null) {
    terminal.line(
      `the day is not expected before ${instantText(waitsUntil, zone)}: a run waits until then`,
    );
  }
  const totals = countActions(days);
  const steps = ORDER.reduce((sum, action) => sum + totals[action], 0);
  const later = notDue === 0 ? '' : `; ${count(notDue, 'day')} more not due yet`;
  terminal.line(
    `${totals.run} of ${steps} steps will run in ${count(days.length, 'day')}; ` +
      `${totals.recheck} are rechecked, ${totals.reuse} reused, ${totals.skip} skipped${later}`,
  );
}

function printDay(
  terminal: Terminal,
  { date, steps, upToDate, unpublished }: RunPlan,
  everything: boolean,
): void {
  const { yellow, cyan, green, dim, bold } = terminal.colours;
  const paint: Record<StepAction, (text: string) => string> = {
    run: yellow,
    recheck: cyan,
    reuse: green,
    skip: dim,
  };
  const active = steps.filter(({ action }) => action === 'run' || action === 'recheck');
  const shown = everything ? steps : active;
  if (shown.length === 0 && upToDate) return;
  terminal.line(bold(date));
  for (const told of tellTogether(
    shown,
    ({ step }) => step,
    ({ action }) => action,
  )) {
    const [{ action } = { action: 'skip' as const }] = told.members;
    terminal.line(`  ${paint[action](action.padEnd(8))}${describe(told)}`);
  }
  if (upToDate || active.length > 0) return;
  const what =
    unpublished.length > 0
      ? `publishes ${unpublished.join(', ')}`
      : 'a new version of what is there already';
  terminal.line(`  ${cyan('commit'.padEnd(8))}${what}`);
}

function describe(told: ToldStep<PlannedStep>): string {
  const share = told.of === undefined ? '' : `${shareText(told)}, `;
  return `${told.step.padEnd(22)} ${share}${reasonsTold(told.members)}`;
}
