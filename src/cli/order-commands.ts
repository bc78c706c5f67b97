import type { Command } from 'commander';
import type { Perform } from './shared/context.ts';
import { withExplicitDates } from './shared/relative-dates.ts';

/**
 * The commands that tell a run under way what to do: the same updates that the UI and the API send.
 */

interface Options {
  readonly reason?: string;
  readonly by?: string;
}

/** Commands that send an update to a run that is under way. */
export function addOrderCommands(program: Command, perform: Perform): void {
  signed(program.command('decide <pipeline> [date]'))
    .description(
      'answer a held day, one held unit (--unit) of it or of a period, or, without a date, the canary of a backfill',
    )
    .option('--accept', 'take the rows in, or go on')
    .option('--reject', 'leave the rows out, or stop')
    .option('--retry', 'make the held step again')
    .option('--unit <unit>', 'the unit, as "show" names it; the rest of its day is not touched')
    .option(
      '--step <step>',
      'where several steps are held, or hold the unit: the one that is meant',
    )
    .option(...DETACH)
    .action((pipeline: string, date: string | undefined, options: Options) =>
      perform(async (context) =>
        (await import('./make/decide.ts')).decide(
          context,
          withExplicitDates(context, { pipeline, date, ...options }),
        ),
      ),
    );

  signed(program.command('skip <pipeline> <date> <part>'))
    .description('let a running day go on without a part; the next run asks for it again')
    .option(...DETACH)
    .action((pipeline: string, date: string, part: string, options: Options) =>
      perform(async (context) =>
        (await orders()).skip(
          context,
          withExplicitDates(context, { pipeline, date, part, ...options }),
        ),
      ),
    );

  signed(program.command('retry <pipeline> <date> <step>'))
    .description(
      'try a failed step of a running day again; a day that waits asks its publisher now',
    )
    .option(...DETACH)
    .action((pipeline: string, date: string, step: string, options: Options) =>
      perform(async (context) =>
        (await orders()).retry(
          context,
          withExplicitDates(context, { pipeline, date, step, ...options }),
        ),
      ),
    );

  signed(program.command('pause <target>'))
    .description('start nothing more of a backfill (its id or pipeline), or no tick of a schedule')
    .action((target: string, options: Options) =>
      perform(async (context) => (await orders()).pause(context, { target, ...options })),
    );

  signed(program.command('resume <target>'))
    .description('go on with a paused backfill or schedule')
    .action((target: string, options: Options) =>
      perform(async (context) => (await orders()).resume(context, { target, ...options })),
    );
}

const orders = () => import('./make/orders.ts');

const DETACH = [
  '--detach',
  'leave the day to the workers when the order has been taken, and end',
] as const;

function signed(command: Command): Command {
  return command
    .option('--reason <text>', 'why; kept with what was asked for')
    .option('--by <name>', 'who asks (default: you)');
}
