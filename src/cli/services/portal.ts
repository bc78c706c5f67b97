import { startPortal } from '@quotidien/sample-portal/portal';
import { startSampleDistributor } from '@quotidien/sample-portal/sftp/sample-distributor';
import { definedMembers } from '../../given.ts';
import { PipelineError } from '../../errors.ts';
import { EXIT } from '../shared/context.ts';
import type { CommandContext, ExitCode } from '../shared/context.ts';

/** `quotidien portal`: the sample portal, for trying things without the internet. */
export async function portal(
  { terminal, signal }: CommandContext,
  options: { port: string; seed: string; folder?: string; sftp?: string },
): Promise<ExitCode> {
  const sftpPort = options.sftp === undefined ? undefined : wholeNumber('--sftp', options.sftp);
  const server = await startPortal({
    port: wholeNumber('--port', options.port),
    seed: wholeNumber('--seed', options.seed),
    now: () => new Date(),
    ...definedMembers({ folder: options.folder }),
  });
  const distributor = sftpPort === undefined ? undefined : await startSampleDistributor(sftpPort);
  terminal.data({ url: server.url, ...definedMembers({ settings: distributor?.settings }) });
  terminal.line(
    `sample data at ${server.url}; use it with QUOTIDIEN_ODRE_URL=${server.url}, stop it with Ctrl-C`,
  );
  if (distributor !== undefined)
    terminal.line(`sample archives over SFTP at ${distributor.url}; use them with`);
  for (const [name, value] of Object.entries(distributor?.settings ?? {}))
    terminal.line(`export ${name}='${value}'`);
  await new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => {
      resolve();
    });
  });
  await distributor?.server.close();
  await server.close();
  return EXIT.done;
}

function wholeNumber(option: string, text: string): number {
  if (!/^\d+$/.test(text))
    throw new PipelineError('INPUT_INVALID', `${option} takes a whole number, not ${text}`);
  return Number(text);
}
