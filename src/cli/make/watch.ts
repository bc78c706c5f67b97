import { calendarOfDays } from '../../engine/look/day-calendar.ts';
import { datasetOf } from '../../engine/engine.ts';
import { addDays, datesBetween } from '../../pipelines/civil-date.ts';
import { civilDateAt } from '../../pipelines/zoned-day.ts';
import { askAgainLine } from '../look/calendar.ts';
import { EXIT } from '../shared/context.ts';
import type { CommandContext, ExitCode } from '../shared/context.ts';
import { noteCommand } from '../shared/note-command.ts';
import { count } from '../shared/measures.ts';
import { finishRollup, resultOf, startWatch } from '../temporal/runs.ts';
import { tellTries } from '../temporal/tries.ts';
import { withTemporal } from '../temporal/temporal.ts';

/**
 * `quotidien watch`: asks the publisher now what it revised, and runs the days whose content
 * changed.
 */
export async function watch(context: CommandContext, pipeline: string): Promise<ExitCode> {
  const { terminal } = context;
  datasetOf(context, pipeline);
  const result = await withTemporal(context, async (target) => {
    await noteCommand(context, { action: 'watch', target: pipeline });
    const handle = await startWatch(target, pipeline);
    const tries = tellTries(terminal, target.client, handle.workflowId);
    const watched = await resultOf(handle).finally(() => {
      tries.stop();
    });
    await finishRollup(target, pipeline);
    return watched;
  });
  const engine = await context.engine();
  const { definition } = datasetOf(engine, pipeline);
  const yesterday = addDays(civilDateAt(engine.now(), definition.zone), -1);
  const days = await calendarOfDays(
    engine,
    pipeline,
    datesBetween(addDays(yesterday, -364), yesterday),
    new Map(),
  );
  const askAgain = days.flatMap(({ date, askAgainAt }) =>
    askAgainAt === null ? [] : [{ date, askAgainAt }],
  );
  terminal.data({ ...result, askAgain });
  const revisions = Object.entries(result.revisions).map(([name, days]) => `${days} ${name}`);
  terminal.line(`finished days: ${revisions.join(', ') || 'none'}`);
  terminal.line(
    `${result.moved.length === 0 ? 'the publisher has nothing new' : `new at the publisher: ${result.moved.join(', ')}`}; ` +
      `${count(result.asked, 'day')} asked for again, ${result.changed.length} changed`,
  );
  terminal.line(
    askAgainLine(days, engine.now()) ?? 'no finished day of the last year is asked for again',
  );
  for (const { date, versions, failure, waits } of result.changed) {
    if (waits !== undefined) terminal.line(`${date}  goes on by itself: ${waits}`);
    if (failure !== null) terminal.line(`${date}  ${failure.code}: ${failure.message}`);
    else if (versions !== null)
      terminal.line(
        `${date}  quotidien diff ${pipeline} ${date} --versions ${versions.from}..${versions.to}`,
      );
  }
  return result.changed.some(({ failure }) => failure !== null) ? EXIT.failed : EXIT.done;
}
