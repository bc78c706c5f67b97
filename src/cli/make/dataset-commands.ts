import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import type { Command } from 'commander';
import { readDatasetModules } from '../../config/dataset-modules.ts';
import type { Environment } from '../../config/environment.ts';
import { DATASETS } from '../../datasets/registry.ts';
import { importFiles } from '../../engine/download/import-file.ts';
import { PipelineError } from '../../errors.ts';
import type { CommandHost, DatasetCommand } from '../../pipelines/dataset-command.ts';
import { loadDatasets } from '../../workers/load-datasets.ts';
import { EXIT } from '../shared/context.ts';
import type { CommandContext, Perform } from '../shared/context.ts';
import { commandControl } from '../shared/control.ts';

/**
 * Adds the commands that datasets bring, as `quotidien <pipeline> <command>`. Datasets are loaded for this, so it is done
 * only for a name that the program itself does not know, and for its help.
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
    for (const command of commands) addCommand(own, perform, pipeline, command);
  }
}

function addCommand(own: Command, perform: Perform, pipeline: string, command: DatasetCommand): void {
  const added = own.command([command.name, command.arguments ?? ''].join(' ').trim()).description(command.description);
  for (const { flags, description } of command.options ?? []) added.option(flags, description);
  added.action(() =>
    perform(async (context) => {
      const options = added.opts<Record<string, string | boolean | undefined>>();
      return EXIT[
        await command.run({ arguments: added.args, options }, hostOf(context, `${pipeline} ${command.name}`, pipeline))
      ];
    }),
  );
}

function hostOf(context: CommandContext, name: string, pipeline: string): CommandHost {
  const { terminal, signal } = context;
  return {
    line: (line) => {
      terminal.line(line);
    },
    data: (value) => {
      terminal.data(value);
    },
    signal,
    readText,
    withScratchFolder: async (use) => (await context.engine()).withScratchFolder(use),
    importFiles: async (files) => importFiles(await context.engine(), pipeline, files, commandControl(context, name)),
  };
}

async function readText(file: string | undefined): Promise<string> {
  if (file === undefined || file === '-') return text(process.stdin);
  return readFile(file, 'utf8').catch((cause: unknown) => {
    throw new PipelineError('INPUT_INVALID', `${file} cannot be read`, { cause });
  });
}
