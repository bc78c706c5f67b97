import { PipelineError } from '../../errors.ts';
import type { ErrorCode } from '../../errors.ts';
import { csvProblem } from './csv-errors.ts';

/** Settings that a remedy names. */
export interface DuckDbLimits {
  readonly memoryLimitMb: number;
  readonly scratchRoot: string;
}

interface DuckDbErrorRow {
  readonly when: RegExp;
  readonly code: ErrorCode;
  readonly remedy?: (limits: DuckDbLimits) => string;
}

// All are anchored at the kind, and all but the first look at the first line only: later lines can
// quote the input.
const DISK_FULL =
  /^(IO|Out of Memory) Error: [^]*(No space left on device|Disk quota exceeded|File too large|max_temp_directory_size)/i;
const FORBIDDEN = /^IO Error: .*(Permission denied|Read-only file system|Is a directory)/i;

/**
 * What the Parquet reader says of a file that was cut or altered; our own files are hashed before
 * they are read.
 */
const DAMAGED_PARQUET =
  /^(Invalid Input|Invalid|IO) Error: .*(No magic bytes found|too small to be a Parquet file|Failed to read (Parquet )?file|TProtocolException|don't know what type|Could not read enough bytes|bytes outside file|converted type can only be set|Incorrect stats size)/i;

/**
 * What a failure of DuckDB means, by its message, because there is nothing else: every failure is a
 * plain `Error`. The first row that matches counts.
 */
const DUCKDB_ERRORS: readonly DuckDbErrorRow[] = [
  {
    when: DISK_FULL,
    code: 'STORE_DENIED',
    remedy: ({ scratchRoot }) =>
      `the disk under ${scratchRoot} or of the file that is written is full: free some space`,
  },
  {
    when: /^Out of Memory Error/,
    code: 'STORE_DENIED',
    remedy: ({ memoryLimitMb }) =>
      `raise the memory limit of the SQL engine (now ${memoryLimitMb} MiB) or take a smaller window`,
  },
  {
    when: FORBIDDEN,
    code: 'STORE_DENIED',
    remedy: () => 'correct the permission or the path in the message',
  },
  // Nothing here may load extensions: on a machine without the internet it could not work.
  { when: /^IO Error: .*Extension "/i, code: 'INTERNAL' },
  { when: /^Invalid Input Error: .*schema mismatch/i, code: 'SRC_SHAPE_CHANGED' },
  {
    when: DAMAGED_PARQUET,
    code: 'STORE_CORRUPT',
    remedy: () => 'keep the file aside, check the disk, then re-run the day to rebuild it',
  },
  { when: /^IO Error/, code: 'STORE_UNAVAILABLE' },
  { when: /^(Invalid Input|Conversion|Out of Range) Error/, code: 'SRC_SHAPE_CHANGED' },
  // A key or NOT NULL of a temporary table: the data break a rule that the step relies on.
  { when: /^Constraint Error/, code: 'DATA_CHECK_FAILED' },
  // Wrong statements (Catalog, Binder, Parser, TransactionContext) and the engine's own bugs.
  { when: /^/, code: 'INTERNAL' },
];

/** The engine's messages can quote a whole line of input; what crosses Temporal must stay small. */
const MAX_MESSAGE_CHARACTERS = 2_000;
const MAX_SQL_CHARACTERS = 500;

/**
 * A failure of the engine as `PipelineError`, with the engine's message and the beginning of the
 * statement.
 */
export function duckDbError(error: unknown, sql: string, limits: DuckDbLimits): PipelineError {
  if (error instanceof PipelineError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const csv = csvProblem(message);
  if (csv !== undefined)
    return new PipelineError('SRC_SHAPE_CHANGED', `the table is damaged: ${csv}`, { cause: error });
  const row = DUCKDB_ERRORS.find(({ when }) => when.test(message));
  const remedy = row?.remedy === undefined ? '' : ` (${row.remedy(limits)})`;
  return new PipelineError(
    row?.code ?? 'INTERNAL',
    message.slice(0, MAX_MESSAGE_CHARACTERS) + remedy,
    {
      context: { sql: sql.slice(0, MAX_SQL_CHARACTERS) },
      cause: error,
    },
  );
}

/** Whether the instance refuses everything from now on; only a new one helps. */
export function endsInstance(error: unknown): boolean {
  return (
    error instanceof Error &&
    /^(FATAL|INTERNAL) Error|database has been invalidated/.test(error.message)
  );
}
