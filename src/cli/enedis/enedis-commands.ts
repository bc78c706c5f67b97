import type { Command } from 'commander';
import type { CommandContext, ExitCode } from '../shared/context.ts';

type Perform = (command: (context: CommandContext) => Promise<ExitCode>) => Promise<void>;

/** `quotidien enedis …`: what only the flux of the electricity distributor need. */
export function addEnedisCommands(program: Command, perform: Perform): void {
  const enedis = program.command('enedis').description('archives and calculations of the electricity distributor');
  enedis
    .command('import <paths...>')
    .description('open archives, or all archives below folders, and take in what they hold')
    .option('--keys <file>', 'the keys of the distributor, one a line: "label: key" or "label: key iv", in hex')
    .option('--flux <list>', 'only these flux, such as c15,r151')
    .action((paths: string[], options: { keys?: string; flux?: string }) =>
      perform(async (context) => (await import('./enedis-import.ts')).enedisImport(context, { paths, ...options })),
    );
  enedis
    .command('turpe [file]')
    .description(
      'the network tariff of lines (JSON or CSV; standard input without a file): an answer or an error for each',
    )
    .action((file: string | undefined) =>
      perform(async (context) => (await import('./enedis-turpe.ts')).enedisTurpe(context, file)),
    );
}
