import { startPortal } from '@quotidien/sample-portal/portal';
import { definedMembers } from '../../given.ts';
import { PipelineError } from '../../errors.ts';
import { EXIT } from '../shared/context.ts';
import type { CommandContext, ExitCode } from '../shared/context.ts';

/** `quotidien portal`: the sample portal, for trying things without the internet. */
export async function portal(
  { terminal, signal }: CommandContext,
  options: { port: string; seed: string; folder?: string },
): Promise<ExitCode> {
  const server = await startPortal({
    port: wholeNumber('--port', options.port),
    seed: wholeNumber('--seed', options.seed),
    now: () => new Date(),
    ...definedMembers({ folder: options.folder }),
  });
  terminal.data({ url: server.url });
  terminal.line(`sample data at ${server.url}; use it with QUOTIDIEN_ODRE_URL=${server.url}, stop it with Ctrl-C`);
  await new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => {
      resolve();
    });
  });
  await server.close();
  return EXIT.done;
}

function wholeNumber(option: string, text: string): number {
  if (!/^\d+$/.test(text)) throw new PipelineError('INPUT_INVALID', `${option} takes a whole number, not ${text}`);
  return Number(text);
}
