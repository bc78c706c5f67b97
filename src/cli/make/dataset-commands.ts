import { rename, rm, writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { readDatasetModules } from '../../config/dataset-modules.ts';
import type { Environment } from '../../config/environment.ts';
import { DATASETS } from '../../datasets/registry.ts';
import { importFiles } from '../../engine/download/import-file.ts';
import { datasetOf } from '../../engine/engine.ts';
import type { Engine } from '../../engine/engine.ts';
import { KnownVersions } from '../../engine/look/known-versions.ts';
import { withVersion } from '../../engine/look/version-files.ts';
import { cutTable, tablesOf } from '../../engine/look/table-cut.ts';
import { withViews } from '../../engine/look/table-rows.ts';
import { PipelineError } from '../../errors.ts';
import type {
  CommandHost,
  DatasetCommand,
  TablesCut,
  TableState,
} from '../../pipelines/dataset-command.ts';
import type { SqlSession } from '../../ports/sql.ts';
import { loadDatasets } from '../../workers/load-datasets.ts';
import { writeSheets } from '../look/write-sheets.ts';
import { EXIT } from '../shared/context.ts';
import type { CommandContext, Perform } from '../shared/context.ts';
import { commandControl } from '../shared/control.ts';
import { readGivenText } from '../shared/given-text.ts';

/**
 * Adds the commands that datasets bring, as `quotidien <pipeline> <command>`. Datasets are loaded
 * for this, so it is done only for a name that the program itself does not know, and for its help.
 */
export async function addDatasetCommands(
  program: Command,
  perform: Perform,
  place: { readonly env: Environment; readonly home: string | undefined },
): Promise<void> {
  await loadDatasets(readDatasetModules({ ...place, cwd: process.cwd() }));
  for (const [pipeline, { definition, commands = [] }] of Object.entries(DATASETS)) {
    if (commands.length === 0) continue;
    const own = program.command(pipeline).description(`commands of ${definition.title}`);
    for (const command of commands) {
      addCommand(own, perform, pipeline, command);
      const isFree = program.commands.every((other) => other.name() !== command.name);
      if (command.isTopLevel === true && isFree) addCommand(program, perform, pipeline, command);
    }
  }
}

function addCommand(
  own: Command,
  perform: Perform,
  pipeline: string,
  command: DatasetCommand,
): void {
  const added = own
    .command(
      command.arguments === undefined ? command.name : `${command.name} ${command.arguments}`,
    )
    .description(command.description);
  for (const { flags, description } of command.options ?? []) added.option(flags, description);
  added.action(() =>
    perform(async (context) => {
      const options = added.opts<Record<string, string | boolean | undefined>>();
      return EXIT[
        await command.run(
          { arguments: added.args, options },
          hostOf(context, `${pipeline} ${command.name}`, pipeline),
        )
      ];
    }),
  );
}

/** What a command of a dataset is given; `name` is that of the command in records. */
export function hostOf(context: CommandContext, name: string, pipeline: string): CommandHost {
  const { terminal, signal } = context;
  return {
    line: (line) => {
      terminal.line(line);
    },
    note: (text) => {
      terminal.note(text);
    },
    data: (value) => {
      terminal.data(value);
    },
    signal,
    readText: readGivenText,
    withScratchFolder: async (use) => (await context.engine()).withScratchFolder(use),
    importFiles: async (files) =>
      importFiles(await context.engine(), pipeline, files, commandControl(context, name)),
    withTables: async (ids, work, cut = {}) =>
      withTables(await context.engine(), { ...cut, pipeline, ids, signal }, work),
    nameRows: async (step, output, rows) =>
      (await datasetOf(await context.engine(), pipeline).rowNames?.[step]?.[output]?.(rows)) ?? [],
    personKey: async (id) => personKey(await context.engine(), pipeline, id),
    withVersion: async (scope, outputs, work) =>
      withVersion(await context.engine(), { pipeline, scope, outputs }, work),
    now: async () => (await context.engine()).now(),
    writeRows: async (request) => {
      if (request.output === '-' && terminal.json)
        throw new PipelineError(
          'INPUT_INVALID',
          '--json and the rows cannot both go to standard output',
        );
      return writeSheets(await context.engine(), request);
    },
    writeText: writePrivate,
  };
}

async function personKey(engine: Engine, pipeline: string, id: string): Promise<string> {
  const { persons } = datasetOf(engine, pipeline);
  if (persons === undefined)
    throw new PipelineError('INTERNAL', `no table of ${pipeline} tells of persons`);
  return persons.keyOf(id);
}

interface TablesAsked extends TablesCut {
  readonly pipeline: string;
  readonly ids: readonly string[];
  readonly signal: AbortSignal;
}

async function withTables<T>(
  engine: Engine,
  { pipeline, ids, signal, span: spanOf = (known) => known, where = {} }: TablesAsked,
  work: (sql: SqlSession, states: Readonly<Record<string, TableState>>) => Promise<T>,
): Promise<T> {
  const known = new KnownVersions(engine);
  const all = await known.span(pipeline);
  if (all === undefined)
    throw new PipelineError(
      'NOT_FOUND',
      `no day of ${pipeline} is finished yet: quotidien run ${pipeline} <day>`,
    );
  const span = spanOf(all);
  const tables = tablesOf(engine.datasets);
  const cuts = await Promise.all(
    ids.map(async (id) => {
      const placed = tables.get(id);
      if (placed === undefined)
        throw new PipelineError('INTERNAL', `${pipeline} declares no table ${id}`);
      return { ...(await cutTable(engine, known, placed, span)), where: where[id] };
    }),
  );
  const states = Object.fromEntries(
    cuts.map(({ table, committedAt, missing, hash }) => [table.id, { committedAt, missing, hash }]),
  );
  return withViews(engine, cuts, (sql) => work(sql, states), signal);
}

/** Made aside, for its owner alone. */
async function writePrivate(file: string, content: string): Promise<void> {
  const made = `${file}.part`;
  try {
    await writeFile(made, content, { mode: 0o600 });
    await rename(made, file);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new PipelineError('INPUT_INVALID', `${file} cannot be written (${why})`, { cause });
  } finally {
    await rm(made, { force: true });
  }
}
