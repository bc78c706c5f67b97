import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { createMcpServer } from '../../mcp/question-tools.ts';
import { tablesOf } from '../../engine/look/table-cut.ts';
import { whyNotAsk } from '../security/callers.ts';
import type { ApiApp } from '../shared/app.ts';
import type { ApiContext } from '../shared/context.ts';
import { onceDone } from '../shared/hung-up.ts';
import { PipelineError } from '../../errors.ts';

/**
 * `POST /mcp`: the questions for assistants over streamable HTTP. Every request stands for itself;
 * no session is kept.
 */
export function addMcpRoute(app: ApiApp, { engine, known, settings }: ApiContext): void {
  const tables = tablesOf(engine.datasets);
  app.post('/mcp', { schema: { hide: true } }, async (request, reply) => {
    const { caller } = request;
    if (!caller.scopes.some((scope) => scope.startsWith('data:read')))
      throw new PipelineError('AUTH_REQUIRED', 'this needs a key with the scope data:read');
    const server = createMcpServer({
      engine,
      known,
      version: settings.version,
      mayAsk: (placed) => whyNotAsk(caller, tables, placed) === undefined,
    });
    const transport = new StreamableHTTPServerTransport({ enableJsonResponse: true });
    reply.hijack();
    for (const [name, value] of Object.entries(reply.getHeaders()))
      if (value !== undefined) reply.raw.setHeader(name, value);
    onceDone(reply.raw, () => void server.close());
    await server.connect(transport);
    await transport.handleRequest(request.raw, reply.raw, request.body);
  });
}
