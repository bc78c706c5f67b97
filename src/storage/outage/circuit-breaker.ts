import { PipelineError, asPipelineError, errorCodeOf } from '../../errors.ts';
import type { ErrorCode } from '../../errors.ts';
import type { DocumentStore } from '../../ports/documents.ts';
import type { ObjectStore } from '../../ports/objects.ts';

const DEFAULT_FAILURES_TO_OPEN = 3;
const DEFAULT_PROBE_AFTER_MS = 5_000;
const DEFAULT_LONGEST_PROBE_AFTER_MS = 60_000;

/** These are answers: whoever gives them is there, whatever it says. */
const ANSWERS: readonly (ErrorCode | undefined)[] = [
  'STORE_CONFLICT',
  'STORE_DENIED',
  'STORE_CORRUPT',
];

/** What is known of a store's availability. Instants are milliseconds since 1970. */
export type BreakerState =
  | {
      readonly state: 'closed';
      /** Unanswered calls since the last answer. */ readonly failures: number;
    }
  | {
      /** `half-open`: one call is on its way to find out. */
      readonly state: 'open' | 'half-open';
      readonly failures: number;
      readonly sinceMs: number;
      readonly probeAtMs: number;
      readonly reason: string;
    };

/** When a store counts as away, and how soon it is asked whether it is back. */
export interface CircuitBreakerOptions {
  /** What is said of the store in messages, such as `the object store s3`. */
  readonly name: string;
  /** Unanswered calls in a row that open it; 3 unless given. */
  readonly failuresToOpen?: number;
  /**
   * The same before the first answer of the store to this process; as many as `failuresToOpen`
   * unless given.
   */
  readonly failuresBeforeAnswer?: number;
  /**
   * The wait before the first probe, 5,000 unless given; it doubles with each probe that fails, up
   * to the longest (60,000).
   */
  readonly probeAfterMs?: number;
  readonly longestProbeAfterMs?: number;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/**
 * Knows whether a store answers, so that nobody waits for one that does not. Ours, and not
 * cockatiel's: probes that end without an answer of the store (rule 3), pauses that grow, and notes
 * that outlive the process are what it is for.
 *
 * 1. Only `STORE_UNAVAILABLE` counts as unanswered, and only without `retryAfterMs`: a store that
 *    asks to slow down is there. A missing permission, bucket or table, a full disk, a conflict or
 *    damaged bytes are answers and close it.
 * 2. While it is open no call is made, except one probe at a time once its instant has come.
 * 3. What says nothing about the store (an error of the caller's own body) changes nothing; a probe
 *    that ends so may be repeated at once.
 */
export interface CircuitBreaker {
  readonly name: string;
  /**
   * Makes the call, or throws `STORE_UNAVAILABLE`: while the breaker is open with the time until
   * the next probe, while a probe is on its way with the shortest time between two.
   */
  run<T>(call: () => Promise<T>): Promise<T>;
  /** For what goes wrong after a call was answered, such as a body that breaks off. */
  note(error: unknown): void;
  /** For whoever found out in another way that the store answers. */
  close(): void;
  isOpen(): boolean;
  state(): BreakerState;
  /** Tells of every change between closed, half-open and open; the answer ends it. */
  onChange(listener: (state: BreakerState) => void): () => void;
}

/** Closed at first: a store is believed to be there until calls say otherwise. */
export function createCircuitBreaker(options: CircuitBreakerOptions): CircuitBreaker {
  return new Breaker(options);
}

class Breaker implements CircuitBreaker {
  readonly name: string;
  readonly #failuresToOpen: number;
  readonly #failuresBeforeAnswer: number;
  #wasAnswered = false;
  readonly #firstWaitMs: number;
  readonly #longestWaitMs: number;
  readonly #now: () => number;
  readonly #listeners = new Set<(state: BreakerState) => void>();
  #state: BreakerState = { state: 'closed', failures: 0 };
  #waitMs: number;

  constructor(options: CircuitBreakerOptions) {
    this.name = options.name;
    this.#failuresToOpen = options.failuresToOpen ?? DEFAULT_FAILURES_TO_OPEN;
    this.#failuresBeforeAnswer = options.failuresBeforeAnswer ?? this.#failuresToOpen;
    this.#firstWaitMs = options.probeAfterMs ?? DEFAULT_PROBE_AFTER_MS;
    this.#longestWaitMs = options.longestProbeAfterMs ?? DEFAULT_LONGEST_PROBE_AFTER_MS;
    this.#now = options.now ?? Date.now;
    this.#waitMs = this.#firstWaitMs;
  }

  async run<T>(call: () => Promise<T>): Promise<T> {
    const probes = this.#state.state !== 'closed';
    if (probes) this.#beginProbe();
    try {
      const result = await call();
      this.#answered(probes);
      return result;
    } catch (error) {
      this.#failed(error, probes);
      throw error;
    }
  }

  note(error: unknown): void {
    this.#failed(error, false);
  }

  close(): void {
    if (this.isOpen()) this.#close();
  }

