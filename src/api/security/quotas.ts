import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import type { Caller } from './callers.ts';
import { errorCodeOf, PipelineError } from '../../errors.ts';
import type { ApiSettings } from '../shared/context.ts';
import type { QuotaWindow, SharedCounts, Taken } from './shared-counts.ts';

/**
 * A page is several requests, and follows what happens: people in a session get as many times more.
 */
const OF_PEOPLE = 10;

type TellHeader = (header: string, value: string) => unknown;
type Counted = Pick<Caller, 'name' | 'role' | 'owner'> & Partial<Pick<Caller, 'anonymous'>>;

/**
 * Requests of one caller: so many in a minute, and so many in a second; of a person in a session
 * ten times as many. All keys of an owner count together. With `shared` every process of the
 * installation counts the same ones of who has shown a key or a session; strangers are counted
 * where they ask, so that they write nothing to the stores.
 */
export class Quotas {
  readonly #programs: Quota;
  readonly #people: Quota;

  constructor({ perMinute, burst }: ApiSettings['quota'], shared?: SharedCounts) {
    this.#programs = new Quota(perMinute, burst, shared);
    this.#people = new Quota(perMinute * OF_PEOPLE, burst * OF_PEOPLE, shared);
  }

  /** Counts a request and tells by headers what is left; `RATE_LIMITED` when nothing is. */
  take({ name, role, owner, anonymous = true }: Counted, tell: TellHeader): Promise<void> {
    const caller = owner === undefined ? name : `owner:${owner}`;
    return (role === undefined ? this.#programs : this.#people).take(caller, !anonymous, tell);
  }
}

class Quota {
  readonly #windows: readonly [burst: QuotaWindow, minute: QuotaWindow];
  readonly #own: readonly RateLimiterMemory[];
  readonly #shared: SharedCounts | undefined;

  constructor(perMinute: number, burst: number, shared: SharedCounts | undefined) {
    this.#windows = [
      { name: 'burst', points: burst, durationMs: 1_000 },
      { name: 'minute', points: perMinute, durationMs: 60_000 },
    ];
    this.#own = this.#windows.map(
      ({ points, durationMs }) => new RateLimiterMemory({ points, duration: durationMs / 1_000 }),
    );
    this.#shared = shared;
  }

  async take(caller: string, isKnown: boolean, tell: TellHeader): Promise<void> {
    const taken = await (isKnown ? this.#together(caller) : this.#alone(caller));
    const [, { points }] = this.#windows;
    const refused = taken.find(({ isTaken }) => !isTaken);
    const { left, resetMs } = refused ?? taken.at(-1) ?? { left: points, resetMs: 0 };
    // By the IETF draft `ratelimit-headers`.
    tell('ratelimit-policy', `"minute";q=${points};w=60`);
    tell('ratelimit', `"minute";r=${left};t=${Math.ceil(resetMs / 1000)}`);
    if (refused !== undefined)
      throw new PipelineError('RATE_LIMITED', 'too many requests for the moment', {
        retryAfterMs: resetMs,
      });
  }

  /**
   * While the store is away each process counts alone: more is let in then, and nobody is kept out.
   */
  async #together(caller: string): Promise<readonly Taken[]> {
    if (this.#shared === undefined) return this.#alone(caller);
    try {
      return await this.#shared.take(caller, this.#windows);
    } catch (error) {
      if (errorCodeOf(error) !== 'STORE_UNAVAILABLE') throw error;
      return this.#alone(caller);
    }
  }

  async #alone(caller: string): Promise<readonly Taken[]> {
    const taken: Taken[] = [];
    for (const limiter of this.#own) {
      const one = await takeOf(limiter, caller);
      taken.push(one);
      if (!one.isTaken) break;
    }
    return taken;
  }
}

async function takeOf(limiter: RateLimiterMemory, caller: string): Promise<Taken> {
  try {
    const { remainingPoints, msBeforeNext } = await limiter.consume(caller);
    return { isTaken: true, left: remainingPoints, resetMs: msBeforeNext };
  } catch (error) {
    if (!(error instanceof RateLimiterRes)) throw error;
    return { isTaken: false, left: 0, resetMs: error.msBeforeNext };
  }
}
