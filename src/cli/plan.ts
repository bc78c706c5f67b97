import { datasetOf } from '../activities/engine.ts';
import { probePublisher } from '../activities/probe-publisher.ts';
import { checkRequest, planFromStores } from '../activities/resolve-plan.ts';
import { datesBetween, parseCivilDate } from '../pipelines/civil-date.ts';
import type { DayPlan, PlannedStep, StepAction } from '../pipelines/plan.ts';
import { EXIT } from './context.ts';
import type { CommandContext, ExitCode } from './context.ts';
import { commandControl } from './control.ts';
import type { Terminal } from './terminal.ts';
import { printUnreadable } from './unreadable.ts';

export interface PlanCommand {
  readonly pipeline: string;
  readonly from: string;
  readonly to?: string | undefined;
  readonly probe?: boolean;
  readonly all?: boolean;
}

/** `quotidien plan`: what a run of these days would do, step by step, with the reason. */
export async function plan(context: CommandContext, options: PlanCommand): Promise<ExitCode> {
  const engine = await context.engine();
  const { definition } = datasetOf(engine, options.pipeline);
  const from = parseCivilDate(options.from);
  const dates = options.to === undefined ? [from] : datesBetween(from, parseCivilDate(options.to));
  checkRequest(definition, { dates, options: {} });
  if (options.probe === true) await probePublisher(engine, options.pipeline, dates, commandControl(context, 'plan'));
  const { plans, unreadable } = await planFromStores(engine, definition, dates, {});
  context.terminal.data({
    pipeline: options.pipeline,
    days: plans,
    totals: countActions(plans),
    unreadable: Object.fromEntries(unreadable),
  });
  print(context.terminal, plans, options.all === true || plans.length === 1);
  printUnreadable(context.terminal, unreadable);
  return unreadable.size === 0 ? EXIT.done : EXIT.failed;
}

function countActions(plans: readonly DayPlan[]): Record<StepAction, number> {
  const totals: Record<StepAction, number> = { run: 0, recheck: 0, reuse: 0, skip: 0 };
  for (const { steps } of plans) for (const { action } of steps) totals[action] += 1;
  return totals;
}

const ORDER: readonly StepAction[] = ['run', 'recheck', 'reuse', 'skip'];

function print(terminal: Terminal, plans: readonly DayPlan[], everything: boolean): void {
  const paint: Record<StepAction, (text: string) => string> = {
    run: terminal.colours.yellow,
    recheck: terminal.colours.cyan,
    reuse: terminal.colours.green,
    skip: terminal.colours.dim,
  };
  for (const { date, steps } of plans) {
    const shown = steps.filter(({ action }) => everything || action === 'run' || action === 'recheck');
    if (shown.length === 0) continue;
    terminal.line(terminal.colours.bold(date));
    for (const step of shown) terminal.line(`  ${paint[step.action](step.action.padEnd(8))}${describe(step)}`);
  }
  const totals = countActions(plans);
  const steps = ORDER.reduce((sum, action) => sum + totals[action], 0);
  const days = plans.length === 1 ? '1 day' : `${plans.length} days`;
  terminal.line(
    `${totals.run} of ${steps} steps will run in ${days}; ` +
      `${totals.recheck} are rechecked, ${totals.reuse} reused, ${totals.skip} skipped`,
  );
}

function describe({ step, reason }: PlannedStep): string {
  return `${step.padEnd(22)} ${reason}`;
}
