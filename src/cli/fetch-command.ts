import type { Command } from 'commander';
import type { Perform } from './shared/context.ts';

/** The command that brings the files of a publisher's folder. */
export function addFetchCommand(program: Command, perform: Perform): void {
  program
    .command('fetch <pipeline> [parts...]')
    .description(
      'fetch what the publisher’s folder has and the journal lacks, and make the days that it changes',
    )
    .option(
      '--mode <mode>',
      'incremental (default), all, test (two files of each part, nothing is kept), rebuild (offline, from what is kept), resync (every file again)',
    )
    .option('--yes', 'of a resync: go on')
    .action((pipeline: string, parts: string[], options: { mode?: string; yes?: boolean }) =>
      perform(async (context) =>
        (await import('./make/fetch.ts')).fetchFolder(context, { pipeline, parts, ...options }),
      ),
    );
}
