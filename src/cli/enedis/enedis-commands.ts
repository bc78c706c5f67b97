import type { Command } from 'commander';
import type { CommandContext, ExitCode } from '../shared/context.ts';

type Perform = (command: (context: CommandContext) => Promise<ExitCode>) => Promise<void>;

/** `quotidien enedis …`: what only the flux of the electricity distributor need. */
export function addEnedisCommands(program: Command, perform: Perform): void {
  const enedis = program.command('enedis').description('calculations of the electricity distributor');
  enedis
    .command('turpe [file]')
    .description(
      'the network tariff of lines (JSON or CSV; standard input without a file): an answer or an error for each',
    )
    .action((file: string | undefined) =>
      perform(async (context) => (await import('./enedis-turpe.ts')).enedisTurpe(context, file)),
    );
}
