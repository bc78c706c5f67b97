import { EXIT } from './context.ts';
import type { CommandContext, ExitCode } from './context.ts';

/**
 * Says when a command could not ask a store: then it has shown what this host last saw, and its
 * exit code is that of work that is done but degraded. Commands that only read would otherwise
 * answer as if all was known.
 */
export async function tellAway(context: CommandContext, exit: ExitCode): Promise<ExitCode> {
  // Whoever could not open the stores has told of it.
  const engine = await context.engine().catch(() => undefined);
  const away = engine?.fallback?.away();
  if (away === undefined) return exit;
  context.terminal.note(
    `${away}\nThis is what this host last saw of the stores; what it never saw, nobody here knows.`,
  );
  return exit === EXIT.done ? EXIT.degraded : exit;
}
