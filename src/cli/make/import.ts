import path from 'node:path';
import { importFiles, importStored } from '../../engine/download/import-file.ts';
import type { ImportOutcome, ImportResult } from '../../engine/download/import-file.ts';
import type { DayRemark } from '../../engine/download/judge-day.ts';
import { addDays, parseCivilDate } from '../../pipelines/civil-date.ts';
import type { OddColumns } from '../../pipelines/given-file.ts';
import type { CivilDate } from '../../pipelines/vocabulary.ts';
import { EXIT } from '../shared/context.ts';
import type { CommandContext, ExitCode } from '../shared/context.ts';
import { noteCommand } from '../shared/note-command.ts';
import { commandControl } from '../shared/control.ts';
import { count } from '../shared/measures.ts';
import type { Terminal } from '../shared/terminal.ts';

/** Files are recognised by their content, so their order and names mean nothing. */
export interface ImportCommand {
  readonly pipeline: string;
  readonly files: readonly string[];
  /** The day of which the files tell, where they do not say it. */
  readonly asOf?: string | undefined;
  /** Take the files as they are, also where they lack what is known. */
  readonly force?: boolean | undefined;
}

/**
 * `quotidien import`: takes files in, or what lies under the raw names of the store; the days are
 * made by the next run. Each file is reported, also after one that cannot be taken in; the exit
 * code is that of the worst.
 */
export async function importRaw(
  context: CommandContext,
  { pipeline, files, asOf, force = false }: ImportCommand,
): Promise<ExitCode> {
  const options = { force, ...(asOf === undefined ? {} : { asOf: parseCivilDate(asOf) }) };
  const engine = await context.engine();
  const { terminal } = context;
  const control = commandControl(context, 'import');
  const how = force ? 'quotidien import --force' : 'quotidien import';
  await noteCommand(context, {
    action: 'import',
    target: pipeline,
    reason: `${how}, ${count(files.length, 'file')}`,
  });
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
    terminal.line(
      `${path.basename(outcome.file)}: not taken in, ${outcome.code}: ${outcome.message}`,
    );
    return;
  }
  const { file, recognised, leftOut, days, failed, remarks, rawKey } = outcome;
  const { kind, from, to, columns } = recognised;
  terminal.line(
    `${path.basename(file)}: ${kind}, ${days} days with rows, ${from} … ${to}; kept as ${rawKey}`,
  );
  if (leftOut !== undefined)
    terminal.line(
      `  left out: ${leftOut.from} … ${leftOut.to}; ${recognised.part} has no data before ${from}`,
    );
  for (const { date, failure } of failed)
    terminal.line(`  ${date}  ${failure.code}: ${failure.message}`);
  if (columns !== undefined) printColumns(terminal, columns);
  const alike = alikeRemarks(remarks);
  for (const { first, last, text } of alike.slice(0, REMARKS_SHOWN))
    terminal.line(`  ${first === last ? first : `${first} … ${last}`}  ${text}`);
  if (alike.length > REMARKS_SHOWN)
    terminal.line(`  … and ${alike.length - REMARKS_SHOWN} more remarks (--json)`);
  for (const { message } of failuresIn(outcome)) terminal.line(`  ${message}`);
  terminal.line(`  next: quotidien run ${pipeline} ${from} ${to}`);
}

const REMARKS_SHOWN = 12;

function printColumns(terminal: Terminal, { unknown, missing }: OddColumns): void {
  const namesOf = (columns: readonly string[]): string =>
    columns.map((name) => JSON.stringify(name)).join(', ');
  if (unknown.length > 0) terminal.line(`  not known, and used nowhere: ${namesOf(unknown)}`);
  if (missing.length === 0) return;
  const renamed =
    unknown.length === 0
      ? ''
      : '; one of the columns that are not known may be it under a new name';
  terminal.line(`  missing, and without values: ${namesOf(missing)}${renamed}`);
}

interface AlikeRemarks {
  readonly first: CivilDate;
  readonly last: CivilDate;
  readonly text: string;
}

/** The same remark about days that follow each other, once. */
function alikeRemarks(remarks: readonly DayRemark[]): AlikeRemarks[] {
  const alike: AlikeRemarks[] = [];
  for (const { date, text } of [...remarks].sort((a, b) => (a.date < b.date ? -1 : 1))) {
    const before = alike.at(-1);
    if (before?.text === text && addDays(before.last, 1) === date)
      alike[alike.length - 1] = { ...before, last: date };
    else alike.push({ first: date, last: date, text });
  }
  return alike;
}

/** Files in a raw file of which nothing can be read; they are kept, and known to have come. */
function failuresIn({ decoded = [] }: ImportResult): readonly { readonly message: string }[] {
  return decoded.flatMap(({ failure }) => failure ?? []);
}

/**
 * What was given is wrong (2) only when nothing worse happened: a failure of the work itself (1).
 */
function worstOf(outcomes: readonly ImportOutcome[]): ExitCode {
  const failed = outcomes.some((one) =>
    'code' in one ? one.code !== 'INPUT_INVALID' : one.failed.length + failuresIn(one).length > 0,
  );
  if (failed) return EXIT.failed;
  if (outcomes.some((one) => 'code' in one)) return EXIT.usage;
  const lacks = outcomes.some(
    (one) =>
      'recognised' in one && (one.kept > 0 || (one.recognised.columns?.missing.length ?? 0) > 0),
  );
  return lacks ? EXIT.degraded : EXIT.done;
}
