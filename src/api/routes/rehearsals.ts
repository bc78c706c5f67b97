import type { FastifyReply } from 'fastify';
import type { Engine } from '../../engine/engine.ts';
import { rehearseDay } from '../../engine/look/rehearse-day.ts';
import type { Rehearsal } from '../../engine/look/rehearse-day.ts';
import { PipelineError } from '../../errors.ts';
import { untilHungUp } from '../shared/hung-up.ts';

/**
 * Runs that this server tries: one after the other, because each takes the SQL engine that answers
 * questions as well.
 */
export class Rehearsals {
  readonly #engine: Engine;
  #busy: string | undefined;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /**
   * What a run of the day would change. `BUSY` while another one is tried. Stops when the caller
   * hangs up.
   */
  async of(pipeline: string, date: string, reply: FastifyReply): Promise<Rehearsal> {
    if (this.#busy !== undefined)
      throw new PipelineError('BUSY', `a run of ${this.#busy} is being tried`);
    this.#busy = `${pipeline}/${date}`;
    const signal = untilHungUp(reply.raw);
    try {
      const execution = { workflowId: 'api/plan', runId: String(process.pid), attempt: 1 };
      const control = { execution, signal, progress: () => undefined };
      return await rehearseDay(this.#engine, control, pipeline, date);
    } finally {
      this.#busy = undefined;
    }
  }
}
