import type { Command } from 'commander';
import type { ExportCommand } from './look/export.ts';
import type { Perform } from './shared/context.ts';

/** `quotidien export`: tables as files. */
export function addExportCommand(program: Command, perform: Perform): void {
  program
    .command('export [table]')
    .description('write the rows of a table into a file; without a table, list those there are')
    .option('--from <date>', 'first day (default: the first that is known)')
    .option('--to <date>', 'last day, included (default: the last that is known)')
    .option(
      '--format <format>',
      'csv, parquet, json, ndjson, arrow or xlsx (default: by the ending of --output, or csv)',
    )
    .option(
      '--dialect <dialect>',
      'of CSV: standard, or fr for French spreadsheets (default: standard)',
    )
    .option('--columns <names>', 'names of columns, with commas between (default: all)')
    .option('--as-of <instant>', 'the data as they were known at this instant')
    .option(
      '--output <file>',
      'the file to write, or - for standard output (default: named by table and days)',
    )
    .option(
      '--clickhouse',
      'copy into the ClickHouse of QUOTIDIEN_CLICKHOUSE_URL: days of newer versions are replaced',
    )
    .option(
      '--as <name>',
      'with --clickhouse: the name that the table has there (default: its own)',
    )
    .action((table: string | undefined, options: Omit<ExportCommand, 'table'>) =>
      perform(async (context) =>
        (await import('./look/export.ts')).exportTable(context, { table, ...options }),
      ),
    );
}