  isOpen(): boolean {
    return this.#state.state !== 'closed';
  }

  state(): BreakerState {
    return this.#state;
  }

  onChange(listener: (state: BreakerState) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #beginProbe(): void {
    const state = this.#state;
    if (state.state === 'closed') return;
    // How long a probe hangs nobody knows; asked again at once, thousands would ask until it ends.
    const waitMs = state.state === 'half-open' ? this.#firstWaitMs : state.probeAtMs - this.#now();
    if (waitMs > 0) throw this.#refusal(state.reason, waitMs);
    this.#change({ ...state, state: 'half-open' });
  }

  #refusal(reason: string, retryAfterMs: number): PipelineError {
    const message = `${this.name} does not answer, so it is not asked again before its next probe: ${reason}`;
    return new PipelineError('STORE_UNAVAILABLE', message, {
      retryAfterMs,
      context: { breaker: this.name },
    });
  }

  /**
   * Calls that began before it opened do not close it: they may have been answered before the store
   * went away.
   */
  #answered(probed: boolean): void {
    this.#wasAnswered = true;
    if (this.#state.state === 'closed') this.#state = { state: 'closed', failures: 0 };
    else if (probed) this.#close();
  }

  #failed(error: unknown, probed: boolean): void {
    const code = errorCodeOf(error);
    if (ANSWERS.includes(code)) {
      this.#answered(probed);
    } else if (code !== 'STORE_UNAVAILABLE') {
      if (probed && this.#state.state === 'half-open')
        this.#change({ ...this.#state, state: 'open' });
    } else if (asPipelineError(error).retryAfterMs === undefined) {
      this.#unanswered(asPipelineError(error).message, probed);
    } else {
      this.#answered(probed);
    }
  }

  #unanswered(reason: string, probed: boolean): void {
    const failures = this.#state.failures + 1;
    const now = this.#now();
    if (this.#state.state === 'closed') {
      this.#state = { state: 'closed', failures };
      if (failures < (this.#wasAnswered ? this.#failuresToOpen : this.#failuresBeforeAnswer))
        return;
      this.#change({
        state: 'open',
        failures,
        sinceMs: now,
        probeAtMs: now + this.#waitMs,
        reason,
      });
    } else if (probed) {
      this.#waitMs = Math.min(this.#waitMs * 2, this.#longestWaitMs);
      this.#change({
        ...this.#state,
        state: 'open',
        failures,
        probeAtMs: now + this.#waitMs,
        reason,
      });
    }
  }

  #close(): void {
    this.#waitMs = this.#firstWaitMs;
    this.#change({ state: 'closed', failures: 0 });
  }

  #change(state: BreakerState): void {
    this.#state = state;
    for (const listener of this.#listeners) listener(state);
  }
}

/**
 * The store behind a breaker: every call passes through it, and so does what a stream says midway.
 */
export function guardObjects(store: ObjectStore, breaker: CircuitBreaker): ObjectStore {
  return {
    kind: store.kind,
    put: (key, body, options) => breaker.run(() => store.put(key, body, options)),
    async get(key, range) {
      const stream = await breaker.run(() => store.get(key, range));
      return stream === undefined ? undefined : watched(stream, breaker);
    },
    head: (key) => breaker.run(() => store.head(key)),
    list: (prefix) => begun(() => store.list(prefix), breaker),
    delete: (...args) => breaker.run(() => store.delete(...args)),
    inspect: (ref) => breaker.run(() => store.inspect(ref)),
    openLocal: (ref, options) => breaker.run(() => store.openLocal(ref, options)),
  };
}

/** Every call passes the breaker; `close` does not, it must work while the store is away. */
export function guardDocuments(store: DocumentStore, breaker: CircuitBreaker): DocumentStore {
  return {
    kind: store.kind,
    get: (key) => breaker.run(() => store.get(key)),
    put: (key, body, options) => breaker.run(() => store.put(key, body, options)),
    query: (query) => begun(() => store.query(query), breaker),
    partitions: (table) => begun(() => store.partitions(table), breaker),
    delete: (key) => breaker.run(() => store.delete(key)),
    createMany: (documents) => breaker.run(() => store.createMany(documents)),
    close: () => store.close(),
  };
}

/** The first item is the call that the breaker judges; the rest is watched. */
async function* begun<T>(
  start: () => AsyncIterable<T>,
  breaker: CircuitBreaker,
): AsyncGenerator<T> {
  const items = await breaker.run(async () => {
    const iterator = start()[Symbol.asyncIterator]();
    return { iterator, first: await iterator.next() };
  });
  try {
    if (items.first.done === true) return;
    yield items.first.value;
    yield* watched({ [Symbol.asyncIterator]: () => items.iterator }, breaker);
  } finally {
    await items.iterator.return?.();
  }
}

async function* watched<T>(items: AsyncIterable<T>, breaker: CircuitBreaker): AsyncGenerator<T> {
  try {
    yield* items;
  } catch (error) {
    breaker.note(error);
    throw error;
  }
}
