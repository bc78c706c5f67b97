import { PipelineError } from '../../errors.ts';
import type { ErrorCode } from '../../errors.ts';

interface FileErrorRow {
  readonly code: ErrorCode;
  /** What happened, and what to do about it. */
  readonly means: string;
}

const FULL = 'the disk is full; free some space or choose another folder, then try again';
const FORBIDDEN = 'the permission is missing; give the user of this process access to it';
const AWAY = 'the disk or the network file system does not answer; bring it back, then try again';
const DESCRIPTORS =
  'too many files are open; raise the limit (`ulimit -n`) or lower the concurrency';

/**
 * What an errno of the file system means for a caller: whether to try again, or what a person must
 * correct.
 */
const FILE_ERRORS: Readonly<Record<string, FileErrorRow>> = {
  ENOSPC: { code: 'STORE_DENIED', means: FULL },
  EDQUOT: {
    code: 'STORE_DENIED',
    means: 'the disk quota is used up; raise it or free some space, then try again',
  },
  EFBIG: {
    code: 'STORE_DENIED',
    means: 'the file would pass the size limit of this process or disk; raise it (`ulimit -f`)',
  },
  EROFS: {
    code: 'STORE_DENIED',
    means: 'the file system is read-only; mount it for writing or choose another folder',
  },
  EACCES: { code: 'STORE_DENIED', means: FORBIDDEN },
  EPERM: {
    code: 'STORE_DENIED',
    means:
      'it is forbidden, or the file system has no hard links; correct the permission or use another file system',
  },
  ENOTDIR: {
    code: 'STORE_DENIED',
    means: 'a part of the path is not a folder; remove it or choose another folder',
  },
  EEXIST: {
    code: 'STORE_DENIED',
    means: 'a file is there where a folder is needed; remove it or choose another folder',
  },
  ELOOP: { code: 'STORE_DENIED', means: 'its symbolic links go in a circle; remove them' },
  ENAMETOOLONG: {
    code: 'STORE_DENIED',
    means: 'the path is too long for this file system; choose a shorter folder',
  },
  EXDEV: {
    code: 'STORE_DENIED',
    means: 'it lies on another file system than the store; keep the whole store on one',
  },
  EOPNOTSUPP: {
    code: 'STORE_DENIED',
    means: 'this file system cannot do that (hard links are needed); use another one',
  },
  ENOSYS: {
    code: 'STORE_DENIED',
    means: 'this file system cannot do that (hard links are needed); use another one',
  },
  EIO: { code: 'STORE_UNAVAILABLE', means: AWAY },
  ESTALE: { code: 'STORE_UNAVAILABLE', means: AWAY },
  ETIMEDOUT: { code: 'STORE_UNAVAILABLE', means: AWAY },
  EHOSTDOWN: { code: 'STORE_UNAVAILABLE', means: AWAY },
  ENOTCONN: { code: 'STORE_UNAVAILABLE', means: AWAY },
  ENODEV: { code: 'STORE_UNAVAILABLE', means: AWAY },
  ENXIO: { code: 'STORE_UNAVAILABLE', means: AWAY },
  EAGAIN: { code: 'STORE_UNAVAILABLE', means: 'the file system is busy; try again' },
  EBUSY: { code: 'STORE_UNAVAILABLE', means: 'the file system is busy; try again' },
  EMFILE: { code: 'STORE_UNAVAILABLE', means: DESCRIPTORS },
  ENFILE: { code: 'STORE_UNAVAILABLE', means: DESCRIPTORS },
  ENOENT: { code: 'STORE_UNAVAILABLE', means: 'it vanished meanwhile; try again' },
};

/** The errno name of a failed file operation, such as `ENOENT`. */
export function errnoOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null | undefined)?.code;
  return typeof code === 'string' ? code : undefined;
}

/** Whether it is one of these errors of the system. */
export function isErrno(error: unknown, ...codes: readonly string[]): boolean {
  const errno = errnoOf(error);
  return errno !== undefined && codes.includes(errno);
}

/**
 * A failed file operation as `STORE_DENIED` (somebody must correct something) or
 * `STORE_UNAVAILABLE` (try again); an errno that is not in the table is `INTERNAL`. `doing` names
 * the operation as in "write", `place` the path.
 */
export function fileError(error: unknown, doing: string, place: string): PipelineError {
  if (error instanceof PipelineError) return error;
  const errno = errnoOf(error) ?? 'unknown error';
  const row = FILE_ERRORS[errno];
  const reason = row?.means ?? (error instanceof Error ? error.message : String(error));
  return new PipelineError(
    row?.code ?? 'INTERNAL',
    `cannot ${doing} ${place}: ${reason} (${errno})`,
    {
      context: { path: place, errno },
      cause: error,
    },
  );
}
