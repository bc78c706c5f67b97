import { describeRow } from '../../pipelines/stored-records.ts';
import type { UnreadableRow } from '../../pipelines/stored-records.ts';
import type { CivilDate } from '../../pipelines/vocabulary.ts';
import type { Terminal } from './terminal.ts';

/**
 * The days of which nothing can be said, each with the row that cannot be read and the command that
 * makes it again.
 */
export function printUnreadable(
  terminal: Terminal,
  days: ReadonlyMap<CivilDate, UnreadableRow>,
): void {
  const { colours } = terminal;
  for (const [date, row] of [...days].sort(([a], [b]) => (a < b ? -1 : 1))) {
    terminal.line(`${colours.bold(date)}  ${colours.red('unreadable')}  ${describeRow(row)}`);
  }
}
