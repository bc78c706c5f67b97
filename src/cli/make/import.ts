import path from 'node:path';
import { importFiles, importStored } from '../../engine/download/import-file.ts';
import type { ImportOutcome } from '../../engine/download/import-file.ts';
import { parseCivilDate } from '../../pipelines/civil-date.ts';
import { EXIT } from '../shared/context.ts';
import type { CommandContext, ExitCode } from '../shared/context.ts';
import { commandControl } from '../shared/control.ts';
import type { Terminal } from '../shared/terminal.ts';

export interface ImportCommand {
  readonly pipeline: string;
  readonly files: readonly string[];
  /** The day of which the files tell, where they do not say it. */
  readonly asOf?: string | undefined;
  /** Take the files as they are, also where they lack what is known. */
  readonly force?: boolean | undefined;
}

/**
 * `quotidien import`: takes files in, or what lies under the raw names of the store; the days are made by the next run. Each file is reported,
 * also after one that cannot be taken in; the exit code is that of the worst.
 */
export async function importRaw(
  context: CommandContext,
  { pipeline, files, asOf, force = false }: ImportCommand,
): Promise<ExitCode> {
  const options = { force, ...(asOf === undefined ? {} : { asOf: parseCivilDate(asOf) }) };
  const engine = await context.engine();
  const { terminal } = context;
  const control = commandControl(context, 'import');
  const outcomes =
    files.length === 0
      ? await importStored(engine, pipeline, control, options)
      : await importFiles(
          engine,
          pipeline,
          files.map((file) => path.resolve(file)),
          control,
          options,
        );
  for (const outcome of outcomes) print(terminal, pipeline, outcome);
  terminal.data(outcomes);
  return worstOf(outcomes);
}

function print(terminal: Terminal, pipeline: string, outcome: ImportOutcome): void {
  if ('code' in outcome) {
    terminal.line(`${path.basename(outcome.file)}: not taken in, ${outcome.code}: ${outcome.message}`);
    return;
  }
  const { file, recognised, leftOut, days, failed, remarks, rawKey } = outcome;
  const { kind, from, to } = recognised;
  terminal.line(`${path.basename(file)}: ${kind}, ${days} days with rows, ${from} … ${to}; kept as ${rawKey}`);
  if (leftOut !== undefined)
    terminal.line(`  left out: ${leftOut.from} … ${leftOut.to}; ${recognised.part} has no data before ${from}`);
  for (const { date, failure } of failed) terminal.line(`  ${date}  ${failure.code}: ${failure.message}`);
  for (const { date, text } of remarks.slice(0, REMARKS_SHOWN)) terminal.line(`  ${date}  ${text}`);
  if (remarks.length > REMARKS_SHOWN) terminal.line(`  … and ${remarks.length - REMARKS_SHOWN} more days (--json)`);
  terminal.line(`  next: quotidien run ${pipeline} ${from} ${to}`);
}

const REMARKS_SHOWN = 12;

/** What was given is wrong (2) only when nothing worse happened: a failure of the work itself (1). */
function worstOf(outcomes: readonly ImportOutcome[]): ExitCode {
  const failed = outcomes.some((one) => ('code' in one ? one.code !== 'INPUT_INVALID' : one.failed.length > 0));
  if (failed) return EXIT.failed;
  if (outcomes.some((one) => 'code' in one)) return EXIT.usage;
  return outcomes.some((one) => 'kept' in one && one.kept > 0) ? EXIT.degraded : EXIT.done;
}
