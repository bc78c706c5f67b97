import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ApiApp } from '../api/shared/app.ts';
import type { ApiContext } from '../api/shared/context.ts';
import { fieldsOf } from './form.ts';
import { linkTo } from './layout.tsx';
import { pageContext, sendProblemPage } from './send-page.ts';

/**
 * A form of the console: what it does, and the page that comes next, so that loading that page
 * again does nothing twice.
 */
export interface FormRoute {
  readonly path: string;
  /** Where the form was, for who got it wrong. */
  readonly back: (params: Readonly<Record<string, string>>) => string;
  /** Does the order; returns the address of the next page, without its language. */
  readonly act: (request: FastifyRequest, reply: FastifyReply) => Promise<string>;
}

/**
 * Adds routes that take what browsers send for a form, one without fields too. The media type is
 * taken nowhere else: a page of another site can send it without being asked.
 */
export function withForms(app: ApiApp, add: (scope: ApiApp) => void): void {
  app.register((scope, _, done) => {
    scope.addContentTypeParser(
      'application/x-www-form-urlencoded',
      { parseAs: 'string' },
      (__, body, parsed) => {
        parsed(null, fieldsOf(String(body)));
      },
    );
    add(scope);
    done();
  });
}

/** Adds the form; what it throws becomes a page that says so and leads back. */
export function addForm(
  app: ApiApp,
  context: Pick<ApiContext, 'settings'>,
  { path, back, act }: FormRoute,
): void {
  app.post(path, { schema: { hide: true } }, async (request, reply) => {
    const page = pageContext(context, request);
    try {
      const next = await act(request, reply);
      return await reply.header('cache-control', 'no-store').redirect(linkTo(page, next), 303);
    } catch (error) {
      const address = linkTo(page, back(request.params as Record<string, string>));
      return sendProblemPage(page, error, request, reply, address);
    }
  });
}
