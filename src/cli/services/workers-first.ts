import { readdir } from 'node:fs/promises';
import { processorSeconds } from '@quotidien/machine/living-process';
import { PipelineError } from '../../errors.ts';
import { ownerOfScratch } from '../../storage/local/scratch-folder.ts';

/** Of one processor, what requests may take while other processes of the home are at work. */
const SHARE = 0.25;
/** As much of it as is kept for a page that comes after a quiet time, in seconds. */
const KEPT_S = 0.1;
/** Of one processor; a process that takes less is waiting. */
const AT_WORK = 0.5;
const LOOK_EVERY_S = 0.25;
const ENTER_EVERY_MS = 5;
const MAX_WAITING = 64;

/** Seconds of a clock that only goes forward, and of processor time. */
export interface ProcessorTimes {
  now(): number;
  /** Of this process so far. */
  own(): number;
  /** Of each other process of the home on this machine, by its number. */
  others(): Promise<ReadonlyMap<number, number>>;
}

/**
 * `scratchRoot` has a folder of each process of the home that computes. Without `/proc` no other
 * process is seen.
 */
export function timesOfHome(scratchRoot: string): ProcessorTimes {
  return {
    now: () => performance.now() / 1000,
    own() {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1e6;
    },
    async others() {
      const names = await readdir(scratchRoot).catch(() => []);
      const times = new Map<number, number>();
      for (const pid of new Set(names.map((name) => ownerOfScratch(name)))) {
        const seconds =
          pid === undefined || pid === process.pid ? undefined : processorSeconds(pid);
        if (pid !== undefined && seconds !== undefined) times.set(pid, seconds);
      }
      return times;
    },
  };
}

/**
 * Who asks the API waits while workers of the same home are at work on this machine and the API has
 * had its share: also of time that nobody else wants, because two busy processors cost each other a
 * tenth of their speed.
 */
export class WorkersFirst {
  readonly #times: ProcessorTimes;
  /** In the order in which they came. */
  readonly #waiting = new Set<() => void>();
  #timer: NodeJS.Timeout | undefined;
  #isWorking = false;
  #lookedAt: number;
  #seen: ReadonlyMap<number, number> = new Map();
  #reckonedAt: number;
  #own: number;
  #left = KEPT_S;

  constructor(times: ProcessorTimes) {
    this.#times = times;
    this.#lookedAt = -LOOK_EVERY_S;
    this.#reckonedAt = times.now();
    this.#own = times.own();
  }

  /**
   * Returns when the request may begin, or its caller is gone, who keeps no place; `BUSY` when too
   * many wait for it.
   */
  async enter(gone?: AbortSignal): Promise<void> {
    if (gone?.aborted === true) return;
    this.#look();
    if (this.#timer === undefined && this.#hasRoom()) return;
    if (this.#waiting.size >= MAX_WAITING)
      throw new PipelineError('BUSY', `${MAX_WAITING} requests wait while workers are at work`, {
        retryAfterMs: 1_000,
      });
    this.#timer ??= setInterval(() => {
      this.#letIn();
    }, ENTER_EVERY_MS);
    await new Promise<void>((resolve) => {
      const begin = (): void => {
        this.#waiting.delete(begin);
        gone?.removeEventListener('abort', begin);
        resolve();
      };
      this.#waiting.add(begin);
      gone?.addEventListener('abort', begin);
    });
  }

  /** One at a time: what it will take is not known before. */
  #letIn(): void {
    this.#look();
    const [next] = this.#waiting;
    if (this.#hasRoom()) next?.();
    if (this.#waiting.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #hasRoom(): boolean {
    const [now, own] = [this.#times.now(), this.#times.own()];
    this.#left = Math.min(
      KEPT_S,
      this.#left + SHARE * (now - this.#reckonedAt) - (own - this.#own),
    );
    this.#reckonedAt = now;
    this.#own = own;
    // What was taken while nobody was at work is not owed.
    if (!this.#isWorking) this.#left = Math.max(0, this.#left);
    return !this.#isWorking || this.#left > 0;
  }

  #look(): void {
    const now = this.#times.now();
    const since = now - this.#lookedAt;
    if (since < LOOK_EVERY_S) return;
    this.#lookedAt = now;
    void this.#lookAtOthers(since);
  }

  async #lookAtOthers(since: number): Promise<void> {
    const before = this.#seen;
    const times = await this.#times.others();
    this.#seen = times;
    this.#isWorking = [...times].some(
      ([pid, seconds]) => seconds - (before.get(pid) ?? seconds) > AT_WORK * since,
    );
  }
}
