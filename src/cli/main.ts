import { PipelineError } from '../errors.ts';
import { createProgram } from './program.ts';
import { EXIT } from './shared/context.ts';

// A reader such as `head` that has seen enough closes the pipe: that is no failure of the command.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(process.exitCode);
});

const program = createProgram(async (options, command) => {
  const { execute } = await import('./execute.ts');
  await execute(process.env, options, command);
});
program.exitOverride((stop) => {
  process.exitCode = stop.exitCode === 0 ? EXIT.done : EXIT.usage;
  throw stop;
});
await program.parseAsync().catch((error: unknown) => {
  // Commander has said what it had to say; anything else is a fault of ours.
  if (error instanceof PipelineError || (error as { code?: string }).code?.startsWith('commander.') !== true)
    throw error;
});
