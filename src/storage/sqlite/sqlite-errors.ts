import { PipelineError } from '../../errors.ts';
import type { ErrorCode } from '../../errors.ts';

interface SqliteErrorRow {
  readonly code: ErrorCode;
  readonly means: string;
}

const DAMAGED =
  'its content is damaged; keep the file aside, check the disk, then restore it or start a new one';
const FORBIDDEN = 'it cannot be written; correct the permission or choose another file';

/** By the primary result code of SQLite (the low byte), https://www.sqlite.org/rescode.html. */
const SQLITE_ERRORS: Readonly<Record<number, SqliteErrorRow>> = {
  3: { code: 'STORE_DENIED', means: FORBIDDEN },
  5: { code: 'STORE_UNAVAILABLE', means: 'another process kept it locked for too long; try again' },
  6: { code: 'STORE_UNAVAILABLE', means: 'it is locked; try again' },
  7: { code: 'STORE_UNAVAILABLE', means: 'there is no memory left; try again' },
  8: { code: 'STORE_DENIED', means: FORBIDDEN },
  10: { code: 'STORE_UNAVAILABLE', means: 'the disk failed; bring it back, then try again' },
  11: { code: 'STORE_CORRUPT', means: DAMAGED },
  13: { code: 'STORE_DENIED', means: 'the disk is full; free some space, then try again' },
  14: {
    code: 'STORE_DENIED',
    means: 'it cannot be opened; check that its folder exists and can be written',
  },
  15: { code: 'STORE_UNAVAILABLE', means: 'its locks are in disorder; try again' },
  17: { code: 'STORE_UNAVAILABLE', means: 'its tables changed meanwhile; try again' },
  22: {
    code: 'STORE_DENIED',
    means: 'this file system cannot hold files of its size; choose another one',
  },
  23: { code: 'STORE_DENIED', means: FORBIDDEN },
  26: {
    code: 'STORE_CORRUPT',
    means: 'it is not an SQLite database; keep the file aside and correct the path',
  },
};

/**
 * An error of the driver as `STORE_UNAVAILABLE`, `STORE_DENIED` or `STORE_CORRUPT`; a wrong
 * statement or a bug is `INTERNAL`. A refused opening has no code of its own, only SQLite's number
 * at the end of its message.
 */
export function sqliteError(error: unknown, doing: string, file: string): PipelineError {
  if (error instanceof PipelineError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const row = SQLITE_ERRORS[resultCodeOf(error, message) & 0xff];
  const reason = row === undefined ? message : `${row.means} (${message})`;
  return new PipelineError(
    row?.code ?? 'INTERNAL',
    `cannot ${doing} the database ${file}: ${reason}`,
    {
      context: { file },
      cause: error,
    },
  );
}

function resultCodeOf(error: unknown, message: string): number {
  const rawCode = (error as { rawCode?: unknown } | null | undefined)?.rawCode;
  if (typeof rawCode === 'number') return rawCode;
  return Number(/ConnectionFailed\(.*: (\d+)"\)$/s.exec(message)?.[1] ?? 1);
}
