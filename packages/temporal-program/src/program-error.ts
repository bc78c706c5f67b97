/** Facts about a failure, safe to show: texts, numbers, no secrets. */
export type ProgramErrorContext = Readonly<Record<string, string | number | undefined>>;

/** What went wrong, for programs: see `TemporalProgramError`. */
export type ProgramErrorCode = 'CONFIG_INVALID' | 'STORE_DENIED' | 'STORE_UNAVAILABLE';

/**
 * Why no Temporal program was found, or no server runs. `CONFIG_INVALID`: somebody has to change
 * what the message names; `STORE_DENIED`: a folder cannot be written; `STORE_UNAVAILABLE`: the
 * server does not answer, and may later.
 */
export class TemporalProgramError extends Error {
  readonly code: ProgramErrorCode;
  readonly context: ProgramErrorContext;

  constructor(
    code: ProgramErrorCode,
    message: string,
    {
      context = {},
      cause,
    }: { readonly context?: ProgramErrorContext; readonly cause?: unknown } = {},
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'TemporalProgramError';
    this.code = code;
    this.context = context;
  }
}

/** Whether something that was thrown is of this kind. */
export function isProgramError(
  error: unknown,
  code: ProgramErrorCode,
): error is TemporalProgramError {
  return error instanceof TemporalProgramError && error.code === code;
}
