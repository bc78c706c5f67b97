import { PipelineError } from '../../src/errors.ts';
import type { Process, Scheduler } from './scheduler.ts';

/**
 * How often what goes wrong, as probabilities of one call. All are zero in the quiet end of a seed.
 */
export interface Odds {
  /** The call is not done, and the caller hears so. */
  readonly refused: number;
  /** The call is done, and the caller hears that it was not. */
  readonly unanswered: number;
  /** The call or its answer takes seconds to minutes. */
  readonly slow: number;
  /** The process dies, before the call or after it. */
  readonly crash: number;
  /** The process is stopped for longer than its signs of life may be missing, and goes on then. */
  readonly stop: number;
}

export const CALM: Odds = { refused: 0, unanswered: 0, slow: 0, crash: 0, stop: 0 };

const SLOW_MS = [500, 5_000, 45_000, 600_000] as const;
const STOPPED_MS = [5_000, 45_000, 120_000, 900_000] as const;

/** What surrounds the calls of all processes: it decides the fate of each. */
export class Weather {
  readonly #scheduler: Scheduler;
  odds: Odds = CALM;
  /** Called when a process is to die. */
  onCrash: (process: Process) => void = () => undefined;

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  /** One call of a process to something outside of it. `work` takes no turn of its own. */
  async call<T>(
    process: Process,
    what: string,
    work: () => Promise<T>,
    away?: () => string | undefined,
  ): Promise<T> {
    const { random } = this.#scheduler;
    const { odds } = this;
    await this.#scheduler.turn(what, process, this.#delay());
    await this.#mishap(process);
    const absent = away?.();
    if (absent !== undefined) throw unavailable(absent);
    if (odds.refused > 0 && random.chance(odds.refused))
      throw this.#lost(process, what, 'is refused');
    const result = await work();
    await this.#mishap(process);
    await this.#scheduler.turn(undefined, process, this.#delay());
    if (odds.unanswered > 0 && random.chance(odds.unanswered))
      throw this.#lost(process, what, 'was done, its answer is lost');
    return result;
  }

  /**
   * For calls to a process's own disk: that may be the last thing it does, and nothing else goes
   * wrong.
   */
  indoors(): Weather {
    const outdoors = () => this.odds;
    const indoors = new Weather(this.#scheduler);
    Object.defineProperty(indoors, 'odds', {
      get: () => ({ ...CALM, crash: outdoors().crash, stop: outdoors().stop }),
    });
    indoors.onCrash = (process) => {
      this.onCrash(process);
    };
    return indoors;
  }

  #delay(): number {
    const { random } = this.#scheduler;
    return this.odds.slow > 0 && random.chance(this.odds.slow) ? random.pick(SLOW_MS) : 0;
  }

  async #mishap(process: Process): Promise<void> {
    const { crash, stop } = this.odds;
    const { random } = this.#scheduler;
    if (crash > 0 && random.chance(crash)) {
      this.#scheduler.tell(`${process.name} dies`);
      this.onCrash(process);
      await new Promise<never>(() => undefined);
    }
    if (stop > 0 && random.chance(stop)) {
      const ms = random.pick(STOPPED_MS);
      this.#scheduler.tell(`${process.name} is stopped for ${ms} ms`);
      process.stoppedUntil = this.#scheduler.now + ms;
      for (const call of [...process.onSilence]) call();
      await this.#scheduler.turn(`goes on`, process);
    }
  }

  #lost(process: Process, what: string, fate: string): PipelineError {
    this.#scheduler.tell(`${process.name}: ${what} ${fate}`);
    return unavailable(`${what} ${fate}`);
  }
}

export function unavailable(why: string): PipelineError {
  return new PipelineError('STORE_UNAVAILABLE', why);
}
