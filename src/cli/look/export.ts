import { createReadStream } from 'node:fs';
import { rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { DIALECTS } from '../../api/answers/csv.ts';
import { FORMATS } from '../../api/answers/formats.ts';
import type { Format } from '../../api/answers/formats.ts';
import { fileNameOf } from '../../api/answers/send-rows.ts';
import { writeRows } from '../../api/answers/write-rows.ts';
import { hasPersonalColumns } from '../../api/security/callers.ts';
import type { Engine } from '../../engine/engine.ts';
import { KnownVersions } from '../../engine/look/known-versions.ts';
import { cutTable, tablesOf } from '../../engine/look/table-cut.ts';
import type { PlacedTable, TableCut } from '../../engine/look/table-cut.ts';
import { columnsNamed } from '../../engine/look/table-rows.ts';
import { PipelineError } from '../../errors.ts';
import { parseCivilDate } from '../../pipelines/civil-date.ts';
import { EXIT } from '../shared/context.ts';
import type { CommandContext, ExitCode } from '../shared/context.ts';
import { count } from '../shared/measures.ts';
import { withExplicitDates } from '../shared/relative-dates.ts';

/** Without a table the tables are listed. */
export interface ExportCommand {
  readonly table?: string | undefined;
  /** First and last day, also as `yesterday` or `-7d`; default: of what there is. */
  readonly from?: string;
  readonly to?: string;
  /** Default: by the ending of `output`, else csv. */
  readonly format?: string;
  readonly dialect?: string;
  /** With commas between. */
  readonly columns?: string;
  /** ISO instant: the data as they were known then. */
  readonly asOf?: string;
  /** Default: named by table and days, in the working directory; `-`: standard output. */
  readonly output?: string;
  /** Into ClickHouse instead of a file. */
  readonly clickhouse?: boolean;
  /** The name that the table has there; default: its own. */
  readonly as?: string;
}

/** As the name of a file. */
export const STANDARD_OUTPUT = '-';

/**
 * `quotidien export`: the rows of a declared table as a file; without a table, what there is. Exit
 * code 3 when days that are due are missing.
 */
export async function exportTable(
  context: CommandContext,
  command: ExportCommand,
): Promise<ExitCode> {
  const { terminal, datasets, signal } = context;
  const tables = tablesOf(datasets);
  if (command.table === undefined) return listTables(context, tables);
  const placed = tables.get(command.table);
  if (placed === undefined)
    throw new PipelineError(
      'INPUT_INVALID',
      `there is no table ${command.table}; "quotidien export" lists them`,
    );
  if (command.clickhouse === true) return copyTable(context, placed, command);
  if (command.output === STANDARD_OUTPUT && terminal.json)
    throw new PipelineError(
      'INPUT_INVALID',
      '--json and the rows cannot both go to standard output',
    );
  const format = formatOf(command);
  const dialect = oneOf('--dialect', command.dialect ?? 'standard', DIALECTS);
  const names = command.columns?.split(',').map((name) => name.trim());
  const columns = columnsNamed(placed.table, names);
  const engine = await context.engine();
  const cut = await cutOf(
    engine,
    placed,
    withExplicitDates(context, { ...command, pipeline: placed.pipeline }),
  );
  const output = command.output ?? fileNameOf({ cut, format });
  const whole = { cut, columns, names, format, dialect };
  const rows = await engine.withScratchFolder(async (folder) => {
    // Made aside: a file of this name is whole, or what it was before.
    const made = output === STANDARD_OUTPUT ? path.join(folder, 'rows') : `${output}.part`;
    try {
      const written = await writeRows(engine, whole, made, signal);
      if (output === STANDARD_OUTPUT)
        await pipeline(createReadStream(made), process.stdout, { end: false });
      else await rename(made, output);
      return written;
    } finally {
      await rm(made, { force: true });
    }
  });
  return tell(context, placed, { cut, format, rows, output });
}

/** All columns of the newest versions: what a copy is kept the same as. */
async function copyTable(
  context: CommandContext,
  placed: PlacedTable,
  command: ExportCommand,
): Promise<ExitCode> {
  const { asOf, columns, output, format, dialect } = command;
  if ([asOf, columns, output, format, dialect].some((option) => option !== undefined))
    throw new PipelineError('INPUT_INVALID', '--clickhouse goes with --from, --to and --as alone');
  const engine = await context.engine();
  // One file for each scope: rows of a month together have versions of many days.
  const { months: _months, ...table } = placed.table;
  const cut = await cutOf(
    engine,
    { ...placed, table },
    withExplicitDates(context, { ...command, pipeline: placed.pipeline }),
  );
  const { exportToClickHouse } = await import('./export-clickhouse.ts');
  return exportToClickHouse(context, engine, placed, { cut, as: command.as });
}

function listTables(
  { terminal }: CommandContext,
  tables: ReadonlyMap<string, PlacedTable>,
): ExitCode {
  const all = [...tables.values()].map(({ pipeline: name, table }) => {
    return { table: table.id, pipeline: name, each: table.rows.each, title: table.title.en };
  });
  terminal.data({ tables: all });
  const width = Math.max(0, ...all.map(({ table }) => table.length));
  for (const { table, pipeline: name, title } of all)
    terminal.line(`${table.padEnd(width)}  ${title} (${name})`);
  return EXIT.done;
}

/**
 * The format that is asked for, or that the ending of the file tells, or CSV; `INPUT_INVALID` names
 * those there are.
 */
export function formatOf({
  format,
  output,
}: {
  readonly format?: string | undefined;
  readonly output?: string | undefined;
}): Format {
  const formats = Object.keys(FORMATS) as Format[];
  if (format !== undefined) return oneOf('--format', format, formats);
  const ending = output === undefined ? undefined : path.extname(output).slice(1);
  return formats.find((one) => one === ending || (one === 'arrow' && ending === 'arrows')) ?? 'csv';
}

/** The one of these that an option gives; `INPUT_INVALID` names them. */
export function oneOf<T extends string>(option: string, given: string, known: readonly T[]): T {
  const found = known.find((one) => one === given);
  if (found !== undefined) return found;
  throw new PipelineError('INPUT_INVALID', `${option} takes ${known.join(', ')}, not ${given}`);
}

async function cutOf(
  engine: Engine,
  placed: PlacedTable,
  command: ExportCommand,
): Promise<TableCut> {
  const known = new KnownVersions(engine);
  const span = await known.span(placed.pipeline);
  if (span === undefined)
    throw new PipelineError('NOT_FOUND', `no day of ${placed.pipeline} is finished yet`);
  const from = command.from === undefined ? span.from : parseCivilDate(command.from);
  const to = command.to === undefined ? span.to : parseCivilDate(command.to);
  if (to < from)
    throw new PipelineError('INPUT_INVALID', `the range ends (${to}) before it begins (${from})`);
  const asOf = command.asOf === undefined ? undefined : instantOf(command.asOf);
  return cutTable(engine, known, placed, { from, to, asOf });
}

function instantOf(text: string): string {
  const at = new Date(text);
  if (/^\d{4}-\d\d-\d\dT/.test(text) && !Number.isNaN(at.getTime())) return at.toISOString();
  throw new PipelineError(
    'INPUT_INVALID',
    `--as-of takes an instant such as 2024-01-15T10:00:00Z, not ${text}`,
  );
}

interface Exported {
  readonly cut: TableCut;
  readonly format: Format;
  readonly rows: number;
  readonly output: string;
}

async function tell(
  { terminal }: CommandContext,
  placed: PlacedTable,
  { cut, format, rows, output }: Exported,
): Promise<ExitCode> {
  const { table, span, missing, coverage, revision } = cut;
  const isFile = output !== STANDARD_OUTPUT;
  const bytes = isFile ? (await stat(output)).size : null;
  terminal.data({
    table: table.id,
    ...span,
    format,
    rows,
    file: output,
    bytes,
    coverage,
    revision,
    missing,
  });
  const told = `${table.id} ${span.from} … ${span.to}: ${count(rows, 'row')}`;
  if (isFile) terminal.line(`${told} in ${output}`);
  else terminal.note(told);
  if (hasPersonalColumns(placed))
    terminal.note(`${table.id} has columns about persons: keep the file as such`);
  if (missing.length === 0) return EXIT.done;
  const named = missing.slice(0, 5).join(', ');
  terminal.note(
    `without ${count(missing.length, table.rows.each)} that could be there: ${named}${missing.length > 5 ? ', …' : ''}`,
  );
  return EXIT.degraded;
}
