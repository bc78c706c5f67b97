import { repairRows, unreadableRows } from '../../engine/upkeep/repair-rows.ts';
import { PipelineError } from '../../errors.ts';
import { datesBetween, parseCivilDate } from '../../pipelines/civil-date.ts';
import { isPeriod } from '../../pipelines/scope.ts';
import { describeRow } from '../../pipelines/stored-records.ts';
import type { Scope } from '../../pipelines/vocabulary.ts';
import { commandControl } from '../shared/control.ts';
import { EXIT } from '../shared/context.ts';
import type { CommandContext, ExitCode } from '../shared/context.ts';
import { noteCommand } from '../shared/note-command.ts';
import { count } from '../shared/measures.ts';
import { wholeScope } from '../shared/scope-argument.ts';

/** Both ends are included; without `to` one day. */
export interface RepairCommand {
  readonly pipeline: string;
  readonly from: string;
  readonly to?: string | undefined;
  readonly dryRun?: boolean;
}

/**
 * `quotidien repair`: makes records that cannot be read again, from the ledger, the manifests and
 * the objects.
 */
export async function repair(context: CommandContext, command: RepairCommand): Promise<ExitCode> {
  const { terminal } = context;
  const engine = await context.engine();
  const scopes = scopesOf(command);
  if (command.dryRun === true) {
    const rows = await unreadableRows(engine, command.pipeline, scopes);
    terminal.data({ rows });
    for (const row of rows) terminal.line(describeRow(row));
    terminal.line(`${count(rows.length, 'row')} cannot be read`);
    return rows.length === 0 ? EXIT.done : EXIT.degraded;
  }
  await noteCommand(context, {
    action: 'repair',
    target: `${command.pipeline}/${command.from}${command.to === undefined ? '' : `_${command.to}`}`,
  });
  const result = await repairRows(
    engine,
    commandControl(context, 'repair'),
    command.pipeline,
    scopes,
  );
  terminal.data(result);
  for (const { row, aside } of result.rows) {
    const kept = aside === null ? 'left as it is' : `set aside as ${aside}`;
    terminal.line(`${row.table} ${row.sort}  ${kept}: ${row.why}`);
  }
  for (const { scope, version, why } of result.scopes) {
    const next = `only a run can make it whole: quotidien run ${command.pipeline} ${scope}`;
    terminal.line(
      version === null ? `${scope}  ${why ?? ''}; ${next}` : `${scope}  whole, version ${version}`,
    );
  }
  if (result.rows.length === 0) terminal.line('every row can be read');
  const left =
    result.rows.some(({ aside }) => aside === null) ||
    result.scopes.some(({ version }) => version === null);
  return left ? EXIT.failed : EXIT.done;
}

function scopesOf({ from, to }: RepairCommand): Scope[] {
  const first = wholeScope(from);
  if (to === undefined && isPeriod(first)) return [first];
  const start = parseCivilDate(from);
  const dates = datesBetween(start, to === undefined ? start : parseCivilDate(to));
  if (dates.length > 0) return dates;
  throw new PipelineError(
    'INPUT_INVALID',
    `the range ${from} … ${to ?? from} is empty: give the earlier date first`,
  );
}
