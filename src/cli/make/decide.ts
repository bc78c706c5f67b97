import { PipelineError } from '../../errors.ts';
import { parseCivilDate } from '../../pipelines/civil-date.ts';
import { datasetOf } from '../../engine/engine.ts';
import { callerName } from '../shared/caller-name.ts';
import { EXIT } from '../shared/context.ts';
import type { CommandContext, ExitCode } from '../shared/context.ts';
import { dayResult, decideUnit } from '../temporal/runs.ts';
import { openTemporal, workWith } from '../temporal/temporal.ts';
import { describeDay } from './run.ts';

export interface DecideCommand {
  readonly pipeline: string;
  readonly date: string;
  /** The unit that is held, as `show` names it. */
  readonly unit: string;
  readonly accept?: boolean;
  readonly reject?: boolean;
  readonly reason?: string;
  readonly by?: string;
  /** Where several steps hold the unit: the one that is meant. */
  readonly step?: string;
}

/** `quotidien decide`: accepts or rejects the rows of one held unit; the day is made again where that changes it. */
export async function decide(context: CommandContext, command: DecideCommand): Promise<ExitCode> {
  const { pipeline, unit, step } = command;
  datasetOf(context, pipeline);
  const date = parseCivilDate(command.date);
  const reason = command.reason?.trim() ?? '';
  if ((command.accept === true) === (command.reject === true))
    throw new PipelineError('INPUT_INVALID', 'say either --accept or --reject');
  if (reason === '') throw new PipelineError('INPUT_INVALID', 'a decision needs --reason; it is kept with the day');
  const session = await openTemporal(context);
  try {
    const target = { client: session.client, taskQueue: context.config.settings.QUOTIDIEN_TASK_QUEUE };
    return await workWith(session, context.signal, async () => {
      const { told, handle } = await decideUnit(
        target,
        { pipeline, date },
        {
          unit,
          decision: command.accept === true ? 'accept' : 'reject',
          reason,
          by: command.by ?? callerName(),
          ...(step === undefined ? {} : { step }),
        },
      );
      context.terminal.line(told);
      const result = await dayResult(handle);
      context.terminal.data(result);
      context.terminal.line(describeDay(result));
      return result.verdict === 'degraded' ? EXIT.degraded : EXIT.done;
    });
  } finally {
    await session.close();
  }
}
