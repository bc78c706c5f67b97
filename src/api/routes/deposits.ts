import { z } from 'zod';
import { PipelineError } from '../../errors.ts';
import { requireScope } from '../security/callers.ts';
import type { ApiApp } from '../shared/app.ts';
import { writeAudit } from '../shared/audit.ts';
import type { ApiContext } from '../shared/context.ts';
import { orderProblems } from '../shared/responses.ts';

/** The largest notification: SNS and SQS send no longer ones. */
const NOTICE_BYTES = 256 * 1024;

const answer = z.object({
  runs: z.array(z.string()).describe('Runs that were started, or told to look again'),
  ignored: z.array(z.object({ object: z.string(), why: z.string() })),
  remarks: z.array(z.string()),
});

/**
 * `POST /deposits`: an object store tells of new objects. The body is that of S3, SNS, MinIO or the
 * Versity gateway, or `{"objects": ["raw/api/…"]}`. Every pipeline that an object is for needs the
 * scope `ops:write`.
 */
export function addDepositRoute(app: ApiApp, { engine, deposits }: ApiContext): void {
  // SNS says that it sends text.
  app.addContentTypeParser('text/plain', { parseAs: 'string' }, (_, body, done) => {
    try {
      done(null, JSON.parse(String(body)));
    } catch {
      done(new PipelineError('INPUT_INVALID', 'the body is no JSON'));
    }
  });
  app.post(
    '/deposits',
    {
      bodyLimit: NOTICE_BYTES,
      schema: {
        tags: ['actions'],
        summary: 'Say that files were put into the store or the raw bucket',
        description:
          'Events of S3, SNS, MinIO or the Versity gateway; or {"objects": ["raw/api/…"]}',
        body: z.record(z.string(), z.unknown()),
        response: { 202: answer, ...orderProblems },
      },
    },
    async (request, reply) => {
      // A key of one pipeline is good for its objects alone, so all are looked at before any is
      // refused by name.
      const { scopes, name: by } = request.caller;
      if (!scopes.some((scope) => scope.startsWith('ops:write')))
        requireScope(request, 'ops:write');
      const { orders, ignored, remarks } = await deposits.ordersOf(request.body);
      for (const { pipeline } of orders) requireScope(request, 'ops:write', pipeline);
      const at = engine.now().toISOString();
      const reason = 'a store told of new objects';
      for (const { id } of orders)
        await writeAudit(engine.documents, { at, by, action: 'deposit', target: id, reason });
      await deposits.start(orders);
      reply.code(202);
      return { runs: orders.map(({ id }) => id), ignored: [...ignored], remarks: [...remarks] };
    },
  );
}
