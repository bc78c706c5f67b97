import type { Rehearsal, RehearsedPeriod } from '../../engine/look/rehearse-day.ts';
import type { OutputDiff } from '../../pipelines/version-diff.ts';
import { count } from '../shared/measures.ts';
import type { Terminal } from '../shared/terminal.ts';
import { namedLines } from './diff.ts';

/**
 * What the run of a day would change, for people: by period, rows by name where the dataset has
 * names for them.
 */
export function printEffects(
  terminal: Terminal,
  { verdict, held, failure, periods }: Rehearsal,
): void {
  const { bold } = terminal.colours;
  if (failure !== null) {
    terminal.line(`the day would fail: ${failure.step} ${failure.code}: ${failure.message}`);
    return;
  }
  if (held.length > 0) {
    terminal.line(
      `the day would wait for a decision on ${held.join(', ')}; nothing that follows is known before`,
    );
    return;
  }
  if (periods.length === 0)
    terminal.line(`the day would be ${verdict}, and no month, year or history would change`);
  for (const one of periods) {
    terminal.line(`${bold(`${one.step} of ${one.period}`)} ${headOf(one)}`);
    for (const output of one.diff?.steps.flatMap(({ outputs }) => outputs) ?? []) {
      for (const line of linesOf(output)) terminal.line(`  ${line}`);
    }
  }
}

function headOf({ diff }: RehearsedPeriod): string {
  return diff === null
    ? 'would be made for the first time'
    : `would get version ${diff.from.version + 1}`;
}

function linesOf({ output, content }: OutputDiff): string[] {
  if (content.kind === 'bytes') return [`${output}: ${content.why}`];
  const { added, removed, changed } = content;
  const what = count(added + removed + changed, content.kind === 'table' ? 'row' : 'value');
  const head = `${output}: ${what} would differ (${added} added, ${removed} removed, ${changed} changed)`;
  return content.kind === 'table' ? [head, ...namedLines(content)] : [head];
}
