import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import type { Caller } from './callers.ts';
import { PipelineError } from '../../errors.ts';
import type { ApiSettings } from '../shared/context.ts';

/** A page is several requests, and follows what happens: people in a session get as many times more. */
const OF_PEOPLE = 10;

type TellHeader = (header: string, value: string) => unknown;

/** Requests of one caller: so many in a minute, and so many in a second; of a person in a session ten times as many. */
export class Quotas {
  readonly #programs: Quota;
  readonly #people: Quota;

  constructor({ perMinute, burst }: ApiSettings['quota']) {
    this.#programs = new Quota(perMinute, burst);
    this.#people = new Quota(perMinute * OF_PEOPLE, burst * OF_PEOPLE);
  }

  /** Counts a request and tells by headers what is left; `RATE_LIMITED` when nothing is. */
  take({ name, role }: Pick<Caller, 'name' | 'role'>, tell: TellHeader): Promise<void> {
    return (role === undefined ? this.#programs : this.#people).take(name, tell);
  }
}

class Quota {
  readonly #minute: RateLimiterMemory;
  readonly #burst: RateLimiterMemory;
  readonly #perMinute: number;

  constructor(perMinute: number, burst: number) {
    this.#perMinute = perMinute;
    this.#minute = new RateLimiterMemory({ points: perMinute, duration: 60 });
    this.#burst = new RateLimiterMemory({ points: burst, duration: 1 });
  }

  async take(caller: string, tell: TellHeader): Promise<void> {
    try {
      await this.#burst.consume(caller);
      const { remainingPoints, msBeforeNext } = await this.#minute.consume(caller);
      this.#tell(tell, remainingPoints, msBeforeNext);
    } catch (error) {
      if (!(error instanceof RateLimiterRes)) throw error;
      this.#tell(tell, 0, error.msBeforeNext);
      throw new PipelineError('RATE_LIMITED', 'too many requests for the moment', { retryAfterMs: error.msBeforeNext });
    }
  }

  /** By the IETF draft `ratelimit-headers`. */
  #tell(tell: TellHeader, left: number, resetMs: number): void {
    tell('ratelimit-policy', `"minute";q=${this.#perMinute};w=60`);
    tell('ratelimit', `"minute";r=${left};t=${Math.ceil(resetMs / 1000)}`);
  }
}
