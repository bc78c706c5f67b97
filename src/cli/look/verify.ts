import { datasetOf } from '../../engine/engine.ts';
import type { Engine } from '../../engine/engine.ts';
import { checkRequest } from '../../engine/plan/resolve-plan.ts';
import { repairDamage } from '../../engine/verify/repair-damage.ts';
import { drawDays } from '../../engine/verify/draw-days.ts';
import { verifyDays } from '../../engine/verify/verify-day.ts';
import type { VerifiedDays } from '../../engine/verify/verify-day.ts';
import { verifyPeriod } from '../../engine/verify/verify-period.ts';
import { PipelineError } from '../../errors.ts';
import { rangesOf } from '../../pipelines/calendar-of-days.ts';
import { datesBetween, parseCivilDate } from '../../pipelines/civil-date.ts';
import { isPeriod } from '../../pipelines/scope.ts';
import { describeRow } from '../../pipelines/stored-records.ts';
import { isDamaged, publishedFinding, worstResult } from '../../pipelines/verification.ts';
import type { CivilDate } from '../../pipelines/vocabulary.ts';
import type {
  Verification,
  StepVerification,
  VerificationResult,
} from '../../pipelines/verification.ts';
import { EXIT } from '../shared/context.ts';
import type { CommandContext, ExitCode } from '../shared/context.ts';
import { commandControl } from '../shared/control.ts';
import { noteCommand } from '../shared/note-command.ts';
import { count, shortHash } from '../shared/measures.ts';
import { wholeScope } from '../shared/scope-argument.ts';
import type { Terminal } from '../shared/terminal.ts';

/** With `sample` that many days of the range, drawn at random, in place of all. */
export interface VerifyCommand {
  readonly pipeline: string;
  readonly from: string;
  readonly to?: string | undefined;
  readonly sample?: string;
  /** Make again what was found damaged, then verify that once more. */
  readonly repair?: boolean;
}

/** Ranges longer than this list only the days that are not identical. */
const MAX_LISTED = 31;

const EXIT_OF: Readonly<Record<VerificationResult, ExitCode>> = {
  identical: EXIT.done,
  different: EXIT.failed,
  not_rebuildable: EXIT.degraded,
};

/**
 * `quotidien verify`: rebuilds days from their raw files, or the tables of a month, a year or `all`
 * from their days, and compares every byte. Exit code 1 when anything differs, 3 when something
 * could not be rebuilt.
 */
export async function verify(context: CommandContext, command: VerifyCommand): Promise<ExitCode> {
  const { terminal } = context;
  const engine = await context.engine();
  const { pipeline, from, to } = command;
  if (to === undefined && command.sample === undefined && isPeriod(wholeScope(from)))
    return verifyTables(context, engine, command);
  const range = datesOf(from, to);
  checkRequest(datasetOf(engine, pipeline).definition, { dates: range, options: {} });
  const dates =
    command.sample === undefined
      ? range
      : await drawDays(engine, pipeline, range, parseSample(command.sample));
  const startedAt = Date.now();
  let done = 0;
  const first = await verifyDays(engine, commandControl(context, 'verify'), {
    pipeline,
    dates,
    onDay: (day) => {
      done += 1;
      if (dates.length <= MAX_LISTED || day.result !== 'identical') printScope(terminal, day);
      else if (done % MAX_LISTED === 0) terminal.note(`${done} of ${dates.length} days`);
    },
  });
  const days = await mended(context, engine, command, first.days, async (dates) => {
    return (await verifyDays(engine, commandControl(context, 'verify'), { pipeline, dates })).days;
  });
  const verified = { ...first, days };
  if (verified.days.length + verified.unreadable.length === 0) {
    throw new PipelineError(
      'INPUT_INVALID',
      `no run of ${pipeline} ${from}${to === undefined ? '' : ` … ${to}`} has ended yet`,
    );
  }
  const seconds = (Date.now() - startedAt) / 1000;
  const totals = totalsOf(verified);
  terminal.data({
    pipeline,
    days: verified.days,
    absent: verified.absent,
    unreadable: verified.unreadable,
    totals,
    seconds,
  });
  printTotals(terminal, verified, totals, seconds);
  const rows = new Map(verified.unreadable.map((row) => [row.sort, row]));
  for (const row of rows.values())
    terminal.line(`${terminal.colours.red('unreadable')}  ${describeRow(row)}`);
  return rows.size > 0
    ? EXIT.failed
    : EXIT_OF[worstResult(verified.days.map(({ result }) => result))];
}

/** Rebuilds the tables of one period. */
async function verifyTables(
  context: CommandContext,
  engine: Engine,
  command: VerifyCommand,
): Promise<ExitCode> {
  const { terminal } = context;
  const { pipeline, from: period } = command;
  const verifyOne = () => verifyPeriod(engine, commandControl(context, 'verify'), pipeline, period);
  const first = await verifyOne();
  if (first === undefined) {
    throw new PipelineError(
      'INPUT_INVALID',
      `${pipeline} has no tables of ${period} yet: they are made after days of it have run`,
    );
  }
  printScope(terminal, first);
  const again = async (): Promise<Verification[]> => [(await verifyOne()) ?? first];
  const [verification = first] = await mended(context, engine, command, [first], again);
  terminal.data(verification);
  return EXIT_OF[verification.result];
}

