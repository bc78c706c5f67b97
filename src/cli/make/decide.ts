import { definedMembers } from '../../given.ts';
import { PipelineError } from '../../errors.ts';
import { parseCivilDate } from '../../pipelines/civil-date.ts';
import { datesOfPeriod } from '../../pipelines/period.ts';
import { WHOLE_HISTORY, isPeriod } from '../../pipelines/scope.ts';
import { datasetOf } from '../../engine/engine.ts';
import { EXIT } from '../shared/context.ts';
import type { CommandContext, ExitCode } from '../shared/context.ts';
import { noteCommand } from '../shared/note-command.ts';
import { wholeScope } from '../shared/scope-argument.ts';
import { withClient } from '../temporal/known-temporal.ts';
import { sendOrder } from '../temporal/orders.ts';
import { awaitDay } from '../temporal/day-waits.ts';
import { decidePeriodUnit, decideUnit, resultOf } from '../temporal/runs.ts';
import { withTemporal } from '../temporal/temporal.ts';
import type { DecideUnitInput } from '../../workflows/unit-decisions.ts';
import { backfillOf, orderDay, signed } from './orders.ts';
import { describeDay } from './run.ts';

/** Exactly one of `accept`, `reject` and `retry`. */
export interface DecideCommand {
  /** Or a backfill that asks, by its id. */
  readonly pipeline: string;
  /** Without it the canary of a backfill is decided on. */
  readonly date?: string | undefined;
  /** The unit that is held, as `show` names it; without it the held step of the day. */
  readonly unit?: string;
  readonly accept?: boolean;
  readonly reject?: boolean;
  /** Of a held step: have it made again. */
  readonly retry?: boolean;
  readonly reason?: string;
  readonly by?: string;
  /** Where several steps are held, or hold the unit: the one that is meant. */
  readonly step?: string;
  readonly detach?: boolean;
}

/**
 * `quotidien decide`: answers a held day, one held unit of a day or period, or what the canary of a
 * backfill asks.
 */
export async function decide(context: CommandContext, command: DecideCommand): Promise<ExitCode> {
  const { date, unit, step } = command;
  const decision = chosen(command);
  const input = { decision, ...signed(command), ...definedMembers({ step }) };
  if (date === undefined) return decideCanary(context, command.pipeline, input);
  if (unit === undefined) return orderDay(context, { ...command, date }, 'decide', input);
  if (decision === 'retry')
    throw new PipelineError('INPUT_INVALID', 'a unit is accepted or rejected, not retried');
  const scope = wholeScope(date);
  if (isPeriod(scope)) {
    return decideOnPeriod(context, command.pipeline, { ...input, unit, decision, period: scope });
  }
  return decideOnUnit(
    context,
    { pipeline: command.pipeline, date: parseCivilDate(date) },
    { ...input, unit, decision },
  );
}

function chosen({ accept, reject, retry }: DecideCommand): 'accept' | 'reject' | 'retry' {
  const given = Object.entries({ accept, reject, retry }).filter(([, isGiven]) => isGiven === true);
  const [only] = given;
  if (only !== undefined && given.length === 1) return only[0] as 'accept' | 'reject' | 'retry';
  throw new PipelineError('INPUT_INVALID', 'say one of --accept, --reject and --retry');
}

async function decideCanary(
  context: CommandContext,
  target: string,
  {
    decision,
    reason,
    by,
  }: { readonly decision: string; readonly reason: string; readonly by: string },
): Promise<ExitCode> {
  return withClient(context, async (client) => {
    const id = await backfillOf(client, target);
    await noteCommand(context, { action: 'backfill/decide', target: id, reason, by });
    const told = await sendOrder(client, id, 'decide', { decision, reason, by });
    context.terminal.data({ id, told });
    context.terminal.line(`${id}: ${told}`);
    return EXIT.done;
  });
}

/** The period is made again, and what is made from it. */
async function decideOnPeriod(
  context: CommandContext,
  pipeline: string,
  decision: Omit<Parameters<typeof decidePeriodUnit>[2], 'date'>,
): Promise<ExitCode> {
  const { definition } = datasetOf(context, pipeline);
  const { period } = decision;
  const first = period === WHOLE_HISTORY ? definition.since : datesOfPeriod(period).from;
  const date = first < definition.since ? definition.since : first;
  return withTemporal(context, async (target) => {
    await noteUnit(context, `${pipeline}/${period}`, decision);
    const { told, handle } = await decidePeriodUnit(target, pipeline, { ...decision, date });
    context.terminal.line(told);
    context.terminal.data(await resultOf(handle));
    return EXIT.done;
  });
}

function noteUnit(
  context: CommandContext,
  scope: string,
  { unit, reason, by }: Pick<DecideUnitInput, 'unit' | 'reason' | 'by'>,
): Promise<void> {
  return noteCommand(context, { action: 'decideUnit', target: `${scope}/${unit}`, reason, by });
}

/** The day is made again where the decision changes it. */
async function decideOnUnit(
  context: CommandContext,
  { pipeline, date }: { readonly pipeline: string; readonly date: string },
  decision: Parameters<typeof decideUnit>[2],
): Promise<ExitCode> {
  const { definition } = datasetOf(context, pipeline);
  return withTemporal(context, async (target) => {
    await noteUnit(context, `${pipeline}/${date}`, decision);
    const { told, handle } = await decideUnit(target, { pipeline, date }, decision);
    context.terminal.line(told);
    const result = await awaitDay(context.terminal, target.client, { handle, definition, date });
    context.terminal.data(result);
    context.terminal.line(describeDay(result));
    return result.verdict === 'degraded' ? EXIT.degraded : EXIT.done;
  });
}
