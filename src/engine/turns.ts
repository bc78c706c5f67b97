import { PipelineError } from '../errors.ts';

const TRY_AGAIN_MS = 1_000;

/**
 * Lets so many pieces of work run at the same time, the others in the order in which they came. For
 * work that many ask for at once and whose memory must stay bounded; p-limit does the same, and is
 * a dependency more for twenty lines.
 */
export class Turns {
  readonly #waiting: (() => void)[] = [];
  readonly #maxWaiting: number;
  #free: number;

  constructor(atOnce: number, maxWaiting = Infinity) {
    this.#free = atOnce;
    this.#maxWaiting = maxWaiting;
  }

  /**
   * `BUSY` where so many wait already that another one would wait too long: who has begun goes on
   * by `take`.
   */
  async begin<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free === 0 && this.#waiting.length >= this.#maxWaiting)
      throw new PipelineError('BUSY', `${this.#waiting.length} readers wait already`, {
        retryAfterMs: TRY_AGAIN_MS,
      });
    return this.take(work);
  }

  /** Waits for a turn; the turn ends with the work, whatever comes of it. */
  async take<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free += 1;
      else next();
    }
  }
}
