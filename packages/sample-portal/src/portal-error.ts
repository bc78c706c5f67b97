/** Facts about a failure, safe to show: texts, numbers, no secrets. */
export type PortalErrorContext = Readonly<Record<string, string | number>>;

/**
 * What the sample portal refuses. `CONFIG_INVALID`: it cannot listen where it was told to;
 * `INPUT_INVALID`: an option, a folder, a date or a request is not usable. Programs that start a
 * portal tell the two apart by `code`.
 */
export class PortalError extends Error {
  readonly code: 'CONFIG_INVALID' | 'INPUT_INVALID';
  readonly context: PortalErrorContext;

  constructor(
    code: PortalError['code'],
    message: string,
    {
      context = {},
      cause,
    }: { readonly context?: PortalErrorContext; readonly cause?: unknown } = {},
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'PortalError';
    this.code = code;
    this.context = context;
  }
}
