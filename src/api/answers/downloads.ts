import type { ServerResponse } from 'node:http';
import type { FastifyRequest } from 'fastify';
import { PipelineError } from '../../errors.ts';
import { onceDone } from '../shared/hung-up.ts';

/**
 * Of all callers, and of one: each holds up to a month of rows in memory while its reader takes
 * them.
 */
const MAX_DOWNLOADS = 64;
const MAX_OF_CALLER = 32;
const TRY_AGAIN_MS = 5_000;

/**
 * Downloads that are under way on a server, so that slow readers hold a bounded part of its memory.
 */
class Downloads {
  readonly #ofCaller = new Map<string, number>();
  #all = 0;

  begin(caller: string, response: ServerResponse): void {
    const own = this.#ofCaller.get(caller) ?? 0;
    if (this.#all >= MAX_DOWNLOADS || own >= MAX_OF_CALLER)
      throw new PipelineError(
        'BUSY',
        `${own} downloads of this caller and ${this.#all} of all are under way`,
        {
          retryAfterMs: TRY_AGAIN_MS,
        },
      );
    this.#all += 1;
    this.#ofCaller.set(caller, own + 1);
    onceDone(response, () => {
      this.#end(caller);
    });
  }

  #end(caller: string): void {
    this.#all -= 1;
    const left = (this.#ofCaller.get(caller) ?? 1) - 1;
    if (left > 0) this.#ofCaller.set(caller, left);
    else this.#ofCaller.delete(caller);
  }
}

const downloads = new WeakMap<object, Downloads>();

/**
 * Counts a download until its connection is done with it. `BUSY` where there are too many of all
 * callers, or of this one.
 */
export function beginDownload(
  { server: { server }, caller }: FastifyRequest,
  response: ServerResponse,
): void {
  const known = downloads.get(server) ?? new Downloads();
  downloads.set(server, known);
  known.begin(caller.name, response);
}
