import { forgetPerson } from '../../engine/upkeep/forget-person.ts';
import type { Forgetting } from '../../engine/upkeep/forget-person.ts';
import { isPeriod } from '../../pipelines/scope.ts';
import { rangesOf } from '../../pipelines/calendar-of-days.ts';
import { callerName } from '../shared/caller-name.ts';
import { EXIT } from '../shared/context.ts';
import type { CommandContext, ExitCode } from '../shared/context.ts';
import { noteCommand } from '../shared/note-command.ts';
import { commandControl } from '../shared/control.ts';
import { count, formatBytes, shortHash } from '../shared/measures.ts';
import type { Terminal } from '../shared/terminal.ts';

/** `id` is on the command line alone: it is kept nowhere and stands in no log. */
export interface ForgetCommand {
  readonly pipeline: string;
  readonly id: string;
  readonly reason?: string;
  readonly by?: string;
  readonly dryRun?: boolean;
}

/**
 * `quotidien forget`: removes the rows of a person for good, from every table, old version and raw
 * file.
 */
export async function forget(context: CommandContext, command: ForgetCommand): Promise<ExitCode> {
  const { terminal } = context;
  const engine = await context.engine();
  const { pipeline, id, reason = 'asked for', by = callerName(), dryRun = false } = command;
  const control = commandControl(context, 'forget');
  // Who is forgotten stands nowhere, here neither.
  if (!dryRun) await noteCommand(context, { action: 'forget', target: pipeline, reason, by });
  const result = await forgetPerson(engine, control, { pipeline, id, reason, by, dryRun });
  terminal.data(result);
  print(terminal, result);
  if (result.state === 'waiting') return EXIT.degraded;
  return result.left.length > 0 ? EXIT.degraded : EXIT.done;
}

function print(terminal: Terminal, result: Forgetting): void {
  const {
    pipeline,
    person,
    state,
    scopes,
    slices,
    objects,
    raws,
    records,
    bytes,
    left,
    underWay,
    why,
  } = result;
  if (state === 'waiting') {
    terminal.line(`${shortHash(person)}  waits: ${why ?? 'a store is away'}`);
    terminal.line(
      'New deliveries are without the person already; "quotidien reconcile" ends it once the stores answer.',
    );
    return;
  }
  const days = rangesOf(scopes.filter((scope) => !isPeriod(scope)));
  const periods = scopes.filter(isPeriod);
  const ranges = days.map(({ from, to }) => (from === to ? from : `${from} … ${to}`));
  const isPlan = state === 'planned';
  const verb = isPlan ? 'would be' : 'were';
  if (ranges.length > 0) terminal.line(`days that ${verb} made again     ${ranges.join(', ')}`);
  if (periods.length > 0) terminal.line(`periods that ${verb} made again  ${periods.join(', ')}`);
  terminal.line(
    `${count(slices, 'slice')}, ${isPlan ? 'at most ' : ''}${count(objects, 'object')} of versions and ` +
      `${count(raws, 'raw file')} ${verb} destroyed, ${formatBytes(bytes)}; ` +
      `${count(records, 'record')} ${isPlan ? 'name' : 'named'} the person`,
  );
  for (const one of left)
    terminal.line(
      `${one.scope}  what it had is gone; only a run makes it again (${one.why}): quotidien run ${pipeline} ${one.scope}`,
    );
  for (const run of underWay)
    terminal.line(
      `${run.workflowId} has not said that it ended, and may have read earlier slices: if it still runs, give the command again afterwards`,
    );
  if (isPlan) terminal.line('Nothing was changed.');
  else terminal.line(`forgotten as ${shortHash(person)}: later deliveries are without these rows`);
}
