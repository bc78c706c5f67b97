import type { RouteOptions } from 'fastify';
import type { ApiApp } from './app.ts';
import { HttpRefusal } from './problems.ts';

/**
 * Of all that fastify knows, those that a path may lack. `OPTIONS` is for pages of other origins.
 */
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'TRACE', 'QUERY'] as const;

/**
 * The documented paths with their methods. A method that a path lacks is answered by 405 and
 * `Allow` (RFC 9110, 15.5.6), as other paths are by 404.
 */
export class PathMethods {
  readonly #methods = new Map<string, Set<string>>();

  /** Sees every route that is added from here on. */
  watch(app: ApiApp): void {
    app.addHook('onRoute', (route) => {
      this.#see(route);
    });
  }

  #see({ url, method, schema }: RouteOptions & { readonly url: string }): void {
    if (schema === undefined || schema.hide === true) return;
    const known = this.#methods.get(url) ?? new Set<string>();
    for (const one of [method].flat()) known.add(one);
    this.#methods.set(url, known);
  }

  /** Adds what refuses the others; after all routes. */
  refuseOthers(app: ApiApp): void {
    for (const [url, known] of this.#methods) {
      const allow = METHODS.filter((method) => known.has(method)).join(', ');
      const others = METHODS.filter((method) => !known.has(method));
      app.route({
        url,
        method: [...others],
        schema: { hide: true },
        // Before a body is looked at.
        onRequest: (_, reply, done) => {
          reply.header('allow', allow);
          done(new HttpRefusal(405, `this path takes ${allow}`));
        },
        handler: () => undefined,
      });
    }
  }
}
