import path from 'node:path';
import { importFile } from '../activities/import-file.ts';
import type { ImportResult } from '../activities/import-file.ts';
import { EXIT } from './context.ts';
import type { CommandContext, ExitCode } from './context.ts';
import { commandControl } from './control.ts';

/** `quotidien import`: takes files in; the days are made by the next run. */
export async function importFiles(
  context: CommandContext,
  { pipeline, files }: { pipeline: string; files: readonly string[] },
): Promise<ExitCode> {
  const engine = await context.engine();
  const { terminal } = context;
  const results: ImportResult[] = [];
  for (const file of files) {
    const result = await importFile(engine, pipeline, path.resolve(file), commandControl(context, 'import'));
    results.push(result);
    const { kind, from, to } = result.recognised;
    terminal.line(
      `${path.basename(file)}: ${kind}, ${result.days} days with rows, ${from} … ${to}; kept as ${result.rawKey}`,
    );
    for (const { date, failure } of result.failed) terminal.line(`  ${date}  ${failure.code}: ${failure.message}`);
    terminal.line(`  next: quotidien run ${pipeline} ${from} ${to}`);
  }
  terminal.data(results);
  return results.some((result) => result.failed.length > 0) ? EXIT.failed : EXIT.done;
}
