import { once } from 'node:events';
import { PipelineError } from '../../errors.ts';
import { EXIT } from '../shared/context.ts';
import type { CommandContext, ExitCode } from '../shared/context.ts';
import { openApiText, startApi } from './api-server.ts';
import { giveWay } from './give-way.ts';

/** With `openapi` the document is printed and nothing listens. */
export interface ApiCommand {
  readonly host: string;
  readonly port: string;
  readonly publicUrl?: string;
  readonly keysOnly?: boolean;
  readonly corsOrigin?: string[];
  readonly perMinute?: string;
  readonly openapi?: boolean;
  /** Whether workers and all else of this machine go first. */
  readonly giveWay: boolean;
}

/** `quotidien api`: answers over HTTP until Ctrl-C. */
export async function api(context: CommandContext, command: ApiCommand): Promise<ExitCode> {
  const { terminal, signal } = context;
  if (command.openapi === true) {
    const text = await openApiText(context);
    terminal.data(JSON.parse(text));
    terminal.line(text.trimEnd());
    return EXIT.done;
  }
  if (command.giveWay) await giveWay();
  const running = await startApi(context, {
    host: command.host,
    port: numberOf('--port', command.port, 65_535),
    publicUrl: command.publicUrl,
    keysOnly: command.keysOnly,
    corsOrigins: command.corsOrigin ?? [],
    giveWay: command.giveWay,
    ...(command.perMinute === undefined
      ? {}
      : { perMinute: numberOf('--per-minute', command.perMinute, 1e6) }),
  });
  terminal.data({ url: running.url });
  terminal.line(
    `API        ${running.url}/api/v1 (described at ${running.url}/api/docs); stop it with Ctrl-C`,
  );
  if (running.listensOn !== running.url) terminal.line(`listens on ${running.listensOn}`);
  if (!signal.aborted) await once(signal, 'abort');
  await running.close();
  return EXIT.done;
}

function numberOf(option: string, text: string, max: number): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number <= max) return number;
  throw new PipelineError(
    'INPUT_INVALID',
    `${option} takes a whole number up to ${max}, not ${text}`,
  );
}
