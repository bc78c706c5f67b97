import { retain as retainContent } from '../../engine/upkeep/retain.ts';
import { rangesOf } from '../../pipelines/calendar-of-days.ts';
import { isPeriod } from '../../pipelines/scope.ts';
import type { Scope } from '../../pipelines/vocabulary.ts';
import { EXIT } from '../shared/context.ts';
import type { CommandContext, ExitCode } from '../shared/context.ts';
import { noteCommand } from '../shared/note-command.ts';
import { commandControl } from '../shared/control.ts';
import { count, formatBytes } from '../shared/measures.ts';

/** How long tables are kept stands in the definition. */
export interface RetainCommand {
  readonly pipeline: string;
  readonly dryRun?: boolean;
}

/** `quotidien retain`: removes content that is older than its table is kept, in every version. */
export async function retain(
  context: CommandContext,
  { pipeline, dryRun = false }: RetainCommand,
): Promise<ExitCode> {
  const { terminal } = context;
  if (!dryRun) await noteCommand(context, { action: 'retain', target: pipeline });
  const result = await retainContent(await context.engine(), commandControl(context, 'retain'), {
    pipeline,
    dryRun,
  });
  terminal.data(result);
  for (const { table, months, basis, scopes, objects, bytes } of result.tables) {
    terminal.line(
      `${table}  ${count(objects, 'object')}, ${formatBytes(bytes)}  ${rangeOf(scopes)}`,
    );
    terminal.line(`  kept for ${count(months, 'month')}: ${basis}`);
  }
  const verb = dryRun ? 'would be' : 'were';
  if (result.keys.length > 0)
    terminal.line(`keys of sealed raw files that ${verb} destroyed: ${result.keys.join(', ')}`);
  const objects = result.tables.reduce((sum, table) => sum + table.objects, 0);
  const bytes = result.tables.reduce((sum, table) => sum + table.bytes, 0);
  terminal.line(
    `${count(objects, 'object')} past their time ${verb} destroyed, ${formatBytes(bytes)}`,
  );
  return EXIT.done;
}

function rangeOf(scopes: readonly Scope[]): string {
  const days = rangesOf(scopes.filter((scope) => !isPeriod(scope)));
  const ranges = days.map(({ from, to }) => (from === to ? from : `${from} … ${to}`));
  return [...ranges, ...scopes.filter(isPeriod)].join(', ');
}
