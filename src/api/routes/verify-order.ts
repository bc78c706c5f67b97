import type { FastifyReply, FastifyRequest } from 'fastify';
import { datasetOf } from '../../engine/engine.ts';
import type { Engine } from '../../engine/engine.ts';
import { verifyDays } from '../../engine/verify/verify-day.ts';
import { PipelineError } from '../../errors.ts';
import type { Verification } from '../../pipelines/verification.ts';
import { untilHungUp } from '../shared/hung-up.ts';
import { notFound } from '../shared/problems.ts';
import type { Orders } from './orders.ts';

/**
 * Days that this server rebuilds: one after the other, because each takes the SQL engine that
 * answers questions as well.
 */
export class Verifier {
  readonly #engine: Engine;
  #busy: string | undefined;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /**
   * Rebuilds a finished day from its raw files and compares every byte; only what came of it is
   * kept. `BUSY` while another day is rebuilt, `NOT_FOUND` when no run of the day has finished.
   * Stops when the caller hangs up. Needs `ops:write`.
   */
  async verify(
    orders: Orders,
    request: FastifyRequest,
    reply: FastifyReply,
    {
      pipeline,
      date,
      reason,
    }: { readonly pipeline: string; readonly date: string; readonly reason: string },
  ): Promise<Verification> {
    datasetOf(this.#engine, pipeline);
    const target = `${pipeline}/${date}`;
    await orders.note(request, { action: 'verify', target, pipeline, reason });
    if (this.#busy !== undefined)
      throw new PipelineError('BUSY', `${this.#busy} is being verified`);
    this.#busy = target;
    const signal = untilHungUp(reply.raw);
    try {
      const control = {
        signal,
        progress: () => undefined,
      };
      const { days } = await verifyDays(this.#engine, control, { pipeline, dates: [date] });
      const [verification] = days;
      if (verification === undefined) throw notFound(`finished run of ${target}`);
      return verification;
    } finally {
      this.#busy = undefined;
    }
  }
}
