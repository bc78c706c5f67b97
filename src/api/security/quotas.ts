import type { FastifyReply } from 'fastify';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { PipelineError } from '../../errors.ts';
import type { ApiSettings } from '../shared/context.ts';

/** Requests of one caller: so many in a minute, and so many in a second. */
export class Quotas {
  readonly #minute: RateLimiterMemory;
  readonly #burst: RateLimiterMemory;
  readonly #perMinute: number;

  constructor({ perMinute, burst }: ApiSettings['quota']) {
    this.#perMinute = perMinute;
    this.#minute = new RateLimiterMemory({ points: perMinute, duration: 60 });
    this.#burst = new RateLimiterMemory({ points: burst, duration: 1 });
  }

  /** Counts a request and tells what is left; `RATE_LIMITED` when nothing is. */
  async take(caller: string, reply: FastifyReply): Promise<void> {
    try {
      await this.#burst.consume(caller);
      const { remainingPoints, msBeforeNext } = await this.#minute.consume(caller);
      this.#tell(reply, remainingPoints, msBeforeNext);
    } catch (error) {
      if (!(error instanceof RateLimiterRes)) throw error;
      this.#tell(reply, 0, error.msBeforeNext);
      throw new PipelineError('RATE_LIMITED', 'too many requests for the moment', { retryAfterMs: error.msBeforeNext });
    }
  }

  /** By the IETF draft `ratelimit-headers`. */
  #tell(reply: FastifyReply, left: number, resetMs: number): void {
    reply.header('ratelimit-policy', `"minute";q=${this.#perMinute};w=60`);
    reply.header('ratelimit', `"minute";r=${left};t=${Math.ceil(resetMs / 1000)}`);
  }
}
