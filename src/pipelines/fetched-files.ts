import type { CivilDate } from './vocabulary.ts';

/**
 * What became of the files of folders and of their days, in the words that a command prints and a
 * job keeps.
 */

/** What became of the files of one part. */
export interface FetchedPart {
  readonly part: string;
  /** How many were due, or tried. */
  readonly files: number;
  /** Here, and read. */
  readonly landed: number;
  readonly failed: number;
  /** Why those that failed cannot be read; where there are many, of the first of them. */
  readonly causes: readonly string[];
  /** How many did not come: the part's run broke off before. */
  readonly left: number;
}

/** A day that was run because of what came. */
export interface MadeDay {
  readonly date: CivilDate;
  readonly failure: { readonly code: string; readonly message: string } | null;
  /** Why the day goes on by itself; absent when it has ended. */
  readonly waits?: string;
}

/** A line of each part, and below it the causes. */
export function partLines(parts: readonly FetchedPart[]): string[] {
  return parts.flatMap(({ part, files, landed, failed, causes, left }) => {
    const known = causes.map((cause) => `  ${cause}`);
    const rest = failed > causes.length ? [`  and ${failed - causes.length} more`] : [];
    const what = `${files} file${files === 1 ? '' : 's'}`;
    return [
      `${part}: ${what}, ${landed} read, ${failed} failed, ${left} did not come`,
      ...known,
      ...rest,
    ];
  });
}

/** A line of each day. */
export function dayLines(days: readonly MadeDay[]): string[] {
  return days.map(({ date, failure, waits }) => {
    const how = failure === null ? (waits ?? 'made') : `${failure.code}: ${failure.message}`;
    return `${date}  ${how}`;
  });
}
