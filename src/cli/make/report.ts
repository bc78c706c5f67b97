import { PipelineError } from '../../errors.ts';
import { newestManifests } from '../../engine/records/ledger-reader.ts';
import { datasetOf } from '../../engine/engine.ts';
import { checkRequest } from '../../engine/plan/resolve-plan.ts';
import { addDays, parseCivilDate } from '../../pipelines/civil-date.ts';
import type { CivilDate } from '../../pipelines/vocabulary.ts';
import { civilDateAt } from '../../pipelines/zoned-day.ts';
import { EXIT } from '../shared/context.ts';
import type { CommandContext, ExitCode } from '../shared/context.ts';
import { noteCommand } from '../shared/note-command.ts';
import { describeDay } from './run.ts';
import { awaitDay } from '../temporal/day-waits.ts';
import { startDay } from '../temporal/runs.ts';
import { withTemporal } from '../temporal/temporal.ts';

/** A report of nothing would be a page of dashes under the name that readers know. */
async function refuseNothing(
  context: CommandContext,
  pipeline: string,
  date: CivilDate,
): Promise<void> {
  const { documents } = await context.engine();
  if ((await newestManifests(documents, pipeline, [date])).has(date)) return;
  throw new PipelineError(
    'INPUT_INVALID',
    `nothing is stored of ${pipeline} ${date}: "quotidien run ${pipeline} ${date}" makes the day with its report`,
  );
}

/**
 * `quotidien report`: makes the report of a day from what is stored; of `REPORT_DATE`, else of
 * yesterday, when no date is given.
 */
export async function report(
  context: CommandContext,
  { pipeline, date: given }: { pipeline: string; date?: string | undefined },
): Promise<ExitCode> {
  const { definition } = datasetOf(context, pipeline);
  const { REPORT_DATE: preset } = context.config.settings;
  const yesterday = addDays(civilDateAt(new Date(), definition.zone), -1);
  const date = parseCivilDate(given ?? preset ?? yesterday);
  checkRequest(definition, { dates: [date], options: {} });
  await refuseNothing(context, pipeline, date);
  const result = await withTemporal(context, async (target) => {
    await noteCommand(context, { action: 'report', target: `${pipeline}/${date}` });
    const handle = await startDay(target, { pipeline, date, only: 'report' });
    return awaitDay(context.terminal, target.client, { handle, definition, date });
  });
  context.terminal.data(result);
  context.terminal.line(describeDay(result));
  return result.verdict === 'ok' ? EXIT.done : EXIT.degraded;
}
