import { PipelineError } from '../../errors.ts';

/** The bytes `[start, end)` of an object; without `end`, all from `start` on. */
export interface ByteRange {
  readonly start: number;
  readonly end?: number;
}

/**
 * What a range means for an object of `bytes` bytes: `[start, end)` cut to the object, empty when
 * it lies behind the end. `INPUT_INVALID` for a range that is not two whole numbers in order.
 */
export function clipRange(
  range: ByteRange | undefined,
  bytes: number,
): { start: number; end: number } {
  const start = range?.start ?? 0;
  const end = range?.end ?? bytes;
  const wanted = range?.end ?? start;
  if (
    !Number.isSafeInteger(start) ||
    start < 0 ||
    !Number.isSafeInteger(wanted) ||
    wanted < start
  ) {
    throw new PipelineError(
      'INPUT_INVALID',
      `the byte range [${start}, ${end}) is not usable: it needs whole numbers, 0 <= start <= end`,
    );
  }
  return { start: Math.min(start, bytes), end: Math.min(end, bytes) };
}
