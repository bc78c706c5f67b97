import { once } from 'node:events';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { KnownVersions } from '../../engine/look/known-versions.ts';
import { createMcpServer } from '../../mcp/question-tools.ts';
import { CODE_VERSION } from '../../workers/code-version.ts';
import { EXIT } from '../shared/context.ts';
import type { CommandContext, ExitCode } from '../shared/context.ts';

/**
 * `quotidien mcp`: the questions as tools over stdin and stdout, until stdin ends. Nothing else is
 * written to stdout.
 */
export async function mcp(context: CommandContext): Promise<ExitCode> {
  const { signal } = context;
  const engine = await context.engine();
  const server = createMcpServer({
    engine,
    known: new KnownVersions(engine),
    version: CODE_VERSION,
  });
  await server.connect(new StdioServerTransport());
  if (!signal.aborted) await Promise.race([once(process.stdin, 'end'), once(signal, 'abort')]);
  await server.close();
  return EXIT.done;
}
