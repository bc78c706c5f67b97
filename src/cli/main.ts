import { CommanderError } from 'commander';
import { createProgram } from './program.ts';
import { EXIT } from './shared/context.ts';

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
  const remedy = 'quotidien --help lists the commands, quotidien <command> --help their arguments and options.';
  process.stdout.write(`${JSON.stringify({ error: { code: 'INPUT_INVALID', message, remedy } }, null, 2)}\n`);
}

const program = createProgram(async (options, command) => {
  const { execute } = await import('./execute.ts');
  await execute(process.env, options, command);
});
await program.parseAsync().catch((error: unknown) => {
  // Commander has said what it had to say; anything else is a fault of ours.
  if (!(error instanceof CommanderError)) throw error;
  tellUsage(error);
});
