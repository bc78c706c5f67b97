import { DuckDBInstance } from '@duckdb/node-api';
import type { DuckDBConnection } from '@duckdb/node-api';
import { mkdir, mkdtemp } from 'node:fs/promises';
import path from 'node:path';
import { PipelineError } from '../../errors.ts';
import { duckDbError } from './duckdb-errors.ts';
import { DuckDbSession } from './duckdb-session.ts';
import { fileError } from '../shared/file-errors.ts';
import type { SqlEngine, SqlSession } from '../../ports/sql.ts';
import { openScratchFolder, removeScratchFolder } from '../local/scratch-folder.ts';

/** A session that has been the only one for this long gets all threads. */
const GROW_AFTER_MS = 1_000;

/** One engine per process; its sessions share memory and threads. */
export interface DuckDbEngineOptions {
  /** For all sessions together, in MiB; what does not fit is spilled to the scratch folder. */
  readonly memoryLimitMb: number;
  /**
   * Threads for all sessions together: one session alone has them all, several have equal shares,
   * at least one each.
   */
  readonly threads: number;
  /**
   * Where sessions and spilled data get their folders; shared by the engines of all processes of
   * the machine.
   */
  readonly scratchRoot: string;
}

/** The instance is opened with the first session and again after it broke. */
export interface DuckDbEngine extends SqlEngine {
  /**
   * Waits for the running sessions, then frees memory and scratch folder; later sessions are
   * refused.
   */
  close(): Promise<void>;
}

interface OpenInstance {
  readonly folder: string;
  readonly instance: DuckDBInstance;
  /**
   * Attaches and detaches the sessions' databases: a session's own connection may be in any state
   * when it ends.
   */
  readonly keeper: DuckDBConnection;
  /** Folders that sessions gave back. */
  readonly free: string[];
}

/**
 * The embedded SQL engine: one DuckDB instance in memory, opened by the first session.
 *
 * A session is a connection with a database of its own, so that its tables (TEMP or not), views and
 * macros are invisible to others and freed at its end; its zone is UTC and no extension is ever
 * loaded. An aborted signal interrupts the running statement, which then fails with the signal's
 * reason instead of a `PipelineError`. What a session's work throws passes through.
 *
 * Statements run on threads of libuv's pool (4 unless `UV_THREADPOOL_SIZE` says more), one per
 * running statement: as many long statements as threads stop all file access of the process until
 * one of them ends.
 */
export function createDuckDbEngine(options: DuckDbEngineOptions): DuckDbEngine {
  return new EmbeddedEngine(options);
}

