import type { DuckDBConnection } from '@duckdb/node-api';
import { PipelineError } from '../../errors.ts';
import { duckDbError, endsInstance } from './duckdb-errors.ts';
import type { DuckDbLimits } from './duckdb-errors.ts';
import { toPlainValue } from './duckdb-values.ts';
import type { SqlSession } from '../../ports/sql.ts';

/** How long until an interrupt is repeated. */
const INTERRUPT_AGAIN_MS = 50;

interface DuckDbSessionOptions {
  readonly connection: DuckDBConnection;
  readonly scratch: string;
  readonly limits: DuckDbLimits;
  readonly signal: AbortSignal | undefined;
  /** How many statements of the session may run at once now. */
  readonly lanes: () => number;
  readonly borrowFolder: () => Promise<string>;
  /** All threads of the engine but one have nothing to do meanwhile. */
  readonly onOneThread: (work: () => Promise<void>) => Promise<void>;
  /** Lends another connection to the session's tables. */
  readonly beside: (work: (connection: DuckDBConnection) => Promise<void>) => Promise<void>;
  /** Frees the tables and the place of the session; called at most once. */
  readonly close: () => Promise<void>;
  /** Told when the engine's instance is of no use any more. */
  readonly onInstanceEnd: () => void;
}

/**
 * One connection as a session. Its statements run one after the other, also when the caller does
 * not wait in between; only `atOnce` opens more.
 */
export class DuckDbSession implements SqlSession {
  readonly scratch: string;
  readonly #options: DuckDbSessionOptions;
  #last: Promise<unknown> = Promise.resolve();
  #ended = false;
  #finishing: Promise<void> | undefined;
  #isReading = false;

  constructor(options: DuckDbSessionOptions) {
    this.scratch = options.scratch;
    this.#options = options;
  }

  /** Gone with the session. */
  borrowFolder(): Promise<string> {
    return this.#options.borrowFolder();
  }

  /** Statements are separated by `;`; nothing of their results is kept. */
  async run(sql: string): Promise<void> {
    await this.#inTurn(sql, (connection) => connection.run(sql));
  }

  /** All other threads are taken away meanwhile, and given back. */
  async runOnOneThread(sql: string): Promise<void> {
    await this.#inTurn(sql, (connection) =>
      this.#options.onOneThread(async () => {
        await connection.run(sql);
      }),
    );
  }

  /** Dates and instants as ISO text, whole numbers as numbers where they fit one exactly. */
  async rows<T extends object = Record<string, unknown>>(sql: string): Promise<T[]> {
    const reader = await this.#inTurn(sql, (connection) => connection.runAndReadAll(sql));
    return reader.convertRowObjects(toPlainValue) as T[];
  }

  /**
   * One chunk of the engine after the other; a loop that is left early leaves the rest to be thrown
   * away by the next statement.
   */
  async *batches<T extends object = Record<string, unknown>>(sql: string): AsyncGenerator<T[]> {
    const result = await this.#inTurn(sql, (connection) => connection.stream(sql));
    const chunks = result.yieldConvertedRowObjects(toPlainValue);
    this.#isReading = true;
    try {
      for (;;) {
        const chunk = await this.#execute(sql, () => chunks.next());
        if (chunk.done === true) return;
        yield chunk.value as T[];
      }
    } finally {
      this.#isReading = false;
    }
  }

  /** In the order of `items`; the first failure stops those that have not begun. */
  async atOnce<T, R>(
    items: readonly T[],
    work: (item: T, sql: SqlSession) => Promise<R>,
  ): Promise<R[]> {
    const answers = new Array<R>(items.length);
    const pending = items.entries();
    let hasFailed = false;
    const goOn = async (sql: SqlSession): Promise<void> => {
      for (const [index, item] of pending) {
        if (hasFailed) return;
        try {
          answers[index] = await work(item, sql);
        } catch (error) {
          hasFailed = true;
          throw error;
        }
      }
    };
    const lanes = Math.min(this.#options.lanes(), items.length);
    const more = Array.from({ length: Math.max(0, lanes - 1) }, () => this.#beside(goOn));
    const ends = await Promise.allSettled([goOn(this), ...more]);
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
    return answers;
  }

  #beside(work: (sql: SqlSession) => Promise<void>): Promise<void> {
    return this.#options.beside(async (connection) => {
      const session = new DuckDbSession({
        ...this.#options,
        connection,
        close: () => Promise.resolve(),
      });
      try {
        await work(session);
      } finally {
        await session.finish();
      }
    });
  }

  /** Waits for statements that nobody waited for, and refuses all further ones. */
  finish(): Promise<void> {
    this.#ended = true;
    return (this.#finishing ??= this.#last.then(() => this.#options.close()));
  }

  #inTurn<R>(sql: string, start: (connection: DuckDBConnection) => Promise<R>): Promise<R> {
    if (this.#ended || this.#isReading) {
      const when = this.#ended ? 'after its end' : 'in the middle of reading another result';
      return Promise.reject(
        new PipelineError('INTERNAL', `an SQL session is used ${when}: ${sql.slice(0, 200)}`),
      );
    }
    const result = this.#last.then(() => this.#execute(sql, start));
    this.#last = result.catch(() => undefined);
    return result;
  }

  async #execute<R>(sql: string, start: (connection: DuckDBConnection) => Promise<R>): Promise<R> {
    const { connection, signal, limits, onInstanceEnd } = this.#options;
    signal?.throwIfAborted();
    const stop = interruptOnAbort(connection, signal);
    try {
      return await start(connection);
    } catch (error) {
      signal?.throwIfAborted();
      if (endsInstance(error)) onInstanceEnd();
      throw duckDbError(error, sql, limits);
    } finally {
      stop();
    }
  }
}

/**
 * Interrupts the running statement when the signal aborts, again and again until `stop`: DuckDB
 * forgets an interrupt that comes between preparing and starting, and the statement would run to
 * its end.
 */
function interruptOnAbort(
  connection: DuckDBConnection,
  signal: AbortSignal | undefined,
): () => void {
  let again: NodeJS.Timeout | undefined;
  const interrupt = (): void => {
    connection.interrupt();
    again = setTimeout(interrupt, INTERRUPT_AGAIN_MS);
  };
  signal?.addEventListener('abort', interrupt, { once: true });
  return () => {
    signal?.removeEventListener('abort', interrupt);
    clearTimeout(again);
  };
}
