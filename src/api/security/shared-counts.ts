import { sha256Hex } from '../../canonical-json.ts';
import { errorCodeOf } from '../../errors.ts';
import type { DocumentKey, DocumentStore } from '../../ports/documents.ts';

/**
 * Requests by caller and by window of time, counted together by every process that has the same
 * store.
 */

/** One document of each caller, written over with every request. */
export const QUOTA_TABLE = 'api-quotas';

/** A number of requests in a window that begins with the first of them. */
export interface QuotaWindow {
  readonly name: string;
  readonly points: number;
  readonly durationMs: number;
}

/** How a caller stands in one window after a request. */
export interface Taken {
  /** False: the request was one too many here, and is counted in no window. */
  readonly isTaken: boolean;
  readonly left: number;
  readonly resetMs: number;
}

interface Count {
  readonly taken: number;
  /** Milliseconds since 1970. */
  readonly endsAtMs: number;
}

type Counts = Readonly<Record<string, Count>>;

/**
 * Invariants:
 * 1. Each request that is taken is one conditional write: no two processes count the same one.
 * 2. A request that is refused writes nothing, so that who is refused costs one read.
 */
export class SharedCounts {
  readonly #documents: DocumentStore;
  readonly #now: () => Date;

  constructor(documents: DocumentStore, now: () => Date) {
    this.#documents = documents;
    this.#now = now;
  }

  /**
   * How the caller stands in each of the windows. `STORE_UNAVAILABLE` when the store does not
   * answer.
   */
  async take(caller: string, windows: readonly QuotaWindow[]): Promise<readonly Taken[]> {
    const place = placeOf(caller);
    for (;;) {
      const found = await this.#documents.get<Counts>(place);
      const nowMs = this.#now().getTime();
      const counts = windows.map((window) => countIn(window, found?.body[window.name], nowMs));
      const hasRoom = windows.every(({ points }, at) => (counts[at]?.taken ?? 0) < points);
      const after = counts.map(({ taken, endsAtMs }) => ({
        taken: taken + (hasRoom ? 1 : 0),
        endsAtMs,
      }));
      if (!hasRoom || (await this.#isWritten(place, windows, after, found?.version ?? 0)))
        return windows.map(({ points }, at) => standingOf(points, after[at], hasRoom, nowMs));
    }
  }

  /**
   * False where another request was counted meanwhile: at most as often as the windows have room.
   */
  async #isWritten(
    place: DocumentKey,
    windows: readonly QuotaWindow[],
    counts: readonly Count[],
    expectedVersion: number,
  ): Promise<boolean> {
    const body = Object.fromEntries(windows.map(({ name }, at) => [name, counts[at]]));
    try {
      await this.#documents.put(place, body, { expectedVersion });
      return true;
    } catch (error) {
      if (errorCodeOf(error) !== 'STORE_CONFLICT') throw error;
      return false;
    }
  }
}

/** By a hash: callers have names of any length, and some are of people. */
function placeOf(caller: string): DocumentKey {
  return { table: QUOTA_TABLE, partition: 'callers', sort: sha256Hex(caller) };
}

/**
 * A window that has ended begins anew; one that ends later than it can was written by a clock that
 * is far ahead.
 */
function countIn({ durationMs }: QuotaWindow, found: Count | undefined, nowMs: number): Count {
  if (found !== undefined && found.endsAtMs > nowMs && found.endsAtMs <= nowMs + durationMs)
    return found;
  return { taken: 0, endsAtMs: nowMs + durationMs };
}

function standingOf(
  points: number,
  count: Count | undefined,
  hasRoom: boolean,
  nowMs: number,
): Taken {
  const { taken, endsAtMs } = count ?? { taken: 0, endsAtMs: nowMs };
  const left = Math.max(0, points - taken);
  return { isTaken: hasRoom || left > 0, left, resetMs: endsAtMs - nowMs };
}
