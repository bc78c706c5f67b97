import { parseArgs } from 'node:util';
import { CommanderError } from 'commander';
import { createProgram } from './program.ts';
import { EXIT } from './shared/context.ts';
import type { Execute } from './shared/context.ts';
import { withoutDashes } from './shared/relative-dates.ts';

// A reader such as `head` that has seen enough closes the pipe: that is no failure of the command.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(process.exitCode);
});

/** Tells a program what commander has told a person. */
function tellUsage(error: CommanderError): void {
  const isAnswer = error.exitCode === 0;
  process.exitCode = isAnswer ? EXIT.done : EXIT.usage;
  if (isAnswer || !process.argv.includes('--json')) return;
  const message = error.message.replace(/^error: /, '');
  const remedy =
    'quotidien --help lists the commands, quotidien <command> --help their arguments and options.';
  process.stdout.write(
    `${JSON.stringify({ error: { code: 'INPUT_INVALID', message, remedy } }, null, 2)}\n`,
  );
}

const perform: Execute = async (options, command) => {
  const { execute } = await import('./execute.ts');
  await execute(process.env, options, command);
};
const program = createProgram(perform);
// A rejection is a fault of ours, and Node.js ends with it; nothing here waits at the top level,
// because the build makes CommonJS.
void main();

async function main(): Promise<void> {
  await addCommandsOfDatasets();
  await program.parseAsync(withoutDashes(process.argv)).catch((error: unknown) => {
    // Commander has said what it had to say; anything else is a fault of ours.
    if (!(error instanceof CommanderError)) throw error;
    tellUsage(error);
  });
}

/**
 * Loads the datasets' commands where the program itself does not know the asked one, and for the
 * list of all.
 */
async function addCommandsOfDatasets(): Promise<void> {
  const { values, positionals } = parseArgs({
    args: process.argv.slice(2),
    strict: false,
    allowPositionals: true,
    options: {
      home: { type: 'string' },
      json: { type: 'boolean' },
      version: { type: 'boolean', short: 'V' },
    },
  });
  const [asked] = positionals;
  if (values.version === true || program.commands.some((command) => command.name() === asked))
    return;
  const home = typeof values.home === 'string' ? values.home : undefined;
  const { addDatasetCommands } = await import('./make/dataset-commands.ts');
  await addDatasetCommands(program, (command) => perform(program.opts(), command), {
    env: process.env,
    home,
  }).catch((error: unknown) => {
    // The list of commands helps to mend the settings; a command is told what is wrong with them
    // when it starts.
    process.stderr.write(`${(error as Error).message}\n`);
  });
}