class EmbeddedEngine implements DuckDbEngine {
  readonly #options: DuckDbEngineOptions;
  readonly #running = new Set<Promise<unknown>>();
  readonly #abandoned: OpenInstance[] = [];
  #opening: Promise<OpenInstance> | undefined;
  /** Sessions opened so far; the next one is named after it. */
  #sessions = 0;
  #active = 0;
  #threadsSet: number;
  #growing: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: DuckDbEngineOptions) {
    this.#options = options;
    this.#threadsSet = options.threads;
  }

  async session<T>(
    work: (sql: SqlSession) => Promise<T>,
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<T> {
    if (this.#closed)
      throw new PipelineError('INTERNAL', 'the SQL engine is used after it was closed');
    options.signal?.throwIfAborted();
    const running = this.#runSession(work, options.signal);
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#running);
    clearTimeout(this.#growing);
    const opened = await this.#opening?.catch(() => undefined);
    this.#opening = undefined;
    if (opened !== undefined) this.#abandoned.push(opened);
    for (const instance of this.#abandoned.splice(0)) await closeInstance(instance);
  }

  async #runSession<T>(
    work: (sql: SqlSession) => Promise<T>,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    const opened = await this.#open();
    this.#sessions += 1;
    const name = `session_${this.#sessions}`;
    const scratch = path.join(opened.folder, name);
    await mkdir(scratch, { recursive: true }).catch((error: unknown) => {
      throw fileError(error, 'write to the scratch folder', scratch);
    });
    const borrowed: string[] = [];
    try {
      const connection = await this.#connectFirst(opened, name);
      const onInstanceEnd = (): void => {
        this.#abandon(opened);
      };
      const session = new DuckDbSession({
        connection,
        close: () => this.#closeSession(opened, name, connection),
        scratch,
        limits: this.#options,
        signal,
        lanes: () => this.#threadsSet,
        borrowFolder: async () => {
          const folder = opened.free.pop() ?? (await makeLentFolder(opened.folder));
          borrowed.push(folder);
          return folder;
        },
        // Counted as many statements as there are threads, it has its own alone.
        onOneThread: (statement) => this.#countedAs(opened, this.#options.threads - 1, statement),
        beside: (lane) => this.#beside(opened, name, lane),
        onInstanceEnd,
      });
      try {
        return await work(session);
      } finally {
        await session.finish();
      }
    } finally {
      opened.free.push(...borrowed);
      await removeScratchFolder(scratch);
    }
  }

  async #connectFirst(opened: OpenInstance, name: string): Promise<DuckDBConnection> {
    await this.#shareThreads(opened, 1);
    try {
      return await this.#connect(opened, name);
    } catch (error) {
      await this.#endSession(opened);
      throw error;
    }
  }

  async #closeSession(
    opened: OpenInstance,
    name: string,
    connection: DuckDBConnection,
  ): Promise<void> {
    connection.closeSync();
    // Fails only when the instance is of no use any more, and its memory goes with it.
    await opened.keeper.run(`DETACH ${name}`).catch(() => undefined);
    await this.#endSession(opened);
  }

  /** A lane of a session counts as one more when threads are shared. */
  #beside(
    opened: OpenInstance,
    name: string,
    work: (connection: DuckDBConnection) => Promise<void>,
  ): Promise<void> {
    return this.#countedAs(opened, 1, async () => {
      const connection = await this.#connect(opened, name);
      await work(connection).finally(() => {
        connection.closeSync();
      });
    });
  }

  /** Meanwhile threads are shared as among so many more. */
  async #countedAs(opened: OpenInstance, more: number, work: () => Promise<void>): Promise<void> {
    await this.#shareThreads(opened, more);
    try {
      await work();
    } finally {
      await this.#shareThreads(opened, -more);
    }
  }

  /**
   * The engine's threads spin while they wait for work: beside the statements of other sessions
   * they cost a sixth of the processor and give nothing. The bytes that are written do not depend
   * on their number.
   */
  async #shareThreads({ keeper }: OpenInstance, more: number): Promise<void> {
    this.#active += more;
    clearTimeout(this.#growing);
    await this.#setThreads(keeper);
  }

  /**
   * A session that becomes the only one is rarely that for long: taking threads away and giving
   * them back with every session of a backfill costs a tenth of it. A session whose lanes have
   * ended has them back at once: what it does next is one statement over everything.
   */
  async #endSession({ keeper }: OpenInstance): Promise<void> {
    this.#active -= 1;
    clearTimeout(this.#growing);
    if (this.#active === 0) await this.#setThreads(keeper);
    else this.#growing = setTimeout(() => void this.#setThreads(keeper), GROW_AFTER_MS).unref();
  }

  async #setThreads(keeper: DuckDBConnection): Promise<void> {
    const share = Math.max(1, Math.floor(this.#options.threads / Math.max(1, this.#active)));
    if (share === this.#threadsSet) return;
    this.#threadsSet = share;
    // After a fatal error the instance refuses this as well, and is replaced.
    await keeper.run(`SET threads = ${share}`).catch(() => undefined);
  }

  /** The first connection of a session or another one. */
  async #connect({ instance, keeper }: OpenInstance, name: string): Promise<DuckDBConnection> {
    const setUp = `USE ${name}; SET TimeZone = 'UTC'`;
    try {
      await keeper.run(`ATTACH IF NOT EXISTS ':memory:' AS ${name}`);
      const connection = await instance.connect();
      await connection.run(setUp);
      return connection;
    } catch (error) {
      throw duckDbError(error, setUp, this.#options);
    }
  }

  #open(): Promise<OpenInstance> {
    this.#opening ??= openInstance(this.#options).catch((error: unknown) => {
      this.#opening = undefined;
      throw error;
    });
    return this.#opening;
  }

  /** After a fatal error DuckDB refuses everything: the next session opens a new instance. */
  #abandon(opened: OpenInstance): void {
    if (this.#abandoned.includes(opened)) return;
    this.#abandoned.push(opened);
    this.#opening = undefined;
    this.#threadsSet = this.#options.threads;
  }
}

async function openInstance(options: DuckDbEngineOptions): Promise<OpenInstance> {
  const folder = await openScratchFolder(options.scratchRoot);
  try {
    const instance = await DuckDBInstance.create(':memory:', {
      memory_limit: `${options.memoryLimitMb}MiB`,
      threads: String(options.threads),
      temp_directory: path.join(folder, 'spill'),
      autoinstall_known_extensions: 'false',
      autoload_known_extensions: 'false',
      // The cache trusts a file's time and size: measured, a file rewritten in place within
      // milliseconds at equal length was read with the layout of the one before, without an error.
      // The operating system keeps files in memory anyway.
      enable_external_file_cache: 'false',
    });
    return { folder, instance, keeper: await instance.connect(), free: [] };
  } catch (error) {
    await removeScratchFolder(folder);
    throw duckDbError(error, 'open', options);
  }
}

function makeLentFolder(folder: string): Promise<string> {
  return mkdtemp(path.join(folder, 'lent-')).catch((error: unknown) => {
    throw fileError(error, 'write to the scratch folder', folder);
  });
}

async function closeInstance({ folder, instance, keeper }: OpenInstance): Promise<void> {
  keeper.closeSync();
  instance.closeSync();
  await removeScratchFolder(folder);
}