/**
 * Makes what is damaged again where that was asked for, and says what came of it; otherwise how to
 * ask for it.
 */
async function mended(
  context: CommandContext,
  engine: Engine,
  { pipeline, from, to, repair }: VerifyCommand,
  verified: readonly Verification[],
  verifyAgain: (scopes: readonly CivilDate[]) => Promise<readonly Verification[]>,
): Promise<readonly Verification[]> {
  const { terminal } = context;
  const damaged = verified.filter(isDamaged);
  if (damaged.length === 0) return verified;
  if (repair !== true) {
    terminal.note(
      `to make again what is damaged: quotidien verify ${[pipeline, from, to ?? []].flat().join(' ')} --repair`,
    );
    return verified;
  }
  const range = to === undefined ? from : `${from}_${to}`;
  await noteCommand(context, {
    action: 'repair',
    target: `${pipeline}/${range}`,
    reason: 'quotidien verify --repair',
  });
  for (const one of damaged) {
    const { scope, why } = await repairDamage(engine, commandControl(context, 'repair'), one);
    const next = `only its publisher can make it whole: quotidien run ${pipeline} ${scope} --from-step download`;
    terminal.line(why === null ? `${scope}  made again` : `${scope}  ${why}; ${next}`);
  }
  const again = new Map(
    (await verifyAgain(damaged.map(({ scope }) => scope))).map((one) => [one.scope, one]),
  );
  for (const one of again.values()) printScope(terminal, one);
  return verified.map((one) => again.get(one.scope) ?? one);
}

function datesOf(from: string, to: string | undefined): CivilDate[] {
  const first = parseCivilDate(from);
  const dates = datesBetween(first, to === undefined ? first : parseCivilDate(to));
  if (dates.length > 0) return dates;
  throw new PipelineError(
    'INPUT_INVALID',
    `the range ${from} … ${to ?? from} is empty: give the earlier date first`,
  );
}

function parseSample(text: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && number > 0) return number;
  throw new PipelineError(
    'INPUT_INVALID',
    `--sample takes a number of days, not ${JSON.stringify(text)}`,
  );
}

function totalsOf({ days }: VerifiedDays): Record<VerificationResult, number> {
  const totals: Record<VerificationResult, number> = {
    identical: 0,
    different: 0,
    not_rebuildable: 0,
  };
  for (const { result } of days) totals[result] += 1;
  return totals;
}

function printScope(terminal: Terminal, verification: Verification): void {
  const { scope, version, result, steps, published = [], destroyed = 0 } = verification;
  const outputs = steps.reduce((sum, step) => sum + step.outputs.length, 0);
  const gone =
    destroyed === 0 ? '' : `; ${count(destroyed, 'object')} of its versions destroyed on purpose`;
  const what = `version ${version}, ${count(steps.length, 'step')}, ${count(outputs, 'output')}${gone}`;
  terminal.line(`${scope}  ${painted(terminal, result)}  ${what}`);
  for (const step of steps)
    for (const line of stepLines(terminal, step)) terminal.line(`  ${line}`);
  for (const { step, destroyed: what = [] } of steps)
    for (const line of what) terminal.line(`  ${step}: ${line}`);
  for (const finding of published.flatMap((one) => publishedFinding(one) ?? []))
    terminal.line(`  ${painted(terminal, 'different')}  ${finding}`);
}

function stepLines(
  terminal: Terminal,
  { step, key, result, findings }: StepVerification,
): string[] {
  return findings.map(
    (finding) => `${painted(terminal, result)}  ${step} ${shortHash(key)}  ${finding}`,
  );
}

function painted({ colours }: Terminal, result: VerificationResult): string {
  const word = result.replaceAll('_', ' ');
  if (result === 'identical') return colours.green(word);
  return result === 'different' ? colours.red(word) : colours.yellow(word);
}

function printTotals(
  terminal: Terminal,
  { days, absent }: VerifiedDays,
  totals: Record<VerificationResult, number>,
  seconds: number,
): void {
  const parts = [`${totals.identical} identical`];
  if (totals.different > 0) parts.push(`${totals.different} different`);
  if (totals.not_rebuildable > 0) parts.push(`${totals.not_rebuildable} not rebuildable`);
  terminal.line(
    `${count(days.length, 'day')} rebuilt and compared: ${parts.join(', ')}; ${seconds.toFixed(1)} s`,
  );
  const ranges = rangesOf(absent).map(({ from, to }) => (from === to ? from : `${from} … ${to}`));
  if (ranges.length > 0)
    terminal.note(`nothing to verify on ${ranges.join(', ')}: no run has ended there`);
}
