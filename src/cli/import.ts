import path from 'node:path';
import { importFiles, importStored } from '../activities/import-file.ts';
import { EXIT } from './context.ts';
import type { CommandContext, ExitCode } from './context.ts';
import { commandControl } from './control.ts';

/** `quotidien import`: takes files in, or what lies under the raw names of the store; the days are made by the next run. */
export async function importRaw(
  context: CommandContext,
  { pipeline, files }: { pipeline: string; files: readonly string[] },
): Promise<ExitCode> {
  const engine = await context.engine();
  const { terminal } = context;
  const control = commandControl(context, 'import');
  const results =
    files.length === 0
      ? await importStored(engine, pipeline, control)
      : await importFiles(
          engine,
          pipeline,
          files.map((file) => path.resolve(file)),
          control,
        );
  for (const { file, recognised, days, failed, rawKey } of results) {
    const { kind, from, to } = recognised;
    terminal.line(`${path.basename(file)}: ${kind}, ${days} days with rows, ${from} … ${to}; kept as ${rawKey}`);
    for (const { date, failure } of failed) terminal.line(`  ${date}  ${failure.code}: ${failure.message}`);
    terminal.line(`  next: quotidien run ${pipeline} ${from} ${to}`);
  }
  terminal.data(results);
  return results.some(({ failed }) => failed.length > 0) ? EXIT.failed : EXIT.done;
}
